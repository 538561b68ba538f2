/* SPDX-License-Identifier: Apache-2.0 */
/* Eleven colours with their names, and how many pixels have them. */
#include "colours.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int rgb[3];
} colours[COLOURS] = {
    {"black", {20, 20, 20}},   {"white", {240, 240, 240}}, {"grey", {128, 128, 128}},
    {"red", {200, 30, 30}},    {"orange", {240, 140, 30}}, {"yellow", {240, 220, 40}},
    {"green", {40, 150, 50}},  {"blue", {40, 80, 200}},    {"purple", {130, 50, 150}},
    {"pink", {240, 150, 180}}, {"brown", {110, 70, 40}},
};

const char *colour_name(size_t colour)
{
    return colours[colour].name;
}

size_t colour_of_word(const char *word, size_t length)
{
    size_t i = 0;
    while (i < COLOURS &&
           (strlen(colours[i].name) != length || memcmp(colours[i].name, word, length) != 0))
        i++;
    return i;
}

size_t next_word(const char **at, const char **word)
{
    static const char between[] = " \t\r\n.,;:!?'\"()-";
    *word = *at + strspn(*at, between);
    size_t length = strcspn(*word, between);
    *at = *word + length;
    return length;
}

static size_t nearest(const int rgb[3])
{
    size_t best = 0;
    long least = 1L << 30;
    for (size_t i = 0; i < COLOURS; i++) {
        long distance = 0;
        for (size_t c = 0; c < 3; c++) {
            long d = rgb[c] - colours[i].rgb[c];
            distance += d * d;
        }
        if (distance < least) {
            least = distance;
            best = i;
        }
    }
    return best;
}

item_status look_at(const item_image *image, view *out, item_error *err)
{
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    item_status status = item_image_get_info(image, &info, err);
    out->rgb = item_image_pixels(image);
    out->width = info.width;
    out->height = info.height;
    return status;
}

size_t colour_of_pixel(const palette *p, const view *v, uint32_t x, uint32_t y)
{
    const uint8_t *rgb = v->rgb + ((size_t)y * v->width + x) * 3;
    return p->nearest[(rgb[0] >> 4) * LEVELS * LEVELS + (rgb[1] >> 4) * LEVELS + (rgb[2] >> 4)];
}

item_status count_colours(const palette *p, const item_call *call, const view *v, area a,
                          uint64_t counts[COLOURS])
{
    memset(counts, 0, COLOURS * sizeof counts[0]);
    for (uint32_t y = a.y0; y < a.y1; y++) {
        if (call->cancelled(call->host))
            return ITEM_E_CANCELLED;
        for (uint32_t x = a.x0; x < a.x1; x++)
            counts[colour_of_pixel(p, v, x, y)]++;
    }
    return ITEM_OK;
}

item_status fail(item_error *err, item_status status, const char *reason)
{
    err->code = status;
    snprintf(err->message, sizeof err->message, "%s", reason);
    return status;
}

palette *open_palette(const char *settings, item_error *err)
{
    if (settings && *settings) {
        fail(err, ITEM_E_ARGUMENT, "colours have no settings");
        return NULL;
    }
    palette *p = malloc(sizeof *p);
    if (!p) {
        fail(err, ITEM_E_MEMORY, "no memory for the palette");
        return NULL;
    }
    for (int i = 0; i < LEVELS * LEVELS * LEVELS; i++) {
        int step = 256 / LEVELS;
        int rgb[3] = {i / (LEVELS * LEVELS), i / LEVELS % LEVELS, i % LEVELS};
        for (size_t c = 0; c < 3; c++)
            rgb[c] = rgb[c] * step + step / 2;
        p->nearest[i] = (uint8_t)nearest(rgb);
    }
    return p;
}

void close_palette(void *self)
{
    free(self);
}
