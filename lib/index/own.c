/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that belong to an index or a cache. To open and close one of them would give up the locks
 * that SQLite has on it in this process, and another process might take the journal away.
 */
#include <string.h>

#include "index/index.h"

/* Whether `path` is `file`, or a name that SQLite or a scan makes beside it. */
static bool is_beside(const char *path, const char *file)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal", "-lock"};
    const size_t length = file ? strlen(file) : 0;
    if (length == 0 || strncmp(path, file, length) != 0)
        return false;
    for (size_t i = 0; i < ITEMI_COUNT(ends); i++) {
        if (strcmp(path + length, ends[i]) == 0)
            return true;
    }
    return false;
}

static bool is_file(const struct stat *facts, const char *file)
{
    struct stat own;
    return file && stat(file, &own) == 0 && own.st_dev == facts->st_dev &&
           own.st_ino == facts->st_ino;
}

const char *itemi_index_file(const item_index *index)
{
    return itemi_database_file(&index->base);
}

bool itemi_index_owns(const item_index *index, const char *path, const struct stat *facts)
{
    const char *file = itemi_index_file(index);
    return is_beside(path, file) || is_file(facts, file);
}

bool itemi_scan_owns(const itemi_scan *scan, const char *path, const struct stat *facts)
{
    const char *cache = scan->ctx->cache ? itemi_cache_file(scan->ctx->cache) : NULL;
    return itemi_index_owns(scan->index, path, facts) || is_beside(path, cache) ||
           is_file(facts, cache);
}
