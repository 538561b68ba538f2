/* SPDX-License-Identifier: Apache-2.0 */
/* A test on what a head was trained on is none: such pictures and sources are found here. */
#include <stdlib.h>
#include <string.h>

#include "core/json_make.h"
#include "train/eval.h"

#define NAMES 3 /* told of many */

/* A list such as "a, b, c and 4 more" in a line of limited length. */
typedef struct name_list {
    char text[160];
    size_t count;
} name_list;

static void add_name(name_list *list, const char *name)
{
    char escaped[48];
    size_t length = strlen(list->text);
    itemi_escape(escaped, sizeof escaped, name);
    if (list->count++ < NAMES)
        itemi_format(list->text + length, sizeof list->text - length, "%s`%s`", length ? ", " : "",
                     escaped);
}

static void end_list(name_list *list)
{
    size_t length = strlen(list->text);
    if (list->count > NAMES)
        itemi_format(list->text + length, sizeof list->text - length, " and %zu more",
                     list->count - NAMES);
}

static bool any_head_knows(const itemi_contenders *all, const json_t *source)
{
    bool known = false;
    for (size_t i = 0; i < all->count; i++)
        known |= itemi_head_knows_source(all->head[i], source);
    return known;
}

/* Marks texts that are sources of the data set and were one of a head. */
static item_status find_sources(const itemi_contenders *all, itemi_overlap *o, item_error *err)
{
    const item_dataset *data = o->data;
    for (size_t i = 0; i < data->count; i++)
        o->asked[data->record[i].source] = true;
    for (size_t t = 1; t < data->texts.count; t++) { /* 0: not named, so not known */
        if (!o->asked[t])
            continue;
        json_t *name = itemi_json_text(data->texts.text[t]);
        if (!name)
            return itemi_fail_memory(err, "evaluating");
        o->known[t] = any_head_knows(all, name);
        o->sources += o->known[t];
        json_decref(name);
    }
    for (size_t i = 0; i < data->count; i++)
        o->rows += o->known[data->record[i].source];
    return ITEM_OK;
}

static name_list name_sources(const itemi_overlap *o)
{
    name_list list = {.count = 0};
    for (size_t t = 0; t < o->data->texts.count; t++) {
        if (o->known[t])
            add_name(&list, o->data->texts.text[t]);
    }
    end_list(&list);
    return list;
}

item_status itemi_overlap_make(const item_dataset *data, const itemi_contenders *all,
                               itemi_overlap *out, item_error *err)
{
    size_t texts = data->texts.count;
    *out = (itemi_overlap){.data = data,
                           .known = itemi_alloc_zero(NULL, texts, sizeof *out->known),
                           .asked = itemi_alloc_zero(NULL, texts, sizeof *out->asked)};
    if (!out->known || !out->asked)
        return itemi_fail_memory(err, "evaluating");
    return find_sources(all, out, err);
}

void itemi_overlap_free(itemi_overlap *o)
{
    itemi_free(NULL, o->known);
    itemi_free(NULL, o->asked);
    *o = (itemi_overlap){.sources = 0};
}

item_status itemi_overlap_refuse(const itemi_overlap *o, item_error *err)
{
    if (o->sources == 0)
        return ITEM_OK;
    name_list list = name_sources(o);
    return itemi_fail(err, ITEM_E_MISMATCH,
                      "evaluation: a head was trained on pictures of the same sources: %s; keep"
                      " them apart or drop them (known_sources)",
                      list.text);
}

/* ---- pictures ---- */

static item_status refuse_of(const item_dataset *data, const itemi_head *head, const char *name,
                             item_error *err)
{
    size_t found = 0, first = 0;
    for (size_t i = data->count; i-- > 0;) {
        if (itemi_record_has_picture(&data->record[i]) &&
            itemi_head_knows_picture(head, data->record[i].picture)) {
            found++;
            first = i;
        }
    }
    if (found == 0)
        return ITEM_OK;
    return itemi_fail(err, ITEM_E_MISMATCH,
                      "evaluation: %s was trained on %zu of these pictures, the first is %s", name,
                      found, data->texts.text[data->record[first].name]);
}

item_status itemi_overlap_refuse_pictures(const item_dataset *data, const itemi_contenders *all,
                                          item_error *err)
{
    item_status status = ITEM_OK;
    for (size_t i = 0; status == ITEM_OK && i < all->count; i++)
        status = refuse_of(data, all->head[i], all->name[i], err);
    return status;
}

/* ---- without known sources ---- */

item_status itemi_overlap_drop(itemi_overlap *o, item_dataset **out, item_error *err)
{
    const item_dataset *data = o->data;
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    item_status status = item_dataset_get_info(data, &info, err);
    if (status == ITEM_OK && o->rows == data->count)
        status = itemi_fail(err, ITEM_E_MISMATCH,
                            "evaluation: a head was trained on every source of the data set");
    if (status == ITEM_OK)
        status = item_dataset_new(&info, out, err);
    for (size_t i = 0; status == ITEM_OK && i < data->count; i++) {
        item_row row = ITEM_ROW_INIT;
        if (o->known[data->record[i].source])
            continue;
        status = item_dataset_get(data, i, &row, err);
        if (status == ITEM_OK)
            status = item_dataset_add(*out, &row, err);
    }
    for (size_t i = 0; status == ITEM_OK && i < data->warnings; i++) {
        if (!itemi_dataset_warn(*out, data->warning[i]))
            status = itemi_fail_memory(err, "evaluating");
    }
    o->dropped = status == ITEM_OK;
    if (status != ITEM_OK) {
        item_dataset_free(*out);
        *out = NULL;
    }
    return status;
}

/* ---- what is said of it ---- */

void itemi_overlap_mark(const itemi_overlap *o, itemi_cohort *cohort)
{
    for (size_t s = 0; s < cohort->sources && !o->dropped; s++)
        cohort->known[s] = o->known[cohort->source_text[s]];
}

static void warn_of_sources(const itemi_overlap *o, json_t **report)
{
    char line[320];
    name_list list = name_sources(o);
    itemi_format(line, sizeof line,
                 o->dropped
                     ? "Left out, as a head was trained on these sources: %s (%zu pictures)."
                     : "A head was trained on these sources, which are marked, and counted in"
                       " no sum or mean: %s (%zu pictures).",
                 list.text, o->rows);
    if (o->sources)
        itemi_report_warn(report, line);
}

/* name: as a sentence begins with it. */
static void warn_of_head(const itemi_head *head, const char *name, json_t **report)
{
    char line[400];
    const itemi_head_facts *f = itemi_head_get_facts(head);
    bool named = json_array_size(f->trained_sources) > 0;
    const char *what = !named
                           ? "does not say what it was trained on: whether it knows these pictures"
                             " or their sources"
                           : "does not remember its pictures: whether it was trained on some of"
                             " these";
    itemi_format(line, sizeof line, "%s %s is not known.", name, what);
    if (!named || f->trained_count == 0)
        itemi_report_warn(report, line);
}

static void warn_of_heads(const itemi_contenders *all, json_t **report)
{
    for (size_t i = 0; i < all->count; i++) {
        char name[200];
        itemi_escape(name, sizeof name, all->name[i]);
        warn_of_head(all->head[i], i ? name : "The head", report);
    }
}

/* "3 of 40 pictures ...", if there are any. */
static void warn_of_some(size_t some, size_t all, const char *what, json_t **report)
{
    char line[200];
    itemi_format(line, sizeof line, "%zu of %zu pictures %s", some, all, what);
    if (some)
        itemi_report_warn(report, line);
}

static int by_picture(const void *left, const void *right)
{
    const itemi_record *const *a = left, *const *b = right;
    return memcmp((*a)->picture, (*b)->picture, sizeof(*a)->picture);
}

/* Pictures that stand in the data set more than once, less one each. */
static item_status count_repeated(const item_dataset *data, size_t *repeated, item_error *err)
{
    size_t n = 0;
    const itemi_record **list = itemi_alloc_array(NULL, data->count, sizeof *list);
    if (!list)
        return itemi_fail_memory(err, "evaluating");
    for (size_t i = 0; i < data->count; i++) {
        if (itemi_record_has_picture(&data->record[i]))
            list[n++] = &data->record[i];
    }
    if (n)
        qsort(list, n, sizeof *list, by_picture);
    *repeated = 0;
    for (size_t i = 1; i < n; i++)
        *repeated += by_picture(&list[i - 1], &list[i]) == 0;
    itemi_free(NULL, list);
    return ITEM_OK;
}

static item_status warn_of_pictures(const item_dataset *data, json_t **report, item_error *err)
{
    size_t unnamed = 0, unhashed = 0, repeated = 0;
    item_status status = count_repeated(data, &repeated, err);
    for (size_t i = 0; i < data->count; i++) {
        unnamed += data->record[i].source == 0;
        unhashed += !itemi_record_has_picture(&data->record[i]);
    }
    warn_of_some(unnamed, data->count,
                 "name no source: whether a head was trained on it is not known.", report);
    warn_of_some(unhashed, data->count,
                 "have no hash: whether a head was trained on them is not known.", report);
    warn_of_some(repeated, data->count, "repeat others, and are counted again.", report);
    return status;
}

item_status itemi_overlap_warn(const itemi_overlap *o, const itemi_contenders *all, json_t **report,
                               item_error *err)
{
    warn_of_sources(o, report);
    warn_of_heads(all, report);
    return warn_of_pictures(o->data, report, err);
}
