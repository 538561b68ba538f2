/* SPDX-License-Identifier: Apache-2.0 */
/* From logits to probabilities and thresholds: temperature, bias, and what a threshold promises. */
#include <math.h>
#include <stdlib.h>

#include "math/math.h"

/* Steps of Newton's method at most; about ten are needed. */
#define STEPS_MAX 200

double itemi_sigmoid(double x)
{
    /* exp of a negative number alone, so that nothing overflows */
    double e = exp(-fabs(x));
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

double itemi_logit(double p)
{
    return log(p) - log1p(-p);
}

double itemi_cross_entropy(double x, double target)
{
    /* -t log s(x) - (1 - t) log s(-x), with log(1 + e^-|x|) in the form that keeps digits */
    return (x > 0 ? x : 0) - x * target + log1p(exp(-fabs(x)));
}

double itemi_with_prior(double score, double prior)
{
    return itemi_sigmoid(score + itemi_logit(prior));
}

/* The loss of p = sigmoid(slope x logit + shift), with its first and second derivatives. */
typedef struct fit {
    double slope, shift;
    double loss, d_slope, d_shift;
    double slope2, shift2, both;
} fit;

typedef struct scores {
    const double *logit, *weight;
    const uint8_t *label;
    size_t n;
    double target[2]; /* Platt's, for photographs and AI pictures */
    double spread;    /* standard deviation of the logits */
} scores;

static void evaluate(const scores *s, fit *f)
{
    *f = (fit){.slope = f->slope, .shift = f->shift};
    for (size_t i = 0; i < s->n; i++) {
        double w = s->weight ? s->weight[i] : 1, x = s->logit[i];
        double z = f->slope * x + f->shift, target = s->target[s->label[i] != 0];
        double p = itemi_sigmoid(z), curve = w * p * (1 - p), wrong = w * (p - target);
        f->loss += w * itemi_cross_entropy(z, target);
        f->d_slope += wrong * x;
        f->d_shift += wrong;
        f->slope2 += curve * x * x;
        f->shift2 += curve;
        f->both += curve * x;
    }
}

/* Halves the step until the loss falls; false when it does not fall any more. */
static bool descend(const scores *s, fit *f, double slope, double shift)
{
    for (double part = 1; part > 1e-10; part /= 2) {
        fit next = {.slope = f->slope + part * slope, .shift = f->shift + part * shift};
        evaluate(s, &next);
        if (next.loss < f->loss) {
            *f = next;
            return true;
        }
    }
    return false;
}

/* Newton's method for both numbers, or for the shift alone. */
static void minimise(const scores *s, fit *f, bool shift_alone)
{
    evaluate(s, f);
    for (size_t step = 0; step < STEPS_MAX; step++) {
        const double ridge = 1e-12;
        double a = f->slope2 + ridge, b = f->shift2 + ridge, c = f->both;
        double det = a * b - c * c;
        double slope = shift_alone ? 0 : (-f->d_slope * b + f->d_shift * c) / det;
        double shift = shift_alone ? -f->d_shift / b : (-f->d_shift * a + f->d_slope * c) / det;
        if (!isfinite(slope) || !isfinite(shift) || !descend(s, f, slope, shift))
            return;
    }
}

static item_status describe(scores *s, item_error *err)
{
    double count[2] = {0, 0}, sum = 0, square = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (!isfinite(s->logit[i]))
            return itemi_fail(err, ITEM_E_ARGUMENT, "calibration: score %zu is no number", i);
        if (s->weight && !(s->weight[i] >= 0 && isfinite(s->weight[i])))
            return itemi_fail(err, ITEM_E_ARGUMENT, "calibration: weight %zu is negative", i);
        count[s->label[i] != 0] += 1;
        sum += s->logit[i];
    }
    if (count[0] < 1 || count[1] < 1)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "calibration: pictures of both labels are needed, `%s` is missing",
                          count[0] < 1 ? "real" : "ai");
    for (size_t i = 0; i < s->n; i++) {
        double away = s->logit[i] - sum / (double)s->n;
        square += away * away;
    }
    s->spread = sqrt(square / (double)s->n);
    s->target[0] = 1 / (count[0] + 2);
    s->target[1] = (count[1] + 1) / (count[1] + 2);
    return ITEM_OK;
}

item_status itemi_calibrate(const double *logit, const uint8_t *label, const double *weight,
                            size_t n, itemi_calibration *out, item_error *err)
{
    scores s = {.logit = logit, .weight = weight, .label = label, .n = n};
    item_status status = describe(&s, err);
    if (status != ITEM_OK)
        return status;

    /* The shift starts at 0: the slope at 1 deviation, where the loss is well curved. */
    double unit = s.spread > 1e-9 ? 1 / s.spread : 1;
    fit f = {.slope = unit};
    minimise(&s, &f, false);

    /* Scores that order the labels the wrong way must not be turned round: they say nothing. They
       keep a deviation of 0.1, so that probabilities stay near a half, and rounding, which answers
       on two machines may differ by, stays small beside the distances that thresholds look at. */
    const double least = 0.1 * unit;
    out->clamped = !(f.slope > least);
    if (out->clamped) {
        f = (fit){.slope = least};
        minimise(&s, &f, true);
    }
    out->temperature = 1 / f.slope;
    out->bias = f.shift / f.slope;
    return ITEM_OK;
}

static int ascending(const void *left, const void *right)
{
    double a, b;
    a = *(const double *)left;
    b = *(const double *)right;
    return (a > b) - (a < b);
}

void itemi_sort(double *values, size_t n)
{
    if (n)
        qsort(values, n, sizeof *values, ascending);
}

double itemi_quantile(const double *sorted, size_t n, double q)
{
    if (n == 0)
        return NAN;
    double at = q * (double)(n - 1);
    size_t below = (size_t)at;
    if (below + 1 >= n)
        return sorted[n - 1];
    double part = at - (double)below;
    return sorted[below] + part * (sorted[below + 1] - sorted[below]);
}

/* floor(share x n), where 0.29 x 100 counts as 29. */
static size_t whole_part(double share, size_t n)
{
    size_t k = (size_t)(share * (double)n + 1e-9);
    return k < n ? k : n;
}

double itemi_threshold_for(const double *sorted, size_t n, double rate, size_t *above)
{
    size_t k = whole_part(rate, n), at = n - k;
    *above = 0;
    if (k == 0)
        return HUGE_VAL;
    if (at > 0) { /* a tie across the border would let in more than k: go above it */
        double outside = sorted[at - 1];
        while (at < n && sorted[at] <= outside)
            at++;
    }
    *above = n - at;
    return at < n ? sorted[at] : nextafter(sorted[n - 1], HUGE_VAL);
}

double itemi_real_point(const double *sorted, size_t n, double share)
{
    size_t k = whole_part(share, n);
    if (k == 0)
        return -HUGE_VAL;
    /* one more than k below it, and a new picture would be below it too often */
    bool tied = k < n && sorted[k] == sorted[k - 1];
    return tied ? sorted[k - 1] : nextafter(sorted[k - 1], HUGE_VAL);
}

static bool keeps(uint64_t k, uint64_t n, double rate, double confidence)
{
    return itemi_binomial_at_most(k, n, rate) <= 1 - confidence;
}

bool itemi_allowed(uint64_t n, double rate, double confidence, uint64_t *k)
{
    *k = 0;
    if (n == 0 || !keeps(0, n, rate, confidence))
        return false;
    uint64_t above = n; /* which is never kept, as all of n is certain */
    while (above - *k > 1) {
        uint64_t middle = *k + (above - *k) / 2;
        if (keeps(middle, n, rate, confidence))
            *k = middle;
        else
            above = middle;
    }
    return true;
}

uint64_t itemi_needed(double rate, double confidence)
{
    uint64_t n = (uint64_t)(log1p(-confidence) / log1p(-rate)), k;
    while (!itemi_allowed(n, rate, confidence, &k))
        n++;
    return n;
}

double itemi_threshold_above(const double *sorted, size_t n, size_t k, size_t *above)
{
    double outside = sorted[n - 1 - k];
    *above = 0;
    while (*above < k && sorted[n - 1 - *above] > outside)
        ++*above;
    return nextafter(outside, HUGE_VAL);
}
