/* SPDX-License-Identifier: Apache-2.0 */
/* Training of the network: minibatches, early stopping, all in one thread and one order. */
#include <math.h>
#include <string.h>

#include "math/net.h"

#define STREAM_ORDER   0x2001
#define STREAM_DROPOUT 0x2002

#define WIDTH_MAX  4096
#define EPOCHS_MAX 100000

/* What one training holds. */
typedef struct job {
    const itemi_mem *mem;
    const itemi_samples *samples;
    const itemi_train_options *options;
    itemi_net net;
    itemi_mlp *mlp;  /* its normalisation is learnt first, its weights are filled at the end */
    double *moments; /* of Adam */
    double *best;    /* parameters of the best epoch */
    uint32_t *order; /* training rows, shuffled each epoch */
    size_t rows;
    itemi_rng shuffle, dropout;
    uint64_t step;
} job;

static item_status check_options(const itemi_train_options *o, item_error *err)
{
    if (o->hidden >= ITEMI_MLP_LAYERS)
        return itemi_fail(err, ITEM_E_ARGUMENT, "training: at most 3 hidden layers, not %zu",
                          o->hidden);
    for (size_t l = 0; l < o->hidden; l++) {
        if (o->hidden_width[l] < 1 || o->hidden_width[l] > WIDTH_MAX)
            return itemi_fail(err, ITEM_E_ARGUMENT,
                              "training: a hidden layer has 1 to %d units, not %zu", WIDTH_MAX,
                              o->hidden_width[l]);
    }
    if (o->epochs < 1 || o->epochs > EPOCHS_MAX || o->batch < 1)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "training: 1 to %d epochs and batches of 1 or more are needed",
                          EPOCHS_MAX);
    if (!(o->learning_rate > 0 && o->learning_rate <= 10))
        return itemi_fail(err, ITEM_E_ARGUMENT, "training: the learning rate must be in 0..10");
    if (!(o->weight_decay >= 0 && o->weight_decay * o->learning_rate < 1))
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "training: weight decay must be 0 or more, and below 1 / learning rate");
    if (!(o->dropout >= 0 && o->dropout < 1))
        return itemi_fail(err, ITEM_E_ARGUMENT, "training: dropout must be 0 to below 1");
    if (o->hidden == 0 && !(o->penalty > 0 && o->penalty <= 1e6))
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "training: without hidden layers the penalty must be above 0, at most"
                          " 1,000,000");
    return ITEM_OK;
}

static item_status check_rows(const itemi_samples *s, itemi_rows rows, bool both, item_error *err)
{
    double weight[2] = {0, 0};
    for (size_t i = 0; i < rows.count; i++) {
        size_t row = rows.index[i];
        double sum = s->weight[row];
        if (!(sum >= 0))
            return itemi_fail(err, ITEM_E_ARGUMENT, "training: the weight of row %zu is negative",
                              row);
        weight[s->label[row] != 0] += sum;
        for (size_t j = 0; j < s->width; j++)
            sum += (double)s->features[row * s->width + j];
        if (!isfinite(sum))
            return itemi_fail(err, ITEM_E_ARGUMENT,
                              "training: row %zu holds a feature or weight that is no number", row);
    }
    if (both && !(weight[0] > 0 && weight[1] > 0))
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "training: pictures of both labels are needed, `%s` is missing",
                          weight[0] > 0 ? "ai" : "real");
    return ITEM_OK;
}

/* Weighted mean and 1 / deviation of each feature over the training rows. */
static void learn_scaling(job *j)
{
    const itemi_samples *s = j->samples;
    double total = 0;
    for (size_t i = 0; i < j->rows; i++)
        total += s->weight[j->order[i]];
    for (size_t f = 0; f < s->width; f++) {
        double sum = 0, square = 0;
        for (size_t i = 0; i < j->rows; i++)
            sum += s->weight[j->order[i]] * (double)s->features[j->order[i] * s->width + f];
        double mean = sum / total;
        for (size_t i = 0; i < j->rows; i++) {
            double away = (double)s->features[j->order[i] * s->width + f] - mean;
            square += s->weight[j->order[i]] * away * away;
        }
        double deviation = sqrt(square / total);
        bool varies = deviation > 1e-6 * fabs(mean) + 1e-12; /* more than rounding */
        j->mlp->mean[f] = (float)mean;
        j->mlp->scale[f] = varies ? (float)(1 / deviation) : 0;
    }
}

/* Loss of one row; the network holds its activations afterwards. */
static double row_forward(job *j, size_t row, itemi_rng *dropout, double *logit)
{
    const itemi_samples *s = j->samples;
    const float *x = s->features + row * s->width;
    for (size_t f = 0; f < s->width; f++)
        j->net.active[0][f] = ((double)x[f] - (double)j->mlp->mean[f]) * (double)j->mlp->scale[f];
    *logit = itemi_net_forward(&j->net, j->options->dropout, dropout);
    return itemi_cross_entropy(*logit, s->label[row] ? 1 : 0);
}

/* Weighted mean loss of rows as they would be judged, without dropout. */
static double mean_loss(job *j, itemi_rows rows)
{
    double loss = 0, weight = 0, logit;
    for (size_t i = 0; i < rows.count; i++) {
        double w = j->samples->weight[rows.index[i]];
        loss += w * row_forward(j, rows.index[i], NULL, &logit);
        weight += w;
    }
    return weight > 0 ? loss / weight : NAN;
}

/* The rate falls as a half cosine, so that the last steps settle. */
static double rate_now(const job *j)
{
    size_t batches = (j->rows + j->options->batch - 1) / j->options->batch;
    double part = (double)j->step / ((double)batches * (double)j->options->epochs);
    return j->options->learning_rate * 0.5 * (1 + cos(3.14159265358979323846 * part));
}

static double run_batch(job *j, size_t start)
{
    size_t end = start + j->options->batch < j->rows ? start + j->options->batch : j->rows;
    double loss = 0, logit;
    memset(j->net.grad, 0, j->net.count * sizeof *j->net.grad);
    for (size_t i = start; i < end; i++) {
        size_t row = j->order[i];
        double weight = j->samples->weight[row];
        loss += weight * row_forward(j, row, &j->dropout, &logit);
        double wrong = itemi_sigmoid(logit) - (j->samples->label[row] ? 1 : 0);
        itemi_net_backward(&j->net, weight * wrong / (double)(end - start));
    }
    double rate = rate_now(j);
    itemi_net_adam(&j->net, j->moments, ++j->step, rate, j->options->weight_decay);
    return loss;
}

static item_status run_epoch(job *j, double *loss, item_error *err)
{
    double weight = 0;
    *loss = 0;
    itemi_rng_shuffle(&j->shuffle, j->order, j->rows);
    for (size_t i = 0; i < j->rows; i++)
        weight += j->samples->weight[j->order[i]];
    for (size_t start = 0; start < j->rows; start += j->options->batch) {
        if (j->options->go_on && !j->options->go_on(j->options->user))
            return itemi_fail_cancelled(err);
        *loss += run_batch(j, start) / weight;
    }
    return ITEM_OK;
}

static item_status run(job *j, itemi_rows valid, itemi_train_log *log, item_error *err)
{
    size_t bytes = j->net.count * sizeof *j->best;
    for (size_t epoch = 1; epoch <= j->options->epochs; epoch++) {
        double loss;
        item_status status = run_epoch(j, &loss, err);
        if (status != ITEM_OK)
            return status;
        if (epoch == 1)
            log->first_loss = loss;
        log->loss = loss;
        log->epochs = epoch;

        double now = mean_loss(j, valid);
        bool better = isnan(now) || log->best_epoch == 0 || now < log->valid_loss;
        if (better) {
            memcpy(j->best, j->net.params, bytes);
            log->best_epoch = epoch;
            log->valid_loss = now;
        }
        if (j->options->patience && epoch - log->best_epoch >= j->options->patience)
            break;
    }
    memcpy(j->net.params, j->best, bytes);
    return ITEM_OK;
}

static item_status keep(job *j, item_error *err)
{
    for (size_t l = 0; l < j->net.layers; l++) {
        size_t weights = j->net.width[l] * j->net.width[l + 1];
        for (size_t i = 0; i < weights; i++)
            j->mlp->weight[l][i] = (float)j->net.params[j->net.weight[l] + i];
        for (size_t i = 0; i < j->net.width[l + 1]; i++)
            j->mlp->bias[l][i] = (float)j->net.params[j->net.bias[l] + i];
    }
    for (size_t i = 0; i < j->net.count; i++) {
        if (!isfinite((float)j->net.params[i]))
            return itemi_fail(err, ITEM_E_ARGUMENT,
                              "training: the weights ran away; take a smaller learning rate");
    }
    return ITEM_OK;
}

static item_status descend(job *j, itemi_rows valid, itemi_train_log *log, item_error *err)
{
    itemi_net_randomise(&j->net, j->options->seed);
    item_status status = run(j, valid, log, err);
    return status == ITEM_OK ? keep(j, err) : status;
}

static bool reserve(job *j, itemi_rows train)
{
    const itemi_train_options *o = j->options;
    itemi_mlp *mlp = j->mlp;
    *mlp = (itemi_mlp){.layers = o->hidden + 1};
    mlp->width[0] = j->samples->width;
    memcpy(mlp->width + 1, o->hidden_width, o->hidden * sizeof *mlp->width);
    mlp->width[mlp->layers] = 1;

    if (!itemi_mlp_reserve(j->mem, mlp) ||
        !itemi_net_init(j->mem, mlp->layers, mlp->width, &j->net))
        return false;
    j->moments = itemi_alloc_zero(j->mem, 2 * j->net.count, sizeof *j->moments);
    j->best = itemi_alloc_array(j->mem, j->net.count, sizeof *j->best);
    j->order = itemi_alloc_array(j->mem, train.count, sizeof *j->order);
    if (!j->moments || !j->best || !j->order)
        return false;
    memcpy(j->order, train.index, train.count * sizeof *j->order);
    j->rows = train.count;
    return true;
}

item_status itemi_mlp_train(const itemi_mem *mem, const itemi_samples *samples, itemi_rows train,
                            itemi_rows valid, const itemi_train_options *options, itemi_mlp *out,
                            itemi_train_log *log, item_error *err)
{
    *out = (itemi_mlp){.mem = mem};
    *log = (itemi_train_log){.valid_loss = NAN};
    item_status status = check_options(options, err);
    if (status == ITEM_OK)
        status = check_rows(samples, train, true, err);
    if (status == ITEM_OK)
        status = check_rows(samples, valid, false, err);
    if (status != ITEM_OK)
        return status;

    job j = {.mem = mem,
             .samples = samples,
             .options = options,
             .mlp = out,
             .shuffle = {options->seed, STREAM_ORDER, 0},
             .dropout = {options->seed, STREAM_DROPOUT, 0}};
    if (reserve(&j, train)) {
        learn_scaling(&j);
        status = options->hidden ? descend(&j, valid, log, err)
                                 : itemi_logistic_fit(mem, samples, train, options, out, log, err);
    } else {
        status = itemi_fail_memory(err, "training");
    }
    itemi_net_free(&j.net);
    itemi_free(mem, j.moments);
    itemi_free(mem, j.best);
    itemi_free(mem, j.order);
    if (status != ITEM_OK)
        itemi_mlp_free(out);
    return status;
}
