/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures from pixels that the caller has decoded. */
#include <inttypes.h>

#include "image/decode.h"

static bool samples_of(int32_t format, itemi_samples *out)
{
    switch (format) {
    case ITEM_PIXELS_RGB:
        *out = ITEMI_SAMPLES_RGB;
        return true;
    case ITEM_PIXELS_RGBA:
        *out = ITEMI_SAMPLES_RGBA;
        return true;
    case ITEM_PIXELS_BGRA:
        *out = ITEMI_SAMPLES_BGRA;
        return true;
    case ITEM_PIXELS_GREY:
        *out = ITEMI_SAMPLES_GREY;
        return true;
    default:
        return false;
    }
}

/* Sizes that fit together and into memory. */
static item_status check(itemi_decode *d, uint32_t width, uint32_t height, size_t stride,
                         itemi_samples samples)
{
    if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX)
        return itemi_fail(d->err, ITEM_E_ARGUMENT,
                          "item_image_from_pixels: %" PRIu32 " x %" PRIu32 " pixels", width,
                          height);
    size_t row, total;
    if (itemi_mul_overflows(width, itemi_channels(samples), &row) || stride < row)
        return itemi_fail(d->err, ITEM_E_ARGUMENT,
                          "item_image_from_pixels: a stride of %zu bytes is too small for %" PRIu32
                          " pixels",
                          stride, width);
    if (itemi_mul_overflows(stride, height, &total))
        return itemi_fail(d->err, ITEM_E_ARGUMENT,
                          "item_image_from_pixels: a stride of %zu bytes is too large", stride);
    return itemi_check_pixels(d, width, height);
}

static item_status copy_rows(itemi_decode *d, const uint8_t *pixels, size_t stride,
                             const item_image_info *info, itemi_samples samples, uint8_t *dst)
{
    itemi_colour colour = {.samples = samples};
    for (uint32_t y = 0; y < info->height; y++) {
        if (itemi_cancelled(d->options.cancel))
            return itemi_fail_cancelled(d->err);
        itemi_colour_row(&colour, pixels + y * stride, dst + (size_t)y * info->width * 3,
                         info->width);
    }
    return ITEM_OK;
}

static item_status make(itemi_decode *d, const uint8_t *pixels, size_t stride,
                        itemi_samples samples, const item_image_info *info, item_image **out)
{
    size_t count = (size_t)info->width * info->height; /* rows of at least as many bytes exist */
    uint8_t *dst = itemi_alloc_array(&d->mem, count, 3);
    if (!dst)
        return itemi_fail_memory(d->err, "copying pixels");
    item_status status = copy_rows(d, pixels, stride, info, samples, dst);
    if (status == ITEM_OK) {
        *out = itemi_image_new(&d->mem, info, dst, NULL);
        if (!*out)
            status = itemi_fail_memory(d->err, "copying pixels");
    }
    if (status != ITEM_OK)
        itemi_free(&d->mem, dst);
    return status;
}

item_status item_image_from_pixels(const void *pixels, int32_t format, uint32_t width,
                                   uint32_t height, size_t stride,
                                   const item_image_options *options, item_image **out,
                                   item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!out)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_image_from_pixels: out is NULL");
    *out = NULL;
    if (!pixels)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_image_from_pixels: pixels is NULL");
    itemi_samples samples;
    if (!samples_of(format, &samples))
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_image_from_pixels: unknown format %" PRId32,
                          format);
    itemi_decode d;
    item_status status = itemi_decode_init(&d, options, err);
    if (status == ITEM_OK)
        status = check(&d, width, height, stride, samples);
    if (status != ITEM_OK)
        return status;
    item_image_info info = {.width = width,
                            .height = height,
                            .orientation = 1,
                            .channels = itemi_channels(samples),
                            .bits = 8,
                            .kind = "pixels"};
    return make(&d, pixels, stride, samples, &info, out);
}
