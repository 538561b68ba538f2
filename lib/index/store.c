/* SPDX-License-Identifier: Apache-2.0 */
/* What a scan asks of the index and writes into it. */
#include <math.h>
#include <string.h>

#include "index/write.h"

/* Names of this scan: on the disk where there are many, and gone with the connection. */
static const char lists[] =
    "CREATE TEMP TABLE IF NOT EXISTS seen (file INTEGER PRIMARY KEY);"
    "CREATE TEMP TABLE IF NOT EXISTS todo (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE,"
    "  content INTEGER NOT NULL);"
    "DELETE FROM seen; DELETE FROM todo";

static const char *const sql[ITEMI_SCAN_QUERIES] = {
    [ITEMI_SCAN_KNOWN] = "SELECT file.id, bytes, mtime, read, coalesce(content, 0),"
                         " missing = 0 AND file.error = 0 AND coalesce(fingerprint, ?2) = ?2,"
                         " coalesce(content.error, file.error)"
                         " FROM file LEFT JOIN content ON content.id = content WHERE path = ?1",
    [ITEMI_SCAN_SEEN] = "INSERT OR IGNORE INTO seen VALUES (?1)",
    [ITEMI_SCAN_TODO] = "INSERT OR IGNORE INTO todo (path, content) VALUES (?1, ?2)",
    [ITEMI_SCAN_NEXT] = "SELECT id, path, content FROM todo WHERE id > ?1 ORDER BY id LIMIT 1",
    [ITEMI_SCAN_ANSWER] =
        "SELECT id, error, message FROM content WHERE hash = ?1 AND fingerprint = ?2",
};

static item_status fail(const itemi_scan *scan, item_error *err)
{
    return itemi_database_fail(&scan->index->base, err);
}

item_status itemi_scan_prepare(itemi_scan *scan, item_error *err)
{
    const itemi_database *base = &scan->index->base;
    if (!itemi_database_run(base, lists))
        return fail(scan, err);
    for (size_t i = 0; i < ITEMI_SCAN_QUERIES; i++) {
        if (!itemi_database_prepare(base, sql[i], &scan->query[i]))
            return fail(scan, err);
    }
    return itemi_writer_open(&scan->writer, base, err);
}

void itemi_scan_finalize(itemi_scan *scan)
{
    itemi_writer_close(&scan->writer);
    for (size_t i = 0; i < ITEMI_SCAN_QUERIES; i++)
        sqlite3_finalize(scan->query[i]);
}

sqlite3_stmt *itemi_scan_reset(itemi_scan *scan, itemi_scan_query which)
{
    sqlite3_reset(scan->query[which]);
    sqlite3_clear_bindings(scan->query[which]);
    return scan->query[which];
}

item_status itemi_scan_answer(itemi_scan *scan, itemi_scanned *file, item_error *err)
{
    sqlite3_stmt *query = itemi_scan_reset(scan, ITEMI_SCAN_ANSWER);
    sqlite3_bind_blob(query, 1, file->hash, sizeof file->hash, SQLITE_STATIC);
    sqlite3_bind_text(query, 2, scan->fingerprint, -1, SQLITE_STATIC);
    const int code = sqlite3_step(query);
    if (code == SQLITE_ROW) {
        file->content = sqlite3_column_int64(query, 0);
        if (sqlite3_column_int(query, 1) != ITEM_OK)
            itemi_fail(&file->error, sqlite3_column_int(query, 1), "%s",
                       (const char *)sqlite3_column_text(query, 2));
    }
    sqlite3_reset(query); /* a statement in the middle keeps others from checkpoints */
    return code == SQLITE_ROW || code == SQLITE_DONE ? ITEM_OK : fail(scan, err);
}

/* ---- what is written ---- */

/* Phrases of the objects, a line each; NULL: no memory. */
static char *list_objects(const item_result *result)
{
    itemi_buf buf;
    itemi_buf_init(&buf, NULL);
    itemi_buf_puts(&buf, "");
    item_result_summary summary = ITEM_RESULT_SUMMARY_INIT;
    (void)item_result_get_summary(result, &summary, NULL);
    for (uint32_t i = 0; i < summary.objects; i++) {
        item_object object = ITEM_OBJECT_INIT;
        if (item_result_get_object(result, i, &object, NULL) == ITEM_OK)
            itemi_buf_printf(&buf, "%s%s", i ? "\n" : "", object.phrase);
    }
    return itemi_buf_take(&buf);
}

static uint32_t claims_of(const item_result *result)
{
    const item_provenance *said = item_result_provenance(result);
    uint32_t claims = 0;
    for (uint32_t i = 0; i < item_provenance_count(said); i++) {
        item_provenance_entry entry = ITEM_PROVENANCE_ENTRY_INIT;
        if (item_provenance_get(said, i, &entry, NULL) == ITEM_OK)
            claims |= 1u << entry.claim;
    }
    return claims;
}

/* What an answer and a failure have in common. */
static itemi_content begin_content(const itemi_scan *scan, const itemi_scanned *file)
{
    return (itemi_content){.hash = file->hash,
                           .fingerprint = scan->fingerprint,
                           .error = file->error.code,
                           .message = file->error.message,
                           .probability = NAN,
                           .taken = file->taken};
}

static item_status put_answer(const itemi_scan *scan, const itemi_scanned *file,
                              const item_result *result, item_error *err)
{
    itemi_content content = begin_content(scan, file);
    item_result_summary summary = ITEM_RESULT_SUMMARY_INIT;
    char *objects = list_objects(result);
    (void)item_result_get_summary(result, &summary, NULL);
    content.json = item_result_json(result);
    content.verdict = summary.verdict;
    content.reason = item_result_text(result, ITEM_TEXT_REASON);
    content.probability = summary.probability;
    content.width = summary.width;
    content.height = summary.height;
    content.caption = item_result_text(result, ITEM_TEXT_CAPTION);
    content.objects = objects;
    content.claims = claims_of(result);
    item_status status = content.json && objects ? itemi_write_content(&scan->writer, &content, err)
                                                 : itemi_fail_memory(err, "keeping an answer");
    itemi_free(NULL, objects);
    return status;
}

static item_status put_file(const itemi_scan *scan, const itemi_scanned *file, item_error *err)
{
    const itemi_written written = {.path = file->path,
                                   .bytes = file->bytes,
                                   .mtime = file->mtime,
                                   .read = file->read,
                                   .scan = scan->number,
                                   .hash = file->hashed ? file->hash : NULL,
                                   .error = file->error.code,
                                   .message = file->error.message};
    return itemi_write_file(&scan->writer, &written, err);
}

/* First what came of the bytes, so that the file finds it. */
static item_status put(const itemi_scan *scan, const itemi_scanned *file,
                       item_result *const *results, item_error *err)
{
    item_status status = ITEM_OK;
    const itemi_content failure = begin_content(scan, file);
    if (file->image != ITEMI_SCAN_NONE && file->error.code == ITEM_OK)
        status = put_answer(scan, file, results[file->image], err);
    else if (file->hashed && !file->content && file->original == ITEMI_SCAN_NONE &&
             itemi_fails_by_bytes(file->error.code))
        status = itemi_write_content(&scan->writer, &failure, err);
    return status == ITEM_OK ? put_file(scan, file, err) : status;
}

item_status itemi_scan_store(itemi_scan *scan, item_result *const *results, item_error *err)
{
    const itemi_database *base = &scan->index->base;
    item_status status = itemi_database_begin(base, err);
    if (status != ITEM_OK)
        return status;
    for (size_t i = 0; i < scan->count && status == ITEM_OK; i++)
        status = put(scan, &scan->files[i], results, err);
    return itemi_database_end(base, status, err);
}
