/* SPDX-License-Identifier: Apache-2.0 */
/* The report of a training. */
#include <math.h>

#include "train/session.h"

#define BINS 10

/* ---- report ---- */

static void answer_held_out(itemi_session *s, const itemi_threshold *threshold)
{
    size_t width = itemi_layout_size(&s->chosen->layout, itemi_dataset_widths(s->data));
    for (size_t i = 0; i < s->data->count; i++) {
        itemi_evidence evidence;
        itemi_judgement j = {
            .score = s->score[i], .threshold = threshold->score, .real_below = s->facts.real_below};
        itemi_evidence_of(s->data, i, s->features + i * width, width, &evidence);
        itemi_head_decide(s->head, &evidence, s->chosen->held_out.distance[i], &j);
        s->answers.score[i] = j.score;
        s->answers.verdict[i] = j.verdict;
        s->answers.reason[i] = j.reason;
    }
}

/* Verdicts that the head never gives, and why. */
static void warn_of_silence(itemi_session *s)
{
    const itemi_head_facts *f = &s->facts;
    if (f->fpr1.real < 100)
        itemi_report_warn(&s->report, "There are fewer than 100 photographs, too few for a"
                                      " threshold at 1 %: with fpr1 no picture is called `ai`.");
    else if (isinf(f->fpr1.score))
        itemi_report_warn(&s->report, "Photographs score highest as often as AI pictures do, or"
                                      " chance may explain the difference: with fpr1 no picture is"
                                      " called `ai`.");
    if ((double)f->ai * f->real_share < 1)
        itemi_report_warn(&s->report, "There are too few AI pictures for a point below which few of"
                                      " them lie: no picture is called `real`.");
    else if (isinf(f->real_below))
        itemi_report_warn(&s->report, "AI pictures score lowest as often as photographs do, or"
                                      " chance may explain the difference: no picture is called"
                                      " `real`.");
}

static void warn(itemi_session *s)
{
    const itemi_head_facts *f = &s->facts;
    if (s->plan.unit != ITEMI_FOLD_SOURCE)
        itemi_report_warn(&s->report, "There are too few sources to hold some out, so calibration"
                                      " and figures are of sources that were trained on. They say"
                                      " nothing of new sources.");
    if (s->calibration.clamped)
        itemi_report_warn(&s->report, "The held-out scores do not tell the labels apart: the head"
                                      " knows next to nothing.");
    warn_of_silence(s);
    if (f->real_below >= f->fpr1.score)
        itemi_report_warn(&s->report, "Photographs and AI pictures overlap so far that with fpr1 no"
                                      " picture is called `real`.");
    if (isnan(f->caption_least) && s->options->caption_quantile > 0)
        itemi_report_warn(&s->report, "The captions' likelihoods are not known, so there is no rule"
                                      " for improbable captions.");
}

/* Sources with one label: what a head can learn instead of the question. */
static void warn_of_single_labels(itemi_session *s)
{
    size_t single = 0;
    for (uint32_t source = 0; source < s->cohort.sources; source++) {
        bool seen[2] = {false, false};
        for (size_t i = 0; i < s->data->count; i++)
            seen[s->cohort.label[i]] |= s->cohort.source[i] == source;
        single += !(seen[0] && seen[1]);
    }
    if (!single)
        return;
    char line[160];
    itemi_format(line, sizeof line,
                 "%zu of %zu sources have one label alone: a head can learn to know them instead"
                 " of the pictures.",
                 single, s->cohort.sources);
    itemi_report_warn(&s->report, line);
}

static json_t *network_section(const itemi_session *s)
{
    static const char *const units[] = {[ITEMI_FOLD_SOURCE] = "source",
                                        [ITEMI_FOLD_GENERATOR] = "generator",
                                        [ITEMI_FOLD_SCENE] = "scene"};
    const itemi_train_options *n = &s->chosen->fit.network;
    return json_pack(
        "{s:o, s:o, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:s, s:I, s:o, s:I, s:o, s:o, s:o}",
        "hidden", itemi_hidden_json(n), "penalty", itemi_penalty_json(n), "epochs",
        (json_int_t)n->epochs, "batch", (json_int_t)n->batch, "seed", (json_int_t)n->seed,
        "learning_rate", n->learning_rate, "weight_decay", n->weight_decay, "dropout", n->dropout,
        "validation", s->chosen->fit.validation, "folds_by", units[s->plan.unit], "folds",
        (json_int_t)s->plan.folds, "held_out_epochs_kept",
        itemi_json_figure(s->chosen->held_out.epochs), "epochs_kept", (json_int_t)s->log.best_epoch,
        "first_loss", itemi_json_figure(s->log.first_loss), "loss", itemi_json_figure(s->log.loss),
        "validation_loss", itemi_json_figure(s->log.valid_loss));
}

static item_status put_controls(itemi_session *s, const itemi_evaluation *e, item_error *err)
{
    json_t *controls = json_array();
    item_status status = ITEM_OK;
    for (itemi_design d = ITEMI_DESIGN_SHUFFLED; status == ITEM_OK && d < ITEMI_DESIGNS; d++) {
        itemi_held_out held_out = {.logit = NULL};
        float *features =
            itemi_design_make(s->data, d, &s->chosen->layout, &s->cohort, s->options->seed);
        const itemi_task task = {&s->cohort, features,
                                 itemi_design_width(s->data, d, &s->chosen->layout),
                                 &s->chosen->fit, &s->pace};
        status = features ? itemi_cross_fit(&task, &s->plan, &held_out, err)
                          : itemi_fail_memory(err, "training");
        if (status == ITEM_OK)
            status = itemi_report_control(e, itemi_design_name(d), held_out.logit, &controls, err);
        itemi_free(NULL, features);
        itemi_held_out_free(&held_out);
    }
    itemi_json_put(&s->report, "controls", controls);
    return status;
}

item_status itemi_session_report(itemi_session *s, item_error *err)
{
    itemi_evaluation e = {
        .data = s->data,
        .cohort = &s->cohort,
        .head = s->head,
        .answers = &s->answers,
        .draws = {s->options->draws, s->options->seed, ITEMI_LEVEL, s->options->cancel},
        .bins = BINS};
    item_status status = itemi_head_threshold(s->head, NULL, &e.threshold, err);
    if (status != ITEM_OK)
        return status;
    answer_held_out(s, &e.threshold);
    s->report = json_pack("{s:s, s:o, s:o}", "kind", "training", "head",
                          itemi_head_facts_dump(itemi_head_get_facts(s->head)), "network",
                          network_section(s));
    if (!s->report)
        return itemi_fail_memory(err, "writing a report");
    if (s->compared)
        itemi_json_put(&s->report, "candidates", json_incref(s->compared));
    status = itemi_report_figures(&e, &s->report, err);
    if (status == ITEM_OK && s->options->controls)
        status = put_controls(s, &e, err);
    warn(s);
    warn_of_single_labels(s);
    return status;
}
