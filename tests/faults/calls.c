/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that are tried, each with what it needs before; see calls.h. */
#include "calls.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

/* ---- configurations ---- */

item_status call_config_new(item_error *err)
{
    return item_config_new(&out.config, err);
}

void make_config_of_dummies(void)
{
    out.config = world_config(true);
}

item_status call_config_set(item_error *err)
{
    static const char *const options[][2] = {
        {"threshold", "0.25"}, {"head", "none"}, {"device", "cuda:1"}, {"verify", "all"}};
    item_status status = ITEM_OK;
    for (size_t i = 0; i < sizeof options / sizeof *options && status == ITEM_OK; i++)
        status = item_config_set(out.config, options[i][0], options[i][1], err);
    return status;
}

item_status call_config_engine(item_error *err)
{
    return item_config_set_engine(out.config, NULL, FAKE_ENGINE, err);
}

item_status call_config_captioner(item_error *err)
{
    return item_config_set_captioner(out.config, item_dummy_captioner(), NULL, err);
}

item_status call_config_detector(item_error *err)
{
    return item_config_set_detector(out.config, item_dummy_detector(), NULL, err);
}

item_status call_config_embedder(item_error *err)
{
    return item_config_set_embedder(out.config, item_dummy_embedder(), NULL, err);
}

item_status call_cancel_new(item_error *err)
{
    return item_cancel_new(&out.cancel, err);
}

/* ---- pictures ---- */

const char *call_picture;

item_status call_image_file(item_error *err)
{
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    options.allocator = the_allocator;
    return item_image_from_file(call_picture, &options, &out.image, err);
}

item_status call_image_pixels(item_error *err)
{
    static const uint8_t pixels[4 * 6 * 5] = {7, 200};
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    options.allocator = the_allocator;
    return item_image_from_pixels(pixels, ITEM_PIXELS_RGBA, 6, 5, 24, &options, &out.image, err);
}

/* ---- packs and contexts ---- */

item_status call_pack_open(item_error *err)
{
    return item_pack_open(w.pack, 2, &out.pack, err);
}

item_status call_published_open(item_error *err)
{
    return item_pack_open(w.model, 2, &out.pack, err);
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
    (void)facts;
    (void)kind;
    (void)where;
    return remove(path);
}

/* What the last try made is in the way. */
void remove_made(void)
{
    (void)nftw(w.made, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

item_status call_pack_create(item_error *err)
{
    item_pack_parts parts = ITEM_PACK_PARTS_INIT;
    parts.embedder = w.model;
    parts.detector = w.pack;
    return item_pack_create(&parts, w.made, err);
}

void make_config_of_pack(void)
{
    out.config = world_config(false);
}

item_status call_ctx_dummies(item_error *err)
{
    return item_ctx_open(NULL, out.config, &out.ctx, err);
}

item_status call_ctx_pack(item_error *err)
{
    return item_ctx_open(w.pack, out.config, &out.ctx, err);
}

void make_ctx_of_pack(void)
{
    item_error err = ITEM_ERROR_INIT;
    make_config_of_pack();
    assert_ok(item_ctx_open(w.pack, out.config, &out.ctx, &err), &err);
}

/* The first call on a context opens its stages. */
item_status call_first_check(item_error *err)
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

item_status call_first_tokens(item_error *err)
{
    return tokenize(out.ctx, err);
}

/* ---- answers ---- */

item_status call_check_image(item_error *err)
{
    return item_check_image(w.ctx, w.image, NULL, &out.result[0], err);
}

item_status call_check_pack(item_error *err)
{
    return item_check_image(w.pack_ctx, w.image, NULL, &out.result[0], err);
}

item_status call_check_caption(item_error *err)
{
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    options.caption = "two dogs and a red car by the river";
    return item_check_image(w.ctx, w.image, &options, &out.result[0], err);
}

item_status call_check_file(item_error *err)
{
    return item_check_file(w.ctx, w.pictures[0], NULL, &out.result[0], err);
}

item_status call_check_files(item_error *err)
{
    const char *const paths[RESULTS] = {w.pictures[0], w.broken, w.pictures[1]};
    return item_check_files(w.ctx, paths, RESULTS, NULL, out.result, err);
}

void make_other_settings(void)
{
    item_error err = ITEM_ERROR_INIT;
    out.config = world_config(true);
    set_option(out.config, "max_objects", "2");
    assert_ok(item_ctx_open(NULL, out.config, &out.ctx, &err), &err);
}

void make_config_of_cache(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s%s", w.cache, ends[i]);
        (void)remove(path);
    }
    out.config = world_config(true);
    set_option(out.config, "cache", w.cache);
}

item_status call_ctx_cache(item_error *err)
{
    return item_ctx_open(NULL, out.config, &out.ctx, err);
}

void make_ctx_of_empty_cache(void)
{
    item_error err = ITEM_ERROR_INIT;
    make_config_of_cache();
    assert_ok(item_ctx_open(NULL, out.config, &out.ctx, &err), &err);
}

item_status call_check_recalled(item_error *err)
{
    const char *const paths[RESULTS] = {w.pictures[0], w.broken, w.pictures[1]};
    return item_check_files(out.ctx, paths, RESULTS, NULL, out.result, err);
}

void make_ctx_of_full_cache(void)
{
    item_error err = ITEM_ERROR_INIT;
    make_ctx_of_empty_cache();
    assert_ok(call_check_recalled(&err), &err);
    for (size_t i = 0; i < RESULTS; i++) {
        item_result_unref(out.result[i]);
        out.result[i] = NULL;
    }
}

/* Warns of the picture's profile, and that the head is of other settings. */
item_status call_check_warned(item_error *err)
{
    return item_check_file(out.ctx, PICTURES "/icc_broken.png", NULL, &out.result[0], err);
}

item_status call_caption(item_error *err)
{
    return item_caption_image(w.ctx, w.image, NULL, &out.result[0], err);
}

item_status call_caption_drawn(item_error *err)
{
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    options.sample = 0.7;
    options.sample_seed = 3;
    return item_caption_image(w.ctx, w.image, &options, &out.result[0], err);
}

/* Of a picture and of none. */
item_status call_score(item_error *err)
{
    item_image *const images[] = {w.image, NULL};
    const char *const texts[] = {"a dog", "a dog"};
    double scores[2] = {0, 0};
    const item_status status = item_score_captions(w.ctx, images, texts, 2, NULL, scores, err);
    out.values[0] = (float)scores[0];
    out.values[1] = (float)scores[1];
    out.count = status == ITEM_OK ? 2 : 0;
    return status;
}

item_status call_detect(item_error *err)
{
    const char *const queries[] = {"a dog", "a red car"};
    return item_detect_image(w.ctx, w.image, queries, 2, NULL, &out.result[0], err);
}

item_status call_embed_images(item_error *err)
{
    item_image *const images[] = {w.image, w.image};
    const item_status status = item_embed_images(w.ctx, images, 2, NULL, out.values, 32, err);
    out.count = status == ITEM_OK ? 64 : 0;
    return status;
}

item_status call_embed_layers(item_error *err)
{
    item_image *const images[] = {w.image, w.image};
    const item_status status =
        item_embed_layers(w.ctx, images, 2, NULL, out.values, 32, out.values + 64, 6, err);
    out.count = status == ITEM_OK ? 76 : 0;
    return status;
}

item_status call_embed_texts(item_error *err)
{
    const char *const texts[] = {"a dog", "a car", ""};
    const item_status status = item_embed_texts(w.ctx, texts, 3, NULL, out.values, 32, err);
    out.count = status == ITEM_OK ? 96 : 0;
    return status;
}

item_status call_tokens(item_error *err)
{
    return tokenize(w.pack_ctx, err);
}

item_status call_apply(item_error *err)
{
    static const float features[8] = {0.5f};
    item_result_summary summary = ITEM_RESULT_SUMMARY_INIT;
    const size_t size = item_layout_size("cosine/both/1", 32);
    const item_status status = item_head_apply(w.ctx, features, size, &summary, err);
    out.values[0] = (float)summary.score;
    out.count = status == ITEM_OK;
    return status;
}

item_status call_phrases(item_error *err)
{
    return item_phrases_find("Two men in red jackets ride a horse past an old church.",
                             &out.phrases, err);
}

item_status call_misalign(item_error *err)
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

void make_result(void)
{
    item_error err = ITEM_ERROR_INIT;
    assert_ok(call_check_image(&err), &err);
}

void make_failed_result(void)
{
    item_error err = ITEM_ERROR_INIT;
    const char *path = w.broken;
    assert_ok(item_check_files(w.ctx, &path, 1, NULL, out.result, &err), &err);
}

item_status call_result_json(item_error *err)
{
    return told(item_result_json(out.result[0]), err);
}

/* ---- data sets, training, evaluation ---- */

item_status call_extract_folder(item_error *err)
{
    return item_dataset_extract(w.ctx, w.set, NULL, &out.data, err);
}

item_status call_extract_list(item_error *err)
{
    item_extract_options options = ITEM_EXTRACT_OPTIONS_INIT;
    options.split = "train";
    return item_dataset_extract(w.ctx, w.list, &options, &out.data, err);
}

item_status call_data_load(item_error *err)
{
    return item_dataset_load(w.data, &out.data, err);
}

item_status call_data_save(item_error *err)
{
    out.file = w.saved;
    return item_dataset_save(w.train, w.saved, err);
}

item_status call_data_new(item_error *err)
{
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    info.width = 4;
    info.embedder = "dummy 1";
    return item_dataset_new(&info, &out.data, err);
}

void make_data(void)
{
    item_error err = ITEM_ERROR_INIT;
    assert_ok(call_data_load(&err), &err);
}

item_status call_data_add(item_error *err)
{
    item_row row = ITEM_ROW_INIT;
    const item_status status = item_dataset_get(w.train, 3, &row, err);
    row.source = "a new one";
    return status == ITEM_OK ? item_dataset_add(out.data, &row, err) : status;
}

item_status call_data_remove(item_error *err)
{
    return item_dataset_remove(out.data, "source", "source 1", NULL, err);
}

item_status call_train(item_error *err)
{
    item_train_options options = ITEM_TRAIN_OPTIONS_INIT;
    options.epochs = 2;
    options.draws = 2;
    options.layout = "cosine/both/1";
    options.folds = 3;
    return item_train(w.train, &options, &out.report, err);
}

item_status call_train_some(item_error *err)
{
    static const char *const candidates[] = {"cosine/both/1 2", "cosine/global/1 0"};
    item_train_options options = ITEM_TRAIN_OPTIONS_INIT;
    options.epochs = 2;
    options.draws = 2;
    options.candidates = candidates;
    options.candidate_count = 2;
    options.folds = 3;
    options.controls = 0;
    options.threshold_rule = "worst-source";
    return item_train(w.train, &options, &out.report, err);
}

void make_photographs(void)
{
    item_error err = ITEM_ERROR_INIT;
    make_data();
    assert_ok(item_dataset_remove(out.data, "label", "ai", NULL, &err), &err);
}

item_status call_calibrate(item_error *err)
{
    item_calibrate_options options = ITEM_CALIBRATE_OPTIONS_INIT;
    options.confidence = 0.5; /* which the few photographs of the set are enough for */
    return item_calibrate(out.data, w.written, NULL, &options, &out.report, err);
}

item_status call_evaluate(item_error *err)
{
    item_eval_options options = ITEM_EVAL_OPTIONS_INIT;
    options.draws = 2;
    options.bins = 2;
    options.rival = w.written;
    options.known_sources = ITEM_KNOWN_KEEP;
    return item_evaluate(w.train, w.written, NULL, &options, &out.report, err);
}

item_status call_evaluate_controls(item_error *err)
{
    item_eval_options options = ITEM_EVAL_OPTIONS_INIT;
    options.draws = 2;
    options.bins = 2;
    options.controls = w.train;
    options.known_sources = ITEM_KNOWN_KEEP;
    return item_evaluate(w.train, w.written, NULL, &options, &out.report, err);
}

item_status call_head_write(item_error *err)
{
    out.file = w.saved;
    return item_report_write_head(w.report, w.saved, err);
}
