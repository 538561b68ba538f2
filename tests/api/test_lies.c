/* SPDX-License-Identifier: Apache-2.0 */
/* Backends that fail or lie: an error with their name, never a verdict. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- a captioner that does one thing wrong ---- */

typedef enum caption_lie {
    SAY_NOTHING = 0,
    SAY_NO_END,
    SAY_BAD_UTF8,
    SAY_NAN,
    SAY_NO_MARGIN,
    SAY_POSITIVE,
    SAY_MANY_TOKENS,
    SAY_NO_TOKEN,
    FAIL_WITH_REASON,
    FAIL_SILENTLY,
    CLAIM_CANCELLED,
    CLAIM_NONSENSE,
    CAPTION_LIES
} caption_lie;

static item_status caption_badly(void *self, const item_call *call, const item_image *const *images,
                                 size_t n, const item_caption_options *options,
                                 item_caption_out *const *out, item_error *err)
{
    (void)call;
    (void)images;
    (void)options;
    caption_lie lie = *(caption_lie *)self;
    for (size_t i = 0; i < n; i++) {
        assert_true(isnan(out[i]->logprob) && isnan(out[i]->margin));
        assert_true(out[i]->capacity >= 4096);
        if (lie != SAY_NOTHING)
            strcpy(out[i]->text, lie == SAY_BAD_UTF8 ? "a \xc3 dog" : "a dog");
        if (lie == SAY_NO_END)
            memset(out[i]->text, 'a', out[i]->capacity);
        out[i]->logprob = lie == SAY_NAN ? (double)NAN : lie == SAY_POSITIVE ? 0.5 : -0.5;
        if (lie != SAY_NO_MARGIN)
            out[i]->margin = 0.5;
        if (lie == SAY_MANY_TOKENS)
            out[i]->token_count = out[i]->token_room + 1;
        if (lie == SAY_NO_TOKEN) /* counted, and not written */
            out[i]->token_count = 1;
    }
    if (lie == FAIL_WITH_REASON) {
        err->code = ITEM_E_IO;
        strcpy(err->message, "the cable\nis out");
        return ITEM_E_IO;
    }
    return lie == FAIL_SILENTLY     ? ITEM_E_BACKEND
           : lie == CLAIM_CANCELLED ? ITEM_E_CANCELLED
           : lie == CLAIM_NONSENSE  ? -77
                                    : ITEM_OK;
}

static void captioners_that_lie(void **state)
{
    (void)state;
    static const char *const parts[CAPTION_LIES] = {
        [SAY_NOTHING] = "no caption",
        [SAY_NO_END] = "without an end",
        [SAY_BAD_UTF8] = "UTF-8",
        [SAY_NAN] = "log-probability",
        [SAY_NO_MARGIN] = "margin",
        [SAY_POSITIVE] = "log-probability",
        [SAY_MANY_TOKENS] = "tokens where",
        [SAY_NO_TOKEN] = "token",
        [FAIL_WITH_REASON] = "the cable\\nis out",
        [FAIL_SILENTLY] = "without a reason",
        [CLAIM_CANCELLED] = "cancelled",
        [CLAIM_NONSENSE] = "without a reason",
    };
    item_image *image = make_picture(1, 200, 150);
    for (caption_lie lie = SAY_NOTHING; lie < CAPTION_LIES; lie++) {
        item_captioner_ops ops = {.struct_size = sizeof ops,
                                  .version = ITEM_BACKEND_VERSION,
                                  .name = "liar",
                                  .id = "1",
                                  .caption = caption_badly};
        item_config *config = make_config();
        item_error err = ITEM_ERROR_INIT;
        assert_ok(item_config_set_captioner(config, &ops, &lie, &err), &err);
        item_ctx *ctx = open_ctx(config);
        item_result *result = NULL;
        assert_error(item_check_image(ctx, image, NULL, &result, &err), ITEM_E_BACKEND, &err,
                     parts[lie]);
        assert_non_null(strstr(err.message, "captioner liar"));
        assert_null(result);
        reset(&err);
        assert_error(item_caption_image(ctx, image, NULL, &result, &err), ITEM_E_BACKEND, &err,
                     parts[lie]);
        item_ctx_unref(ctx);
    }
    item_image_unref(image);
}

/* ---- a detector ---- */

typedef struct box_lie {
    size_t phrase;
    double box[4], score;
    int many;   /* how often */
    int accept; /* 1: it is no lie */
} box_lie;

static item_status detect_badly(void *self, const item_call *call, const item_image *const *images,
                                size_t n, const char *const *const *phrases,
                                const char *const *const *heads, const size_t *counts,
                                const item_detect_options *options,
                                const item_box_sink *const *sinks, item_error *err)
{
    (void)call;
    (void)images;
    (void)phrases;
    (void)heads;
    (void)counts;
    (void)options;
    (void)err;
    const box_lie *lie = self;
    for (size_t i = 0; i < n; i++) {
        for (int j = 0; j < lie->many; j++)
            (void)sinks[i]->add(sinks[i]->host, lie->phrase, lie->box, lie->score);
    }
    return ITEM_OK; /* although add() refused */
}

static void detectors_that_lie(void **state)
{
    (void)state;
    const box_lie lies[] = {
        {0, {10, 10, 20, 20}, 0.5, 1, 1},     {0, {-0.005, 0, 20, 20.004}, 1, 1, 1},
        {9, {10, 10, 20, 20}, 0.5, 1, 0},     {0, {10, 10, 20, 20}, NAN, 1, 0},
        {0, {10, 10, 20, 20}, 1.5, 1, 0},     {0, {10, 10, 20, 20}, -0.1, 1, 0},
        {0, {NAN, 10, 20, 20}, 0.5, 1, 0},    {0, {10, 10, INFINITY, 20}, 0.5, 1, 0},
        {0, {20, 10, 10, 20}, 0.5, 1, 0},     {0, {10, 10, 10, 20}, 0.5, 1, 0},
        {0, {-5, 10, 10, 20}, 0.5, 1, 0},     {0, {10, 10, 20, 500}, 0.5, 1, 0},
        {0, {10, 10, 20, 20}, 0.5, 10001, 0},
    };
    item_image *image = make_picture(1, 224, 224);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        box_lie lie = lies[i];
        item_detector_ops ops = {.struct_size = sizeof ops,
                                 .version = ITEM_BACKEND_VERSION,
                                 .name = "liar",
                                 .id = "1",
                                 .detect = detect_badly};
        item_config *config = make_config();
        item_error err = ITEM_ERROR_INIT;
        assert_ok(item_config_set_detector(config, &ops, &lie, &err), &err);
        item_ctx *ctx = open_ctx(config);
        item_result *result = NULL;
        const char *phrase = "a dog";
        item_status status = item_detect_image(ctx, image, &phrase, 1, NULL, &result, &err);
        if (lie.accept) {
            assert_ok(status, &err);
            item_result_unref(result);
        } else {
            assert_error(status, ITEM_E_BACKEND, &err, "detector liar");
            reset(&err);
            assert_error(item_check_image(ctx, image, NULL, &result, &err), ITEM_E_BACKEND, &err,
                         "detector liar");
            assert_null(result);
        }
        item_ctx_unref(ctx);
    }
    item_image_unref(image);
}

/* ---- an embedder ---- */

typedef enum embed_lie {
    LEAVE_LAST = 0,
    WRITE_NAN,
    WRITE_INFINITY,
    WRITE_ZERO,
    WRITE_LONG,
    LIE_ABOUT_TEXTS,
    EMBED_LIES
} embed_lie;

static void fill(float *out, size_t n, embed_lie lie)
{
    for (size_t i = 0; i < n; i++) {
        float *row = out + i * 4;
        assert_true(isnan(row[0]) && isnan(row[3]));
        memset(row, 0, (lie == LEAVE_LAST ? 3 : 4) * sizeof *row);
        row[0] = lie == WRITE_ZERO ? 0.0f : lie == WRITE_LONG ? 2.0f : 1.0f;
        if (lie == WRITE_NAN || lie == WRITE_INFINITY)
            row[1] = lie == WRITE_NAN ? NAN : INFINITY;
    }
}

static item_status embed_images_badly(void *self, const item_call *call,
                                      const item_crop *const *crops, size_t n, float *out,
                                      item_error *err)
{
    (void)call;
    (void)crops;
    (void)err;
    embed_lie lie = *(embed_lie *)self;
    fill(out, n, lie);
    return ITEM_OK;
}

static item_status embed_texts_badly(void *self, const item_call *call, const char *const *texts,
                                     size_t n, float *out, item_error *err)
{
    (void)call;
    (void)texts;
    (void)err;
    embed_lie lie = *(embed_lie *)self;
    fill(out, n, lie == LIE_ABOUT_TEXTS ? WRITE_NAN : lie);
    return ITEM_OK;
}

static const item_embedder_ops bad_embedder = {.struct_size = sizeof bad_embedder,
                                               .version = ITEM_BACKEND_VERSION,
                                               .name = "liar",
                                               .id = "1",
                                               .width = 4,
                                               .embed_images = embed_images_badly,
                                               .embed_texts = embed_texts_badly};

static void embedders_that_lie(void **state)
{
    (void)state;
    item_image *image = make_picture(1, 224, 224);
    for (embed_lie lie = LEAVE_LAST; lie < EMBED_LIES; lie++) {
        item_config *config = make_config();
        item_error err = ITEM_ERROR_INIT;
        assert_ok(item_config_set_embedder(config, &bad_embedder, &lie, &err), &err);
        item_ctx *ctx = open_ctx(config);
        item_result *result = NULL;
        assert_error(item_check_image(ctx, image, NULL, &result, &err), ITEM_E_BACKEND, &err,
                     "embedder liar");
        assert_null(result);
        const char *text = "dog";
        float out[4];
        reset(&err);
        assert_error(item_embed_texts(ctx, &text, 1, NULL, out, 4, &err), ITEM_E_BACKEND, &err,
                     "text 0");
        item_ctx_unref(ctx);
    }
    item_image_unref(image);
}

/* ---- one picture of a batch ---- */

/* Fails whenever a picture of 400 x 200, at its working size 448 x 224, is asked for. */
static item_status caption_but_one(void *self, const item_call *call,
                                   const item_image *const *images, size_t n,
                                   const item_caption_options *options,
                                   item_caption_out *const *out, item_error *err)
{
    ++*(int *)self;
    for (size_t i = 0; i < n; i++) {
        item_image_info info = ITEM_IMAGE_INFO_INIT;
        (void)item_image_get_info(images[i], &info, NULL);
        if (info.width == 448) {
            err->code = ITEM_E_BACKEND;
            strcpy(err->message, "not this one");
            return ITEM_E_BACKEND;
        }
    }
    call->warn(call->host, "be careful");
    call->log(call->host, ITEM_LOG_INFO, "captioning");
    return item_dummy_captioner()->caption(NULL, call, images, n, options, out, err);
}

static void one_culprit_fails_alone(void **state)
{
    (void)state;
    int calls = 0;
    item_captioner_ops ops = *item_dummy_captioner();
    ops.caption = caption_but_one;
    item_config *config = make_config();
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_config_set_captioner(config, &ops, &calls, &err), &err);
    item_ctx *ctx = open_ctx(config);
    item_image *images[4];
    item_result *results[4];
    for (uint32_t i = 0; i < 4; i++)
        images[i] = make_picture(i, i == 2 ? 400 : 200, 200);
    assert_ok(item_check_images(ctx, images, 4, NULL, results, &err), &err);
    assert_int_equal(calls, 5); /* together, then one by one */
    for (size_t i = 0; i < 4; i++) {
        reset(&err);
        if (i == 2) {
            assert_error(item_result_status(results[i], &err), ITEM_E_BACKEND, &err, "not this");
            assert_int_equal(item_result_verdict(results[i]), ITEM_VERDICT_NONE);
        } else {
            assert_ok(item_result_status(results[i], &err), &err);
            assert_string_equal(item_result_warning(results[i], 0), "be careful");
            assert_null(item_result_warning(results[i], 1));
        }
        item_result_unref(results[i]);
        item_image_unref(images[i]);
    }
    item_ctx_unref(ctx);
}

/* ---- tables ---- */

static void tables_are_checked(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    assert_ok(item_config_new(&config, &err), &err);
    for (int i = 0; i < 9; i++) {
        item_embedder_ops ops = *item_dummy_embedder();
        item_status wanted = ITEM_E_ARGUMENT;
        switch (i) {
        case 0:
            ops.struct_size = 8;
            break;
        case 1:
            ops.version = 2;
            wanted = ITEM_E_BACKEND;
            break;
        case 2:
            ops.capabilities = 0x100;
            wanted = ITEM_E_BACKEND;
            break;
        case 3:
            ops.name = NULL;
            break;
        case 4:
            ops.id = NULL;
            break;
        case 5:
            ops.width = 0;
            wanted = ITEM_E_BACKEND;
            break;
        case 6:
            ops.width = 8193;
            wanted = ITEM_E_BACKEND;
            break;
        case 7:
            ops.embed_texts = NULL;
            break;
        default:
            ops.reserved = 1;
            break;
        }
        reset(&err);
        assert_error(item_config_set_embedder(config, &ops, NULL, &err), wanted, &err, "embedder");
    }
    item_config_unref(config);
}

static void close_counter(void *self)
{
    ++*(int *)self;
}

/* A table of an older size without `close`, and a newer one with members that are not known. */
static void tables_of_other_sizes_work(void **state)
{
    (void)state;
    struct {
        item_embedder_ops ops;
        void (*unknown)(void);
    } newer = {.ops = *item_dummy_embedder(), .unknown = (void (*)(void))tables_are_checked};
    int closed = 0;
    newer.ops.struct_size = sizeof newer;
    newer.ops.close = close_counter;
    item_embedder_ops older = *item_dummy_embedder();
    older.struct_size = offsetof(item_embedder_ops, close);
    older.close = close_counter;
    for (int i = 0; i < 2; i++) {
        item_config *config = make_config();
        item_error err = ITEM_ERROR_INIT;
        assert_ok(item_config_set_embedder(config, i ? &newer.ops : &older, &closed, &err), &err);
        item_ctx *a = NULL, *b = NULL;
        assert_ok(item_ctx_open(NULL, config, &a, &err), &err);
        assert_ok(item_ctx_open(NULL, config, &b, &err), &err);
        item_config_unref(config);
        item_ctx_unref(a);
        assert_int_equal(closed, 0);
        item_ctx_unref(b);
        assert_int_equal(closed, i); /* once, by the last; never when the table has no close */
    }
    item_config *config = make_config();
    item_error err = ITEM_ERROR_INIT;
    closed = 0;
    assert_ok(item_config_set_embedder(config, &newer.ops, &closed, &err), &err);
    assert_ok(item_config_set_embedder(config, NULL, NULL, &err), &err); /* takes it back */
    assert_int_equal(closed, 1);
    item_config_unref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captioners_that_lie), cmocka_unit_test(detectors_that_lie),
        cmocka_unit_test(embedders_that_lie),  cmocka_unit_test(one_culprit_fails_alone),
        cmocka_unit_test(tables_are_checked),  cmocka_unit_test(tables_of_other_sizes_work),
    };
    return cmocka_run_group_tests_name("api: backends that lie", tests, NULL, NULL);
}
