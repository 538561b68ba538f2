/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every backend must do, asked of the context that main() opens: the dummies, or with the
 * argument "pack" the default pack with its engine. Libitem itself checks lengths, NaN and
 * ranges of each answer on the way, so a backend that gets through here obeys these too.
 */
#include "support.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WIDTH = 8192, SIZES = 6, SKIPPED = 77 };

static item_ctx *ctx;
static size_t width;

static const uint32_t sizes[SIZES][2] = {{224, 224}, {300, 200}, {64, 500},
                                         {1, 1},     {17, 3},    {640, 480}};

static double largest_difference(const float *a, const float *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs((double)a[i] - (double)b[i]));
    return most;
}

static float *vectors(size_t n)
{
    float *out = malloc(n * width * sizeof *out);
    assert_non_null(out);
    return out;
}

/* Sums in another order differ a little; an answer for another picture differs a lot. */
static const double same = 1e-4;

static void pictures_alone_and_together(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    item_image *images[SIZES];
    float *all = vectors(SIZES), *again = vectors(SIZES), *one = vectors(1);
    for (uint32_t i = 0; i < SIZES; i++)
        images[i] = make_picture(i, sizes[i][0], sizes[i][1]);
    assert_ok(item_embed_images(ctx, images, SIZES, NULL, all, width, &err), &err);
    assert_ok(item_embed_images(ctx, images, SIZES, NULL, again, width, &err), &err);
    /* Not the same bytes: an engine may use fewer threads on a busy machine, and sum otherwise. */
    assert_true(largest_difference(all, again, SIZES * width) < same);
    for (uint32_t i = 0; i < SIZES; i++) {
        assert_ok(item_embed_images(ctx, &images[i], 1, NULL, one, width, &err), &err);
        assert_true(largest_difference(one, all + i * width, width) < same);
        item_image_unref(images[i]);
    }
    assert_true(largest_difference(all, all + width, width) > same);
    free(all);
    free(again);
    free(one);
}

static void texts_of_every_kind(void **state)
{
    (void)state;
    char longest[5000];
    for (size_t i = 0; i < sizeof longest - 1; i++)
        longest[i] = "dog "[i % 4];
    longest[sizeof longest - 1] = '\0';
    const char *texts[] = {"a dog", "",      "two cats on a sofa",       "\xf0\x9f\x90\xb6 #cute",
                           longest, "\n\t ", "\xe7\x8a\xac\xe3\x81\xae", "a dog"};
    enum { n = sizeof texts / sizeof texts[0] };
    item_error err = ITEM_ERROR_INIT;
    float *all = vectors(n), *one = vectors(1);
    assert_ok(item_embed_texts(ctx, texts, n, NULL, all, width, &err), &err);
    for (size_t i = 0; i < n; i++) {
        assert_ok(item_embed_texts(ctx, &texts[i], 1, NULL, one, width, &err), &err);
        assert_true(largest_difference(one, all + i * width, width) < same);
    }
    assert_true(largest_difference(all, all + (n - 1) * width, width) < same);
    assert_true(largest_difference(all, all + 2 * width, width) > same);
    free(all);
    free(one);
}

static void captions_of_every_size(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < SIZES; i++) {
        item_error err = ITEM_ERROR_INIT;
        item_image *image = make_picture(i, sizes[i][0], sizes[i][1]);
        item_result *first = NULL, *second = NULL;
        assert_ok(item_caption_image(ctx, image, NULL, &first, &err), &err);
        assert_ok(item_caption_image(ctx, image, NULL, &second, &err), &err);
        item_result_summary a = ITEM_RESULT_SUMMARY_INIT, b = ITEM_RESULT_SUMMARY_INIT;
        assert_ok(item_result_get_summary(first, &a, &err), &err);
        assert_ok(item_result_get_summary(second, &b, &err), &err);
        if (a.caption_margin < 1e-3) /* a tie, which rounding decides: nothing is promised */
            assert_true(b.caption_margin < 1e-3);
        else
            assert_string_equal(item_result_text(first, ITEM_TEXT_CAPTION),
                                item_result_text(second, ITEM_TEXT_CAPTION));
        assert_true(fabs(a.caption_logprob - b.caption_logprob) <= 1e-4);
        item_result_unref(first);
        item_result_unref(second);
        item_image_unref(image);
    }
}

static void objects_of_every_phrase(void **state)
{
    (void)state;
    const char *phrases[] = {"a dog", "the person", "!!!", "a thing that nobody has a name for"};
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_ctx_get_info(ctx, &info, &err), &err);
    if (!info.has_detector)
        skip();
    for (uint32_t i = 0; i < SIZES; i++) {
        item_image *image = make_picture(i, sizes[i][0], sizes[i][1]);
        item_result *first = NULL, *second = NULL;
        assert_ok(item_detect_image(ctx, image, phrases, 4, NULL, &first, &err), &err);
        assert_ok(item_detect_image(ctx, image, phrases, 4, NULL, &second, &err), &err);
        item_result_summary a = ITEM_RESULT_SUMMARY_INIT, b = ITEM_RESULT_SUMMARY_INIT;
        assert_ok(item_result_get_summary(first, &a, &err), &err);
        assert_ok(item_result_get_summary(second, &b, &err), &err);
        assert_int_equal(a.objects, b.objects);
        item_result_unref(first);
        item_result_unref(second);
        item_image_unref(image);
    }
}

static void a_batch_and_one_by_one(void **state)
{
    (void)state;
    item_image *images[SIZES];
    item_result *results[SIZES];
    item_error err = ITEM_ERROR_INIT;
    for (uint32_t i = 0; i < SIZES; i++)
        images[i] = make_picture(i + 10, sizes[i][0], sizes[i][1]);
    assert_ok(item_check_images(ctx, images, SIZES, NULL, results, &err), &err);
    for (size_t i = 0; i < SIZES; i++) {
        item_result *alone = NULL;
        item_result_summary a = ITEM_RESULT_SUMMARY_INIT, b = ITEM_RESULT_SUMMARY_INIT;
        assert_ok(item_check_image(ctx, images[i], NULL, &alone, &err), &err);
        assert_ok(item_result_get_summary(alone, &a, &err), &err);
        assert_ok(item_result_get_summary(results[i], &b, &err), &err);
        if (a.caption_margin >= 1e-3) {
            assert_string_equal(item_result_text(alone, ITEM_TEXT_CAPTION),
                                item_result_text(results[i], ITEM_TEXT_CAPTION));
            assert_true(fabs(a.similarity - b.similarity) < same);
        }
        assert_string_equal(item_result_text(alone, ITEM_TEXT_FINGERPRINT),
                            item_result_text(results[i], ITEM_TEXT_FINGERPRINT));
        item_result_unref(alone);
        item_result_unref(results[i]);
        item_image_unref(images[i]);
    }
}

/* ---- threads and cancelling ---- */

static void *embed_one(void *out)
{
    item_image *image = make_picture(3, 200, 100);
    item_status status = ITEM_OK;
    for (int i = 0; i < 5 && status == ITEM_OK; i++)
        status = item_embed_images(ctx, &image, 1, NULL, out, width, NULL);
    item_image_unref(image);
    return status == ITEM_OK ? out : NULL;
}

static void threads_get_the_same(void **state)
{
    (void)state;
    enum { threads = 4 };
    pthread_t ids[threads];
    float *out = vectors(threads);
    for (size_t i = 0; i < threads; i++)
        assert_int_equal(pthread_create(&ids[i], NULL, embed_one, out + i * width), 0);
    for (size_t i = 0; i < threads; i++) {
        void *done = NULL;
        pthread_join(ids[i], &done);
        assert_ptr_equal(done, out + i * width);
        assert_true(largest_difference(out, out + i * width, width) < same);
    }
    free(out);
}

static void a_cancel_ends_each_stage(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    assert_ok(item_cancel_new(&options.cancel, &err), &err);
    item_cancel_set(options.cancel);
    item_image *image = make_picture(1, 200, 200);
    item_result *result = NULL;
    const char *text = "a dog";
    float *out = vectors(1);
    assert_int_equal(item_check_image(ctx, image, &options, &result, NULL), ITEM_E_CANCELLED);
    assert_int_equal(item_caption_image(ctx, image, &options, &result, NULL), ITEM_E_CANCELLED);
    assert_int_equal(item_embed_images(ctx, &image, 1, &options, out, width, NULL),
                     ITEM_E_CANCELLED);
    assert_int_equal(item_embed_texts(ctx, &text, 1, &options, out, width, NULL), ITEM_E_CANCELLED);
    assert_null(result);
    free(out);
    item_image_unref(image);
    item_cancel_unref(options.cancel);
}

/* The default pack with its engine; NULL, having said why, where one of them is not there. */
static item_ctx *open_pack(void)
{
    item_error err = ITEM_ERROR_INIT;
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    item_ctx *opened = NULL;
    if (item_engine_get_info(NULL, 0, &info, &err) != ITEM_OK ||
        item_ctx_open(NULL, NULL, &opened, &err) != ITEM_OK)
        printf("skipped: %s\n", err.message);
    return opened;
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_alone_and_together), cmocka_unit_test(texts_of_every_kind),
        cmocka_unit_test(captions_of_every_size),      cmocka_unit_test(objects_of_every_phrase),
        cmocka_unit_test(a_batch_and_one_by_one),      cmocka_unit_test(threads_get_the_same),
        cmocka_unit_test(a_cancel_ends_each_stage),
    };
    ctx = count > 1 && strcmp(arguments[1], "pack") == 0 ? open_pack() : make_ctx();
    if (!ctx)
        return SKIPPED;
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    if (item_ctx_get_info(ctx, &info, NULL) != ITEM_OK || info.width > MOST_WIDTH)
        return EXIT_FAILURE;
    width = info.width;
    int failed = cmocka_run_group_tests_name("api: conformance", tests, NULL, NULL);
    item_ctx_unref(ctx);
    return failed;
}
