/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From OWL-ViT's raw numbers to boxes: in single precision and in the order of the reference, so
 * that a score that lies at the threshold falls on the same side.
 */
#include <math.h>
#include <stdlib.h>

#include "owl.h"

static float log_odds(float share)
{
    return logf(share + 1e-4f) - log1pf(-share + 1e-4f);
}

void itx_owl_bias(float *out, int64_t side)
{
    const float size = log_odds(1.0f / (float)side);
    for (int64_t y = 1; y <= side; y++) {
        for (int64_t x = 1; x <= side; x++, out += 4) {
            out[0] = log_odds((float)x / (float)side);
            out[1] = log_odds((float)y / (float)side);
            out[2] = out[3] = size;
        }
    }
}

static float sigmoid(float x)
{
    return 1.0f / (1.0f + expf(-x));
}

/* Index and logit of the first of the best queries at a place. */
static size_t best_query(const itx_owl_raw *raw, size_t place, float *logit)
{
    const float *cosines = raw->cosines + place * raw->queries;
    const float shift = raw->shift_scale[2 * place], slope = raw->shift_scale[2 * place + 1];
    const float scale = (slope > 0.0f ? slope : expm1f(slope)) + 1.0f;
    size_t best = 0;
    for (size_t q = 0; q < raw->queries; q++) {
        const float found = (cosines[q] + shift) * scale;
        if (q == 0 || found > *logit) {
            *logit = found;
            best = q;
        }
    }
    return best;
}

static void fill_corners(const itx_owl_raw *raw, size_t place, double corners[4])
{
    float at[4]; /* of the middle, and width and height */
    for (size_t i = 0; i < 4; i++)
        at[i] = sigmoid(raw->boxes[4 * place + i] + raw->bias[4 * place + i]);
    for (size_t i = 0; i < 2; i++) {
        corners[i] = (double)((at[i] - 0.5f * at[i + 2]) * raw->scale[i]);
        corners[i + 2] = (double)((at[i] + 0.5f * at[i + 2]) * raw->scale[i]);
    }
}

static bool all_finite(const float *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(numbers[i]))
            return false;
    return true;
}

size_t itx_owl_boxes(const itx_owl_raw *raw, double least, itx_owl_box *out, bool *finite)
{
    size_t count = 0;
    *finite = all_finite(raw->cosines, raw->places * raw->queries) &&
              all_finite(raw->shift_scale, 2 * raw->places) &&
              all_finite(raw->boxes, 4 * raw->places);
    for (size_t p = 0; p < raw->places && *finite; p++) {
        float logit = 0.0f;
        itx_owl_box box = {.query = best_query(raw, p, &logit)};
        box.score = sigmoid(logit);
        if (!(box.score > (float)least))
            continue;
        fill_corners(raw, p, box.corners);
        out[count++] = box;
    }
    return count;
}

/* ---- the best ones ---- */

static int by_query(const void *a, const void *b)
{
    const itx_owl_box *x = a, *y = b;
    if (x->query != y->query)
        return x->query < y->query ? -1 : 1;
    return x->score > y->score ? -1 : x->score < y->score;
}

static int by_score(const void *a, const void *b)
{
    const itx_owl_box *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->query < y->query ? -1 : x->query > y->query;
}

/* False where nothing of it lies in the picture. */
static bool cut(itx_owl_box *box, const double size[2])
{
    for (size_t i = 0; i < 2; i++) {
        box->corners[i] = fmax(box->corners[i], 0.0);
        box->corners[i + 2] = fmin(box->corners[i + 2], size[i]);
    }
    return box->corners[0] < box->corners[2] && box->corners[1] < box->corners[3];
}

size_t itx_owl_best(itx_owl_box *boxes, size_t n, size_t most, const double size[2])
{
    size_t kept = 0, of_query = 0;
    if (n > 1)
        qsort(boxes, n, sizeof *boxes, by_query);
    for (size_t i = 0; i < n; i++) {
        if (!cut(&boxes[i], size))
            continue;
        of_query = kept > 0 && boxes[kept - 1].query == boxes[i].query ? of_query + 1 : 1;
        if (of_query <= most)
            boxes[kept++] = boxes[i];
    }
    if (kept > 1)
        qsort(boxes, kept, sizeof *boxes, by_score);
    return kept;
}
