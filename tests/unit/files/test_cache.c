/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Caches: what was put is there, in other processes too; a kill, a full disk and damage take
 * values away, and never give a false one; files of others are left as they are.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "files/files.h"
#include "test_dir.h"

static const char *cache_path(void **state)
{
    return test_path(*state, "cache.sqlite");
}

static itemi_cache *open_cache(const char *path)
{
    itemi_cache *cache = NULL;
    item_error err = ITEM_ERROR_INIT;
    if (itemi_cache_open(NULL, path, &cache, &err) != ITEM_OK)
        fail_msg("%s", err.message);
    return cache;
}

/* Entry i: a key, and a value that is made of it. */
typedef struct sample {
    itemi_cache_entry entry;
    uint8_t value[3000];
} sample;

static void make_sample(sample *s, uint32_t i)
{
    memset(s->entry.key, 0, sizeof s->entry.key);
    memcpy(s->entry.key, &i, sizeof i);
    s->entry.size = i % 7 == 3 ? 0 : 100 + i * 37 % 2900;
    for (size_t j = 0; j < s->entry.size; j++)
        s->value[j] = (uint8_t)(i * 31 + j);
    s->entry.value = s->value;
}

static item_status put(itemi_cache *cache, uint32_t first, uint32_t n, item_error *err)
{
    sample *samples = calloc(n, sizeof *samples);
    itemi_cache_entry *entries = calloc(n, sizeof *entries);
    assert_true(samples && entries);
    for (uint32_t i = 0; i < n; i++) {
        make_sample(&samples[i], first + i);
        entries[i] = samples[i].entry;
    }
    item_status status = itemi_cache_put(cache, entries, n, NULL, err);
    free(samples);
    free(entries);
    return status;
}

/* 1: there and right; 0: not there; fails when it is wrong. -1: the cache says that it is damaged. */
static int look(itemi_cache *cache, uint32_t i)
{
    sample s;
    void *value = NULL;
    size_t size = 7;
    item_error err = ITEM_ERROR_INIT;
    make_sample(&s, i);
    item_status status = itemi_cache_get(cache, s.entry.key, NULL, &value, &size, &err);
    if (status != ITEM_OK) {
        assert_true(status == ITEM_E_FORMAT || status == ITEM_E_IO);
        assert_null(value);
        return -1;
    }
    if (!value)
        return 0;
    assert_int_equal(size, s.entry.size);
    assert_memory_equal(value, s.value, size);
    itemi_free(NULL, value);
    return 1;
}

static void refused(const char *path, item_status status, const char *why)
{
    itemi_cache *cache = NULL;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_cache_open(NULL, path, &cache, &err), status);
    assert_null(cache);
    if (!strstr(err.message, why) || !strstr(err.message, path))
        fail_msg("\"%s\" lacks \"%s\" or the file", err.message, why);
}

static void keeps_what_was_put(void **state)
{
    itemi_cache *cache = open_cache(cache_path(state)), *other = open_cache(cache_path(state));
    assert_int_equal(look(cache, 1), 0);
    assert_int_equal(put(cache, 0, 20, NULL), ITEM_OK);
    assert_int_equal(put(cache, 0, 0, NULL), ITEM_OK);
    assert_int_equal(put(other, 10, 20, NULL), ITEM_OK); /* half of them for the second time */
    for (uint32_t i = 0; i < 30; i++) {
        assert_int_equal(look(cache, i), 1);
        assert_int_equal(look(other, i), 1);
    }
    itemi_cache_close(cache);
    itemi_cache_close(other);
    itemi_cache_close(NULL);
    cache = open_cache(cache_path(state));
    assert_int_equal(look(cache, 29), 1);
    assert_int_equal(look(cache, 30), 0);
    itemi_cache_close(cache);
}

/* ---- files of others ---- */

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void hash_of(const char *path, char hex[ITEMI_SHA256_HEX])
{
    assert_int_equal(itemi_sha256_path(path, hex, NULL), ITEM_OK);
}

/* Leaves a database behind whose last change stands in its -wal file alone. */
static void write_foreign_wal(const char *path)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        sqlite3 *db = NULL;
        int bad = sqlite3_open(path, &db) != SQLITE_OK ||
                  sqlite3_exec(db,
                               "PRAGMA journal_mode = WAL; CREATE TABLE answers (x);"
                               "INSERT INTO answers VALUES (7)",
                               NULL, NULL, NULL) != SQLITE_OK;
        _exit(bad); /* without a last word */
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
}

static void leaves_files_of_others(void **state)
{
    const char *path = cache_path(state);
    char wal[512], before[ITEMI_SHA256_HEX], after[ITEMI_SHA256_HEX];
    test_puts(path, "path,label\na.jpg,real\n");
    hash_of(path, before);
    refused(path, ITEM_E_FORMAT, "is no cache of libitem");
    hash_of(path, after);
    assert_string_equal(before, after);
    unlink(path);

    run_sql(path, "CREATE TABLE answers (key BLOB PRIMARY KEY, value BLOB NOT NULL)");
    hash_of(path, before);
    refused(path, ITEM_E_FORMAT, "is no cache of libitem");
    hash_of(path, after);
    assert_string_equal(before, after);
    unlink(path);

    write_foreign_wal(path);
    snprintf(wal, sizeof wal, "%s-wal", path);
    hash_of(wal, before);
    refused(path, ITEM_E_FORMAT, "is no cache of libitem");
    hash_of(wal, after);
    assert_string_equal(before, after);
    unlink(path);
    unlink(wal);

    itemi_cache_close(open_cache(path));
    run_sql(path, "PRAGMA user_version = 2");
    refused(path, ITEM_E_UNSUPPORTED, "has format 2, this libitem has 1");
}

/* To SQLite they are no names of files, and `file:` would lead to a file that was not checked. */
static void takes_names_as_they_are(void **state)
{
    static const char *const names[] = {":memory:", "file:cache.sqlite?mode=rwc", "plain"};
    const char *foreign = cache_path(state);
    char was[512], before[ITEMI_SHA256_HEX], after[ITEMI_SHA256_HEX];
    assert_non_null(getcwd(was, sizeof was));
    run_sql(foreign, "CREATE TABLE theirs (x)");
    hash_of(foreign, before);
    assert_int_equal(chdir(*state), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        itemi_cache *cache = open_cache(names[i]);
        assert_int_equal(put(cache, 0, 3, NULL), ITEM_OK);
        itemi_cache_close(cache);
        cache = open_cache(names[i]);
        assert_int_equal(look(cache, 2), 1);
        itemi_cache_close(cache);
        assert_int_equal(unlink(names[i]), 0);
    }
    assert_int_equal(chdir(was), 0);
    hash_of(foreign, after);
    assert_string_equal(before, after);
    unlink(foreign);
}

static void refuses_what_is_no_file(void **state)
{
    const char *path = cache_path(state);
    assert_int_equal(mkdir(path, 0700), 0);
    refused(path, ITEM_E_FORMAT, "is no cache of libitem");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    refused(path, ITEM_E_FORMAT, "is no cache of libitem"); /* and does not wait */
    assert_int_equal(unlink(path), 0);
    refused(test_path(*state, "no/such/folder"), ITEM_E_IO, "cache cannot be");
    test_puts(path, ""); /* an empty file is nobody's */
    itemi_cache_close(open_cache(path));
    if (geteuid() == 0)
        return; /* root may write to all files */
    assert_int_equal(chmod(path, 0400), 0);
    refused(path, ITEM_E_IO, "cannot be");
}

/* ---- damage ---- */

static void damaged_values_are_not_there(void **state)
{
    const char *path = cache_path(state);
    itemi_cache *cache = open_cache(path);
    assert_int_equal(put(cache, 0, 5, NULL), ITEM_OK);
    itemi_cache_close(cache);
    run_sql(path, "UPDATE answers SET value = substr(value, 1, 20) || x'00' || substr(value, 22)"
                  " WHERE substr(key, 1, 1) = x'01'");
    run_sql(path, "UPDATE answers SET value = (SELECT value FROM answers"
                  " WHERE substr(key, 1, 1) = x'04') WHERE substr(key, 1, 1) = x'02'");
    run_sql(path, "UPDATE answers SET value = 'text' WHERE substr(key, 1, 1) = x'03'");
    cache = open_cache(path);
    assert_int_equal(look(cache, 0), 1);
    assert_int_equal(look(cache, 1), 0); /* a byte */
    assert_int_equal(look(cache, 2), 0); /* another's value */
    assert_int_equal(look(cache, 3), 0);
    assert_int_equal(look(cache, 4), 1);
    assert_int_equal(put(cache, 1, 3, NULL), ITEM_OK); /* and may be put again */
    assert_int_equal(look(cache, 2), 1);
    itemi_cache_close(cache);
}

static void damaged_files_tell_nothing_false(void **state)
{
    const char *path = cache_path(state);
    itemi_cache *cache = open_cache(path);
    assert_int_equal(put(cache, 0, 60, NULL), ITEM_OK);
    itemi_cache_close(cache);
    itemi_file whole;
    assert_int_equal(itemi_file_open(NULL, path, 0, false, &whole, NULL), ITEM_OK);
    size_t right = 0, gone = 0;
    for (uint32_t round = 0; round < 150; round++) {
        uint8_t *copy = malloc(whole.size);
        memcpy(copy, whole.data, whole.size);
        size_t length =
            round % 5 == 4 ? whole.size - (round * 4099u) % (whole.size / 2) : whole.size;
        for (uint32_t j = 0; j < 40; j++)
            copy[(100 + (round * 40 + j) * 2654435761u) % length] ^= (uint8_t)(1u << j % 8);
        assert_int_equal(itemi_file_write(path, copy, length, NULL), ITEM_OK);
        free(copy);
        item_error err = ITEM_ERROR_INIT;
        if (itemi_cache_open(NULL, path, &cache, &err) == ITEM_OK) {
            for (uint32_t i = 0; i < 60; i++) {
                bool there = look(cache, i) == 1; /* fails by itself where the value is false */
                right += there;
                gone += !there;
            }
            itemi_cache_close(cache);
        } else {
            assert_non_null(strstr(err.message, path));
        }
    }
    itemi_file_close(&whole);
    assert_true(right > 500 && gone > 500); /* else the test tested nothing */
}

/* ---- kills, full disks, other processes ---- */

#define GROUP 10 /* entries of a transaction */

static void write_for_ever(const char *path, uint32_t first)
{
    itemi_cache *cache = NULL;
    if (itemi_cache_open(NULL, path, &cache, NULL) != ITEM_OK)
        _exit(1);
    for (uint32_t i = first;; i += GROUP) {
        if (put(cache, i, GROUP, NULL) != ITEM_OK)
            _exit(2);
    }
}

static void survives_being_killed(void **state)
{
    const char *path = cache_path(state);
    uint32_t first = 0;
    for (uint32_t round = 0; round < 25; round++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            write_for_ever(path, first);
        usleep(500 + round * round * 137 % 20000); /* in the first rounds while it opens the file */
        assert_int_equal(kill(child, SIGKILL), 0);
        int how = 0;
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFSIGNALED(how));

        itemi_cache *cache = open_cache(path);
        while (look(cache, first) == 1) {
            for (uint32_t i = 1; i < GROUP; i++) /* a group whole, or not at all */
                assert_int_equal(look(cache, first + i), 1);
            first += GROUP;
        }
        for (uint32_t i = 0; i < GROUP; i++)
            assert_int_equal(look(cache, first + i), 0);
        itemi_cache_close(cache);
    }
    assert_true(first > 0);
}

static void full_disk_is_told(void **state)
{
    const char *path = cache_path(state);
    itemi_cache *cache = open_cache(path);
    assert_int_equal(put(cache, 0, GROUP, NULL), ITEM_OK);
    itemi_cache_close(cache);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit small = {100000, 100000};
        item_error err = ITEM_ERROR_INIT;
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &small);
        if (itemi_cache_open(NULL, path, &cache, NULL) != ITEM_OK)
            _exit(1);
        uint32_t i = GROUP;
        while (i < 5000 && put(cache, i, GROUP, &err) == ITEM_OK)
            i += GROUP;
        bool told = err.code == ITEM_E_IO && strstr(err.message, path) && i < 5000 &&
                    look(cache, i) == 0 && look(cache, 0) == 1;
        itemi_cache_close(cache);
        _exit(told ? 0 : 2);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    cache = open_cache(path);
    assert_int_equal(look(cache, 3), 1);
    assert_int_equal(put(cache, 9000, 300, NULL), ITEM_OK); /* with room it goes on */
    assert_int_equal(look(cache, 9299), 1);
    itemi_cache_close(cache);
}

static void processes_share_a_file(void **state)
{
    const char *path = cache_path(state);
    pid_t children[4];
    for (uint32_t c = 0; c < 4; c++) {
        children[c] = fork();
        assert_true(children[c] >= 0);
        if (children[c] == 0) { /* the file is not there yet: all make it at once */
            itemi_cache *cache = NULL;
            item_status status = itemi_cache_open(NULL, path, &cache, NULL);
            for (uint32_t i = 0; i < 20 && status == ITEM_OK; i++)
                status = put(cache, c * 1000 + i * GROUP, GROUP, NULL);
            itemi_cache_close(cache);
            _exit(status == ITEM_OK ? 0 : 1);
        }
    }
    for (size_t c = 0; c < 4; c++) {
        int how = 1;
        assert_int_equal(waitpid(children[c], &how, 0), children[c]);
        assert_int_equal(how, 0);
    }
    itemi_cache *cache = open_cache(path);
    for (uint32_t c = 0; c < 4; c++) {
        for (uint32_t i = 0; i < 200; i++)
            assert_int_equal(look(cache, c * 1000 + i), 1);
    }
    itemi_cache_close(cache);
}

/* A lock that another holds is waited for, and a cancelled wait ends. */
static void waiting_can_be_cancelled(void **state)
{
    const char *path = cache_path(state);
    itemi_cache *cache = open_cache(path);
    sqlite3 *db = NULL;
    item_error err = ITEM_ERROR_INIT;
    item_cancel *cancel = NULL;
    sample s;
    make_sample(&s, 1);
    assert_int_equal(item_cancel_new(&cancel, NULL), ITEM_OK);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    item_cancel_set(cancel);
    assert_int_equal(itemi_cache_put(cache, &s.entry, 1, cancel, &err), ITEM_E_CANCELLED);
    sqlite3_close(db);
    assert_int_equal(itemi_cache_put(cache, &s.entry, 1, NULL, NULL), ITEM_OK);
    itemi_cache_close(cache);
    item_cancel_unref(cancel);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, test_dir_make, test_dir_remove)
    const struct CMUnitTest tests[] = {
        TEST(keeps_what_was_put),           TEST(leaves_files_of_others),
        TEST(takes_names_as_they_are),      TEST(refuses_what_is_no_file),
        TEST(damaged_values_are_not_there), TEST(damaged_files_tell_nothing_false),
        TEST(survives_being_killed),        TEST(full_disk_is_told),
        TEST(processes_share_a_file),       TEST(waiting_can_be_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
