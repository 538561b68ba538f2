/* SPDX-License-Identifier: Apache-2.0 */
/* Engines: finding one, opening the stages of a pack with it, and all that can fail. */
#include "packs.h"

#include <dlfcn.h>
#include <item/sys/engine.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef FAKE_ENGINE
#error FAKE_ENGINE is the path of the module
#endif

static item_config *config_with(const char *engine)
{
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    assert_ok(item_config_new(&config, &err), &err);
    assert_ok(item_config_set_engine(config, NULL, engine, &err), &err);
    return config;
}

static item_ctx *open_pack(const pack_spec *spec, item_config *config)
{
    char *folder = write_pack("engine", spec);
    item_error err = ITEM_ERROR_INIT;
    item_ctx *ctx = NULL;
    assert_ok(item_ctx_open(folder, config, &ctx, &err), &err);
    item_config_unref(config);
    free(folder);
    return ctx;
}

/* Runs first: nothing has loaded an engine yet. */
static void missing_engines_are_told(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    char *absent = temp_path("absent.so");
    item_config *config = config_with(absent);
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    assert_error(item_engine_setup(config, NULL, &err), ITEM_E_NO_ENGINE, &err, "absent.so");
    assert_non_null(strstr(err.message, "Install"));
    reset(&err);
    assert_error(item_engine_get_info(config, 0, &info, &err), ITEM_E_NO_ENGINE, &err, NULL);
    reset(&err);
    const item_engine_ops *found = (const item_engine_ops *)&err /* must be overwritten */;
    assert_error(item_engine_find(config, &found, &err), ITEM_E_NO_ENGINE, &err, "absent.so");
    assert_null(found);
    item_ctx *ctx = open_pack(&(pack_spec){0}, config); /* opening a context needs none */
    item_image *image = make_picture(1, 120, 100);
    item_image *images[2] = {image, image};
    item_result *results[2];
    reset(&err);
    assert_ok(item_check_images(ctx, images, 2, NULL, results, &err), &err);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(item_result_status(results[i], NULL), ITEM_E_NO_ENGINE);
        item_result_unref(results[i]);
    }
    item_image_unref(image);
    item_ctx_unref(ctx);

    char *text = temp_path("text.so");
    write_text(text, "no module");
    config = config_with(text);
    reset(&err);
    assert_error(item_engine_setup(config, NULL, &err), ITEM_E_NO_ENGINE, &err, "text.so");
    item_config_unref(config);
    free(text);
    free(absent);
}

/* A link has a name of its own, so that the module is asked for its table again. */
static void refuse_table(const char *module, const char *how, item_status wanted, const char *part)
{
    item_error err = ITEM_ERROR_INIT;
    char *link = temp_path(how);
    if (symlink(module, link) != 0 || setenv("FAKE_ENGINE_TABLE", how, 1) != 0)
        fail_msg("cannot prepare %s", link);
    item_config *config = config_with(link);
    assert_error(item_engine_setup(config, NULL, &err), wanted, &err, part);
    assert_non_null(strstr(err.message, link));
    item_config_unref(config);
    unsetenv("FAKE_ENGINE_TABLE");
    unlink(link);
    free(link);
}

static void broken_tables_are_refused(void **state)
{
    (void)state;
    Dl_info libc;
    refuse_table(FAKE_ENGINE, "none", ITEM_E_BACKEND, "refused to start");
    refuse_table(FAKE_ENGINE, "small", ITEM_E_BACKEND, "too small");
    refuse_table(FAKE_ENGINE, "version", ITEM_E_BACKEND, "version 2");
    refuse_table(FAKE_ENGINE, "hole", ITEM_E_BACKEND, "incomplete");
    assert_int_not_equal(dladdr(dlsym(RTLD_DEFAULT, "getpid"), &libc), 0);
    refuse_table(libc.dli_fname, "other", ITEM_E_BACKEND, "has no " ITEM_ENGINE_ENTRY);

    char longest[5000];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    item_error err = ITEM_ERROR_INIT;
    item_config *config = config_with(longest);
    assert_error(item_engine_setup(config, NULL, &err), ITEM_E_ARGUMENT, &err, "5001 bytes");
    item_config_unref(config);
}

static void the_engine_tells_its_facts(void **state)
{
    (void)state;
    item_config *config = config_with(FAKE_ENGINE);
    item_error err = ITEM_ERROR_INIT;
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    assert_ok(item_engine_get_info(config, 1, &info, &err), &err);
    assert_string_equal(info.name, "fake");
    assert_string_equal(info.path, FAKE_ENGINE);
    assert_true(info.gflops == 1);
    item_engine_settings settings = ITEM_ENGINE_SETTINGS_INIT;
    settings.lanes = 2;
    assert_ok(item_engine_setup(config, &settings, &err), &err);
    settings.lanes = 65;
    assert_error(item_engine_setup(config, &settings, &err), ITEM_E_ARGUMENT, &err, "lanes");
    settings = (item_engine_settings)ITEM_ENGINE_SETTINGS_INIT;
    settings.reserved = 1;
    reset(&err);
    assert_error(item_engine_setup(config, &settings, &err), ITEM_E_ARGUMENT, &err, "reserved");
    reset(&err);
    assert_error(item_engine_get_info(config, 0, NULL, &err), ITEM_E_ARGUMENT, &err, NULL);
    const item_engine_ops *ops = NULL;
    reset(&err);
    assert_ok(item_engine_find(config, &ops, &err), &err);
    assert_string_equal(ops->name, "fake");
    item_config_unref(config);
}

/* Fingerprint of a picture with this caption; release with free(). */
static char *fingerprint_of(item_ctx *ctx, const char *caption)
{
    item_error err = ITEM_ERROR_INIT;
    item_image *image = make_picture(1, 120, 100);
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_result *result = NULL;
    options.caption = caption;
    assert_ok(item_check_image(ctx, image, &options, &result, &err), &err);
    char *copy = strdup(item_result_text(result, ITEM_TEXT_FINGERPRINT));
    assert_int_equal(strlen(copy), 64);
    item_result_unref(result);
    item_image_unref(image);
    return copy;
}

/* The pack's detector beside registered stages, and a caption in which nothing is to be found. */
static item_ctx *open_mixed(const char *engine, const char *precision)
{
    item_config *config = config_with(engine);
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_config_set_captioner(config, item_dummy_captioner(), NULL, &err), &err);
    assert_ok(item_config_set_embedder(config, item_dummy_embedder(), NULL, &err), &err);
    set_option(config, "precision", precision);
    return open_pack(&(pack_spec){0}, config);
}

/* Engines share networks by the bytes of files, so a hash counts only if it was computed. */
static void a_hash_that_was_not_computed_is_no_key(void **state)
{
    (void)state;
    static const char *const verify[] = {"all", "none"};
    for (size_t i = 0; i < 2; i++) {
        item_config *config = config_with(FAKE_ENGINE);
        set_option(config, "verify", verify[i]);
        item_ctx *ctx = open_pack(&(pack_spec){.misbehave = i ? "unhashed" : NULL}, config);
        free(fingerprint_of(ctx, "a dog by a car")); /* opens the stages, which look at the key */
        item_ctx_unref(ctx);
    }
}

/* An index names them; the engine looks at key, tensors and what it holds of them. */
static void weights_may_lie_in_several_files(void **state)
{
    (void)state;
    static const char *const map[] = {"0", "1"};
    for (size_t i = 0; i < 2; i++) {
        item_config *config = config_with(FAKE_ENGINE);
        set_option(config, "map_files", map[i]);
        item_ctx *ctx = open_pack(&(pack_spec){.sharded = 1, .misbehave = "shards"}, config);
        free(fingerprint_of(ctx, "a dog by a car"));
        item_ctx_unref(ctx);
    }
}

/* Runs before an engine is loaded: it is the first picture that has no need of one. */
static void a_mixed_context_has_one_fingerprint(void **state)
{
    (void)state;
    char *absent = temp_path("absent.so");
    item_ctx *without = open_mixed(absent, "fp32"), *ctx = open_mixed(FAKE_ENGINE, "fp32");
    item_ctx *other = open_mixed(FAKE_ENGINE, "bf16");
    char *none = fingerprint_of(without, ""), *before = fingerprint_of(ctx, "");
    char *during = fingerprint_of(ctx, "a dog by a car"), *after = fingerprint_of(ctx, "");
    char *changed = fingerprint_of(other, "");
    assert_string_equal(before, during);
    assert_string_equal(during, after);
    assert_string_not_equal(before, changed); /* by the precision of a stage not yet used */
    assert_string_not_equal(before, none);
    char *const all[] = {none, before, during, after, changed, absent};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free(all[i]);
    item_ctx_unref(other);
    item_ctx_unref(ctx);
    item_ctx_unref(without);
}

static void a_pack_is_opened_and_answers(void **state)
{
    (void)state;
    item_config *config = config_with(FAKE_ENGINE);
    set_option(config, "beams", "5");
    set_option(config, "precision", "bf16");
    set_option(config, "detector_score", "0.5");
    item_ctx *ctx = open_pack(&(pack_spec){0}, config);
    item_image *image = make_flat_picture(400, 300);
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    assert_ok(item_check_image(ctx, image, NULL, &result, &err), &err);
    assert_string_equal(item_result_text(result, ITEM_TEXT_CAPTION),
                        "a bright dog by a car, 5 beams");
    assert_string_equal(item_result_text(result, ITEM_TEXT_PRECISION), "bf16");
    assert_string_equal(item_result_text(result, ITEM_TEXT_PACK), "fake 7");
    assert_true(strncmp(item_result_text(result, ITEM_TEXT_EMBEDDER), "fake/3 sha256:", 14) == 0);
    item_result_summary summary = ITEM_RESULT_SUMMARY_INIT;
    assert_ok(item_result_get_summary(result, &summary, &err), &err);
    assert_int_equal(summary.objects, 1); /* the car's score is 0.4 */
    item_object object = ITEM_OBJECT_INIT;
    assert_ok(item_result_get_object(result, 0, &object, &err), &err);
    /* 400 x 300 is worked on as 299 x 224 */
    assert_true(object.box[3] > 80 && object.box[3] < 81);
    item_result_unref(result);
    item_image_unref(image);
    item_ctx_unref(ctx);
}

/* How many warnings of inconsistency a check has; caption NULL: of the model's own one. */
static int inconsistencies(const char *least, const char *caption)
{
    item_ctx *ctx = open_pack(&(pack_spec){.least_similarity = least}, config_with(FAKE_ENGINE));
    item_image *image = make_flat_picture(40, 30);
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    const char *line;
    int found = 0;
    options.caption = caption;
    assert_ok(item_check_image(ctx, image, &options, &result, &err), &err);
    for (uint32_t i = 0; (line = item_result_warning(result, i)); i++)
        found += strncmp(line, "inconsistent: ", 14) == 0;
    item_result_unref(result);
    item_image_unref(image);
    item_ctx_unref(ctx);
    return found;
}

/* Nothing agrees by 1, and everything by -1; the model's own caption is not warned of. */
static void captions_of_something_else_are_told(void **state)
{
    (void)state;
    assert_int_equal(inconsistencies("1", "a red bus"), 1);
    assert_int_equal(inconsistencies("-1", "a red bus"), 0);
    assert_int_equal(inconsistencies(NULL, "a red bus"), 0);
    assert_int_equal(inconsistencies("1", NULL), 0);
    const char *const bad[] = {"1.5", "\"half\"", "null", "-2"};
    for (size_t i = 0; i < 4; i++) {
        char *folder = write_pack("least", &(pack_spec){.least_similarity = bad[i]});
        item_error err = ITEM_ERROR_INIT;
        item_ctx *ctx = NULL;
        item_config *config = config_with(FAKE_ENGINE);
        assert_error(item_ctx_open(folder, config, &ctx, &err), ITEM_E_PACK, &err,
                     "embedder: \"least_similarity\" is no number from -1 to 1");
        item_config_unref(config);
        free(folder);
    }
}

static char *caption_fingerprint(const char *option, const char *value)
{
    item_config *config = config_with(FAKE_ENGINE);
    if (option)
        set_option(config, option, value);
    item_ctx *ctx = open_pack(&(pack_spec){0}, config);
    item_image *image = make_flat_picture(40, 30);
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    assert_ok(item_check_image(ctx, image, NULL, &result, &err), &err);
    assert_null(item_result_tokens(result, NULL)); /* a check keeps words alone */
    char *copy = strdup(item_result_text(result, ITEM_TEXT_FINGERPRINT));
    assert_non_null(copy);
    item_result_unref(result);
    item_image_unref(image);
    item_ctx_unref(ctx);
    return copy;
}

static void captions_take_a_prompt_and_give_tokens(void **state)
{
    (void)state;
    item_config *config = config_with(FAKE_ENGINE);
    set_option(config, "prompt", "see: ");
    set_option(config, "max_tokens", "3");
    item_ctx *ctx = open_pack(&(pack_spec){0}, config);
    item_image *image = make_flat_picture(40, 30);
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    assert_ok(item_caption_image(ctx, image, NULL, &result, &err), &err);
    assert_string_equal(item_result_text(result, ITEM_TEXT_CAPTION),
                        "see: a bright dog by a car, 0 beams");
    size_t count = 0;
    const int32_t *tokens = item_result_tokens(result, &count);
    assert_int_equal(count, 3);
    assert_true(tokens[0] == 0 && tokens[1] == 7 && tokens[2] == 14);
    item_result_unref(result);
    assert_null(item_result_tokens(NULL, &count));
    assert_int_equal(count, 0);
    item_image_unref(image);
    item_ctx_unref(ctx);

    char *plain = caption_fingerprint(NULL, NULL);
    char *prompted = caption_fingerprint("prompt", "see: ");
    char *shorter = caption_fingerprint("max_tokens", "3");
    assert_string_not_equal(plain, prompted);
    assert_string_not_equal(plain, shorter);
    free(plain);
    free(prompted);
    free(shorter);
}

static void fingerprints_follow_the_pack_and_its_engine(void **state)
{
    (void)state;
    char prints[3][65];
    item_image *image = make_flat_picture(224, 224);
    for (size_t i = 0; i < 3; i++) {
        item_config *config = config_with(FAKE_ENGINE);
        if (i == 1)
            set_option(config, "precision", "bf16");
        item_ctx *ctx = open_pack(&(pack_spec){.extra = i == 2 ? ", \"remark\": 1" : NULL}, config);
        item_error err = ITEM_ERROR_INIT;
        item_result *result = NULL;
        assert_ok(item_check_image(ctx, image, NULL, &result, &err), &err);
        strcpy(prints[i], item_result_text(result, ITEM_TEXT_FINGERPRINT));
        item_result_unref(result);
        item_ctx_unref(ctx);
    }
    assert_string_not_equal(prints[0], prints[1]);
    assert_string_not_equal(prints[0], prints[2]);
    item_image_unref(image);
}

/* Errors of opening come with the first use, say why, and may go away. */
static void networks_that_do_not_open(void **state)
{
    (void)state;
    static const struct {
        pack_spec spec;
        item_status status;
        const char *part;
    } cases[] = {
        {{.misbehave = "refuse"}, ITEM_E_BACKEND, "refused on purpose"},
        {{.misbehave = "no id"}, ITEM_E_ARGUMENT, "id"},
        {{.misbehave = "width"}, ITEM_E_PACK, "width"},
        {{.family = "unheard-of"}, ITEM_E_UNSUPPORTED, "not known"},
    };
    item_image *image = make_flat_picture(224, 224);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        item_ctx *ctx = open_pack(&cases[i].spec, config_with(FAKE_ENGINE));
        float out[3];
        item_error err = ITEM_ERROR_INIT;
        assert_error(item_embed_images(ctx, &image, 1, NULL, out, 3, &err), cases[i].status, &err,
                     cases[i].part);
        item_result *result = NULL;
        reset(&err);
        item_status status = item_check_image(ctx, image, NULL, &result, &err);
        assert_int_not_equal(status, ITEM_OK);
        assert_null(result);
        item_ctx_unref(ctx);
    }
    item_image_unref(image);
}

static void *use(void *argument)
{
    item_ctx *ctx = argument;
    item_image *image = make_picture(1, 150, 150);
    item_result *result = NULL;
    item_status status = item_check_image(ctx, image, NULL, &result, NULL);
    item_result_unref(result);
    item_image_unref(image);
    return status == ITEM_OK ? NULL : argument;
}

static void threads_open_a_stage_once(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        item_ctx *ctx = open_pack(&(pack_spec){0}, config_with(FAKE_ENGINE));
        pthread_t threads[4];
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, use, ctx), 0);
        for (size_t i = 0; i < 4; i++) {
            void *failed = NULL;
            pthread_join(threads[i], &failed);
            assert_null(failed);
        }
        item_ctx_unref(ctx);
    }
}

/* The parent has used an engine by now. */
static void a_forked_child_opens_nothing(void **state)
{
    (void)state;
    char *folder = write_pack("engine", &(pack_spec){0});
    pid_t child = fork();
    if (child == 0) {
        item_ctx *ctx = NULL;
        item_error err = ITEM_ERROR_INIT;
        int wrong = item_ctx_open(folder, NULL, &ctx, &err) != ITEM_E_FORKED || ctx;
        wrong |= item_engine_setup(NULL, NULL, NULL) != ITEM_E_FORKED;
        _exit(wrong);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    free(folder);
}

/* Runs last: what is loaded stays. */
static void a_process_has_eight_engines(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    item_status status = ITEM_OK;
    int loaded = 0;
    for (char name[] = "a.so"; status == ITEM_OK && loaded < 20; name[0]++, loaded++) {
        char *link = temp_path(name);
        assert_int_equal(symlink(FAKE_ENGINE, link), 0);
        item_config *config = config_with(link);
        status = item_engine_setup(config, NULL, &err);
        item_config_unref(config);
        unlink(link);
        free(link);
    }
    assert_error(status, ITEM_E_LIMIT, &err, "at most 8 engines");
    assert_in_range(loaded, 2, 9);
    reset(&err);
    item_config *config = config_with(FAKE_ENGINE); /* is there already */
    assert_ok(item_engine_setup(config, NULL, &err), &err);
    item_config_unref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_engines_are_told),
        cmocka_unit_test(broken_tables_are_refused),
        cmocka_unit_test(a_mixed_context_has_one_fingerprint),
        cmocka_unit_test(the_engine_tells_its_facts),
        cmocka_unit_test(a_hash_that_was_not_computed_is_no_key),
        cmocka_unit_test(weights_may_lie_in_several_files),
        cmocka_unit_test(a_pack_is_opened_and_answers),
        cmocka_unit_test(captions_of_something_else_are_told),
        cmocka_unit_test(captions_take_a_prompt_and_give_tokens),
        cmocka_unit_test(fingerprints_follow_the_pack_and_its_engine),
        cmocka_unit_test(networks_that_do_not_open),
        cmocka_unit_test(threads_open_a_stage_once),
        cmocka_unit_test(a_forked_child_opens_nothing),
        cmocka_unit_test(a_process_has_eight_engines),
    };
    return cmocka_run_group_tests_name("api: engines", tests, NULL, NULL);
}
