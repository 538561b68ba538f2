/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of index share: the open index, and a scan on its way. */
#ifndef ITEMI_INDEX_H
#define ITEMI_INDEX_H

#include <item/index.h>

#include "core/core.h"
#include "files/database.h"

struct item_index {
    char *path;
    bool writable;
    pid_t pid; /* that opened it */
    itemi_database base;
};

/* ITEM_E_FORKED in a child of the process that opened it: SQLite's locks are not the child's. */
item_status itemi_index_check(const item_index *index, item_error *err);

/* Statements that write (write.h). */
typedef enum itemi_write {
    ITEMI_DROP_WORDS,
    ITEMI_PUT_CONTENT,
    ITEMI_PUT_WORDS,
    ITEMI_PUT_FILE,
    ITEMI_WRITES
} itemi_write;

typedef struct itemi_writer {
    const itemi_database *base;
    sqlite3_stmt *query[ITEMI_WRITES];
} itemi_writer;

/* The index's file, by its absolute name (own.c). */
const char *itemi_index_file(const item_index *index);
/* Whether a file is the index, under any name, or belongs to it. */
bool itemi_index_owns(const item_index *index, const char *path, const struct stat *facts);

/* Nanoseconds since 1970; what is beyond the years 1677 to 2262 is put at their ends. */
int64_t itemi_nanoseconds(struct timespec t);
int64_t itemi_index_now(void); /* in the same count */
/* A text of an answer; "" where there is none. */
const char *itemi_text_at(const json_t *object, const char *key);

/* ---- a scan ---- */

#define ITEMI_SCAN_FILES 256 /* of a batch: copies need no picture of their own */
#define ITEMI_SCAN_NONE  SIZE_MAX

/* A file that is new or has changed, on its way into the index. */
typedef struct itemi_scanned {
    char *path;
    int64_t known;              /* content that the index has for this name, or 0 */
    int64_t bytes, mtime, read; /* times in nanoseconds since 1970; read: when it was */
    int64_t taken;              /* seconds; INT64_MIN: EXIF does not say */
    bool hashed;                /* false: it could not be read */
    uint8_t hash[ITEMI_SHA256_BYTES];
    int64_t content;  /* row of an answer that the index has, or 0 */
    size_t image;     /* of the batch, or ITEMI_SCAN_NONE */
    size_t original;  /* file of the batch with the same bytes, or ITEMI_SCAN_NONE */
    bool other;       /* no picture, and not named like one */
    item_error error; /* code ITEM_OK: none */
} itemi_scanned;

typedef enum itemi_scan_query {
    ITEMI_SCAN_KNOWN, /* the row of a name */
    ITEMI_SCAN_SEEN,
    ITEMI_SCAN_TODO,
    ITEMI_SCAN_NEXT,
    ITEMI_SCAN_ANSWER, /* content of a hash, of these settings */
    ITEMI_SCAN_QUERIES
} itemi_scan_query;

typedef struct itemi_scan {
    item_index *index;
    item_ctx *ctx;
    item_scan_options options;
    item_scan_counts counts;
    char fingerprint[ITEMI_SHA256_HEX]; /* of answers that are given now */
    int64_t number;                     /* of this scan; the same until one comes to its end */
    uint64_t done, total;
    char **roots; /* absolute */
    size_t root_count;
    sqlite3_stmt *query[ITEMI_SCAN_QUERIES];
    itemi_writer writer;
    itemi_scanned files[ITEMI_SCAN_FILES];
    size_t count;
    item_image *images[64];
    size_t image_count;
} itemi_scan;

/* Tables and statements of a scan (store.c). */
item_status itemi_scan_prepare(itemi_scan *scan, item_error *err);
void itemi_scan_finalize(itemi_scan *scan);
/* Makes a statement ready for new values. */
sqlite3_stmt *itemi_scan_reset(itemi_scan *scan, itemi_scan_query which);
/* Sets file->content, and the error that came of these bytes, when the index has what holds. */
item_status itemi_scan_answer(itemi_scan *scan, itemi_scanned *file, item_error *err);
/* Writes the files of the batch with their answers, all or none; results: of the images. */
item_status itemi_scan_store(itemi_scan *scan, item_result *const *results, item_error *err);

/* The same of the index and of the context's cache. */
bool itemi_scan_owns(const itemi_scan *scan, const char *path, const struct stat *facts);
/* Lists what is new or has changed (walk.c). */
item_status itemi_scan_walk(itemi_scan *scan, item_error *err);
/* Reads a file and, where that is needed, decodes it into the batch (read.c). */
item_status itemi_scan_read(itemi_scan *scan, itemi_scanned *file, bool *gone, item_error *err);
/* Finds what was there and is not, and what has moved (gone.c). */
item_status itemi_scan_gone(itemi_scan *scan, item_error *err);

/* Tells the host of a file or folder. */
void itemi_scan_trouble(const itemi_scan *scan, const char *path, const item_error *why);
/* Names below a folder are those from `from` on that stand before `to`. */
void itemi_scan_below(itemi_buf *from, itemi_buf *to, const char *folder);

/* When a picture was taken, by its EXIF data; INT64_MIN: they do not say (taken.c). */
int64_t itemi_taken(const uint8_t *bytes, size_t size);

#endif
