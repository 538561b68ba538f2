/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Backends as a shared module: how one is handed to `item-conformance`, and to any application
 * that wants to load some. libitem itself loads none. docs/backends.md shows the whole of it.
 *
 * A module defines a function of each stage that it has, under the names below. Declare them by
 * these types, and the compiler compares: `ITEM_API item_module_embedder_fn item_module_embedder;`
 * In C++ put `extern "C"` before it.
 */
#ifndef ITEM_SYS_MODULE_H
#define ITEM_SYS_MODULE_H

#include <item/sys/backend.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ITEM_MODULE_CAPTIONER "item_module_captioner" /**< name of its entry */
#define ITEM_MODULE_DETECTOR  "item_module_detector"  /**< name of its entry */
#define ITEM_MODULE_EMBEDDER  "item_module_embedder"  /**< name of its entry */

/**
 * Opens one more captioner.
 *
 * @param settings  a text of the user's, such as the folder of a model; or NULL
 * @param self      receives what goes with the table; close(self) releases it
 * @param err       receives status and reason of a failure; never NULL
 * @return a table, valid until its close(self); NULL after a failure: there is nothing to close
 */
typedef const item_captioner_ops *item_module_captioner_fn(const char *settings, void **self,
                                                           item_error *err);
/** Opens one more detector; as item_module_captioner_fn. */
typedef const item_detector_ops *item_module_detector_fn(const char *settings, void **self,
                                                         item_error *err);
/** Opens one more embedder; as item_module_captioner_fn. */
typedef const item_embedder_ops *item_module_embedder_fn(const char *settings, void **self,
                                                         item_error *err);

#ifdef __cplusplus
}
#endif
#endif
