/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of keys and values, by SQLite: what was computed once, for another run. A sum beside each
 * value tells what was damaged.
 */
#include "files/database.h"
#include "files/files_private.h"

#define SUM        16 /* bytes that stand behind each value */
#define VALUE_MOST (64 << 20)

struct itemi_cache {
    itemi_mem mem;
    char *path;
    itemi_database base;
    sqlite3_stmt *get, *put;
};

static const itemi_database_kind kind = {
    .what = "cache",
    .cure = "delete it",
    .application = 0x6974656d, /* "item" */
    .schema = 1,
    .tables = "CREATE TABLE answers (key BLOB PRIMARY KEY, value BLOB NOT NULL)",
};

static item_status connect(itemi_cache *cache, item_error *err)
{
    item_status status = itemi_database_open(&kind, cache->path, true, &cache->base, err);
    if (status != ITEM_OK)
        return status;
    bool ready = itemi_database_prepare(&cache->base, "SELECT value FROM answers WHERE key = ?1",
                                        &cache->get) &&
                 itemi_database_prepare(
                     &cache->base, "INSERT OR REPLACE INTO answers VALUES (?1, ?2)", &cache->put);
    return ready ? ITEM_OK : itemi_database_fail(&cache->base, err);
}

item_status itemi_cache_open(const itemi_mem *mem, const char *path, itemi_cache **out,
                             item_error *err)
{
    *out = NULL;
    itemi_cache *cache = itemi_alloc_zero(mem, 1, sizeof *cache);
    if (!cache)
        return itemi_fail_memory(err, "opening a cache");
    if (mem)
        cache->mem = *mem;
    cache->path = itemi_strdup(mem, path);
    item_status status =
        cache->path ? connect(cache, err) : itemi_fail_memory(err, "opening a cache");
    if (status == ITEM_OK)
        *out = cache;
    else
        itemi_cache_close(cache);
    return status;
}

const char *itemi_cache_file(const itemi_cache *cache)
{
    return itemi_database_file(&cache->base);
}

void itemi_cache_close(itemi_cache *cache)
{
    if (!cache)
        return;
    itemi_mem mem = cache->mem;
    sqlite3_finalize(cache->get);
    sqlite3_finalize(cache->put);
    itemi_database_close(&cache->base);
    itemi_free(&mem, cache->path);
    itemi_free(&mem, cache);
}

/* ---- values ---- */

/* Over key and value, so that a value under another's key is told too. */
static bool sum_of(const uint8_t *key, const void *value, size_t size, uint8_t out[SUM])
{
    uint8_t hash[ITEMI_SHA256_BYTES];
    itemi_sha256 *sha = itemi_sha256_new();
    itemi_sha256_add(sha, key, ITEMI_CACHE_KEY);
    itemi_sha256_add(sha, value, size);
    if (!itemi_sha256_bytes(sha, hash))
        return false;
    memcpy(out, hash, SUM);
    return true;
}

/* What the statement found, when it is what was put there. */
static item_status take(itemi_cache *cache, const uint8_t *key, void **value, size_t *size,
                        item_error *err)
{
    const int bytes = sqlite3_column_bytes(cache->get, 0);
    const uint8_t *data = sqlite3_column_blob(cache->get, 0);
    uint8_t sum[SUM];
    if (!data || bytes < SUM || bytes > VALUE_MOST)
        return ITEM_OK;
    size_t length = (size_t)bytes - SUM;
    if (!sum_of(key, data, length, sum))
        return itemi_fail_memory(err, "reading a cache");
    if (memcmp(sum, data + length, SUM) != 0)
        return ITEM_OK;
    *value = itemi_alloc(&cache->mem, length + 1);
    if (!*value)
        return itemi_fail_memory(err, "reading a cache");
    memcpy(*value, data, length);
    *size = length;
    return ITEM_OK;
}

item_status itemi_cache_get(itemi_cache *cache, const uint8_t *key, const item_cancel *cancel,
                            void **value, size_t *size, item_error *err)
{
    *value = NULL;
    *size = 0;
    cache->base.cancel = cancel;
    int code = sqlite3_bind_blob(cache->get, 1, key, ITEMI_CACHE_KEY, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(cache->get);
    item_status status = code == SQLITE_ROW    ? take(cache, key, value, size, err)
                         : code == SQLITE_DONE ? ITEM_OK
                                               : itemi_database_fail(&cache->base, err);
    sqlite3_reset(cache->get);
    sqlite3_clear_bindings(cache->get);
    return status;
}

static item_status put_one(itemi_cache *cache, const itemi_cache_entry *entry, item_error *err)
{
    uint8_t *value = itemi_alloc(&cache->mem, entry->size + SUM);
    if (value && entry->size)
        memcpy(value, entry->value, entry->size);
    if (!value || !sum_of(entry->key, value, entry->size, value + entry->size)) {
        itemi_free(&cache->mem, value);
        return itemi_fail_memory(err, "writing a cache");
    }
    item_status status = ITEM_OK;
    if (sqlite3_bind_blob(cache->put, 1, entry->key, ITEMI_CACHE_KEY, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_blob64(cache->put, 2, value, entry->size + SUM, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_step(cache->put) != SQLITE_DONE)
        status = itemi_database_fail(&cache->base, err);
    sqlite3_reset(cache->put);
    sqlite3_clear_bindings(cache->put);
    itemi_free(&cache->mem, value);
    return status;
}

item_status itemi_cache_put(itemi_cache *cache, const itemi_cache_entry *entries, size_t n,
                            const item_cancel *cancel, item_error *err)
{
    cache->base.cancel = cancel;
    if (n == 0)
        return ITEM_OK;
    item_status status = itemi_database_begin(&cache->base, err);
    for (size_t i = 0; i < n && status == ITEM_OK; i++)
        status = put_one(cache, &entries[i], err);
    return itemi_database_end(&cache->base, status, err);
}
