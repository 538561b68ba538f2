/* SPDX-License-Identifier: Apache-2.0 */
/* Single stages in plain C, without an engine: tokenize, phrases, misalignment, head. */
#include <math.h>
#include <string.h>

#include "core/result.h"

#define WIDTH_MAX      8192
#define UNIT_TOLERANCE 1e-3

/* ---- tokens ---- */

/* The stage whose texts are tokenized: the embedder, or the one that a published folder holds. */
static const itemi_pack_stage *tokenizing_stage(const item_ctx *ctx)
{
    static const itemi_stage_kind order[] = {ITEMI_EMBEDDER, ITEMI_DETECTOR, ITEMI_CAPTIONER};
    for (size_t i = 0; ctx->pack && i < ITEMI_COUNT(order); i++) {
        if (ctx->pack->stage[order[i]].tokenizer_role)
            return &ctx->pack->stage[order[i]];
    }
    return NULL;
}

/* Opened once. */
static item_status open_tokens(item_ctx *ctx, const itemi_pack_stage *stage,
                               const itemi_tokenizer **out, item_error *err)
{
    pthread_mutex_lock(&ctx->tokens_lock);
    itemi_tokenizer *tokens = atomic_load_explicit(&ctx->tokens, memory_order_relaxed);
    item_status status = ITEM_OK;
    if (!tokens) {
        status = itemi_tokens_load(&ctx->mem, stage, stage->tokenizer_role, &tokens, err);
        if (status == ITEM_OK)
            atomic_store_explicit(&ctx->tokens, tokens, memory_order_release);
    }
    pthread_mutex_unlock(&ctx->tokens_lock);
    *out = tokens;
    return status;
}

item_status item_tokenize(item_ctx *ctx, const char *text, int32_t *ids, size_t capacity,
                          size_t *count, item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    item_status status = itemi_ctx_check(ctx, err);
    if (status != ITEM_OK)
        return status;
    if (!text || !count || (!ids && capacity))
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_tokenize: %s is NULL",
                          !text    ? "text"
                          : !count ? "count"
                                   : "ids");
    *count = 0;
    const itemi_pack_stage *stage = tokenizing_stage(ctx);
    if (!stage)
        return itemi_fail(err, ITEM_E_UNSUPPORTED, "this context has no pack with a tokenizer");
    const itemi_tokenizer *tokens = atomic_load_explicit(&ctx->tokens, memory_order_acquire);
    if (!tokens)
        status = open_tokens(ctx, stage, &tokens, err);
    if (status != ITEM_OK)
        return status;
    return itemi_tokenizer_encode(tokens, text, stage->tokenizer_limit, ids, capacity, count, err);
}

/* ---- phrases ---- */

struct item_phrases {
    itemi_phrases list;
};

item_status item_phrases_find(const char *text, item_phrases **out, item_error *err)
{
    if (!out)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_phrases_find: out is NULL");
    *out = NULL;
    item_status status = itemi_text_check(text, "the text", err);
    if (status != ITEM_OK)
        return status;
    item_phrases *phrases = itemi_alloc_zero(NULL, 1, sizeof *phrases);
    if (!phrases)
        return itemi_fail_memory(err, "finding phrases");
    status = itemi_phrases_find(NULL, text, &phrases->list, err);
    if (status == ITEM_OK)
        *out = phrases;
    else
        itemi_free(NULL, phrases);
    return status;
}

const char *item_phrases_get(const item_phrases *phrases, uint32_t index, uint32_t *start,
                             uint32_t *end)
{
    if (!phrases || index >= phrases->list.count)
        return NULL;
    const itemi_phrase *phrase = &phrases->list.items[index];
    if (start)
        *start = phrase->start;
    if (end)
        *end = phrase->end;
    return phrase->text;
}

void item_phrases_free(item_phrases *phrases)
{
    if (!phrases)
        return;
    itemi_phrases_free(&phrases->list);
    itemi_free(NULL, phrases);
}

/* ---- misalignment ---- */

size_t item_layout_size(const char *layout, size_t width)
{
    itemi_layout parsed;
    if (!layout || width < 1 || width > WIDTH_MAX || !itemi_layout_parse(layout, &parsed) ||
        itemi_layout_reads_layers(&parsed))
        return 0;
    return itemi_layout_size(&parsed, (itemi_widths){width, 0});
}

static item_status check_units(const float *vectors, size_t n, size_t width, const char *what,
                               item_error *err)
{
    if (n && !vectors)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_misalign: %s is NULL", what);
    for (size_t i = 0; i < n; i++) {
        const float *v = vectors + i * width;
        double length = sqrt((double)itemi_dot(v, v, width));
        if (!(fabs(length - 1) <= UNIT_TOLERANCE)) /* NaN too */
            return itemi_fail(err, ITEM_E_ARGUMENT,
                              "item_misalign: vector %zu of %s has length %g, not 1", i, what,
                              length);
    }
    return ITEM_OK;
}

item_status item_misalign(const char *layout, size_t width, const float *image, const float *text,
                          size_t n, const float *crops, const float *phrases, float *out,
                          size_t size, item_error *err)
{
    itemi_layout parsed;
    if (!layout || !itemi_layout_parse(layout, &parsed))
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "no layout \"%.60s\": form/scope/1 with form difference, product or "
                          "cosine and scope global, local or both, picture/1, caption/1 or "
                          "layers/1, or several joined by +",
                          layout ? layout : "");
    if (width < 1 || width > WIDTH_MAX || n > SIZE_MAX / WIDTH_MAX / sizeof(float))
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_misalign: width %zu or n %zu out of range",
                          width, n);
    if (itemi_layout_reads_layers(&parsed))
        return itemi_fail(err, ITEM_E_UNSUPPORTED,
                          "item_misalign: the inner layers of %.60s are known to checks alone",
                          layout);
    size_t needed = itemi_layout_size(&parsed, (itemi_widths){width, 0});
    if (!out || size < needed)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_misalign: room for %zu features, %zu needed",
                          out ? size : 0, needed);
    item_status status = check_units(image, 1, width, "image", err);
    if (status == ITEM_OK)
        status = check_units(text, 1, width, "text", err);
    if (status == ITEM_OK)
        status = check_units(crops, n, width, "crops", err);
    if (status == ITEM_OK)
        status = check_units(phrases, n, width, "phrases", err);
    if (status == ITEM_OK)
        itemi_misalign(&parsed, &(itemi_vectors){width, image, text, n, crops, phrases, 0, NULL},
                       out);
    return status;
}

/* ---- head ---- */

item_status item_head_apply(item_ctx *ctx, const float *features, size_t size,
                            item_result_summary *summary, item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    item_status status = itemi_ctx_check(ctx, err);
    if (status != ITEM_OK)
        return status;
    if (!features || !summary)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_head_apply: %s is NULL",
                          features ? "summary" : "features");
    if (!ctx->head)
        return itemi_fail(err, ITEM_E_UNSUPPORTED, "%s", ctx->no_verdict);
    itemi_evidence evidence;
    itemi_evidence_init(&evidence, features, size);
    evidence.prior = ctx->settings.prior;
    itemi_judgement judgement;
    status = itemi_head_judge(ctx->head, &evidence, &ctx->threshold, &judgement, err);
    if (status != ITEM_OK)
        return status;
    item_result_summary ours;
    itemi_summary_init(&ours);
    itemi_summary_judge(&ours, &judgement);
    return itemi_struct_out(summary, ITEMI_SIZE_TO(item_result_summary, height), &ours, sizeof ours,
                            "item_result_summary", err);
}
