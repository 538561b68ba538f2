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
    if (o->known_sources > ITEM_KNOWN_DROP)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "item_eval_options: known_sources is none of ITEM_KNOWN_...");
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

/* ---- rivals ---- */

static item_status put_rivals(const itemi_evaluation *e, const itemi_contenders *all, double *score,
                              json_t **report, item_error *err)
{
    json_t *comparisons = json_array();
    item_status status = ITEM_OK;
    for (size_t i = 1; status == ITEM_OK && i < all->count; i++) {
        status = itemi_score_design(e, all->head[i], ITEMI_DESIGN_LAYOUT, score, err);
        if (status == ITEM_OK)
            status = itemi_report_comparison(e, all->name[i], score, &comparisons, err);
    }
    json_t *first = json_array_get(comparisons, 0);
    if (first) /* as 0.1 told it; shared, as a copy of jansson (2.14) may lack members */
        itemi_json_put(report, "comparison", json_incref(first));
    itemi_json_put(report, "comparisons", comparisons);
    return status;
}

/* ---- the whole ---- */

static item_status cancelled(const item_eval_options *options, item_error *err)
{
    return itemi_cancelled(options->cancel) ? itemi_fail_cancelled(err) : ITEM_OK;
}

static item_status fill_report(itemi_evaluation *e, itemi_answers *answers,
                               const itemi_contenders *all, const item_eval_options *options,
                               json_t **report, item_error *err)
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
        status = itemi_report_controls(e, options->controls, options->cancel, score, report, err);
    if (status == ITEM_OK)
        status = cancelled(options, err);
    if (status == ITEM_OK)
        status = put_rivals(e, all, score, report, err);
    itemi_free(NULL, score);
    return status;
}

static item_status evaluate(const item_dataset *data, const itemi_contenders *all,
                            const itemi_overlap *overlap, const item_eval_options *options,
                            item_report **out, item_error *err)
{
    itemi_cohort cohort = {.sources = 0};
    itemi_answers answers = {.score = NULL};
    itemi_evaluation e = {.data = data,
                          .cohort = &cohort,
                          .head = all->head[0],
                          .answers = &answers,
                          .draws = {options->draws, options->seed, options->level, options->cancel},
                          .bins = options->bins};
    item_status status = itemi_head_threshold(e.head, options->threshold, &e.threshold, err);
    if (status == ITEM_OK)
        status = itemi_cohort_make(data, &cohort, err);
    if (status == ITEM_OK && !itemi_answers_reserve(&answers, data->count))
        status = itemi_fail_memory(err, "evaluating");
    if (status == ITEM_OK) {
        json_t *report = json_object();
        itemi_overlap_mark(overlap, &cohort);
        status = fill_report(&e, &answers, all, options, &report, err);
        if (status == ITEM_OK)
            status = itemi_overlap_warn(overlap, all, &report, err);
        if (status == ITEM_OK)
            status = itemi_report_make(report, NULL, out, err);
        else
            json_decref(report);
    }
    itemi_answers_free(&answers);
    itemi_cohort_free(&cohort);
    return status;
}

/* ---- heads ---- */

static item_status check_call(const item_dataset *data, const item_eval_options *o, item_error *err)
{
    if (o->rival_count > ITEMI_RIVALS_MAX || (o->rival_count && !o->rivals))
        return itemi_fail(err, ITEM_E_ARGUMENT, "evaluation: at most %d rivals, each a file's name",
                          ITEMI_RIVALS_MAX);
    for (uint32_t i = 0; i < o->rival_count; i++) {
        if (!o->rivals[i])
            return itemi_fail(err, ITEM_E_ARGUMENT, "evaluation: rival %u is NULL", (unsigned)i);
    }
    if (data->count == 0)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_evaluate: the data set is empty");
    return ITEM_OK;
}

static item_status open_head(const char *path, itemi_contenders *all, item_error *err)
{
    itemi_head *head = NULL;
    item_status status = itemi_head_open(NULL, path, &head, err);
    if (status == ITEM_OK) {
        all->name[all->count] = path;
        all->opened[all->count] = head;
        all->head[all->count++] = head;
    }
    return status;
}

static item_status open_all(const char *head, const item_ctx *ctx, const item_eval_options *o,
                            itemi_contenders *all, item_error *err)
{
    item_status status =
        itemi_head_given(head, ctx, "evaluate", &all->head[0], &all->opened[0], err);
    all->name[0] = head ? head : "the context's head";
    all->count = status == ITEM_OK;
    if (status == ITEM_OK && o->rival)
        status = open_head(o->rival, all, err);
    for (uint32_t i = 0; status == ITEM_OK && i < o->rival_count; i++)
        status = open_head(o->rivals[i], all, err);
    return status;
}

/* Refuses, marks or drops sources that a head was trained on. */
static item_status evaluate_new(const item_dataset *data, const itemi_contenders *all,
                                const item_eval_options *options, item_report **out,
                                item_error *err)
{
    itemi_overlap overlap;
    item_dataset *rest = NULL;
    item_status status = itemi_overlap_make(data, all, &overlap, err);
    if (status == ITEM_OK && options->known_sources == ITEM_KNOWN_REFUSE)
        status = itemi_overlap_refuse(&overlap, err);
    if (status == ITEM_OK && options->known_sources == ITEM_KNOWN_DROP && overlap.sources)
        status = itemi_overlap_drop(&overlap, &rest, err);
    if (status == ITEM_OK)
        status = evaluate(rest ? rest : data, all, &overlap, options, out, err);
    item_dataset_free(rest);
    itemi_overlap_free(&overlap);
    return status;
}

static item_status evaluate_all(const item_dataset *data, const char *head, const item_ctx *ctx,
                                const item_eval_options *options, item_report **out,
                                item_error *err)
{
    itemi_contenders all = {.count = 0};
    item_status status = open_all(head, ctx, options, &all, err);
    for (size_t i = 0; status == ITEM_OK && i < all.count; i++)
        status = itemi_data_fits(data, all.head[i], err);
    if (status == ITEM_OK)
        status = itemi_overlap_refuse_pictures(data, &all, err);
    if (status == ITEM_OK)
        status = evaluate_new(data, &all, options, out, err);
    for (size_t i = 0; i < all.count; i++)
        itemi_head_free(all.opened[i]);
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
    if (status == ITEM_OK)
        status = check_call(data, &ours, err);
    return status == ITEM_OK ? evaluate_all(data, head, ctx, &ours, out, err) : status;
}
