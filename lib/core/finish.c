/* SPDX-License-Identifier: Apache-2.0 */
/* The last step: features, the head's judgement, and the result that holds all of it. */
#include <math.h>
#include <string.h>

#include "core/pipeline.h"

/* ---- judging ---- */

static itemi_widths widths_of(const itemi_batch *batch)
{
    return (itemi_widths){batch->width, batch->layers};
}

static itemi_vectors vectors_of(const itemi_batch *batch, const itemi_work *work,
                                const itemi_reading *r)
{
    return (itemi_vectors){.width = batch->width,
                           .image = work->vector,
                           .text = r->text,
                           .n = r->count,
                           .crops = r->crops,
                           .phrases = r->phrased,
                           .layer_count = batch->layers,
                           .layers = work->extra.layers};
}

/* Features of a reading in the context's layout; ITEM_E_MEMORY. */
static item_status make_features(itemi_batch *batch, const itemi_work *work, itemi_reading *r,
                                 item_error *err)
{
    const itemi_layout *layout = &batch->ctx->layout;
    r->features = itemi_alloc_array(batch->call.mem, itemi_layout_size(layout, widths_of(batch)),
                                    sizeof(float));
    if (!r->features)
        return itemi_fail_memory(err, "computing features");
    const itemi_vectors vectors = vectors_of(batch, work, r);
    itemi_misalign(layout, &vectors, r->features);
    return ITEM_OK;
}

static itemi_evidence evidence_of(const itemi_batch *batch, const itemi_work *work,
                                  const itemi_reading *r)
{
    itemi_evidence evidence;
    itemi_evidence_init(&evidence, r->features,
                        itemi_layout_size(&batch->ctx->layout, widths_of(batch)));
    evidence.short_side = work->width < work->height ? work->width : work->height;
    evidence.caption_logprob = r->logprob;
    evidence.caption_empty = itemi_caption_is_empty(r->caption);
    evidence.caption_looping = itemi_caption_loops(r->caption);
    evidence.plain = work->has_plain ? work->plain : NULL;
    evidence.callers_caption = r == &work->readings[ITEMI_CALLER];
    evidence.pipeline = batch->pipeline;
    evidence.prior = batch->ctx->settings.prior;
    return evidence;
}

/* The part of each object; only where the verdict rests on what is shown. */
static item_status set_contributions(itemi_batch *batch, const itemi_work *work,
                                     const itemi_reading *r, item_result *result, item_error *err)
{
    double *each = itemi_alloc_array(batch->call.mem, r->count, sizeof *each);
    if (!each)
        return itemi_fail_memory(err, "computing contributions");
    const itemi_vectors vectors = vectors_of(batch, work, r);
    item_status status = itemi_head_contributions(batch->ctx->head, &vectors,
                                                  &result->summary.contribution, each, err);
    for (size_t i = 0; status == ITEM_OK && i < r->count; i++)
        result->objects[i].contribution = each[i];
    itemi_free(batch->call.mem, each);
    return status;
}

/* The sentence of the verdict does not tell what differs; this line does. */
static void warn_settings(const itemi_batch *batch, itemi_work *work)
{
    const itemi_head_facts *head = itemi_head_get_facts(batch->ctx->head);
    char *line = itemi_pipeline_difference(batch->call.mem, head->pipeline, batch->pipeline,
                                           itemi_layout_reads_objects(&head->layout));
    if (line)
        itemi_lines_add(batch->call.mem, &work->warnings, line);
    else
        work->warnings.lost = true;
    itemi_free(batch->call.mem, line);
}

/* *why receives the reason why there is no verdict, or NULL. */
static item_status judge(itemi_batch *batch, itemi_work *work, item_result *result,
                         const char **why, item_error *err)
{
    const item_ctx *ctx = batch->ctx;
    itemi_reading *judged = (itemi_reading *)(uintptr_t)itemi_work_judged(ctx, work);
    *why = ctx->no_verdict[0] ? ctx->no_verdict : NULL;
    if (!*why && !judged)
        *why = "No verdict: it rests on the model's own caption, and there is no captioner.";
    if (*why)
        return ITEM_OK;

    item_status status = judged->features ? ITEM_OK : make_features(batch, work, judged, err);
    if (status != ITEM_OK)
        return status;
    itemi_evidence evidence = evidence_of(batch, work, judged);
    itemi_judgement judgement;
    status = itemi_head_judge(ctx->head, &evidence, &ctx->threshold, &judgement, err);
    if (status != ITEM_OK)
        return status;
    itemi_summary_judge(&result->summary, &judgement);
    if (judgement.reason == ITEM_REASON_SETTINGS)
        warn_settings(batch, work);
    if (judged == itemi_work_shown(work))
        status = set_contributions(batch, work, judged, result, err);
    return status;
}

/* ---- what is known without a head ---- */

static item_status set_objects(itemi_batch *batch, itemi_work *work, const itemi_reading *r,
                               item_result *result, item_error *err)
{
    if (r->count == 0)
        return ITEM_OK;
    result->objects = itemi_alloc_zero(&result->mem, r->count, sizeof *result->objects);
    if (!result->objects)
        return itemi_fail_memory(err, "keeping objects");
    result->summary.objects = (uint32_t)r->count;
    const double scale[2] = {(double)work->width / work->work_width,
                             (double)work->height / work->work_height};
    for (size_t i = 0; i < r->count; i++) {
        itemi_object *o = &result->objects[i];
        const itemi_box *box = &r->objects[i];
        o->phrase = itemi_strdup(&result->mem, r->phrases.items[box->phrase].text);
        if (!o->phrase)
            return itemi_fail_memory(err, "keeping objects");
        o->phrase_index = (uint32_t)box->phrase;
        for (size_t j = 0; j < 4; j++)
            o->box[j] = box->box[j] * scale[j % 2];
        o->score = box->score;
        o->contribution = NAN;
        o->similarity = r->crops ? (double)itemi_dot(r->crops + i * batch->width,
                                                     r->phrased + i * batch->width, batch->width)
                                 : (double)NAN;
    }
    return ITEM_OK;
}

/* Moves the vectors of a work into its result. */
static void give_vectors(itemi_batch *batch, itemi_work *work, itemi_reading *shown,
                         item_result *result)
{
    result->width = batch->width;
    result->image_vector = work->vector;
    result->has_plain = work->has_plain;
    memcpy(result->plain, work->plain, sizeof result->plain);
    result->text_vector = shown->text;
    result->crop_vectors = shown->crops;
    result->phrase_vectors = shown->phrased;
    result->features = shown->features;
    result->feature_count =
        shown->features ? itemi_layout_size(&batch->ctx->layout, widths_of(batch)) : 0;
    work->vector = shown->text = shown->crops = shown->phrased = shown->features = NULL;
    result->extra = work->extra;
    result->extra.layer_count = batch->layers;
    work->extra = (itemi_extra){.prior = NAN};
}

static void set_sizes(const itemi_work *work, const itemi_reading *shown, item_result *result)
{
    item_result_summary *s = &result->summary;
    const itemi_reading *model = &work->readings[ITEMI_MODEL];
    s->width = work->width;
    s->height = work->height;
    s->caption_logprob = shown->logprob;
    s->caption_margin = model->used ? model->margin : (double)NAN;

    item_timings *t = &result->timings;
    *t = work->times;
    t->struct_size = sizeof *t;
    t->total = t->decode + t->resize + t->caption + t->phrases + t->detect + t->embed + t->judge;
}

/* ---- texts ---- */

static item_status set_texts(const itemi_batch *batch, const itemi_work *work, const char *why,
                             item_result *result, item_error *err)
{
    const item_ctx *ctx = batch->ctx;
    const itemi_reading *shown = itemi_work_shown(work);
    const itemi_reading *model = &work->readings[ITEMI_MODEL];
    const item_result_summary *s = &result->summary;
    bool callers = shown == &work->readings[ITEMI_CALLER];
    char fingerprint[ITEMI_SHA256_HEX];
    const char *engine, *precision;
    itemi_ctx_engine(ctx, &engine, &precision);
    item_status status = itemi_fingerprint(ctx, batch->options, fingerprint, err);
    if (status != ITEM_OK)
        return status;

    const char *texts[ITEMI_TEXTS] = {
        [ITEM_TEXT_FILE] = work->file,
        [ITEM_TEXT_CAPTION] = shown->caption,
        [ITEM_TEXT_CAPTION_SOURCE] = callers ? "caller" : "model",
        [ITEM_TEXT_MODEL_CAPTION] = model->caption,
        [ITEM_TEXT_VERDICT] = itemi_verdict_name(s->verdict),
        [ITEM_TEXT_REASON] = itemi_reason_code(s->reason),
        [ITEM_TEXT_REASON_LINE] = why ? why : itemi_reason_line(s->reason),
        [ITEM_TEXT_THRESHOLD] = why ? NULL : ctx->threshold.name,
        [ITEM_TEXT_LAYOUT] = result->features ? ctx->layout_name : NULL,
        [ITEM_TEXT_PACK] = ctx->pack ? ctx->pack->label : NULL,
        [ITEM_TEXT_PRECISION] = precision,
        [ITEM_TEXT_FINGERPRINT] = fingerprint,
        [ITEM_TEXT_CAPTIONER] = ctx->slot[ITEMI_CAPTIONER].identity,
        [ITEM_TEXT_DETECTOR] = ctx->slot[ITEMI_DETECTOR].identity,
        [ITEM_TEXT_EMBEDDER] = ctx->slot[ITEMI_EMBEDDER].identity,
    };
    for (int32_t i = 0; i < ITEMI_TEXTS; i++) {
        if (texts[i] && *texts[i] && !itemi_result_set_text(result, i, texts[i]))
            return itemi_fail_memory(err, "keeping a result");
    }
    return ITEM_OK;
}

/* ---- the result ---- */

static item_status fill(itemi_batch *batch, itemi_work *work, item_result *result, item_error *err)
{
    double start = itemi_now_ms();
    itemi_reading *shown = (itemi_reading *)(uintptr_t)itemi_work_shown(work);
    const char *why = NULL;
    item_status status = ITEM_OK;
    if (work->vector) {
        result->summary.similarity = (double)itemi_dot(work->vector, shown->text, batch->width);
        itemi_warn_inconsistent(batch, work, result->summary.similarity);
        status = make_features(batch, work, shown, err);
    }
    if (status == ITEM_OK)
        status = set_objects(batch, work, shown, result, err);
    if (status == ITEM_OK)
        status = judge(batch, work, result, &why, err);
    if (status == ITEM_OK && work->warnings.lost)
        status = itemi_fail_memory(err, "keeping a warning");
    if (status != ITEM_OK)
        return status;
    give_vectors(batch, work, shown, result);
    work->times.judge = itemi_now_ms() - start;
    set_sizes(work, shown, result);
    result->warnings = work->warnings;
    work->warnings = (itemi_lines){0};
    result->provenance = work->provenance;
    work->provenance = NULL;
    return set_texts(batch, work, why, result, err);
}

/* A result that holds nothing but the error of its picture. */
static item_status finish_failed(itemi_batch *batch, const itemi_work *work, item_result **out,
                                 item_error *err)
{
    item_result *result = itemi_result_new(batch->call.mem);
    bool made = result &&
                itemi_result_set_text(result, ITEM_TEXT_FILE, work->file ? work->file : "") &&
                itemi_result_set_text(result, ITEM_TEXT_VERDICT, itemi_verdict_name(0)) &&
                itemi_result_set_text(result, ITEM_TEXT_REASON, itemi_reason_code(0));
    if (!made) {
        item_result_unref(result);
        return itemi_fail_memory(err, "keeping a result");
    }
    result->error = work->err;
    result->error.struct_size = sizeof result->error;
    if (work->file && !work->named)
        itemi_error_prefix(&result->error, work->file);
    *out = result;
    return ITEM_OK;
}

item_status itemi_work_finish(itemi_batch *batch, itemi_work *work, item_result **out,
                              item_error *err)
{
    *out = NULL;
    if (work->err.code == ITEM_OK) {
        item_result *result = itemi_result_new(batch->call.mem);
        if (!result)
            return itemi_fail_memory(err, "keeping a result");
        if (fill(batch, work, result, &work->err) == ITEM_OK) {
            *out = result;
            return ITEM_OK;
        }
        item_result_unref(result);
    }
    return finish_failed(batch, work, out, err);
}
