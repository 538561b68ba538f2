/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Indexes of folders: what has not changed is not checked again, copies are answered once, what is
 * moved, deleted, broken or unreadable is noticed.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "indexes.h"

/* ---- scans ---- */

static void what_has_not_changed_is_not_checked_again(void **state)
{
    world *w = *state;
    put_picture(w, "a.png", 1);
    put_picture(w, "b.png", 2);
    item_scan_counts first = scan(w);
    assert_int_equal(first.answered, 2);
    assert_int_equal(w->asked.captions, 2);
    item_scan_counts second = scan(w);
    assert_int_equal(second.unchanged, 2);
    assert_int_equal(second.answered, 0);
    item_scan_counts third = scan_with(w, ITEM_SCAN_HASH);
    assert_int_equal(third.unchanged, 2);
    assert_int_equal(w->asked.captions, 2);
    assert_found(w, NULL, "a.png b.png");
}

static void new_time_with_the_same_bytes_is_no_change(void **state)
{
    world *w = *state;
    put_picture(w, "a.png", 1);
    scan(w);
    char *path = inside(w, "a.png");
    struct utimbuf times = {1600000000, 1600000000};
    utime(path, &times);
    free(path);
    assert_int_equal(scan(w).unchanged, 1);
    assert_int_equal(w->asked.captions, 1);
}

static void other_bytes_are_checked(void **state)
{
    world *w = *state;
    put_picture(w, "a.png", 1);
    scan(w);
    put_picture(w, "a.png", 2); /* of the same size and, by settle(), the same time */
    assert_int_equal(scan(w).unchanged, 1);
    assert_int_equal(scan_with(w, ITEM_SCAN_HASH).answered, 1);
    assert_int_equal(w->asked.captions, 2);
}

static void copies_are_answered_once(void **state)
{
    world *w = *state;
    put_picture(w, "a.png", 1);
    put_picture(w, "copy.png", 1);
    item_scan_counts met = scan(w);
    assert_int_equal(met.answered, 1);
    assert_int_equal(met.copies, 1);
    put_picture(w, "later.png", 1);
    met = scan(w);
    assert_int_equal(met.copies, 1);
    assert_int_equal(met.unchanged, 2);
    assert_int_equal(w->asked.captions, 1);
    assert_found(w, NULL, "a.png copy.png later.png");
}

static void moved_and_deleted_files_are_noticed(void **state)
{
    world *w = *state;
    put_picture(w, "a.png", 1);
    put_picture(w, "b.png", 2);
    scan(w);
    char *from = inside(w, "a.png"), *to = inside(w, "z.png");
    rename(from, to);
    remove_file(w, "b.png");
    item_scan_counts met = scan(w);
    assert_int_equal(met.moved, 1);
    assert_int_equal(met.missing, 1);
    assert_int_equal(w->asked.captions, 2);
    assert_found(w, NULL, "z.png");
    item_index_query query = ITEM_INDEX_QUERY_INIT;
    query.states = ITEM_STATE_MISSING;
    assert_found(w, &query, "b.png");
    put_picture(w, "b.png", 2); /* it is back */
    assert_int_equal(scan(w).missing, 0);
    assert_found(w, NULL, "b.png z.png");
    assert_int_equal(w->asked.captions, 2);
    free(from);
    free(to);
}

static void a_folder_that_cannot_be_read_loses_nothing(void **state)
{
    world *w = *state;
    if (geteuid() == 0)
        skip(); /* root reads everything */
    char *below = inside(w, "below");
    make_folder(below);
    put_picture(w, "below/a.png", 1);
    scan(w);
    chmod(below, 0);
    item_scan_counts met = scan(w);
    chmod(below, 0755);
    assert_int_equal(met.unreadable, 1);
    assert_int_equal(met.missing, 0);
    assert_non_null(strstr(w->trouble, "below"));
    assert_found(w, NULL, "below/a.png");
    free(below);
}

static void broken_pictures_fail_and_other_files_do_not(void **state)
{
    world *w = *state;
    put_picture(w, "a.png", 1);
    put_text(w, "broken.jpg", "no picture");
    put_text(w, "copy.jpg", "no picture");
    put_text(w, "notes.txt", "no picture either");
    put_text(w, ".hidden.jpg", "nobody looks");
    item_scan_counts met = scan(w);
    assert_int_equal(met.answered, 1);
    assert_int_equal(met.failed, 2);
    assert_int_equal(met.other, 1);
    assert_int_equal(w->troubles, 2);
    assert_non_null(strstr(w->trouble, "copy.jpg: not a picture"));
    met = scan(w);
    assert_int_equal(met.failed, 2); /* known, so not told again */
    assert_int_equal(met.other, 1);
    assert_int_equal(w->troubles, 0);
    item_index_query query = ITEM_INDEX_QUERY_INIT;
    query.states = ITEM_STATE_FAILED;
    assert_found(w, &query, "broken.jpg copy.jpg");
}

typedef struct restless {
    char *path;
    atomic_bool over;
} restless;

/* Somebody who writes a file all the time: its time is another one at each look. */
static void *write_all_the_time(void *user)
{
    restless *r = user;
    for (long i = 0; !atomic_load(&r->over); i++) {
        const struct timespec times[2] = {{.tv_sec = 1700000000 + i}, {.tv_sec = 1700000000 + i}};
        utimensat(AT_FDCWD, r->path, times, 0);
    }
    return NULL;
}

static void a_file_that_changes_while_it_is_read_is_read_later(void **state)
{
    world *w = *state;
    put_picture(w, "a.png", 1);
    restless r = {.path = inside(w, "a.png")};
    assert_int_equal(truncate(r.path, 64 << 20), 0); /* zeros behind the picture: reading lasts */
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, write_all_the_time, &r), 0);
    item_scan_counts met = scan(w);
    atomic_store(&r.over, true);
    pthread_join(writer, NULL);
    assert_int_equal(met.failed, 1);
    assert_non_null(strstr(w->trouble, "a.png: changes while it is read"));
    met = scan(w);
    assert_int_equal(met.answered, 1);
    free(r.path);
}

static void pictures_are_known_by_their_bytes(void **state)
{
    world *w = *state;
    put_picture(w, "without-ending", 1);
    assert_int_equal(scan(w).answered, 1);
}

/* To look into its own file would give up SQLite's locks on it. */
static void the_index_itself_is_not_looked_at(void **state)
{
    world *w = *state;
    char *path = inside(w, "index"), *cache = inside(w, "stages");
    item_index_free(w->index);
    item_ctx_unref(w->ctx);
    open_counting(w, "1", cache);
    w->index = open_index(path);
    put_picture(w, "a.png", 1);
    scan(w);
    item_scan_counts met = scan(w); /* every file beside is there by now */
    assert_int_equal(met.unchanged, 1);
    assert_int_equal(met.other, 0);
    free(path);
    free(cache);
}

static void a_folder_that_moved_behind_a_link_is_followed(void **state)
{
    world *w = *state;
    item_error err = ITEM_ERROR_INIT;
    item_scan_counts met = ITEM_SCAN_COUNTS_INIT;
    char *moved = temp_path("moved-away");
    put_picture(w, "a.png", 1);
    scan(w);
    assert_int_equal(rename(w->folder, moved), 0);
    assert_int_equal(symlink(moved, w->folder), 0);
    put_picture(w, "b.png", 2);
    assert_ok(item_index_scan(w->index, w->ctx, NULL, 0, NULL, &met, &err), &err);
    assert_int_equal(met.answered, 1);
    assert_int_equal(met.unchanged, 1);
    free(moved);
}

static void what_is_no_file_any_more_is_missing(void **state)
{
    world *w = *state;
    put_picture(w, "a.png", 1);
    put_picture(w, "b.png", 2);
    char *link = inside(w, "link.png"), *folder = inside(w, "b.png");
    assert_int_equal(symlink("a.png", link), 0);
    scan(w);
    remove_file(w, "a.png"); /* the link leads nowhere now */
    remove_file(w, "b.png");
    make_folder(folder);
    assert_int_equal(scan(w).missing, 3);
    free(link);
    free(folder);
}

static void a_picture_may_move_over_another_one(void **state)
{
    world *w = *state;
    put_picture(w, "a.png", 1);
    put_picture(w, "b.png", 2);
    scan(w);
    char *a = inside(w, "a.png"), *b = inside(w, "b.png");
    assert_int_equal(rename(a, b), 0);
    struct utimbuf later = {1700000001, 1700000001};
    assert_int_equal(utime(b, &later), 0);
    item_scan_counts met = scan(w);
    assert_int_equal(met.moved, 1);
    assert_int_equal(met.missing, 0);
    assert_found(w, NULL, "b.png");
    free(a);
    free(b);
}

static void times_beyond_all_bounds_are_none(void **state)
{
    world *w = *state;
    put_picture(w, "a.png", 1);
    char *path = inside(w, "a.png");
    const struct timespec times[2] = {{.tv_sec = 10413792000}, {.tv_sec = 10413792000}}; /* 2300 */
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(scan(w).answered, 1);
    free(path);
}

static void links_make_no_loops(void **state)
{
    world *w = *state;
    put_picture(w, "a.png", 1);
    char *loop = inside(w, "loop"), *link = inside(w, "link.png"), *lost = inside(w, "lost.png");
    assert_int_equal(symlink(".", loop), 0);
    assert_int_equal(symlink("a.png", link), 0);
    assert_int_equal(symlink("nowhere.png", lost), 0);
    item_scan_counts met = scan(w);
    assert_int_equal(met.answered, 1);
    assert_int_equal(met.copies, 1);
    assert_int_equal(met.failed, 0);
    free(loop);
    free(link);
    free(lost);
}

static void other_settings_make_answers_stale(void **state)
{
    world *w = *state;
    put_picture(w, "a.png", 1);
    put_text(w, "broken.jpg", "no picture");
    scan(w);
    item_ctx_unref(w->ctx);
    open_counting(w, "2", NULL);
    item_scan_counts met = scan(w);
    assert_int_equal(met.answered, 1);
    assert_int_equal(met.failed, 1);
    assert_int_equal(w->troubles, 1);
    assert_int_equal(w->asked.captions, 1);
    assert_int_equal(scan(w).unchanged, 1);
}

/* The captioner is another one, the vectors of the picture are not. */
static void only_stages_that_changed_are_computed(void **state)
{
    world *w = *state;
    char *cache = temp_path("stages");
    put_picture(w, "a.png", 1);
    item_ctx_unref(w->ctx);
    open_counting(w, "1", cache);
    scan(w);
    assert_int_equal(w->asked.captions, 1);
    assert_true(w->asked.crops > 0);
    item_ctx_unref(w->ctx);
    open_counting(w, "2", cache);
    assert_int_equal(scan(w).answered, 1);
    assert_int_equal(w->asked.captions, 1);
    assert_int_equal(w->asked.crops, 0);
    free(cache);
}

static void many_pictures_need_many_batches(void **state)
{
    world *w = *state;
    char name[32];
    for (uint32_t i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "%02u.png", i);
        put_picture(w, name, i % 20); /* each has a copy */
    }
    item_scan_counts met = scan(w);
    assert_int_equal(met.answered, 20);
    assert_int_equal(met.copies, 20);
    assert_int_equal(w->asked.captions, 20);
}

/* Whether the whole journal can be brought into the file: not while somebody reads an old state. */
static void look_at_journal(void *user, uint64_t done, uint64_t total)
{
    const world *w = user;
    (void)done;
    (void)total;
    sqlite3 *base = NULL;
    sqlite3_stmt *query = NULL;
    assert_int_equal(sqlite3_open(w->path, &base), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(base, "PRAGMA wal_checkpoint(TRUNCATE)", -1, &query, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(query, 0), 0); /* 1: a reader is in the way */
    sqlite3_finalize(query);
    sqlite3_close(base);
}

static void a_long_scan_lets_its_journal_go(void **state)
{
    world *w = *state;
    item_error err = ITEM_ERROR_INIT;
    item_scan_options options = ITEM_SCAN_OPTIONS_INIT;
    const char *folder = w->folder;
    put_picture(w, "a.png", 1);
    scan(w);
    put_picture(w, "0.png", 2); /* the last name that is looked up is a known one */
    options.progress = look_at_journal;
    options.user = w;
    assert_ok(item_index_scan(w->index, w->ctx, &folder, 1, &options, NULL, &err), &err);
}

static void a_scan_that_was_cancelled_is_gone_on_with(void **state)
{
    world *w = *state;
    char name[32];
    item_error err = ITEM_ERROR_INIT;
    for (uint32_t i = 0; i < 24; i++) {
        snprintf(name, sizeof name, "%02u.png", i);
        put_picture(w, name, i);
    }
    item_scan_options options = ITEM_SCAN_OPTIONS_INIT;
    item_scan_counts met = ITEM_SCAN_COUNTS_INIT;
    const char *folder = w->folder;
    assert_ok(item_cancel_new(&options.cancel, &err), &err);
    w->asked.cancel = options.cancel; /* in the first batch */
    assert_error(item_index_scan(w->index, w->ctx, &folder, 1, &options, &met, &err),
                 ITEM_E_CANCELLED, &err, NULL);
    assert_int_equal(met.answered, 0);
    w->asked.cancel = NULL;
    met = scan(w);
    assert_int_equal(met.answered + met.unchanged, 24);
    item_cancel_unref(options.cancel);
}

static void known_folders_are_scanned_without_a_name(void **state)
{
    world *w = *state;
    item_error err = ITEM_ERROR_INIT;
    item_scan_counts met = ITEM_SCAN_COUNTS_INIT;
    assert_error(item_index_scan(w->index, w->ctx, NULL, 0, NULL, &met, &err), ITEM_E_ARGUMENT,
                 &err, "no folder was scanned before");
    put_picture(w, "a.png", 1);
    scan(w);
    put_picture(w, "b.png", 2);
    reset(&err);
    assert_ok(item_index_scan(w->index, w->ctx, NULL, 0, NULL, &met, &err), &err);
    assert_int_equal(met.answered, 1);
    assert_int_equal(met.unchanged, 1);
}

static void only_one_scan_works_at_a_time(void **state)
{
    world *w = *state;
    item_error err = ITEM_ERROR_INIT;
    char *lock = NULL;
    if (asprintf(&lock, "flock -n %s-lock sleep 5 & sleep 0.3", w->path) < 0)
        fail_msg("no memory");
    assert_int_equal(system(lock), 0);
    const char *folder = w->folder;
    assert_error(item_index_scan(w->index, w->ctx, &folder, 1, NULL, NULL, &err), ITEM_E_IO, &err,
                 "another scan is running");
    free(lock);
}

/* ---- files that are none ---- */

static void foreign_files_are_left_alone(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    item_index *index = NULL;
    char *path = temp_path("foreign");
    write_text(path, "these are my notes");
    assert_error(item_index_open(path, ITEM_INDEX_CREATE, &index, &err), ITEM_E_FORMAT, &err,
                 "is no index of libitem");
    char *text = read_text(path);
    assert_string_equal(text, "these are my notes");
    reset(&err);
    assert_error(item_index_open("/no/such/index", 0, &index, &err), ITEM_E_IO, &err,
                 "the index cannot be opened");
    reset(&err);
    assert_error(item_index_open(temp_folder(), ITEM_INDEX_CREATE, &index, &err), ITEM_E_FORMAT,
                 &err, "is no index");
    free(text);
    free(path);
}

static void a_cache_is_no_index(void **state)
{
    world *w = *state;
    item_error err = ITEM_ERROR_INIT;
    item_index *index = NULL;
    char *cache = temp_path("a-cache");
    item_ctx_unref(w->ctx);
    open_counting(w, "1", cache);
    put_picture(w, "a.png", 1);
    scan(w);
    assert_error(item_index_open(cache, ITEM_INDEX_CREATE, &index, &err), ITEM_E_FORMAT, &err,
                 "is no index of libitem");
    free(cache);
}

/* Format 2 is what a later libitem would write: PRAGMA user_version stands at byte 60. */
static void another_format_is_refused(void **state)
{
    world *w = *state;
    item_error err = ITEM_ERROR_INIT;
    item_index_free(w->index);
    w->index = NULL;
    FILE *file = fopen(w->path, "r+b");
    assert_non_null(file);
    fseek(file, 63, SEEK_SET);
    fputc(2, file);
    fclose(file);
    assert_error(item_index_open(w->path, ITEM_INDEX_CREATE, &w->index, &err), ITEM_E_UNSUPPORTED,
                 &err, "the index has format 2, this libitem has 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        INDEX_TEST(what_has_not_changed_is_not_checked_again),
        INDEX_TEST(new_time_with_the_same_bytes_is_no_change),
        INDEX_TEST(other_bytes_are_checked),
        INDEX_TEST(copies_are_answered_once),
        INDEX_TEST(moved_and_deleted_files_are_noticed),
        INDEX_TEST(a_folder_that_cannot_be_read_loses_nothing),
        INDEX_TEST(broken_pictures_fail_and_other_files_do_not),
        INDEX_TEST(a_file_that_changes_while_it_is_read_is_read_later),
        INDEX_TEST(pictures_are_known_by_their_bytes),
        INDEX_TEST(the_index_itself_is_not_looked_at),
        INDEX_TEST(a_folder_that_moved_behind_a_link_is_followed),
        INDEX_TEST(what_is_no_file_any_more_is_missing),
        INDEX_TEST(a_picture_may_move_over_another_one),
        INDEX_TEST(times_beyond_all_bounds_are_none),
        INDEX_TEST(links_make_no_loops),
        INDEX_TEST(other_settings_make_answers_stale),
        INDEX_TEST(only_stages_that_changed_are_computed),
        INDEX_TEST(many_pictures_need_many_batches),
        INDEX_TEST(a_long_scan_lets_its_journal_go),
        INDEX_TEST(a_scan_that_was_cancelled_is_gone_on_with),
        INDEX_TEST(known_folders_are_scanned_without_a_name),
        INDEX_TEST(only_one_scan_works_at_a_time),
        cmocka_unit_test(foreign_files_are_left_alone),
        INDEX_TEST(a_cache_is_no_index),
        INDEX_TEST(another_format_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
