/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a data set as groups: dense ids of sources, generators and scenes. */
#include <string.h>

#include "train/data.h"

/* Replaces text ids by 0, 1, ... in order of appearance; returns how many there are. */
static uint32_t densify(uint32_t *id, size_t n, uint32_t *seen, size_t texts, uint32_t none)
{
    uint32_t count = 0;
    memset(seen, 0xff, texts * sizeof *seen);
    for (size_t i = 0; i < n; i++) {
        if (id[i] == none || id[i] == ITEMI_NO_GROUP) {
            id[i] = ITEMI_NO_GROUP;
            continue;
        }
        if (seen[id[i]] == UINT32_MAX)
            seen[id[i]] = count++;
        id[i] = seen[id[i]];
    }
    return count;
}

static bool reserve(itemi_cohort *c, size_t n, size_t texts, uint32_t **seen)
{
    c->label = itemi_alloc_array(NULL, n, sizeof *c->label);
    c->source = itemi_alloc_array(NULL, n, sizeof *c->source);
    c->generator = itemi_alloc_array(NULL, n, sizeof *c->generator);
    c->scene = itemi_alloc_array(NULL, n, sizeof *c->scene);
    c->all = itemi_alloc_array(NULL, n, sizeof *c->all);
    c->source_text = itemi_alloc_array(NULL, n, sizeof *c->source_text);
    c->known = itemi_alloc_zero(NULL, n, sizeof *c->known);
    *seen = itemi_alloc_array(NULL, texts, sizeof **seen);
    return c->label && c->source && c->generator && c->scene && c->all && c->source_text &&
           c->known && *seen;
}

static void fill(const item_dataset *data, itemi_cohort *c, uint32_t *seen)
{
    uint32_t unknown = itemi_texts_find(&data->texts, "unknown");
    for (size_t i = 0; i < data->count; i++) {
        const itemi_record *r = &data->record[i];
        c->label[i] = r->label;
        c->source[i] = r->source;
        c->generator[i] = r->generator == unknown ? 0 : r->generator;
        c->scene[i] = r->scene;
        c->all[i] = (uint32_t)i;
    }
    /* A source without a name is a source too: `none` is no text there. */
    c->sources = densify(c->source, data->count, seen, data->texts.count, ITEMI_NO_GROUP);
    densify(c->generator, data->count, seen, data->texts.count, 0);
    densify(c->scene, data->count, seen, data->texts.count, 0);
    for (size_t i = 0; i < data->count; i++)
        c->source_text[c->source[i]] = data->record[i].source;
}

item_status itemi_cohort_make(const item_dataset *data, itemi_cohort *out, item_error *err)
{
    uint32_t *seen = NULL;
    *out = (itemi_cohort){.sources = 0};
    bool ok = reserve(out, data->count, data->texts.count, &seen);
    if (ok) {
        fill(data, out, seen);
        out->groups =
            (itemi_groups){data->count, out->label, out->source, out->generator, out->scene};
    } else {
        itemi_cohort_free(out);
    }
    itemi_free(NULL, seen);
    return ok ? ITEM_OK : itemi_fail_memory(err, "grouping a data set");
}

void itemi_cohort_free(itemi_cohort *cohort)
{
    itemi_free(NULL, cohort->label);
    itemi_free(NULL, cohort->source);
    itemi_free(NULL, cohort->generator);
    itemi_free(NULL, cohort->scene);
    itemi_free(NULL, cohort->all);
    itemi_free(NULL, cohort->source_text);
    itemi_free(NULL, cohort->known);
    *cohort = (itemi_cohort){.sources = 0};
}
