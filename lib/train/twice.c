/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures that are there twice: what is trained on must not be tested on, nor count twice. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "train/extract.h"

#define NOTICES_MAX 20 /* lines of one kind; the last tells how many more there are */

/* A picture, and what makes it the same as another: its size comes first, the hash then. */
typedef struct picture {
    const itemi_manifest_row *row;
    bool chosen; /* it is one of the split */
    uint64_t bytes;
    char hash[ITEMI_SHA256_HEX];
} picture;

static int by_bytes(const void *a, const void *b)
{
    const picture *x = a, *y = b;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* Among equals the order of the rows, so that the lines have one. */
static int by_hash(const void *a, const void *b)
{
    const picture *x = a, *y = b;
    int order = strcmp(x->hash, y->hash);
    return order ? order : strcmp(x->row->path, y->row->path);
}

static item_status refuse(const char *manifest, const picture *a, const picture *b, item_error *err)
{
    const itemi_manifest_row *x = a->row, *y = b->row;
    if (strcmp(x->label, y->label) != 0)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: %s (%s) and %s (%s) are the same picture",
                          manifest, x->path, x->label, y->path, y->label);
    return itemi_fail(err, ITEM_E_FORMAT,
                      "%s: %s (split %s) and %s (split %s) are the same picture", manifest, x->path,
                      x->split, y->path, y->split);
}

/* A split that is not told may be any. */
static bool contradict(const itemi_manifest_row *a, const itemi_manifest_row *b)
{
    return strcmp(a->label, b->label) != 0 ||
           (*a->split && *b->split && strcmp(a->split, b->split) != 0);
}

static item_status notice(item_dataset *data, size_t number, const char *line, item_error *err)
{
    if (number < NOTICES_MAX && !itemi_dataset_notify(data, line))
        return itemi_fail_memory(err, "extracting features");
    return ITEM_OK;
}

/*
 * Neighbours of one hash; those of other splits count only beside a chosen one. tell: two that may
 * stay are noted.
 */
static item_status compare(itemi_extraction *x, const char *manifest, const picture *all, size_t n,
                           bool tell, item_error *err)
{
    size_t twice = 0;
    char line[ITEM_ERROR_MESSAGE_SIZE];
    for (size_t i = 1, first = 0; i < n; i++) {
        const picture *a = &all[first], *b = &all[i];
        if (strcmp(a->hash, b->hash) != 0 || !*b->hash) {
            first = i;
            continue;
        }
        for (size_t j = first; j < i; j++) {
            if ((all[j].chosen || b->chosen) && contradict(all[j].row, b->row))
                return refuse(manifest, &all[j], b, err);
        }
        if (!tell)
            continue;
        itemi_format(line, sizeof line, "%s and %s are the same picture", a->row->path,
                     b->row->path);
        item_status status = notice(x->data, twice++, line, err);
        if (status != ITEM_OK)
            return status;
    }
    if (twice <= NOTICES_MAX)
        return ITEM_OK;
    itemi_format(line, sizeof line, "%zu more pictures are there twice", twice - NOTICES_MAX);
    return notice(x->data, 0, line, err);
}

/* Only files of the same size can be the same: few of them are read. */
static item_status hash_files(picture *all, size_t n, const item_cancel *cancel, item_error *err)
{
    qsort(all, n, sizeof *all, by_bytes);
    for (size_t i = 0; i < n; i++) {
        bool alone = (i == 0 || all[i - 1].bytes != all[i].bytes) &&
                     (i + 1 == n || all[i + 1].bytes != all[i].bytes);
        if (alone)
            continue;
        if (itemi_cancelled(cancel))
            return itemi_fail_cancelled(err);
        item_error why = ITEM_ERROR_INIT; /* what cannot be read is told when its turn comes */
        if (itemi_sha256_path(all[i].row->path, all[i].hash, &why) == ITEM_E_MEMORY)
            return itemi_fail_as(err, &why);
    }
    return ITEM_OK;
}

/* ---- sources in several splits ---- */

static int by_source(const void *a, const void *b)
{
    const itemi_manifest_row *const *x = a, *const *y = b;
    int order = strcmp((*x)->source, (*y)->source);
    return order ? order : strcmp((*x)->split, (*y)->split);
}

static item_status check_sources(itemi_extraction *x, item_error *err)
{
    const size_t n = x->manifest.count;
    size_t shared = 0;
    const itemi_manifest_row **rows = itemi_alloc_array(NULL, n, sizeof(itemi_manifest_row *));
    if (!rows)
        return itemi_fail_memory(err, "extracting features");
    for (size_t i = 0; i < n; i++)
        rows[i] = &x->manifest.rows[i];
    qsort(rows, n, sizeof(itemi_manifest_row *), by_source);
    item_status status = ITEM_OK;
    const char *told = "", *split = x->options->split;
    for (size_t i = 1; i < n && status == ITEM_OK; i++) {
        const itemi_manifest_row *a = rows[i - 1], *b = rows[i];
        char line[ITEM_ERROR_MESSAGE_SIZE];
        if (!*b->source || strcmp(a->source, b->source) != 0 || !*a->split ||
            strcmp(a->split, b->split) == 0 || strcmp(told, b->source) == 0 ||
            (split && strcmp(a->split, split) != 0 && strcmp(b->split, split) != 0))
            continue;
        told = b->source;
        itemi_format(line, sizeof line, "source %.200s is in the splits %.60s and %.60s", b->source,
                     a->split, b->split);
        status = notice(x->data, shared++, line, err);
    }
    itemi_free(NULL, rows);
    return status;
}

uint64_t itemi_file_bytes(const char *path)
{
    struct stat facts;
    bool file = stat(path, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size > 0;
    return file ? (uint64_t)facts.st_size : 0;
}

/* The files that are there, *n of them: a list may name a million that are not. */
static picture *list_files(const itemi_extraction *x, size_t *n)
{
    size_t room = 1; /* never nothing */
    for (size_t i = 0; i < x->manifest.count; i++)
        room += itemi_file_bytes(x->manifest.rows[i].path) > 0;
    picture *all = itemi_alloc_zero(NULL, room, sizeof *all);
    *n = 0;
    for (size_t i = 0; all && i < x->manifest.count && *n < room; i++) {
        const uint64_t bytes = itemi_file_bytes(x->manifest.rows[i].path);
        if (bytes)
            all[(*n)++] = (picture){&x->manifest.rows[i], i < x->rows, bytes, ""};
    }
    return all;
}

item_status itemi_check_manifest(itemi_extraction *x, const char *manifest, item_error *err)
{
    size_t n;
    picture *all = list_files(x, &n);
    if (!all)
        return itemi_fail_memory(err, "extracting features");
    item_status status = hash_files(all, n, x->options->cancel, err);
    if (status == ITEM_OK) {
        qsort(all, n, sizeof *all, by_hash);
        status = compare(x, manifest, all, n, false, err);
    }
    itemi_free(NULL, all);
    return status == ITEM_OK ? check_sources(x, err) : status;
}

/* ---- pixels ---- */

item_status itemi_check_pictures(itemi_extraction *x, const char *manifest, item_error *err)
{
    const size_t n = x->data->count;
    picture *all = itemi_alloc_zero(NULL, n, sizeof *all);
    if (!all)
        return itemi_fail_memory(err, "extracting features");
    for (size_t i = 0; i < n; i++) {
        all[i].row = x->from[i];
        all[i].chosen = true;
        for (size_t j = 0; itemi_record_has_picture(&x->data->record[i]) && j < ITEM_PICTURE_HASH;
             j++)
            snprintf(all[i].hash + 2 * j, 3, "%02x", x->data->record[i].picture[j]);
    }
    qsort(all, n, sizeof *all, by_hash);
    item_status status = compare(x, manifest, all, n, true, err);
    itemi_free(NULL, all);
    return status;
}
