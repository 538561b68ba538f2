/* SPDX-License-Identifier: Apache-2.0 */
/* Folders as models are published in: what core makes of them, and their licence. */
#ifndef ITEMI_PUBLISHED_H
#define ITEMI_PUBLISHED_H

#include "core/core.h"

/*
 * Describes the folder as item.json would: one stage, with the files that are there. "sha256" is
 * null for what `verify` does not hash. json_decref() the result.
 */
item_status itemi_published_read(const itemi_mem *mem, const char *path, int32_t verify,
                                 json_t **out, item_error *err);

/* Where processor_config.json has what preprocessor_config.json has at its top. */
#define ITEMI_IMAGE_PROCESSOR "image_processor"

#define ITEMI_LICENCE_MAX 128

/* What the folder's README.md or LICENSE says of its licence, in UTF-8; "" where neither does. */
item_status itemi_licence_find(const itemi_mem *mem, const char *path, char out[ITEMI_LICENCE_MAX],
                               item_error *err);

/* "folder/name"; false where it is too long for a path. */
#define ITEMI_BESIDE_MAX (PATH_MAX + 256)
static inline bool itemi_beside(const char *folder, const char *name, char out[ITEMI_BESIDE_MAX])
{
    return (size_t)itemi_format(out, ITEMI_BESIDE_MAX, "%s/%s", folder, name) < ITEMI_BESIDE_MAX;
}

#endif
