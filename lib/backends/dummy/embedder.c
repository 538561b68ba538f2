/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An embedder without a model. Half of a vector comes of colour or of words, so that like things
 * get like vectors; the other half comes of every byte, so that unlike ones differ.
 */
#include <math.h>
#include <string.h>

#include "backends/dummy/dummy.h"

#define WIDTH 32
#define HALF  (WIDTH / 2)

static void unit(float *v)
{
    double square = 0;
    for (size_t i = 0; i < WIDTH; i++)
        square += (double)v[i] * (double)v[i];
    double scale = 1 / sqrt(square); /* the second half is never zero */
    for (size_t i = 0; i < WIDTH; i++)
        v[i] = (float)((double)v[i] * scale);
}

static void scatter(uint64_t state, float *out)
{
    for (size_t i = 0; i < HALF; i++)
        out[i] = (float)(itemi_dummy_next(&state) - 0.5);
}

static uint32_t clamp(double value, uint32_t low, uint32_t high)
{
    return value <= low ? low : value >= high ? high : (uint32_t)value;
}

/* First half: mean colour of a grid of 5 fields; second half: hash of the rows. */
static item_status embed_crop(const item_crop *crop, float *out, item_error *err)
{
    itemi_dummy_pixels pixels;
    item_status status = itemi_dummy_look(crop->image, &pixels, err);
    if (status != ITEM_OK)
        return status;
    uint32_t x0 = clamp(crop->box[0], 0, pixels.width - 1);
    uint32_t y0 = clamp(crop->box[1], 0, pixels.height - 1);
    uint32_t x1 = clamp(ceil(crop->box[2]), x0 + 1, pixels.width);
    uint32_t y1 = clamp(ceil(crop->box[3]), y0 + 1, pixels.height);

    double sum[HALF] = {0};
    uint64_t hash = 0;
    for (uint32_t y = y0; y < y1; y++) {
        const uint8_t *row = pixels.rgb + ((size_t)y * pixels.width + x0) * 3;
        size_t bytes = (size_t)(x1 - x0) * 3;
        hash = itemi_dummy_hash(row, bytes, hash);
        size_t field = (size_t)(y - y0) * 5 / (y1 - y0);
        for (size_t i = 0; i < bytes; i++)
            sum[field * 3 + i % 3] += row[i];
    }
    double area = (double)(x1 - x0) * (double)(y1 - y0) * 255;
    for (size_t i = 0; i < HALF; i++)
        out[i] = (float)(sum[i] / area);
    scatter(hash, out + HALF);
    unit(out);
    return ITEM_OK;
}

/* First half: a bag of words; second half: hash of the whole text. */
static void embed_text(const char *text, float *out)
{
    memset(out, 0, HALF * sizeof *out);
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, " ");
        if (length)
            out[itemi_dummy_hash(at, length, 3) % HALF] += 0.5f;
        at += length + strspn(at + length, " ");
    }
    scatter(itemi_dummy_hash(text, strlen(text), 4), out + HALF);
    unit(out);
}

static item_status embed_images(void *self, const item_call *call, const item_crop *const *crops,
                                size_t n, float *out, item_error *err)
{
    (void)self;
    for (size_t i = 0; i < n; i++) {
        if (call->cancelled(call->host))
            return ITEM_E_CANCELLED;
        item_status status = embed_crop(crops[i], out + i * WIDTH, err);
        if (status != ITEM_OK)
            return status;
    }
    return ITEM_OK;
}

static item_status embed_texts(void *self, const item_call *call, const char *const *texts,
                               size_t n, float *out, item_error *err)
{
    (void)self;
    (void)err;
    for (size_t i = 0; i < n; i++) {
        if (call->cancelled(call->host))
            return ITEM_E_CANCELLED;
        embed_text(texts[i], out + i * WIDTH);
    }
    return ITEM_OK;
}

const item_embedder_ops *item_dummy_embedder(void)
{
    static const item_embedder_ops ops = {
        .struct_size = sizeof ops,
        .version = ITEM_BACKEND_VERSION,
        .name = "dummy",
        .id = ITEMI_DUMMY_ID,
        .width = WIDTH,
        .embed_images = embed_images,
        .embed_texts = embed_texts,
    };
    return &ops;
}
