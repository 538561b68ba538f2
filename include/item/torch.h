/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The engine on libtorch, for programs that link it (pkg-config item-torch).
 */
#ifndef ITEM_TORCH_H
#define ITEM_TORCH_H

#include <item/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct item_engine_ops;

/**
 * The engine on libtorch, for item_config_set_engine(). Costs nothing until the
 * first network.
 *
 * @return a table, valid for ever
 * Owner: static.  Threads: any.  Since: 0.1
 */
ITEM_API const struct item_engine_ops *item_torch_engine(void);

#ifdef __cplusplus
}
#endif
#endif
