/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An embedder without a model. Half of a vector comes of colour or of words, so that like things
 * get like vectors; the other half comes of every byte, so that unlike ones differ.
 */
#include <math.h>
#include <string.h>

#include "backends/dummy/dummy.h"

#define WIDTH  32
#define HALF   (WIDTH / 2)
#define LAYERS 6 /* mean and standard deviation of red, green and blue */

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

/* The pixels that a crop touches. */
typedef struct part {
    const uint8_t *first;
    size_t stride, bytes; /* of a row */
    uint32_t rows;
} part;

static item_status look(const item_crop *crop, part *out, item_error *err)
{
    itemi_dummy_pixels pixels;
    item_status status = itemi_dummy_look(crop->image, &pixels, err);
    if (status != ITEM_OK)
        return status;
    uint32_t x0 = clamp(crop->box[0], 0, pixels.width - 1);
    uint32_t y0 = clamp(crop->box[1], 0, pixels.height - 1);
    uint32_t x1 = clamp(ceil(crop->box[2]), x0 + 1, pixels.width);
    uint32_t y1 = clamp(ceil(crop->box[3]), y0 + 1, pixels.height);
    *out = (part){.first = pixels.rgb + ((size_t)y0 * pixels.width + x0) * 3,
                  .stride = (size_t)pixels.width * 3,
                  .bytes = (size_t)(x1 - x0) * 3,
                  .rows = y1 - y0};
    return ITEM_OK;
}

/* First half: mean colour of a grid of 5 fields; second half: hash of the rows. */
static void embed_part(const part *p, float *out)
{
    double sum[HALF] = {0};
    uint64_t hash = 0;
    for (uint32_t y = 0; y < p->rows; y++) {
        const uint8_t *row = p->first + y * p->stride;
        hash = itemi_dummy_hash(row, p->bytes, hash);
        size_t field = (size_t)y * 5 / p->rows;
        for (size_t i = 0; i < p->bytes; i++)
            sum[field * 3 + i % 3] += row[i];
    }
    double area = (double)p->bytes / 3 * (double)p->rows * 255;
    for (size_t i = 0; i < HALF; i++)
        out[i] = (float)(sum[i] / area);
    scatter(hash, out + HALF);
    unit(out);
}

static void layers_of(const part *p, float out[LAYERS])
{
    uint64_t sum[3] = {0}, squares[3] = {0}; /* of whole numbers: exact */
    for (uint32_t y = 0; y < p->rows; y++) {
        const uint8_t *row = p->first + y * p->stride;
        for (size_t i = 0; i < p->bytes; i++) {
            sum[i % 3] += row[i];
            squares[i % 3] += (uint64_t)row[i] * row[i];
        }
    }
    const double count = (double)p->bytes / 3 * (double)p->rows;
    for (size_t c = 0; c < 3; c++) {
        const double mean = (double)sum[c] / count, square = (double)squares[c] / count;
        out[c] = (float)mean;
        out[3 + c] = (float)sqrt(fmax(square - mean * mean, 0));
    }
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

/* layers: NULL where they are not asked for. */
static item_status embed_layers(void *self, const item_call *call, const item_crop *const *crops,
                                size_t n, float *out, float *layers, item_error *err)
{
    (void)self;
    for (size_t i = 0; i < n; i++) {
        part p;
        if (call->cancelled(call->host))
            return ITEM_E_CANCELLED;
        item_status status = look(crops[i], &p, err);
        if (status != ITEM_OK)
            return status;
        embed_part(&p, out + i * WIDTH);
        if (layers)
            layers_of(&p, layers + i * LAYERS);
    }
    return ITEM_OK;
}

static item_status embed_images(void *self, const item_call *call, const item_crop *const *crops,
                                size_t n, float *out, item_error *err)
{
    return embed_layers(self, call, crops, n, out, NULL, err);
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
        .layers_width = LAYERS,
        .embed_layers = embed_layers,
    };
    return &ops;
}
