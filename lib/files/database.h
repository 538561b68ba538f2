/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite files of libitem, whatever is kept in them: opened only when they are ours and of this
 * format, shared with other processes, and with one way to tell what went wrong.
 */
#ifndef ITEMI_DATABASE_H
#define ITEMI_DATABASE_H

#include <sqlite3.h>

#include "common/common.h"

typedef struct itemi_database_kind {
    const char *what;     /* for messages: "cache" */
    const char *cure;     /* of a damaged one: "delete it" */
    uint32_t application; /* PRAGMA application_id: four letters */
    uint32_t schema;      /* PRAGMA user_version */
    const char *tables;   /* SQL that makes them */
} itemi_database_kind;

typedef struct itemi_database {
    const itemi_database_kind *kind;
    const char *path; /* borrowed */
    sqlite3 *db;
    const item_cancel *cancel; /* of the call that runs now */
} itemi_database;

/*
 * Opens the file; with `make` an absent or empty one is made, else it is refused. One that another
 * program made, or a libitem with another format, is refused and not touched. Several processes may
 * share it, each waits for others, 10 s at most; a handle serves one thread at a time, and must stay
 * where it is. `path` must outlive it. Close it after a failure too.
 */
item_status itemi_database_open(const itemi_database_kind *kind, const char *path, bool make,
                                itemi_database *out, item_error *err);
void itemi_database_close(itemi_database *base);
/* Absolute name of the file, without links. */
const char *itemi_database_file(const itemi_database *base);
/*
 * A transaction: all that stands between is written, or nothing of it. The end takes what came of
 * it, commits where that is ITEM_OK, and returns it, or why it could not.
 */
item_status itemi_database_begin(const itemi_database *base, item_error *err);
item_status itemi_database_end(const itemi_database *base, item_status status, item_error *err);
/* Why the last call of SQLite failed. */
item_status itemi_database_fail(const itemi_database *base, item_error *err);
/* False: it failed, itemi_database_fail() tells why. */
bool itemi_database_run(const itemi_database *base, const char *sql);
bool itemi_database_prepare(const itemi_database *base, const char *sql, sqlite3_stmt **out);

#endif
