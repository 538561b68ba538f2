/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * For writers of engines: a module that computes the networks of packs. A module exports one
 * function, `const item_engine_ops *item_engine_entry(void)`.
 */
#ifndef ITEM_SYS_ENGINE_H
#define ITEM_SYS_ENGINE_H

#include <item/context.h>
#include <item/sys/backend.h>
#include <item/sys/services.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ITEM_ENGINE_VERSION 1u                  /**< of the table */
#define ITEM_ENGINE_ENTRY   "item_engine_entry" /**< name of the function that a module exports */

/**
 * An engine: opens the stages of a pack.
 *
 * Opened stages are tables in the engine's static memory and the self that goes with each.
 * `services` stays valid until ops->close(self).
 */
typedef struct item_engine_ops {
    uint32_t struct_size; /**< sizeof(item_engine_ops) */
    uint32_t version;     /**< ITEM_ENGINE_VERSION */
    const char *name;     /**< "torch" */
    const char *id;       /**< name, version and compute library: goes into fingerprints */

    /**
     * Sets the lanes and threads of the process; starts nothing yet.
     *
     * @param settings  lanes and threads; NULL or 0: the defaults
     * @param err       receives the reason of a failure; may be NULL
     * @return ITEM_OK; ITEM_E_ARGUMENT once lanes run with other values
     */
    item_status (*setup)(const item_engine_settings *settings, item_error *err);
    /**
     * Facts of the engine.
     *
     * @param measure  1: also gflops
     * @param info     the members that the engine knows are filled in; texts are static
     * @param err      receives the reason of a failure; may be NULL
     * @return ITEM_OK, or a status that is passed on to the caller
     */
    item_status (*info)(int32_t measure, item_engine_info *info, item_error *err);

    /**
     * Opens the captioner of a pack.
     *
     * @param services  what the host offers; valid until ops->close(self)
     * @param family    the stage's family in item.json
     * @param ops       receives a table that stays valid for ever, except name, id and width,
     *                  which are valid until close
     * @param self      receives what goes with the table
     * @param err       receives the reason of a failure; may be NULL
     * @return ITEM_OK; ITEM_E_UNSUPPORTED for an unknown family; or a status that is passed on
     */
    item_status (*open_captioner)(const item_services *services, const char *family,
                                  item_captioner_ops *ops, void **self, item_error *err);
    /** Opens the detector of a pack; as open_captioner. */
    item_status (*open_detector)(const item_services *services, const char *family,
                                 item_detector_ops *ops, void **self, item_error *err);
    /** Opens the embedder of a pack; as open_captioner. */
    item_status (*open_embedder)(const item_services *services, const char *family,
                                 item_embedder_ops *ops, void **self, item_error *err);
    /** Precision that runs for "fp32", "bf16" or "auto" here: "fp32" or "bf16"; static text. */
    const char *(*precision)(const char *asked);
} item_engine_ops;

/**
 * Type of the function that a module exports under the name ITEM_ENGINE_ENTRY.
 *
 * @return the table, valid for ever
 */
typedef const item_engine_ops *(*item_engine_entry_fn)(void);

/**
 * The table of a configuration's engine. Its module is loaded, and what it computes with is not: a
 * program that has a compute library of its own compares the table's id before the first network.
 *
 * @param config  says which engine; NULL for the default
 * @param out     receives the table
 * @param err     receives the reason of a failure; may be NULL
 * @return as item_engine_get_info()
 * Owner: the table is valid for ever.  Threads: any.  Since: 0.2
 */
ITEM_API item_status item_engine_find(const item_config *config, const item_engine_ops **out,
                                      item_error *err);

#ifdef __cplusplus
}
#endif
#endif
