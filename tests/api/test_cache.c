/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option `cache`: answers are the same with none, an empty one and a full one; what is in it is
 * not computed again; what failed, was cancelled or came with a warning is not in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "counting.h"

#define PICTURES 11 /* more than a batch of 8 */

static item_image *pictures[PICTURES];

static int make_pictures(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < PICTURES; i++) /* of all sizes: some are brought to the working size */
        pictures[i] = make_picture(i, 60 + 50 * i, 300 - 20 * i);
    return 0;
}

static int free_pictures(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < PICTURES; i++)
        item_image_unref(pictures[i]);
    return 0;
}

static char *cache_file(void)
{
    static int number;
    char name[32];
    snprintf(name, sizeof name, "cache-%d", number++);
    return temp_path(name);
}

/* A context of counting backends with a cache (NULL: none) and one more option (NULL: none). */
static item_ctx *open_counting(counts *c, const char *id, const char *cache, const char *option,
                               const char *value)
{
    *c = (counts){0};
    item_config *config = counting_config(c, id);
    if (cache)
        set_option(config, "cache", cache);
    if (option)
        set_option(config, option, value);
    return open_ctx(config);
}

/* JSON of a result without what it took; free() it. */
static char *answer_of(const item_result *result)
{
    char *json = strdup(item_result_json(result));
    char *times = strstr(json, "\"timings_ms\":{"), *end = times ? strchr(times, '}') : NULL;
    assert_non_null(end);
    memmove(times, end + 1, strlen(end));
    return json;
}

static void same_values(const item_result *a, const item_result *b, int32_t which, uint32_t index)
{
    size_t n = 0, m = 0;
    const float *x = item_result_values(a, which, index, &n);
    const float *y = item_result_values(b, which, index, &m);
    assert_int_equal(n, m);
    assert_int_equal(x == NULL, y == NULL);
    if (x)
        assert_memory_equal(x, y, n * sizeof *x);
}

static void same_answer(const item_result *a, const item_result *b)
{
    char *x = answer_of(a), *y = answer_of(b);
    assert_string_equal(x, y);
    free(x);
    free(y);
    for (int32_t which = ITEM_VALUES_FEATURES; which <= ITEM_VALUES_TEXT_VECTOR; which++)
        same_values(a, b, which, 0);
    for (uint32_t i = 0; i < summary_of(a).objects; i++) {
        same_values(a, b, ITEM_VALUES_CROP_VECTOR, i);
        same_values(a, b, ITEM_VALUES_PHRASE_VECTOR, i);
    }
}

static void check_all(item_ctx *ctx, item_result **out)
{
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_check_images(ctx, pictures, PICTURES, NULL, out, &err), &err);
    for (size_t i = 0; i < PICTURES; i++)
        assert_ok(item_result_status(out[i], &err), &err);
}

static void unref_all(item_result **results)
{
    for (size_t i = 0; i < PICTURES; i++)
        item_result_unref(results[i]);
}

static size_t asked(const counts *c)
{
    return c->captions + c->searches + c->crops + c->texts + c->scores + c->layers;
}

static void answers_are_the_same(void **state)
{
    (void)state;
    char *path = cache_file();
    counts none, cold, warm;
    item_ctx *a = open_counting(&none, "1", NULL, NULL, NULL);
    item_ctx *b = open_counting(&cold, "1", path, NULL, NULL);
    item_result *x[PICTURES], *y[PICTURES], *z[PICTURES];
    check_all(a, x);
    check_all(b, y);
    item_ctx_unref(b); /* what is in the file counts, not what the context knows */
    item_ctx *c = open_counting(&warm, "1", path, NULL, NULL);
    check_all(c, z);
    size_t objects = 0;
    for (size_t i = 0; i < PICTURES; i++) {
        same_answer(x[i], y[i]);
        same_answer(x[i], z[i]);
        objects += summary_of(x[i]).objects;
    }
    assert_true(objects > 0);
    assert_int_equal(none.captions, PICTURES);
    assert_int_equal(cold.captions, PICTURES);
    assert_int_equal(cold.crops, none.crops);
    assert_int_equal(asked(&warm), 0);
    unref_all(x);
    unref_all(y);
    unref_all(z);
    item_ctx_unref(a);
    item_ctx_unref(c);
    free(path);
}

/* One that knows some pictures asks for the others alone. */
static void some_are_known(void **state)
{
    (void)state;
    char *path = cache_file();
    counts c;
    item_error err = ITEM_ERROR_INIT;
    item_result *first[2], *all[PICTURES], *plain[PICTURES];
    item_ctx *ctx = open_counting(&c, "1", path, NULL, NULL);
    assert_ok(item_check_images(ctx, pictures + 3, 2, NULL, first, &err), &err);
    assert_int_equal(c.captions, 2);
    check_all(ctx, all);
    assert_int_equal(c.captions, PICTURES);
    same_answer(first[0], all[3]);
    item_ctx_unref(ctx);
    ctx = open_counting(&c, "1", NULL, NULL, NULL);
    check_all(ctx, plain);
    for (size_t i = 0; i < PICTURES; i++)
        same_answer(all[i], plain[i]);
    unref_all(all);
    unref_all(plain);
    item_result_unref(first[0]);
    item_result_unref(first[1]);
    item_ctx_unref(ctx);
    free(path);
}

/* Captions, searches that a context with one option asks of a cache that one without has filled. */
static void another(const char *id, const char *option, const char *value, size_t captions,
                    size_t searches)
{
    char *path = cache_file();
    counts c;
    item_result *results[PICTURES];
    item_ctx *ctx = open_counting(&c, "1", path, NULL, NULL);
    check_all(ctx, results);
    unref_all(results);
    item_ctx_unref(ctx);
    ctx = open_counting(&c, id, path, option, value);
    check_all(ctx, results);
    unref_all(results);
    assert_int_equal(c.captions, captions);
    assert_int_equal(c.searches, searches);
    item_ctx_unref(ctx);
    free(path);
}

static void settings_have_answers_of_their_own(void **state)
{
    (void)state;
    another("1", NULL, NULL, 0, 0);
    another("2", NULL, NULL, PICTURES, 0); /* another captioner that says the same */
    another("1", "beams", "2", PICTURES, 0);
    another("1", "max_tokens", "9", PICTURES, 0);
    another("1", "prompt", "a photo of", PICTURES, 0);
    another("1", "detector_score", "0.1", 0, PICTURES);
    another("1", "max_objects", "3", 0, PICTURES);
    another("1", "threshold", "0.3", 0, 0);
    another("1", "batch", "2", 0, 0);
}

static void draws_have_answers_of_their_own(void **state)
{
    (void)state;
    char *path = cache_file();
    counts c;
    item_error err = ITEM_ERROR_INIT;
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_ctx *ctx = open_counting(&c, "1", path, NULL, NULL);
    const size_t after[] = {1, 2, 3, 3, 3};
    const double samples[] = {0, 1, 1, 1, 0};
    const uint64_t seeds[] = {0, 0, 7, 0, 9};
    for (size_t i = 0; i < 5; i++) {
        item_result *result = NULL;
        options.sample = samples[i];
        options.sample_seed = seeds[i];
        assert_ok(item_check_image(ctx, pictures[0], &options, &result, &err), &err);
        assert_int_equal(c.captions, after[i]);
        item_result_unref(result);
    }
    item_ctx_unref(ctx);
    free(path);
}

static void what_went_wrong_is_not_kept(void **state)
{
    (void)state;
    char *path = cache_file();
    counts c;
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_ctx *ctx = open_counting(&c, "1", path, NULL, NULL);
    c.fail = 1;
    assert_int_equal(item_check_image(ctx, pictures[0], NULL, &result, NULL), ITEM_E_BACKEND);
    c.fail = 0;
    assert_ok(item_cancel_new(&c.cancel, &err), &err);
    options.cancel = c.cancel;
    assert_int_equal(item_check_image(ctx, pictures[0], &options, &result, NULL), ITEM_E_CANCELLED);
    item_cancel_unref(c.cancel);
    c.cancel = NULL;
    c.warn = 1;
    for (size_t i = 0; i < 2; i++) { /* the warning is there each time */
        assert_ok(item_check_image(ctx, pictures[0], NULL, &result, &err), &err);
        assert_string_equal(item_result_warning(result, 0), "something is odd");
        item_result_unref(result);
    }
    assert_int_equal(c.captions, 4);
    item_ctx_unref(ctx);
    free(path);
}

/* A picture that cannot be read, among others, costs these nothing. */
static void bad_pictures_do_not_count(void **state)
{
    (void)state;
    char *path = cache_file(), *good = write_picture("good.png", 5, 80, 70);
    char *bad = temp_path("bad.png");
    counts c;
    item_error err = ITEM_ERROR_INIT;
    write_text(bad, "no picture");
    item_ctx *ctx = open_counting(&c, "1", path, NULL, NULL);
    for (size_t i = 0; i < 2; i++) {
        const char *files[] = {bad, good};
        item_result *results[2] = {NULL, NULL};
        assert_ok(item_check_files(ctx, files, 2, NULL, results, &err), &err);
        assert_int_not_equal(item_result_status(results[0], NULL), ITEM_OK);
        assert_ok(item_result_status(results[1], &err), &err);
        item_result_unref(results[0]);
        item_result_unref(results[1]);
    }
    assert_int_equal(c.captions, 1);
    item_ctx_unref(ctx);
    free(path);
    free(good);
    free(bad);
}

static void bad_caches_are_told(void **state)
{
    (void)state;
    counts c = {0};
    char *path = cache_file();
    item_error err = ITEM_ERROR_INIT;
    item_ctx *ctx = NULL;
    item_config *config = counting_config(&c, "1");
    assert_error(item_config_set(config, "cache", "", &err), ITEM_E_ARGUMENT, &err,
                 "is not a path, or none");
    set_option(config, "cache", "/no/such/folder/cache");
    set_option(config, "cache", "none");
    assert_ok(item_ctx_open(NULL, config, &ctx, &err), &err);
    item_ctx_unref(ctx);
    set_option(config, "cache", path);
    write_text(path, "a file of mine");
    reset(&err);
    assert_error(item_ctx_open(NULL, config, &ctx, &err), ITEM_E_FORMAT, &err,
                 "is no cache of libitem");
    assert_null(ctx);
    char *text = read_text(path);
    assert_string_equal(text, "a file of mine");
    free(text);

    /* One that breaks under a context ends the call, with its name, and not picture by picture. */
    assert_int_equal(unlink(path), 0);
    reset(&err);
    assert_ok(item_ctx_open(NULL, config, &ctx, &err), &err);
    item_result *results[PICTURES];
    write_text(path, "now it is mine");
    item_status status = item_check_images(ctx, pictures, PICTURES, NULL, results, &err);
    assert_true(status == ITEM_E_FORMAT || status == ITEM_E_IO);
    assert_non_null(strstr(err.message, path));
    assert_null(results[0]);
    item_ctx_unref(ctx);
    item_config_unref(config);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_the_same),
        cmocka_unit_test(some_are_known),
        cmocka_unit_test(settings_have_answers_of_their_own),
        cmocka_unit_test(draws_have_answers_of_their_own),
        cmocka_unit_test(what_went_wrong_is_not_kept),
        cmocka_unit_test(bad_pictures_do_not_count),
        cmocka_unit_test(bad_caches_are_told),
    };
    return cmocka_run_group_tests_name("api: cache", tests, make_pictures, free_pictures);
}
