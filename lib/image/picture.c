/* SPDX-License-Identifier: Apache-2.0 */
/* The picture handle: references, facts, pixels. */
#include <string.h>

#include "image/decode.h"

/* Size of item_image_info in its first version. */
#define LEAST_INFO_SIZE (offsetof(item_image_info, warning) + sizeof(const char *))

item_image *itemi_image_new(const itemi_mem *mem, const item_image_info *info, uint8_t *pixels,
                            const char *warning)
{
    item_image *image = itemi_alloc_zero(mem, 1, sizeof *image);
    if (!image)
        return NULL;
    atomic_init(&image->refs, 1);
    if (mem)
        image->mem = *mem;
    image->info = *info;
    image->info.struct_size = sizeof image->info;
    image->info.warning = NULL;
    if (warning && warning[0]) {
        itemi_escape(image->warning, sizeof image->warning, warning);
        image->info.warning = image->warning;
    }
    image->pixels = pixels;
    return image;
}

item_image *item_image_ref(item_image *image)
{
    if (image)
        atomic_fetch_add_explicit(&image->refs, 1, memory_order_relaxed);
    return image;
}

void item_image_unref(item_image *image)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    /* acq_rel: every reader is done before the memory goes */
    if (!image || atomic_fetch_sub_explicit(&image->refs, 1, memory_order_acq_rel) != 1)
        return;
    itemi_mem mem = image->mem;
    itemi_free(&mem, image->pixels);
    item_provenance_free(image->provenance);
    itemi_free(&mem, image);
}

item_status item_image_get_info(const item_image *image, item_image_info *info, item_error *err)
{
    if (!image)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_image_get_info: image is NULL");
    return itemi_struct_out(info, LEAST_INFO_SIZE, &image->info, sizeof image->info,
                            "item_image_info", err);
}

const uint8_t *item_image_pixels(const item_image *image)
{
    return image ? image->pixels : NULL;
}
