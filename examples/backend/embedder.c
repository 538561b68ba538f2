/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An embedder: for a picture the shares of its colours; for a text the colours that it names, in
 * the same numbers, and its other words by a hash in numbers of their own.
 */
#include "colours.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 64, WORDS = WIDTH - COLOURS };

static void make_unit(float *v)
{
    double sum = 0;
    for (size_t i = 0; i < WIDTH; i++)
        sum += (double)v[i] * (double)v[i];
    for (size_t i = 0; i < WIDTH; i++)
        v[i] = (float)((double)v[i] / sqrt(sum));
}

/* The pixels that a box touches: one at least. */
static area touched(const item_crop *crop, const view *v)
{
    area a = {(uint32_t)floor(crop->box[0]), (uint32_t)floor(crop->box[1]),
              (uint32_t)ceil(crop->box[2]), (uint32_t)ceil(crop->box[3])};
    a.x1 = a.x1 < v->width ? a.x1 : v->width;
    a.y1 = a.y1 < v->height ? a.y1 : v->height;
    return a;
}

static item_status embed_images(void *self, const item_call *call, const item_crop *const *crops,
                                size_t n, float *out, item_error *err)
{
    for (size_t i = 0; i < n; i++) {
        float *row = out + i * WIDTH;
        uint64_t counts[COLOURS];
        view v;
        item_status status = look_at(crops[i]->image, &v, err);
        if (status == ITEM_OK)
            status = count_colours(self, call, &v, touched(crops[i], &v), counts);
        if (status != ITEM_OK)
            return status;
        memset(row, 0, WIDTH * sizeof *row);
        for (size_t c = 0; c < COLOURS; c++)
            row[c] = (float)counts[c];
        make_unit(row);
    }
    return ITEM_OK;
}

static size_t hash(const char *word, size_t length)
{
    uint32_t value = 2166136261u;
    for (size_t i = 0; i < length; i++)
        value = (value ^ (unsigned char)word[i]) * 16777619u;
    return value % (WORDS - 1);
}

static item_status embed_texts(void *self, const item_call *call, const char *const *texts,
                               size_t n, float *out, item_error *err)
{
    (void)self;
    (void)err;
    for (size_t i = 0; i < n; i++) {
        float *row = out + i * WIDTH;
        const char *at = texts[i], *word;
        size_t length;
        if (call->cancelled(call->host))
            return ITEM_E_CANCELLED;
        memset(row, 0, WIDTH * sizeof *row);
        row[WIDTH - 1] = 0.1f; /* so that a text without words has a direction, too */
        while ((length = next_word(&at, &word)) > 0) {
            size_t colour = colour_of_word(word, length);
            if (colour < COLOURS)
                row[colour] += 1.0f;
            else
                row[COLOURS + hash(word, length)] += 0.3f;
        }
        make_unit(row);
    }
    return ITEM_OK;
}

const item_embedder_ops *open_embedder(const char *settings, void **self, item_error *err)
{
    static const item_embedder_ops ops = {
        .struct_size = sizeof ops,
        .version = ITEM_BACKEND_VERSION,
        .name = "colours",
        .id = "1",
        .width = WIDTH,
        .embed_images = embed_images,
        .embed_texts = embed_texts,
        .close = close_palette,
    };
    *self = open_palette(settings, err);
    return *self ? &ops : NULL;
}
