/* SPDX-License-Identifier: Apache-2.0 */
/* Single stages that need a network: caption, detect, embed. */
#include <math.h>
#include <string.h>

#include "core/pipeline.h"

#define EMBED_AT_ONCE 64 /* pictures or texts in one call of the embedder */

/* What a single stage keeps while it runs. */
typedef struct single {
    item_ctx *ctx;
    itemi_stage *stage;
    item_check_options options;
    itemi_call call;
    itemi_lines lines;
    double start;
} single;

static void keep_warning(void *user, const char *text)
{
    single *s = user;
    itemi_lines_add(s->call.mem, &s->lines, text);
}

/* After success, end() must follow. */
static item_status begin(single *s, item_ctx *ctx, itemi_stage_kind kind,
                         const item_check_options *options, item_error *err)
{
    *s = (single){.ctx = ctx};
    item_status status = itemi_ctx_check(ctx, err);
    if (status == ITEM_OK)
        status = itemi_options_in(options, &s->options, err);
    if (status != ITEM_OK)
        return status;
    itemi_cancel_ref(s->options.cancel);
    s->call = (itemi_call){&ctx->mem, &ctx->log, s->options.cancel, keep_warning, s};
    status = itemi_ctx_stage(ctx, kind, s->options.cancel, &s->stage, err);
    s->start = itemi_now_ms();
    if (status != ITEM_OK)
        item_cancel_unref(s->options.cancel);
    return status;
}

static void end(single *s)
{
    itemi_lines_free(s->call.mem, &s->lines);
    item_cancel_unref(s->options.cancel);
}

/* A result with what every single stage tells; NULL: no memory. */
static item_result *make_result(single *s, itemi_stage_kind kind, const item_image *image)
{
    item_result *result = s->lines.lost ? NULL : itemi_result_new(s->call.mem);
    if (!result)
        return NULL;
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    (void)item_image_get_info(image, &info, NULL);
    result->summary.width = info.width;
    result->summary.height = info.height;
    result->timings.total = itemi_now_ms() - s->start;
    result->warnings = s->lines;
    s->lines = (itemi_lines){0};
    const itemi_slot *slot = &s->ctx->slot[kind];
    bool made =
        itemi_result_set_text(result, ITEM_TEXT_CAPTIONER + (int32_t)kind, slot->identity) &&
        itemi_result_set_text(result, ITEM_TEXT_PRECISION, slot->precision) &&
        itemi_result_set_text(result, ITEM_TEXT_VERDICT, itemi_verdict_name(ITEM_VERDICT_NONE)) &&
        itemi_result_set_text(result, ITEM_TEXT_REASON, itemi_reason_code(ITEM_REASON_NONE)) &&
        itemi_result_set_text(result, ITEM_TEXT_PACK, s->ctx->pack ? s->ctx->pack->label : "");
    if (!made) {
        item_result_unref(result);
        return NULL;
    }
    return result;
}

_Static_assert(ITEM_TEXT_DETECTOR - ITEM_TEXT_CAPTIONER == ITEMI_DETECTOR, "same order");
_Static_assert(ITEM_TEXT_EMBEDDER - ITEM_TEXT_CAPTIONER == ITEMI_EMBEDDER, "same order");

static item_status need(const void *pointer, const char *name, item_error *err)
{
    return pointer ? ITEM_OK : itemi_fail(err, ITEM_E_ARGUMENT, "%s is NULL", name);
}

/* ---- caption ---- */

static item_status caption_result(single *s, const item_image *image, itemi_captioned *caption,
                                  item_result **out, item_error *err)
{
    item_result *result = make_result(s, ITEMI_CAPTIONER, image);
    bool made = result && itemi_result_set_text(result, ITEM_TEXT_CAPTION, caption->text) &&
                itemi_result_set_text(result, ITEM_TEXT_MODEL_CAPTION, caption->text) &&
                itemi_result_set_text(result, ITEM_TEXT_CAPTION_SOURCE, "model");
    if (!made) {
        item_result_unref(result);
        return itemi_fail_memory(err, "captioning");
    }
    result->tokens = caption->tokens; /* moved, from the same memory */
    result->token_count = caption->token_count;
    caption->tokens = NULL;
    result->summary.caption_logprob = caption->logprob;
    result->summary.caption_margin = caption->margin;
    result->timings.caption = result->timings.total;
    *out = result;
    return ITEM_OK;
}

item_status item_caption_image(item_ctx *ctx, item_image *image, const item_check_options *options,
                               item_result **out, item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (need(out, "out", err) != ITEM_OK)
        return ITEM_E_ARGUMENT;
    *out = NULL;
    if (need(image, "image", err) != ITEM_OK)
        return ITEM_E_ARGUMENT;
    single s;
    item_status status = begin(&s, ctx, ITEMI_CAPTIONER, options, err);
    if (status != ITEM_OK)
        return status;
    const item_image *images[] = {image};
    const itemi_captioning how = itemi_ctx_captioning(ctx, true);
    itemi_captioned caption;
    status = itemi_stage_caption(s.stage, &s.call, images, 1, &how, &caption, err);
    if (status == ITEM_OK) {
        status = caption_result(&s, image, &caption, out, err);
        itemi_captioned_free(s.call.mem, &caption, 1);
    }
    end(&s);
    return status;
}

/* ---- detect ---- */

#define QUERY_MAX   1000      /* phrases of one call */
#define QUERY_BYTES (1 << 18) /* and their bytes: nouns are looked for in each */

/* Head nouns of the caller's phrases: of those that are one noun phrase. */
typedef struct nouns {
    itemi_phrases *found; /* one list a phrase */
    const char **heads;
    size_t n;
} nouns;

static void free_nouns(const itemi_mem *mem, nouns *all)
{
    for (size_t i = 0; all->found && i < all->n; i++)
        itemi_phrases_free(&all->found[i]);
    itemi_free(mem, all->found);
    itemi_free(mem, all->heads);
}

static item_status find_nouns(const itemi_mem *mem, const char *const *phrases, size_t n,
                              nouns *out, item_error *err)
{
    *out = (nouns){.n = n};
    out->found = itemi_alloc_zero(mem, n, sizeof *out->found);
    out->heads = itemi_alloc_zero(mem, n, sizeof(char *));
    if (!out->found || !out->heads)
        return itemi_fail_memory(err, "detecting");
    for (size_t i = 0; i < n; i++) {
        item_status status = itemi_phrases_find(mem, phrases[i], &out->found[i], err);
        if (status != ITEM_OK)
            return status;
        if (out->found[i].count == 1)
            out->heads[i] = out->found[i].items[0].head;
    }
    return ITEM_OK;
}

static item_status check_phrases(const char *const *phrases, size_t n, item_error *err)
{
    if (!phrases || n < 1 || n > QUERY_MAX)
        return itemi_fail(err, ITEM_E_ARGUMENT, "phrases: %zu are given, 1 to %d are taken",
                          phrases ? n : 0, QUERY_MAX);
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        item_status status = itemi_text_check(phrases[i], "a phrase", err);
        if (status != ITEM_OK)
            return status;
        bytes += strlen(phrases[i]);
        if (bytes > QUERY_BYTES)
            return itemi_fail(err, ITEM_E_LIMIT, "phrases: more than %d bytes in all", QUERY_BYTES);
    }
    return ITEM_OK;
}

/* To a published detector an empty text is a text, as it is to an embedder. */
static item_status check_blank(const itemi_stage *stage, const char *const *phrases, size_t n,
                               item_error *err)
{
    for (size_t i = 0; i < n && !itemi_stage_raw_boxes(stage); i++) {
        if (!phrases[i][strspn(phrases[i], " \t\n\v\f\r")])
            return itemi_fail(err, ITEM_E_ARGUMENT, "phrase %zu of %zu is blank", i + 1, n);
    }
    return ITEM_OK;
}

static bool add_objects(item_result *result, const itemi_boxes *boxes, size_t count,
                        const char *const *phrases)
{
    result->objects = itemi_alloc_zero(&result->mem, count, sizeof *result->objects);
    if (!result->objects)
        return false;
    result->summary.objects = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        itemi_object *o = &result->objects[i];
        const itemi_box *box = &boxes->items[i];
        o->phrase = itemi_strdup(&result->mem, phrases[box->phrase]);
        if (!o->phrase)
            return false;
        o->phrase_index = (uint32_t)box->phrase;
        memcpy(o->box, box->box, sizeof o->box);
        o->score = box->score;
        o->similarity = o->contribution = NAN;
    }
    return true;
}

static item_status detect(single *s, const itemi_query *query, item_result **out, item_error *err)
{
    const item_ctx *ctx = s->ctx;
    const bool limited = s->options.max_objects || ctx->settings.max_objects != ITEMI_OBJECTS_UNSET;
    const bool raw = !limited && itemi_stage_raw_boxes(s->stage);
    const uint32_t most = raw ? 0 : itemi_objects_asked(ctx, &s->options);
    itemi_boxes boxes;
    item_status status = itemi_stage_detect(s->stage, &s->call, query, 1, most,
                                            ctx->settings.detector_score, &boxes, err);
    if (status != ITEM_OK)
        return status;
    const size_t count =
        raw ? boxes.count : itemi_choose_objects(boxes.items, boxes.count, NULL, most);
    item_result *result = make_result(s, ITEMI_DETECTOR, query->image);
    if (result && add_objects(result, &boxes, count, query->phrases)) {
        result->timings.detect = result->timings.total;
        *out = result;
    } else {
        item_result_unref(result);
        status = itemi_fail_memory(err, "detecting");
    }
    itemi_free(s->call.mem, boxes.items);
    return status;
}

item_status item_detect_image(item_ctx *ctx, item_image *image, const char *const *phrases,
                              size_t n, const item_check_options *options, item_result **out,
                              item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (need(out, "out", err) != ITEM_OK)
        return ITEM_E_ARGUMENT;
    *out = NULL;
    if (need(image, "image", err) != ITEM_OK)
        return ITEM_E_ARGUMENT;
    item_status status = check_phrases(phrases, n, err);
    single s;
    if (status == ITEM_OK)
        status = begin(&s, ctx, ITEMI_DETECTOR, options, err);
    if (status != ITEM_OK)
        return status;
    nouns found = {0};
    status = check_blank(s.stage, phrases, n, err);
    if (status == ITEM_OK)
        status = find_nouns(s.call.mem, phrases, n, &found, err);
    if (status == ITEM_OK) {
        const itemi_query query = {image, phrases, found.heads, n};
        status = detect(&s, &query, out, err);
    }
    free_nouns(s.call.mem, &found);
    end(&s);
    return status;
}

/* ---- embed ---- */

static item_status check_width(const single *s, size_t width, item_error *err)
{
    uint32_t own = itemi_stage_width(s->stage);
    if (width == own)
        return ITEM_OK;
    return itemi_fail(err, ITEM_E_MISMATCH, "the embedder's vectors have width %u, not %zu",
                      (unsigned)own, width);
}

static item_status embed_some_images(single *s, item_image *const *images, size_t n, float *out,
                                     item_error *err)
{
    item_crop crops[EMBED_AT_ONCE];
    for (size_t i = 0; i < n; i++) {
        item_image_info info = ITEM_IMAGE_INFO_INIT;
        item_status status = item_image_get_info(images[i], &info, err);
        if (status != ITEM_OK)
            return status;
        crops[i] = (item_crop){.struct_size = sizeof crops[i],
                               .image = images[i],
                               .box = {0, 0, info.width, info.height}};
    }
    return itemi_stage_embed_images(s->stage, &s->call, crops, n, out, err);
}

static item_status embed_some_texts(single *s, const char *const *texts, size_t n, float *out,
                                    item_error *err)
{
    for (size_t i = 0; i < n; i++) {
        item_status status = itemi_text_check(texts[i], "a text", err);
        if (status != ITEM_OK)
            return status;
    }
    return itemi_stage_embed_texts(s->stage, &s->call, texts, n, out, err);
}

/* Either images or texts. */
static item_status embed(item_ctx *ctx, item_image *const *images, const char *const *texts,
                         size_t n, const item_check_options *options, float *out, size_t width,
                         item_error *err)
{
    if (n && need(out, "out", err) != ITEM_OK)
        return ITEM_E_ARGUMENT;
    single s;
    item_status status = begin(&s, ctx, ITEMI_EMBEDDER, options, err);
    if (status != ITEM_OK)
        return status;
    status = check_width(&s, width, err);
    for (size_t at = 0; at < n && status == ITEM_OK; at += EMBED_AT_ONCE) {
        size_t some = n - at < EMBED_AT_ONCE ? n - at : EMBED_AT_ONCE;
        float *rows = out + at * width;
        status = images ? embed_some_images(&s, images + at, some, rows, err)
                        : embed_some_texts(&s, texts + at, some, rows, err);
    }
    end(&s);
    return status;
}

item_status item_embed_images(item_ctx *ctx, item_image *const *images, size_t n,
                              const item_check_options *options, float *out, size_t width,
                              item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (n && need(images, "images", err) != ITEM_OK)
        return ITEM_E_ARGUMENT;
    return embed(ctx, images, NULL, n, options, out, width, err);
}

item_status item_embed_texts(item_ctx *ctx, const char *const *texts, size_t n,
                             const item_check_options *options, float *out, size_t width,
                             item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (n && need(texts, "texts", err) != ITEM_OK)
        return ITEM_E_ARGUMENT;
    return embed(ctx, NULL, texts, n, options, out, width, err);
}
