/* SPDX-License-Identifier: Apache-2.0 */
/* Decoded pictures and exact resizing; sees common alone. */
#ifndef ITEMI_IMAGE_H
#define ITEMI_IMAGE_H

#include <item/picture.h>
#include <item/provenance.h>
#include <item/result.h>

#include "common/common.h"

/* Puts its default in the place of each limit that is 0. */
void itemi_image_defaults(item_image_options *options);

/* Whether the first bytes of a file (a few hundred at least) are those of a picture that is read. */
bool itemi_is_picture(const uint8_t *bytes, size_t size);

/* Filters of Pillow, with its supports: 1, 2 and 3. */
typedef enum itemi_filter {
    ITEMI_FILTER_BILINEAR = 1,
    ITEMI_FILTER_BICUBIC = 2,
    ITEMI_FILTER_LANCZOS = 3
} itemi_filter;

/*
 * Resizes 8-bit RGB with antialiasing, byte for byte as Image.resize(size, filter, box) of
 * Pillow 13: two passes in fixed point, uint8 between, across first unless the height shrinks by
 * more than twice what the width does (Pillow 12.1: across first always).
 * `box` is x0, y0, x1, y1 in source pixels, not empty, rounded to float, or NULL for the whole
 * picture. dst holds dst_width x dst_height x 3 bytes.
 */
item_status itemi_resize_rgb(const itemi_mem *mem, const uint8_t *src, uint32_t src_width,
                             uint32_t src_height, const double *box, uint8_t *dst,
                             uint32_t dst_width, uint32_t dst_height, itemi_filter filter,
                             item_error *err);

/*
 * Of the same result, `width` x `height` pixels, only what lies in part: x0, y0, x1, y1. What it
 * takes depends on the part: a strip a pixel wide may be asked for the middle of millions of rows.
 */
item_status itemi_resize_part(const itemi_mem *mem, const uint8_t *src, uint32_t src_width,
                              uint32_t src_height, const double *box, uint32_t width,
                              uint32_t height, itemi_filter filter, const uint32_t part[4],
                              uint8_t *dst, item_error *err);

/* The same of a box of whole pixels that is cut out before: what lies around it does not count. */
item_status itemi_resize_cut(const itemi_mem *mem, const uint8_t *src, uint32_t src_width,
                             uint32_t src_height, const double cut[4], uint32_t width,
                             uint32_t height, itemi_filter filter, const uint32_t part[4],
                             uint8_t *dst, item_error *err);

/*
 * The way of OWLv2 to a picture of edge x edge pixels: made a square with `pad` (0 to 1) at the
 * right and below, smoothed with a Gaussian of sigma (side / edge - 1) / 2 where it is larger than
 * that, and read between pixels, linearly. Within 1e-5 of scipy's gaussian_filter() and zoom() in
 * mode "mirror". `box` is x0, y0, x1, y1, of whole pixels, or NULL. out receives RGB, 0 to 1.
 */
item_status itemi_resize_square(const itemi_mem *mem, const uint8_t *src, uint32_t src_width,
                                uint32_t src_height, const double *box, uint32_t edge, double pad,
                                float *out, item_error *err);

/*
 * Plain statistics of a picture's brightness Y = (77 R + 150 G + 29 B) / 256: mean; log of the
 * deviation; shares of neighbours that are equal, and that differ by at most 1 (stretched at their
 * ends); entropy of 32 levels; correlation 4 pixels apart; log of how unevenly roughness is spread.
 * NaN for a picture that is not wider and higher than 4 pixels. false: no memory.
 */
bool itemi_image_plain(const itemi_mem *mem, const item_image *image,
                       float out[ITEM_PLAIN_NUMBERS]);

/*
 * What a picture's file says of its origin; NULL where it says nothing or there was no file.
 * Belongs to the picture; a resized one has none.
 */
const item_provenance *itemi_image_provenance(const item_image *image);
/* A copy in other memory; NULL of NULL. false: no memory. */
bool itemi_provenance_copy(const itemi_mem *mem, const item_provenance *from,
                           item_provenance **out);

/*
 * Adds a JPEG of the picture to `out`, its longest side `edge` pixels (at most 65,500), or as it is
 * where it is smaller.
 */
item_status itemi_image_thumbnail(const item_image *image, uint32_t edge, itemi_buf *out,
                                  item_error *err);

/* A new picture, resized from (a box of) another; it keeps the facts and the warning of that. */
item_status itemi_image_resized(const itemi_mem *mem, const item_image *image, const double *box,
                                uint32_t width, uint32_t height, itemi_filter filter,
                                item_image **out, item_error *err);

#endif
