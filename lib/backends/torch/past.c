/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and values that a decoder keeps from step to step. */
#include "nets.h"

#include <math.h>

void itx_past_sweep(itx_run *run, const itx_past *p, itx_tensor *extra)
{
    itx_tensor *keep[4 * ITX_PAST_LAYERS + 1];
    size_t n = 0;
    for (size_t i = 0; i < p->layers; i++) {
        keep[n++] = p->self_k[i];
        keep[n++] = p->self_v[i];
        keep[n++] = p->cross_k[i];
        keep[n++] = p->cross_v[i];
    }
    keep[n++] = extra;
    itx->sweep(run, p->start, keep, n);
}

void itx_past_spread(itx_run *run, itx_past *p, const int64_t *which, size_t texts)
{
    itx_tensor *list = itx->indices(run, which, &(itx_shape){1, {(int64_t)texts}});
    for (size_t i = 0; i < p->layers && texts != (size_t)p->pictures; i++) {
        p->cross_k[i] = itx->rows(run, p->cross_k[i], list);
        p->cross_v[i] = itx->rows(run, p->cross_v[i], list);
    }
    p->pictures = (int64_t)texts;
    itx_past_sweep(run, p, NULL);
}

void itx_fill_causal(float *mask, size_t length)
{
    for (size_t a = 0; a < length; a++) {
        for (size_t b = 0; b < length; b++)
            mask[a * length + b] = b > a ? -INFINITY : 0.0f;
    }
}

itx_tensor *itx_past_grow(itx_run *run, itx_tensor *before, itx_tensor *now)
{
    itx_tensor *const both[] = {before, now};
    return before ? itx->cat(run, both, 2, 1) : now;
}

void itx_past_select(itx_run *run, itx_past *p, const int64_t *which, size_t pictures,
                     const int64_t *rows, int64_t beams)
{
    const int64_t kept = (int64_t)pictures;
    itx_tensor *row_list = itx->indices(run, rows, &(itx_shape){1, {kept * beams}});
    itx_tensor *list = itx->indices(run, which, &(itx_shape){1, {kept}});
    for (size_t i = 0; i < p->layers; i++) {
        p->self_k[i] = itx->rows(run, p->self_k[i], row_list);
        p->self_v[i] = itx->rows(run, p->self_v[i], row_list);
        if (kept != p->pictures) {
            p->cross_k[i] = itx->rows(run, p->cross_k[i], list);
            p->cross_v[i] = itx->rows(run, p->cross_v[i], list);
        }
    }
    p->pictures = kept;
    p->beams = beams;
    itx_past_sweep(run, p, NULL);
}
