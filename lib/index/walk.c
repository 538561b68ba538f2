/* SPDX-License-Identifier: Apache-2.0 */
/* The first pass of a scan: every name below the folders, and which of them must be read. */
#include <errno.h>
#include <fts.h>
#include <string.h>

#include "index/index.h"

/* A file that was written to so shortly before it was read may have been written to again since,
   with the same time: file systems count it in steps of up to two seconds. */
#define SETTLED INT64_C(2000000000)

/* What the index has of a name. */
typedef struct known {
    bool there, holds; /* holds: need not be read again */
    int64_t id, content, error;
} known;

static void read_known(const itemi_scan *scan, sqlite3_stmt *query, const struct stat *facts,
                       known *out)
{
    const int64_t mtime = itemi_nanoseconds(facts->st_mtim);
    out->there = true;
    out->id = sqlite3_column_int64(query, 0);
    out->content = sqlite3_column_int64(query, 4);
    out->error = sqlite3_column_int64(query, 6);
    out->holds = sqlite3_column_int64(query, 1) == facts->st_size &&
                 sqlite3_column_int64(query, 2) == mtime &&
                 mtime <= sqlite3_column_int64(query, 3) - SETTLED &&
                 sqlite3_column_int64(query, 5) && !(scan->options.flags & ITEM_SCAN_HASH);
}

static item_status look_up(itemi_scan *scan, const char *path, const struct stat *facts, known *out,
                           item_error *err)
{
    *out = (known){0};
    sqlite3_stmt *query = itemi_scan_reset(scan, ITEMI_SCAN_KNOWN);
    if (sqlite3_bind_blob(query, 1, path, (int)strlen(path), SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(query, 2, scan->fingerprint, -1, SQLITE_STATIC) != SQLITE_OK)
        return itemi_database_fail(&scan->index->base, err);
    const int code = sqlite3_step(query);
    if (code == SQLITE_ROW)
        read_known(scan, query, facts, out);
    sqlite3_reset(query); /* one in the middle would keep the journal from being let go */
    return code == SQLITE_ROW || code == SQLITE_DONE ? ITEM_OK
                                                     : itemi_database_fail(&scan->index->base, err);
}

static item_status put(itemi_scan *scan, sqlite3_stmt *query, bool *added, item_error *err)
{
    if (sqlite3_step(query) != SQLITE_DONE)
        return itemi_database_fail(&scan->index->base, err);
    *added = sqlite3_changes(scan->index->base.db) > 0; /* no: under another folder that is named */
    return ITEM_OK;
}

static item_status put_seen(itemi_scan *scan, int64_t id, bool *added, item_error *err)
{
    sqlite3_stmt *query = itemi_scan_reset(scan, ITEMI_SCAN_SEEN);
    sqlite3_bind_int64(query, 1, id);
    return put(scan, query, added, err);
}

static item_status put_todo(itemi_scan *scan, const char *path, const known *k, item_error *err)
{
    bool added = false;
    sqlite3_stmt *query = itemi_scan_reset(scan, ITEMI_SCAN_TODO);
    if (sqlite3_bind_blob(query, 1, path, (int)strlen(path), SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int64(query, 2, k->content) != SQLITE_OK)
        return itemi_database_fail(&scan->index->base, err);
    item_status status = put(scan, query, &added, err);
    scan->total += status == ITEM_OK && added;
    return status;
}

static item_status see_file(itemi_scan *scan, const char *path, const struct stat *facts,
                            item_error *err)
{
    known k;
    bool added = false;
    if (itemi_scan_owns(scan, path, facts))
        return ITEM_OK;
    item_status status = look_up(scan, path, facts, &k, err);
    if (status != ITEM_OK)
        return status;
    if (!k.holds) /* not seen: it may be gone before it is read */
        return put_todo(scan, path, &k, err);
    status = put_seen(scan, k.id, &added, err);
    if (status == ITEM_OK && added)
        ++*(k.error     ? &scan->counts.failed
            : k.content ? &scan->counts.unchanged
                        : &scan->counts.other);
    return status;
}

static void tell_unreadable(itemi_scan *scan, const char *path, int system)
{
    item_error why = ITEM_ERROR_INIT;
    itemi_fail_errno(&why, ITEM_E_IO, system, "%s: the folder cannot be read", path);
    scan->counts.unreadable++;
    itemi_scan_trouble(scan, path, &why);
}

/* What a folder names and nobody may look at: told once a folder. */
static void tell_hidden(itemi_scan *scan, const FTSENT *entry, int system)
{
    FTSENT *folder = entry->fts_parent;
    if (system == ENOENT || system == ENOTDIR || system == ELOOP || folder->fts_number)
        return;
    folder->fts_number = 1;
    const size_t cut = (size_t)entry->fts_namelen + (entry->fts_level > 0);
    char *path = itemi_strndup(NULL, entry->fts_path, (size_t)entry->fts_pathlen - cut);
    tell_unreadable(scan, path ? path : entry->fts_path, system);
    itemi_free(NULL, path);
}

static item_status see_link(itemi_scan *scan, const FTSENT *entry, item_error *err)
{
    struct stat facts;
    if (stat(entry->fts_path, &facts) != 0) {
        tell_hidden(scan, entry, errno);
        return ITEM_OK;
    }
    return S_ISREG(facts.st_mode) ? see_file(scan, entry->fts_path, &facts, err) : ITEM_OK;
}

static item_status see(itemi_scan *scan, FTS *walk, FTSENT *entry, item_error *err)
{
    const bool failed = entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR;
    if (failed && entry->fts_errno == ENOMEM)
        return itemi_fail_memory(err, "walking through folders");
    if (entry->fts_level > 0 && entry->fts_name[0] == '.') {
        if (entry->fts_info == FTS_D)
            fts_set(walk, entry, FTS_SKIP);
        return ITEM_OK;
    }
    switch (entry->fts_info) {
    case FTS_F:
        return see_file(scan, entry->fts_path, entry->fts_statp, err);
    case FTS_SL: /* to a file; links to folders and to nothing are left out */
        return see_link(scan, entry, err);
    case FTS_NS:
        tell_hidden(scan, entry, entry->fts_errno);
        return ITEM_OK;
    case FTS_DNR:
    case FTS_ERR:
        tell_unreadable(scan, entry->fts_path, entry->fts_errno);
        return ITEM_OK;
    default: /* folders; what is gone meanwhile; pipes and devices */
        return ITEM_OK;
    }
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static item_status walk_all(itemi_scan *scan, FTS *walk, item_error *err)
{
    item_status status = ITEM_OK;
    errno = 0;
    for (FTSENT *entry; status == ITEM_OK && (entry = fts_read(walk)); errno = 0) {
        if (itemi_cancelled(scan->options.cancel))
            return itemi_fail_cancelled(err);
        status = see(scan, walk, entry, err);
    }
    if (status == ITEM_OK && errno)
        return itemi_fail_errno(err, ITEM_E_IO, errno, "the folders cannot be walked through");
    return status;
}

item_status itemi_scan_walk(itemi_scan *scan, item_error *err)
{
    if (scan->root_count == 0) /* none of them is there now; fts_open() wants a name */
        return ITEM_OK;
    char **names = itemi_alloc_zero(NULL, scan->root_count + 1, sizeof *names);
    if (!names)
        return itemi_fail_memory(err, "walking through folders");
    memcpy(names, scan->roots, scan->root_count * sizeof *names);
    FTS *walk = fts_open(names, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
    item_status status =
        walk ? walk_all(scan, walk, err)
             : itemi_fail_errno(err, ITEM_E_IO, errno, "the folders cannot be walked through");
    if (walk)
        fts_close(walk);
    itemi_free(NULL, names);
    return status;
}
