/* SPDX-License-Identifier: Apache-2.0 */
/* What a training makes of held-out scores: calibration, thresholds, rules for "unsure". */
#include <math.h>
#include <string.h>

#include "train/session.h"

/* ---- calibration on what was held out ---- */

#define EVERY_SOURCE UINT32_MAX

/* Scores of one label of a source, sorted; their number. */
static size_t scores_of(const itemi_session *s, uint8_t label, uint32_t source, double *out)
{
    size_t n = 0;
    for (size_t i = 0; i < s->data->count; i++) {
        bool asked = source == EVERY_SOURCE || s->cohort.source[i] == source;
        if (asked && s->cohort.label[i] == label)
            out[n++] = s->score[i];
    }
    itemi_sort(out, n);
    return n;
}

static bool by_worst_source(const itemi_session *s)
{
    return s->options->threshold_rule && strcmp(s->options->threshold_rule, ITEMI_RULE_WORST) == 0;
}

/* Pictures of a label with a score from low to below high. */
static uint64_t between(const itemi_session *s, uint8_t label, double low, double high)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s->data->count; i++)
        n += s->cohort.label[i] == label && s->score[i] >= low && s->score[i] < high;
    return n;
}

/*
 * Does a score in this range speak for the label? The share of its pictures there is larger than
 * that of the other label's, beyond chance. Else a verdict would be right by accident alone.
 */
static bool speaks_for(const itemi_session *s, uint8_t label, double low, double high)
{
    const uint64_t own = between(s, label, low, high), other = between(s, !label, low, high);
    const uint64_t all_own = between(s, label, -HUGE_VAL, HUGE_VAL);
    const double share = (double)other / (double)(s->data->count - all_own);
    return itemi_binomial(own, all_own, ITEMI_LEVEL).low > share;
}

/* The least score that keeps the rate over all photographs and, if asked, within each source. */
static itemi_promise promise(const itemi_session *s, double rate, double *sorted)
{
    size_t above, n = scores_of(s, 0, EVERY_SOURCE, sorted);
    itemi_promise p = {.score = itemi_threshold_for(sorted, n, rate, &above), .rate = rate};
    for (uint32_t source = 0; by_worst_source(s) && source < s->cohort.sources; source++) {
        size_t of_source = scores_of(s, 0, source, sorted);
        double score = itemi_threshold_for(sorted, of_source, rate, &above);
        if (of_source >= ITEMI_ENOUGH_OF_SOURCE && score > p.score)
            p.score = score;
    }
    if (!speaks_for(s, ITEM_LABEL_AI, p.score, HUGE_VAL))
        p.score = HUGE_VAL;
    p.real = n;
    p.above = between(s, ITEM_LABEL_REAL, p.score, HUGE_VAL);
    return p;
}

static void set_thresholds(itemi_session *s)
{
    double *sorted = s->weight; /* not needed any more */
    const char *rule = by_worst_source(s) ? ITEMI_RULE_WORST : ITEMI_RULE_POOLED;
    memcpy(s->facts.threshold_rule, rule, strlen(rule) + 1);
    s->facts.fpr1 = promise(s, 0.01, sorted);
    s->facts.fpr5 = promise(s, 0.05, sorted);
    s->facts.ai = scores_of(s, 1, EVERY_SOURCE, sorted);
    s->facts.real_share = s->options->real_share;
    s->facts.real_below = itemi_real_point(sorted, (size_t)s->facts.ai, s->options->real_share);
    if (!speaks_for(s, ITEM_LABEL_REAL, -HUGE_VAL, s->facts.real_below))
        s->facts.real_below = -HUGE_VAL;
}

static item_status set_scores(itemi_session *s, item_error *err)
{
    size_t n = s->data->count;
    const itemi_rows all = {s->cohort.all, n};
    item_status status = itemi_balance(NULL, &s->cohort.groups, all, s->weight, err);
    if (status == ITEM_OK)
        status = itemi_calibrate(s->chosen->held_out.logit, s->cohort.label, s->weight, n,
                                 &s->calibration, err);
    if (status != ITEM_OK)
        return status;
    s->facts.temperature = s->calibration.temperature;
    s->facts.bias = s->calibration.bias;
    for (size_t i = 0; i < n; i++)
        s->score[i] = (s->chosen->held_out.logit[i] + s->facts.bias) / s->facts.temperature;
    return ITEM_OK;
}

/* Rules for "unsure": sizes, captions and features like those of the calibration. */
static void set_rules(itemi_session *s)
{
    const item_train_options *o = s->options;
    itemi_head_facts *f = &s->facts;
    double *sorted = s->weight;
    size_t n = s->data->count, known = 0;

    memcpy(sorted, s->chosen->held_out.distance, n * sizeof *sorted);
    itemi_sort(sorted, n);
    f->scope_quantile = o->scope_quantile > 0 ? o->scope_quantile : 0.5;
    f->scope_limit = o->scope_quantile > 0 ? itemi_quantile(sorted, n, o->scope_quantile) : NAN;

    for (size_t i = 0; i < n; i++) {
        if (!isnan(s->data->record[i].caption_logprob))
            sorted[known++] = s->data->record[i].caption_logprob;
    }
    itemi_sort(sorted, known);
    f->caption_quantile = o->caption_quantile > 0 ? o->caption_quantile : 0.5;
    f->caption_least =
        o->caption_quantile > 0 ? itemi_quantile(sorted, known, o->caption_quantile) : NAN;

    f->size_min = o->size_min;
    f->size_max = o->size_max;
    for (size_t i = 0; i < n && !o->size_min; i++) {
        uint32_t side = itemi_record_short_side(&s->data->record[i]);
        if (side && (!f->size_min || side < f->size_min))
            f->size_min = side;
    }
}

item_status itemi_session_calibrate(itemi_session *s, item_error *err)
{
    item_status status = set_scores(s, err);
    if (status != ITEM_OK)
        return status;
    set_thresholds(s);
    set_rules(s);
    return itemi_session_plain(s, err);
}
