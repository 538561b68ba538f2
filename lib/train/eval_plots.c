/* SPDX-License-Identifier: Apache-2.0 */
/* What plots are drawn from: curves of sources with both labels, counts of scores. */
#include <math.h>

#include "core/json_make.h"
#include "train/eval.h"

#define SCORE_BINS 24

static json_t *points(const itemi_part *part, double *x, double *y)
{
    json_t *list = json_array();
    size_t n = itemi_roc(&part->ranking, x, y);
    for (size_t i = 0; i < n; i++)
        itemi_json_append(&list,
                          json_pack("[o, o]", itemi_json_figure(x[i]), itemi_json_figure(y[i])));
    return list;
}

static item_status put_curve(const itemi_evaluation *e, uint32_t source, const itemi_part *part,
                             json_t **curves, item_error *err)
{
    double auc = itemi_auc(&part->ranking, NULL);
    if (isnan(auc))
        return ITEM_OK;
    double *x = itemi_alloc_array(NULL, part->count + 1, sizeof *x);
    double *y = itemi_alloc_array(NULL, part->count + 1, sizeof *y);
    item_status status = x && y ? ITEM_OK : itemi_fail_memory(err, "evaluating");
    if (status == ITEM_OK) {
        json_t *row = itemi_source_row(e, source);
        itemi_json_put(&row, "points", points(part, x, y));
        itemi_json_append(curves, row);
    }
    itemi_free(NULL, x);
    itemi_free(NULL, y);
    return status;
}

static item_status put_curves(const itemi_evaluation *e, json_t **report, item_error *err)
{
    itemi_panel panel = {.parts = 0};
    json_t *curves = json_array();
    item_status status = itemi_panel_make(e->cohort, e->answers->score, &panel, err);
    for (uint32_t s = 0; status == ITEM_OK && s < e->cohort->sources; s++)
        status = put_curve(e, s, &panel.part[s], &curves, err);
    itemi_panel_free(&panel);
    itemi_json_put(report, "curves", curves);
    return status;
}

/* Scores of the pictures that are counted, in bins of one width; the last one has its upper end. */
static json_t *histogram(const itemi_evaluation *e)
{
    double low = INFINITY, high = -INFINITY;
    uint64_t count[2][SCORE_BINS] = {{0}, {0}};
    const itemi_cohort *c = e->cohort;
    for (size_t i = 0; i < e->data->count; i++) {
        if (!c->known[c->source[i]]) {
            low = fmin(low, e->answers->score[i]);
            high = fmax(high, e->answers->score[i]);
        }
    }
    for (size_t i = 0; i < e->data->count; i++) {
        double at = high > low ? (e->answers->score[i] - low) / (high - low) * SCORE_BINS : 0;
        if (!c->known[c->source[i]])
            count[c->label[i]][at < SCORE_BINS ? (size_t)at : SCORE_BINS - 1]++;
    }
    json_t *of[2] = {json_array(), json_array()};
    for (size_t label = 0; label < 2; label++)
        for (size_t b = 0; b < SCORE_BINS; b++)
            itemi_json_append(&of[label], json_integer((json_int_t)count[label][b]));
    return json_pack("{s:o, s:o, s:o, s:o}", "low", itemi_json_figure(low), "high",
                     itemi_json_figure(high), "photographs", of[0], "ai", of[1]);
}

item_status itemi_report_plots(const itemi_evaluation *e, json_t **report, item_error *err)
{
    itemi_json_put(report, "scores", histogram(e));
    return put_curves(e, report, err);
}
