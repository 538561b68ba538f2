/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EfficientNet-Lite: the image encoder that captioner and embedder share. From 224 x 224 pixels
 * to a grid of 7 x 7 places with 1,280 numbers each.
 */
#include "nets.h"

#include <stdio.h>
#include <string.h>

/* Pictures at a time: more gain nothing, and of four the layers did not fit in what malloc keeps of
   a thread's memory: 20,000 page faults a call, and up to half of the time. */
#define CHUNK 3

static itx_tensor *conv(itx_run *run, itx_tensor *x, const itx_conv *c)
{
    return itx->conv(run, x, c->weights.w, c->weights.b, &c->shape);
}

static itx_tensor *block(itx_run *run, const itx_encoder_block *b, itx_tensor *x)
{
    itx_tensor *y = b->expand.weights.w ? conv(run, x, &b->expand) : x;
    y = conv(run, conv(run, y, &b->depthwise), &b->project);
    return b->adds ? itx->add(run, y, x) : y;
}

/* [n, places, width] */
static itx_tensor *encode_chunk(itx_run *run, const itx_encoder *e, const float *pixels, size_t n)
{
    const int64_t edge = e->pixels.edge;
    const size_t start = itx->mark(run);
    itx_tensor *x = itx->pictures(run, pixels, &(itx_shape){4, {(int64_t)n, edge, edge, 3}});
    x = conv(run, x, &e->stem);
    for (size_t i = 0; i < e->count; i++) {
        x = block(run, &e->blocks[i], x);
        itx->sweep(run, start, &x, 1);
    }
    x = conv(run, x, &e->head);
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

/*
 * A convolution whose zeros around the picture are TensorFlow's "same": what is odd goes after.
 * Then the kernel gets a row and a column of zeros before, and the picture as many zeros on every
 * side: the same sums, and no copy of the layer with zeros around it, which took longer than the
 * convolution. *edge is that of the picture, before and after.
 */
static itx_conv load_conv(itx_loader *l, const char *name, int64_t in, int64_t stride,
                          int64_t *edge, itx_act act)
{
    const int64_t out = itx_peek(l, 0, "%s.weight", name);
    const int64_t k = itx_peek(l, 2, "%s.weight", name);
    const int64_t after = (*edge + stride - 1) / stride, reach = (after - 1) * stride + k - *edge;
    const int64_t zeros = reach > 0 ? reach : 0, groups = in == 1 ? out : 1;
    itx_conv c = {.shape = {stride, groups, (zeros + 1) / 2, act}};
    c.weights = zeros % 2 != 0 ? itx_take_conv_wider(l, out, in, k, "%s", name)
                               : itx_take_conv(l, out, in, k, "%s", name);
    *edge = after;
    return c;
}

static void load_block(itx_loader *l, itx_encoder_block *b, int i, int64_t stride, int64_t *width,
                       int64_t *edge)
{
    char name[48];
    const int64_t came = *width;
    int64_t wide = came;
    if (itx_has(l, "blocks.%d.expand.weight", i)) {
        wide = itx_peek(l, 0, "blocks.%d.expand.weight", i);
        (void)snprintf(name, sizeof name, "blocks.%d.expand", i);
        b->expand = load_conv(l, name, came, 1, edge, ITX_RELU6);
    }
    (void)snprintf(name, sizeof name, "blocks.%d.dw", i);
    b->depthwise = load_conv(l, name, 1, stride, edge, ITX_RELU6);
    if (!itx_loader_failed(l) && itx->size(b->depthwise.weights.w, 0) != wide)
        itx_loader_fail(l, ITEM_E_PACK, "%s has %d channels, not %d", name,
                        (int)itx->size(b->depthwise.weights.w, 0), (int)wide);
    (void)snprintf(name, sizeof name, "blocks.%d.project", i);
    b->project = load_conv(l, name, wide, 1, edge, ITX_NONE);
    *width = itx->size(b->project.weights.w, 0);
    b->adds = stride == 1 && *width == came;
}

/* How pictures are prepared stands in the file's metadata. */
static void load_pixels(itx_loader *l, itx_pixels *p)
{
    double mean[3], deviation[3], edge;
    if (!itx_meta_numbers(l, "input_size", &edge, 1, 32.0, 1024.0) ||
        !itx_meta_numbers(l, "mean", mean, 3, -1.0, 1.0) ||
        !itx_meta_numbers(l, "std", deviation, 3, 1e-3, 10.0))
        return;
    const bool cubic = strcmp(itx_meta(l, "resize"), "bilinear") != 0;
    itx_pixels_init(p, (uint32_t)edge, cubic ? ITEM_FILTER_BICUBIC : ITEM_FILTER_BILINEAR, mean,
                    deviation);
}

static void load(itx_loader *l, void *model)
{
    itx_encoder *e = model;
    double strides[ITX_ENCODER_BLOCKS], stem_stride;
    e->count = itx_numbers(itx_meta(l, "strides"), strides, ITX_ENCODER_BLOCKS);
    (void)itx_meta_numbers(l, "strides", strides, e->count ? e->count : 1, 1.0, 2.0);
    (void)itx_meta_numbers(l, "stem_stride", &stem_stride, 1, 1.0, 2.0);
    load_pixels(l, &e->pixels);
    if (itx_loader_failed(l))
        return;
    int64_t edge = e->pixels.edge;
    e->stem = load_conv(l, "stem", 3, (int64_t)stem_stride, &edge, ITX_RELU6);
    int64_t width = itx->size(e->stem.weights.w, 0);
    for (size_t i = 0; i < e->count && !itx_loader_failed(l); i++)
        load_block(l, &e->blocks[i], (int)i, (int64_t)strides[i], &width, &edge);
    if (itx_has(l, "blocks.%d.dw.weight", (int)e->count))
        itx_loader_fail(l, ITEM_E_PACK, "more blocks than strides");
    e->head = load_conv(l, "head", width, 1, &edge, ITX_RELU6);
    e->width = itx->size(e->head.weights.w, 0);
    e->places = edge * edge;
}

const itx_kind itx_encoder_kind = {"efficientnet-lite", sizeof(itx_encoder), load};
