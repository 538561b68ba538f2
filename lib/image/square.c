/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of OWLv2 to a square picture: smoothed and read between pixels. Both are sums over
 * neighbours, down and across, so each axis gets one set of weights that does both at once; what
 * lies beyond the picture is of one value and needs no pixels. The reference limits its result to
 * the range of the picture: weights that are positive and sum to 1 never leave it.
 */
#include <math.h>
#include <string.h>

#include "image/image.h"

#define DOING "resizing a picture"

/* Output i of an axis: the sum of k[i * room + t] x input start[i] + t, t < length[i], and
   rest[i] x the padding. */
typedef struct sums {
    uint32_t count, room;
    uint32_t *start, *length;
    float *k, *rest;
} sums;

/* One call. */
typedef struct square {
    const itemi_mem *mem;
    const uint8_t *src; /* of the box's first pixel */
    size_t stride;
    uint32_t width, height, side, edge;
    float pad;
    uint32_t reach; /* pixels that the Gaussian takes on each side */
    double *bell;   /* its weights, 2 * reach + 1 */
    double *line;   /* weights of one output, by input: `side` of them, all zero between uses */
    sums down, across;
    float *row; /* one row of the result, before the pass across */
} square;

static item_status read_box(square *q, const uint8_t *src, const uint32_t size[2],
                            const double *box, item_error *err)
{
    const double whole[4] = {0.0, 0.0, size[0], size[1]}, *b = box ? box : whole;
    bool good = b[0] >= 0 && b[1] >= 0 && b[0] < b[2] && b[1] < b[3] && b[2] <= size[0] &&
                b[3] <= size[1]; /* false for a NaN */
    for (int i = 0; good && i < 4; i++)
        good = b[i] == trunc(b[i]);
    if (!good || q->edge == 0 || !(q->pad >= 0.0f && q->pad <= 1.0f))
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "cannot make box %g %g %g %g of %u x %u pixels a square of %u, padded "
                          "with %g",
                          b[0], b[1], b[2], b[3], size[0], size[1], q->edge, (double)q->pad);
    q->stride = (size_t)3 * size[0];
    q->src = src + (size_t)b[1] * q->stride + 3 * (size_t)b[0];
    q->width = (uint32_t)(b[2] - b[0]);
    q->height = (uint32_t)(b[3] - b[1]);
    q->side = q->width > q->height ? q->width : q->height;
    return ITEM_OK;
}

/* ---- weights ---- */

static void fill_bell(square *q, double sigma)
{
    double sum = 0.0;
    for (uint32_t i = 0; i <= 2 * q->reach; i++) {
        double x = (double)i - q->reach;
        q->bell[i] = q->reach ? exp(-0.5 / (sigma * sigma) * x * x) : 1.0;
        sum += q->bell[i];
    }
    for (uint32_t i = 0; i <= 2 * q->reach; i++)
        q->bell[i] /= sum;
}

/* The pixel that is seen at `at` when an edge is a mirror through the middle of its pixels. */
static uint32_t mirrored(int64_t at, uint32_t side)
{
    if (side == 1)
        return 0;
    int64_t period = 2 * ((int64_t)side - 1);
    at %= period;
    if (at < 0)
        at += period;
    return (uint32_t)(at < side ? at : period - at);
}

/* Adds `share` of the smoothed pixel at `at` to the line of weights. */
static void add_smoothed(const square *q, int64_t at, double share)
{
    int64_t centre = mirrored(at, q->side);
    for (int64_t i = 0; i <= 2 * (int64_t)q->reach; i++)
        q->line[mirrored(centre + i - q->reach, q->side)] += share * q->bell[i];
}

/* Output i of an axis with `real` pixels before the padding; clears the line. */
static void fill_output(const square *q, uint32_t i, uint32_t real, sums *s)
{
    double at = (i + 0.5) * ((double)q->side / q->edge) - 0.5, below = floor(at);
    int64_t first = (int64_t)below - q->reach - 1, last = (int64_t)below + q->reach + 2;
    add_smoothed(q, (int64_t)below, 1.0 - (at - below));
    add_smoothed(q, (int64_t)below + 1, at - below);
    first = first < 0 ? 0 : first;
    last = last < q->side ? last : (int64_t)q->side - 1;
    double rest = 0.0;
    for (int64_t t = first; t <= last; t++) {
        if (t < real)
            s->k[(size_t)i * s->room + (size_t)(t - first)] = (float)q->line[t];
        else
            rest += q->line[t];
        q->line[t] = 0.0;
    }
    int64_t end = last + 1 < real ? last + 1 : real;
    s->start[i] = (uint32_t)first;
    s->length[i] = end > first ? (uint32_t)(end - first) : 0;
    s->rest[i] = (float)rest;
}

static bool make_sums(const square *q, uint32_t real, sums *s)
{
    size_t total;
    s->count = q->edge;
    s->room = 2 * q->reach + 4;
    if (s->room > q->side)
        s->room = q->side;
    if (itemi_mul_overflows(s->count, s->room, &total))
        return false;
    s->start = itemi_alloc_array(q->mem, s->count, sizeof *s->start);
    s->length = itemi_alloc_array(q->mem, s->count, sizeof *s->length);
    s->rest = itemi_alloc_array(q->mem, s->count, sizeof *s->rest);
    s->k = itemi_alloc_zero(q->mem, total, sizeof *s->k);
    if (!s->start || !s->length || !s->rest || !s->k)
        return false;
    for (uint32_t i = 0; i < s->count; i++)
        fill_output(q, i, real, s);
    return true;
}

static void free_sums(const itemi_mem *mem, sums *s)
{
    itemi_free(mem, s->start);
    itemi_free(mem, s->length);
    itemi_free(mem, s->rest);
    itemi_free(mem, s->k);
}

static bool prepare(square *q)
{
    double factor = (double)q->side / q->edge, sigma = factor > 1.0 ? (factor - 1.0) / 2.0 : 0.0;
    double reach = floor(4.0 * sigma + 0.5);
    if (reach > INT32_MAX / 4)
        return false; /* not an amount of memory that there is */
    q->reach = (uint32_t)reach;
    q->bell = itemi_alloc_array(q->mem, (size_t)2 * q->reach + 1, sizeof *q->bell);
    q->line = itemi_alloc_zero(q->mem, q->side, sizeof *q->line);
    q->row = itemi_alloc_array(q->mem, q->width, 3 * sizeof *q->row);
    if (!q->bell || !q->line || !q->row)
        return false;
    fill_bell(q, sigma);
    return make_sums(q, q->height, &q->down) && make_sums(q, q->width, &q->across);
}

/* ---- pixels ---- */

/* Row y of the result in full width: sums over the rows of the picture, from bytes to 0..1. */
static void run_down(const square *q, uint32_t y)
{
    const sums *s = &q->down;
    const size_t samples = (size_t)3 * q->width;
    const float beyond = s->rest[y] * q->pad;
    for (size_t x = 0; x < samples; x++)
        q->row[x] = beyond;
    for (uint32_t t = 0; t < s->length[y]; t++) {
        const float k = s->k[(size_t)y * s->room + t] / 255.0f;
        const uint8_t *from = q->src + (s->start[y] + t) * q->stride;
        for (size_t x = 0; x < samples; x++)
            q->row[x] += k * (float)from[x];
    }
}

static void run_across(const square *q, float *out)
{
    const sums *s = &q->across;
    for (uint32_t i = 0; i < s->count; i++, out += 3) {
        const float *k = s->k + (size_t)i * s->room, *from = q->row + (size_t)3 * s->start[i];
        float beyond = s->rest[i] * q->pad, rgb[3] = {beyond, beyond, beyond};
        for (uint32_t t = 0; t < s->length[i]; t++)
            for (size_t c = 0; c < 3; c++)
                rgb[c] += k[t] * from[3 * (size_t)t + c];
        memcpy(out, rgb, sizeof rgb);
    }
}

item_status itemi_resize_square(const itemi_mem *mem, const uint8_t *src, uint32_t src_width,
                                uint32_t src_height, const double *box, uint32_t edge, double pad,
                                float *out, item_error *err)
{
    square q = {.mem = mem, .edge = edge, .pad = (float)pad};
    const uint32_t size[2] = {src_width, src_height};
    item_status status = read_box(&q, src, size, box, err);
    if (status != ITEM_OK)
        return status;
    bool ready = prepare(&q);
    for (uint32_t y = 0; ready && y < edge; y++) {
        run_down(&q, y);
        run_across(&q, out + (size_t)y * edge * 3);
    }
    itemi_free(mem, q.bell);
    itemi_free(mem, q.line);
    itemi_free(mem, q.row);
    free_sums(mem, &q.down);
    free_sums(mem, &q.across);
    return ready ? ITEM_OK : itemi_fail_memory(err, DOING);
}
