/* SPDX-License-Identifier: Apache-2.0 */
/* Misalignment features: how image vectors and text vectors differ, as a whole and by object. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "math/math.h"

#define POOLING_VERSION "1"

/* presence, count, mean, min, max, standard deviation */
#define POOLED 6

static const char *const form_names[] = {
    [ITEMI_FORM_DIFFERENCE] = "difference",
    [ITEMI_FORM_PRODUCT] = "product",
    [ITEMI_FORM_COSINE] = "cosine",
};

static const char *const scope_names[] = {
    [ITEMI_SCOPE_GLOBAL] = "global",
    [ITEMI_SCOPE_LOCAL] = "local",
    [ITEMI_SCOPE_BOTH] = "both",
};

void itemi_layout_name(const itemi_layout *layout, char out[48])
{
    snprintf(out, 48, "%s/%s/%s", form_names[layout->form], scope_names[layout->scope],
             POOLING_VERSION);
}

bool itemi_layout_parse(const char *name, itemi_layout *out)
{
    for (itemi_form form = ITEMI_FORM_DIFFERENCE; form <= ITEMI_FORM_COSINE; form++) {
        for (itemi_scope scope = ITEMI_SCOPE_GLOBAL; scope <= ITEMI_SCOPE_BOTH; scope++) {
            itemi_layout layout = {form, scope};
            char candidate[48];
            itemi_layout_name(&layout, candidate);
            if (strcmp(candidate, name) == 0) {
                *out = layout;
                return true;
            }
        }
    }
    return false;
}

/* Numbers of one form: the cosine alone has none beside the cosine, which is always kept. */
static size_t form_size(itemi_form form, size_t width)
{
    return form == ITEMI_FORM_COSINE ? 0 : width;
}

size_t itemi_layout_size(const itemi_layout *layout, size_t width)
{
    size_t form = form_size(layout->form, width);
    size_t global = layout->scope == ITEMI_SCOPE_LOCAL ? 0 : form + 1;
    size_t local = layout->scope == ITEMI_SCOPE_GLOBAL ? 0 : form + POOLED;
    return global + local;
}

float itemi_dot(const float *a, const float *b, size_t n)
{
    /* Double sums, four side by side: exact enough for any width, and one fixed order. */
    double sum[4] = {0, 0, 0, 0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (size_t j = 0; j < 4; j++)
            sum[j] += (double)a[i + j] * (double)b[i + j];
    }
    for (; i < n; i++)
        sum[0] += (double)a[i] * (double)b[i];
    return (float)((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

bool itemi_normalise(float *v, size_t n)
{
    double square = 0;
    for (size_t i = 0; i < n; i++)
        square += (double)v[i] * (double)v[i];
    if (!isfinite(square) || square <= 0)
        return false;
    double scale = 1 / sqrt(square);
    if (!isfinite(scale))
        return false;
    for (size_t i = 0; i < n; i++)
        v[i] = (float)((double)v[i] * scale);
    return true;
}

/* Adds share x form(a, b) to out, which has form_size() numbers. */
static void add_form(itemi_form form, size_t width, const float *a, const float *b, float share,
                     float *out)
{
    if (form == ITEMI_FORM_COSINE)
        return;
    for (size_t i = 0; i < width; i++) {
        float value = form == ITEMI_FORM_DIFFERENCE ? a[i] - b[i] : a[i] * b[i];
        out[i] += share * value;
    }
}

/* The six pooled numbers of the cosines of n > 0 objects. */
static void pool(size_t width, size_t n, const float *crops, const float *phrases, float *out)
{
    double sum = 0, square = 0, low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t i = 0; i < n; i++) {
        double cosine = (double)itemi_dot(crops + i * width, phrases + i * width, width);
        sum += cosine;
        low = fmin(low, cosine);
        high = fmax(high, cosine);
    }
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) {
        double away = (double)itemi_dot(crops + i * width, phrases + i * width, width) - mean;
        square += away * away;
    }
    const double pooled[POOLED] = {1, (double)n, mean, low, high, sqrt(square / (double)n)};
    for (size_t i = 0; i < POOLED; i++)
        out[i] = (float)pooled[i];
}

void itemi_misalign(const itemi_layout *layout, size_t width, const float *image, const float *text,
                    size_t n, const float *crops, const float *phrases, float *out)
{
    memset(out, 0, itemi_layout_size(layout, width) * sizeof *out);
    size_t form = form_size(layout->form, width);
    if (layout->scope != ITEMI_SCOPE_LOCAL) {
        add_form(layout->form, width, image, text, 1.0f, out);
        out[form] = itemi_dot(image, text, width);
        out += form + 1;
    }
    if (layout->scope == ITEMI_SCOPE_GLOBAL || n == 0)
        return;
    for (size_t i = 0; i < n; i++)
        add_form(layout->form, width, crops + i * width, phrases + i * width, 1.0f / (float)n, out);
    pool(width, n, crops, phrases, out + form);
}
