/* SPDX-License-Identifier: Apache-2.0 */
/* The index file: its tables, opening and closing. */
#include <unistd.h>

#include "index/index.h"

/*
 * An answer belongs to bytes (`content`), and files point to it. `fingerprint` tells with what it
 * was given. `file.scan` is the scan that brought the name, so that a name that is new and one that
 * is gone are seen to be one file even if that scan was killed in between. A file without content is
 * no picture (error 0), or could not be read. Who writes content writes `words` too: a trigger may
 * not, as nothing in a schema is trusted to.
 */
static const char tables[] =
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE root (path BLOB PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE content (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE,"
    "  fingerprint TEXT NOT NULL, error INTEGER NOT NULL, message TEXT NOT NULL,"
    "  json TEXT NOT NULL, verdict INTEGER NOT NULL, reason TEXT NOT NULL, probability REAL,"
    "  width INTEGER NOT NULL, height INTEGER NOT NULL, taken INTEGER, claims INTEGER NOT NULL,"
    "  caption TEXT NOT NULL, objects TEXT NOT NULL);"
    "CREATE TABLE file (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE,"
    "  bytes INTEGER NOT NULL, mtime INTEGER NOT NULL, read INTEGER NOT NULL,"
    "  scan INTEGER NOT NULL, missing INTEGER NOT NULL, content INTEGER REFERENCES content,"
    "  error INTEGER NOT NULL, message TEXT NOT NULL);"
    "CREATE INDEX file_content ON file (content);"
    "CREATE VIRTUAL TABLE words USING fts5 (caption, objects, content = 'content',"
    "  content_rowid = 'id', tokenize = 'porter unicode61');"
    "INSERT INTO setting VALUES ('scan', 1), ('fingerprint', '');";

static const itemi_database_kind kind = {
    .what = "index",
    .cure = "delete it and scan again",
    .application = 0x69746978, /* "itix" */
    .schema = 1,
    .tables = tables,
};

static item_status open_as(const char *path, uint32_t flags, item_index *index, item_error *err)
{
    index->pid = getpid();
    index->writable = (flags & ITEM_INDEX_CREATE) != 0;
    index->path = itemi_strdup(NULL, path);
    if (!index->path)
        return itemi_fail_memory(err, "opening an index");
    return itemi_database_open(&kind, index->path, index->writable, &index->base, err);
}

item_status item_index_open(const char *path, uint32_t flags, item_index **out, item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!out)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_index_open: out is NULL");
    *out = NULL;
    if (!path || !*path)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_index_open: path is %s",
                          path ? "empty" : "NULL");
    if (flags & ~ITEM_INDEX_CREATE)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_index_open: unknown flags %#x", flags);
    item_index *index = itemi_alloc_zero(NULL, 1, sizeof *index);
    if (!index)
        return itemi_fail_memory(err, "opening an index");
    item_status status = open_as(path, flags, index, err);
    if (status == ITEM_OK)
        *out = index;
    else
        item_index_free(index);
    return status;
}

void item_index_free(item_index *index)
{
    if (!index || index->pid != getpid()) /* SQLite's handles may not even be closed in a child */
        return;
    itemi_database_close(&index->base);
    itemi_free(NULL, index->path);
    itemi_free(NULL, index);
}

item_status itemi_index_check(const item_index *index, item_error *err)
{
    if (index->pid == getpid())
        return ITEM_OK;
    return itemi_fail(
        err, ITEM_E_FORKED,
        "%s: the index was opened by the parent of this process: open it after fork()",
        index->path);
}

const char *itemi_text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}
