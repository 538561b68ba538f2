/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EfficientNet-Lite: the image encoder that captioner and embedder share. From 224 x 224 pixels
 * to a grid of 7 x 7 places with 1,280 numbers each.
 */
#include "nets.h"

#include <string.h>

#define CHUNK 4 /* pictures at a time: their largest layer stays in the caches (see below) */

/* Zeros around the picture as TensorFlow's "same" sets them: what is odd goes after. */
static void pad_same(itx_conv_shape *s, int64_t n, int64_t k)
{
    const int64_t reach = ((n + s->stride - 1) / s->stride - 1) * s->stride + k - n;
    const int64_t total = reach > 0 ? reach : 0;
    s->top = s->left = total / 2;
    s->bottom = s->right = total - total / 2;
}

static itx_tensor *conv_same(itx_run *run, itx_tensor *x, const itx_affine *weights, int64_t stride,
                             int64_t groups, itx_act act)
{
    itx_conv_shape shape = {.stride = stride, .groups = groups, .act = act};
    pad_same(&shape, itx->size(x, 2), itx->size(weights->w, 2));
    return itx->conv(run, x, weights->w, weights->b, &shape);
}

static itx_tensor *block(itx_run *run, const itx_encoder_block *b, itx_tensor *x)
{
    itx_tensor *y = x;
    if (b->expand.w)
        y = conv_same(run, y, &b->expand, 1, 1, ITX_RELU6);
    y = conv_same(run, y, &b->depthwise, b->stride, itx->size(b->depthwise.w, 0), ITX_RELU6);
    y = conv_same(run, y, &b->project, 1, 1, ITX_NONE);
    if (itx->size(x, 1) == itx->size(y, 1) && b->stride == 1)
        y = itx->add(run, y, x);
    return y;
}

/* [n, 49, 1280] */
static itx_tensor *encode_chunk(itx_run *run, const itx_encoder *e, const float *pixels, size_t n)
{
    const int64_t edge = e->pixels.edge;
    const size_t start = itx->mark(run);
    itx_tensor *x = itx->pictures(run, pixels, &(itx_shape){4, {(int64_t)n, 3, edge, edge}});
    x = conv_same(run, x, &e->stem, e->stem_stride, 1, ITX_RELU6);
    for (size_t i = 0; i < e->count; i++) {
        x = block(run, &e->blocks[i], x);
        itx->sweep(run, start, &x, 1);
    }
    x = conv_same(run, x, &e->head, 1, 1, ITX_RELU6);
    x = itx->reshape(run, x, &(itx_shape){3, {(int64_t)n, e->width, e->places}});
    x = itx->transpose(run, x, 1, 2);
    itx->sweep(run, start, &x, 1);
    return x;
}

itx_tensor *itx_encode(itx_run *run, const itx_encoder *e, const float *pixels, size_t n)
{
    itx_tensor *parts[ITX_BATCH];
    size_t count = 0;
    for (size_t i = 0; i < n; i += CHUNK) {
        const size_t some = n - i < CHUNK ? n - i : CHUNK;
        parts[count++] = encode_chunk(run, e, pixels + i * itx_pixels_count(&e->pixels), some);
    }
    return count == 1 ? parts[0] : itx->cat(run, parts, count, 0);
}

/* ---- weights ---- */

static void load_block(itx_loader *l, itx_encoder_block *b, int i, int64_t *width)
{
    int64_t wide = *width;
    if (itx_has(l, "blocks.%d.expand.weight", i)) {
        wide = itx_peek(l, 0, "blocks.%d.expand.weight", i);
        b->expand = itx_take_conv(l, wide, *width, 1, "blocks.%d.expand", i);
    }
    const int64_t edge = itx_peek(l, 2, "blocks.%d.dw.weight", i);
    b->depthwise = itx_take_conv(l, wide, 1, edge, "blocks.%d.dw", i);
    *width = itx_peek(l, 0, "blocks.%d.project.weight", i);
    b->project = itx_take_conv(l, *width, wide, 1, "blocks.%d.project", i);
}

/* Places of the grid: the edge halved, rounded up, by each stride of 2. */
static int64_t count_places(const itx_encoder *e)
{
    int64_t edge = ((int64_t)e->pixels.edge + e->stem_stride - 1) / e->stem_stride;
    for (size_t i = 0; i < e->count; i++)
        edge = (edge + e->blocks[i].stride - 1) / e->blocks[i].stride;
    return edge * edge;
}

/* How pictures are prepared stands in the file's metadata. */
static void load_pixels(itx_loader *l, itx_pixels *p)
{
    double mean[3], deviation[3], edge;
    if (itx_numbers(itx_meta(l, "input_size"), &edge, 1) != 1 || edge < 32 || edge > 1024 ||
        itx_numbers(itx_meta(l, "mean"), mean, 3) != 3 ||
        itx_numbers(itx_meta(l, "std"), deviation, 3) != 3) {
        itx_loader_fail(l, ITEM_E_PACK, "metadata lacks input_size, mean or std");
        return;
    }
    const bool cubic = strcmp(itx_meta(l, "resize"), "bilinear") != 0;
    itx_pixels_init(p, (uint32_t)edge, cubic ? ITEM_FILTER_BICUBIC : ITEM_FILTER_BILINEAR, mean,
                    deviation);
}

static void load(itx_loader *l, void *model)
{
    itx_encoder *e = model;
    double strides[ITX_ENCODER_BLOCKS], stem_stride;
    e->count = itx_numbers(itx_meta(l, "strides"), strides, ITX_ENCODER_BLOCKS);
    if (e->count == 0 || itx_numbers(itx_meta(l, "stem_stride"), &stem_stride, 1) != 1)
        itx_loader_fail(l, ITEM_E_PACK, "metadata lacks strides or stem_stride");
    load_pixels(l, &e->pixels);
    if (itx_loader_failed(l))
        return;
    e->stem_stride = stem_stride == 1.0 ? 1 : 2;
    int64_t width = itx_peek(l, 0, "stem.weight");
    e->stem = itx_take_conv(l, width, 3, itx_peek(l, 2, "stem.weight"), "stem");
    for (size_t i = 0; i < e->count; i++) {
        e->blocks[i].stride = strides[i] == 2.0 ? 2 : 1;
        load_block(l, &e->blocks[i], (int)i, &width);
    }
    e->width = itx_peek(l, 0, "head.weight");
    e->head = itx_take_conv(l, e->width, width, 1, "head");
    e->places = count_places(e);
}

const itx_kind itx_encoder_kind = {"efficientnet-lite", sizeof(itx_encoder), load};
