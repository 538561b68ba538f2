/* SPDX-License-Identifier: Apache-2.0 */
/* Misalignment features: how image vectors and text vectors differ, as a whole and by object. */
#include <math.h>
#include <string.h>

#include "math/math.h"

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

/* Adds share x form(a, b) to out, which has itemi_form_size() numbers. */
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

/* The pooled numbers of the cosines of n > 0 objects. */
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
    const double pooled[ITEMI_POOLED] = {1, (double)n, mean, low, high, sqrt(square / (double)n)};
    for (size_t i = 0; i < ITEMI_POOLED; i++)
        out[i] = (float)pooled[i];
}

static void whole_part(const itemi_term *term, const itemi_vectors *v, float *out)
{
    switch (term->form) {
    case ITEMI_FORM_PICTURE:
        memcpy(out, v->image, v->width * sizeof *out);
        break;
    case ITEMI_FORM_CAPTION:
        memcpy(out, v->text, v->width * sizeof *out);
        break;
    case ITEMI_FORM_LAYERS:
        memcpy(out, v->layers, v->layer_count * sizeof *out);
        break;
    default:
        add_form(term->form, v->width, v->image, v->text, 1.0f, out);
        out[itemi_form_size(term->form, v->width)] = itemi_dot(v->image, v->text, v->width);
    }
}

static void object_part(const itemi_term *term, const itemi_vectors *v, float *out)
{
    for (size_t i = 0; i < v->n; i++)
        add_form(term->form, v->width, v->crops + i * v->width, v->phrases + i * v->width,
                 1.0f / (float)v->n, out);
    if (v->n)
        pool(v->width, v->n, v->crops, v->phrases, out + itemi_form_size(term->form, v->width));
}

void itemi_misalign(const itemi_layout *layout, const itemi_vectors *v, float *out)
{
    const itemi_widths widths = {v->width, v->layer_count};
    memset(out, 0, itemi_layout_size(layout, widths) * sizeof *out);
    for (size_t i = 0; i < layout->terms; i++) {
        const itemi_term *term = &layout->term[i];
        size_t whole = itemi_term_whole(term, widths);
        size_t objects = itemi_term_objects(term, widths);
        if (whole)
            whole_part(term, v, out);
        if (objects)
            object_part(term, v, out + whole);
        out += whole + objects;
    }
}
