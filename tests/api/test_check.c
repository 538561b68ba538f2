/* SPDX-License-Identifier: Apache-2.0 */
/* Checking pictures with the dummy backends: what a result holds, batches, callers' captions. */
#include "support.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static item_result *check(item_ctx *ctx, item_image *image, const item_check_options *options)
{
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    assert_ok(item_check_image(ctx, image, options, &result, &err), &err);
    assert_non_null(result);
    return result;
}

static double cosine(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static void check_objects(const item_result *result, const item_result_summary *summary)
{
    for (uint32_t i = 0; i < summary->objects; i++) {
        item_error err = ITEM_ERROR_INIT;
        item_object object = ITEM_OBJECT_INIT;
        assert_ok(item_result_get_object(result, i, &object, &err), &err);
        assert_non_null(strstr(item_result_text(result, ITEM_TEXT_CAPTION), object.phrase));
        assert_true(object.box[0] >= 0 && object.box[0] < object.box[2] && object.box[2] <= 300);
        assert_true(object.box[1] >= 0 && object.box[1] < object.box[3] && object.box[3] <= 200);
        assert_true(object.score > 0 && object.score <= 1);
        assert_true(isnan(object.contribution));
        size_t width = 0;
        const float *crop = item_result_values(result, ITEM_VALUES_CROP_VECTOR, i, &width);
        assert_int_equal(width, 32);
        const float *phrase = item_result_values(result, ITEM_VALUES_PHRASE_VECTOR, i, NULL);
        assert_true(fabs(cosine(crop, phrase, width) - object.similarity) < 1e-6);
    }
}

static void a_result_without_head(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    item_image *image = make_picture(1, 300, 200);
    item_result *result = check(ctx, image, NULL);
    item_ctx_unref(ctx); /* results stay valid */

    item_result_summary summary = summary_of(result);
    assert_int_equal(summary.width, 300);
    assert_int_equal(summary.height, 200);
    assert_true(summary.objects >= 1);
    assert_int_equal(summary.verdict, ITEM_VERDICT_NONE);
    assert_int_equal(item_result_verdict(result), ITEM_VERDICT_NONE);
    assert_true(isnan(item_result_probability(result)));
    assert_true(isnan(summary.score) && isnan(summary.threshold));
    assert_true(summary.caption_logprob < 0 && summary.caption_margin > 0);
    check_objects(result, &summary);

    size_t width = 0, features = 0;
    const float *image_vector = item_result_values(result, ITEM_VALUES_IMAGE_VECTOR, 0, &width);
    const float *text_vector = item_result_values(result, ITEM_VALUES_TEXT_VECTOR, 0, NULL);
    assert_int_equal(width, 32);
    assert_true(fabs(cosine(image_vector, text_vector, width) - summary.similarity) < 1e-6);
    assert_non_null(item_result_values(result, ITEM_VALUES_FEATURES, 0, &features));
    assert_int_equal(features, item_layout_size("difference/both/1", 32));
    assert_null(item_result_values(result, ITEM_VALUES_FEATURES, 1, NULL));
    assert_null(item_result_values(result, 99, 0, &features));
    assert_int_equal(features, 0);
    item_result_unref(result);
    item_image_unref(image);
}

static void texts_of_a_result(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    item_image *image = make_picture(2, 320, 240);
    item_result *result = check(ctx, image, NULL);
    assert_string_equal(item_result_text(result, ITEM_TEXT_FILE), "");
    assert_string_equal(item_result_text(result, ITEM_TEXT_CAPTION),
                        item_result_text(result, ITEM_TEXT_MODEL_CAPTION));
    assert_string_equal(item_result_text(result, ITEM_TEXT_CAPTION_SOURCE), "model");
    assert_string_equal(item_result_text(result, ITEM_TEXT_VERDICT), "none");
    assert_string_equal(item_result_text(result, ITEM_TEXT_REASON), "none");
    assert_non_null(strstr(item_result_text(result, ITEM_TEXT_REASON_LINE), "no head"));
    assert_string_equal(item_result_text(result, ITEM_TEXT_THRESHOLD), "");
    assert_string_equal(item_result_text(result, ITEM_TEXT_LAYOUT), "difference/both/1");
    assert_string_equal(item_result_text(result, ITEM_TEXT_EMBEDDER), "dummy/32 1");
    assert_int_equal(strlen(item_result_text(result, ITEM_TEXT_FINGERPRINT)), 64);
    assert_string_equal(item_result_text(result, 0), "");
    assert_string_equal(item_result_text(result, 1000), "");
    assert_string_equal(item_result_text(NULL, ITEM_TEXT_FILE), "");
    item_result_unref(result);
    item_image_unref(image);
    item_ctx_unref(ctx);
}

static void json_has_every_key(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "file",           "width",       "height",    "caption",  "caption_source",
        "similarity",     "objects",     "phrase",    "box",      "score",
        "contribution",   "probability", "verdict",   "reason",   "threshold",
        "timings_ms",     "pack",        "precision", "warnings", "fingerprint",
        "caption_margin", "provenance"};
    item_ctx *ctx = make_ctx();
    item_image *image = make_picture(3, 320, 240);
    item_result *result = check(ctx, image, NULL);
    const char *json = item_result_json(result);
    assert_non_null(json);
    assert_null(strchr(json, '\n'));
    assert_null(strstr(json, ":nan"));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char quoted[40];
        snprintf(quoted, sizeof quoted, "\"%s\":", keys[i]);
        assert_non_null(strstr(json, quoted));
    }
    assert_ptr_equal(item_result_json(result), json); /* made once */
    assert_null(item_result_json(NULL));
    item_result_unref(result);
    item_image_unref(image);
    item_ctx_unref(ctx);
}

/* ---- batches ---- */

static void failures_stay_alone(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    char *good = write_picture("good.png", 4, 120, 90);
    char *empty = temp_path("empty.png");
    write_text(empty, "");
    char *strange = temp_path("new\nline\xff.png");
    write_text(strange, "hello");
    const char *paths[] = {good, empty, "/does/not/exist.jpg", temp_folder(), strange, NULL, good};
    enum { n = sizeof paths / sizeof paths[0] };
    item_result *results[n];
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_check_files(ctx, paths, n, NULL, results, &err), &err);
    for (size_t i = 0; i < n; i++) {
        assert_non_null(results[i]);
        reset(&err);
        item_status status = item_result_status(results[i], &err);
        const char *json = item_result_json(results[i]);
        assert_non_null(json);
        if (i == 0 || i == n - 1) {
            assert_int_equal(status, ITEM_OK);
            assert_string_equal(item_result_text(results[i], ITEM_TEXT_FILE), good);
            continue;
        }
        assert_error(status, err.code, &err, NULL);
        assert_int_not_equal(status, ITEM_OK);
        assert_non_null(strstr(json, "\"error\":{\"code\":\"ITEM_E_"));
        assert_null(strstr(json, "\"caption\""));
        assert_int_equal(item_result_verdict(results[i]), ITEM_VERDICT_NONE);
        if (i == 2)
            assert_non_null(strstr(err.message, "/does/not/exist.jpg"));
        if (i == 4)
            assert_non_null(strstr(json, "new\\nline\xef\xbf\xbd.png"));
    }
    assert_string_equal(item_result_text(results[0], ITEM_TEXT_CAPTION),
                        item_result_text(results[n - 1], ITEM_TEXT_CAPTION));
    for (size_t i = 0; i < n; i++)
        item_result_unref(results[i]);
    free(good);
    free(empty);
    free(strange);
    item_ctx_unref(ctx);
}

/* What an answer says, without its times. */
static void assert_same_answer(const item_result *a, const item_result *b)
{
    item_result_summary x = summary_of(a), y = summary_of(b);
    assert_memory_equal(&x, &y, sizeof x);
    for (int32_t which = 1; which <= ITEM_TEXT_EMBEDDER; which++) {
        if (which != ITEM_TEXT_FILE)
            assert_string_equal(item_result_text(a, which), item_result_text(b, which));
    }
}

static void a_batch_answers_as_one_by_one(void **state)
{
    (void)state;
    item_config *config = make_config();
    set_option(config, "batch", "3");
    item_ctx *ctx = open_ctx(config);
    enum { n = 8 };
    item_image *images[n];
    item_result *results[n];
    for (uint32_t i = 0; i < n; i++)
        images[i] = i == 5 ? NULL : make_picture(i, 150 + 10 * i, 130);
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_check_images(ctx, images, n, NULL, results, &err), &err);
    for (size_t i = 0; i < n; i++) {
        if (!images[i]) {
            reset(&err);
            assert_error(item_result_status(results[i], &err), ITEM_E_ARGUMENT, &err, "NULL");
        } else {
            item_result *alone = check(ctx, images[i], NULL);
            assert_same_answer(alone, results[i]);
            item_result_unref(alone);
        }
        item_result_unref(results[i]);
        item_image_unref(images[i]);
    }
    assert_ok(item_check_images(ctx, NULL, 0, NULL, NULL, &err), &err);
    item_ctx_unref(ctx);
}

static void a_file_answers_as_its_pixels(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    char *path = write_picture("same.png", 9, 333, 222);
    item_image *image = make_picture(9, 333, 222);
    item_error err = ITEM_ERROR_INIT;
    item_result *from_file = NULL;
    assert_ok(item_check_file(ctx, path, NULL, &from_file, &err), &err);
    item_result *from_pixels = check(ctx, image, NULL);
    assert_same_answer(from_file, from_pixels);
    item_timings times = ITEM_TIMINGS_INIT;
    assert_ok(item_result_get_timings(from_file, &times, &err), &err);
    assert_true(times.decode > 0 && times.total >= times.decode + times.embed);
    item_result_unref(from_file);
    item_result_unref(from_pixels);

    assert_error(item_check_file(ctx, "/no/such.jpg", NULL, &from_file, &err), ITEM_E_IO, &err,
                 "/no/such.jpg");
    assert_null(from_file);
    free(path);
    item_image_unref(image);
    item_ctx_unref(ctx);
}

static void odd_sizes_work(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    static const uint32_t sizes[][2] = {{1, 1}, {1, 20000}, {20000, 1}, {3, 2000}, {224, 224}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        item_image *image = make_picture(7, sizes[i][0], sizes[i][1]);
        item_result *result = check(ctx, image, NULL);
        item_result_summary summary = summary_of(result);
        assert_int_equal(summary.width, sizes[i][0]);
        assert_int_equal(summary.height, sizes[i][1]);
        item_object object = ITEM_OBJECT_INIT;
        for (uint32_t j = 0; j < summary.objects; j++) {
            item_error err = ITEM_ERROR_INIT;
            assert_ok(item_result_get_object(result, j, &object, &err), &err);
            assert_true(object.box[2] <= sizes[i][0] && object.box[3] <= sizes[i][1]);
        }
        item_result_unref(result);
        item_image_unref(image);
    }
    item_ctx_unref(ctx);
}

/* ---- objects ---- */

static void objects_are_limited(void **state)
{
    (void)state;
    item_config *config = make_config();
    set_option(config, "max_objects", "0");
    item_ctx *none = open_ctx(config);
    item_ctx *usual = make_ctx();
    item_image *image = make_picture(1, 300, 200), *flat = make_flat_picture(300, 200);
    item_result *result = check(none, image, NULL);
    assert_int_equal(summary_of(result).objects, 0);
    item_result_unref(result);
    result = check(usual, flat, NULL);
    assert_int_equal(summary_of(result).objects, 0);
    item_result_unref(result);

    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    options.max_objects = 1;
    result = check(usual, image, &options);
    assert_int_equal(summary_of(result).objects, 1);
    item_object object = ITEM_OBJECT_INIT;
    item_error err = ITEM_ERROR_INIT;
    assert_error(item_result_get_object(result, 1, &object, &err), ITEM_E_ARGUMENT, &err, "no obj");
    item_result_unref(result);

    options.max_objects = 65;
    reset(&err);
    assert_error(item_check_image(usual, image, &options, &result, &err), ITEM_E_ARGUMENT, &err,
                 "max_objects");
    assert_null(result);
    item_image_unref(image);
    item_image_unref(flat);
    item_ctx_unref(none);
    item_ctx_unref(usual);
}

/* ---- callers' captions ---- */

static void a_callers_caption_is_used(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    item_image *image = make_picture(1, 300, 200);
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    options.caption = "two cats on a sofa";
    item_result *result = check(ctx, image, &options);
    assert_string_equal(item_result_text(result, ITEM_TEXT_CAPTION), options.caption);
    assert_string_equal(item_result_text(result, ITEM_TEXT_CAPTION_SOURCE), "caller");
    item_result_summary summary = summary_of(result);
    assert_true(isnan(summary.caption_logprob));
    assert_true(summary.objects >= 1);
    check_objects(result, &summary);
    item_result_unref(result);

    options.caption = "";
    result = check(ctx, image, &options);
    assert_string_equal(item_result_text(result, ITEM_TEXT_CAPTION_SOURCE), "caller");
    assert_string_equal(item_result_text(result, ITEM_TEXT_CAPTION), "");
    assert_int_equal(summary_of(result).objects, 0);
    assert_true(!isnan(summary_of(result).similarity));
    item_result_unref(result);
    item_image_unref(image);
    item_ctx_unref(ctx);
}

static void bad_captions_fail_alone(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    item_image *image = make_picture(1, 300, 200);
    item_image *images[] = {image, image, image, image};
    size_t large = 1u << 20;
    char *megabyte = malloc(large + 1);
    assert_non_null(megabyte);
    memset(megabyte, 'a', large);
    megabyte[large] = '\0';
    const char *captions[] = {"a dog", "a \xff dog", megabyte, NULL};
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    options.caption = "a cat";
    options.captions = captions;
    item_result *results[4];
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_check_images(ctx, images, 4, &options, results, &err), &err);
    assert_string_equal(item_result_text(results[0], ITEM_TEXT_CAPTION), "a dog");
    assert_error(item_result_status(results[1], &err), ITEM_E_FORMAT, &err, "UTF-8");
    reset(&err);
    assert_error(item_result_status(results[2], &err), ITEM_E_LIMIT, &err, "65536");
    assert_string_equal(item_result_text(results[3], ITEM_TEXT_CAPTION), "a cat");
    for (size_t i = 0; i < 4; i++)
        item_result_unref(results[i]);
    free(megabyte);
    item_image_unref(image);
    item_ctx_unref(ctx);
}

/* The file is named once, and what is wrong with it stands behind, whatever its name is. */
static void messages_name_the_file(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    item_result *result;
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    options.caption = "a \xff dog";
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(item_check_file(ctx, "a", &options, &result, &err), ITEM_E_FORMAT);
    assert_string_equal(err.message, "a: the caption is no UTF-8 at byte 2");

    char *text = temp_path("text.jpg"), longest[3000];
    write_text(text, "hello");
    int length = snprintf(longest, sizeof longest, "%s", temp_folder());
    while (length < 2000)
        length += snprintf(longest + length, sizeof longest - (size_t)length, "/.");
    snprintf(longest + length, sizeof longest - (size_t)length, "/text.jpg");
    reset(&err);
    assert_int_equal(item_check_file(ctx, longest, NULL, &result, &err), ITEM_E_FORMAT);
    assert_memory_equal(err.message, longest, 100);
    assert_string_equal(strchr(err.message, ':'), ": not a picture: a text");
    free(text);
    item_ctx_unref(ctx);
}

/* The first error wins here too, errno included; a struct too small is left alone. */
static void a_result_spares_earlier_errors(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    const char *path = "/does/not/exist.jpg";
    item_result *result;
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_check_files(ctx, &path, 1, NULL, &result, &err), &err);
    assert_error(item_result_status(result, &err), ITEM_E_IO, &err, path);
    assert_int_equal(err.system, ENOENT);

    item_error earlier = ITEM_ERROR_INIT, before;
    earlier.code = ITEM_E_IO;
    earlier.system = EACCES;
    before = earlier;
    assert_int_equal(item_result_status(result, &earlier), ITEM_E_IO);
    assert_memory_equal(&earlier, &before, sizeof before);
    earlier.struct_size = before.struct_size = 16;
    assert_int_equal(item_result_status(result, &earlier), ITEM_E_IO);
    assert_memory_equal(&earlier, &before, sizeof before);
    item_result_unref(result);
    item_ctx_unref(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_without_head),
        cmocka_unit_test(texts_of_a_result),
        cmocka_unit_test(json_has_every_key),
        cmocka_unit_test(failures_stay_alone),
        cmocka_unit_test(a_batch_answers_as_one_by_one),
        cmocka_unit_test(a_file_answers_as_its_pixels),
        cmocka_unit_test(odd_sizes_work),
        cmocka_unit_test(objects_are_limited),
        cmocka_unit_test(a_callers_caption_is_used),
        cmocka_unit_test(bad_captions_fail_alone),
        cmocka_unit_test(messages_name_the_file),
        cmocka_unit_test(a_result_spares_earlier_errors),
    };
    return cmocka_run_group_tests_name("api: check", tests, NULL, NULL);
}
