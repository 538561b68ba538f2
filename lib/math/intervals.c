/* SPDX-License-Identifier: Apache-2.0 */
/* How sure a figure is: exact binomial intervals, and a bootstrap of scenes within sources. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/math.h"

#define STREAM_BOOTSTRAP 0x3001

/* The continued fraction of the incomplete beta function, by Lentz's method. */
static double beta_fraction(double x, double a, double b)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double value = d;
    for (int m = 1; m < 10000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double change = 1;
        for (int half = 0; half < 2; half++) {
            double term = half ? odd : even;
            d = 1 + term * d;
            c = 1 + term / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            change = c * d;
            value *= change;
        }
        if (fabs(change - 1) < 1e-15)
            break;
    }
    return value;
}

/* Regularised incomplete beta function: the distribution of Beta(a, b) at x. */
static double beta_share(double x, double a, double b)
{
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    int sign;
    double front = lgamma_r(a + b, &sign) - lgamma_r(a, &sign) - lgamma_r(b, &sign) + a * log(x) +
                   b * log1p(-x);
    if (x < (a + 1) / (a + b + 2)) /* where the fraction converges quickly */
        return exp(front) * beta_fraction(x, a, b) / a;
    return 1 - exp(front) * beta_fraction(1 - x, b, a) / b;
}

static double beta_quantile(double q, double a, double b)
{
    double low = 0, high = 1;
    for (int i = 0; i < 100; i++) {
        double middle = (low + high) / 2;
        if (beta_share(middle, a, b) < q)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

itemi_interval itemi_binomial(uint64_t k, uint64_t n, double level)
{
    double tail = (1 - level) / 2, hits = (double)k, misses = (double)(n - k);
    itemi_interval out = {0, 1};
    if (k > 0)
        out.low = beta_quantile(tail, hits, misses + 1);
    if (k < n)
        out.high = beta_quantile(1 - tail, hits + 1, misses);
    return out;
}

double itemi_binomial_at_most(uint64_t k, uint64_t n, double p)
{
    return k >= n ? 1 : beta_share(1 - p, (double)(n - k), (double)k + 1);
}

/* Rows of one source, label and scene are drawn together. */
typedef struct member {
    uint32_t source, scene, row;
    uint8_t label;
} member;

static bool same_stratum(const member *a, const member *b)
{
    return a->source == b->source && a->label == b->label;
}

static int by_scene(const void *left, const void *right)
{
    const member *a = left, *b = right;
    if (a->source != b->source)
        return a->source < b->source ? -1 : 1;
    if (a->label != b->label)
        return a->label < b->label ? -1 : 1;
    if (a->scene != b->scene)
        return a->scene < b->scene ? -1 : 1;
    return a->row < b->row ? -1 : 1;
}

typedef struct plan {
    const itemi_mem *mem;
    size_t rows, scenes, strata;
    uint32_t *scene_of; /* by row */
    uint32_t *begin;    /* first scene of each stratum, and the end */
    uint32_t *drawn;    /* how often each scene was drawn */
    double *weight;     /* by row */
    double *values;     /* [outputs x draws] */
    double *numbers;    /* of one draw */
} plan;

static bool reserve(plan *p, size_t outputs, size_t draws)
{
    size_t cells;
    if (itemi_mul_overflows(outputs, draws, &cells))
        return false;
    p->scene_of = itemi_alloc_array(p->mem, p->rows, sizeof *p->scene_of);
    p->begin = itemi_alloc_array(p->mem, p->rows + 1, sizeof *p->begin);
    p->drawn = itemi_alloc_array(p->mem, p->rows, sizeof *p->drawn);
    p->weight = itemi_alloc_array(p->mem, p->rows, sizeof *p->weight);
    p->values = itemi_alloc_array(p->mem, cells, sizeof *p->values);
    p->numbers = itemi_alloc_array(p->mem, outputs, sizeof *p->numbers);
    return p->scene_of && p->begin && p->drawn && p->weight && p->values && p->numbers;
}

static void release(plan *p)
{
    itemi_free(p->mem, p->scene_of);
    itemi_free(p->mem, p->begin);
    itemi_free(p->mem, p->drawn);
    itemi_free(p->mem, p->weight);
    itemi_free(p->mem, p->values);
    itemi_free(p->mem, p->numbers);
}

/*
 * Whether one scene covers the whole stratum that starts here, such as "a portrait". Drawing it
 * whole would give every sample alike, an interval without width: its rows are drawn one by one.
 */
static bool one_scene(const member *first, size_t rows)
{
    size_t last = 0;
    while (last + 1 < rows && same_stratum(&first[last + 1], first))
        last++;
    return first[last].scene == first->scene;
}

static bool number_scenes(plan *p, const itemi_groups *groups)
{
    member *members = itemi_alloc_array(p->mem, p->rows, sizeof *members);
    if (!members)
        return false;
    for (size_t row = 0; row < p->rows; row++)
        members[row] = (member){groups->source[row], groups->scene[row], (uint32_t)row,
                                groups->label[row] != 0};
    if (p->rows)
        qsort(members, p->rows, sizeof *members, by_scene);

    bool alone = false;
    for (size_t i = 0; i < p->rows; i++) {
        const member *now = &members[i], *before = i ? now - 1 : NULL;
        bool stratum = !before || !same_stratum(now, before);
        if (stratum) {
            p->begin[p->strata++] = (uint32_t)p->scenes;
            alone = one_scene(now, p->rows - i);
        }
        if (stratum || alone || now->scene == ITEMI_NO_GROUP || now->scene != before->scene)
            p->scenes++;
        p->scene_of[now->row] = (uint32_t)(p->scenes - 1);
    }
    p->begin[p->strata] = (uint32_t)p->scenes;
    itemi_free(p->mem, members);
    return true;
}

static void draw(plan *p, itemi_rng *rng)
{
    memset(p->drawn, 0, p->scenes * sizeof *p->drawn);
    for (size_t s = 0; s < p->strata; s++) {
        size_t first = p->begin[s], scenes = p->begin[s + 1] - first;
        for (size_t i = 0; i < scenes; i++)
            p->drawn[first + itemi_rng_below(rng, scenes)]++;
    }
    for (size_t row = 0; row < p->rows; row++)
        p->weight[row] = p->drawn[p->scene_of[row]];
}

static itemi_interval percentiles(double *values, size_t draws, double level)
{
    size_t n = 0;
    for (size_t i = 0; i < draws; i++) {
        if (!isnan(values[i]))
            values[n++] = values[i];
    }
    itemi_sort(values, n);
    double tail = (1 - level) / 2;
    return (itemi_interval){itemi_quantile(values, n, tail), itemi_quantile(values, n, 1 - tail)};
}

item_status itemi_bootstrap(const itemi_mem *mem, const itemi_groups *groups,
                            const itemi_draws *draws, itemi_statistic statistic, void *user,
                            size_t outputs, itemi_interval *out, item_error *err)
{
    plan p = {.mem = mem, .rows = groups->count};
    bool ok = reserve(&p, outputs, draws->count) && number_scenes(&p, groups);
    item_status status = ok ? ITEM_OK : itemi_fail_memory(err, "drawing samples");
    for (size_t i = 0; status == ITEM_OK && i < draws->count; i++) {
        if (itemi_cancelled(draws->cancel)) {
            status = itemi_fail_cancelled(err);
            break;
        }
        itemi_rng rng = {draws->seed, STREAM_BOOTSTRAP + i, 0};
        draw(&p, &rng);
        statistic(user, p.weight, p.numbers);
        for (size_t o = 0; o < outputs; o++)
            p.values[o * draws->count + i] = p.numbers[o];
    }
    for (size_t o = 0; status == ITEM_OK && o < outputs; o++)
        out[o] = percentiles(p.values + o * draws->count, draws->count, draws->level);
    release(&p);
    return status;
}
