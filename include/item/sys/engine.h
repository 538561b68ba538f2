/* SPDX-License-Identifier: Apache-2.0 */
/*
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

#define ITEM_ENGINE_VERSION 1u
#define ITEM_ENGINE_ENTRY   "item_engine_entry"

/*
 * Opened stages: tables in the engine's static memory and the self that goes with each.
 * `services` stays valid until ops->close(self).
 */
typedef struct item_engine_ops {
    uint32_t struct_size;
    uint32_t version; /* ITEM_ENGINE_VERSION */
    const char *name; /* "torch" */
    const char *id;   /* name, version and compute library: goes into fingerprints */

    /* process-wide lanes and threads; starts nothing yet. Again with other values: ITEM_E_ARGUMENT
       once lanes run. */
    item_status (*setup)(const item_engine_settings *settings, item_error *err);
    /* fills the members it knows; measure 1: also gflops */
    item_status (*info)(int32_t measure, item_engine_info *info, item_error *err);

    /* `family` is the stage's family in item.json; ITEM_E_UNSUPPORTED for an unknown one.
       ops receives a table that stays valid for ever, except name, id and width, which are
       valid until close. */
    item_status (*open_captioner)(const item_services *services, const char *family,
                                  item_captioner_ops *ops, void **self, item_error *err);
    item_status (*open_detector)(const item_services *services, const char *family,
                                 item_detector_ops *ops, void **self, item_error *err);
    item_status (*open_embedder)(const item_services *services, const char *family,
                                 item_embedder_ops *ops, void **self, item_error *err);
    /* precision that runs for "fp32", "bf16" or "auto" here: "fp32" or "bf16"; static text */
    const char *(*precision)(const char *asked);
} item_engine_ops;

typedef const item_engine_ops *(*item_engine_entry_fn)(void);

#ifdef __cplusplus
}
#endif
#endif
