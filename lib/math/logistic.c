/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A head without hidden layers: logistic regression with a penalty on the squares of its weights.
 * The problem has one answer, which is found by the limited-memory BFGS method (Nocedal & Wright,
 * Numerical Optimization, algorithm 7.4); there is nothing to stop early.
 */
#include <math.h>
#include <string.h>

#include "math/net.h"

#define MEMORY    8    /* steps that the curvature is known from */
#define STEPS_MAX 500  /* far more than the penalty lets it need */
#define FLAT      1e-7 /* length of the gradient at which it is done */
#define ARMIJO    1e-4 /* share of the promised descent that a step must bring */

/* One fit. Weights are those of the normalised features; the last parameter is the bias. */
typedef struct fit {
    const itemi_samples *samples;
    itemi_rows rows;
    const itemi_mlp *mlp; /* normalisation */
    double penalty, total;
    size_t n;                                           /* parameters */
    double *at, *gradient, *next, *next_gradient, *way; /* [n] each */
    double *step[MEMORY], *change[MEMORY],
        curve[MEMORY]; /* of position, of gradient, 1 / product */
    double *raw;       /* weights of the features as they are */
    size_t known;      /* how many steps there were */
} fit;

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* ---- the loss ---- */

static double logit_of(const fit *f, const float *x, double bias)
{
    double sum[4] = {bias, 0, 0, 0};
    size_t width = f->samples->width, i = 0;
    for (; i + 4 <= width; i += 4) {
        for (size_t j = 0; j < 4; j++)
            sum[j] += f->raw[i + j] * (double)x[i + j];
    }
    for (; i < width; i++)
        sum[0] += f->raw[i] * (double)x[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Mean loss and penalty at `at`, and their gradient. */
static double evaluate(fit *f, const double *at, double *gradient)
{
    const itemi_samples *s = f->samples;
    const size_t width = s->width;
    double bias = at[width], loss = 0, wrong_sum = 0;
    for (size_t i = 0; i < width; i++) {
        f->raw[i] = at[i] * (double)f->mlp->scale[i];
        bias -= f->raw[i] * (double)f->mlp->mean[i];
    }
    memset(gradient, 0, f->n * sizeof *gradient);
    for (size_t r = 0; r < f->rows.count; r++) {
        const size_t row = f->rows.index[r];
        const float *x = s->features + row * width;
        const double target = s->label[row] ? 1 : 0, share = s->weight[row] / f->total;
        const double logit = logit_of(f, x, bias);
        loss += share * itemi_cross_entropy(logit, target);
        const double wrong = share * (itemi_sigmoid(logit) - target);
        wrong_sum += wrong;
        for (size_t i = 0; i < width; i++)
            gradient[i] += wrong * (double)x[i];
    }
    for (size_t i = 0; i < width; i++) {
        double raw = gradient[i] - wrong_sum * (double)f->mlp->mean[i];
        gradient[i] = raw * (double)f->mlp->scale[i] + f->penalty * at[i];
    }
    gradient[width] = wrong_sum;
    return loss + 0.5 * f->penalty * dot(at, at, width);
}

/* ---- the descent ---- */

/* The way down that the last steps tell of: minus the inverse curvature times the gradient. */
static void find_way(fit *f)
{
    double share[MEMORY];
    const size_t from = f->known > MEMORY ? f->known - MEMORY : 0;
    memcpy(f->way, f->gradient, f->n * sizeof *f->way);
    for (size_t k = f->known; k-- > from;) {
        const size_t m = k % MEMORY;
        share[m] = f->curve[m] * dot(f->step[m], f->way, f->n);
        for (size_t i = 0; i < f->n; i++)
            f->way[i] -= share[m] * f->change[m][i];
    }
    if (f->known) {
        const size_t m = (f->known - 1) % MEMORY;
        const double scale = 1 / (f->curve[m] * dot(f->change[m], f->change[m], f->n));
        for (size_t i = 0; i < f->n; i++)
            f->way[i] *= scale;
    }
    for (size_t k = from; k < f->known; k++) {
        const size_t m = k % MEMORY;
        const double back = f->curve[m] * dot(f->change[m], f->way, f->n);
        for (size_t i = 0; i < f->n; i++)
            f->way[i] += (share[m] - back) * f->step[m][i];
    }
    for (size_t i = 0; i < f->n; i++)
        f->way[i] = -f->way[i];
}

/* Remembers the step from `at` to `next`, and takes it. */
static void take_step(fit *f)
{
    const size_t m = f->known % MEMORY;
    for (size_t i = 0; i < f->n; i++) {
        f->step[m][i] = f->next[i] - f->at[i];
        f->change[m][i] = f->next_gradient[i] - f->gradient[i];
    }
    const double product = dot(f->step[m], f->change[m], f->n);
    if (product > 0) { /* always, but for rounding at the very end */
        f->curve[m] = 1 / product;
        f->known++;
    }
    memcpy(f->at, f->next, f->n * sizeof *f->at);
    memcpy(f->gradient, f->next_gradient, f->n * sizeof *f->gradient);
}

/* Halves the step until it goes down; false where no step does: that is the end. */
static bool descend(fit *f, double *loss)
{
    const double slope = dot(f->gradient, f->way, f->n);
    double length = f->known ? 1 : 1 / (1 + sqrt(dot(f->gradient, f->gradient, f->n)));
    for (int halved = 0; halved < 40 && slope < 0; halved++, length /= 2) {
        for (size_t i = 0; i < f->n; i++)
            f->next[i] = f->at[i] + length * f->way[i];
        const double next = evaluate(f, f->next, f->next_gradient);
        if (next <= *loss + ARMIJO * length * slope) {
            *loss = next;
            take_step(f);
            return true;
        }
    }
    return false;
}

static item_status solve(fit *f, const itemi_train_options *o, itemi_train_log *log,
                         item_error *err)
{
    double loss = evaluate(f, f->at, f->gradient);
    log->first_loss = loss;
    for (log->epochs = 0; log->epochs < STEPS_MAX; log->epochs++) {
        if (o->go_on && !o->go_on(o->user))
            return itemi_fail_cancelled(err);
        if (sqrt(dot(f->gradient, f->gradient, f->n)) < FLAT)
            break;
        find_way(f);
        if (!descend(f, &loss))
            break;
    }
    log->best_epoch = log->epochs;
    log->loss = loss;
    return ITEM_OK;
}

/* One block for all arrays; NULL: no memory. */
static double *reserve(const itemi_mem *mem, fit *f)
{
    const size_t arrays = 5 + 2 * MEMORY + 1;
    if (f->n > SIZE_MAX / sizeof(double) / arrays)
        return NULL;
    double *block = itemi_alloc_zero(mem, arrays * f->n, sizeof *block), *free_at = block;
    double **all[] = {&f->at, &f->gradient, &f->next, &f->next_gradient, &f->way, &f->raw};
    for (size_t i = 0; block && i < ITEMI_COUNT(all); i++, free_at += f->n)
        *all[i] = free_at;
    for (size_t m = 0; block && m < MEMORY; m++, free_at += 2 * f->n) {
        f->step[m] = free_at;
        f->change[m] = free_at + f->n;
    }
    return block;
}

item_status itemi_logistic_fit(const itemi_mem *mem, const itemi_samples *samples, itemi_rows rows,
                               const itemi_train_options *options, itemi_mlp *mlp,
                               itemi_train_log *log, item_error *err)
{
    fit f = {.samples = samples, .rows = rows, .mlp = mlp, .penalty = options->penalty};
    f.n = samples->width + 1;
    for (size_t r = 0; r < rows.count; r++)
        f.total += samples->weight[rows.index[r]];
    double *block = reserve(mem, &f);
    if (!block)
        return itemi_fail_memory(err, "training");
    item_status status = solve(&f, options, log, err);
    for (size_t i = 0; status == ITEM_OK && i < samples->width; i++)
        mlp->weight[0][i] = (float)f.at[i];
    mlp->bias[0][0] = (float)f.at[samples->width];
    itemi_free(mem, block);
    return status;
}
