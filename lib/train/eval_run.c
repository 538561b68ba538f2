/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluating a head on a data set. */
#include <math.h>
#include <string.h>

#include "core/head_private.h"
#include "core/json_make.h"
#include "train/eval.h"

#define BINS_MAX 1000

static item_status check_options(const item_eval_options *o, item_error *err)
{
    if (o->draws < 1 || o->draws > ITEMI_DRAWS_MAX || o->bins < 1 || o->bins > BINS_MAX)
        return itemi_fail(err, ITEM_E_ARGUMENT, "evaluation: 1 to %d draws and 1 to %d bins",
                          ITEMI_DRAWS_MAX, BINS_MAX);
    if (o->reserved)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_eval_options: reserved is not 0");
    if (!(o->level > 0 && o->level < 1))
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "evaluation: the level of intervals lies between 0 and 1");
    return itemi_threshold_check(o->threshold, err);
}

/* Judges every row of features. */
static item_status answer(const itemi_evaluation *e, const float *features, itemi_answers *out,
                          item_error *err)
{
    size_t width = itemi_head_get_facts(e->head)->features;
    for (size_t i = 0; i < e->data->count; i++) {
        itemi_evidence evidence;
        itemi_judgement j;
        itemi_evidence_of(e->data, i, features + i * width, width, &evidence);
        item_status status = itemi_head_judge(e->head, &evidence, &e->threshold, &j, err);
        if (status != ITEM_OK)
            return status;
        out->score[i] = j.score;
        out->verdict[i] = j.verdict;
        out->reason[i] = j.reason;
    }
    return ITEM_OK;
}

static item_status score_design(const itemi_evaluation *e, const itemi_head *head,
                                itemi_design design, double *score, item_error *err)
{
    const itemi_head_facts *f = itemi_head_get_facts(head);
    float *features = itemi_design_make(e->data, design, &f->layout, e->cohort, e->draws.seed);
    item_status status = features ? ITEM_OK : itemi_fail_memory(err, "evaluating");
    for (size_t i = 0; status == ITEM_OK && i < e->data->count; i++)
        status = itemi_head_score(head, features + i * f->features, f->features, &score[i], err);
    itemi_free(NULL, features);
    return status;
}

/* ---- controls ---- */

typedef double (*plain_score)(const item_dataset *data, size_t row);

static double similarity(const item_dataset *data, size_t row)
{
    return (double)itemi_dot(data->image + row * data->width, data->text + row * data->width,
                             data->width);
}

static double likelihood(const item_dataset *data, size_t row)
{
    double logprob = data->record[row].caption_logprob;
    return isnan(logprob) ? 0 : logprob;
}

static double objects(const item_dataset *data, size_t row)
{
    return data->record[row].objects;
}

static double file_bytes(const item_dataset *data, size_t row)
{
    return (double)data->record[row].file_bytes;
}

static double short_side(const item_dataset *data, size_t row)
{
    return itemi_record_short_side(&data->record[row]);
}

/* Single figures as scores: nothing is learnt. */
static item_status plain_controls(const itemi_evaluation *e, double *score, json_t **controls,
                                  item_error *err)
{
    static const struct {
        const char *name;
        plain_score of;
    } plain[] = {
        {"similarity of picture and caption", similarity},
        {"likelihood of the caption", likelihood},
        {"number of objects", objects},
        {"short side of the picture", short_side},
        {"bytes of the file", file_bytes},
    };
    item_status status = ITEM_OK;
    for (size_t c = 0; status == ITEM_OK && c < ITEMI_COUNT(plain); c++) {
        for (size_t i = 0; i < e->data->count; i++)
            score[i] = plain[c].of(e->data, i);
        status = itemi_report_control(e, plain[c].name, score, controls, err);
    }
    return status;
}

/* Logistic regression with settings that fit any of the controls. */
static const itemi_fit_options control_fit = {
    .network = {.epochs = 60,
                .batch = 64,
                .patience = 10,
                .learning_rate = 5e-3,
                .weight_decay = 0.1,
                .seed = 1},
    .validation = 0.15,
};

/* Trains one design on the head's training pictures, and scores these pictures by it. */
static item_status trained_score(const itemi_evaluation *e, const item_dataset *from,
                                 const itemi_cohort *cohort, itemi_design design, itemi_pace *pace,
                                 double *score, item_error *err)
{
    const itemi_layout *layout = &itemi_head_get_facts(e->head)->layout;
    size_t width = itemi_design_width(from, design, layout);
    float *known = itemi_design_make(from, design, layout, cohort, e->draws.seed);
    float *new = itemi_design_make(e->data, design, layout, e->cohort, e->draws.seed);
    float *scratch = NULL;
    itemi_mlp mlp = {.mem = NULL};
    itemi_train_log log;
    item_status status = known && new ? ITEM_OK : itemi_fail_memory(err, "evaluating");
    if (status == ITEM_OK)
        status = itemi_fit(&(itemi_task){cohort, known, width, &control_fit, pace},
                           (itemi_rows){cohort->all, from->count}, &mlp, &log, err);
    if (status == ITEM_OK) {
        scratch = itemi_alloc_array(NULL, itemi_mlp_scratch(&mlp), sizeof *scratch);
        if (!scratch)
            status = itemi_fail_memory(err, "evaluating");
    }
    for (size_t i = 0; status == ITEM_OK && i < e->data->count; i++)
        score[i] = (double)itemi_mlp_logit(&mlp, new + i *width, scratch);
    itemi_mlp_free(&mlp);
    itemi_free(NULL, scratch);
    itemi_free(NULL, known);
    itemi_free(NULL, new);
    return status;
}

static item_status trained_controls(const itemi_evaluation *e, const item_eval_options *options,
                                    double *score, json_t **controls, item_error *err)
{
    const item_dataset *from = options->controls;
    itemi_pace pace = {.cancel = options->cancel};
    itemi_cohort cohort;
    if (from->width != e->data->width)
        return itemi_fail(err, ITEM_E_MISMATCH,
                          "evaluation: controls have vectors of %zu numbers, the data set of %zu",
                          from->width, e->data->width);
    item_status status = itemi_cohort_make(from, &cohort, err);
    if (status != ITEM_OK)
        return status;
    for (itemi_design d = ITEMI_DESIGN_SHUFFLED; status == ITEM_OK && d < ITEMI_DESIGNS; d++) {
        status = trained_score(e, from, &cohort, d, &pace, score, err);
        if (status == ITEM_OK)
            status = itemi_report_control(e, itemi_design_name(d), score, controls, err);
    }
    itemi_cohort_free(&cohort);
    return status;
}

static item_status put_controls(const itemi_evaluation *e, const item_eval_options *options,
                                double *score, json_t **report, item_error *err)
{
    json_t *controls = json_array();
    item_status status = score_design(e, e->head, ITEMI_DESIGN_SHUFFLED, score, err);
    if (status == ITEM_OK)
        status = itemi_report_control(e, "the head on captions shuffled within the source", score,
                                      &controls, err);
    if (status == ITEM_OK)
        status = plain_controls(e, score, &controls, err);
    if (status == ITEM_OK && options->controls)
        status = trained_controls(e, options, score, &controls, err);
    itemi_json_put(report, "controls", controls);
    return status;
}

static item_status put_rival(const itemi_evaluation *e, const char *path, double *score,
                             json_t **report, item_error *err)
{
    itemi_head *rival = NULL;
    item_status status = itemi_head_open(NULL, path, &rival, err);
    if (status == ITEM_OK)
        status = itemi_data_fits(e->data, rival, err);
    if (status == ITEM_OK)
        status = score_design(e, rival, ITEMI_DESIGN_LAYOUT, score, err);
    if (status == ITEM_OK)
        status = itemi_report_comparison(e, path, score, report, err);
    itemi_head_free(rival);
    return status;
}

/* ---- the whole ---- */

static item_status cancelled(const item_eval_options *options, item_error *err)
{
    return itemi_cancelled(options->cancel) ? itemi_fail_cancelled(err) : ITEM_OK;
}

static item_status fill_report(itemi_evaluation *e, itemi_answers *answers,
                               const item_eval_options *options, json_t **report, item_error *err)
{
    const itemi_layout *layout = &itemi_head_get_facts(e->head)->layout;
    double *score = itemi_alloc_array(NULL, e->data->count, sizeof *score);
    float *features =
        itemi_design_make(e->data, ITEMI_DESIGN_LAYOUT, layout, e->cohort, e->draws.seed);
    item_status status = score && features ? answer(e, features, answers, err)
                                           : itemi_fail_memory(err, "evaluating");
    itemi_free(NULL, features);
    itemi_json_put(report, "kind", json_string("evaluation"));
    itemi_json_put(report, "head", itemi_head_facts_dump(itemi_head_get_facts(e->head)));
    if (status == ITEM_OK)
        status = itemi_report_figures(e, report, err);
    if (status == ITEM_OK)
        status = cancelled(options, err);
    if (status == ITEM_OK)
        status = put_controls(e, options, score, report, err);
    if (status == ITEM_OK)
        status = cancelled(options, err);
    if (status == ITEM_OK && options->rival)
        status = put_rival(e, options->rival, score, report, err);
    itemi_free(NULL, score);
    return status;
}

static item_status evaluate(const item_dataset *data, const itemi_head *head,
                            const item_eval_options *options, item_report **out, item_error *err)
{
    itemi_cohort cohort = {.sources = 0};
    itemi_answers answers = {.score = NULL};
    itemi_evaluation e = {.data = data,
                          .cohort = &cohort,
                          .head = head,
                          .answers = &answers,
                          .draws = {options->draws, options->seed, options->level, options->cancel},
                          .bins = options->bins};
    item_status status = itemi_data_fits(data, head, err);
    if (status == ITEM_OK)
        status = itemi_head_threshold(head, options->threshold, &e.threshold, err);
    if (status == ITEM_OK)
        status = itemi_cohort_make(data, &cohort, err);
    if (status == ITEM_OK && !itemi_answers_reserve(&answers, data->count))
        status = itemi_fail_memory(err, "evaluating");
    if (status == ITEM_OK) {
        json_t *report = json_object();
        status = fill_report(&e, &answers, options, &report, err);
        if (status == ITEM_OK)
            status = itemi_report_make(report, NULL, out, err);
        else
            json_decref(report);
    }
    itemi_answers_free(&answers);
    itemi_cohort_free(&cohort);
    return status;
}

item_status item_evaluate(const item_dataset *data, const char *head, const item_ctx *ctx,
                          const item_eval_options *options, item_report **out, item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    const item_eval_options plain = ITEM_EVAL_OPTIONS_INIT;
    item_eval_options ours;
    if (!data || !out || (!head && !ctx))
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "item_evaluate: a data set, a head or a context, and out are needed");
    *out = NULL;
    item_status status =
        itemi_struct_in(&ours, sizeof ours, ITEMI_SIZE_TO(item_eval_options, cancel),
                        options ? options : &plain, "item_eval_options", err);
    if (status == ITEM_OK)
        status = check_options(&ours, err);
    if (status == ITEM_OK && data->count == 0)
        status = itemi_fail(err, ITEM_E_ARGUMENT, "item_evaluate: the data set is empty");
    if (status != ITEM_OK)
        return status;

    itemi_head *opened = NULL;
    const itemi_head *used = NULL;
    status = itemi_head_given(head, ctx, "evaluate", &used, &opened, err);
    if (status == ITEM_OK)
        status = evaluate(data, used, &ours, out, err);
    itemi_head_free(opened);
    return status;
}
