/* SPDX-License-Identifier: Apache-2.0 */
/* What a scan asks of the index and writes into it. */
#include <math.h>
#include <string.h>

#include "index/index.h"

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
    [ITEMI_SCAN_DROP_WORDS] = "INSERT INTO words (words, rowid, caption, objects)"
                              " SELECT 'delete', id, caption, objects FROM content WHERE hash = ?1",
    [ITEMI_SCAN_PUT_WORDS] = "INSERT INTO words (rowid, caption, objects)"
                             " SELECT id, caption, objects FROM content WHERE hash = ?1",
    [ITEMI_SCAN_PUT_CONTENT] =
        "INSERT INTO content (hash, fingerprint, error, message, json, verdict, reason,"
        " probability, width, height, taken, caption, objects, claims)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
        " ON CONFLICT (hash) DO UPDATE SET fingerprint = ?2, error = ?3, message = ?4, json = ?5,"
        " verdict = ?6, reason = ?7, probability = ?8, width = ?9, height = ?10, taken = ?11,"
        " caption = ?12, objects = ?13, claims = ?14",
    [ITEMI_SCAN_PUT_FILE] =
        "INSERT INTO file (path, bytes, mtime, read, scan, missing, content, error, message)"
        " VALUES (?1, ?2, ?3, ?4, ?5, 0, (SELECT id FROM content WHERE hash = ?6), ?7, ?8)"
        " ON CONFLICT (path) DO UPDATE SET bytes = ?2, mtime = ?3, read = ?4, missing = 0,"
        " content = excluded.content, error = ?7, message = ?8",
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
    return ITEM_OK;
}

void itemi_scan_finalize(itemi_scan *scan)
{
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

/* Failures that lie in the bytes: the same bytes fail in the same way. */
static bool is_of_bytes(int32_t code)
{
    return code == ITEM_E_FORMAT || code == ITEM_E_UNSUPPORTED;
}

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

static void bind_text(sqlite3_stmt *query, int at, const char *text)
{
    sqlite3_bind_text(query, at, text, -1, SQLITE_STATIC);
}

/* What an answer and a failure have in common. */
static sqlite3_stmt *begin_content(itemi_scan *scan, const itemi_scanned *file)
{
    sqlite3_stmt *query = itemi_scan_reset(scan, ITEMI_SCAN_PUT_CONTENT);
    sqlite3_bind_blob(query, 1, file->hash, sizeof file->hash, SQLITE_STATIC);
    bind_text(query, 2, scan->fingerprint);
    sqlite3_bind_int(query, 3, file->error.code);
    bind_text(query, 4, file->error.message);
    if (file->taken != INT64_MIN)
        sqlite3_bind_int64(query, 11, file->taken);
    return query;
}

static item_status step(const itemi_scan *scan, sqlite3_stmt *query, item_error *err)
{
    return sqlite3_step(query) == SQLITE_DONE ? ITEM_OK : fail(scan, err);
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

static item_status put_answer(itemi_scan *scan, const itemi_scanned *file,
                              const item_result *result, item_error *err)
{
    const char *json = item_result_json(result);
    char *objects = list_objects(result);
    item_result_summary summary = ITEM_RESULT_SUMMARY_INIT;
    (void)item_result_get_summary(result, &summary, NULL);
    if (!json || !objects) {
        itemi_free(NULL, objects);
        return itemi_fail_memory(err, "keeping an answer");
    }
    sqlite3_stmt *query = begin_content(scan, file);
    bind_text(query, 5, json);
    sqlite3_bind_int(query, 6, summary.verdict);
    bind_text(query, 7, item_result_text(result, ITEM_TEXT_REASON));
    if (!isnan(summary.probability))
        sqlite3_bind_double(query, 8, summary.probability);
    sqlite3_bind_int64(query, 9, summary.width);
    sqlite3_bind_int64(query, 10, summary.height);
    bind_text(query, 12, item_result_text(result, ITEM_TEXT_CAPTION));
    bind_text(query, 13, objects);
    sqlite3_bind_int64(query, 14, claims_of(result));
    item_status status = step(scan, query, err);
    itemi_free(NULL, objects);
    return status;
}

static item_status put_failure(itemi_scan *scan, const itemi_scanned *file, item_error *err)
{
    sqlite3_stmt *query = begin_content(scan, file);
    for (int at = 5; at <= 14; at++) {
        if (at == 5 || at == 7 || at == 12 || at == 13)
            bind_text(query, at, "");
        else if (at != 8 && at != 11)
            sqlite3_bind_int(query, at, 0);
    }
    return step(scan, query, err);
}

static item_status put_file(itemi_scan *scan, const itemi_scanned *file, item_error *err)
{
    const bool own = file->error.code != ITEM_OK && !is_of_bytes(file->error.code);
    sqlite3_stmt *query = itemi_scan_reset(scan, ITEMI_SCAN_PUT_FILE);
    sqlite3_bind_blob(query, 1, file->path, (int)strlen(file->path), SQLITE_STATIC);
    sqlite3_bind_int64(query, 2, file->bytes);
    sqlite3_bind_int64(query, 3, file->mtime);
    sqlite3_bind_int64(query, 4, file->read);
    sqlite3_bind_int64(query, 5, scan->number);
    if (file->hashed && !own)
        sqlite3_bind_blob(query, 6, file->hash, sizeof file->hash, SQLITE_STATIC);
    sqlite3_bind_int(query, 7, own ? file->error.code : ITEM_OK);
    bind_text(query, 8, own ? file->error.message : "");
    return step(scan, query, err);
}

static item_status change_words(itemi_scan *scan, itemi_scan_query which, const itemi_scanned *file,
                                item_error *err)
{
    sqlite3_stmt *query = itemi_scan_reset(scan, which);
    sqlite3_bind_blob(query, 1, file->hash, sizeof file->hash, SQLITE_STATIC);
    return step(scan, query, err);
}

/* What came of the bytes of a file; result NULL: its error. */
static item_status put_content(itemi_scan *scan, const itemi_scanned *file,
                               const item_result *result, item_error *err)
{
    item_status status = change_words(scan, ITEMI_SCAN_DROP_WORDS, file, err);
    if (status == ITEM_OK)
        status = result ? put_answer(scan, file, result, err) : put_failure(scan, file, err);
    return status == ITEM_OK ? change_words(scan, ITEMI_SCAN_PUT_WORDS, file, err) : status;
}

/* First what came of the bytes, so that the file finds it. */
static item_status put(itemi_scan *scan, const itemi_scanned *file, item_result *const *results,
                       item_error *err)
{
    item_status status = ITEM_OK;
    if (file->image != ITEMI_SCAN_NONE && file->error.code == ITEM_OK)
        status = put_content(scan, file, results[file->image], err);
    else if (file->hashed && !file->content && file->original == ITEMI_SCAN_NONE &&
             is_of_bytes(file->error.code))
        status = put_content(scan, file, NULL, err);
    return status == ITEM_OK ? put_file(scan, file, err) : status;
}

item_status itemi_scan_store(itemi_scan *scan, item_result *const *results, item_error *err)
{
    const itemi_database *base = &scan->index->base;
    if (!itemi_database_run(base, "BEGIN IMMEDIATE"))
        return fail(scan, err);
    item_status status = ITEM_OK;
    for (size_t i = 0; i < scan->count && status == ITEM_OK; i++)
        status = put(scan, &scan->files[i], results, err);
    if (status == ITEM_OK && !itemi_database_run(base, "COMMIT"))
        status = fail(scan, err);
    if (!sqlite3_get_autocommit(base->db)) /* SQLite may have rolled back by itself */
        itemi_database_run(base, "ROLLBACK");
    return status;
}
