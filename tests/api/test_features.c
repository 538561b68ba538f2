/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data sets with every column: what the columns hold; that more columns compute these alone; that a
 * call that was killed, or whose disk was full, goes on to the same bytes.
 */
#include <errno.h>
#include <item/train.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counting.h"

#define PICTURES 21
#define WIDTH    32 /* of the dummy's vectors */

static char *list; /* of all pictures, two splits of it */

static int make_list(void **state)
{
    (void)state;
    list = temp_path("list.csv");
    FILE *file = fopen(list, "w");
    fputs("path,label,source,split\n", file);
    for (uint32_t i = 0; i < PICTURES; i++) {
        char name[16];
        snprintf(name, sizeof name, "%u.png", i);
        free(write_picture(name, i, 40 + 13 * i, 70));
        fprintf(file, "%s,%s,s%u,%s\n", name, i % 2 ? "ai" : "real", i / 2 % 3,
                i < 15 ? "train" : "test");
    }
    return fclose(file);
}

static int free_list(void **state)
{
    (void)state;
    free(list);
    return 0;
}

static item_ctx *open_counting(counts *c, const char *cache)
{
    *c = (counts){0};
    item_config *config = counting_config(c, "1");
    if (cache)
        set_option(config, "cache", cache);
    return open_ctx(config);
}

static item_dataset *extract(item_ctx *ctx, uint32_t columns, uint32_t views)
{
    item_error err = ITEM_ERROR_INIT;
    item_extract_options options = ITEM_EXTRACT_OPTIONS_INIT;
    item_dataset *data = NULL;
    options.columns = columns;
    options.views = views;
    assert_ok(item_dataset_extract(ctx, list, &options, &data, &err), &err);
    return data;
}

/* ---- what the columns hold ---- */

static item_image *mirrored(item_image *image)
{
    item_error err = ITEM_ERROR_INIT;
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    item_image *out = NULL;
    assert_ok(item_image_get_info(image, &info, &err), &err);
    const uint8_t *from = item_image_pixels(image);
    uint8_t *pixels = malloc((size_t)info.width * info.height * 3);
    for (uint32_t y = 0; y < info.height; y++)
        for (uint32_t x = 0; x < info.width; x++)
            memcpy(pixels + (y * info.width + x) * 3,
                   from + (y * info.width + info.width - 1 - x) * 3, 3);
    assert_ok(item_image_from_pixels(pixels, ITEM_PIXELS_RGB, info.width, info.height,
                                     info.width * 3, NULL, &out, &err),
              &err);
    free(pixels);
    return out;
}

static int32_t never(void *host)
{
    (void)host;
    return 0;
}

/* The vector of a part of a picture, asked of the backend itself. */
static void part_vector(const item_image *image, double x0, double y0, double x1, double y1,
                        float out[WIDTH])
{
    item_error err = ITEM_ERROR_INIT;
    const item_call call = {.struct_size = sizeof call, .cancelled = never};
    const item_crop crop = {.struct_size = sizeof crop, .image = image, .box = {x0, y0, x1, y1}};
    const item_crop *crops[] = {&crop};
    assert_ok(item_dummy_embedder()->embed_images(NULL, &call, crops, 1, out, &err), &err);
}

static void check_views(const item_row *row, item_image *image, double w, double h)
{
    float v[WIDTH];
    item_image *mirror = mirrored(image);
    part_vector(mirror, 0, 0, w, h, v);
    assert_memory_equal(row->views, v, sizeof v);
    part_vector(image, w / 8, h / 8, w * 7 / 8, h * 7 / 8, v);
    assert_memory_equal(row->views + WIDTH, v, sizeof v);
    part_vector(image, w * 3 / 8, 0, w, h * 5 / 8, v); /* the right one above */
    assert_memory_equal(row->views + 3 * WIDTH, v, sizeof v);
    part_vector(image, w * 3 / 8, h * 3 / 8, w, h, v);
    assert_memory_equal(row->views + 5 * WIDTH, v, sizeof v);
    part_vector(image, w * (1 / 3.0), h * (2 / 3.0), w * (2 / 3.0), h, v); /* middle, below */
    assert_memory_equal(row->views + 13 * WIDTH, v, sizeof v);
    item_image_unref(mirror);
}

static void check_hash(const item_row *row, item_image *image)
{
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    char hex[65], *path = temp_path("pixels");
    uint64_t unused;
    assert_int_equal(item_image_get_info(image, &info, NULL), ITEM_OK);
    size_t size = 8 + (size_t)info.width * info.height * 3;
    uint8_t *bytes = calloc(size, 1);
    bytes[0] = (uint8_t)info.width;
    bytes[1] = (uint8_t)(info.width >> 8);
    bytes[4] = (uint8_t)info.height;
    memcpy(bytes + 8, item_image_pixels(image), size - 8);
    write_file(path, bytes, size);
    sha256_of(path, hex, &unused);
    for (size_t i = 0; i < ITEM_PICTURE_HASH; i++) {
        char two[3];
        snprintf(two, sizeof two, "%02x", row->picture[i]);
        assert_memory_equal(two, hex + 2 * i, 2);
    }
    free(bytes);
    free(path);
}

static void check_words(item_ctx *ctx, const item_row *row, item_image *image)
{
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    item_phrases *phrases = NULL;
    assert_ok(item_check_image(ctx, image, NULL, &result, &err), &err);
    assert_string_equal(row->caption, item_result_text(result, ITEM_TEXT_CAPTION));
    assert_ok(item_phrases_find(row->caption, &phrases, &err), &err);
    assert_null(item_phrases_get(phrases, row->named, NULL, NULL));
    for (uint32_t i = 0; i < row->named; i++) {
        float v[WIDTH];
        const char *text = item_phrases_get(phrases, i, NULL, NULL);
        assert_ok(item_embed_texts(ctx, &text, 1, NULL, v, WIDTH, &err), &err);
        assert_memory_equal(row->named_phrases + i * WIDTH, v, sizeof v);
    }
    double prior = 0;
    item_image *none = NULL;
    assert_ok(item_score_captions(ctx, &none, &row->caption, 1, NULL, &prior, &err), &err);
    assert_true(row->caption_prior == prior);
    item_phrases_free(phrases);
    item_result_unref(result);
}

static void columns_hold_what_they_say(void **state)
{
    (void)state;
    counts c;
    item_ctx *ctx = open_counting(&c, NULL);
    item_dataset *data = extract(ctx, ITEM_EXTRACT_ALL, ITEM_VIEWS_MAX);
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_dataset_get_info(data, &info, &err), &err);
    assert_int_equal(info.views, ITEM_VIEWS_MAX);
    assert_int_equal(info.layers, item_dummy_embedder()->layers_width);
    size_t named = 0;
    for (uint32_t i = 0; i < 12; i += 4) {
        item_row row = ITEM_ROW_INIT;
        item_image *image = NULL;
        assert_ok(item_dataset_get(data, i, &row, &err), &err);
        assert_ok(item_image_from_file(row.name, NULL, &image, &err), &err);
        check_hash(&row, image);
        named += row.named;
        check_words(ctx, &row, image);
        item_image_unref(image);
    }
    assert_true(named > 0);
    item_dataset_free(data);
    item_ctx_unref(ctx);
}

/* Row of make_picture(77, 230, 224): its short side is the working size, so it is looked at as it is. */
static item_dataset *extract_one(item_ctx *ctx, uint32_t columns, uint32_t views, item_row *row)
{
    item_error err = ITEM_ERROR_INIT;
    char *path = temp_path("one.csv");
    free(write_picture("one.png", 77, 230, 224));
    write_text(path, "path,label\none.png,real\n");
    item_extract_options options = ITEM_EXTRACT_OPTIONS_INIT;
    item_dataset *data = NULL;
    options.columns = columns;
    options.views = views;
    assert_ok(item_dataset_extract(ctx, path, &options, &data, &err), &err);
    assert_ok(item_dataset_get(data, 0, row, &err), &err);
    free(path);
    return data;
}

static void views_are_those_of_the_list(void **state)
{
    (void)state;
    counts c;
    item_error err = ITEM_ERROR_INIT;
    item_image *image = make_picture(77, 230, 224);
    item_ctx *ctx = open_counting(&c, NULL);
    item_row row = ITEM_ROW_INIT;
    item_dataset *data = extract_one(ctx, ITEM_EXTRACT_LAYERS, ITEM_VIEWS_MAX, &row);
    check_views(&row, image, 230, 224);
    float v[WIDTH], layers[4096];
    const size_t numbers = item_dummy_embedder()->layers_width;
    assert_true(numbers <= sizeof layers / sizeof *layers);
    assert_ok(item_embed_layers(ctx, &image, 1, NULL, v, WIDTH, layers, numbers, &err), &err);
    assert_memory_equal(row.layers, layers, numbers * sizeof *layers);
    assert_memory_equal(row.image, v, sizeof v);
    assert_true(isnan(row.caption_prior));
    item_image_unref(image);
    item_dataset_free(data);
    item_ctx_unref(ctx);
}

/* So that their difference is what the picture adds to its caption. */
static void likelihoods_with_and_without_the_picture_are_scores(void **state)
{
    (void)state;
    counts c;
    item_error err = ITEM_ERROR_INIT;
    item_image *images[] = {make_picture(77, 230, 224), NULL};
    item_ctx *ctx = open_counting(&c, NULL);
    item_row row = ITEM_ROW_INIT;
    item_dataset *data = extract_one(ctx, ITEM_EXTRACT_PRIOR, 0, &row);
    double scores[2];
    const char *const texts[] = {row.caption, row.caption};
    assert_ok(item_score_captions(ctx, images, texts, 2, NULL, scores, &err), &err);
    assert_true(row.caption_logprob == scores[0]);
    assert_true(row.caption_prior == scores[1]);
    assert_true(scores[0] != scores[1]);
    item_image_unref(images[0]);
    item_dataset_free(data);
    item_ctx_unref(ctx);
}

/* ---- more columns ---- */

static void more_columns_compute_these_alone(void **state)
{
    (void)state;
    const size_t n = PICTURES;
    char *cache = temp_path("more.cache");
    counts c;
    item_ctx *ctx = open_counting(&c, cache);
    item_dataset_free(extract(ctx, 0, 0));
    assert_int_equal(c.captions, n);
    assert_int_equal(c.scores + c.layers, 0);
    counts before = c;
    item_dataset_free(extract(ctx, ITEM_EXTRACT_NAMED, 0));
    assert_int_equal(c.crops + c.captions + c.searches,
                     before.crops + before.captions + before.searches);
    before = c;
    item_dataset_free(extract(ctx, ITEM_EXTRACT_NAMED, 2));
    assert_int_equal(c.crops, before.crops + 2 * n);
    item_dataset_free(extract(ctx, ITEM_EXTRACT_NAMED, 15));
    assert_int_equal(c.crops, before.crops + 15 * n);
    item_dataset_free(extract(ctx, ITEM_EXTRACT_PRIOR, 3));
    assert_true(c.scores > 0 && c.scores <= n);
    item_dataset_free(extract(ctx, ITEM_EXTRACT_LAYERS, 0));
    assert_int_equal(c.layers, n);
    before = c;
    item_dataset *data = extract(ctx, ITEM_EXTRACT_ALL, 15);
    assert_memory_equal(&c, &before, sizeof c);
    item_ctx_unref(ctx);

    /* and it is what a run without a cache gives */
    char *a = temp_path("a.safetensors"), *b = temp_path("b.safetensors"), x[65], y[65];
    uint64_t unused;
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_dataset_save(data, a, &err), &err);
    item_dataset_free(data);
    ctx = open_counting(&c, NULL);
    data = extract(ctx, ITEM_EXTRACT_ALL, 15);
    assert_ok(item_dataset_save(data, b, &err), &err);
    sha256_of(a, x, &unused);
    sha256_of(b, y, &unused);
    assert_string_equal(x, y);
    item_dataset_free(data);
    item_ctx_unref(ctx);
    free(cache);
    free(a);
    free(b);
}

/* The other way round: what came with the layers is known, too. */
static void fewer_columns_compute_nothing(void **state)
{
    (void)state;
    char *cache = temp_path("fewer.cache");
    counts c;
    item_ctx *ctx = open_counting(&c, cache);
    item_dataset_free(extract(ctx, ITEM_EXTRACT_ALL, 15));
    counts before = c;
    item_dataset_free(extract(ctx, 0, 0));
    assert_memory_equal(&c, &before, sizeof c);
    item_ctx_unref(ctx);
    free(cache);
}

/* ---- killed, and a full disk ---- */

/* In a child: everything, slowly enough to be killed in the middle. */
static void extract_and_save(const char *cache, const char *out, rlim_t most)
{
    const struct rlimit limit = {most, most};
    item_error err = ITEM_ERROR_INIT;
    item_extract_options options = ITEM_EXTRACT_OPTIONS_INIT;
    item_dataset *data = NULL;
    counts c = {.pause_us = 1000};
    item_config *config = counting_config(&c, "1");
    item_ctx *ctx = NULL;
    options.columns = ITEM_EXTRACT_ALL;
    options.views = ITEM_VIEWS_MAX;
    signal(SIGXFSZ, SIG_IGN);
    if (most != RLIM_INFINITY)
        setrlimit(RLIMIT_FSIZE, &limit);
    if (item_config_set(config, "cache", cache, &err) != ITEM_OK ||
        item_config_set(config, "batch", "2", &err) != ITEM_OK ||
        item_ctx_open(NULL, config, &ctx, &err) != ITEM_OK)
        _exit(1);
    item_status status = item_dataset_extract(ctx, list, &options, &data, &err);
    if (status == ITEM_E_IO && strstr(err.message, cache))
        _exit(3);
    _exit(status == ITEM_OK && item_dataset_save(data, out, &err) == ITEM_OK ? 0 : 2);
}

static int run_child(const char *cache, const char *out, rlim_t most, useconds_t kill_after)
{
    pid_t child = fork();
    int how = 0;
    assert_true(child >= 0);
    if (child == 0)
        extract_and_save(cache, out, most);
    if (kill_after) {
        usleep(kill_after);
        (void)kill(child, SIGKILL);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

static void same_file(const char *a, const char *b)
{
    char x[65], y[65];
    uint64_t unused;
    sha256_of(a, x, &unused);
    sha256_of(b, y, &unused);
    assert_string_equal(x, y);
}

static void goes_on_after_a_kill(void **state)
{
    (void)state;
    char *cache = temp_path("killed.cache"), *whole = temp_path("whole.cache");
    char *out = temp_path("killed.safetensors"), *expected = temp_path("whole.safetensors");
    assert_int_equal(run_child(whole, expected, RLIM_INFINITY, 0), 0);
    unsigned kills = 0;
    while (kills < 40) {
        /* later and later: a slow machine comes to its end too */
        const useconds_t after = 3000 + kills * 7919 % 30000 + kills * 4000;
        if (run_child(cache, out, RLIM_INFINITY, after) == 0)
            break;
        kills++;
    }
    if (kills < 3) /* else the test tested nothing; a loaded machine kills more often */
        fail_msg("there were %u kills", kills);
    if (kills == 40)
        assert_int_equal(run_child(cache, out, RLIM_INFINITY, 0), 0);
    same_file(out, expected);
    free(cache);
    free(whole);
    free(out);
    free(expected);
}

static void goes_on_after_a_full_disk(void **state)
{
    (void)state;
    char *cache = temp_path("full.cache"), *whole = temp_path("room.cache");
    char *out = temp_path("full.safetensors"), *expected = temp_path("room.safetensors");
    struct stat facts;
    assert_int_equal(run_child(whole, expected, RLIM_INFINITY, 0), 0);
    assert_int_equal(run_child(cache, out, 60000, 0), 3); /* told, with the file */
    assert_int_not_equal(stat(out, &facts), 0);           /* and there is no half of it */
    assert_int_equal(run_child(cache, out, RLIM_INFINITY, 0), 0);
    same_file(out, expected);
    free(cache);
    free(whole);
    free(out);
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_hold_what_they_say),
        cmocka_unit_test(views_are_those_of_the_list),
        cmocka_unit_test(likelihoods_with_and_without_the_picture_are_scores),
        cmocka_unit_test(more_columns_compute_these_alone),
        cmocka_unit_test(fewer_columns_compute_nothing),
        cmocka_unit_test(goes_on_after_a_kill),
        cmocka_unit_test(goes_on_after_a_full_disk),
    };
    return cmocka_run_group_tests_name("api: features", tests, make_list, free_list);
}
