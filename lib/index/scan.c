/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scan: walk through the folders, read what is new or has changed, check it batch by batch, and
 * see what is gone. Each batch is written whole before the next one is begun.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "index/index.h"

void itemi_scan_trouble(const itemi_scan *scan, const char *path, const item_error *why)
{
    if (scan->options.trouble)
        scan->options.trouble(scan->options.user, path, why);
}

void itemi_scan_below(itemi_buf *from, itemi_buf *to, const char *folder)
{
    const char *slash = folder[strlen(folder) - 1] == '/' ? "" : "/";
    itemi_buf_init(from, NULL);
    itemi_buf_init(to, NULL);
    itemi_buf_printf(from, "%s%s", folder, slash);
    itemi_buf_printf(to, "%s%s", folder, slash);
    if (!to->failed)
        to->data[to->length - 1]++; /* '/' becomes '0' */
}

/* ---- a batch ---- */

static void forget_batch(itemi_scan *scan)
{
    for (size_t i = 0; i < scan->count; i++)
        itemi_free(NULL, scan->files[i].path);
    for (size_t i = 0; i < scan->image_count; i++)
        item_image_unref(scan->images[i]);
    scan->count = scan->image_count = 0;
}

/* Failures that the next picture would meet too. */
static bool ends_a_scan(int32_t code)
{
    return code == ITEM_E_NO_ENGINE || code == ITEM_E_PACK || code == ITEM_E_MISMATCH ||
           code == ITEM_E_FORKED || code == ITEM_E_CANCELLED;
}

/* Hands each picture's error to its file and to the copies of it. */
static item_status take_errors(itemi_scan *scan, item_result *const *results, item_error *err)
{
    for (size_t i = 0; i < scan->count; i++) {
        itemi_scanned *file = &scan->files[i];
        if (file->image != ITEMI_SCAN_NONE)
            (void)item_result_status(results[file->image], &file->error);
        else if (file->original != ITEMI_SCAN_NONE)
            file->error = scan->files[file->original].error;
        if (ends_a_scan(file->error.code))
            return itemi_fail_as(err, &file->error);
    }
    return ITEM_OK;
}

static item_status check(itemi_scan *scan, item_result **results, item_error *err)
{
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    options.cancel = scan->options.cancel;
    if (scan->image_count == 0)
        return ITEM_OK;
    return item_check_images(scan->ctx, scan->images, scan->image_count, &options, results, err);
}

static void count_file(itemi_scan *scan, itemi_scanned *file)
{
    item_scan_counts *counts = &scan->counts;
    scan->done++;
    if (file->error.code != ITEM_OK) {
        counts->failed++;
        if (strncmp(file->error.message, file->path, strlen(file->path)) != 0)
            itemi_error_prefix(&file->error, file->path);
        itemi_scan_trouble(scan, file->path, &file->error);
        return;
    }
    ++*(file->other                                     ? &counts->other
        : file->image != ITEMI_SCAN_NONE                ? &counts->answered
        : file->content && file->content == file->known ? &counts->unchanged
                                                        : &counts->copies);
}

static item_status flush(itemi_scan *scan, item_error *err)
{
    item_result *results[ITEMI_COUNT(scan->images)] = {NULL};
    item_status status = check(scan, results, err);
    if (status == ITEM_OK)
        status = take_errors(scan, results, err);
    if (status == ITEM_OK)
        status = itemi_scan_store(scan, results, err);
    for (size_t i = 0; i < scan->image_count; i++)
        item_result_unref(results[i]);
    for (size_t i = 0; i < scan->count && status == ITEM_OK; i++)
        count_file(scan, &scan->files[i]);
    forget_batch(scan);
    if (status == ITEM_OK && scan->options.progress)
        scan->options.progress(scan->options.user, scan->done, scan->total);
    return status;
}

/* ---- the files ---- */

/* The next name of the list; *id is the last one's. False: there is none, or it failed. */
static bool next_file(itemi_scan *scan, int64_t *id, itemi_scanned *file, item_status *status,
                      item_error *err)
{
    sqlite3_stmt *query = itemi_scan_reset(scan, ITEMI_SCAN_NEXT);
    sqlite3_bind_int64(query, 1, *id);
    const int code = sqlite3_step(query);
    if (code != SQLITE_ROW) {
        if (code != SQLITE_DONE)
            *status = itemi_database_fail(&scan->index->base, err);
        return false;
    }
    *file = (itemi_scanned){.image = ITEMI_SCAN_NONE,
                            .original = ITEMI_SCAN_NONE,
                            .taken = INT64_MIN,
                            .error = ITEM_ERROR_INIT};
    *id = sqlite3_column_int64(query, 0);
    file->known = sqlite3_column_int64(query, 2);
    file->path =
        itemi_strndup(NULL, sqlite3_column_blob(query, 1), (size_t)sqlite3_column_bytes(query, 1));
    if (!file->path)
        *status = itemi_fail_memory(err, "scanning");
    return file->path != NULL;
}

/* Adds a file to the batch; one that is gone meanwhile is left to the last pass. */
static item_status take(itemi_scan *scan, itemi_scanned *file, item_error *err)
{
    bool gone = false;
    if (itemi_cancelled(scan->options.cancel)) {
        itemi_free(NULL, file->path);
        return itemi_fail_cancelled(err);
    }
    item_status status = itemi_scan_read(scan, file, &gone, err);
    if (status == ITEM_OK && !gone) {
        scan->files[scan->count++] = *file;
        return ITEM_OK;
    }
    scan->done++;
    itemi_free(NULL, file->path);
    return status;
}

static item_status read_all(itemi_scan *scan, item_error *err)
{
    const size_t batch = scan->ctx->settings.batch;
    item_status status = ITEM_OK;
    int64_t id = 0;
    for (itemi_scanned file; status == ITEM_OK && next_file(scan, &id, &file, &status, err);) {
        status = take(scan, &file, err);
        if (status == ITEM_OK && (scan->image_count == batch || scan->count == ITEMI_SCAN_FILES))
            status = flush(scan, err);
    }
    if (status == ITEM_OK)
        status = flush(scan, err);
    forget_batch(scan);
    return status;
}

/* ---- the folders ---- */

static item_status put_root(const itemi_scan *scan, const char *path, item_error *err)
{
    sqlite3_stmt *query = NULL;
    const itemi_database *base = &scan->index->base;
    bool done = itemi_database_prepare(base, "INSERT OR IGNORE INTO root VALUES (?1)", &query) &&
                sqlite3_bind_blob(query, 1, path, (int)strlen(path), SQLITE_STATIC) == SQLITE_OK &&
                sqlite3_step(query) == SQLITE_DONE;
    item_status status = done ? ITEM_OK : itemi_database_fail(base, err);
    sqlite3_finalize(query);
    return status;
}

static item_status add_root(itemi_scan *scan, const char *name, item_error *err)
{
    char *path = realpath(name, NULL); /* from malloc, as all that a scan keeps */
    if (!path)
        return itemi_fail_errno(err, ITEM_E_IO, errno, "%s: cannot be scanned", name);
    scan->roots[scan->root_count++] = path;
    return put_root(scan, path, err);
}

static item_status add_roots(itemi_scan *scan, const char *const *folders, size_t n,
                             item_error *err)
{
    scan->roots = itemi_alloc_zero(NULL, n + 1, sizeof *scan->roots);
    item_status status = scan->roots ? ITEM_OK : itemi_fail_memory(err, "scanning");
    for (size_t i = 0; i < n && status == ITEM_OK; i++)
        status = folders[i] && *folders[i]
                     ? add_root(scan, folders[i], err)
                     : itemi_fail(err, ITEM_E_ARGUMENT, "item_index_scan: folder %zu is %s", i,
                                  folders[i] ? "empty" : "NULL");
    return status;
}

/* A folder that was scanned before and is not there now, such as a disk that is not plugged in. */
static void tell_absent(itemi_scan *scan, const char *path)
{
    item_error why = ITEM_ERROR_INIT;
    itemi_fail_errno(&why, ITEM_E_IO, errno, "%s: cannot be scanned", path);
    scan->counts.unreadable++;
    itemi_scan_trouble(scan, path, &why);
}

static item_status add_known_root(itemi_scan *scan, sqlite3_stmt *query, item_error *err)
{
    char *path = strndup(sqlite3_column_blob(query, 0), (size_t)sqlite3_column_bytes(query, 0));
    if (!path)
        return itemi_fail_memory(err, "scanning");
    if (access(path, F_OK) == 0) {
        scan->roots[scan->root_count++] = path;
    } else {
        tell_absent(scan, path);
        free(path);
    }
    return ITEM_OK;
}

static item_status add_known_roots(itemi_scan *scan, item_error *err)
{
    const itemi_database *base = &scan->index->base;
    sqlite3_stmt *query = NULL;
    int64_t count = 0;
    int code = SQLITE_ERROR;
    if (itemi_database_prepare(base, "SELECT path, count(*) OVER () FROM root ORDER BY path",
                               &query))
        code = sqlite3_step(query);
    if (code == SQLITE_ROW)
        count = sqlite3_column_int64(query, 1);
    scan->roots = itemi_alloc_zero(NULL, (size_t)count + 1, sizeof *scan->roots);
    item_status status = scan->roots ? ITEM_OK : itemi_fail_memory(err, "scanning");
    for (; status == ITEM_OK && code == SQLITE_ROW; code = sqlite3_step(query))
        status = add_known_root(scan, query, err);
    if (status == ITEM_OK && code != SQLITE_DONE)
        status = itemi_database_fail(base, err);
    sqlite3_finalize(query);
    if (status == ITEM_OK && count == 0)
        return itemi_fail(err, ITEM_E_ARGUMENT, "no folder was scanned before: name one");
    return status;
}

/* ---- the whole ---- */

/* One scan at a time: the lock goes with the process, however it ends. */
static item_status lock(const item_index *index, int *fd, item_error *err)
{
    itemi_buf name;
    itemi_buf_init(&name, NULL);
    itemi_buf_printf(&name, "%s-lock", itemi_index_file(index));
    do {
        *fd = name.failed ? -1 : open(name.data, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    } while (*fd < 0 && !name.failed && errno == EINTR);
    item_status status = ITEM_OK;
    if (name.failed)
        status = itemi_fail_memory(err, "scanning");
    else if (*fd < 0)
        status = itemi_fail_errno(err, ITEM_E_IO, errno, "%s: cannot be opened", name.data);
    else if (flock(*fd, LOCK_EX | LOCK_NB) != 0)
        status =
            itemi_fail(err, ITEM_E_IO, "%s: another scan is running on this index", index->path);
    itemi_buf_free(&name);
    return status;
}

/* Keeps with what answers are given from now on, and learns the number of this scan. */
static item_status begin(itemi_scan *scan, item_error *err)
{
    const itemi_database *base = &scan->index->base;
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_status status = itemi_fingerprint(scan->ctx, &options, scan->fingerprint, err);
    if (status != ITEM_OK)
        return status;
    sqlite3_stmt *query = NULL;
    bool done = itemi_database_prepare(
                    base, "UPDATE setting SET value = ?1 WHERE name = 'fingerprint'", &query) &&
                sqlite3_bind_text(query, 1, scan->fingerprint, -1, SQLITE_STATIC) == SQLITE_OK &&
                sqlite3_step(query) == SQLITE_DONE;
    sqlite3_finalize(query);
    query = NULL;
    done = done &&
           itemi_database_prepare(base, "SELECT value FROM setting WHERE name = 'scan'", &query) &&
           sqlite3_step(query) == SQLITE_ROW;
    scan->number = done ? sqlite3_column_int64(query, 0) : 0;
    if (!done)
        status = itemi_database_fail(base, err);
    sqlite3_finalize(query);
    return status == ITEM_OK ? itemi_scan_prepare(scan, err) : status;
}

static item_status run(itemi_scan *scan, const char *const *folders, size_t n, item_error *err)
{
    item_status status = n ? add_roots(scan, folders, n, err) : add_known_roots(scan, err);
    if (status == ITEM_OK)
        status = begin(scan, err);
    if (status == ITEM_OK)
        status = itemi_scan_walk(scan, err);
    if (status == ITEM_OK)
        status = read_all(scan, err);
    return status == ITEM_OK ? itemi_scan_gone(scan, err) : status;
}

static item_status scan_locked(itemi_scan *scan, const char *const *folders, size_t n,
                               item_error *err)
{
    int fd;
    item_status status = lock(scan->index, &fd, err);
    scan->index->base.cancel = scan->options.cancel;
    if (status == ITEM_OK)
        status = run(scan, folders, n, err);
    scan->index->base.cancel = NULL;
    if (fd >= 0)
        close(fd);
    itemi_scan_finalize(scan);
    for (size_t i = 0; i < scan->root_count; i++)
        free(scan->roots[i]);
    itemi_free(NULL, scan->roots);
    return status;
}

static item_status read_options(itemi_scan *scan, const item_scan_options *options, item_error *err)
{
    static const item_scan_options none = ITEM_SCAN_OPTIONS_INIT;
    item_scan_options *ours = &scan->options;
    item_status status = itemi_struct_in(ours, sizeof *ours, sizeof *ours,
                                         options ? options : &none, "item_scan_options", err);
    if (status == ITEM_OK && ours->flags & ~ITEM_SCAN_HASH)
        status = itemi_fail(err, ITEM_E_ARGUMENT, "item_scan_options: unknown flags %#x",
                            ours->flags & ~ITEM_SCAN_HASH);
    return status;
}

static item_status give_counts(const item_scan_counts *ours, item_scan_counts *theirs,
                               item_error *err)
{
    return itemi_struct_out(theirs, sizeof *ours, ours, sizeof *ours, "item_scan_counts", err);
}

item_status item_index_scan(item_index *index, item_ctx *ctx, const char *const *folders, size_t n,
                            const item_scan_options *options, item_scan_counts *counts,
                            item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!index || (!folders && n))
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_index_scan: %s is NULL",
                          index ? "folders" : "index");
    if (!index->writable)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "item_index_scan: the index was opened without ITEM_INDEX_CREATE");
    const item_scan_counts none = ITEM_SCAN_COUNTS_INIT;
    item_status status = itemi_index_check(index, err);
    if (status == ITEM_OK)
        status = itemi_ctx_check(ctx, err);
    if (status == ITEM_OK && counts)
        status = give_counts(&none, counts, err);
    if (status != ITEM_OK)
        return status;
    itemi_scan *scan = itemi_alloc_zero(NULL, 1, sizeof *scan);
    if (!scan)
        return itemi_fail_memory(err, "scanning");
    scan->index = index;
    scan->ctx = ctx;
    scan->counts = none;
    status = read_options(scan, options, err);
    if (status == ITEM_OK)
        status = scan_locked(scan, folders, n, err);
    if (counts)
        (void)give_counts(&scan->counts, counts, NULL);
    itemi_free(NULL, scan);
    return status;
}
