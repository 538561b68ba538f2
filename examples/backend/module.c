/* SPDX-License-Identifier: Apache-2.0 */
/* The backend as a module: what `item-conformance ./colours.so` calls. */
#include <item/sys/module.h>

#include "colours.h"

ITEM_API item_module_captioner_fn item_module_captioner;
ITEM_API item_module_detector_fn item_module_detector;
ITEM_API item_module_embedder_fn item_module_embedder;

const item_captioner_ops *item_module_captioner(const char *settings, void **self, item_error *err)
{
    return open_captioner(settings, self, err);
}

const item_detector_ops *item_module_detector(const char *settings, void **self, item_error *err)
{
    return open_detector(settings, self, err);
}

const item_embedder_ops *item_module_embedder(const char *settings, void **self, item_error *err)
{
    return open_embedder(settings, self, err);
}
