/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * An index of pictures: whole folders are checked once and kept in an SQLite file, which is brought
 * up to date by scanning again and can be asked.
 *     item_scan_counts counts = ITEM_SCAN_COUNTS_INIT;
 *     item_index_query query = ITEM_INDEX_QUERY_INIT;
 *     item_index_row row = ITEM_INDEX_ROW_INIT;
 *     query.object = "dog";
 *     if (item_index_open("pictures.item", ITEM_INDEX_CREATE, &index, &err) == ITEM_OK &&
 *         item_index_scan(index, ctx, &folder, 1, NULL, &counts, &err) == ITEM_OK &&
 *         item_index_find(index, &query, &rows, &err) == ITEM_OK)
 *         while (item_index_next(rows, &row, &err) == ITEM_OK && row.path)
 *             puts(row.path);
 *     item_index_rows_free(rows);
 *     item_index_free(index);
 */
#ifndef ITEM_INDEX_H
#define ITEM_INDEX_H

#include <item/context.h>
#include <item/provenance.h>
#include <math.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An open index. One thread at a time. */
typedef struct item_index item_index;

/** Rows that a query found. One thread at a time. */
typedef struct item_index_rows item_index_rows;

#define ITEM_INDEX_CREATE 1u /**< make the file if it is not there; open it for writing */

/**
 * Opens an index. A file of another program, or of another format, is refused and not touched.
 * Beside it may lie NAME-wal, NAME-shm (SQLite's) and NAME-lock: they belong to it.
 *
 * @param path   file name
 * @param flags  ITEM_INDEX_CREATE or 0
 * @param out    receives the index; release with item_index_free()
 * @param err    receives the reason of a failure, with the file; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_IO, ITEM_E_FORMAT (damaged, or another program's),
 *         ITEM_E_UNSUPPORTED (another format), ITEM_E_MEMORY
 * Owner: caller.  Threads: any.  Since: 0.2
 */
ITEM_API item_status item_index_open(const char *path, uint32_t flags, item_index **out,
                                     item_error *err);

/**
 * Closes an index. Its rows must be freed before. In a forked child it does nothing, and every other
 * call with the parent's index or rows gives ITEM_E_FORKED: SQLite's locks are not the child's.
 *
 * @param index  index; NULL is ignored
 * Threads: one at a time.  Since: 0.2
 */
ITEM_API void item_index_free(item_index *index);

/**
 * Tells of a file or a folder that could not be answered. Called on the calling thread, no lock
 * held.
 *
 * @param user  as given with the function
 * @param path  its name
 * @param why   the reason; borrowed until the function returns
 */
typedef void (*item_scan_trouble_fn)(void *user, const char *path, const item_error *why);

/** Settings of a scan. */
typedef struct item_scan_options {
    uint32_t struct_size;         /**< set by ITEM_SCAN_OPTIONS_INIT */
    uint32_t flags;               /**< ITEM_SCAN_... */
    item_cancel *cancel;          /**< NULL: cannot be cancelled */
    item_progress_fn progress;    /**< NULL: none; counts files that are new or have changed */
    item_scan_trouble_fn trouble; /**< NULL: none */
    void *user;                   /**< first argument of progress and trouble */
} item_scan_options;

/** Start value of item_scan_options: every default. */
#define ITEM_SCAN_OPTIONS_INIT                                                                     \
    {                                                                                              \
        sizeof(item_scan_options), 0, NULL, NULL, NULL, NULL                                       \
    }

#define ITEM_SCAN_HASH 1u /**< read every file, whatever its size and time say */

/** What a scan met. A file counts once in unchanged, answered, copies, failed and other. */
typedef struct item_scan_counts {
    uint32_t struct_size; /**< set by ITEM_SCAN_COUNTS_INIT */
    uint32_t reserved;    /**< 0 */
    uint64_t unchanged;   /**< answered before, and the answer holds */
    uint64_t answered;    /**< checked now */
    uint64_t copies;      /**< same bytes as another file: took its answer */
    uint64_t moved;       /**< of these: had another name before, which is gone */
    uint64_t failed;      /**< pictures that could not be read or checked */
    uint64_t other;       /**< files that are no pictures */
    uint64_t missing;     /**< answered before, and gone now */
    uint64_t unreadable;  /**< folders that could not be read; what is known below them stays */
} item_scan_counts;

/** Start value of item_scan_counts: to be filled by item_index_scan(). */
#define ITEM_SCAN_COUNTS_INIT                                                                      \
    {                                                                                              \
        sizeof(item_scan_counts), 0, 0, 0, 0, 0, 0, 0, 0, 0                                        \
    }

/**
 * Brings the index up to date with folders and files. A file whose size and time are as before is
 * not read; what has the bytes of an answered picture is not checked again. Answers that other
 * settings, another pack, head or version gave are given anew; with the context's `cache` only the
 * stages that changed are computed. Hidden names are left out; links to folders are not followed.
 * What has the name of a picture and cannot be read fails, and is told; other files that are no
 * pictures are passed over.
 * Answers are kept batch by batch, so that a scan that was cancelled or killed is gone on with by
 * the next one. Only one scan at a time works on an index.
 *
 * @param index    index that was opened with ITEM_INDEX_CREATE
 * @param ctx      context; its `batch` and its limits count
 * @param folders  n folders or files; they are kept with their absolute names
 * @param n        how many; 0: all folders that were scanned before
 * @param options  settings; NULL for the defaults
 * @param counts   ITEM_SCAN_COUNTS_INIT; receives what was met, also after a failure; may be NULL
 * @param err      receives the reason of a failure; may be NULL
 * @return ITEM_OK even if files failed; ITEM_E_ARGUMENT, ITEM_E_IO (a folder that is named does not
 *         exist, the disk is full, another scan is running), ITEM_E_FORMAT (the index is damaged),
 *         ITEM_E_CANCELLED, ITEM_E_NO_ENGINE, ITEM_E_PACK, ITEM_E_MISMATCH, ITEM_E_MEMORY,
 *         ITEM_E_FORKED
 * Threads: one at a time on the index.  Since: 0.2
 */
ITEM_API item_status item_index_scan(item_index *index, item_ctx *ctx, const char *const *folders,
                                     size_t n, const item_scan_options *options,
                                     item_scan_counts *counts, item_error *err);

/**
 * Brings in answers that were given elsewhere, such as by the machines of a cluster. Each row is a
 * JSON object: `path`, absolute; `bytes` and `mtime_ns` of the file, the time in nanoseconds since
 * 1970; `sha256` of its bytes (lower case; may be null where it could not be read); `answer`, what
 * item_result_json() says, of a picture that failed too; `taken`, if it is known, in seconds. A name
 * that is known gets what is imported. A later scan takes such an answer as its own where file and
 * fingerprint are the same.
 *
 * @param index  index that was opened with ITEM_INDEX_CREATE
 * @param rows   n texts, UTF-8
 * @param n      how many; some thousand at once are quick
 * @param err    receives the reason of a failure, with the number of the row; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_FORMAT (a row is not as above), ITEM_E_IO,
 *         ITEM_E_MEMORY, ITEM_E_FORKED. After a failure none of these rows is there.
 * Threads: one at a time on the index.  Since: 0.2
 */
ITEM_API item_status item_index_import(item_index *index, const char *const *rows, size_t n,
                                       item_error *err);

#define ITEM_STATE_ANSWERED 1u /**< there is an answer */
#define ITEM_STATE_STALE    2u /**< the answer is of other settings than the last scan's */
#define ITEM_STATE_FAILED   4u /**< the picture could not be read or checked */
#define ITEM_STATE_MISSING  8u /**< the file was gone at the last scan; the answer is kept */

#define ITEM_ORDER_PATH        0u /**< by name, byte by byte */
#define ITEM_ORDER_PROBABILITY 1u /**< most probably AI-generated first; without one: last */
#define ITEM_ORDER_DATE        2u /**< newest first */

/** What to look for; all that is set must hold. */
typedef struct item_index_query {
    uint32_t struct_size; /**< set by ITEM_INDEX_QUERY_INIT */
    uint32_t states;      /**< ITEM_STATE_... joined by |; any of them */
    uint32_t verdicts;    /**< 1u << ITEM_VERDICT_... joined by |; 0: every one */
    uint32_t order;       /**< ITEM_ORDER_... */
    double least;         /**< probability at least this; NaN: any */
    double most;          /**< probability at most this; NaN: any */
    const char *caption;  /**< words that the caption has, in any order and any form ("dogs" finds
                               "dog"); a word that ends in * stands for all that begin so; NULL */
    const char *object;   /**< the same of the phrases of the objects that were found; NULL */
    const char *folder;   /**< only what lies below; NULL */
    int64_t since;        /**< taken then or later, seconds since 1970; INT64_MIN: any */
    int64_t until;        /**< taken before; INT64_MAX: any */
    uint64_t limit;       /**< rows at most; 0: all */
    uint32_t claims;      /**< 1u << ITEM_CLAIM_... joined by |: the file says one of these of its
                               own origin (item/provenance.h), unverified; 0: whatever it says */
    uint32_t reserved;    /**< 0 */
} item_index_query;

/** Start value of item_index_query: every answered picture that is there, by name. */
#define ITEM_INDEX_QUERY_INIT                                                                      \
    {                                                                                              \
        sizeof(item_index_query), ITEM_STATE_ANSWERED | ITEM_STATE_STALE, 0, ITEM_ORDER_PATH,      \
            (double)NAN, (double)NAN, NULL, NULL, NULL, INT64_MIN, INT64_MAX, 0, 0, 0              \
    }

/** A picture of the index. */
typedef struct item_index_row {
    uint32_t struct_size; /**< set by ITEM_INDEX_ROW_INIT */
    uint32_t state;       /**< ITEM_STATE_... joined by | */
    const char *path;     /**< absolute; NULL: there are no more rows */
    const char *sha256;   /**< of the file's bytes, hexadecimal; "" where it could not be read */
    uint64_t bytes;       /**< size of the file */
    int64_t modified;     /**< time of the file, seconds since 1970 */
    int64_t taken;        /**< of EXIF, in local time as if it were UTC; else `modified` */
    uint32_t width;       /**< of the upright picture, pixels */
    uint32_t height;      /**< likewise */
    int32_t verdict;      /**< ITEM_VERDICT_... */
    int32_t error;        /**< ITEM_OK, or why there is no answer */
    double probability;   /**< NaN where there is none */
    const char *caption;  /**< "" where there is none */
    const char *reason;   /**< code of the reason, such as "weak_evidence" */
    const char *message;  /**< of the error; "" where there is none */
    const char *json;     /**< the line of item_result_json(), or of a picture that failed */
    uint32_t claims;      /**< 1u << ITEM_CLAIM_... of all that the file says of its origin */
    uint32_t reserved;    /**< 0 */
} item_index_row;

/** Start value of item_index_row: to be filled by item_index_next(). */
#define ITEM_INDEX_ROW_INIT                                                                        \
    {                                                                                              \
        sizeof(item_index_row), 0, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0.0, NULL, NULL, NULL, NULL,   \
            0, 0                                                                                   \
    }

/**
 * Looks for pictures. Another program, or another item_index, may scan meanwhile: the rows are those
 * of one moment. What this item_index itself imports meanwhile may be among them.
 *
 * @param index  index
 * @param query  what to look for; NULL: ITEM_INDEX_QUERY_INIT
 * @param out    receives the rows; release with item_index_rows_free()
 * @param err    receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_IO, ITEM_E_FORMAT (the index is damaged, or a text is no
 *         UTF-8), ITEM_E_MEMORY, ITEM_E_FORKED
 * Owner: caller.  Threads: one at a time on the index.  Since: 0.2
 */
ITEM_API item_status item_index_find(item_index *index, const item_index_query *query,
                                     item_index_rows **out, item_error *err);

/**
 * The next row.
 *
 * @param rows  rows
 * @param row   ITEM_INDEX_ROW_INIT; receives the row; its path is NULL after the last one
 * @param err   receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_IO, ITEM_E_FORMAT, ITEM_E_MEMORY, ITEM_E_FORKED
 * Owner: strings are those of the rows until the next call.  Threads: one at a time.  Since: 0.2
 */
ITEM_API item_status item_index_next(item_index_rows *rows, item_index_row *row, item_error *err);

/**
 * Frees rows.
 *
 * @param rows  rows; NULL is ignored
 * Threads: one at a time.  Since: 0.2
 */
ITEM_API void item_index_rows_free(item_index_rows *rows);

/** Settings of a page. */
typedef struct item_page_options {
    uint32_t struct_size;      /**< set by ITEM_PAGE_OPTIONS_INIT */
    uint32_t reserved;         /**< 0 */
    const char *title;         /**< UTF-8; NULL: "Pictures" */
    item_cancel *cancel;       /**< NULL: cannot be cancelled */
    item_progress_fn progress; /**< NULL: none; counts pictures */
    void *progress_user;       /**< first argument of progress */
} item_page_options;

/** Start value of item_page_options: every default. */
#define ITEM_PAGE_OPTIONS_INIT                                                                     \
    {                                                                                              \
        sizeof(item_page_options), 0, NULL, NULL, NULL, NULL                                       \
    }

/**
 * Writes what a query finds as one web page (HTML, UTF-8) that loads nothing: a small picture of
 * each, verdict with reason, caption, objects with their boxes, and what the file says of its
 * origin. It can be read without scripts; with them it filters and is moved through by keys. A
 * picture takes some 10 kB. One that cannot be read is there without its preview.
 *
 * @param index    index
 * @param query    which pictures, in which order; NULL: ITEM_INDEX_QUERY_INIT
 * @param options  settings; NULL for the defaults
 * @param path     file name; the file appears whole or not at all
 * @param err      receives the reason of a failure, with the file; may be NULL
 * @return as item_index_find(); ITEM_E_CANCELLED
 * Threads: one at a time on the index.  Since: 0.2
 */
ITEM_API item_status item_index_write_html(item_index *index, const item_index_query *query,
                                           const item_page_options *options, const char *path,
                                           item_error *err);

#ifdef __cplusplus
}
#endif
#endif
