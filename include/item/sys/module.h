/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backends as a shared module: how one is handed to `item-conformance`, and to any application
 * that wants to load some. libitem itself loads none. docs/backends.md shows the whole of it.
 */
#ifndef ITEM_SYS_MODULE_H
#define ITEM_SYS_MODULE_H

#include <item/sys/backend.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ITEM_MODULE_CAPTIONER "item_module_captioner"
#define ITEM_MODULE_DETECTOR  "item_module_detector"
#define ITEM_MODULE_EMBEDDER  "item_module_embedder"

/*
 * The functions that a module defines, under the names above; only those of the stages that it
 * has. Each opens one more instance: a table and the self that goes with it. The table stays valid
 * until its close(self). settings is a text of the user's, such as the folder of a model, or NULL.
 * NULL is returned on failure: err then holds status and reason, and there is nothing to close.
 * Declare them so, and the compiler compares: ITEM_API item_module_embedder_fn item_module_embedder;
 */
typedef const item_captioner_ops *item_module_captioner_fn(const char *settings, void **self,
                                                           item_error *err);
typedef const item_detector_ops *item_module_detector_fn(const char *settings, void **self,
                                                         item_error *err);
typedef const item_embedder_ops *item_module_embedder_fn(const char *settings, void **self,
                                                         item_error *err);

#ifdef __cplusplus
}
#endif
#endif
