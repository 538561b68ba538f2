/* SPDX-License-Identifier: Apache-2.0 */
/* From stored samples to RGB on white. */
#include <string.h>

#include "image/decode.h"

item_status itemi_colour_open(itemi_colour *colour, itemi_decode *d, const itemi_raster *raster)
{
    *colour = (itemi_colour){.samples = raster->samples};
    return raster->icc ? itemi_profile_open(d, raster, &colour->profile) : ITEM_OK;
}

void itemi_colour_close(itemi_colour *colour)
{
    itemi_profile_close(colour->profile);
    *colour = (itemi_colour){0};
}

/* x / 255, rounded to nearest, for x up to 255 x 255. */
static inline uint8_t divide_255(uint32_t x)
{
    x += 128;
    return (uint8_t)((x + (x >> 8)) >> 8);
}

static void grey_to_rgb(const uint8_t *row, uint32_t step, uint8_t *rgb, uint32_t width)
{
    for (uint32_t x = 0; x < width; x++) {
        uint8_t grey = row[x * step];
        rgb[3 * x] = grey;
        rgb[3 * x + 1] = grey;
        rgb[3 * x + 2] = grey;
    }
}

/* Drops the fourth sample; `red` and `blue` tell where these stand. */
static void four_to_rgb(const uint8_t *row, uint32_t red, uint32_t blue, uint8_t *rgb,
                        uint32_t width)
{
    for (uint32_t x = 0; x < width; x++) {
        rgb[3 * x] = row[4 * x + red];
        rgb[3 * x + 1] = row[4 * x + 1];
        rgb[3 * x + 2] = row[4 * x + blue];
    }
}

/* Without a profile: each ink takes away from what black leaves. */
static void cmyk_to_rgb(const uint8_t *row, uint8_t *rgb, uint32_t width)
{
    for (uint32_t x = 0; x < width; x++) {
        uint32_t light = 255u - row[4 * x + 3];
        for (uint32_t c = 0; c < 3; c++)
            rgb[3 * x + c] = (uint8_t)(light - divide_255(row[4 * x + c] * light));
    }
}

static void plain_row(itemi_samples samples, const uint8_t *row, uint8_t *rgb, uint32_t width)
{
    switch (samples) {
    case ITEMI_SAMPLES_GREY:
    case ITEMI_SAMPLES_GREY_ALPHA:
        grey_to_rgb(row, itemi_channels(samples), rgb, width);
        break;
    case ITEMI_SAMPLES_RGB:
        if (row != rgb)
            memcpy(rgb, row, (size_t)3 * width);
        break;
    case ITEMI_SAMPLES_RGBA:
        four_to_rgb(row, 0, 2, rgb, width);
        break;
    case ITEMI_SAMPLES_BGRA:
        four_to_rgb(row, 2, 0, rgb, width);
        break;
    case ITEMI_SAMPLES_CMYK:
        cmyk_to_rgb(row, rgb, width);
        break;
    }
}

/* (colour x alpha + 255 x (255 - alpha)) / 255, rounded to nearest. `alpha` steps with channels. */
static void put_on_white(const uint8_t *alpha, uint32_t step, uint8_t *rgb, uint32_t width)
{
    for (uint32_t x = 0; x < width; x++) {
        uint32_t a = alpha[x * step];
        for (uint32_t c = 0; c < 3; c++)
            rgb[3 * x + c] = divide_255(rgb[3 * x + c] * a + 255u * (255u - a));
    }
}

void itemi_colour_row(const itemi_colour *colour, const uint8_t *row, uint8_t *rgb, uint32_t width)
{
    if (colour->profile)
        itemi_profile_row(colour->profile, row, rgb, width);
    else
        plain_row(colour->samples, row, rgb, width);

    uint32_t channels = itemi_channels(colour->samples);
    if (channels == 2 || colour->samples == ITEMI_SAMPLES_RGBA ||
        colour->samples == ITEMI_SAMPLES_BGRA)
        put_on_white(row + channels - 1, channels, rgb, width);
}
