/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening SQLite files of libitem. SQLite's journal (WAL) keeps them whole when a process is killed
 * or the disk is full.
 */
#include "files/database.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER   100 /* bytes of an SQLite file that tell whose it is */
#define WAIT_MS  10000
#define PAUSE_US 10000

/* ---- errors ---- */

item_status itemi_database_fail(const itemi_database *base, item_error *err)
{
    const int code = sqlite3_errcode(base->db), system = sqlite3_system_errno(base->db);
    const char *path = base->path, *what = base->kind->what;
    switch (code) {
    case SQLITE_NOMEM:
        return itemi_fail(err, ITEM_E_MEMORY, "out of memory while using the %s %s", what, path);
    case SQLITE_BUSY:
        if (itemi_cancelled(base->cancel))
            return itemi_fail_cancelled(err);
        return itemi_fail(err, ITEM_E_IO,
                          "%s: the %s is held by another process for more than %d s", path, what,
                          WAIT_MS / 1000);
    case SQLITE_FULL:
        return itemi_fail_errno(err, ITEM_E_IO, ENOSPC, "%s: the %s cannot be written", path, what);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* a table is not what it was */
        return itemi_fail(err, ITEM_E_FORMAT, "%s: the %s is damaged (%s): %s", path, what,
                          sqlite3_errstr(code), base->kind->cure);
    default:
        break;
    }
    if (system)
        return itemi_fail_errno(err, ITEM_E_IO, system, "%s: the %s cannot be used", path, what);
    return itemi_fail(err, ITEM_E_IO, "%s: the %s cannot be used: %s", path, what,
                      sqlite3_errstr(sqlite3_extended_errcode(base->db)));
}

static item_status fail_opening(const itemi_database *base, item_error *err)
{
    return itemi_fail(err, ITEM_E_MEMORY, "out of memory while opening the %s %s", base->kind->what,
                      base->path);
}

static item_status refuse(const itemi_database *base, item_error *err)
{
    return itemi_fail(err, ITEM_E_FORMAT,
                      "%s: is no %s of libitem, and is left as it is: name another file",
                      base->path, base->kind->what);
}

/* ---- whose file it is ---- */

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static item_status check_header(const itemi_database *base, const uint8_t header[HEADER],
                                item_error *err)
{
    static const char magic[16] = "SQLite format 3";
    const uint32_t schema = big_endian(header + 60), application = big_endian(header + 68);
    if (memcmp(header, magic, sizeof magic) != 0 || application != base->kind->application)
        return refuse(base, err);
    if (schema != base->kind->schema)
        return itemi_fail(err, ITEM_E_UNSUPPORTED,
                          "%s: the %s has format %u, this libitem has %u: name another file",
                          base->path, base->kind->what, (unsigned)schema,
                          (unsigned)base->kind->schema);
    return ITEM_OK;
}

/*
 * Reads the header before SQLite opens the file, which might write to it. Through SQLite's own
 * functions all the same: to close a file gives up every lock that the process has on it, and they
 * know of the locks of other contexts.
 */
static item_status read_header(const itemi_database *base, uint8_t header[HEADER], item_error *err)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL); /* NULL: sqlite3_initialize() had no memory */
    char *whole = vfs ? sqlite3_malloc(vfs->mxPathname + 1) : NULL;
    sqlite3_file *file = vfs ? sqlite3_malloc(vfs->szOsFile) : NULL;
    sqlite3_filename name = NULL;
    item_status status = ITEM_OK;
    if (whole && file && vfs->xFullPathname(vfs, base->path, vfs->mxPathname, whole) == SQLITE_OK)
        name = sqlite3_create_filename(whole, "", "", 0, NULL);
    if (!name) {
        status = fail_opening(base, err);
    } else {
        memset(file, 0, (size_t)vfs->szOsFile);
        int code = vfs->xOpen(vfs, name, file, SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READONLY, NULL);
        if (code == SQLITE_OK)
            code = file->pMethods->xRead(file, header, HEADER, 0);
        if (file->pMethods)
            file->pMethods->xClose(file);
        if (code == SQLITE_NOMEM)
            status = fail_opening(base, err);
        else if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) /* short: zeros behind */
            status = itemi_fail(err, ITEM_E_IO, "%s: the %s cannot be read: %s", base->path,
                                base->kind->what, sqlite3_errstr(code));
    }
    sqlite3_free_filename(name);
    sqlite3_free(file);
    sqlite3_free(whole);
    return status;
}

static item_status check_file(const itemi_database *base, bool make, item_error *err)
{
    struct stat facts;
    if (stat(base->path, &facts) != 0)
        return make && errno == ENOENT
                   ? ITEM_OK
                   : itemi_fail_errno(err, ITEM_E_IO, errno, "%s: the %s cannot be opened",
                                      base->path, base->kind->what);
    if (!S_ISREG(facts.st_mode))
        return refuse(base, err);
    if (facts.st_size == 0)
        return make ? ITEM_OK : refuse(base, err);
    uint8_t header[HEADER] = {0};
    item_status status = read_header(base, header, err);
    return status == ITEM_OK ? check_header(base, header, err) : status;
}

/* ---- opening ---- */

static int wait_a_moment(void *user, int tries)
{
    const itemi_database *base = user;
    if (itemi_cancelled(base->cancel) || tries >= WAIT_MS * 1000 / PAUSE_US)
        return 0;
    usleep(PAUSE_US);
    return 1;
}

bool itemi_database_run(const itemi_database *base, const char *sql)
{
    return sqlite3_exec(base->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

bool itemi_database_prepare(const itemi_database *base, const char *sql, sqlite3_stmt **out)
{
    return sqlite3_prepare_v3(base->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) == SQLITE_OK;
}

/* First column of a statement's first row, as a number; false: it failed. */
static bool ask(const itemi_database *base, const char *sql, int64_t *out)
{
    sqlite3_stmt *statement = NULL;
    bool known =
        itemi_database_prepare(base, sql, &statement) && sqlite3_step(statement) == SQLITE_ROW;
    if (known)
        *out = sqlite3_column_int64(statement, 0);
    return sqlite3_finalize(statement) == SQLITE_OK && known;
}

static bool set_number(const itemi_database *base, const char *pragma, uint32_t value)
{
    char sql[64];
    itemi_format(sql, sizeof sql, "PRAGMA %s = %u", pragma, (unsigned)value);
    return itemi_database_run(base, sql);
}

/* Two processes may find an empty file at once: the second sees what the first made. */
static bool make_tables(const itemi_database *base)
{
    const itemi_database_kind *kind = base->kind;
    int64_t application = 0;
    if (!ask(base, "PRAGMA application_id", &application))
        return false;
    if (application == kind->application)
        return true;
    if (!itemi_database_run(base, "BEGIN IMMEDIATE") ||
        !ask(base, "PRAGMA application_id", &application))
        return false;
    return (application == kind->application ||
            (itemi_database_run(base, kind->tables) &&
             set_number(base, "user_version", kind->schema) &&
             set_number(base, "application_id", kind->application))) &&
           itemi_database_run(base, "COMMIT");
}

/*
 * With WAL a commit need not wait for the disk to leave the file whole; where the file system
 * cannot do it, or another process holds the file now, SQLite stays with its older journal.
 */
static bool set_journal(const itemi_database *base)
{
    sqlite3_stmt *statement = NULL;
    if (!itemi_database_prepare(base, "PRAGMA journal_mode = WAL", &statement))
        return false;
    bool wal = sqlite3_step(statement) == SQLITE_ROW &&
               strcmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
    int code = sqlite3_finalize(statement);
    if (code != SQLITE_OK && code != SQLITE_BUSY)
        return false;
    return !wal || itemi_database_run(base, "PRAGMA synchronous = NORMAL");
}

/* Opens what the path names: SQLite sees more than a file in `:memory:` and, mostly, `file:...`. */
static int open_path(itemi_database *base, bool make)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (make ? SQLITE_OPEN_CREATE : 0);
    char *name = sqlite3_mprintf("%s%s", *base->path == '/' ? "" : "./", base->path);
    int code = name ? sqlite3_open_v2(name, &base->db, flags, NULL) : SQLITE_NOMEM;
    sqlite3_free(name);
    return code;
}

/* "file:/a%3fb?immutable=1"; sqlite3_free() it. */
static char *immutable_name(const char *path)
{
    static const char digits[] = "0123456789abcdef";
    sqlite3_str *name = sqlite3_str_new(NULL);
    sqlite3_str_appendall(name, "file:");
    for (; *path; path++) {
        const unsigned char c = (unsigned char)*path;
        if (strchr("?#%", c))
            sqlite3_str_appendf(name, "%%%c%c", digits[c >> 4], digits[c & 15]);
        else
            sqlite3_str_appendchar(name, 1, *path);
    }
    sqlite3_str_appendall(name, "?immutable=1");
    return sqlite3_str_finish(name);
}

/* Whether there is a journal that was not brought into the file: then it must not be passed over. */
static bool has_journal(const char *path)
{
    struct stat facts;
    char *name = sqlite3_mprintf("%s-wal", path);
    const bool has = !name || (stat(name, &facts) == 0 && facts.st_size > 0);
    sqlite3_free(name);
    return has;
}

/*
 * SQLite makes files beside one that has been written with WAL, even to read it. Where nothing may
 * be written, nobody else can write either, and the file is read as it lies there.
 */
static int open_to_read(itemi_database *base)
{
    int code = open_path(base, false);
    if (code != SQLITE_OK || itemi_database_run(base, "SELECT count(*) FROM sqlite_schema"))
        return code;
    code = sqlite3_errcode(base->db);
    if ((code != SQLITE_READONLY && code != SQLITE_CANTOPEN) || has_journal(base->path))
        return SQLITE_OK; /* told by what is asked first */
    sqlite3_close(base->db);
    base->db = NULL;
    char *name = immutable_name(base->path);
    code = name
               ? sqlite3_open_v2(name, &base->db,
                                 SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL)
               : SQLITE_NOMEM;
    sqlite3_free(name);
    return code;
}

item_status itemi_database_open(const itemi_database_kind *kind, const char *path, bool make,
                                itemi_database *out, item_error *err)
{
    *out = (itemi_database){.kind = kind, .path = path};
    item_status status = check_file(out, make, err);
    if (status != ITEM_OK)
        return status;
    if ((make ? open_path(out, true) : open_to_read(out)) != SQLITE_OK)
        return out->db ? itemi_database_fail(out, err) : fail_opening(out, err);
    if (make && sqlite3_db_readonly(out->db, "main") == 1)
        return itemi_fail_errno(err, ITEM_E_IO, EACCES, "%s: the %s cannot be written", path,
                                kind->what);
    sqlite3_busy_handler(out->db, wait_a_moment, out);
    bool ready = itemi_database_run(out, "PRAGMA trusted_schema = OFF") &&
                 (!make || (make_tables(out) && set_journal(out)));
    return ready ? ITEM_OK : itemi_database_fail(out, err);
}

const char *itemi_database_file(const itemi_database *base)
{
    const char *file = sqlite3_db_filename(base->db, "main");
    return file && *file ? file : base->path;
}

item_status itemi_database_begin(const itemi_database *base, item_error *err)
{
    return itemi_database_run(base, "BEGIN IMMEDIATE") ? ITEM_OK : itemi_database_fail(base, err);
}

item_status itemi_database_end(const itemi_database *base, item_status status, item_error *err)
{
    if (status == ITEM_OK && !itemi_database_run(base, "COMMIT"))
        status = itemi_database_fail(base, err);
    if (!sqlite3_get_autocommit(base->db)) /* SQLite may have rolled back by itself */
        itemi_database_run(base, "ROLLBACK");
    return status;
}

void itemi_database_close(itemi_database *base)
{
    sqlite3_close(base->db);
    base->db = NULL;
}
