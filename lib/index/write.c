/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where answers and files are written into an index. */
#include "index/write.h"

#include <math.h>
#include <string.h>

static const char *const sql[ITEMI_WRITES] = {
    [ITEMI_DROP_WORDS] = "INSERT INTO words (words, rowid, caption, objects)"
                         " SELECT 'delete', id, caption, objects FROM content WHERE hash = ?1",
    [ITEMI_PUT_WORDS] = "INSERT INTO words (rowid, caption, objects)"
                        " SELECT id, caption, objects FROM content WHERE hash = ?1",
    [ITEMI_PUT_CONTENT] =
        "INSERT INTO content (hash, fingerprint, error, message, json, verdict, reason,"
        " probability, width, height, taken, caption, objects, claims)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
        " ON CONFLICT (hash) DO UPDATE SET fingerprint = ?2, error = ?3, message = ?4, json = ?5,"
        " verdict = ?6, reason = ?7, probability = ?8, width = ?9, height = ?10, taken = ?11,"
        " caption = ?12, objects = ?13, claims = ?14",
    [ITEMI_PUT_FILE] =
        "INSERT INTO file (path, bytes, mtime, read, scan, missing, content, error, message)"
        " VALUES (?1, ?2, ?3, ?4, ?5, 0, (SELECT id FROM content WHERE hash = ?6), ?7, ?8)"
        " ON CONFLICT (path) DO UPDATE SET bytes = ?2, mtime = ?3, read = ?4, missing = 0,"
        " content = excluded.content, error = ?7, message = ?8,"
        " scan = iif(missing OR content IS NOT excluded.content, excluded.scan, scan)",
};

item_status itemi_writer_open(itemi_writer *writer, const itemi_database *base, item_error *err)
{
    *writer = (itemi_writer){.base = base};
    for (size_t i = 0; i < ITEMI_WRITES; i++) {
        if (!itemi_database_prepare(base, sql[i], &writer->query[i]))
            return itemi_database_fail(base, err);
    }
    return ITEM_OK;
}

void itemi_writer_close(itemi_writer *writer)
{
    for (size_t i = 0; i < ITEMI_WRITES; i++)
        sqlite3_finalize(writer->query[i]);
}

bool itemi_fails_by_bytes(int32_t code)
{
    return code == ITEM_E_FORMAT || code == ITEM_E_UNSUPPORTED;
}

/* ---- values: what has no memory makes the step fail, as NULL is refused where it matters ---- */

static sqlite3_stmt *reset(const itemi_writer *writer, itemi_write which)
{
    sqlite3_reset(writer->query[which]);
    sqlite3_clear_bindings(writer->query[which]);
    return writer->query[which];
}

static item_status step(const itemi_writer *writer, sqlite3_stmt *query, item_error *err)
{
    return sqlite3_step(query) == SQLITE_DONE ? ITEM_OK : itemi_database_fail(writer->base, err);
}

static void bind_text(sqlite3_stmt *query, int at, const char *text)
{
    sqlite3_bind_text(query, at, text ? text : "", -1, SQLITE_STATIC);
}

static void bind_hash(sqlite3_stmt *query, int at, const uint8_t *hash)
{
    sqlite3_bind_blob(query, at, hash, ITEMI_SHA256_BYTES, SQLITE_STATIC);
}

static item_status change_words(const itemi_writer *writer, itemi_write which, const uint8_t *hash,
                                item_error *err)
{
    sqlite3_stmt *query = reset(writer, which);
    bind_hash(query, 1, hash);
    return step(writer, query, err);
}

static item_status put_content(const itemi_writer *writer, const itemi_content *c, item_error *err)
{
    sqlite3_stmt *query = reset(writer, ITEMI_PUT_CONTENT);
    bind_hash(query, 1, c->hash);
    bind_text(query, 2, c->fingerprint);
    sqlite3_bind_int(query, 3, c->error);
    bind_text(query, 4, c->message);
    bind_text(query, 5, c->json);
    sqlite3_bind_int(query, 6, c->verdict);
    bind_text(query, 7, c->reason);
    if (!isnan(c->probability))
        sqlite3_bind_double(query, 8, c->probability);
    sqlite3_bind_int64(query, 9, c->width);
    sqlite3_bind_int64(query, 10, c->height);
    if (c->taken != INT64_MIN)
        sqlite3_bind_int64(query, 11, c->taken);
    bind_text(query, 12, c->caption);
    bind_text(query, 13, c->objects);
    sqlite3_bind_int64(query, 14, c->claims);
    return step(writer, query, err);
}

item_status itemi_write_content(const itemi_writer *writer, const itemi_content *content,
                                item_error *err)
{
    item_status status = change_words(writer, ITEMI_DROP_WORDS, content->hash, err);
    if (status == ITEM_OK)
        status = put_content(writer, content, err);
    return status == ITEM_OK ? change_words(writer, ITEMI_PUT_WORDS, content->hash, err) : status;
}

item_status itemi_write_file(const itemi_writer *writer, const itemi_written *file, item_error *err)
{
    const bool own = file->error != ITEM_OK && !itemi_fails_by_bytes(file->error);
    sqlite3_stmt *query = reset(writer, ITEMI_PUT_FILE);
    sqlite3_bind_blob(query, 1, file->path, (int)strlen(file->path), SQLITE_STATIC);
    sqlite3_bind_int64(query, 2, file->bytes);
    sqlite3_bind_int64(query, 3, file->mtime);
    sqlite3_bind_int64(query, 4, file->read);
    sqlite3_bind_int64(query, 5, file->scan);
    if (file->hash && !own)
        bind_hash(query, 6, file->hash);
    sqlite3_bind_int(query, 7, own ? file->error : ITEM_OK);
    bind_text(query, 8, own ? file->message : "");
    return step(writer, query, err);
}
