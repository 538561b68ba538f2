/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a picture's file says of its own origin: evidence beside the score, and never in it.
 *
 * Everything here is a claim of the file. Nothing is verified, anybody can write or remove it, and
 * that a file says nothing tells nothing. Neither features nor score, verdict or fingerprint
 * depend on it. docs/provenance.md says what is looked for and what each entry is worth.
 */
#ifndef ITEM_PROVENANCE_H
#define ITEM_PROVENANCE_H

#include <item/picture.h>
#include <item/result.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a file says of its origin: a list of entries. Immutable. */
typedef struct item_provenance item_provenance;

#define ITEM_PROVENANCE_C2PA        1 /**< a C2PA manifest is there; it was not verified      */
#define ITEM_PROVENANCE_SOURCE_TYPE 2 /**< an IPTC digital source type, of XMP or of C2PA       */
#define ITEM_PROVENANCE_GENERATOR   3 /**< what a generator of pictures writes into its files */
#define ITEM_PROVENANCE_UNREADABLE  4 /**< metadata that are broken or beyond a limit         */

#define ITEM_CLAIM_NONE    0 /**< says nothing of how the picture was made        */
#define ITEM_CLAIM_AI      1 /**< that it is AI-generated                         */
#define ITEM_CLAIM_AI_PART 2 /**< that parts of it are, or that AI edited it      */
#define ITEM_CLAIM_CAPTURE 3 /**< that it was taken of a real scene, or scanned   */

/** One thing that a file says. */
typedef struct item_provenance_entry {
    uint32_t struct_size; /**< set by ITEM_PROVENANCE_ENTRY_INIT */
    int32_t kind;         /**< ITEM_PROVENANCE_... */
    int32_t claim;        /**< ITEM_CLAIM_..., what the file claims by it */
    uint32_t reserved;    /**< 0 */
    const char *where;    /**< where in the file it stands, such as "PNG text parameters" */
    const char *name;     /**< of the generator or the source type; "" where there is none */
    const char *value; /**< as the file has it, cut at 2,000 bytes; UTF-8, may have line breaks */
    const char *text;  /**< the entry in a few words, one line */
} item_provenance_entry;

/** Start value of item_provenance_entry: to be filled by item_provenance_get(). */
#define ITEM_PROVENANCE_ENTRY_INIT                                                                 \
    {                                                                                              \
        sizeof(item_provenance_entry), 0, 0, 0, NULL, NULL, NULL, NULL                             \
    }

/**
 * Reads what a picture file says of its origin, without decoding the picture. Metadata that are
 * broken or too large become an entry, never a failure.
 *
 * @param path     file name as the system gives it
 * @param options  max_file_bytes, allocator and cancel count; NULL for the defaults
 * @param out      receives the list, which may be empty; release with item_provenance_free()
 * @param err      receives the reason of a failure, with the file; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_IO, ITEM_E_FORMAT and ITEM_E_UNSUPPORTED (no picture of
 *         a kind that is looked into), ITEM_E_LIMIT, ITEM_E_MEMORY, ITEM_E_CANCELLED
 * Owner: caller.  Threads: any.  Since: 0.2
 */
ITEM_API item_status item_provenance_from_file(const char *path, const item_image_options *options,
                                               item_provenance **out, item_error *err);

/**
 * The same of a file's content in memory.
 *
 * @param bytes    the file's content; not kept
 * @param size     number of bytes
 * @param options  as for item_provenance_from_file()
 * @param out      receives the list, which may be empty; release with item_provenance_free()
 * @param err      receives the reason of a failure; may be NULL
 * @return as item_provenance_from_file(), without ITEM_E_IO
 * Owner: caller.  Threads: any.  Since: 0.2
 */
ITEM_API item_status item_provenance_from_memory(const void *bytes, size_t size,
                                                 const item_image_options *options,
                                                 item_provenance **out, item_error *err);

/**
 * What the file of a result's picture says of its origin. Results have it of item_check_file() and
 * item_check_files(), and of pictures that were read by item_image_from_file() or
 * item_image_from_memory(): the file is not read twice.
 *
 * @param result  result
 * @return the list, or NULL where there is nothing: no file, or a file that says nothing
 * Owner: the result; not to be released.  Threads: any.  Since: 0.2
 */
ITEM_API const item_provenance *item_result_provenance(const item_result *result);

/**
 * How many entries a list has.
 *
 * @param provenance  list; NULL has none
 * @return 0 to 16
 * Threads: any.  Since: 0.2
 */
ITEM_API uint32_t item_provenance_count(const item_provenance *provenance);

/**
 * An entry of a list: manifests first, then source types, then generators.
 *
 * @param provenance  list
 * @param index       0 to item_provenance_count() - 1
 * @param entry       ITEM_PROVENANCE_ENTRY_INIT; receives the entry
 * @param err         receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT
 * Owner: strings are the list's.  Threads: any.  Since: 0.2
 */
ITEM_API item_status item_provenance_get(const item_provenance *provenance, uint32_t index,
                                         item_provenance_entry *entry, item_error *err);

/**
 * Releases a list.
 *
 * @param provenance  list of the caller's own; NULL is ignored
 * Threads: any.  Since: 0.2
 */
ITEM_API void item_provenance_free(item_provenance *provenance);

#ifdef __cplusplus
}
#endif
#endif
