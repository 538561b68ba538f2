/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations and contexts: options, errors, memory of the host. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void options_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *name, *good[4], *bad[6];
    } options[] = {
        {"precision", {"fp32", "bf16", "auto"}, {"fp16", "", "FP32"}},
        {"device",
         {"cpu", "cuda", "cuda:0", "cuda:15"},
         {"gpu", "cuda:", "cpu:0", "cuda:01", "cuda:0 "}},
        {"threshold", {"fpr1", "fpr5", "0.5"}, {"fpr2", "0", "1", "2", ""}},
        {"prior", {"0.5", "0.001"}, {"0", "1", "nan", "x", "0,5"}},
        {"head", {"none", "/some/path"}, {""}},
        {"beams", {"1", "8"}, {"0", "9", "1.5", "-1", "two"}},
        {"max_tokens", {"1", "512"}, {"0", "513", "1.5", "many"}},
        {"prompt", {"", "a picture of"}, {"\xff"}},
        {"sample", {"0", "0.7", "10"}, {"-0.1", "10.1", "nan", "warm", ""}},
        {"sample_seed", {"0", "9007199254740992"}, {"-1", "1.5", "1e17", ""}},
        {"max_objects", {"0", "64"}, {"65", "-1", ""}},
        {"fast", {"0", "1"}, {"2", "-1", "yes", ""}},
        {"detector_score", {"0", "1", "0.35"}, {"-0.1", "1.1", ""}},
        {"batch", {"1", "64"}, {"0", "65"}},
        {"max_pixels", {"1", "1e8", "0"}, {"-1", "1.5", "1e20"}},
        {"max_file_bytes", {"1000"}, {"many"}},
        {"max_decode_bytes", {"1000"}, {"many"}},
        {"max_scans", {"10"}, {"1e7"}},
        {"accept_truncated", {"0", "1"}, {"2", "yes"}},
        {"map_files", {"0", "1"}, {"2"}},
        {"verify", {"small", "all", "none"}, {"some", ""}},
    };
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    assert_ok(item_config_new(&config, &err), &err);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        for (size_t j = 0; j < 4 && options[i].good[j]; j++)
            assert_ok(item_config_set(config, options[i].name, options[i].good[j], &err), &err);
        for (size_t j = 0; j < 6 && options[i].bad[j]; j++) {
            assert_error(item_config_set(config, options[i].name, options[i].bad[j], &err),
                         ITEM_E_ARGUMENT, &err, options[i].name);
            reset(&err);
        }
    }
    assert_error(item_config_set(config, "colour", "red", &err), ITEM_E_ARGUMENT, &err,
                 "precision");
    item_config_unref(config);
}

/* One list of calls: long, and nothing in it but the calls. */
static void null_is_refused_everywhere(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    item_config *config = make_config();
    item_image *image = make_picture(1, 20, 20);
    item_result *result = NULL;
    const char *text = "a";
    float out[32];
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    item_result_summary summary = ITEM_RESULT_SUMMARY_INIT;
    item_timings times = ITEM_TIMINGS_INIT;
    item_object object = ITEM_OBJECT_INIT;
    const item_status refused[] = {
        item_config_new(NULL, NULL),
        item_config_set(NULL, "batch", "1", NULL),
        item_config_set(config, NULL, "1", NULL),
        item_config_set(config, "batch", NULL, NULL),
        item_config_set_log(NULL, NULL, NULL, NULL),
        item_config_set_allocator(NULL, NULL, NULL),
        item_config_set_engine(NULL, NULL, NULL, NULL),
        item_config_set_engine(config, NULL, "", NULL),
        item_config_set_captioner(NULL, NULL, NULL, NULL),
        item_config_set_detector(NULL, NULL, NULL, NULL),
        item_config_set_embedder(NULL, NULL, NULL, NULL),
        item_ctx_open(NULL, config, NULL, NULL),
        item_ctx_get_info(NULL, &info, NULL),
        item_ctx_get_info(ctx, NULL, NULL),
        item_ctx_get_image_options(NULL, NULL, NULL),
        item_ctx_get_image_options(ctx, NULL, NULL),
        item_check_image(NULL, image, NULL, &result, NULL),
        item_check_image(ctx, NULL, NULL, &result, NULL),
        item_check_image(ctx, image, NULL, NULL, NULL),
        item_check_file(ctx, NULL, NULL, &result, NULL),
        item_check_images(ctx, NULL, 1, NULL, &result, NULL),
        item_check_files(ctx, NULL, 1, NULL, &result, NULL),
        item_caption_image(ctx, NULL, NULL, &result, NULL),
        item_caption_image(ctx, image, NULL, NULL, NULL),
        item_detect_image(ctx, image, NULL, 1, NULL, &result, NULL),
        item_detect_image(ctx, NULL, &text, 1, NULL, &result, NULL),
        item_detect_image(ctx, image, &text, 0, NULL, &result, NULL),
        item_embed_images(ctx, NULL, 1, NULL, out, 32, NULL),
        item_embed_images(ctx, &image, 1, NULL, NULL, 32, NULL),
        item_embed_texts(ctx, NULL, 1, NULL, out, 32, NULL),
        item_phrases_find(NULL, NULL, NULL),
        item_result_status(NULL, NULL),
        item_result_get_summary(NULL, &summary, NULL),
        item_result_get_timings(NULL, &times, NULL),
        item_result_get_object(NULL, 0, &object, NULL),
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (refused[i] != ITEM_E_ARGUMENT)
            fail_msg("call %zu gives %s", i, item_status_name(refused[i]));
    assert_null(result);
    assert_null(item_ctx_ref(NULL));
    assert_null(item_result_ref(NULL));
    assert_null(item_result_warning(NULL, 0));
    assert_null(item_result_values(NULL, ITEM_VALUES_FEATURES, 0, NULL));
    item_ctx_unref(NULL);
    item_config_unref(NULL);
    item_result_unref(NULL);
    item_phrases_free(NULL);
    item_image_unref(image);
    item_config_unref(config);
    item_ctx_unref(ctx);
}

/* The first error stays, and a struct that is too small is left alone. */
static void the_first_error_wins(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    assert_error(item_config_set(NULL, "a", "b", &err), ITEM_E_ARGUMENT, &err, "config");
    char first[ITEM_ERROR_MESSAGE_SIZE];
    strcpy(first, err.message);
    assert_int_equal(item_ctx_open("/no/such/pack", NULL, NULL, &err), ITEM_E_ARGUMENT);
    assert_string_equal(err.message, first);
    item_error tiny = ITEM_ERROR_INIT;
    tiny.struct_size = 16;
    item_ctx *ctx = NULL;
    assert_int_equal(item_ctx_open("/no/such/pack", NULL, &ctx, &tiny), ITEM_E_PACK);
    assert_int_equal(tiny.code, 0);
    assert_string_equal(tiny.message, "");
}

/* ---- contexts ---- */

static void facts_of_a_context(void **state)
{
    (void)state;
    item_config *config = make_config();
    item_error err = ITEM_ERROR_INIT;
    set_option(config, "head", "none");
    item_ctx *ctx = open_ctx(config);
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    assert_ok(item_ctx_get_info(ctx, &info, &err), &err);
    assert_int_equal(info.width, 32);
    assert_true(info.has_captioner && info.has_detector && info.has_embedder && !info.has_head);
    assert_string_equal(info.pack, "");
    assert_int_equal(info.batch, 8);
    assert_non_null(strstr(info.no_verdict, "switched off"));
    item_ctx_unref(ctx);

    head_spec spec = default_head(0);
    spec.working_size = 160;
    char *path = write_head("context.safetensors", &spec);
    config = make_config();
    set_option(config, "head", path);
    free(path);
    ctx = open_ctx(config);
    assert_ok(item_ctx_get_info(ctx, &info, &err), &err);
    assert_true(info.has_head && !info.no_verdict);
    assert_int_equal(info.working_size, 160);
    assert_string_equal(info.layout, "cosine/both/1");
    item_ctx_unref(ctx);
}

static void limits_of_a_context(void **state)
{
    (void)state;
    const struct {
        const char *name, *value;
    } set[] = {{"max_pixels", "5000"}, {"max_file_bytes", "6000"}, {"max_decode_bytes", "7000"},
               {"max_scans", "9"},     {"accept_truncated", "1"},  {"batch", "3"}};
    item_config *config = make_config();
    item_error err = ITEM_ERROR_INIT;
    for (size_t i = 0; i < sizeof set / sizeof *set; i++)
        set_option(config, set[i].name, set[i].value);
    item_ctx *ctx = open_ctx(config);
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    assert_ok(item_ctx_get_image_options(ctx, &options, &err), &err);
    assert_int_equal(options.flags, ITEM_IMAGE_ACCEPT_TRUNCATED);
    assert_int_equal(options.max_pixels, 5000);
    assert_int_equal(options.max_file_bytes, 6000);
    assert_int_equal(options.max_decode_bytes, 7000);
    assert_int_equal(options.max_scans, 9);
    assert_true(!options.allocator && !options.cancel);
    item_ctx *plain = make_ctx();
    item_image_options defaults = ITEM_IMAGE_OPTIONS_INIT;
    assert_ok(item_ctx_get_image_options(plain, &defaults, &err), &err);
    assert_int_equal(defaults.max_pixels, 100000000);
    assert_int_equal(defaults.max_file_bytes, 256 << 20);
    item_ctx_unref(plain);
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    assert_ok(item_ctx_get_info(ctx, &info, &err), &err);
    assert_int_equal(info.batch, 3);

    const unsigned char pixels[5001] = {0}; /* they are what reading from memory takes */
    item_image *image = NULL;
    assert_error(
        item_image_from_pixels(pixels, ITEM_PIXELS_GREY, 5001, 1, 5001, &options, &image, &err),
        ITEM_E_LIMIT, &err, "5000");
    item_ctx_unref(ctx);
}

static void stages_may_be_missing(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    assert_ok(item_config_new(&config, &err), &err);
    assert_ok(item_config_set_embedder(config, item_dummy_embedder(), NULL, &err), &err);
    item_ctx *ctx = open_ctx(config);
    item_image *image = make_picture(1, 100, 100);
    item_result *result = NULL;
    assert_error(item_check_image(ctx, image, NULL, &result, &err), ITEM_E_UNSUPPORTED, &err,
                 "captioner");
    assert_non_null(strstr(err.message, "no pack, because the configuration brings an embedder"));
    reset(&err);
    const char *phrase = "dog";
    assert_error(item_detect_image(ctx, image, &phrase, 1, NULL, &result, &err), ITEM_E_UNSUPPORTED,
                 &err, "detector");
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    options.caption = "a dog"; /* needs neither */
    reset(&err);
    assert_ok(item_check_image(ctx, image, &options, &result, &err), &err);
    item_result_unref(result);
    item_image_unref(image);
    item_ctx_unref(ctx);
}

static void without_a_pack_nothing_is_guessed(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    item_ctx *ctx = NULL;
    char path[4096];
    assert_ok(item_pack_default_path(path, sizeof path, &err), &err);
    item_status status = item_ctx_open(NULL, NULL, &ctx, &err);
    if (status != ITEM_OK) /* where the default pack is not made yet, its path is named */
        assert_error(status, ITEM_E_PACK, &err, path);
    item_ctx_unref(ctx);
}

/* ---- memory ---- */

typedef struct counter {
    long live, calls, fail_from;
} counter;

static void *grow(void *user, void *block, size_t size)
{
    counter *c = user;
    if (c->fail_from >= 0 && c->calls++ >= c->fail_from)
        return NULL;
    c->live += block ? 0 : 1;
    return realloc(block, size);
}

static void *allocate(void *user, size_t size)
{
    return grow(user, NULL, size);
}

static void give_back(void *user, void *block)
{
    counter *c = user;
    c->live--;
    free(block);
}

static item_config *counted_config(counter *c)
{
    item_allocator allocator = ITEM_ALLOCATOR_INIT;
    allocator.allocate = allocate;
    allocator.resize = grow;
    allocator.release = give_back;
    allocator.user = c;
    item_config *config = make_config();
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_config_set_allocator(config, &allocator, &err), &err);
    return config;
}

/* Opens, checks and reads; the status of what failed first. */
static item_status use_all(item_config *config, const char *file, int *verdict)
{
    item_error err = ITEM_ERROR_INIT;
    item_ctx *ctx = NULL;
    item_status status = item_ctx_open(NULL, config, &ctx, &err);
    if (status != ITEM_OK)
        return status;
    item_result *results[2] = {NULL, NULL};
    const char *files[] = {file, file};
    status = item_check_files(ctx, files, 2, NULL, results, &err);
    for (size_t i = 0; i < 2 && status == ITEM_OK; i++) {
        status = item_result_status(results[i], NULL);
        *verdict += item_result_verdict(results[i]) != ITEM_VERDICT_NONE;
        if (status == ITEM_OK && !item_result_json(results[i]))
            status = ITEM_E_MEMORY;
    }
    item_ctx_unref(ctx);
    item_result_unref(results[0]);
    item_result_unref(results[1]);
    return status;
}

/* The n-th allocation fails, for each n: an error, nothing lost, no verdict from half the truth. */
static void every_allocation_may_fail(void **state)
{
    (void)state;
    char *file = write_picture("memory.png", 1, 60, 50);
    head_spec spec = default_head(5);
    char *head = write_head("memory.safetensors", &spec);
    long n = 0;
    for (;; n++) {
        counter c = {.fail_from = n};
        item_config *config = counted_config(&c);
        set_option(config, "head", head);
        int verdicts = 0;
        item_status status = use_all(config, file, &verdicts);
        item_config_unref(config);
        assert_int_equal(c.live, 0);
        if (status == ITEM_OK && c.calls <= n)
            break;
        /* a warning line alone may be lost */
        assert_true(status == ITEM_E_MEMORY || status == ITEM_OK);
        assert_true(n < 5000);
    }
    assert_true(n > 50);
    free(file);
    free(head);
}

static void allocators_come_whole(void **state)
{
    (void)state;
    item_config *config = make_config();
    item_error err = ITEM_ERROR_INIT;
    item_allocator allocator = ITEM_ALLOCATOR_INIT;
    allocator.allocate = allocate;
    assert_error(item_config_set_allocator(config, &allocator, &err), ITEM_E_ARGUMENT, &err, NULL);
    reset(&err);
    assert_ok(item_config_set_allocator(config, NULL, &err), &err);
    assert_error(item_config_set_engine(config, (const struct item_engine_ops *)&err, "/x", &err),
                 ITEM_E_ARGUMENT, &err, "not both");
    item_config_unref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(null_is_refused_everywhere),
        cmocka_unit_test(the_first_error_wins),
        cmocka_unit_test(facts_of_a_context),
        cmocka_unit_test(limits_of_a_context),
        cmocka_unit_test(stages_may_be_missing),
        cmocka_unit_test(without_a_pack_nothing_is_guessed),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(allocators_come_whole),
    };
    return cmocka_run_group_tests_name("api: contexts", tests, NULL, NULL);
}
