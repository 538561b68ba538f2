/* SPDX-License-Identifier: Apache-2.0 */
/* From the detector's raw numbers to boxes: scores, sides, and one box an object. */
#include "nets.h"

#include <math.h>
#include <stdlib.h>

#define SIDES 4

/* Length of one side in strides: the mean of the bins under their softmax. */
static double side(const float *bins, int64_t count)
{
    double most = bins[0], sum = 0.0, mean = 0.0;
    for (int64_t k = 1; k < count; k++)
        most = bins[k] > most ? bins[k] : most;
    for (int64_t k = 0; k < count; k++) {
        const double e = exp(bins[k] - most);
        sum += e;
        mean += e * (double)k;
    }
    return mean / sum;
}

static double clip(double value, double limit)
{
    return value < 0.0 ? 0.0 : value > limit ? limit : value;
}

/* Corners in pixels of the network's picture; false for a box without area. */
static bool corners(const itx_nanodet *d, const float *sides, int64_t row, int64_t column,
                    int64_t stride, double box[4])
{
    const double edge = d->pixels.edge, s = (double)stride;
    const double x = ((double)column + 0.5) * s, y = ((double)row + 0.5) * s;
    box[0] = clip(x - s * side(sides, d->bins), edge);
    box[1] = clip(y - s * side(sides + d->bins, d->bins), edge);
    box[2] = clip(x + s * side(sides + 2 * d->bins, d->bins), edge);
    box[3] = clip(y + s * side(sides + 3 * d->bins, d->bins), edge);
    return box[2] > box[0] && box[3] > box[1];
}

static double overlap(const double a[4], const double b[4])
{
    const double w = fmin(a[2], b[2]) - fmax(a[0], b[0]), h = fmin(a[3], b[3]) - fmax(a[1], b[1]);
    if (w <= 0.0 || h <= 0.0)
        return 0.0;
    const double area_a = (a[2] - a[0]) * (a[3] - a[1]), area_b = (b[2] - b[0]) * (b[3] - b[1]);
    return w * h / (area_a + area_b - w * h);
}

/* Better scores first, then lower cells. */
static int by_score(const void *a, const void *b)
{
    const itx_box *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return x->cell < y->cell ? -1 : x->cell > y->cell;
}

/* Keeps the best of boxes that lie on each other, `most` at most, in order; returns how many. */
static size_t suppress(itx_box *boxes, size_t count, double iou, size_t most)
{
    size_t kept = 0;
    qsort(boxes, count, sizeof *boxes, by_score);
    for (size_t i = 0; i < count && kept < most; i++) {
        bool covered = false;
        for (size_t k = 0; k < kept && !covered; k++)
            covered = overlap(boxes[k].corners, boxes[i].corners) > iou;
        if (!covered)
            boxes[kept++] = boxes[i];
    }
    return kept;
}

int64_t itx_nanodet_cells(const itx_nanodet *d, int level)
{
    return ((int64_t)d->pixels.edge + ITX_STRIDE(level) - 1) / ITX_STRIDE(level);
}

size_t itx_boxes_of_class(const itx_nanodet *d, const float *const raw[ITX_LEVELS], int32_t class,
                          double least, size_t most, itx_box *out)
{
    const int64_t each = d->classes + SIDES * d->bins;
    size_t found = 0, first = 0;
    for (int l = 0; l < ITX_LEVELS; l++) {
        const int64_t side_cells = itx_nanodet_cells(d, l);
        for (int64_t cell = 0; cell < side_cells * side_cells; cell++) {
            const float *numbers = raw[l] + cell * each;
            const double score = 1.0 / (1.0 + exp(-(double)numbers[class]));
            itx_box *box = &out[found];
            if (!(score >= least) || !corners(d, numbers + d->classes, cell / side_cells,
                                              cell % side_cells, ITX_STRIDE(l), box->corners))
                continue;
            box->score = score;
            box->cell = first + (size_t)cell;
            found++;
        }
        first += (size_t)(side_cells * side_cells);
    }
    return suppress(out, found, d->nms_iou, most);
}
