/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Statuses, errors, allocators, log and cancel handles: what every other
 * header of libitem builds on.
 *
 * Rules that hold everywhere:
 * - Ownership: strings and arrays that a function returns are borrowed from the
 *   handle they were asked of and live as long as it does. What "owner: caller"
 *   is said of must be released by the function named there.
 * - Release: `..._unref()` gives back a share, and what others use lives on;
 *   `..._free()` ends the handle at once.
 * - Failure: out-handles are NULL after a failure, and there is nothing to
 *   clean up. The text goes to the caller's item_error (may be NULL).
 * - Structs: every struct starts with struct_size, set by its INIT macro.
 *   Unknown bytes beyond the size that this library knows must be zero, or the
 *   call is refused with ITEM_E_ARGUMENT; in tables of functions
 *   (item/sys/backend.h) they are ignored.
 * - Growth: later releases add statuses, reasons, texts and JSON keys: take a
 *   status that you do not know as a failure, and pass over the rest.
 * - Strings: UTF-8, NUL-terminated, except file names: bytes as the system
 *   gives them.
 * - Since: what names no release is as old as its header, 0.1.
 */
#ifndef ITEM_BASE_H
#define ITEM_BASE_H

#include <stddef.h>
#include <stdint.h>

#include <item/version.h>

#if defined(ITEM_BUILDING_STATIC) || !defined(__GNUC__)
#define ITEM_API /**< marks a function of the library */
#else
#define ITEM_API __attribute__((visibility("default"))) /**< marks a function of the library */
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Result of a call; 0 is success, errors are positive and never renumbered. */
typedef int32_t item_status;

#define ITEM_OK            0  /**< success */
#define ITEM_E_ARGUMENT    1  /**< NULL, out of range, unknown struct bytes        */
#define ITEM_E_MEMORY      2  /**< an allocation failed                            */
#define ITEM_E_IO          3  /**< the system refused: open, read, write           */
#define ITEM_E_FORMAT      4  /**< the bytes are broken or not what they claim     */
#define ITEM_E_UNSUPPORTED 5  /**< valid, but of a kind that libitem does not read */
#define ITEM_E_LIMIT       6  /**< larger than a limit of the configuration        */
#define ITEM_E_CANCELLED   7  /**< the cancel handle was set                       */
#define ITEM_E_BACKEND     8  /**< an engine or backend failed or lied             */
#define ITEM_E_NO_ENGINE   9  /**< networks are needed and no engine was found     */
#define ITEM_E_PACK        10 /**< the pack is incomplete, changed or too new      */
#define ITEM_E_MISMATCH    11 /**< head, layout or width do not fit the embedder   */
#define ITEM_E_FORKED      12 /**< called in a forked child                        */
#define ITEM_E_INTERNAL    13 /**< a bug of libitem: please report it              */

/** Bytes of item_error.message, with the NUL. */
#define ITEM_ERROR_MESSAGE_SIZE 496

/**
 * Where a failing call writes its reason. Owned by the caller, usually on the
 * stack: `item_error err = ITEM_ERROR_INIT;`. The first error wins: a struct
 * that holds one already (code != 0) is left as it is, so reset it before use
 * again.
 */
typedef struct item_error {
    uint32_t struct_size;                  /**< set by ITEM_ERROR_INIT */
    int32_t code;                          /**< an item_status */
    int32_t system;                        /**< errno at that moment, or 0 */
    uint32_t reserved;                     /**< 0 */
    char message[ITEM_ERROR_MESSAGE_SIZE]; /**< one line, UTF-8, NUL-terminated */
} item_error;

/** Start value of item_error: no error. */
#define ITEM_ERROR_INIT                                                                            \
    {                                                                                              \
        sizeof(item_error), 0, 0, 0,                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

/**
 * Memory functions of the host. All three or none; they may be called from
 * several threads at once. `allocate` must align as malloc does.
 */
typedef struct item_allocator {
    uint32_t struct_size; /**< set by ITEM_ALLOCATOR_INIT */
    uint32_t reserved;    /**< 0 */
    /** `size` bytes, more than 0, or NULL when there are none. */
    void *(*allocate)(void *user, size_t size);
    /** As realloc: `block` may be NULL; NULL leaves the old block as it is. */
    void *(*resize)(void *user, void *block, size_t size);
    /** Takes back a block; NULL is ignored. */
    void (*release)(void *user, void *block);
    void *user; /**< first argument of the three */
} item_allocator;

/** Start value of item_allocator: malloc, until the functions are filled in. */
#define ITEM_ALLOCATOR_INIT                                                                        \
    {                                                                                              \
        sizeof(item_allocator), 0, NULL, NULL, NULL, NULL                                          \
    }

#define ITEM_LOG_ERROR   1 /**< level: something failed                        */
#define ITEM_LOG_WARNING 2 /**< level: answers or speed are not what they could be */
#define ITEM_LOG_INFO    3 /**< level: what was loaded, from where              */
#define ITEM_LOG_DEBUG   4 /**< level: for those who look for a fault           */

/**
 * Receives one finished line of text (no newline). Called on the thread of the call that it
 * belongs to; from several threads at once when several call. It must not call libitem: a lock may
 * be held.
 *
 * @param user   as given with the function
 * @param level  ITEM_LOG_...
 * @param text   UTF-8; borrowed until the function returns
 */
typedef void (*item_log_fn)(void *user, int32_t level, const char *text);

/**
 * Progress of a call. Called on the calling thread with no lock held, so that it may call
 * libitem, and set the call's cancel handle.
 *
 * @param user   as given with the function
 * @param done   pictures (epochs, when training) that are done
 * @param total  how many there are
 */
typedef void (*item_progress_fn)(void *user, uint64_t done, uint64_t total);

/** A flag that ends running calls from any thread. */
typedef struct item_cancel item_cancel;

/**
 * Name of a status, such as "ITEM_E_FORMAT".
 *
 * @param status  any value
 * @return a static string, never NULL ("ITEM_E_?" for an unknown value)
 * Owner: static.  Threads: any.  Since: 0.1
 */
ITEM_API const char *item_status_name(item_status status);

/**
 * Version of the library that runs, such as "0.2.0"; the macros tell the
 * version of the headers.
 *
 * @return a static string, never NULL
 * Owner: static.  Threads: any.  Since: 0.1
 */
ITEM_API const char *item_version(void);

/**
 * Makes a cancel handle, not set.
 *
 * @param out  receives the handle; release with item_cancel_unref()
 * @param err  receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_MEMORY
 * Owner: caller.  Threads: any.  Since: 0.1
 */
ITEM_API item_status item_cancel_new(item_cancel **out, item_error *err);

/**
 * Ends every running and future call that was given this handle, with
 * ITEM_E_CANCELLED, at the latest 200 ms later. Cannot be taken back.
 *
 * @param cancel  handle; NULL is ignored
 * Threads: any, also from a signal handler.  Since: 0.1
 */
ITEM_API void item_cancel_set(item_cancel *cancel);

/**
 * Releases a cancel handle; the memory goes when no running call uses it.
 *
 * @param cancel  handle; NULL is ignored
 * Threads: any.  Since: 0.1
 */
ITEM_API void item_cancel_unref(item_cancel *cancel);

#ifdef __cplusplus
}
#endif
#endif
