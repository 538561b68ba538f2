/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts through the library: thresholds, reasons, contributions, captions of callers. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static item_ctx *ctx_with(const head_spec *spec, item_config *config)
{
    char *path = write_head("head.safetensors", spec);
    set_option(config, "head", path);
    free(path);
    return open_ctx(config);
}

static item_result *check(item_ctx *ctx, item_image *image, const char *caption)
{
    item_error err = ITEM_ERROR_INIT;
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    options.caption = caption;
    item_result *result = NULL;
    assert_ok(item_check_image(ctx, image, &options, &result, &err), &err);
    return result;
}

/* Checks one picture of 300 x 200 by a head of this bias. */
static item_result_summary judge(const head_spec *spec, item_config *config, const char *verdict,
                                 const char *reason)
{
    item_ctx *ctx = ctx_with(spec, config);
    item_image *image = make_picture(1, 300, 200);
    item_result *result = check(ctx, image, NULL);
    item_result_summary summary = summary_of(result);
    assert_string_equal(item_result_text(result, ITEM_TEXT_VERDICT), verdict);
    assert_string_equal(item_result_text(result, ITEM_TEXT_REASON), reason);
    assert_true(strlen(item_result_text(result, ITEM_TEXT_REASON_LINE)) > 10);
    item_result_unref(result);
    item_image_unref(image);
    item_ctx_unref(ctx);
    return summary;
}

static void thresholds_decide(void **state)
{
    (void)state;
    head_spec spec = default_head(5);
    item_result_summary s = judge(&spec, make_config(), "ai", "above_threshold");
    assert_true(fabs(s.score - 5) < 1e-6 && s.threshold == 3 && s.real_below == -3);
    assert_true(fabs(s.probability - 1 / (1 + exp(-5.0))) < 1e-6);
    assert_true(s.promised_fpr == 0.01);
    spec.bias = -5;
    judge(&spec, make_config(), "real", "below_threshold");
    spec.bias = 2.5;
    judge(&spec, make_config(), "unsure", "weak_evidence");

    item_config *config = make_config();
    set_option(config, "threshold", "fpr5");
    s = judge(&spec, config, "ai", "above_threshold");
    assert_true(s.threshold == 2 && s.promised_fpr == 0.05);
    config = make_config();
    set_option(config, "threshold", "0.99");
    s = judge(&spec, config, "unsure", "weak_evidence");
    assert_true(isnan(s.promised_fpr) && fabs(s.threshold - log(99.0)) < 1e-9);
}

static void a_prior_moves_what_is_shown_alone(void **state)
{
    (void)state;
    head_spec spec = default_head(2.5);
    item_config *config = make_config();
    set_option(config, "prior", "0.01");
    item_result_summary s = judge(&spec, config, "unsure", "weak_evidence");
    assert_true(fabs(s.score - 2.5) < 1e-6);
    assert_true(s.probability < 0.2);
}

static void sizes_and_captions_make_unsure(void **state)
{
    (void)state;
    head_spec spec = default_head(5);
    spec.size_min = 201;
    judge(&spec, make_config(), "unsure", "size");
    spec = default_head(5);
    spec.size_max = 199;
    judge(&spec, make_config(), "unsure", "size");
    spec = default_head(5);
    spec.caption_least = "-0.1"; /* the dummy is never that sure */
    judge(&spec, make_config(), "unsure", "caption_unreliable");

    spec = default_head(5);
    spec.layout = "cosine/local/1";
    item_config *config = make_config();
    set_option(config, "max_objects", "0");
    judge(&spec, config, "unsure", "no_objects");
}

/* A head's calibration holds for the stages and settings that it was made with. */
static void other_settings_make_unsure(void **state)
{
    (void)state;
    head_spec spec = default_head(5);
    spec.pipeline =
        "captioner dummy 1, detector dummy 1, beams default, max_objects 8, detector_score default";
    judge(&spec, make_config(), "ai", "above_threshold");
    static const char *const changes[][2] = {
        {"beams", "2"},       {"max_objects", "3"}, {"detector_score", "0.25"},
        {"max_tokens", "12"}, {"prompt", "a"},      {"sample", "0.7"}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        item_config *config = make_config();
        set_option(config, changes[i][0], changes[i][1]);
        judge(&spec, config, "unsure", "settings");
    }
}

/* What a head of the whole picture does not read may differ, and with `fast` is not looked for. */
static void a_head_of_the_whole_needs_no_objects(void **state)
{
    (void)state;
    head_spec spec = default_head(5);
    spec.layout = "cosine/global/1";
    spec.pipeline =
        "captioner dummy 1, detector dummy 1, beams default, max_objects 8, detector_score default";
    const item_result_summary slow = judge(&spec, make_config(), "ai", "above_threshold");
    assert_true(slow.objects > 0);
    static const char *const changes[][2] = {
        {"fast", "1"}, {"max_objects", "3"}, {"detector_score", "0.25"}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        item_config *config = make_config();
        set_option(config, changes[i][0], changes[i][1]);
        const item_result_summary s = judge(&spec, config, "ai", "above_threshold");
        assert_true(s.score == slow.score && (i > 0 || s.objects == 0));
    }
    item_config *config = make_config();
    set_option(config, "beams", "2");
    judge(&spec, config, "unsure", "settings");

    spec.layout = "cosine/both/1"; /* reads objects, so they are looked for */
    config = make_config();
    set_option(config, "fast", "1");
    assert_true(judge(&spec, config, "ai", "above_threshold").objects > 0);
}

static void the_differing_settings_are_told(void **state)
{
    (void)state;
    head_spec spec = default_head(5);
    spec.pipeline = "captioner another 7, detector dummy 1, beams default, max_objects 8, "
                    "detector_score default";
    item_ctx *ctx = ctx_with(&spec, make_config());
    item_image *image = make_picture(1, 300, 200);
    item_result *result = check(ctx, image, NULL);
    const char *line = item_result_warning(result, 0);
    assert_non_null(line);
    assert_non_null(strstr(line, "another 7"));
    assert_non_null(strstr(line, "with captioner dummy 1"));
    assert_null(strstr(line, "detector")); /* as the head wants it */
    item_result_unref(result);
    item_image_unref(image);
    item_ctx_unref(ctx);
}

/* A captioner that says what `self` points to. */
static item_status say(void *self, const item_call *call, const item_image *const *images, size_t n,
                       const item_caption_options *options, item_caption_out *const *out,
                       item_error *err)
{
    (void)call;
    (void)images;
    (void)options;
    (void)err;
    for (size_t i = 0; i < n; i++) {
        strcpy(out[i]->text, self);
        out[i]->logprob = -0.1;
        out[i]->margin = 1;
    }
    return ITEM_OK;
}

static void unreliable_captions_make_unsure(void **state)
{
    (void)state;
    static char loop[] = "a dog in a dog in a dog in a dog", words[] = "dog dog dog dog cat dog";
    static char empty[] = "  ", good[] = "a dog in a park";
    char *const captions[] = {loop, words, empty, good};
    for (size_t i = 0; i < 4; i++) {
        item_captioner_ops ops = {.struct_size = sizeof ops,
                                  .version = ITEM_BACKEND_VERSION,
                                  .name = "says",
                                  .id = "1",
                                  .caption = say};
        item_config *config = make_config();
        item_error err = ITEM_ERROR_INIT;
        assert_ok(item_config_set_captioner(config, &ops, captions[i], &err), &err);
        head_spec spec = default_head(5);
        judge(&spec, config, i < 3 ? "unsure" : "ai",
              i < 3 ? "caption_unreliable" : "above_threshold");
    }
}

static void contributions_are_changes_of_the_score(void **state)
{
    (void)state;
    head_spec spec = default_head(0);
    spec.weight = 4;
    item_ctx *ctx = ctx_with(&spec, make_config());
    item_image *image = make_picture(1, 300, 200);
    item_result *result = check(ctx, image, NULL);
    item_result_summary s = summary_of(result);
    /* the network sees 4 x the cosine of the whole; its mean, with which it is replaced, is 0 */
    assert_true(fabs(s.score - 4 * s.similarity) < 1e-5);
    assert_true(fabs(s.contribution - s.score) < 1e-5);
    assert_true(s.objects >= 1);
    for (uint32_t i = 0; i < s.objects; i++) {
        item_error err = ITEM_ERROR_INIT;
        item_object object = ITEM_OBJECT_INIT;
        assert_ok(item_result_get_object(result, i, &object, &err), &err);
        assert_true(fabs(object.contribution) < 1e-6); /* no weight on any local feature */
    }
    item_result_unref(result);
    item_image_unref(image);
    item_ctx_unref(ctx);
}

static void a_callers_caption_does_not_move_the_verdict(void **state)
{
    (void)state;
    head_spec spec = default_head(0);
    spec.weight = 4;
    item_ctx *ctx = ctx_with(&spec, make_config());
    item_image *image = make_picture(1, 300, 200);
    item_result *own = check(ctx, image, NULL), *other = check(ctx, image, "a red bus");
    item_result_summary a = summary_of(own), b = summary_of(other);
    assert_true(a.score == b.score && a.probability == b.probability);
    assert_int_equal(a.verdict, b.verdict);
    assert_true(a.similarity != b.similarity);
    assert_true(isnan(b.contribution)); /* the score does not rest on what is shown */
    assert_string_equal(item_result_text(other, ITEM_TEXT_MODEL_CAPTION),
                        item_result_text(own, ITEM_TEXT_CAPTION));
    assert_true(a.caption_margin == b.caption_margin);
    assert_string_equal(item_result_text(own, ITEM_TEXT_FINGERPRINT),
                        item_result_text(other, ITEM_TEXT_FINGERPRINT));
    item_result_unref(own);
    item_result_unref(other);
    item_ctx_unref(ctx);

    spec.callers_captions = 1; /* a head made for callers' captions judges by them */
    ctx = ctx_with(&spec, make_config());
    other = check(ctx, image, "a red bus");
    b = summary_of(other);
    assert_true(fabs(b.score - 4 * b.similarity) < 1e-5);
    item_result_unref(other);
    item_image_unref(image);
    item_ctx_unref(ctx);
}

static void heads_of_others_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *embedder;
        size_t width;
        const char *layout;
        item_status status;
        const char *part;
    } cases[] = {{"other/32 7", 32, "cosine/both/1", ITEM_E_MISMATCH, "other/32 7"},
                 {"dummy/32 1", 64, "cosine/both/1", ITEM_E_MISMATCH, "64"},
                 {"dummy/32 1", 32, "cosine/both/9", ITEM_E_UNSUPPORTED, "cosine/both/9"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        head_spec spec = default_head(0);
        spec.embedder = cases[i].embedder;
        spec.width = cases[i].width;
        spec.layout = cases[i].layout;
        char *path = write_head("other.safetensors", &spec);
        item_config *config = make_config();
        set_option(config, "head", path);
        item_ctx *ctx = NULL;
        item_error err = ITEM_ERROR_INIT;
        assert_error(item_ctx_open(NULL, config, &ctx, &err), cases[i].status, &err, cases[i].part);
        assert_non_null(strstr(err.message, "other.safetensors"));
        int32_t mismatch = cases[i].status == ITEM_E_MISMATCH; /* then there is advice */
        assert_int_equal(strstr(err.message, "; set head to none, or to a head") != NULL, mismatch);
        assert_null(ctx);
        item_config_unref(config);
        free(path);
    }
}

static void broken_heads_are_refused(void **state)
{
    (void)state;
    head_spec spec = default_head(0);
    char *path = write_head("broken.safetensors", &spec);
    uint64_t size;
    char hex[65];
    sha256_of(path, hex, &size);
    char *bytes = read_text(path);
    const size_t lengths[] = {0, 4, 100, (size_t)size - 1};
    for (size_t i = 0; i < 4; i++) {
        write_file(path, bytes, lengths[i]);
        item_config *config = make_config();
        set_option(config, "head", path);
        item_ctx *ctx = NULL;
        item_error err = ITEM_ERROR_INIT;
        assert_error(item_ctx_open(NULL, config, &ctx, &err), ITEM_E_FORMAT, &err, "broken.saf");
        item_config_unref(config);
    }
    free(bytes);
    free(path);
}

/* Why there is no verdict, when a stage that the head needs is missing. */
static void what_is_missing_is_told(void **state)
{
    (void)state;
    item_image *image = make_picture(1, 300, 200);
    for (int missing = 0; missing < 2; missing++) {
        item_config *config = make_config();
        item_error err = ITEM_ERROR_INIT;
        if (missing == 0)
            assert_ok(item_config_set_captioner(config, NULL, NULL, &err), &err);
        else
            assert_ok(item_config_set_detector(config, NULL, NULL, &err), &err);
        head_spec spec = default_head(5);
        item_ctx *ctx = ctx_with(&spec, config);
        item_result *result = check(ctx, image, "a dog");
        assert_int_equal(item_result_verdict(result), ITEM_VERDICT_NONE);
        assert_true(isnan(item_result_probability(result)));
        assert_non_null(strstr(item_result_text(result, ITEM_TEXT_REASON_LINE),
                               missing == 0 ? "captioner" : "detector"));
        assert_true(!isnan(summary_of(result).similarity));
        item_result_unref(result);
        item_ctx_unref(ctx);
    }
    item_image_unref(image);
}

static void a_head_can_be_applied_alone(void **state)
{
    (void)state;
    head_spec spec = default_head(1);
    spec.weight = 4;
    item_ctx *ctx = ctx_with(&spec, make_config());
    float features[7] = {0.75f, 1, 2, 0.1f, 0.1f, 0.1f, 0};
    item_result_summary s = ITEM_RESULT_SUMMARY_INIT;
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_head_apply(ctx, features, 7, &s, &err), &err);
    assert_true(fabs(s.score - 4) < 1e-6 && s.verdict == ITEM_VERDICT_AI);
    assert_error(item_head_apply(ctx, features, 6, &s, &err), ITEM_E_MISMATCH, &err, "7");
    reset(&err);
    features[2] = NAN;
    assert_error(item_head_apply(ctx, features, 7, &s, &err), ITEM_E_ARGUMENT, &err, NULL);
    reset(&err);
    assert_error(item_head_apply(ctx, NULL, 7, &s, &err), ITEM_E_ARGUMENT, &err, NULL);
    reset(&err);
    assert_error(item_head_apply(ctx, features, 7, NULL, &err), ITEM_E_ARGUMENT, &err, NULL);
    item_ctx_unref(ctx);

    ctx = make_ctx();
    reset(&err);
    assert_error(item_head_apply(ctx, features, 7, &s, &err), ITEM_E_UNSUPPORTED, &err, "no head");
    item_ctx_unref(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thresholds_decide),
        cmocka_unit_test(a_prior_moves_what_is_shown_alone),
        cmocka_unit_test(sizes_and_captions_make_unsure),
        cmocka_unit_test(other_settings_make_unsure),
        cmocka_unit_test(a_head_of_the_whole_needs_no_objects),
        cmocka_unit_test(the_differing_settings_are_told),
        cmocka_unit_test(unreliable_captions_make_unsure),
        cmocka_unit_test(contributions_are_changes_of_the_score),
        cmocka_unit_test(a_callers_caption_does_not_move_the_verdict),
        cmocka_unit_test(heads_of_others_are_refused),
        cmocka_unit_test(broken_heads_are_refused),
        cmocka_unit_test(what_is_missing_is_told),
        cmocka_unit_test(a_head_can_be_applied_alone),
    };
    return cmocka_run_group_tests_name("api: head", tests, NULL, NULL);
}
