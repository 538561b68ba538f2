/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structs and tables of callers that are older, newer or not initialised. Input: a byte for the
 * function, a byte for its pointers (a set bit is a valid one, else NULL), struct_size in four
 * bytes, then the struct's bytes behind it. The struct lies in a block that ends where struct_size
 * says, so the sanitizers see what is read or written beyond.
 */
#include <item/sys/backend.h>
#include <item/sys/engine.h>
#include <item/train.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define WIDTH 2
#define MOST  8192 /* bytes of a block; a size far beyond ours must be refused unread */

/* One of each thing that a call needs; made once. */
static item_ctx *ctx;
static item_image *image;
static item_result *result;
static item_dataset *dataset;
static item_cancel *cancelled;

typedef struct place {
    size_t offset;
    const void *valid;
} place;

/* The struct of this input, and its size; `bits` choose which pointers are valid. */
typedef struct input {
    uint8_t *block;
    size_t size;
    unsigned bits;
} input;

static void set_pointers(input *in, const place *places, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const void *value = in->bits >> i % 8 & 1 ? places[i].valid : NULL;
        size_t room = in->size > places[i].offset ? in->size - places[i].offset : 0;
        memcpy(in->block + (room ? places[i].offset : 0), &value,
               room < sizeof value ? room : sizeof value);
    }
}

#define POINTERS(in, ...)                                                                          \
    do {                                                                                           \
        const place places_[] = {__VA_ARGS__};                                                     \
        set_pointers(in, places_, sizeof places_ / sizeof places_[0]);                             \
    } while (0)

#define FUNCTION(f) ((const void *)(uintptr_t)(f)) /* ISO C has no way without the integer */

static void told(item_status status, const item_error *err)
{
    EXPECT(err->code == status);
    fuzz_text(err->message);
}

/* ---- structs that are read ---- */

static void no_progress(void *user, uint64_t done, uint64_t total)
{
    (void)user;
    (void)done;
    (void)total;
}

static void call_image_options(input *in)
{
    static const uint8_t pixels[] = {1, 2, 3};
    item_error err = ITEM_ERROR_INIT;
    item_image *out = NULL;
    POINTERS(in, {offsetof(item_image_options, allocator), NULL},
             {offsetof(item_image_options, cancel), cancelled});
    item_status status =
        item_image_from_pixels(pixels, ITEM_PIXELS_RGB, 1, 1, 3, (void *)in->block, &out, &err);
    fuzz_outcome(status, out, &err);
    item_image_unref(out);
}

static void call_check_options(input *in)
{
    static const char *const captions[] = {"a dog"};
    item_error err = ITEM_ERROR_INIT;
    item_result *out = NULL;
    POINTERS(in, {offsetof(item_check_options, caption), "a red car"},
             {offsetof(item_check_options, captions), captions},
             {offsetof(item_check_options, cancel), cancelled},
             {offsetof(item_check_options, progress), FUNCTION(no_progress)},
             {offsetof(item_check_options, progress_user), NULL});
    item_status status = item_check_image(ctx, image, (void *)in->block, &out, &err);
    fuzz_outcome(status, out, &err);
    item_result_unref(out);
}

static void call_dataset_info(input *in)
{
    item_error err = ITEM_ERROR_INIT;
    item_dataset *out = NULL;
    POINTERS(in, {offsetof(item_dataset_info, embedder), "dummy"},
             {offsetof(item_dataset_info, working_filter), "bicubic"},
             {offsetof(item_dataset_info, pipeline), "own"});
    item_status status = item_dataset_new((void *)in->block, &out, &err);
    fuzz_outcome(status, out, &err);
    item_dataset_free(out);
}

/* As many as there are: a caller's own lie is his own fault. */
static void keep_below_5(input *in, size_t offset)
{
    uint32_t count;
    if (in->size < offset + sizeof count)
        return;
    memcpy(&count, in->block + offset, sizeof count);
    count %= 5;
    memcpy(in->block + offset, &count, sizeof count);
}

static void call_row(input *in)
{
    static const float unit[WIDTH * 4] = {1, 0, 0, 1, 0.6f, 0.8f, 1, 0};
    const item_dataset_info info = {
        .struct_size = sizeof info, .width = WIDTH, .embedder = "dummy", .views = 1, .layers = 2};
    item_error err = ITEM_ERROR_INIT;
    item_dataset *out = NULL;
    POINTERS(in, {offsetof(item_row, image), unit}, {offsetof(item_row, text), unit},
             {offsetof(item_row, crops), unit}, {offsetof(item_row, phrases), unit},
             {offsetof(item_row, name), "one.jpg"}, {offsetof(item_row, source), "here"},
             {offsetof(item_row, generator), "unknown"}, {offsetof(item_row, scene), NULL},
             {offsetof(item_row, caption), "a dog"}, {offsetof(item_row, picture), unit},
             {offsetof(item_row, named_phrases), unit}, {offsetof(item_row, views), unit},
             {offsetof(item_row, layers), unit});
    keep_below_5(in, offsetof(item_row, objects));
    keep_below_5(in, offsetof(item_row, named));
    EXPECT(item_dataset_new(&info, &out, &err) == ITEM_OK);
    told(item_dataset_add(out, (void *)in->block, &err), &err);
    item_dataset_free(out);
}

static void call_train_options(input *in)
{
    item_error err = ITEM_ERROR_INIT;
    item_report *out = NULL;
    const char *candidates[65];
    for (size_t i = 0; i < 65; i++) /* more than are taken */
        candidates[i] = i % 2 ? "cosine/both/1" : "difference/global/1 4,2";
    POINTERS(in, {offsetof(item_train_options, layout), "cosine/both/1"},
             {offsetof(item_train_options, candidates), candidates},
             {offsetof(item_train_options, threshold_rule), "worst-source"},
             {offsetof(item_train_options, trained_on), "nothing"},
             {offsetof(item_train_options, progress), FUNCTION(no_progress)},
             {offsetof(item_train_options, progress_user), NULL});
    in->bits = 1; /* always cancelled: training has tests of its own */
    POINTERS(in, {offsetof(item_train_options, cancel), cancelled});
    item_status status = item_train(dataset, (void *)in->block, &out, &err);
    fuzz_outcome(status, out, &err);
    item_report_free(out);
}

static void call_eval_options(input *in)
{
    item_error err = ITEM_ERROR_INIT;
    item_report *out = NULL;
    POINTERS(in, {offsetof(item_eval_options, threshold), "0.5"},
             {offsetof(item_eval_options, rival), "no such file"},
             {offsetof(item_eval_options, controls), dataset});
    in->bits = 1;
    POINTERS(in, {offsetof(item_eval_options, cancel), cancelled});
    item_status status =
        item_evaluate(dataset, PACK_FILES "/head.safetensors", NULL, (void *)in->block, &out, &err);
    fuzz_outcome(status, out, &err);
    item_report_free(out);
}

static void call_calibrate_options(input *in)
{
    item_error err = ITEM_ERROR_INIT;
    item_report *out = NULL;
    POINTERS(in, {offsetof(item_calibrate_options, pictures), "own"});
    item_status status = item_calibrate(dataset, PACK_FILES "/head.safetensors", NULL,
                                        (void *)in->block, &out, &err);
    fuzz_outcome(status, out, &err);
    item_report_free(out);
}

static void call_extract_options(input *in)
{
    item_error err = ITEM_ERROR_INIT;
    item_dataset *out = NULL;
    POINTERS(in, {offsetof(item_extract_options, split), "train"},
             {offsetof(item_extract_options, cancel), cancelled},
             {offsetof(item_extract_options, progress), FUNCTION(no_progress)},
             {offsetof(item_extract_options, progress_user), NULL});
    item_status status = item_dataset_extract(ctx, fuzz_file("path,label\nno such file,ai\n", 27),
                                              (void *)in->block, &out, &err);
    fuzz_outcome(status, out, &err);
    item_dataset_free(out);
}

/* ---- structs that are written ---- */

static void call_image_info(input *in)
{
    item_error err = ITEM_ERROR_INIT;
    told(item_image_get_info(image, (void *)in->block, &err), &err);
}

static void call_ctx_info(input *in)
{
    item_error err = ITEM_ERROR_INIT;
    told(item_ctx_get_info(ctx, (void *)in->block, &err), &err);
}

static void call_summary(input *in)
{
    item_error err = ITEM_ERROR_INIT;
    told(item_result_get_summary(result, (void *)in->block, &err), &err);
}

static void call_object(input *in)
{
    item_error err = ITEM_ERROR_INIT;
    told(item_result_get_object(result, in->bits % 2, (void *)in->block, &err), &err);
}

static void call_timings(input *in)
{
    item_error err = ITEM_ERROR_INIT;
    told(item_result_get_timings(result, (void *)in->block, &err), &err);
}

static void call_get_row(input *in)
{
    item_error err = ITEM_ERROR_INIT;
    told(item_dataset_get(dataset, in->bits, (void *)in->block, &err), &err);
}

static void call_get_info(input *in)
{
    item_error err = ITEM_ERROR_INIT;
    told(item_dataset_get_info(dataset, (void *)in->block, &err), &err);
}

static void call_error(input *in)
{
    item_image *out = image;
    EXPECT(item_image_from_memory("GIF89a", 6, NULL, &out, (void *)in->block) != ITEM_OK);
    EXPECT(out == NULL);
}

/* ---- tables ---- */

/* Registers a table and, where it is taken in, checks the picture with it. */
static void use_table(item_config *config, item_status status, item_error *err)
{
    told(status, err);
    item_ctx *own = NULL;
    if (status == ITEM_OK) {
        EXPECT(item_config_set_embedder(config, item_dummy_embedder(), NULL, err) == ITEM_OK);
        EXPECT(item_ctx_open(NULL, config, &own, err) == ITEM_OK);
        item_result *out = NULL;
        status = item_caption_image(own, image, NULL, &out, err);
        fuzz_outcome(status, out, err);
        item_result_unref(out);
    }
    item_config_unref(config);
    item_ctx_unref(own);
}

static item_config *new_config(void)
{
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    EXPECT(item_config_new(&config, &err) == ITEM_OK);
    return config;
}

static void call_captioner(input *in)
{
    const item_captioner_ops *dummy = item_dummy_captioner();
    item_error err = ITEM_ERROR_INIT;
    item_config *config = new_config();
    POINTERS(in, {offsetof(item_captioner_ops, name), "fuzz"},
             {offsetof(item_captioner_ops, id), "1"},
             {offsetof(item_captioner_ops, caption), FUNCTION(dummy->caption)},
             {offsetof(item_captioner_ops, close), NULL},
             {offsetof(item_captioner_ops, score), FUNCTION(dummy->score)});
    use_table(config, item_config_set_captioner(config, (void *)in->block, NULL, &err), &err);
}

static void call_detector(input *in)
{
    const item_detector_ops *dummy = item_dummy_detector();
    item_error err = ITEM_ERROR_INIT;
    item_config *config = new_config();
    POINTERS(in, {offsetof(item_detector_ops, name), "fuzz"},
             {offsetof(item_detector_ops, id), "1"},
             {offsetof(item_detector_ops, detect), FUNCTION(dummy->detect)},
             {offsetof(item_detector_ops, close), NULL});
    use_table(config, item_config_set_detector(config, (void *)in->block, NULL, &err), &err);
}

static void call_embedder(input *in)
{
    const item_embedder_ops *dummy = item_dummy_embedder();
    item_error err = ITEM_ERROR_INIT;
    item_config *config = new_config();
    POINTERS(in, {offsetof(item_embedder_ops, name), "fuzz"},
             {offsetof(item_embedder_ops, id), "1"},
             {offsetof(item_embedder_ops, embed_images), FUNCTION(dummy->embed_images)},
             {offsetof(item_embedder_ops, embed_texts), FUNCTION(dummy->embed_texts)},
             {offsetof(item_embedder_ops, close), NULL},
             {offsetof(item_embedder_ops, embed_layers), FUNCTION(dummy->embed_layers)});
    use_table(config, item_config_set_embedder(config, (void *)in->block, NULL, &err), &err);
}

static void *allocate(void *user, size_t size)
{
    (void)user;
    return malloc(size);
}

static void *resize(void *user, void *block, size_t size)
{
    (void)user;
    return realloc(block, size);
}

static void release(void *user, void *block)
{
    (void)user;
    free(block);
}

static void call_allocator(input *in)
{
    item_error err = ITEM_ERROR_INIT;
    item_config *config = new_config();
    POINTERS(in, {offsetof(item_allocator, allocate), FUNCTION(allocate)},
             {offsetof(item_allocator, resize), FUNCTION(resize)},
             {offsetof(item_allocator, release), FUNCTION(release)},
             {offsetof(item_allocator, user), NULL});
    use_table(config, item_config_set_allocator(config, (void *)in->block, &err), &err);
}

/* ---- */

static void make_things(void)
{
    static const uint8_t pixels[16 * 16 * 3] = {200, 10, 40, 7, 77, 250};
    static const float unit[] = {1, 0};
    item_error err = ITEM_ERROR_INIT;
    item_config *config = new_config();
    EXPECT(item_config_set_captioner(config, item_dummy_captioner(), NULL, &err) == ITEM_OK);
    EXPECT(item_config_set_detector(config, item_dummy_detector(), NULL, &err) == ITEM_OK);
    EXPECT(item_config_set_embedder(config, item_dummy_embedder(), NULL, &err) == ITEM_OK);
    EXPECT(item_ctx_open(NULL, config, &ctx, &err) == ITEM_OK);
    item_config_unref(config);
    EXPECT(item_image_from_pixels(pixels, ITEM_PIXELS_RGB, 16, 16, 48, NULL, &image, &err) ==
           ITEM_OK);
    EXPECT(item_check_image(ctx, image, NULL, &result, &err) == ITEM_OK);
    EXPECT(item_cancel_new(&cancelled, &err) == ITEM_OK);
    item_cancel_set(cancelled);
    const item_dataset_info info = {
        .struct_size = sizeof info, .width = WIDTH, .embedder = "dummy"};
    EXPECT(item_dataset_new(&info, &dataset, &err) == ITEM_OK);
    for (uint32_t i = 0; i < 24; i++) {
        item_row row = ITEM_ROW_INIT;
        row.label = i % 2;
        row.image = row.text = unit;
        row.source = i % 3 ? "here" : "there";
        EXPECT(item_dataset_add(dataset, &row, &err) == ITEM_OK);
    }
}

static void free_things(void)
{
    item_dataset_free(dataset);
    item_cancel_unref(cancelled);
    item_result_unref(result);
    item_image_unref(image);
    item_ctx_unref(ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const calls[])(input * in) = {
        call_image_options, call_check_options, call_dataset_info,    call_row,
        call_train_options, call_eval_options,  call_image_info,      call_ctx_info,
        call_summary,       call_object,        call_timings,         call_get_row,
        call_get_info,      call_error,         call_captioner,       call_detector,
        call_embedder,      call_allocator,     call_extract_options, call_calibrate_options};
    if (size < 6)
        return 0;
    if (!ctx) {
        make_things();
        (void)atexit(free_things);
    }
    uint32_t stated;
    memcpy(&stated, data + 2, sizeof stated);
    input in = {.size = stated < sizeof stated ? sizeof stated : stated, .bits = data[1]};
    if (in.size > MOST)
        in.size = MOST;
    in.block = calloc(1, in.size);
    EXPECT(in.block != NULL);
    size_t given = size - 2 < in.size ? size - 2 : in.size;
    memcpy(in.block, data + 2, given);
    calls[data[0] % (sizeof calls / sizeof calls[0])](&in);
    free(in.block);
    return 0;
}
