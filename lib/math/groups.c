/* SPDX-License-Identifier: Apache-2.0 */
/* Sources, generators and scenes: weights that make them equal, folds that keep them whole. */
#include <stdlib.h>
#include <string.h>

#include "math/math.h"

/* Slot of a group id in tables of count + 1: rows without a group share the last one. */
static size_t slot(const itemi_groups *groups, uint32_t id)
{
    return id == ITEMI_NO_GROUP ? groups->count : id;
}

item_status itemi_balance(const itemi_mem *mem, const itemi_groups *groups, itemi_rows rows,
                          double *weight, item_error *err)
{
    size_t slots = groups->count + 1, sources[2] = {0, 0};
    size_t *cell = itemi_alloc_zero(mem, 2 * slots, sizeof *cell);
    if (!cell)
        return itemi_fail_memory(err, "weighing sources");

    for (size_t i = 0; i < rows.count; i++) {
        size_t row = rows.index[i], label = groups->label[row] != 0;
        sources[label] += cell[label * slots + slot(groups, groups->source[row])]++ == 0;
    }
    double labels = (sources[0] > 0) + (sources[1] > 0);
    for (size_t i = 0; i < rows.count; i++) {
        size_t row = rows.index[i], label = groups->label[row] != 0;
        double same = (double)cell[label * slots + slot(groups, groups->source[row])];
        weight[row] = (double)rows.count / (labels * (double)sources[label] * same);
    }
    itemi_free(mem, cell);
    return ITEM_OK;
}

/* A set of rows that must stay together. */
typedef struct unit {
    double size; /* its share of the photographs plus its share of the AI pictures */
    uint32_t first;
} unit;

static uint32_t find_root(uint32_t *parent, uint32_t row)
{
    while (parent[row] != row) {
        parent[row] = parent[parent[row]]; /* halve the path on the way */
        row = parent[row];
    }
    return row;
}

/* Joins rows of the same id; the lowest row is the root, whatever the order of joins. */
static void join(const itemi_groups *groups, const uint32_t *id, bool ai_alone, uint32_t *first,
                 uint32_t *parent)
{
    memset(first, 0xff, groups->count * sizeof *first);
    for (size_t row = 0; row < groups->count; row++) {
        if (id[row] == ITEMI_NO_GROUP || (ai_alone && !groups->label[row]))
            continue;
        uint32_t *seen = &first[id[row]];
        if (*seen == UINT32_MAX)
            *seen = (uint32_t)row;
        uint32_t a = find_root(parent, *seen), b = find_root(parent, (uint32_t)row);
        parent[a > b ? a : b] = a > b ? b : a;
    }
}

static int larger_first(const void *left, const void *right)
{
    const unit *a = left, *b = right;
    if (a->size != b->size)
        return a->size > b->size ? -1 : 1;
    return a->first < b->first ? -1 : 1;
}

/* Lists the units, largest first; unit_of gets the position of each root's unit. */
static size_t list_units(const itemi_groups *groups, uint32_t *parent, unit *units,
                         uint32_t *unit_of)
{
    double total[2] = {0, 0};
    size_t count = 0;
    for (size_t row = 0; row < groups->count; row++)
        total[groups->label[row] != 0] += 1;
    for (size_t row = 0; row < groups->count; row++) {
        uint32_t root = find_root(parent, (uint32_t)row);
        if (root == row) {
            units[count] = (unit){0, root};
            unit_of[root] = (uint32_t)count++;
        }
        units[unit_of[root]].size += 1 / total[groups->label[row] != 0];
    }
    qsort(units, count, sizeof *units, larger_first);
    for (size_t i = 0; i < count; i++)
        unit_of[units[i].first] = (uint32_t)i;
    return count;
}

/* The largest units first, each into the lightest fold; unit_fold by position in units. */
static size_t fill_folds(const unit *units, size_t count, size_t most, double *load,
                         uint32_t *unit_fold)
{
    size_t folds = count < most ? count : most;
    for (size_t f = 0; f < folds; f++)
        load[f] = 0;
    for (size_t i = 0; i < count; i++) {
        size_t lightest = 0;
        for (size_t f = 1; f < folds; f++)
            lightest = load[f] < load[lightest] ? f : lightest;
        load[lightest] += units[i].size;
        unit_fold[i] = (uint32_t)lightest;
    }
    return folds;
}

item_status itemi_folds(const itemi_mem *mem, const itemi_groups *groups, itemi_fold_unit unit_kind,
                        size_t most, uint32_t *fold, size_t *folds, item_error *err)
{
    size_t n = groups->count;
    *folds = 0;
    if (n == 0 || n >= ITEMI_NO_GROUP || most < 1)
        return itemi_fail(err, ITEM_E_ARGUMENT, "folds: rows and at least one fold are needed");

    uint32_t *table = itemi_alloc_array(mem, n, 4 * sizeof *table);
    unit *units = itemi_alloc_array(mem, n, sizeof *units);
    double *load = itemi_alloc_array(mem, most, sizeof *load);
    if (table && units && load) {
        uint32_t *parent = table, *first = table + n, *unit_of = first + n, *of = unit_of + n;
        for (size_t row = 0; row < n; row++)
            parent[row] = (uint32_t)row;
        join(groups, groups->scene, false, first, parent);
        if (unit_kind != ITEMI_FOLD_SCENE)
            join(groups, groups->generator, true, first, parent);
        if (unit_kind == ITEMI_FOLD_SOURCE)
            join(groups, groups->source, false, first, parent);

        size_t count = list_units(groups, parent, units, unit_of);
        *folds = fill_folds(units, count, most, load, of);
        for (size_t row = 0; row < n; row++)
            fold[row] = of[unit_of[find_root(parent, (uint32_t)row)]];
    }
    bool ok = table && units && load;
    itemi_free(mem, table);
    itemi_free(mem, units);
    itemi_free(mem, load);
    return ok ? ITEM_OK : itemi_fail_memory(err, "making folds");
}
