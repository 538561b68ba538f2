/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Packs: folders with models, head and manifest. Nothing here loads an engine.
 */
#ifndef ITEM_PACK_H
#define ITEM_PACK_H

#include <item/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An open pack. Immutable. */
typedef struct item_pack item_pack;

/**
 * Opens a pack: reads item.json, checks that every file exists and has the size
 * stated; with `verify`, also its SHA-256. Since 0.2 a folder without item.json may be a
 * model as its authors publish it, with config.json (docs/models.md): a pack of one stage,
 * without a head, of whose files the hashes are told, as nothing states them.
 *
 * @param path    folder; NULL is the installed default
 * @param verify  0: hash no file, 1: hash files below 16 MB, 2: hash all files; of a
 *                published model those below 16 MB are always hashed, and with 2 its weights
 *                are opened, too
 * @param out     receives the pack; release with item_pack_free()
 * @param err     receives the reason of a failure, with the file; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_IO, ITEM_E_FORMAT, ITEM_E_LIMIT, ITEM_E_PACK,
 *         ITEM_E_MEMORY
 * Owner: caller.  Threads: any.  Since: 0.1
 */
ITEM_API item_status item_pack_open(const char *path, int32_t verify, item_pack **out,
                                    item_error *err);

/**
 * Frees a pack.
 *
 * @param pack  pack; NULL is ignored
 * Threads: any.  Since: 0.1
 */
ITEM_API void item_pack_free(item_pack *pack);

/**
 * The pack's folder, name, version, licence, model card or fingerprint. Why there is no
 * verdict, item_ctx_info.no_verdict tells.
 *
 * @param pack  pack
 * @param key   "path", "name", "version", "licence", "card" (path of the model
 *              card), "fingerprint" (SHA-256 of the manifest)
 * @return the text; "" where there is none
 * Owner: the pack.  Threads: any.  Since: 0.1
 */
ITEM_API const char *item_pack_text(const item_pack *pack, const char *key);

/**
 * The pack as JSON: stages with family, files, sizes, hashes, licences and
 * sources, and the facts of the head.
 *
 * @param pack  pack
 * @return the text, UTF-8, or NULL when pack is NULL
 * Owner: the pack.  Threads: any.  Since: 0.1
 */
ITEM_API const char *item_pack_json(const item_pack *pack);

#define ITEM_PACK_COPY 1u /**< flag: files are copied, never linked */

/** Of what a pack is put together; what is NULL is left out. Since 0.2 */
typedef struct item_pack_parts {
    uint32_t struct_size;  /**< set by ITEM_PACK_PARTS_INIT */
    uint32_t flags;        /**< ITEM_PACK_COPY or 0 */
    const char *captioner; /**< folder of a published model, or of a pack with such a stage */
    const char *detector;  /**< likewise */
    const char *embedder;  /**< likewise */
    const char *head;      /**< file of a head that was trained with this embedder */
    const char *name;      /**< of the pack; NULL: its folder's */
    item_cancel *cancel;   /**< NULL: cannot be cancelled */
} item_pack_parts;

/** Start value of item_pack_parts: nothing. */
#define ITEM_PACK_PARTS_INIT                                                                       \
    {                                                                                              \
        sizeof(item_pack_parts), 0, NULL, NULL, NULL, NULL, NULL, NULL                             \
    }

/**
 * Makes a pack of published models, of stages of other packs, or of both: a folder with
 * item.json, the files, which are hashed, and card.md, a model card to fill in. Files are hard
 * links where the file system makes them, else copies. The folder appears whole or not at all;
 * a process that is killed meanwhile leaves one beside it whose name ends in .tmp.
 *
 * @param parts  one stage or more
 * @param path   folder to make; it must not exist
 * @param err    receives the reason of a failure, with the file; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_IO, ITEM_E_FORMAT, ITEM_E_UNSUPPORTED, ITEM_E_LIMIT,
 *         ITEM_E_CANCELLED, ITEM_E_PACK, ITEM_E_MISMATCH (the head is another embedder's),
 *         ITEM_E_MEMORY
 * Threads: any.  Since: 0.2
 */
ITEM_API item_status item_pack_create(const item_pack_parts *parts, const char *path,
                                      item_error *err);

/**
 * Path of the default pack: what NULL opens.
 *
 * @param buffer    receives the path, NUL-terminated
 * @param capacity  bytes of buffer
 * @param err       receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT (buffer too small)
 * Threads: any.  Since: 0.1
 */
ITEM_API item_status item_pack_default_path(char *buffer, size_t capacity, item_error *err);

#ifdef __cplusplus
}
#endif
#endif
