/* SPDX-License-Identifier: Apache-2.0 */
/* Services for pictures. */
#include "core/services.h"

static void image_size(const item_image *image, uint32_t *width, uint32_t *height)
{
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    (void)item_image_get_info(image, &info, NULL);
    *width = info.width;
    *height = info.height;
}

/* What both ways of resizing need to know first. */
static item_status look(const item_image *image, int32_t filter, uint32_t *width, uint32_t *height,
                        item_error *err)
{
    image_size(image, width, height);
    if (filter >= ITEM_FILTER_BILINEAR && filter <= ITEM_FILTER_LANCZOS)
        return ITEM_OK;
    return itemi_fail(err, ITEM_E_ARGUMENT, "no resize filter %d", (int)filter);
}

static item_status host_resize(void *user, const item_image *image, const double box[4],
                               int32_t filter, uint32_t width, uint32_t height, uint8_t *out,
                               item_error *err)
{
    const itemi_host *h = user;
    uint32_t from_width, from_height;
    item_status status = look(image, filter, &from_width, &from_height, err);
    if (status == ITEM_OK)
        status = itemi_resize_rgb(&h->ctx->mem, item_image_pixels(image), from_width, from_height,
                                  box, out, width, height, (itemi_filter)filter, err);
    return status;
}

static item_status host_resize_part(void *user, const item_image *image, const double box[4],
                                    int32_t filter, uint32_t width, uint32_t height,
                                    const uint32_t part[4], uint8_t *out, item_error *err)
{
    const itemi_host *h = user;
    uint32_t from_width, from_height;
    item_status status = look(image, filter, &from_width, &from_height, err);
    if (status == ITEM_OK)
        status = itemi_resize_cut(&h->ctx->mem, item_image_pixels(image), from_width, from_height,
                                  box, width, height, (itemi_filter)filter, part, out, err);
    return status;
}

static item_status host_resize_square(void *user, const item_image *image, const double box[4],
                                      uint32_t edge, double pad, float *out, item_error *err)
{
    const itemi_host *h = user;
    uint32_t width, height;
    image_size(image, &width, &height);
    return itemi_resize_square(&h->ctx->mem, item_image_pixels(image), width, height, box, edge,
                               pad, out, err);
}

_Static_assert(ITEM_FILTER_BILINEAR == ITEMI_FILTER_BILINEAR, "same numbers inside and outside");
_Static_assert(ITEM_FILTER_BICUBIC == ITEMI_FILTER_BICUBIC, "same numbers inside and outside");
_Static_assert(ITEM_FILTER_LANCZOS == ITEMI_FILTER_LANCZOS, "same numbers inside and outside");
_Static_assert(ITEM_DTYPE_F64 == ITEMI_F64 && ITEM_DTYPE_BOOL == ITEMI_BOOL, "same numbers");

void itemi_host_pictures(item_services *services)
{
    services->resize = host_resize;
    services->image_size = image_size;
    services->resize_part = host_resize_part;
    services->resize_square = host_resize_square;
}
