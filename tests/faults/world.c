/* SPDX-License-Identifier: Apache-2.0 */
/* Files, contexts and data sets that the tries share. */
#include "world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define EACH  2 /* pictures of each source and label in the folder */
#define ROWS  8 /* of each source and label in the training set */
#define WIDTH 8

world w;

/* ---- files ---- */

static void make_folder(const char *name)
{
    char *path = temp_path(name);
    (void)mkdir(path, 0700);
    free(path);
}

/* ai/ and real/ with two sources each, and a list of the same pictures. */
static void write_set(void)
{
    make_folder("set");
    w.set = temp_path("set");
    w.list = temp_path("set/list.csv");
    FILE *list = fopen(w.list, "w");
    assert_non_null(list);
    fputs("path,label,generator,source,split,prompt\n", list);
    for (uint32_t label = 0; label < 2; label++) {
        char name[64];
        snprintf(name, sizeof name, "set/%s", label ? "ai" : "real");
        make_folder(name);
        for (uint32_t source = 0; source < 2; source++) {
            snprintf(name, sizeof name, "set/%s/s%u", label ? "ai" : "real", source);
            make_folder(name);
            for (uint32_t i = 0; i < EACH; i++) {
                snprintf(name, sizeof name, "set/%s/s%u/%u.png", label ? "ai" : "real", source, i);
                free(write_picture(name, 100 * label + 10 * source + i, 24 + i, 20));
                fprintf(list, "%s,%s,%s,s%u,train,\"a scene, %u\"\n", name + 4,
                        label ? "ai" : "real", label ? "maker" : "photo", source, i);
            }
        }
    }
    assert_int_equal(fclose(list), 0);
}

static char *write_pack_with_head(void)
{
    const pack_spec plain = {0};
    char *folder = write_pack("pack", &plain), *at = temp_path("pack/head.safetensors");
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    item_ctx *ctx = NULL;
    item_result *result = NULL;
    assert_ok(item_config_new(&config, &err), &err);
    assert_ok(item_config_set_engine(config, NULL, FAKE_ENGINE, &err), &err);
    assert_ok(item_ctx_open(folder, config, &ctx, &err), &err);
    assert_ok(item_check_image(ctx, w.image, NULL, &result, &err), &err);
    head_spec spec = default_head(1);
    spec.width = 3;
    spec.embedder = item_result_text(result, ITEM_TEXT_EMBEDDER);
    free(write_head("pack/head.safetensors", &spec));
    free(folder);
    const pack_spec headed = {.head = "head.safetensors"};
    folder = write_pack("pack", &headed);
    item_result_unref(result);
    item_ctx_unref(ctx);
    item_config_unref(config);
    free(at);
    return folder;
}

/* ---- a training set of vectors ---- */

static void unit(uint32_t *state, const float *near_to, float pull, float *to)
{
    double length = 0;
    for (size_t i = 0; i < WIDTH; i++) {
        *state = *state * 1664525u + 1013904223u;
        to[i] = (float)(*state >> 8) / (float)(1 << 24) - 0.5f + (near_to ? pull * near_to[i] : 0);
        length += (double)to[i] * (double)to[i];
    }
    for (size_t i = 0; i < WIDTH; i++)
        to[i] = (float)((double)to[i] / sqrt(length));
}

static void add_row(uint32_t *state, uint32_t source, uint32_t label, uint32_t number)
{
    float image[WIDTH], text[WIDTH], crop[WIDTH], phrase[WIDTH];
    char name[32], from[32], scene[32];
    item_error err = ITEM_ERROR_INIT;
    item_row row = ITEM_ROW_INIT;
    unit(state, NULL, 0, image);
    unit(state, image, label ? 1 : 3, text);
    unit(state, NULL, 0, crop);
    unit(state, crop, label ? 1 : 3, phrase);
    snprintf(name, sizeof name, "%u/%u/%u.jpg", source, label, number);
    snprintf(from, sizeof from, "source %u", source);
    snprintf(scene, sizeof scene, "scene %u %u", source, number / 2);
    row.label = label;
    row.objects = number % 2;
    row.picture_width = row.picture_height = 224;
    row.file_bytes = 1000 + number;
    row.caption_logprob = -1 - number * 0.1;
    row.image = image;
    row.text = text;
    row.crops = crop;
    row.phrases = phrase;
    row.name = name;
    row.source = from;
    row.generator = label ? "maker" : "photo";
    row.scene = scene;
    assert_ok(item_dataset_add(w.train, &row, &err), &err);
}

static void make_training_set(void)
{
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    item_error err = ITEM_ERROR_INIT;
    uint32_t state = 1;
    info.width = WIDTH;
    info.working_size = 224;
    info.working_filter = "bicubic";
    info.embedder = "dummy 1";
    assert_ok(item_dataset_new(&info, &w.train, &err), &err);
    for (uint32_t source = 0; source < 3; source++)
        for (uint32_t label = 0; label < 2; label++)
            for (uint32_t i = 0; i < ROWS; i++)
                add_row(&state, source, label, i);
}

/* ---- contexts ---- */

item_config *world_config(bool dummies)
{
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    assert_ok(item_config_new(&config, &err), &err);
    if (dummies) {
        assert_ok(item_config_set_captioner(config, item_dummy_captioner(), NULL, &err), &err);
        assert_ok(item_config_set_detector(config, item_dummy_detector(), NULL, &err), &err);
        assert_ok(item_config_set_embedder(config, item_dummy_embedder(), NULL, &err), &err);
        set_option(config, "head", w.head);
    } else {
        assert_ok(item_config_set_engine(config, NULL, FAKE_ENGINE, &err), &err);
    }
    set_option(config, "max_objects", "3");
    assert_ok(item_config_set_allocator(config, the_allocator, &err), &err);
    return config;
}

static item_ctx *open_used(const char *pack, item_config *config)
{
    item_error err = ITEM_ERROR_INIT;
    item_ctx *ctx = NULL;
    item_result *result = NULL;
    int32_t ids[16];
    size_t count;
    assert_ok(item_ctx_open(pack, config, &ctx, &err), &err);
    assert_ok(item_check_image(ctx, w.image, NULL, &result, &err), &err);
    if (pack)
        assert_ok(item_tokenize(ctx, "a dog", ids, 16, &count, &err), &err);
    item_result_unref(result);
    item_config_unref(config);
    return ctx;
}

void world_make(void)
{
    item_error err = ITEM_ERROR_INIT;
    item_train_options options = ITEM_TRAIN_OPTIONS_INIT;
    head_spec spec = default_head(1);
    spec.working_size = 16;
    spec.size_min = 0;
    spec.weight = 2;
    spec.pipeline = "captioner dummy 1, detector dummy 1, beams default, max_objects 3, "
                    "detector_score default";
    w.image = make_picture(5, 40, 30);
    w.pictures[0] = write_picture("one.png", 1, 40, 30);
    w.pictures[1] = write_picture("two.png", 2, 30, 30);
    w.broken = temp_path("broken.png");
    write_text(w.broken, "no picture");
    w.head = write_head("head.safetensors", &spec);
    w.pack = write_pack_with_head();
    w.model = write_folder("model", (const piece[]){CLIP_CONFIG, BYTE_PAIRS, WEIGHTS, {0}});
    char *weights = path_in(w.model, "model.safetensors");
    write_one_tensor(weights, 1000);
    free(weights);
    w.made = temp_path("made");
    w.data = temp_path("data.safetensors");
    w.saved = temp_path("saved.safetensors");
    w.written = temp_path("written.safetensors");
    w.cache = temp_path("cache");
    w.index = temp_path("index");
    write_set();
    make_training_set();
    assert_ok(item_dataset_save(w.train, w.data, &err), &err);
    options.draws = 2;
    options.controls = 0;
    assert_ok(item_train(w.train, &options, &w.report, &err), &err);
    assert_ok(item_report_write_head(w.report, w.written, &err), &err);
}

void world_open(void)
{
    w.ctx = open_used(NULL, world_config(true));
    w.pack_ctx = open_used(w.pack, world_config(false));
}

void world_close(void)
{
    item_ctx_unref(w.ctx);
    item_ctx_unref(w.pack_ctx);
    w.ctx = w.pack_ctx = NULL;
}

void world_free(void)
{
    char **const texts[] = {&w.pictures[0], &w.pictures[1], &w.broken, &w.head, &w.pack,
                            &w.model,       &w.made,        &w.set,    &w.list, &w.data,
                            &w.saved,       &w.written,     &w.cache,  &w.index};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(*texts[i]);
    item_image_unref(w.image);
    item_dataset_free(w.train);
    item_report_free(w.report);
    memset(&w, 0, sizeof w);
}
