/* SPDX-License-Identifier: Apache-2.0 */
/* Controls of an evaluation: what should not be needed to tell the labels apart. */
#include <math.h>

#include "core/json_make.h"
#include "train/eval.h"

item_status itemi_score_design(const itemi_evaluation *e, const itemi_head *head,
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
    .network = {.epochs = 1, .batch = 1, .learning_rate = 1, .penalty = 1},
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

/* They read what the head reads, so what does not fit the head is read beyond its end. */
static item_status check_controls(const itemi_evaluation *e, const item_dataset *from,
                                  item_error *err)
{
    item_error why = ITEM_ERROR_INIT;
    item_status status = itemi_data_fits(from, e->head, &why);
    if (status != ITEM_OK)
        return itemi_fail(err, status, "evaluation: controls: %s", why.message);
    if (from->count == 0)
        return itemi_fail(err, ITEM_E_ARGUMENT, "evaluation: controls: the data set is empty");
    return ITEM_OK;
}

static item_status trained_controls(const itemi_evaluation *e, const item_dataset *from,
                                    item_cancel *cancel, double *score, json_t **controls,
                                    item_error *err)
{
    itemi_pace pace = {.cancel = cancel};
    itemi_cohort cohort;
    item_status status = check_controls(e, from, err);
    if (status == ITEM_OK)
        status = itemi_cohort_make(from, &cohort, err);
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

item_status itemi_report_controls(const itemi_evaluation *e, const item_dataset *from,
                                  item_cancel *cancel, double *score, json_t **report,
                                  item_error *err)
{
    json_t *controls = json_array();
    item_status status = itemi_score_design(e, e->head, ITEMI_DESIGN_SHUFFLED, score, err);
    if (status == ITEM_OK)
        status = itemi_report_control(e, "the head on captions shuffled within the source", score,
                                      &controls, err);
    if (status == ITEM_OK)
        status = plain_controls(e, score, &controls, err);
    if (status == ITEM_OK && from)
        status = trained_controls(e, from, cancel, score, &controls, err);
    itemi_json_put(report, "controls", controls);
    return status;
}
