/* SPDX-License-Identifier: Apache-2.0 */
/* The last pass of a scan: names that the index has and the disk has not, and where they went. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "index/index.h"

static const char lists[] = "CREATE TEMP TABLE IF NOT EXISTS lost (file INTEGER PRIMARY KEY,"
                            "  content INTEGER NOT NULL);"
                            "CREATE TEMP TABLE IF NOT EXISTS target (file INTEGER PRIMARY KEY);"
                            "DELETE FROM lost; DELETE FROM target";
/* Rows of a folder that the walk did not meet. */
static const char unseen[] =
    "SELECT id, path, coalesce(content, 0) FROM file WHERE missing = 0 AND"
    " (path = ?1 OR (path >= ?2 AND path < ?3)) AND id NOT IN (SELECT file FROM seen)";
/* A name that this scan brought, with the same bytes, that nothing else moved to. */
static const char arrived[] =
    "SELECT id FROM file WHERE content = ?1 AND scan = ?2 AND missing = 0"
    " AND id NOT IN (SELECT file FROM target) AND id NOT IN (SELECT file FROM lost)"
    " ORDER BY path LIMIT 1";
static const char all_lost[] = "SELECT file, lost.content FROM lost JOIN file ON file.id = file"
                               " ORDER BY path";

typedef struct gone {
    itemi_scan *scan;
    sqlite3_stmt *unseen, *put, *lost, *arrived, *target, *lose, *forget;
} gone;

static item_status fail(const gone *g, item_error *err)
{
    return itemi_database_fail(&g->scan->index->base, err);
}

static item_status prepare(gone *g, item_error *err)
{
    const itemi_database *base = &g->scan->index->base;
    const struct {
        sqlite3_stmt **out;
        const char *sql;
    } all[] = {{&g->unseen, unseen},
               {&g->put, "INSERT OR IGNORE INTO lost VALUES (?1, ?2)"},
               {&g->lost, all_lost},
               {&g->arrived, arrived},
               {&g->target, "INSERT INTO target VALUES (?1)"},
               {&g->lose, "UPDATE file SET missing = 1 WHERE id = ?1"},
               {&g->forget, "DELETE FROM file WHERE id = ?1"}};
    if (!itemi_database_run(base, lists))
        return fail(g, err);
    for (size_t i = 0; i < ITEMI_COUNT(all); i++) {
        if (!itemi_database_prepare(base, all[i].sql, all[i].out))
            return fail(g, err);
    }
    return ITEM_OK;
}

static void finalize(gone *g)
{
    sqlite3_finalize(g->unseen);
    sqlite3_finalize(g->put);
    sqlite3_finalize(g->lost);
    sqlite3_finalize(g->arrived);
    sqlite3_finalize(g->target);
    sqlite3_finalize(g->lose);
    sqlite3_finalize(g->forget);
}

/*
 * Under a folder that cannot be read nothing is known to be gone. A link to nothing is, and so is a
 * name that a folder has now.
 */
static bool is_gone(const char *path)
{
    struct stat facts;
    if (stat(path, &facts) == 0)
        return !S_ISREG(facts.st_mode);
    return errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
}

static item_status apply(const gone *g, sqlite3_stmt *query, int64_t id, item_error *err)
{
    sqlite3_reset(query);
    sqlite3_bind_int64(query, 1, id);
    return sqlite3_step(query) == SQLITE_DONE ? ITEM_OK : fail(g, err);
}

/* *id: where the bytes are now, or 0. */
static item_status find_target(const gone *g, int64_t content, int64_t *id, item_error *err)
{
    *id = 0;
    sqlite3_reset(g->arrived);
    sqlite3_bind_int64(g->arrived, 1, content);
    sqlite3_bind_int64(g->arrived, 2, g->scan->number);
    const int code = sqlite3_step(g->arrived);
    if (code == SQLITE_ROW)
        *id = sqlite3_column_int64(g->arrived, 0);
    sqlite3_reset(g->arrived);
    return code == SQLITE_ROW || code == SQLITE_DONE ? ITEM_OK : fail(g, err);
}

/* What has moved, and what was no picture, is forgotten under its former name. */
static item_status settle(const gone *g, int64_t id, int64_t content, item_error *err)
{
    int64_t target = 0;
    item_status status = content ? find_target(g, content, &target, err) : ITEM_OK;
    if (status == ITEM_OK)
        status = apply(g, content && !target ? g->lose : g->forget, id, err);
    if (status == ITEM_OK && target)
        status = apply(g, g->target, target, err);
    g->scan->counts.moved += target != 0;
    g->scan->counts.missing += content && !target;
    return status;
}

static item_status settle_all(const gone *g, item_error *err)
{
    item_status status = ITEM_OK;
    int code = SQLITE_DONE;
    while (status == ITEM_OK && (code = sqlite3_step(g->lost)) == SQLITE_ROW)
        status = settle(g, sqlite3_column_int64(g->lost, 0), sqlite3_column_int64(g->lost, 1), err);
    return status == ITEM_OK && code != SQLITE_DONE ? fail(g, err) : status;
}

/* Puts the row of g->unseen on the list when its name is gone. */
static item_status list_row(const gone *g, item_error *err)
{
    char *path = itemi_strndup(NULL, sqlite3_column_blob(g->unseen, 1),
                               (size_t)sqlite3_column_bytes(g->unseen, 1));
    if (!path)
        return itemi_fail_memory(err, "scanning");
    const bool is = is_gone(path);
    itemi_free(NULL, path);
    if (!is)
        return ITEM_OK;
    sqlite3_bind_int64(g->put, 2, sqlite3_column_int64(g->unseen, 2));
    return apply(g, g->put, sqlite3_column_int64(g->unseen, 0), err);
}

static item_status list_lost(const gone *g, const char *root, item_error *err)
{
    itemi_buf from, to;
    itemi_scan_below(&from, &to, root);
    sqlite3_stmt *query = g->unseen;
    sqlite3_reset(query);
    item_status status = from.failed || to.failed ? itemi_fail_memory(err, "scanning") : ITEM_OK;
    int code = SQLITE_DONE;
    if (status == ITEM_OK) {
        sqlite3_bind_blob(query, 1, root, (int)strlen(root), SQLITE_STATIC);
        sqlite3_bind_blob(query, 2, from.data, (int)from.length, SQLITE_STATIC);
        sqlite3_bind_blob(query, 3, to.data, (int)to.length, SQLITE_STATIC);
    }
    while (status == ITEM_OK && (code = sqlite3_step(query)) == SQLITE_ROW)
        status = list_row(g, err);
    if (status == ITEM_OK && code != SQLITE_DONE)
        status = fail(g, err);
    itemi_buf_free(&from);
    itemi_buf_free(&to);
    return status;
}

static item_status settle_roots(const gone *g, item_error *err)
{
    item_status status = ITEM_OK;
    for (size_t i = 0; i < g->scan->root_count && status == ITEM_OK; i++)
        status = list_lost(g, g->scan->roots[i], err);
    return status == ITEM_OK ? settle_all(g, err) : status;
}

item_status itemi_scan_gone(itemi_scan *scan, item_error *err)
{
    const itemi_database *base = &scan->index->base;
    gone g = {.scan = scan};
    item_status status = prepare(&g, err);
    if (status == ITEM_OK)
        status = itemi_database_begin(base, err);
    if (status == ITEM_OK)
        status = settle_roots(&g, err);
    finalize(&g);
    if (status == ITEM_OK &&
        !itemi_database_run(base, "UPDATE setting SET value = value + 1 WHERE name = 'scan'"))
        status = fail(&g, err);
    return itemi_database_end(base, status, err);
}
