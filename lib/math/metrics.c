/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of scores against labels, all with weights, so that a bootstrap only changes those. */
#include <math.h>
#include <stdlib.h>

#include "math/math.h"

typedef struct ranked {
    double score;
    uint32_t row;
} ranked;

static int higher_first(const void *left, const void *right)
{
    const ranked *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->row < b->row ? -1 : 1;
}

item_status itemi_rank(const itemi_mem *mem, const double *score, const uint8_t *label, size_t n,
                       itemi_ranking *out, item_error *err)
{
    *out = (itemi_ranking){.mem = mem, .count = n, .score = score, .label = label};
    ranked *rows = itemi_alloc_array(mem, n, sizeof *rows);
    out->order = itemi_alloc_array(mem, n, sizeof *out->order);
    item_status status = ITEM_OK;
    if (!rows || !out->order)
        status = itemi_fail_memory(err, "ranking scores");
    for (size_t i = 0; status == ITEM_OK && i < n; i++) {
        rows[i] = (ranked){score[i], (uint32_t)i};
        if (!isfinite(score[i]))
            status = itemi_fail(err, ITEM_E_ARGUMENT, "metrics: score %zu is no number", i);
    }
    if (status == ITEM_OK && n)
        qsort(rows, n, sizeof *rows, higher_first);
    for (size_t i = 0; status == ITEM_OK && i < n; i++)
        out->order[i] = rows[i].row;
    itemi_free(mem, rows);
    if (status != ITEM_OK)
        itemi_ranking_free(out);
    return status;
}

void itemi_ranking_free(itemi_ranking *ranking)
{
    itemi_free(ranking->mem, ranking->order);
    *ranking = (itemi_ranking){.mem = ranking->mem};
}

/* Weight of photographs [0] and AI pictures [1]. */
typedef struct mass {
    double of[2];
} mass;

static mass total(const itemi_ranking *r, const double *weight)
{
    mass sum = {{0, 0}};
    for (size_t i = 0; i < r->count; i++)
        sum.of[r->label[i] != 0] += weight ? weight[i] : 1;
    return sum;
}

static bool both(mass m)
{
    return m.of[0] > 0 && m.of[1] > 0;
}

/* Adds up the rows of one score, from *at on; moves *at behind them. */
static mass tied(const itemi_ranking *r, const double *weight, size_t *at)
{
    mass sum = {{0, 0}};
    double score = r->score[r->order[*at]];
    for (; *at < r->count && r->score[r->order[*at]] == score; ++*at) {
        size_t row = r->order[*at];
        sum.of[r->label[row] != 0] += weight ? weight[row] : 1;
    }
    return sum;
}

double itemi_auc(const itemi_ranking *ranking, const double *weight)
{
    mass all = total(ranking, weight);
    double above = 0, area = 0;
    if (!both(all))
        return NAN;
    for (size_t at = 0; at < ranking->count;) {
        mass here = tied(ranking, weight, &at);
        area += here.of[0] * (above + here.of[1] / 2);
        above += here.of[1];
    }
    return area / (all.of[0] * all.of[1]);
}

double itemi_average_precision(const itemi_ranking *ranking, const double *weight)
{
    mass all = total(ranking, weight), above = {{0, 0}};
    double sum = 0;
    if (!both(all))
        return NAN;
    for (size_t at = 0; at < ranking->count;) {
        mass here = tied(ranking, weight, &at);
        above.of[0] += here.of[0];
        above.of[1] += here.of[1];
        if (here.of[1] > 0)
            sum += here.of[1] * above.of[1] / (above.of[0] + above.of[1]);
    }
    return sum / all.of[1];
}

double itemi_tpr_at(const itemi_ranking *ranking, const double *weight, double rate)
{
    mass all = total(ranking, weight), above = {{0, 0}};
    double best = 0;
    if (!both(all))
        return NAN;
    for (size_t at = 0; at < ranking->count;) {
        mass here = tied(ranking, weight, &at);
        above.of[0] += here.of[0];
        above.of[1] += here.of[1];
        if (above.of[0] > rate * all.of[0] * (1 + 1e-12))
            break;
        best = above.of[1] / all.of[1];
    }
    return best;
}

/* Do the last two points and the next one lie on a line? Of counts, which are exact. */
static bool goes_on(const double *x, const double *y, size_t n, mass next)
{
    double dx = x[n - 1] - x[n - 2], dy = y[n - 1] - y[n - 2];
    return dx * (next.of[1] - y[n - 1]) == dy * (next.of[0] - x[n - 1]);
}

size_t itemi_roc(const itemi_ranking *ranking, double *x, double *y)
{
    mass all = total(ranking, NULL), above = {{0, 0}};
    size_t n = 1;
    if (!both(all))
        return 0;
    x[0] = y[0] = 0;
    for (size_t at = 0; at < ranking->count;) {
        mass here = tied(ranking, NULL, &at);
        above.of[0] += here.of[0];
        above.of[1] += here.of[1];
        if (n > 1 && goes_on(x, y, n, above))
            n--;
        x[n] = above.of[0];
        y[n++] = above.of[1];
    }
    for (size_t i = 0; i < n; i++) {
        x[i] /= all.of[0];
        y[i] /= all.of[1];
    }
    return n;
}

double itemi_brier(const double *p, const uint8_t *label, const double *weight, size_t n)
{
    double sum = 0, mass_of_all = 0;
    for (size_t i = 0; i < n; i++) {
        double w = weight ? weight[i] : 1, away = p[i] - (label[i] ? 1 : 0);
        sum += w * away * away;
        mass_of_all += w;
    }
    return mass_of_all > 0 ? sum / mass_of_all : NAN;
}

double itemi_ece(const itemi_ranking *ranking, const double *weight, size_t bins, itemi_bin *bin)
{
    mass all = total(ranking, weight);
    double whole = all.of[0] + all.of[1], below = 0, error = 0;
    size_t left = ranking->count;
    for (size_t b = 0; b < bins; b++) {
        itemi_bin sum = {0, 0, 0};
        /* A row belongs to the bin in which the middle of its weight lies. */
        for (; left > 0; left--) {
            size_t row = ranking->order[left - 1];
            double w = weight ? weight[row] : 1;
            if (b + 1 < bins && (below + w / 2) * (double)bins >= (double)(b + 1) * whole)
                break;
            below += w;
            sum.weight += w;
            sum.mean += w * ranking->score[row];
            sum.share += ranking->label[row] ? w : 0;
        }
        error += fabs(sum.mean - sum.share);
        if (bin)
            bin[b] = (itemi_bin){sum.weight, sum.mean / sum.weight, sum.share / sum.weight};
    }
    return whole > 0 ? error / whole : NAN;
}
