/* SPDX-License-Identifier: Apache-2.0 */
/* Backends inside of contexts: what libitem makes of them, alone, in batches and side by side. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance.h"

enum { THREADS = 4, PICTURES = MOST_SAMPLES };

static const double same = 1e-4, tie = 1e-3;

static item_ctx *open_context(void)
{
    item_error err = ITEM_ERROR_INIT;
    item_ctx *ctx = NULL;
    if (target_context(&ctx, &err) != ITEM_OK)
        fail("opening a context: %s", err.message);
    return ctx;
}

/* ---- whole answers ---- */

typedef struct reading {
    item_result *result;
    item_result_summary numbers;
} reading;

static bool read_result(item_result *result, item_error *err, reading *out)
{
    *out = (reading){result, ITEM_RESULT_SUMMARY_INIT};
    if (item_result_status(result, err) == ITEM_OK &&
        item_result_get_summary(result, &out->numbers, err) == ITEM_OK)
        return true;
    fail("%s", err->message);
    return false;
}

static bool check_one(item_ctx *ctx, size_t picture, reading *out)
{
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    *out = (reading){0};
    if (item_check_image(ctx, samples[CAPTIONS].items[picture].image, NULL, &result, &err) ==
        ITEM_OK)
        return read_result(result, &err, out);
    fail("picture %zu: %s", picture, err.message);
    return false;
}

static bool texts_same(const reading *a, const reading *b, int32_t which)
{
    return strcmp(item_result_text(a->result, which), item_result_text(b->result, which)) == 0;
}

/* After a tie in the search for a caption nothing else need be the same. */
static void compare_readings(const reading *a, const reading *b, const char *where)
{
    if (!texts_same(a, b, ITEM_TEXT_FINGERPRINT))
        fail("%s: the fingerprints differ", where);
    if (a->numbers.caption_margin < tie)
        return;
    if (!texts_same(a, b, ITEM_TEXT_CAPTION))
        fail("%s: \"%s\" and \"%s\"", where, item_result_text(a->result, ITEM_TEXT_CAPTION),
             item_result_text(b->result, ITEM_TEXT_CAPTION));
    if (!(fabs(a->numbers.similarity - b->numbers.similarity) < same) ||
        a->numbers.objects != b->numbers.objects)
        fail("%s: similarity %g and %g, %u and %u objects", where, a->numbers.similarity,
             b->numbers.similarity, (unsigned)a->numbers.objects, (unsigned)b->numbers.objects);
}

/* Whole pictures need all stages: a published folder has one, a module gets dummies for others. */
static bool lacks_a_stage(void)
{
    for (stage_id stage = CAPTIONER; stage < STAGES; stage++) {
        if (!target_is_module() && !target_has(stage)) {
            skip("there is no %s", stage_word(stage));
            return true;
        }
    }
    return false;
}

static void batch(bench *b)
{
    (void)b;
    if (lacks_a_stage())
        return;
    size_t n = samples[CAPTIONS].count;
    item_image *images[PICTURES];
    item_result *results[PICTURES] = {NULL};
    item_error err = ITEM_ERROR_INIT;
    item_ctx *ctx = open_context();
    for (size_t i = 0; i < n; i++)
        images[i] = samples[CAPTIONS].items[i].image;
    if (ctx && item_check_images(ctx, images, n, NULL, results, &err) != ITEM_OK)
        fail("%s", err.message);
    for (size_t i = 0; i < n && results[i]; i++) {
        reading alone, together;
        bool answered = check_one(ctx, i, &alone);
        if (read_result(results[i], &err, &together) && answered)
            compare_readings(&alone, &together, "alone and in a batch");
        item_result_unref(alone.result);
        item_result_unref(results[i]);
    }
    item_ctx_unref(ctx);
}

/* ---- single stages ---- */

static item_status caption(item_ctx *ctx, const sample *input, answer *out, item_error *err)
{
    item_result *result = NULL;
    item_result_summary numbers = ITEM_RESULT_SUMMARY_INIT;
    item_status status = item_caption_image(ctx, input->image, NULL, &result, err);
    if (status == ITEM_OK)
        status = item_result_get_summary(result, &numbers, err);
    if (status == ITEM_OK) {
        out->text = strdup(item_result_text(result, ITEM_TEXT_CAPTION));
        out->numbers = calloc(2, sizeof *out->numbers);
        if (!out->text || !out->numbers)
            abort();
        out->count = 2;
        out->numbers[0] = numbers.caption_logprob;
        out->numbers[1] = numbers.caption_margin;
    }
    item_result_unref(result);
    return status;
}

static item_status detect(item_ctx *ctx, const sample *input, answer *out, item_error *err)
{
    item_result *result = NULL;
    item_result_summary numbers = ITEM_RESULT_SUMMARY_INIT;
    item_status status =
        item_detect_image(ctx, input->image, input->phrases, input->count, NULL, &result, err);
    if (status == ITEM_OK)
        status = item_result_get_summary(result, &numbers, err);
    out->numbers = calloc((numbers.objects + 1) * PER_BOX, sizeof *out->numbers);
    if (!out->numbers)
        abort();
    for (uint32_t i = 0; i < numbers.objects && status == ITEM_OK; i++) {
        item_object object = ITEM_OBJECT_INIT;
        double *at = out->numbers + out->count;
        status = item_result_get_object(result, i, &object, err);
        at[0] = object.phrase_index;
        memcpy(at + 1, object.box, sizeof object.box);
        at[5] = object.score;
        out->count += PER_BOX;
    }
    item_result_unref(result);
    return status;
}

static item_status embed(item_ctx *ctx, subject s, const sample *input, answer *out,
                         item_error *err)
{
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    item_status status = item_ctx_get_info(ctx, &info, err);
    float *vector = calloc(info.width + 1, sizeof *vector);
    out->numbers = calloc(info.width + 1, sizeof *out->numbers);
    if (!vector || !out->numbers)
        abort();
    item_image *image = input->image;
    if (status == ITEM_OK)
        status = s == TEXTS ? item_embed_texts(ctx, &input->text, 1, NULL, vector, info.width, err)
                            : item_embed_images(ctx, &image, 1, NULL, vector, info.width, err);
    out->count = info.width;
    for (size_t i = 0; i < out->count; i++)
        out->numbers[i] = (double)vector[i];
    free(vector);
    return status;
}

bool context_ask(item_ctx *ctx, subject s, size_t which, answer *out)
{
    item_error err = ITEM_ERROR_INIT;
    const sample *input = &samples[s].items[which];
    *out = (answer){0};
    item_status status = s == CAPTIONS ? caption(ctx, input, out, &err)
                         : s == BOXES  ? detect(ctx, input, out, &err)
                                       : embed(ctx, s, input, out, &err);
    if (status != ITEM_OK)
        fail("%s %zu: %s", subject_word(s), which, err.message);
    return status == ITEM_OK;
}

/* An answer through a context is the backend's own; of boxes, libitem makes a choice. */
static void through(item_ctx *ctx, subject s, size_t which, const answer *own)
{
    char why[WHY];
    answer first, second;
    bool asked = context_ask(ctx, s, which, &first);
    if (context_ask(ctx, s, which, &second) && asked) {
        if (!answers_same(s, &first, &second, why) ||
            (s == CAPTIONS && fabs(first.numbers[0] - second.numbers[0]) > same))
            fail("%s %zu, twice through a context: %s", subject_word(s), which, why);
        if (own && s != BOXES && !answers_same(s, own, &first, why))
            fail("%s %zu, called alone and through a context: %s", subject_word(s), which, why);
    }
    answers_free(&first, 1);
    answers_free(&second, 1);
}

/* All whole pictures, or all texts, in one call of a context. */
static void embed_together(item_ctx *ctx, subject s, const bench *b)
{
    item_error err = ITEM_ERROR_INIT;
    size_t n = s == CROPS ? samples[CAPTIONS].count : samples[TEXTS].count;
    size_t width = b->it.ops.embedder.width;
    item_image *images[MOST_SAMPLES];
    const char *texts[MOST_SAMPLES];
    float *rows = calloc(n * width, sizeof *rows);
    double *row = calloc(width, sizeof *row);
    if (!rows || !row)
        abort();
    for (size_t i = 0; i < n; i++) {
        images[i] = samples[s].items[i].image;
        texts[i] = samples[s].items[i].text;
    }
    if ((s == CROPS ? item_embed_images(ctx, images, n, NULL, rows, width, &err)
                    : item_embed_texts(ctx, texts, n, NULL, rows, width, &err)) != ITEM_OK)
        fail("%s", err.message);
    for (size_t i = 0; i < n && !has_failed(); i++) {
        for (size_t j = 0; j < width; j++)
            row[j] = (double)rows[i * width + j];
        double most = vectors_differ(row, b->alone[s][i].numbers, width);
        if (most > same)
            fail("%s %zu, alone and with all through a context: %g", subject_word(s), i, most);
    }
    free(rows);
    free(row);
}

static void single(bench *benches)
{
    item_ctx *ctx = open_context();
    for (subject s = CAPTIONS; s < SUBJECTS && ctx; s++) {
        const bench *b = NULL;
        for (stage_id stage = CAPTIONER; stage < STAGES; stage++)
            b = subject_of(stage, s) ? &benches[stage] : b;
        /* of the parts, those that are whole pictures: they come first */
        size_t n = s == CROPS ? samples[CAPTIONS].count : samples[s].count;
        for (size_t i = 0; i < n && b->open; i++)
            through(ctx, s, i, b->known ? &b->alone[s][i] : NULL);
        if (b->known && b->it.stage == EMBEDDER)
            embed_together(ctx, s, b);
    }
    item_ctx_unref(ctx);
}

/* ---- at once ---- */

typedef struct worker {
    pthread_t id;
    item_ctx *ctx;
    size_t start;
    const reading *wanted;
    bool running;
} worker;

static void *work(void *user)
{
    const worker *w = user;
    for (size_t i = 0; i < 3 && !has_failed(); i++) {
        reading here;
        size_t picture = (w->start + i) % samples[CAPTIONS].count;
        if (check_one(w->ctx, picture, &here))
            compare_readings(&w->wanted[picture], &here, "alone and beside others");
        item_result_unref(here.result);
    }
    return NULL;
}

static void run_workers(item_ctx *const *contexts, size_t n)
{
    worker workers[THREADS] = {{0}}; /* after a failure none is started, or not all */
    reading wanted[PICTURES] = {{0}};
    size_t pictures = samples[CAPTIONS].count;
    for (size_t i = 0; i < pictures; i++)
        (void)check_one(contexts[0], i, &wanted[i]);
    for (size_t i = 0; i < n && !has_failed(); i++) {
        workers[i] = (worker){.ctx = contexts[i], .start = i, .wanted = wanted};
        workers[i].running = pthread_create(&workers[i].id, NULL, work, &workers[i]) == 0;
        if (!workers[i].running)
            fail("a thread could not be started");
    }
    for (size_t i = 0; i < n; i++)
        if (workers[i].running)
            pthread_join(workers[i].id, NULL);
    for (size_t i = 0; i < pictures; i++)
        item_result_unref(wanted[i].result);
}

static void threads(bench *b)
{
    (void)b;
    if (lacks_a_stage())
        return;
    item_ctx *ctx = open_context();
    item_ctx *const contexts[THREADS] = {ctx, ctx, ctx, ctx};
    if (ctx)
        run_workers(contexts, THREADS);
    item_ctx_unref(ctx);
}

static void two(bench *b)
{
    (void)b;
    if (lacks_a_stage())
        return;
    item_ctx *first = open_context(), *second = open_context();
    item_ctx *const contexts[THREADS] = {first, second, first, second};
    if (first && second)
        run_workers(contexts, THREADS);
    item_ctx_unref(first);
    reading left;
    if (second && check_one(second, 0, &left))
        item_result_unref(left.result);
    item_ctx_unref(second);
}

/* ---- the rest ---- */

static void expect_cancelled(item_status status, const char *what)
{
    if (status != ITEM_E_CANCELLED)
        fail("%s was cancelled and returned %s", what, item_status_name(status));
}

static void cancelled(bench *b)
{
    (void)b;
    if (lacks_a_stage())
        return;
    item_error err = ITEM_ERROR_INIT;
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    item_ctx *ctx = open_context();
    if (!ctx || item_cancel_new(&options.cancel, &err) != ITEM_OK ||
        item_ctx_get_info(ctx, &info, &err) != ITEM_OK) {
        fail("%s", err.message);
        return;
    }
    item_cancel_set(options.cancel);
    item_image *image = samples[CAPTIONS].items[0].image;
    item_result *result = NULL;
    const char *text = "a dog";
    float *vector = calloc(info.width + 1, sizeof *vector);
    if (info.has_captioner) {
        expect_cancelled(item_check_image(ctx, image, &options, &result, NULL), "item_check_image");
        expect_cancelled(item_caption_image(ctx, image, &options, &result, NULL),
                         "item_caption_image");
    }
    if (info.has_detector)
        expect_cancelled(item_detect_image(ctx, image, &text, 1, &options, &result, NULL),
                         "item_detect_image");
    expect_cancelled(item_embed_images(ctx, &image, 1, &options, vector, info.width, NULL),
                     "item_embed_images");
    expect_cancelled(item_embed_texts(ctx, &text, 1, &options, vector, info.width, NULL),
                     "item_embed_texts");
    if (result)
        fail("a cancelled call gave a result");
    free(vector);
    item_cancel_unref(options.cancel);
    item_ctx_unref(ctx);
}

const check context_checks[] = {
    {"batch", "whole pictures get the same in a batch as alone", batch, FOR_ALL},
    {"single", "single stages give what the backends say", single, FOR_ALL},
    {"threads", "four threads share a context", threads, FOR_ALL},
    {"two contexts", "two contexts at once, and one after the other is closed", two, FOR_ALL},
    {"cancelled", "every call of a context can be cancelled", cancelled, FOR_ALL},
};

const size_t context_check_count = sizeof context_checks / sizeof context_checks[0];
