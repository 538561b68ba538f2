/* SPDX-License-Identifier: Apache-2.0 */
/* NanoDet-g: the detector's network, from 416 x 416 pixels to scores and sides of every cell. */
#include "nets.h"

#include <string.h>

#define SIDES 4

static itx_tensor *conv(itx_run *run, const itx_nanodet *d, int i, itx_tensor *x, int64_t stride,
                        itx_act act)
{
    const itx_affine *c = &d->conv[i];
    const int64_t pad = itx->size(c->w, 2) / 2;
    const itx_conv_shape shape = {stride, 1, pad, act};
    return itx->conv(run, x, c->w, c->b, &shape);
}

static itx_tensor *join(itx_run *run, itx_tensor *a, itx_tensor *b)
{
    itx_tensor *const both[] = {a, b};
    return itx->cat(run, both, 2, 1);
}

/*
 * A stage of one-step connections: each convolution after the first takes the joined answers of
 * the two before it, or the last alone. `plan` has a letter a convolution: 'j' joins the answer
 * with what it was made of, '-' does not.
 */
static itx_tensor *stage(itx_run *run, const itx_nanodet *d, int first, const char *plan,
                         itx_tensor *x)
{
    itx_tensor *before = conv(run, d, first, x, 1, ITX_LEAKY), *joined = before;
    for (int i = 1; plan[i - 1] != '\0'; i++) {
        itx_tensor *made = conv(run, d, first + i, joined, 1, ITX_LEAKY);
        joined = plan[i - 1] == 'j' ? join(run, made, before) : made;
        before = made;
    }
    return join(run, before, x);
}

static itx_tensor *to_size_of(itx_run *run, itx_tensor *x, itx_tensor *other)
{
    return itx->resize(run, x, itx->size(other, 2), itx->size(other, 3));
}

/* One head: [n, cells, classes + sides x bins]. */
static itx_tensor *head(itx_run *run, const itx_nanodet *d, int i, itx_tensor *x)
{
    x = conv(run, d, i + 1, conv(run, d, i, x, 1, ITX_LEAKY), 1, ITX_NONE);
    const itx_shape flat = {3,
                            {itx->size(x, 0), itx->size(x, 1), itx->size(x, 2) * itx->size(x, 3)}};
    return itx->transpose(run, itx->reshape(run, x, &flat), 1, 2);
}

void itx_nanodet_run(itx_run *run, const itx_nanodet *d, const float *pixels, size_t n,
                     itx_tensor *raw[ITX_LEVELS])
{
    const int64_t edge = d->pixels.edge;
    const size_t start = itx->mark(run);
    itx_tensor *x = itx->pictures(run, pixels, &(itx_shape){4, {(int64_t)n, edge, edge, 3}});
    x = itx->max_pool(run, conv(run, d, 0, x, 2, ITX_LEAKY), 3, 2, 1);
    x = stage(run, d, 2, "j-", conv(run, d, 1, x, 1, ITX_LEAKY));
    itx->sweep(run, start, &x, 1);
    itx_tensor *c3 = stage(run, d, 6, "j-j-", conv(run, d, 5, x, 2, ITX_LEAKY));
    itx_tensor *c4 = stage(run, d, 12, "j-j-", conv(run, d, 11, c3, 2, ITX_LEAKY));
    itx_tensor *c5 = stage(run, d, 18, "j-j-j-", conv(run, d, 17, c4, 2, ITX_LEAKY));
    itx_tensor *l3 = conv(run, d, 25, c3, 1, ITX_NONE);
    itx_tensor *l4 = conv(run, d, 26, c4, 1, ITX_NONE);
    itx_tensor *l5 = conv(run, d, 27, c5, 1, ITX_NONE);
    itx_tensor *p4 = itx->add(run, to_size_of(run, l5, l4), l4);
    itx_tensor *p3 = itx->add(run, to_size_of(run, p4, l3), l3);
    itx_tensor *n4 = itx->add(run, to_size_of(run, p3, p4), p4);
    itx_tensor *n5 = itx->add(run, to_size_of(run, n4, l5), l5);
    raw[0] = head(run, d, 28, p3);
    raw[1] = head(run, d, 30, n4);
    raw[2] = head(run, d, 32, n5);
    itx->sweep(run, start, raw, ITX_LEVELS);
}

/* ---- weights ---- */

static void load_facts(itx_loader *l, itx_nanodet *d)
{
    double mean[3], deviation[3], edge, classes, bins;
    if (!itx_meta_numbers(l, "input_size", &edge, 1, 64.0, 1024.0) ||
        !itx_meta_numbers(l, "mean", mean, 3, -255.0, 255.0) ||
        !itx_meta_numbers(l, "std", deviation, 3, 0.1, 1000.0) ||
        !itx_meta_numbers(l, "classes", &classes, 1, 1.0, 10000.0) ||
        !itx_meta_numbers(l, "bins", &bins, 1, 1.0, 100.0) ||
        !itx_meta_numbers(l, "match_pair", &d->match_pair, 1, -1.0, 2.0) ||
        !itx_meta_numbers(l, "match_head", &d->match_head, 1, -1.0, 2.0) ||
        !itx_meta_numbers(l, "nms_iou", &d->nms_iou, 1, 0.0, 1.0))
        return;
    for (int c = 0; c < 3; c++) { /* they are said of bytes, not of 0 to 1 */
        mean[c] /= 255.0;
        deviation[c] /= 255.0;
    }
    itx_pixels_init(&d->pixels, (uint32_t)edge, ITEM_FILTER_BILINEAR, mean, deviation);
    if (strcmp(itx_meta(l, "channels"), "bgr") == 0) {
        d->pixels.source[0] = 2;
        d->pixels.source[2] = 0;
    }
    d->classes = (int64_t)classes;
    d->bins = (int64_t)bins;
}

/* Which class each alias means; -1: none of them. */
static void load_classes(itx_loader *l, itx_nanodet *d)
{
    d->alias_count = itx_peek(l, 0, "alias_vectors");
    d->alias_width = itx_peek(l, 1, "alias_vectors");
    d->aliases = itx_take(l, 2, (const int64_t[]){d->alias_count, d->alias_width}, "alias_vectors");
    d->alias_class = itx_take_numbers(l, d->alias_count, "alias_class");
    for (int64_t i = 0; !itx_loader_failed(l) && i < d->alias_count; i++)
        if (!(d->alias_class[i] >= -1.0f && d->alias_class[i] < (float)d->classes))
            itx_loader_fail(l, ITEM_E_PACK, "alias_class: entry %d is not a class", (int)i);
}

static void load(itx_loader *l, void *model)
{
    itx_nanodet *d = model;
    load_facts(l, d);
    for (int i = 0; i < (int)ITX_COUNT(d->conv) && !itx_loader_failed(l); i++) {
        const int64_t out = itx_peek(l, 0, "conv.%02d.weight", i);
        const int64_t in = itx_peek(l, 1, "conv.%02d.weight", i);
        const int64_t edge = itx_peek(l, 2, "conv.%02d.weight", i);
        const bool answers = i == 29 || i == 31 || i == 33;
        d->conv[i] = itx_take_conv(l, answers ? d->classes + SIDES * d->bins : out, in, edge,
                                   "conv.%02d", i);
    }
    load_classes(l, d);
}

const itx_kind itx_nanodet_kind = {"nanodet", sizeof(itx_nanodet), load};
