/* SPDX-License-Identifier: Apache-2.0 */
/* One fit, and fits of folds that know nothing of what they score. */
#include <math.h>
#include <string.h>

#include "train/data.h"

static bool go_on(void *user)
{
    return !itemi_cancelled(((const itemi_pace *)user)->cancel);
}

/* Rows of training, and those of them that early stopping looks at. */
typedef struct split {
    uint32_t *train, *valid;
    size_t trains, valids;
    double *weight; /* by row of the data set */
} split;

static bool reserve(split *s, size_t rows, size_t all)
{
    s->train = itemi_alloc_array(NULL, rows, sizeof *s->train);
    s->valid = itemi_alloc_array(NULL, rows, sizeof *s->valid);
    s->weight = itemi_alloc_zero(NULL, all, sizeof *s->weight);
    return s->train && s->valid && s->weight;
}

static void release(split *s)
{
    itemi_free(NULL, s->train);
    itemi_free(NULL, s->valid);
    itemi_free(NULL, s->weight);
}

static bool both_labels(const itemi_cohort *cohort, const split *s)
{
    bool seen[2] = {false, false};
    for (size_t i = 0; i < s->trains; i++)
        seen[cohort->label[s->train[i]]] = true;
    return seen[0] && seen[1];
}

/*
 * One scene in 1 / share is for validation. Which one hangs on its place in the data set, so
 * that a row's part is the same in every fold.
 */
static item_status divide(const itemi_cohort *cohort, itemi_rows rows, double share, split *s,
                          item_error *err)
{
    /* more parts than rows would leave the last one, which is for validation, empty */
    double wanted = share > 0 ? 1 / share + 0.5 : 0;
    size_t parts = wanted < (double)cohort->groups.count + 1 ? (size_t)wanted : 0, found;
    uint32_t *part = itemi_alloc_zero(NULL, cohort->groups.count, sizeof *part);
    if (!part)
        return itemi_fail_memory(err, "training");
    item_status status = ITEM_OK;
    if (parts > 1)
        status = itemi_folds(NULL, &cohort->groups, ITEMI_FOLD_SCENE, parts, part, &found, err);
    for (size_t i = 0; i < rows.count; i++) {
        uint32_t row = rows.index[i];
        if (parts > 1 && part[row] == parts - 1)
            s->valid[s->valids++] = row;
        else
            s->train[s->trains++] = row;
    }
    itemi_free(NULL, part);
    if (!both_labels(cohort, s)) { /* so few scenes that none can be spared */
        memcpy(s->train, rows.index, rows.count * sizeof *s->train);
        s->trains = rows.count;
        s->valids = 0;
    }
    return status;
}

/* Logistic regression has nothing to stop early, and learns from every row. */
static double spared(const itemi_fit_options *options)
{
    return options->network.hidden ? options->validation : 0;
}

item_status itemi_fit(const itemi_task *task, itemi_rows rows, itemi_mlp *out, itemi_train_log *log,
                      item_error *err)
{
    const itemi_groups *groups = &task->cohort->groups;
    split s = {0};
    *out = (itemi_mlp){.mem = NULL};
    item_status status = reserve(&s, rows.count, groups->count)
                             ? divide(task->cohort, rows, spared(task->options), &s, err)
                             : itemi_fail_memory(err, "training");
    const itemi_rows train = {s.train, s.trains}, valid = {s.valid, s.valids};
    if (status == ITEM_OK)
        status = itemi_balance(NULL, groups, train, s.weight, err);
    if (status == ITEM_OK)
        status = itemi_balance(NULL, groups, valid, s.weight, err);
    if (status == ITEM_OK) {
        const itemi_samples samples = {groups->count, task->width, task->features, groups->label,
                                       s.weight};
        itemi_train_options network = task->options->network;
        network.go_on = go_on;
        network.user = task->pace;
        status = itemi_mlp_train(NULL, &samples, train, valid, &network, out, log, err);
    }
    release(&s);
    itemi_pace *pace = task->pace;
    pace->done += task->options->network.epochs;
    if (status == ITEM_OK && pace->progress)
        pace->progress(pace->user, pace->done, pace->total);
    return status;
}

void itemi_held_out_free(itemi_held_out *held_out)
{
    itemi_free(NULL, held_out->logit);
    itemi_free(NULL, held_out->distance);
    *held_out = (itemi_held_out){.logit = NULL};
}

/* Can every fold be trained on the rest: are both labels there? */
static bool trainable(const itemi_cohort *cohort, const uint32_t *fold, size_t folds)
{
    for (size_t f = 0; f < folds; f++) {
        bool seen[2] = {false, false};
        for (size_t i = 0; i < cohort->groups.count; i++)
            seen[cohort->label[i]] |= fold[i] != f;
        if (!seen[0] || !seen[1])
            return false;
    }
    return folds >= 2;
}

/* Without one, folds of generators would be folds of scenes under a name that promises more. */
static bool knows_a_generator(const itemi_groups *groups)
{
    for (size_t i = 0; i < groups->count; i++) {
        if (groups->label[i] && groups->generator[i] != ITEMI_NO_GROUP)
            return true;
    }
    return false;
}

item_status itemi_fold_plan_make(const itemi_cohort *cohort, size_t most, itemi_fold_plan *out,
                                 item_error *err)
{
    *out = (itemi_fold_plan){.unit = ITEMI_FOLD_SOURCE};
    out->fold = itemi_alloc_array(NULL, cohort->groups.count, sizeof *out->fold);
    item_status status = out->fold ? ITEM_OK : itemi_fail_memory(err, "making folds");
    for (; status == ITEM_OK && out->unit <= ITEMI_FOLD_SCENE; out->unit++) {
        if (out->unit == ITEMI_FOLD_GENERATOR && !knows_a_generator(&cohort->groups))
            continue;
        status = itemi_folds(NULL, &cohort->groups, out->unit, most, out->fold, &out->folds, err);
        if (status == ITEM_OK && trainable(cohort, out->fold, out->folds))
            return ITEM_OK;
    }
    if (status == ITEM_OK)
        status =
            itemi_fail(err, ITEM_E_ARGUMENT,
                       "training: at least two scenes of each label are needed to hold one out");
    itemi_free(NULL, out->fold);
    out->fold = NULL;
    return status;
}

/* Trains without one fold and scores it; rows is room for row numbers. */
static item_status run_fold(const itemi_task *task, const itemi_fold_plan *plan, uint32_t which,
                            uint32_t *rows, itemi_held_out *out, item_error *err)
{
    size_t n = 0, count = task->cohort->groups.count;
    for (size_t i = 0; i < count; i++) {
        if (plan->fold[i] != which)
            rows[n++] = (uint32_t)i;
    }
    itemi_mlp mlp;
    itemi_train_log log;
    item_status status = itemi_fit(task, (itemi_rows){rows, n}, &mlp, &log, err);
    if (status != ITEM_OK)
        return status;
    out->epochs += (double)log.best_epoch / (double)plan->folds;
    float *scratch = itemi_alloc_array(NULL, itemi_mlp_scratch(&mlp), sizeof *scratch);
    for (size_t i = 0; scratch && i < count; i++) {
        if (plan->fold[i] != which)
            continue;
        const float *x = task->features + i * task->width;
        out->logit[i] = (double)itemi_mlp_logit(&mlp, x, scratch);
        out->distance[i] = itemi_mlp_distance(&mlp, x);
    }
    bool ok = scratch != NULL;
    itemi_free(NULL, scratch);
    itemi_mlp_free(&mlp);
    return ok ? ITEM_OK : itemi_fail_memory(err, "training");
}

item_status itemi_cross_fit(const itemi_task *task, const itemi_fold_plan *plan,
                            itemi_held_out *out, item_error *err)
{
    size_t n = task->cohort->groups.count;
    *out = (itemi_held_out){.logit = itemi_alloc_array(NULL, n, sizeof *out->logit),
                            .distance = itemi_alloc_array(NULL, n, sizeof *out->distance)};
    uint32_t *rows = itemi_alloc_array(NULL, n, sizeof *rows);
    bool ok = out->logit && out->distance && rows;
    item_status status = ok ? ITEM_OK : itemi_fail_memory(err, "training");
    for (uint32_t f = 0; status == ITEM_OK && f < plan->folds; f++)
        status = run_fold(task, plan, f, rows, out, err);
    itemi_free(NULL, rows);
    if (status != ITEM_OK)
        itemi_held_out_free(out);
    return status;
}
