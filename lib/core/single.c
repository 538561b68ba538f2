/* SPDX-License-Identifier: Apache-2.0 */
/* Single stages that need a network: what they share; caption, detect. */
#include <math.h>
#include <string.h>

#include "core/single.h"

static void keep_warning(void *user, const char *text)
{
    itemi_single *s = user;
    itemi_lines_add(s->call.mem, &s->lines, text);
}

item_status itemi_single_begin(itemi_single *s, item_ctx *ctx, itemi_stage_kind kind,
                               const item_check_options *options, item_error *err)
{
    *s = (itemi_single){.ctx = ctx};
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

void itemi_single_end(itemi_single *s)
{
    itemi_lines_free(s->call.mem, &s->lines);
    item_cancel_unref(s->options.cancel);
}

/* A result with what every single stage tells; NULL: no memory. */
static item_result *make_result(itemi_single *s, itemi_stage_kind kind, const item_image *image)
{
    item_result *result = s->lines.lost ? NULL : itemi_result_new(s->call.mem);
    if (!result)
        return NULL;
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    (void)item_image_get_info(image, &info, NULL);
    result->summary.width = info.width;
    result->summary.height = info.height;
    result->timings.total = (itemi_now_ms() - s->start) / (double)s->n;
    for (size_t i = 0; i < s->lines.count; i++)
        itemi_lines_add(s->call.mem, &result->warnings, s->lines.items[i]);
    const itemi_slot *slot = &s->ctx->slot[kind];
    bool made =
        !result->warnings.lost &&
        itemi_provenance_copy(s->call.mem, itemi_image_provenance(image), &result->provenance) &&
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

item_status itemi_single_need(const void *pointer, const char *name, item_error *err)
{
    return pointer ? ITEM_OK : itemi_fail(err, ITEM_E_ARGUMENT, "%s is NULL", name);
}

/* Before each call of the stage. */
static void start_some(itemi_single *s, size_t n)
{
    itemi_lines_free(s->call.mem, &s->lines);
    s->start = itemi_now_ms();
    s->n = n;
}

static item_status need_images(item_image *const *images, size_t n, item_result **out,
                               item_error *err)
{
    for (size_t i = 0; i < n; i++)
        out[i] = NULL;
    item_status status = itemi_single_need(images, "images", err);
    for (size_t i = 0; i < n && status == ITEM_OK; i++)
        status = itemi_single_need(images[i], "image", err);
    return status;
}

static void drop_results(item_result **out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        item_result_unref(out[i]);
        out[i] = NULL;
    }
}

/* How many of those that are left go into one call. */
static size_t some_of(const item_ctx *ctx, size_t left)
{
    const size_t batch =
        ctx->settings.batch < ITEMI_SINGLE_MOST ? ctx->settings.batch : ITEMI_SINGLE_MOST;
    return left < batch ? left : batch;
}

/* ---- caption ---- */

static item_status caption_result(itemi_single *s, const item_image *image,
                                  itemi_captioned *caption, item_result **out, item_error *err)
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

static item_status caption_some(itemi_single *s, item_image *const *images, size_t n,
                                item_result **out, item_error *err)
{
    const item_image *some[ITEMI_SINGLE_MOST];
    itemi_captioned captions[ITEMI_SINGLE_MOST];
    const itemi_captioning how = itemi_ctx_captioning(s->ctx, &s->options, true);
    for (size_t i = 0; i < n; i++)
        some[i] = images[i];
    start_some(s, n);
    item_status status = itemi_stage_caption(s->stage, &s->call, some, n, &how, captions, err);
    if (status != ITEM_OK)
        return status;
    for (size_t i = 0; i < n && status == ITEM_OK; i++)
        status = caption_result(s, images[i], &captions[i], &out[i], err);
    itemi_captioned_free(s->call.mem, captions, n);
    return status;
}

static item_status caption_all(item_ctx *ctx, item_image *const *images, size_t n,
                               const item_check_options *options, item_result **out,
                               item_error *err)
{
    item_status status = need_images(images, n, out, err);
    itemi_single s;
    if (status == ITEM_OK)
        status = itemi_single_begin(&s, ctx, ITEMI_CAPTIONER, options, err);
    if (status != ITEM_OK)
        return status;
    for (size_t at = 0, some; at < n && status == ITEM_OK; at += some) {
        some = some_of(ctx, n - at);
        status = caption_some(&s, images + at, some, out + at, err);
    }
    if (status != ITEM_OK)
        drop_results(out, n);
    itemi_single_end(&s);
    return status;
}

item_status item_caption_image(item_ctx *ctx, item_image *image, const item_check_options *options,
                               item_result **out, item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (itemi_single_need(out, "out", err) != ITEM_OK)
        return ITEM_E_ARGUMENT;
    return caption_all(ctx, &image, 1, options, out, err);
}

item_status item_caption_images(item_ctx *ctx, item_image *const *images, size_t n,
                                const item_check_options *options, item_result **out,
                                item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (itemi_single_need(out, "out", err) != ITEM_OK)
        return ITEM_E_ARGUMENT;
    return caption_all(ctx, images, n, options, out, err);
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

static item_status detect_result(itemi_single *s, const itemi_query *query, itemi_boxes *boxes,
                                 uint32_t most, item_result **out, item_error *err)
{
    const size_t count =
        most ? itemi_choose_objects(boxes->items, boxes->count, NULL, most) : boxes->count;
    item_result *result = make_result(s, ITEMI_DETECTOR, query->image);
    if (!result || !add_objects(result, boxes, count, query->phrases)) {
        item_result_unref(result);
        return itemi_fail_memory(err, "detecting");
    }
    result->timings.detect = result->timings.total;
    *out = result;
    return ITEM_OK;
}

/* `query` of each of n pictures. */
static item_status detect_some(itemi_single *s, const itemi_query *query, item_image *const *images,
                               size_t n, item_result **out, item_error *err)
{
    const item_ctx *ctx = s->ctx;
    const bool limited = s->options.max_objects || ctx->settings.max_objects != ITEMI_OBJECTS_UNSET;
    const bool raw = !limited && itemi_stage_raw_boxes(s->stage);
    const uint32_t most = raw ? 0 : itemi_objects_asked(ctx, &s->options);
    itemi_query queries[ITEMI_SINGLE_MOST];
    itemi_boxes boxes[ITEMI_SINGLE_MOST];
    for (size_t i = 0; i < n; i++) {
        queries[i] = *query;
        queries[i].image = images[i];
    }
    start_some(s, n);
    item_status status = itemi_stage_detect(s->stage, &s->call, queries, n, most,
                                            ctx->settings.detector_score, boxes, err);
    if (status != ITEM_OK)
        return status;
    for (size_t i = 0; i < n && status == ITEM_OK; i++)
        status = detect_result(s, &queries[i], &boxes[i], most, &out[i], err);
    for (size_t i = 0; i < n; i++)
        itemi_free(s->call.mem, boxes[i].items);
    return status;
}

static item_status detect_all(item_ctx *ctx, item_image *const *images, size_t count,
                              const itemi_query *asked, const item_check_options *options,
                              item_result **out, item_error *err)
{
    item_status status = need_images(images, count, out, err);
    if (status == ITEM_OK)
        status = check_phrases(asked->phrases, asked->count, err);
    itemi_single s;
    if (status == ITEM_OK)
        status = itemi_single_begin(&s, ctx, ITEMI_DETECTOR, options, err);
    if (status != ITEM_OK)
        return status;
    nouns found = {0};
    status = check_blank(s.stage, asked->phrases, asked->count, err);
    if (status == ITEM_OK)
        status = find_nouns(s.call.mem, asked->phrases, asked->count, &found, err);
    const itemi_query query = {NULL, asked->phrases, found.heads, asked->count};
    for (size_t at = 0, some; at < count && status == ITEM_OK; at += some) {
        some = some_of(ctx, count - at);
        status = detect_some(&s, &query, images + at, some, out + at, err);
    }
    if (status != ITEM_OK)
        drop_results(out, count);
    free_nouns(s.call.mem, &found);
    itemi_single_end(&s);
    return status;
}

item_status item_detect_image(item_ctx *ctx, item_image *image, const char *const *phrases,
                              size_t n, const item_check_options *options, item_result **out,
                              item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (itemi_single_need(out, "out", err) != ITEM_OK)
        return ITEM_E_ARGUMENT;
    const itemi_query asked = {NULL, phrases, NULL, n};
    return detect_all(ctx, &image, 1, &asked, options, out, err);
}

item_status item_detect_images(item_ctx *ctx, item_image *const *images, size_t count,
                               const char *const *phrases, size_t n,
                               const item_check_options *options, item_result **out,
                               item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (itemi_single_need(out, "out", err) != ITEM_OK)
        return ITEM_E_ARGUMENT;
    const itemi_query asked = {NULL, phrases, NULL, n};
    return detect_all(ctx, images, count, &asked, options, out, err);
}
