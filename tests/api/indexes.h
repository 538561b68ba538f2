/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of pictures, its index, and a context that counts what it is asked for. */
#ifndef TEST_API_INDEXES_H
#define TEST_API_INDEXES_H

#include <item/index.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "counting.h"

typedef struct world {
    char *folder, *path; /* of pictures; of the index */
    counts asked;
    item_ctx *ctx;
    item_index *index;
    size_t troubles;
    char trouble[600]; /* the last one */
} world;

static inline void make_folder(const char *path)
{
    if (mkdir(path, 0755) != 0)
        fail_msg("cannot make %s", path);
}

static inline item_index *open_index(const char *path)
{
    item_error err = ITEM_ERROR_INIT;
    item_index *index = NULL;
    assert_ok(item_index_open(path, ITEM_INDEX_CREATE, &index, &err), &err);
    return index;
}

static inline void open_counting(world *w, const char *id, const char *cache)
{
    w->asked = (counts){0};
    item_config *config = counting_config(&w->asked, id);
    if (cache)
        set_option(config, "cache", cache);
    w->ctx = open_ctx(config);
}

static inline int begin(void **state)
{
    static int number;
    char name[64];
    world *w = calloc(1, sizeof *w);
    snprintf(name, sizeof name, "pictures-%d", number);
    w->folder = temp_path(name);
    make_folder(w->folder);
    snprintf(name, sizeof name, "index-%d", number++);
    w->path = temp_path(name);
    w->index = open_index(w->path);
    open_counting(w, "1", NULL);
    *state = w;
    return 0;
}

static inline int end(void **state)
{
    world *w = *state;
    item_index_free(w->index);
    item_ctx_unref(w->ctx);
    free(w->folder);
    free(w->path);
    free(w);
    return 0;
}

static inline char *inside(const world *w, const char *name)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", w->folder, name) < 0)
        fail_msg("no memory");
    return path;
}

/* Files are as old as they are in a user's folders: one that was just written is read again. */
static inline void settle(const char *path)
{
    struct utimbuf times = {1700000000, 1700000000};
    assert_int_equal(utime(path, &times), 0);
}

static inline void put_picture(const world *w, const char *name, uint32_t seed)
{
    char *to = inside(w, name), *from = write_picture("made.png", seed, 60, 50);
    assert_int_equal(rename(from, to), 0);
    settle(to);
    free(from);
    free(to);
}

static inline void put_text(const world *w, const char *name, const char *text)
{
    char *path = inside(w, name);
    write_text(path, text);
    settle(path);
    free(path);
}

static inline void remove_file(const world *w, const char *name)
{
    char *path = inside(w, name);
    assert_int_equal(unlink(path), 0);
    free(path);
}

static inline void note(void *user, const char *path, const item_error *why)
{
    world *w = user;
    assert_non_null(path);
    w->troubles++;
    snprintf(w->trouble, sizeof w->trouble, "%s", why->message);
}

static inline item_scan_counts scan_with(world *w, uint32_t flags)
{
    item_error err = ITEM_ERROR_INIT;
    item_scan_counts met = ITEM_SCAN_COUNTS_INIT;
    item_scan_options options = ITEM_SCAN_OPTIONS_INIT;
    const char *folder = w->folder;
    options.flags = flags;
    options.trouble = note;
    options.user = w;
    w->troubles = 0;
    assert_ok(item_index_scan(w->index, w->ctx, &folder, 1, &options, &met, &err), &err);
    return met;
}

static inline item_scan_counts scan(world *w)
{
    return scan_with(w, 0);
}

/* Names below the folder, joined by blanks, that a query finds. */
static inline char *found(world *w, const item_index_query *query)
{
    item_error err = ITEM_ERROR_INIT;
    item_index_rows *rows = NULL;
    item_index_row row = ITEM_INDEX_ROW_INIT;
    char *names = calloc(1, 4096);
    assert_ok(item_index_find(w->index, query, &rows, &err), &err);
    for (;;) {
        assert_ok(item_index_next(rows, &row, &err), &err);
        if (!row.path)
            break;
        const char *name = strstr(row.path, w->folder);
        assert_non_null(name);
        snprintf(names + strlen(names), 4096 - strlen(names), "%s%s", *names ? " " : "",
                 name + strlen(w->folder) + 1);
    }
    item_index_rows_free(rows);
    return names;
}

static inline void assert_found(world *w, const item_index_query *query, const char *wanted)
{
    char *names = found(w, query);
    assert_string_equal(names, wanted);
    free(names);
}

#define INDEX_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

#endif
