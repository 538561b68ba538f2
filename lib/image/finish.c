/* SPDX-License-Identifier: Apache-2.0 */
/* From a decoded raster to the picture: colour, white behind transparency, upright. */
#include "image/decode.h"

/* Rows that are converted before they are put in place: a turned row is scattered over the
 * picture, and so many of them together fill whole cache lines. */
#define STRIP 32

/* Where pixel (0, 0) of the raster goes, and how far a step to the right or down leads there. */
typedef struct placing {
    ptrdiff_t origin, right, down; /* in pixels */
} placing;

static placing place(uint32_t orientation, uint32_t raster_width, uint32_t raster_height)
{
    ptrdiff_t w = raster_width, h = raster_height;
    switch (orientation) {
    case 2:
        return (placing){w - 1, -1, w};
    case 3:
        return (placing){w * h - 1, -1, -w};
    case 4:
        return (placing){w * (h - 1), 1, -w};
    case 5:
        return (placing){0, h, 1};
    case 6:
        return (placing){h - 1, h, -1};
    case 7:
        return (placing){w * h - 1, -h, -1};
    case 8:
        return (placing){(w - 1) * h, -h, 1};
    default:
        return (placing){0, 1, w};
    }
}

static void copy_pixel(uint8_t *to, const uint8_t *from)
{
    to[0] = from[0];
    to[1] = from[1];
    to[2] = from[2];
}

/* Puts rows y to y + rows - 1, which stand in `strip`, at their place in dst. */
static void put_strip(const placing *p, const uint8_t *strip, uint32_t width, uint32_t y,
                      uint32_t rows, uint8_t *dst)
{
    uint8_t *start = dst + 3 * (p->origin + p->down * (ptrdiff_t)y);
    bool turned = p->right != 1 && p->right != -1;
    if (!turned) {
        for (uint32_t i = 0; i < rows; i++) {
            for (uint32_t x = 0; x < width; x++)
                copy_pixel(start + 3 * (p->down * (ptrdiff_t)i + p->right * (ptrdiff_t)x),
                           strip + 3 * ((size_t)i * width + x));
        }
        return;
    }
    for (uint32_t x = 0; x < width; x++) {
        for (uint32_t i = 0; i < rows; i++)
            copy_pixel(start + 3 * (p->down * (ptrdiff_t)i + p->right * (ptrdiff_t)x),
                       strip + 3 * ((size_t)i * width + x));
    }
}

/* Converts and places all rows. dst is the raster's own data where that works in place. */
static item_status convert(itemi_decode *d, const itemi_raster *raster, const itemi_colour *colour,
                           uint8_t *strip, uint8_t *dst)
{
    size_t row = (size_t)raster->width * itemi_channels(raster->samples);
    placing p = place(raster->orientation, raster->width, raster->height);
    for (uint32_t y = 0; y < raster->height; y += STRIP) {
        if (itemi_cancelled(d->options.cancel))
            return itemi_fail_cancelled(d->err);
        uint32_t left = raster->height - y, rows = left < STRIP ? left : STRIP;
        for (uint32_t i = 0; i < rows; i++) {
            size_t at = (size_t)(raster->orientation == 1 ? y + i : i) * raster->width * 3;
            uint8_t *to = raster->orientation == 1 ? dst : strip;
            itemi_colour_row(colour, raster->data + (y + i) * row, to + at, raster->width);
        }
        if (raster->orientation != 1)
            put_strip(&p, strip, raster->width, y, rows, dst);
    }
    return ITEM_OK;
}

/* Runs the conversion into *dst; what is allocated for it besides is freed again. */
static item_status convert_all(itemi_decode *d, const itemi_raster *raster, bool *has_icc,
                               uint8_t *dst)
{
    uint8_t *strip = NULL;
    if (raster->orientation != 1) {
        strip = itemi_alloc_array(&d->mem, raster->width, 3 * STRIP);
        if (!strip)
            return itemi_fail_memory(d->err, "turning a picture");
    }
    itemi_colour colour;
    item_status status = itemi_colour_open(&colour, d, raster);
    *has_icc = colour.profile != NULL;
    if (status == ITEM_OK)
        status = convert(d, raster, &colour, strip, dst);
    itemi_colour_close(&colour);
    itemi_free(&d->mem, strip);
    return status;
}

static item_image_info describe(const itemi_raster *raster, bool has_icc)
{
    bool turned = raster->orientation >= 5;
    return (item_image_info){.width = turned ? raster->height : raster->width,
                             .height = turned ? raster->width : raster->height,
                             .orientation = raster->orientation,
                             .channels = raster->channels,
                             .bits = raster->bits,
                             .has_icc = has_icc,
                             .truncated = raster->truncated,
                             .kind = raster->kind};
}

item_status itemi_finish(itemi_decode *d, itemi_raster *raster, item_image **out)
{
    bool has_icc = false, in_place = itemi_finished_in_place(raster);
    uint8_t *dst = raster->data;
    if (!in_place) {
        dst = itemi_alloc_array(&d->mem, (size_t)raster->width * raster->height, 3);
        if (!dst) {
            itemi_raster_free(d, raster);
            return itemi_fail_memory(d->err, "converting a picture");
        }
    }
    item_status status = convert_all(d, raster, &has_icc, dst);
    if (in_place)
        raster->data = NULL; /* it is dst now */
    itemi_raster_free(d, raster);

    if (status == ITEM_OK) {
        item_image_info info = describe(raster, has_icc);
        *out = itemi_image_new(&d->mem, &info, dst, d->warning);
        if (!*out)
            status = itemi_fail_memory(d->err, "making a picture");
    }
    if (status != ITEM_OK)
        itemi_free(&d->mem, dst);
    return status;
}
