/* SPDX-License-Identifier: Apache-2.0 */
/* Single stages, for programs that use just those. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void a_caption_alone(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    item_image *image = make_picture(1, 300, 200);
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    assert_ok(item_caption_image(ctx, image, NULL, &result, &err), &err);
    item_result_summary s = ITEM_RESULT_SUMMARY_INIT;
    assert_ok(item_result_get_summary(result, &s, &err), &err);
    assert_true(strlen(item_result_text(result, ITEM_TEXT_CAPTION)) > 5);
    assert_true(s.caption_margin > 0 && s.caption_logprob < 0 && isnan(s.similarity));
    assert_int_equal(s.width, 300);
    assert_string_equal(item_result_text(result, ITEM_TEXT_CAPTIONER), "dummy 1");
    assert_non_null(strstr(item_result_json(result), "\"verdict\":\"none\""));
    item_timings t = ITEM_TIMINGS_INIT;
    assert_ok(item_result_get_timings(result, &t, &err), &err);
    assert_true(t.caption > 0 && t.detect == 0);
    item_result_unref(result);
    item_image_unref(image);
    item_ctx_unref(ctx);
}

static void objects_alone(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    item_image *image = make_picture(1, 300, 200);
    const char *phrases[] = {"a brown dog", "the cat", "x"};
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    assert_ok(item_detect_image(ctx, image, phrases, 3, NULL, &result, &err), &err);
    item_result_summary s = ITEM_RESULT_SUMMARY_INIT;
    assert_ok(item_result_get_summary(result, &s, &err), &err);
    assert_true(s.objects >= 3);
    double last = 1;
    for (uint32_t i = 0; i < s.objects; i++) {
        item_object o = ITEM_OBJECT_INIT;
        assert_ok(item_result_get_object(result, i, &o, &err), &err);
        assert_true(o.score <= last && o.phrase_index < 3);
        assert_string_equal(o.phrase, phrases[o.phrase_index]);
        assert_true(isnan(o.similarity));
        last = o.score;
    }
    item_result_unref(result);

    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    options.max_objects = 2;
    assert_ok(item_detect_image(ctx, image, phrases, 3, &options, &result, &err), &err);
    assert_ok(item_result_get_summary(result, &s, &err), &err);
    assert_int_equal(s.objects, 2);
    item_result_unref(result);
    phrases[1] = "\xc3(";
    assert_error(item_detect_image(ctx, image, phrases, 3, NULL, &result, &err), ITEM_E_FORMAT,
                 &err, "phrase");
    static const char *const blank[] = {"", " ", "\t\r\n "};
    for (size_t i = 0; i < sizeof blank / sizeof blank[0]; i++) {
        phrases[1] = blank[i];
        reset(&err);
        assert_error(item_detect_image(ctx, image, phrases, 3, NULL, &result, &err),
                     ITEM_E_ARGUMENT, &err, "phrase 2 of 3 is blank");
        assert_null(result);
    }
    item_image_unref(image);
    item_ctx_unref(ctx);
}

static void vectors_alone(void **state)
{
    (void)state;
    enum { n = 130 }; /* more than one call of the embedder takes */
    item_ctx *ctx = make_ctx();
    item_image *images[n];
    const char *texts[n];
    for (uint32_t i = 0; i < n; i++) {
        images[i] = make_picture(i % 5, 40 + i % 5, 30);
        texts[i] = i % 3 ? "a dog" : "";
    }
    float *out = malloc(n * 32 * sizeof *out);
    assert_non_null(out);
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_embed_images(ctx, images, n, NULL, out, 32, &err), &err);
    assert_memory_equal(out, out + 125 * 32, 32 * sizeof *out);
    assert_memory_not_equal(out, out + 32, 32 * sizeof *out);
    assert_ok(item_embed_texts(ctx, texts, n, NULL, out, 32, &err), &err);
    assert_memory_equal(out, out + 129 * 32, 32 * sizeof *out);
    assert_memory_not_equal(out, out + 32, 32 * sizeof *out);
    assert_ok(item_embed_texts(ctx, NULL, 0, NULL, NULL, 32, &err), &err);

    assert_error(item_embed_texts(ctx, texts, 1, NULL, out, 31, &err), ITEM_E_MISMATCH, &err, "32");
    reset(&err);
    item_image *kept = images[70];
    images[70] = NULL;
    assert_error(item_embed_images(ctx, images, n, NULL, out, 32, &err), ITEM_E_ARGUMENT, &err,
                 NULL);
    images[70] = kept;
    texts[80] = "\xff";
    reset(&err);
    assert_error(item_embed_texts(ctx, texts, n, NULL, out, 32, &err), ITEM_E_FORMAT, &err, NULL);
    for (uint32_t i = 0; i < n; i++)
        item_image_unref(images[i]);
    free(out);
    item_ctx_unref(ctx);
}

static void phrases_need_no_context(void **state)
{
    (void)state;
    const char *text = "A brown dog chases two cats.";
    item_error err = ITEM_ERROR_INIT;
    item_phrases *phrases = NULL;
    assert_ok(item_phrases_find(text, &phrases, &err), &err);
    uint32_t start = 99, end = 0;
    const char *first = item_phrases_get(phrases, 0, &start, &end);
    assert_non_null(first);
    assert_non_null(strstr(first, "dog"));
    assert_true(start < end && end <= strlen(text));
    const char *dog = strstr(text, "dog");
    assert_true(start <= (size_t)(dog - text) && (size_t)(dog - text) < end);
    assert_non_null(item_phrases_get(phrases, 1, NULL, NULL));
    assert_null(item_phrases_get(phrases, 1000, NULL, NULL));
    assert_null(item_phrases_get(NULL, 0, NULL, NULL));
    item_phrases_free(phrases);
    assert_ok(item_phrases_find("", &phrases, &err), &err);
    assert_null(item_phrases_get(phrases, 0, NULL, NULL));
    item_phrases_free(phrases);
    assert_error(item_phrases_find("a \xff", &phrases, &err), ITEM_E_FORMAT, &err, "byte 2");
    assert_null(phrases);
}

static void layouts_have_sizes(void **state)
{
    (void)state;
    assert_int_equal(item_layout_size("difference/global/1", 32), 33);
    assert_int_equal(item_layout_size("product/local/1", 32), 38);
    assert_int_equal(item_layout_size("cosine/both/1", 32), 7);
    assert_int_equal(item_layout_size("cosine/both/2", 32), 0);
    assert_int_equal(item_layout_size("cosine/both/1", 0), 0);
    assert_int_equal(item_layout_size(NULL, 32), 0);
}

static void misalignment_of_own_vectors(void **state)
{
    (void)state;
    const float image[2] = {1, 0}, text[2] = {0.6f, 0.8f};
    const float crops[4] = {1, 0, 0, 1}, phrases[4] = {1, 0, 1, 0};
    float out[16];
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_misalign("difference/both/1", 2, image, text, 2, crops, phrases, out, 16, &err),
              &err);
    /* difference and cosine of the whole; mean of both differences; presence, count, mean, min,
       max, standard deviation of the cosines 1 and 0 */
    const float wanted[] = {0.4f, -0.8f, 0.6f, -0.5f, 0.5f, 1, 2, 0.5f, 0, 1, 0.5f};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        assert_true(fabsf(out[i] - wanted[i]) < 1e-6f);
    assert_ok(item_misalign("cosine/both/1", 2, image, text, 0, NULL, NULL, out, 7, &err), &err);
    assert_true(out[1] == 0 && out[2] == 0);

    const float bad[2] = {1, NAN}, longer[2] = {2, 0};
    assert_error(item_misalign("cosine/both/1", 2, bad, text, 0, NULL, NULL, out, 7, &err),
                 ITEM_E_ARGUMENT, &err, "image");
    reset(&err);
    assert_error(item_misalign("cosine/both/1", 2, image, longer, 0, NULL, NULL, out, 7, &err),
                 ITEM_E_ARGUMENT, &err, "length 2");
    reset(&err);
    assert_error(item_misalign("cosine/both/1", 2, image, text, 1, NULL, NULL, out, 7, &err),
                 ITEM_E_ARGUMENT, &err, "crops");
    reset(&err);
    assert_error(item_misalign("cosine/both/1", 2, image, text, 0, NULL, NULL, out, 6, &err),
                 ITEM_E_ARGUMENT, &err, "7");
    reset(&err);
    assert_error(item_misalign("none", 2, image, text, 0, NULL, NULL, out, 7, &err),
                 ITEM_E_ARGUMENT, &err, "none");
}

static void names_and_versions(void **state)
{
    (void)state;
    assert_string_equal(item_version(), "0.2.0");
    assert_string_equal(item_status_name(ITEM_E_PACK), "ITEM_E_PACK");
    assert_string_equal(item_status_name(12345), "ITEM_E_?");
}

/* Several at once get what each gets alone, more of them than one batch holds too. */
static void pictures_may_be_asked_for_together(void **state)
{
    (void)state;
    enum { MANY = 11 };
    static const char *const phrases[] = {"a dog", "the car"};
    item_ctx *ctx = make_ctx();
    item_image *images[MANY];
    item_result *captions[MANY], *boxes[MANY];
    item_error err = ITEM_ERROR_INIT;
    for (uint32_t i = 0; i < MANY; i++)
        images[i] = make_picture(i, 90 + i, 80);
    assert_ok(item_caption_images(ctx, images, MANY, NULL, captions, &err), &err);
    assert_ok(item_detect_images(ctx, images, MANY, phrases, 2, NULL, boxes, &err), &err);
    for (size_t i = 0; i < MANY; i++) {
        item_result *alone = NULL;
        assert_ok(item_caption_image(ctx, images[i], NULL, &alone, &err), &err);
        assert_string_equal(item_result_text(captions[i], ITEM_TEXT_CAPTION),
                            item_result_text(alone, ITEM_TEXT_CAPTION));
        item_result_unref(alone);
        assert_ok(item_detect_image(ctx, images[i], phrases, 2, NULL, &alone, &err), &err);
        assert_int_equal(summary_of(boxes[i]).objects, summary_of(alone).objects);
        assert_int_equal(summary_of(boxes[i]).width, 90 + i);
        item_result_unref(alone);
        item_result_unref(captions[i]);
        item_result_unref(boxes[i]);
    }
    item_image *last = images[MANY - 1];
    images[MANY - 1] = NULL;
    assert_error(item_caption_images(ctx, images, MANY, NULL, captions, &err), ITEM_E_ARGUMENT,
                 &err, "image is NULL");
    images[MANY - 1] = last;
    for (size_t i = 0; i < MANY; i++) {
        assert_null(captions[i]);
        item_image_unref(images[i]);
    }
    item_ctx_unref(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_caption_alone),
        cmocka_unit_test(objects_alone),
        cmocka_unit_test(vectors_alone),
        cmocka_unit_test(phrases_need_no_context),
        cmocka_unit_test(layouts_have_sizes),
        cmocka_unit_test(misalignment_of_own_vectors),
        cmocka_unit_test(pictures_may_be_asked_for_together),
        cmocka_unit_test(names_and_versions),
    };
    return cmocka_run_group_tests_name("api: stages", tests, NULL, NULL);
}
