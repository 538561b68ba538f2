/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Weights of resizing in fixed point. Their bits decide whether the pixels are Pillow's, so the
 * arithmetic is that of Pillow in kind and order: the box in float, all else in double, a window
 * that is rounded outwards, weights divided by their sum and then rounded half away from zero.
 */
#include <math.h>
#include <string.h>

#include "image/resize.h"

/* glibc's M_PI, spelled out because C11 has none. */
#define PI 3.14159265358979323846

static double bilinear(double x)
{
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

/* Keys' cubic convolution with a = -0.5. */
static double bicubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0)
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    if (x < 2.0)
        return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
    return 0.0;
}

static double sinc(double x)
{
    if (x == 0.0)
        return 1.0;
    x *= PI;
    return sin(x) / x;
}

static double lanczos(double x)
{
    return x >= -3.0 && x < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0;
}

/* Where an output's window lies among the inputs, and the filter over it. */
typedef struct window {
    double (*filter)(double x);
    double from, scale, stretch, support;
    uint32_t inputs, begin; /* outputs are counted from `begin` on */
} window;

static bool window_make(window *a, const itemi_axis *axis, itemi_filter filter)
{
    double reach;
    switch (filter) {
    case ITEMI_FILTER_BILINEAR:
        a->filter = bilinear;
        reach = 1.0;
        break;
    case ITEMI_FILTER_BICUBIC:
        a->filter = bicubic;
        reach = 2.0;
        break;
    case ITEMI_FILTER_LANCZOS:
        a->filter = lanczos;
        reach = 3.0;
        break;
    default:
        return false;
    }
    a->inputs = axis->inputs;
    a->begin = axis->begin;
    a->from = axis->from;
    a->scale =
        (double)(axis->to - axis->from) / axis->outputs; /* the difference is rounded to float */
    a->stretch = a->scale < 1.0 ? 1.0 : a->scale;
    a->support = reach * a->stretch;
    return true;
}

static double centre_of(const window *a, uint32_t i)
{
    return a->from + (a->begin + i + 0.5) * a->scale;
}

/* First input and number of inputs of output i. */
static void window_of(const window *a, uint32_t i, uint32_t *first, uint32_t *length)
{
    double centre = centre_of(a, i);
    double low = centre - a->support + 0.5, high = centre + a->support + 0.5;
    *first = low < 0.0 ? 0 : (uint32_t)low;
    uint32_t end = high > a->inputs ? a->inputs : (uint32_t)high;
    *length = end > *first ? end - *first : 0;
}

static int32_t to_fixed(double weight)
{
    double scaled = weight * (1 << ITEMI_WEIGHT_BITS);
    return (int32_t)(scaled < 0.0 ? scaled - 0.5 : scaled + 0.5);
}

/* The weights of output i, to k; `room` holds as many doubles as the window is long. */
static void fill_window(const window *a, uint32_t i, uint32_t first, uint32_t length, double *room,
                        int32_t *k)
{
    double centre = centre_of(a, i), inverse = 1.0 / a->stretch, sum = 0.0;
    for (uint32_t t = 0; t < length; t++) {
        room[t] = a->filter(((double)first + t - centre + 0.5) * inverse);
        sum += room[t];
    }
    for (uint32_t t = 0; t < length; t++)
        k[t] = to_fixed(sum != 0.0 ? room[t] / sum : room[t]);
}

static void fill(const window *a, itemi_weights *w, double *room)
{
    uint32_t latest = a->inputs > w->taps ? a->inputs - w->taps : 0;
    for (uint32_t i = 0; i < w->count; i++) {
        uint32_t first, length;
        window_of(a, i, &first, &length);
        w->start[i] = first < latest ? first : latest;
        int32_t *k = w->k + (size_t)i * w->taps + (first - w->start[i]);
        fill_window(a, i, first, length, room, k);
    }
    w->first = w->start[0];
    w->last = w->start[w->count - 1] + w->taps;
}

static uint32_t longest_window(const window *a, uint32_t count)
{
    uint32_t longest = 1;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t first, length;
        window_of(a, i, &first, &length);
        longest = length > longest ? length : longest;
    }
    return longest;
}

item_status itemi_weights_make(const itemi_mem *mem, const itemi_axis *axis, itemi_filter filter,
                               uint32_t step, itemi_weights *out, item_error *err)
{
    const uint32_t count = axis->end - axis->begin;
    window a;
    *out = (itemi_weights){.mem = mem, .count = count};
    if (!window_make(&a, axis, filter))
        return itemi_fail(err, ITEM_E_ARGUMENT, "unknown filter %d", (int)filter);
    uint32_t longest = longest_window(&a, count);
    out->taps = (longest + step - 1) / step * step;

    size_t total;
    bool overflow = itemi_mul_overflows(count, out->taps, &total);
    double *room = itemi_alloc_array(mem, longest, sizeof *room);
    out->start = itemi_alloc_array(mem, count, sizeof *out->start);
    out->k = overflow ? NULL : itemi_alloc_zero(mem, total, sizeof *out->k);
    bool ok = room && out->start && out->k;
    if (ok)
        fill(&a, out, room);
    else
        itemi_weights_free(out);
    itemi_free(mem, room);
    return ok ? ITEM_OK : itemi_fail_memory(err, "resizing a picture");
}

item_status itemi_weights_triple(itemi_weights *weights, item_error *err)
{
    size_t total = (size_t)weights->count * weights->taps;
    int32_t *k = itemi_alloc_array(weights->mem, total, 3 * sizeof *k);
    if (!k)
        return itemi_fail_memory(err, "resizing a picture");
    for (size_t i = 0; i < total; i++) {
        for (int c = 0; c < 3; c++)
            k[3 * i + (size_t)c] = weights->k[i];
    }
    itemi_free(weights->mem, weights->k);
    weights->k = k;
    return ITEM_OK;
}

void itemi_weights_free(itemi_weights *weights)
{
    itemi_free(weights->mem, weights->start);
    itemi_free(weights->mem, weights->k);
    weights->start = NULL;
    weights->k = NULL;
}
