/* SPDX-License-Identifier: Apache-2.0 */
/* Where verdicts are made: score, thresholds, and every rule that says "unsure". */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/head_private.h"

item_status itemi_head_fits(const itemi_head *head, size_t width, const char *embedder,
                            item_error *err)
{
    const itemi_head_facts *f = &head->facts;
    if (width && width != f->vector_width)
        return itemi_fail(err, ITEM_E_MISMATCH,
                          "the head was made for vectors of %zu numbers, the embedder gives %zu",
                          f->vector_width, width);
    if (embedder && strcmp(embedder, f->embedder) != 0)
        return itemi_fail(err, ITEM_E_MISMATCH,
                          "the head was made for the embedder `%s`, this one is `%s`", f->embedder,
                          embedder);
    return ITEM_OK;
}

/* ---- thresholds ---- */

static bool parse_share(const char *text, double *p)
{
    return strlen(text) < ITEMI_NAME_MAX && itemi_parse_double(text, p) && *p > 0 && *p < 1;
}

item_status itemi_threshold_check(const char *text, item_error *err)
{
    double p;
    if (!text || strcmp(text, "fpr1") == 0 || strcmp(text, "fpr5") == 0 || parse_share(text, &p))
        return ITEM_OK;
    return itemi_fail(err, ITEM_E_ARGUMENT,
                      "threshold `%.60s`: fpr1, fpr5 or a probability between 0 and 1 is wanted",
                      text);
}

item_status itemi_head_threshold(const itemi_head *head, const char *text, itemi_threshold *out,
                                 item_error *err)
{
    item_status status = itemi_threshold_check(text, err);
    if (status != ITEM_OK)
        return status;
    text = text ? text : "fpr1";
    memset(out, 0, sizeof *out);
    memcpy(out->name, text, strlen(text) + 1);

    double p;
    if (parse_share(text, &p)) {
        out->score = itemi_logit(p);
        out->promised = NAN;
    } else {
        const itemi_promise *promise =
            strcmp(text, "fpr5") == 0 ? &head->facts.fpr5 : &head->facts.fpr1;
        out->score = promise->score;
        out->promised = promise->rate;
    }
    return ITEM_OK;
}

/* ---- score ---- */

static item_status check_features(const itemi_head *head, const float *features, size_t count,
                                  item_error *err)
{
    if (count != head->facts.features)
        return itemi_fail(err, ITEM_E_MISMATCH, "the head reads %zu features (`%s`), not %zu",
                          head->facts.features, head->facts.layout_name, count);
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(features[i]))
            return itemi_fail(err, ITEM_E_ARGUMENT, "feature %zu is no number", i);
    }
    return ITEM_OK;
}

static double calibrated(const itemi_head *head, const float *features, float *scratch)
{
    double logit = (double)itemi_mlp_logit(&head->mlp, features, scratch);
    return (logit + head->facts.bias) / head->facts.temperature;
}

item_status itemi_head_score(const itemi_head *head, const float *features, size_t count,
                             double *score, item_error *err)
{
    item_status status = check_features(head, features, count, err);
    if (status != ITEM_OK)
        return status;
    float *scratch = itemi_alloc_array(head->mem, itemi_mlp_scratch(&head->mlp), sizeof *scratch);
    if (!scratch)
        return itemi_fail_memory(err, "applying a head");
    *score = calibrated(head, features, scratch);
    itemi_free(head->mem, scratch);
    if (!isfinite(*score)) /* finite weights and features can still overflow together */
        return itemi_fail(err, ITEM_E_ARGUMENT, "the head's score of these features is no number");
    return ITEM_OK;
}

/* ---- verdict ---- */

void itemi_evidence_init(itemi_evidence *evidence, const float *features, size_t count)
{
    *evidence = (itemi_evidence){
        .features = features, .count = count, .caption_logprob = NAN, .pipeline = "", .prior = NAN};
}

/* The rule that makes a picture "unsure" whatever its score; ITEM_REASON_NONE: none does. */
static int32_t obstacle(const itemi_head *head, const itemi_evidence *e, double distance)
{
    const itemi_head_facts *f = &head->facts;
    bool known = f->pipeline[0] && e->pipeline[0];
    if (known &&
        !itemi_pipeline_same(f->pipeline, e->pipeline, itemi_layout_reads_objects(&f->layout)))
        return ITEM_REASON_SETTINGS;
    bool small = e->short_side && e->short_side < f->size_min;
    bool large = f->size_max && e->short_side > f->size_max;
    if (small || large)
        return ITEM_REASON_SIZE;
    if (distance > f->scope_limit || itemi_head_finds_strange(head, e->plain))
        return ITEM_REASON_OUT_OF_SCOPE;
    if (e->caption_empty || e->caption_looping || e->caption_logprob < f->caption_least)
        return ITEM_REASON_CAPTION_UNRELIABLE;
    bool blind = !itemi_layout_reads_whole(&f->layout);
    if (blind && !(e->features[e->count - ITEMI_POOLED] > 0)) /* the presence flag */
        return ITEM_REASON_NO_OBJECTS;
    return ITEM_REASON_NONE;
}

void itemi_head_decide(const itemi_head *head, const itemi_evidence *e, double distance,
                       itemi_judgement *j)
{
    j->verdict = ITEM_VERDICT_UNSURE;
    j->reason = obstacle(head, e, distance);
    if (j->reason != ITEM_REASON_NONE)
        return;
    if (j->score >= j->threshold) {
        j->verdict = ITEM_VERDICT_AI;
        j->reason = ITEM_REASON_ABOVE_THRESHOLD;
    } else if (j->real_below < j->threshold && j->score < j->real_below) {
        j->verdict = ITEM_VERDICT_REAL;
        j->reason = ITEM_REASON_BELOW_THRESHOLD;
    } else {
        j->reason = ITEM_REASON_WEAK_EVIDENCE;
    }
}

item_status itemi_head_judge(const itemi_head *head, const itemi_evidence *evidence,
                             const itemi_threshold *threshold, itemi_judgement *out,
                             item_error *err)
{
    if (evidence->callers_caption && !head->facts.callers_captions)
        return itemi_fail(err, ITEM_E_MISMATCH,
                          "the head was calibrated with the captioner's captions, so a caller's"
                          " caption cannot be judged");
    if (!isnan(evidence->prior) && !(evidence->prior > 0 && evidence->prior < 1))
        return itemi_fail(err, ITEM_E_ARGUMENT, "the prior must lie between 0 and 1");
    *out = (itemi_judgement){.threshold = threshold->score,
                             .real_below = head->facts.real_below,
                             .promised = threshold->promised};
    item_status status =
        itemi_head_score(head, evidence->features, evidence->count, &out->score, err);
    if (status != ITEM_OK)
        return status;
    out->probability = isnan(evidence->prior) ? itemi_sigmoid(out->score)
                                              : itemi_with_prior(out->score, evidence->prior);
    itemi_head_decide(head, evidence, itemi_mlp_distance(&head->mlp, evidence->features), out);
    return ITEM_OK;
}

/* ---- contributions ---- */

/* Room for one picture's features, scratch, and its objects but one. */
typedef struct workspace {
    float *features, *scratch, *crops, *phrases;
} workspace;

static float *reserve(const itemi_head *head, size_t n, workspace *w)
{
    size_t width = head->facts.vector_width, features = head->facts.features;
    size_t scratch = itemi_mlp_scratch(&head->mlp);
    float *block = NULL;
    if (n < SIZE_MAX / 8 / width)
        block = itemi_alloc_array(head->mem, features + scratch + 2 * n * width, sizeof *block);
    if (block) {
        w->features = block;
        w->scratch = block + features;
        w->crops = w->scratch + scratch;
        w->phrases = w->crops + n * width;
    }
    return block;
}

/* Copies n rows but the one left out. */
static void copy_but(float *out, const float *rows, size_t n, size_t left_out, size_t width)
{
    memcpy(out, rows, left_out * width * sizeof *out);
    memcpy(out + left_out * width, rows + (left_out + 1) * width,
           (n - left_out - 1) * width * sizeof *out);
}

item_status itemi_head_contributions(const itemi_head *head, const itemi_vectors *vectors,
                                     double *whole, double *each, item_error *err)
{
    const itemi_layout *layout = &head->facts.layout;
    const size_t width = vectors->width, n = vectors->n;
    workspace w;
    float *block = reserve(head, n, &w);
    if (!block)
        return itemi_fail_memory(err, "computing contributions");

    itemi_misalign(layout, vectors, w.features);
    double score = calibrated(head, w.features, w.scratch);
    if (whole)
        *whole = NAN;
    if (whole && itemi_layout_reads_whole(layout)) {
        itemi_layout_blank_whole(layout, itemi_head_widths(&head->facts), head->mlp.mean,
                                 w.features);
        *whole = score - calibrated(head, w.features, w.scratch);
    }
    for (size_t i = 0; each && i < n; i++) {
        each[i] = NAN;
        if (!itemi_layout_reads_objects(layout))
            continue;
        itemi_vectors others = *vectors;
        others.n = n - 1;
        others.crops = w.crops;
        others.phrases = w.phrases;
        copy_but(w.crops, vectors->crops, n, i, width);
        copy_but(w.phrases, vectors->phrases, n, i, width);
        itemi_misalign(layout, &others, w.features);
        each[i] = score - calibrated(head, w.features, w.scratch);
    }
    itemi_free(head->mem, block);
    return ITEM_OK;
}

/* ---- names ---- */

static const struct {
    const char *code, *line;
} reasons[] = {
    [ITEM_REASON_NONE] = {"none", "There is no verdict."},
    [ITEM_REASON_ABOVE_THRESHOLD] = {"above_threshold",
                                     "The score is at or above the threshold for AI pictures."},
    [ITEM_REASON_BELOW_THRESHOLD] = {"below_threshold",
                                     "The score is lower than that of nearly all AI pictures."},
    [ITEM_REASON_WEAK_EVIDENCE] = {"weak_evidence",
                                   "The score lies where photographs and AI pictures mix."},
    [ITEM_REASON_NO_OBJECTS] = {"no_objects",
                                "No object that the caption names was found in the picture."},
    [ITEM_REASON_CAPTION_UNRELIABLE] = {"caption_unreliable",
                                        "The caption is empty, repeats itself or is improbable."},
    [ITEM_REASON_SIZE] = {"size", "The picture's size is outside of what the head was calibrated"
                                  " with."},
    [ITEM_REASON_OUT_OF_SCOPE] = {"out_of_scope",
                                  "The picture is unlike those that the head was calibrated with."},
    [ITEM_REASON_SETTINGS] = {"settings", "Captioner, detector or settings are not those that the"
                                          " head was calibrated with."},
};

_Static_assert(ITEMI_COUNT(reasons) == ITEMI_REASON_LAST + 1, "every reason has its words");

static size_t known_reason(int32_t reason)
{
    bool known = reason >= 0 && (size_t)reason < ITEMI_COUNT(reasons);
    return known ? (size_t)reason : ITEM_REASON_NONE;
}

const char *itemi_reason_code(int32_t reason)
{
    return reasons[known_reason(reason)].code;
}

const char *itemi_reason_line(int32_t reason)
{
    return reasons[known_reason(reason)].line;
}

const char *itemi_verdict_name(int32_t verdict)
{
    static const char *const names[] = {"none", "real", "unsure", "ai"};
    bool known = verdict >= 0 && (size_t)verdict < ITEMI_COUNT(names);
    return names[known ? (size_t)verdict : ITEM_VERDICT_NONE];
}
