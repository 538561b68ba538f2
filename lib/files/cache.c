/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of keys and values, by SQLite: what was computed once, for another run. SQLite's journal
 * (WAL) keeps it whole when a process is killed or the disk is full; a sum beside each value tells
 * what was damaged otherwise.
 */
#include <errno.h>
#include <sqlite3.h>
#include <unistd.h>

#include "files/files_private.h"

#define APPLICATION 0x6974656d /* "item", in the header of an SQLite file */
#define SCHEMA      1
#define NUMBER_(n)  #n
#define NUMBER(n)   NUMBER_(n)

#define HEADER     100 /* bytes of an SQLite file that tell whose it is */
#define SUM        16  /* bytes that stand behind each value */
#define WAIT_MS    10000
#define PAUSE_US   10000
#define VALUE_MOST (64 << 20)

struct itemi_cache {
    itemi_mem mem;
    char *path;
    sqlite3 *db;
    sqlite3_stmt *get, *put;
    const item_cancel *cancel; /* of the call that runs now */
};

/* ---- errors ---- */

static item_status fail(const itemi_cache *cache, item_error *err)
{
    const int code = sqlite3_errcode(cache->db), system = sqlite3_system_errno(cache->db);
    switch (code) {
    case SQLITE_NOMEM:
        return itemi_fail_memory(err, "using a cache");
    case SQLITE_BUSY:
        if (itemi_cancelled(cache->cancel))
            return itemi_fail_cancelled(err);
        return itemi_fail(err, ITEM_E_IO,
                          "%s: the cache is held by another process for more than %d s",
                          cache->path, WAIT_MS / 1000);
    case SQLITE_FULL:
        return itemi_fail_errno(err, ITEM_E_IO, ENOSPC, "%s: the cache cannot be written",
                                cache->path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* a table is not what it was */
        return itemi_fail(err, ITEM_E_FORMAT, "%s: the cache is damaged (%s): delete it",
                          cache->path, sqlite3_errstr(code));
    default:
        break;
    }
    if (system)
        return itemi_fail_errno(err, ITEM_E_IO, system, "%s: the cache cannot be used",
                                cache->path);
    return itemi_fail(err, ITEM_E_IO, "%s: the cache cannot be used: %s", cache->path,
                      sqlite3_errstr(sqlite3_extended_errcode(cache->db)));
}

static item_status refuse(const char *path, item_error *err)
{
    return itemi_fail(err, ITEM_E_FORMAT,
                      "%s: is no cache of libitem, and is left as it is: name another file", path);
}

/* ---- whose file it is ---- */

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static item_status check_header(const char *path, const uint8_t header[HEADER], item_error *err)
{
    static const char magic[16] = "SQLite format 3";
    const uint32_t schema = big_endian(header + 60), application = big_endian(header + 68);
    if (memcmp(header, magic, sizeof magic) != 0 || application != APPLICATION)
        return refuse(path, err);
    if (schema != SCHEMA)
        return itemi_fail(err, ITEM_E_UNSUPPORTED,
                          "%s: the cache has format %u, this libitem has %d: name another file",
                          path, (unsigned)schema, SCHEMA);
    return ITEM_OK;
}

/*
 * Reads the header before SQLite opens the file, which might write to it. Through SQLite's own
 * functions all the same: to close a file gives up every lock that the process has on it, and they
 * know of the locks of other contexts.
 */
static item_status read_header(const char *path, uint8_t header[HEADER], item_error *err)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL); /* NULL: sqlite3_initialize() had no memory */
    char *whole = vfs ? sqlite3_malloc(vfs->mxPathname + 1) : NULL;
    sqlite3_file *file = vfs ? sqlite3_malloc(vfs->szOsFile) : NULL;
    sqlite3_filename name = NULL;
    item_status status = ITEM_OK;
    if (whole && file && vfs->xFullPathname(vfs, path, vfs->mxPathname, whole) == SQLITE_OK)
        name = sqlite3_create_filename(whole, "", "", 0, NULL);
    if (!name) {
        status = itemi_fail_memory(err, "opening a cache");
    } else {
        memset(file, 0, (size_t)vfs->szOsFile);
        int code = vfs->xOpen(vfs, name, file, SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READONLY, NULL);
        if (code == SQLITE_OK)
            code = file->pMethods->xRead(file, header, HEADER, 0);
        if (file->pMethods)
            file->pMethods->xClose(file);
        if (code == SQLITE_NOMEM)
            status = itemi_fail_memory(err, "opening a cache");
        else if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) /* short: zeros behind */
            status = itemi_fail(err, ITEM_E_IO, "%s: the cache cannot be read: %s", path,
                                sqlite3_errstr(code));
    }
    sqlite3_free_filename(name);
    sqlite3_free(file);
    sqlite3_free(whole);
    return status;
}

static item_status check_file(const char *path, item_error *err)
{
    struct stat facts;
    if (stat(path, &facts) != 0)
        return errno == ENOENT ? ITEM_OK
                               : itemi_fail_errno(err, ITEM_E_IO, errno,
                                                  "%s: the cache cannot be opened", path);
    if (!S_ISREG(facts.st_mode))
        return refuse(path, err);
    if (facts.st_size == 0)
        return ITEM_OK;
    uint8_t header[HEADER] = {0};
    item_status status = read_header(path, header, err);
    return status == ITEM_OK ? check_header(path, header, err) : status;
}

/* ---- opening ---- */

static int wait_a_moment(void *user, int tries)
{
    const itemi_cache *cache = user;
    if (itemi_cancelled(cache->cancel) || tries >= WAIT_MS * 1000 / PAUSE_US)
        return 0;
    usleep(PAUSE_US);
    return 1;
}

static bool run(const itemi_cache *cache, const char *sql)
{
    return sqlite3_exec(cache->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static bool prepare(const itemi_cache *cache, const char *sql, sqlite3_stmt **out)
{
    return sqlite3_prepare_v3(cache->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) ==
           SQLITE_OK;
}

/* First column of a statement's first row, as a number; false: it failed. */
static bool ask(const itemi_cache *cache, const char *sql, int64_t *out)
{
    sqlite3_stmt *statement = NULL;
    bool known = prepare(cache, sql, &statement) && sqlite3_step(statement) == SQLITE_ROW;
    if (known)
        *out = sqlite3_column_int64(statement, 0);
    return sqlite3_finalize(statement) == SQLITE_OK && known;
}

/* Two processes may find an empty file at once: the second sees what the first made. */
static bool make_tables(const itemi_cache *cache)
{
    int64_t application = 0;
    if (!ask(cache, "PRAGMA application_id", &application))
        return false;
    if (application == APPLICATION)
        return true;
    if (!run(cache, "BEGIN IMMEDIATE") || !ask(cache, "PRAGMA application_id", &application))
        return false;
    return (application == APPLICATION ||
            (run(cache, "CREATE TABLE answers (key BLOB PRIMARY KEY, value BLOB NOT NULL)") &&
             run(cache, "PRAGMA user_version = " NUMBER(SCHEMA)) &&
             run(cache, "PRAGMA application_id = " NUMBER(APPLICATION)))) &&
           run(cache, "COMMIT");
}

/*
 * With WAL a commit need not wait for the disk to leave the file whole; where the file system
 * cannot do it, or another process holds the file now, SQLite stays with its older journal.
 */
static bool set_journal(const itemi_cache *cache)
{
    sqlite3_stmt *statement = NULL;
    if (!prepare(cache, "PRAGMA journal_mode = WAL", &statement))
        return false;
    bool wal = sqlite3_step(statement) == SQLITE_ROW &&
               strcmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
    int code = sqlite3_finalize(statement);
    if (code != SQLITE_OK && code != SQLITE_BUSY)
        return false;
    return !wal || run(cache, "PRAGMA synchronous = NORMAL");
}

/* Opens what the path names: SQLite sees more than a file in `:memory:` and, mostly, `file:...`. */
static int open_path(itemi_cache *cache)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    char *name = sqlite3_mprintf("%s%s", *cache->path == '/' ? "" : "./", cache->path);
    int code = name ? sqlite3_open_v2(name, &cache->db, flags, NULL) : SQLITE_NOMEM;
    sqlite3_free(name);
    return code;
}

static item_status connect(itemi_cache *cache, item_error *err)
{
    item_status status = check_file(cache->path, err);
    if (status != ITEM_OK)
        return status;
    if (open_path(cache) != SQLITE_OK)
        return cache->db ? fail(cache, err) : itemi_fail_memory(err, "opening a cache");
    if (sqlite3_db_readonly(cache->db, "main") == 1)
        return itemi_fail_errno(err, ITEM_E_IO, EACCES, "%s: the cache cannot be written",
                                cache->path);
    sqlite3_busy_handler(cache->db, wait_a_moment, cache);
    bool ready = run(cache, "PRAGMA trusted_schema = OFF") && make_tables(cache) &&
                 set_journal(cache) &&
                 prepare(cache, "SELECT value FROM answers WHERE key = ?1", &cache->get) &&
                 prepare(cache, "INSERT OR REPLACE INTO answers VALUES (?1, ?2)", &cache->put);
    return ready ? ITEM_OK : fail(cache, err);
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

void itemi_cache_close(itemi_cache *cache)
{
    if (!cache)
        return;
    itemi_mem mem = cache->mem;
    sqlite3_finalize(cache->get);
    sqlite3_finalize(cache->put);
    sqlite3_close(cache->db);
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
    cache->cancel = cancel;
    int code = sqlite3_bind_blob(cache->get, 1, key, ITEMI_CACHE_KEY, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(cache->get);
    item_status status = code == SQLITE_ROW    ? take(cache, key, value, size, err)
                         : code == SQLITE_DONE ? ITEM_OK
                                               : fail(cache, err);
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
        status = fail(cache, err);
    sqlite3_reset(cache->put);
    sqlite3_clear_bindings(cache->put);
    itemi_free(&cache->mem, value);
    return status;
}

item_status itemi_cache_put(itemi_cache *cache, const itemi_cache_entry *entries, size_t n,
                            const item_cancel *cancel, item_error *err)
{
    cache->cancel = cancel;
    if (n == 0)
        return ITEM_OK;
    item_status status = run(cache, "BEGIN IMMEDIATE") ? ITEM_OK : fail(cache, err);
    for (size_t i = 0; i < n && status == ITEM_OK; i++)
        status = put_one(cache, &entries[i], err);
    if (status == ITEM_OK && !run(cache, "COMMIT"))
        status = fail(cache, err);
    if (!sqlite3_get_autocommit(cache->db)) /* SQLite may have rolled back by itself */
        run(cache, "ROLLBACK");
    return status;
}
