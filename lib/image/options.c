/* SPDX-License-Identifier: Apache-2.0 */
/* Limits and habits of a decode, warnings, and the checks before anything large is allocated. */
#include "image/decode.h"

#include <inttypes.h>
#include <string.h>

#include "image/image.h"

#define DEFAULT_PIXELS     UINT64_C(100000000)
#define DEFAULT_FILE_BYTES (UINT64_C(256) << 20)
#define DEFAULT_MEMORY     (UINT64_C(1) << 30)
#define DEFAULT_SCANS      64

/* Size of item_image_options in its first version. */
#define LEAST_OPTIONS_SIZE (offsetof(item_image_options, cancel) + sizeof(item_cancel *))

void itemi_image_defaults(item_image_options *options)
{
    if (options->max_pixels == 0)
        options->max_pixels = DEFAULT_PIXELS;
    if (options->max_file_bytes == 0)
        options->max_file_bytes = DEFAULT_FILE_BYTES;
    if (options->max_decode_bytes == 0)
        options->max_decode_bytes = DEFAULT_MEMORY;
    if (options->max_scans == 0)
        options->max_scans = DEFAULT_SCANS;
}

item_status itemi_decode_init(itemi_decode *d, const item_image_options *options, item_error *err)
{
    memset(d, 0, sizeof *d);
    d->err = err;
    item_image_options *o = &d->options;
    if (options) {
        item_status status =
            itemi_struct_in(o, sizeof *o, LEAST_OPTIONS_SIZE, options, "item_image_options", err);
        if (status == ITEM_OK)
            status = itemi_mem_init(&d->mem, o->allocator, err);
        if (status != ITEM_OK)
            return status;
    }
    if (o->flags & ~ITEM_IMAGE_ACCEPT_TRUNCATED)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_image_options: unknown flags 0x%" PRIx32,
                          o->flags & ~ITEM_IMAGE_ACCEPT_TRUNCATED);
    if (o->reserved)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_image_options: reserved must be 0");
    itemi_image_defaults(o);
    return ITEM_OK;
}

void itemi_warn(itemi_decode *d, const char *what, const char *detail)
{
    if (d->warning[0])
        return;
    size_t used = itemi_escape(d->warning, sizeof d->warning, what);
    if (detail) {
        used += itemi_escape(d->warning + used, sizeof d->warning - used, ": ");
        itemi_escape(d->warning + used, sizeof d->warning - used, detail);
    }
}

uint32_t itemi_channels(itemi_samples samples)
{
    switch (samples) {
    case ITEMI_SAMPLES_GREY:
        return 1;
    case ITEMI_SAMPLES_GREY_ALPHA:
        return 2;
    case ITEMI_SAMPLES_RGB:
        return 3;
    case ITEMI_SAMPLES_RGBA:
    case ITEMI_SAMPLES_BGRA:
    case ITEMI_SAMPLES_CMYK:
        break;
    }
    return 4;
}

item_status itemi_check_pixels(itemi_decode *d, uint64_t width, uint64_t height)
{
    uint64_t pixels;
    bool overflow = __builtin_mul_overflow(width, height, &pixels);
    if (overflow || pixels > d->options.max_pixels)
        return itemi_fail(d->err, ITEM_E_LIMIT,
                          "%" PRIu64 " x %" PRIu64 " pixels are more than the limit of %" PRIu64,
                          width, height, d->options.max_pixels);
    return ITEM_OK;
}

bool itemi_finished_in_place(const itemi_raster *raster)
{
    return raster->samples == ITEMI_SAMPLES_RGB && raster->orientation == 1;
}

item_status itemi_check_memory(itemi_decode *d, const itemi_raster *raster, uint64_t working)
{
    uint64_t pixels = (uint64_t)raster->width * raster->height; /* both below 2^31 */
    uint64_t stored = itemi_channels(raster->samples) * pixels;
    uint64_t finish = itemi_finished_in_place(raster) ? 0 : 3 * pixels;
    uint64_t beside = working > finish ? working : finish, need;
    if (!__builtin_add_overflow(stored, beside, &need) && need <= d->options.max_decode_bytes)
        return ITEM_OK;
    return itemi_fail(d->err, ITEM_E_LIMIT,
                      "decoding %" PRIu32 " x %" PRIu32
                      " pixels needs %.1f MB of memory, the limit is %.1f MB",
                      raster->width, raster->height, ((double)stored + (double)beside) / 1e6,
                      (double)d->options.max_decode_bytes / 1e6);
}

item_status itemi_raster_alloc(itemi_decode *d, itemi_raster *raster)
{
    size_t row, total;
    if (itemi_mul_overflows(raster->width, itemi_channels(raster->samples), &row) ||
        itemi_mul_overflows(row, raster->height, &total))
        return itemi_fail_memory(d->err, "decoding a picture");
    raster->data = itemi_alloc(&d->mem, total);
    return raster->data ? ITEM_OK : itemi_fail_memory(d->err, "decoding a picture");
}

void itemi_raster_free(itemi_decode *d, itemi_raster *raster)
{
    itemi_free(&d->mem, raster->data);
    itemi_free(&d->mem, raster->icc);
    raster->data = NULL;
    raster->icc = NULL;
}
