/* SPDX-License-Identifier: Apache-2.0 */
/* How far probabilities are from shares: of all pictures, and within each source. */
#include <math.h>

#include "core/json_make.h"
#include "train/eval.h"

typedef enum gauge { ECE = 0, BRIER, GAUGES } gauge;

/* Pictures whose labels, and in them sources, weigh the same. */
typedef struct gauged {
    itemi_part part; /* its scores are probabilities */
    double *base;    /* weight without a draw [part.count] */
} gauged;

struct itemi_calibrated {
    size_t count, bins; /* sources, and one of all */
    gauged *of;
    double *value; /* [count x GAUGES] */
    itemi_interval *interval;
    itemi_bin *bin; /* of all */
};

static void measure_one(const itemi_calibrated *c, size_t which, const double *weights,
                        itemi_bin *bin, double *out)
{
    const gauged *g = &c->of[which];
    const itemi_part *part = &g->part;
    for (size_t i = 0; i < part->count; i++)
        part->weight[i] = g->base[i] * (weights ? weights[part->row[i]] : 1);
    out[ECE] = part->count ? itemi_ece(&part->ranking, part->weight, c->bins, bin) : NAN;
    out[BRIER] = itemi_brier(part->score, part->label, part->weight, part->count);
}

static void measure(void *user, const double *weights, double *out)
{
    const itemi_calibrated *c = user;
    for (size_t i = 0; i < c->count; i++)
        measure_one(c, i, weights, NULL, out + i * GAUGES);
}

/* Nothing is said of a source with one label: its share of AI pictures is no property of it. */
static bool has_both(const itemi_cohort *cohort, itemi_rows rows)
{
    bool seen[2] = {false, false};
    for (size_t i = 0; i < rows.count; i++)
        seen[cohort->label[rows.index[i]]] = true;
    return seen[0] && seen[1];
}

static item_status prepare(const itemi_evaluation *e, itemi_rows rows, const double *p,
                           double *weight, gauged *g, item_error *err)
{
    item_status status = itemi_part_make(e->cohort, rows, p, &g->part, err);
    if (status != ITEM_OK)
        return status;
    g->base = itemi_alloc_array(NULL, rows.count, sizeof *g->base);
    if (!g->base)
        return itemi_fail_memory(err, "evaluating");
    if (rows.count)
        status = itemi_balance(NULL, &e->cohort->groups, rows, weight, err);
    for (size_t i = 0; status == ITEM_OK && i < rows.count; i++)
        g->base[i] = weight[rows.index[i]];
    return status;
}

static item_status prepare_all(const itemi_evaluation *e, itemi_calibrated *c, item_error *err)
{
    size_t n = e->data->count;
    double *p = itemi_alloc_array(NULL, n, sizeof *p);
    double *weight = itemi_alloc_array(NULL, n, sizeof *weight);
    uint32_t *room = itemi_alloc_array(NULL, n, sizeof *room);
    item_status status = p && weight && room ? ITEM_OK : itemi_fail_memory(err, "evaluating");
    for (size_t i = 0; status == ITEM_OK && i < n; i++)
        p[i] = itemi_sigmoid(e->answers->score[i]);
    for (size_t s = 0; status == ITEM_OK && s < c->count; s++) {
        itemi_rows rows = itemi_rows_of_source(e->cohort, s, room);
        if (s + 1 < c->count && !has_both(e->cohort, rows))
            rows.count = 0;
        status = prepare(e, rows, p, weight, &c->of[s], err);
    }
    itemi_free(NULL, p);
    itemi_free(NULL, weight);
    itemi_free(NULL, room);
    return status;
}

item_status itemi_calibrated_make(const itemi_evaluation *e, itemi_calibrated **out,
                                  item_error *err)
{
    itemi_calibrated *c = *out = itemi_alloc_zero(NULL, 1, sizeof *c);
    if (!c)
        return itemi_fail_memory(err, "evaluating");
    size_t count = e->cohort->sources + 1, outputs = count * GAUGES;
    c->bins = e->bins;
    c->of = itemi_alloc_zero(NULL, count, sizeof *c->of);
    c->value = itemi_alloc_array(NULL, outputs, sizeof *c->value);
    c->interval = itemi_alloc_array(NULL, outputs, sizeof *c->interval);
    c->bin = itemi_alloc_zero(NULL, c->bins, sizeof *c->bin);
    c->count = c->of ? count : 0;
    if (!c->of || !c->value || !c->interval || !c->bin)
        return itemi_fail_memory(err, "evaluating");
    item_status status = prepare_all(e, c, err);
    if (status != ITEM_OK)
        return status;
    measure(c, NULL, c->value);
    measure_one(c, count - 1, NULL, c->bin, c->value + outputs - GAUGES);
    return itemi_bootstrap(NULL, &e->cohort->groups, &e->draws, measure, c, outputs, c->interval,
                           err);
}

void itemi_calibrated_free(itemi_calibrated *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++) {
        itemi_part_free(&c->of[i].part);
        itemi_free(NULL, c->of[i].base);
    }
    itemi_free(NULL, c->of);
    itemi_free(NULL, c->value);
    itemi_free(NULL, c->interval);
    itemi_free(NULL, c->bin);
    itemi_free(NULL, c);
}

void itemi_put_calibrated(const itemi_calibrated *c, size_t source, json_t **object)
{
    static const char *const names[GAUGES] = {"ece", "brier"};
    static const char *const intervals[GAUGES] = {"ece_interval", "brier_interval"};
    for (size_t g = 0; g < GAUGES; g++) {
        size_t at = source * GAUGES + g;
        itemi_json_put(object, names[g], itemi_json_figure(c->value[at]));
        itemi_json_put(object, intervals[g],
                       isnan(c->value[at]) ? json_null() : itemi_json_interval(c->interval[at]));
    }
}

json_t *itemi_calibration_section(const itemi_calibrated *c)
{
    json_t *section = json_pack("{s:s}", "weights", "equal by label and source");
    json_t *bins = json_array();
    for (size_t b = 0; b < c->bins; b++)
        itemi_json_append(&bins, json_pack("{s:o, s:o}", "mean", itemi_json_figure(c->bin[b].mean),
                                           "ai_share", itemi_json_figure(c->bin[b].share)));
    itemi_put_calibrated(c, c->count - 1, &section);
    itemi_json_put(&section, "bins", bins);
    return section;
}
