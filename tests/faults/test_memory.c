/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory ends at every place, once through the host's allocator and once through malloc itself,
 * where the codecs, jansson and libcrypto meet it too. Each call answers as ever or fails with
 * ITEM_E_MEMORY; nothing is left, and the next call succeeds, from another thread.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- configurations ---- */

static item_status config_new(item_error *err)
{
    return item_config_new(&out.config, err);
}

static void make_plain(void)
{
    out.config = world_config(true);
}

static item_status config_set(item_error *err)
{
    static const char *const options[][2] = {
        {"threshold", "0.25"}, {"head", "none"}, {"device", "cuda:1"}, {"verify", "all"}};
    item_status status = ITEM_OK;
    for (size_t i = 0; i < sizeof options / sizeof *options && status == ITEM_OK; i++)
        status = item_config_set(out.config, options[i][0], options[i][1], err);
    return status;
}

static item_status config_engine(item_error *err)
{
    return item_config_set_engine(out.config, NULL, FAKE_ENGINE, err);
}

static item_status config_captioner(item_error *err)
{
    return item_config_set_captioner(out.config, item_dummy_captioner(), NULL, err);
}

static item_status config_detector(item_error *err)
{
    return item_config_set_detector(out.config, item_dummy_detector(), NULL, err);
}

static item_status config_embedder(item_error *err)
{
    return item_config_set_embedder(out.config, item_dummy_embedder(), NULL, err);
}

static item_status cancel_new(item_error *err)
{
    return item_cancel_new(&out.cancel, err);
}

static const phase configs[] = {
    {"config new", NULL, config_new, 0},
    {"config set", make_plain, config_set, 0},
    {"config engine", make_plain, config_engine, 0},
    {"config captioner", make_plain, config_captioner, 0},
    {"config detector", make_plain, config_detector, 0},
    {"config embedder", make_plain, config_embedder, 0},
    {"cancel new", NULL, cancel_new, 0},
};

/* ---- pictures ---- */

static const char *picture; /* file that is read now */

static item_status image_file(item_error *err)
{
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    options.allocator = the_allocator;
    return item_image_from_file(picture, &options, &out.image, err);
}

static item_status image_pixels(item_error *err)
{
    static const uint8_t pixels[4 * 6 * 5] = {7, 200};
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    options.allocator = the_allocator;
    return item_image_from_pixels(pixels, ITEM_PIXELS_RGBA, 6, 5, 24, &options, &out.image, err);
}

/* Profiles are slow to open, and those of one kind fail alike. */
static const struct {
    const char *name;
    unsigned stride;
} pictures[] = {
    {"baseline_420.jpg", 0}, {"progressive_420.jpg", 0}, {"cmyk_progressive.jpg", 0},
    {"grey.jpg", 0},         {"exif_MM_6.jpg", 0},       {"icc_rgb.jpg", 0},
    {"icc_rgb_v4.jpg", 7},   {"icc_rgb_table.jpg", 7},   {"icc_cmyk.jpg", 31},
    {"icc_grey.jpg", 7},     {"icc_parts.jpg", 7},       {"icc_cut.jpg", 0},
    {"icc_exif_5.jpg", 7},   {"xmp_attribute.jpg", 0},   {"type2_8.png", 0},
    {"type6_16.png", 0},     {"palette_4_alpha.png", 0}, {"type2_8_interlaced.png", 0},
    {"exif_before.png", 0},  {"icc_rgb.png", 7},         {"icc_grey_alpha.png", 7},
    {"icc_broken.png", 0},
};

static void try_pictures(memory_kind kind)
{
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", PICTURES, pictures[i].name);
        picture = path;
        const phase p = {pictures[i].name, NULL, image_file, pictures[i].stride};
        try_memory(&p, 1, kind);
    }
    try_memory(&(phase){"pixels", NULL, image_pixels, 0}, 1, kind);
}

/* ---- packs and contexts ---- */

static item_status pack_open(item_error *err)
{
    return item_pack_open(w.pack, 2, &out.pack, err);
}

static void make_config_of_dummies(void)
{
    out.config = world_config(true);
}

static void make_config_of_pack(void)
{
    out.config = world_config(false);
}

static item_status ctx_dummies(item_error *err)
{
    return item_ctx_open(NULL, out.config, &out.ctx, err);
}

static item_status ctx_pack(item_error *err)
{
    return item_ctx_open(w.pack, out.config, &out.ctx, err);
}

static void make_ctx_of_pack(void)
{
    item_error err = ITEM_ERROR_INIT;
    make_config_of_pack();
    assert_ok(item_ctx_open(w.pack, out.config, &out.ctx, &err), &err);
}

/* The first call on a context opens its stages. */
static item_status first_check(item_error *err)
{
    return item_check_image(out.ctx, w.image, NULL, &out.result[0], err);
}

static item_status tokenize(item_ctx *ctx, item_error *err)
{
    int32_t ids[16];
    const item_status status = item_tokenize(ctx, "a dog by a car", ids, 16, &out.count, err);
    for (size_t i = 0; i < out.count && i < 16; i++)
        out.values[i] = (float)ids[i];
    return status;
}

static item_status first_tokens(item_error *err)
{
    return tokenize(out.ctx, err);
}

static const phase packs[] = {
    {"pack open, all verified", NULL, pack_open, 0},
    {"context of dummies", make_config_of_dummies, ctx_dummies, 0},
    {"context of a pack", make_config_of_pack, ctx_pack, 0},
    {"first check opens stages", make_ctx_of_pack, first_check, 0},
    {"first tokens", make_ctx_of_pack, first_tokens, 0},
};

/* ---- answers ---- */

static item_status check_image(item_error *err)
{
    return item_check_image(w.ctx, w.image, NULL, &out.result[0], err);
}

static item_status check_pack(item_error *err)
{
    return item_check_image(w.pack_ctx, w.image, NULL, &out.result[0], err);
}

static item_status check_caption(item_error *err)
{
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    options.caption = "two dogs and a red car by the river";
    return item_check_image(w.ctx, w.image, &options, &out.result[0], err);
}

static item_status check_file(item_error *err)
{
    return item_check_file(w.ctx, w.pictures[0], NULL, &out.result[0], err);
}

static item_status check_files(item_error *err)
{
    const char *const paths[RESULTS] = {w.pictures[0], w.broken, w.pictures[1]};
    return item_check_files(w.ctx, paths, RESULTS, NULL, out.result, err);
}

static void make_other_settings(void)
{
    item_error err = ITEM_ERROR_INIT;
    out.config = world_config(true);
    set_option(out.config, "max_objects", "2");
    assert_ok(item_ctx_open(NULL, out.config, &out.ctx, &err), &err);
}

/* Warns of the picture's profile, and that the head is of other settings. */
static item_status check_warned(item_error *err)
{
    return item_check_file(out.ctx, PICTURES "/icc_broken.png", NULL, &out.result[0], err);
}

static item_status caption(item_error *err)
{
    return item_caption_image(w.ctx, w.image, NULL, &out.result[0], err);
}

static item_status detect(item_error *err)
{
    const char *const queries[] = {"a dog", "a red car"};
    return item_detect_image(w.ctx, w.image, queries, 2, NULL, &out.result[0], err);
}

static item_status embed_images(item_error *err)
{
    item_image *const images[] = {w.image, w.image};
    const item_status status = item_embed_images(w.ctx, images, 2, NULL, out.values, 32, err);
    out.count = status == ITEM_OK ? 64 : 0;
    return status;
}

static item_status embed_texts(item_error *err)
{
    const char *const texts[] = {"a dog", "a car", ""};
    const item_status status = item_embed_texts(w.ctx, texts, 3, NULL, out.values, 32, err);
    out.count = status == ITEM_OK ? 96 : 0;
    return status;
}

static item_status tokens(item_error *err)
{
    return tokenize(w.pack_ctx, err);
}

static item_status apply(item_error *err)
{
    static const float features[8] = {0.5f};
    item_result_summary summary = ITEM_RESULT_SUMMARY_INIT;
    const size_t size = item_layout_size("cosine/both/1", 32);
    const item_status status = item_head_apply(w.ctx, features, size, &summary, err);
    out.values[0] = (float)summary.score;
    out.count = status == ITEM_OK;
    return status;
}

static item_status phrases(item_error *err)
{
    return item_phrases_find("Two men in red jackets ride a horse past an old church.",
                             &out.phrases, err);
}

static item_status misalign(item_error *err)
{
    static const float x[2] = {1, 0}, y[2] = {0, 1};
    out.count = item_layout_size("difference/both/1", 2);
    return item_misalign("difference/both/1", 2, x, y, 1, x, y, out.values, out.count, err);
}

/* For what tells a failure by NULL alone. */
static item_status told(const char *text, item_error *err)
{
    out.text = text;
    if (text)
        return ITEM_OK;
    err->code = ITEM_E_MEMORY;
    snprintf(err->message, sizeof err->message, "NULL");
    return ITEM_E_MEMORY;
}

static void make_result(void)
{
    item_error err = ITEM_ERROR_INIT;
    assert_ok(check_image(&err), &err);
}

static void make_failed_result(void)
{
    item_error err = ITEM_ERROR_INIT;
    const char *path = w.broken;
    assert_ok(item_check_files(w.ctx, &path, 1, NULL, out.result, &err), &err);
}

static item_status result_json(item_error *err)
{
    return told(item_result_json(out.result[0]), err);
}

static const phase answers[] = {
    {"check", NULL, check_image, 0},
    {"check by a pack", NULL, check_pack, 0},
    {"check a caller's caption", NULL, check_caption, 0},
    {"check a file", NULL, check_file, 0},
    {"check three files", NULL, check_files, 0},
    {"check with warnings", make_other_settings, check_warned, 0},
    {"caption", NULL, caption, 0},
    {"detect", NULL, detect, 0},
    {"embed pictures", NULL, embed_images, 0},
    {"embed texts", NULL, embed_texts, 0},
    {"tokens", NULL, tokens, 0},
    {"apply a head", NULL, apply, 0},
    {"phrases", NULL, phrases, 0},
    {"misalign", NULL, misalign, 0},
    {"result as JSON", make_result, result_json, 0},
    {"failure as JSON", make_failed_result, result_json, 0},
};

/* ---- data sets, training, evaluation ---- */

static item_status extract_folder(item_error *err)
{
    return item_dataset_extract(w.ctx, w.set, NULL, &out.data, err);
}

static item_status extract_list(item_error *err)
{
    item_extract_options options = ITEM_EXTRACT_OPTIONS_INIT;
    options.split = "train";
    return item_dataset_extract(w.ctx, w.list, &options, &out.data, err);
}

static item_status data_load(item_error *err)
{
    return item_dataset_load(w.data, &out.data, err);
}

static item_status data_save(item_error *err)
{
    out.file = w.saved;
    return item_dataset_save(w.train, w.saved, err);
}

static item_status data_new(item_error *err)
{
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    info.width = 4;
    info.embedder = "dummy 1";
    return item_dataset_new(&info, &out.data, err);
}

static void make_data(void)
{
    item_error err = ITEM_ERROR_INIT;
    assert_ok(data_load(&err), &err);
}

static item_status data_add(item_error *err)
{
    item_row row = ITEM_ROW_INIT;
    const item_status status = item_dataset_get(w.train, 3, &row, err);
    row.source = "a new one";
    return status == ITEM_OK ? item_dataset_add(out.data, &row, err) : status;
}

static item_status data_remove(item_error *err)
{
    return item_dataset_remove(out.data, "source", "source 1", NULL, err);
}

static item_status train(item_error *err)
{
    item_train_options options = ITEM_TRAIN_OPTIONS_INIT;
    options.epochs = 2;
    options.draws = 2;
    options.layout = "cosine/both/1";
    options.folds = 3;
    return item_train(w.train, &options, &out.report, err);
}

static item_status evaluate(item_error *err)
{
    item_eval_options options = ITEM_EVAL_OPTIONS_INIT;
    options.draws = 2;
    options.bins = 2;
    options.rival = w.written;
    return item_evaluate(w.train, w.written, NULL, &options, &out.report, err);
}

static item_status evaluate_controls(item_error *err)
{
    item_eval_options options = ITEM_EVAL_OPTIONS_INIT;
    options.draws = 2;
    options.bins = 2;
    options.controls = w.train;
    return item_evaluate(w.train, w.written, NULL, &options, &out.report, err);
}

static item_status head_write(item_error *err)
{
    out.file = w.saved;
    return item_report_write_head(w.report, w.saved, err);
}

static const phase trainings[] = {
    {"extract a folder", NULL, extract_folder, 5},
    {"extract a list", NULL, extract_list, 5},
    {"data set load", NULL, data_load, 0},
    {"data set save", NULL, data_save, 0},
    {"data set new", NULL, data_new, 0},
    {"data set add", make_data, data_add, 0},
    {"data set remove", make_data, data_remove, 0},
    {"train", NULL, train, 7},
    {"evaluate", NULL, evaluate, 7},
    {"evaluate with controls", NULL, evaluate_controls, 31},
    {"head write", NULL, head_write, 0},
};

/* ---- the tests ---- */

#define ALL(list) list, sizeof list / sizeof *list

static void try_every(memory_kind kind)
{
    const unsigned before = complaints;
    the_allocator = kind == MEMORY_HOST ? faults_host() : NULL;
    const long kept = faults_host_live();
    world_open();
    try_memory(ALL(packs), kind);
    try_memory(ALL(answers), kind);
    try_memory(ALL(trainings), kind);
    try_pictures(kind);
    if (kind == MEMORY_MALLOC)
        try_memory(ALL(configs), kind);
    world_close();
    assert_int_equal(faults_host_live(), kept);
    assert_int_equal(complaints, before);
}

static void the_host_has_no_memory(void **state)
{
    (void)state;
    try_every(MEMORY_HOST);
}

static void malloc_has_no_memory(void **state)
{
    (void)state;
    try_every(MEMORY_MALLOC);
}

static int setup(void **state)
{
    (void)state;
    world_make();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_has_no_memory),
        cmocka_unit_test(malloc_has_no_memory),
    };
    const int failed = cmocka_run_group_tests(tests, setup, teardown);
    printf("%lu allocations failed, %lu of them without harm\n", faults_failed, faults_absorbed);
    return failed;
}
