/* SPDX-License-Identifier: Apache-2.0 */
/* Bombs that are arguments of calls and answers of backends. */
#include <stdlib.h>
#include <string.h>

#include <item/sys/backend.h>

#include "bombs.h"

#define MB 1000000

/* ---- texts ---- */

/* `size` bytes of a text again and again. */
static char *repeat(const char *text, size_t size)
{
    size_t length = strlen(text);
    char *all = need(size + 1);
    for (size_t at = 0; at + length <= size; at += length)
        memcpy(all + at, text, length);
    return all;
}

#define LONGEST 65536 /* bytes of a text */

/* Phrases of the longest text of each kind; what they say does not matter, that it ends does. */
static item_status run_phrases(const char *path, item_error *err)
{
    static const char *const texts[] = {"a dog ",
                                        "a",
                                        "A.",
                                        "'s",
                                        "n't ",
                                        "#tag ",
                                        "www.a ",
                                        "@",
                                        "-",
                                        "a-",
                                        "and a man ",
                                        "1,",
                                        "10:",
                                        "\n",
                                        "of a ",
                                        "\xcc\x81",
                                        "\xe2\x80\x99",
                                        "\xf0\x9f\x90\xb6",
                                        "a big red ",
                                        "a couple of two ",
                                        "left other "};
    (void)path;
    item_status status = ITEM_OK;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && status == ITEM_OK; i++) {
        char *text = repeat(texts[i], LONGEST);
        item_phrases *phrases = NULL;
        status = item_phrases_find(text, &phrases, err);
        item_phrases_free(phrases);
        free(text);
    }
    return status;
}

static item_image *picture(uint32_t width, uint32_t height)
{
    item_image *image;
    unsigned char *pixels = need((size_t)width * height);
    for (size_t i = 0; i < (size_t)width * height; i++)
        pixels[i] = (unsigned char)(i * 7 + i / 97);
    if (item_image_from_pixels(pixels, ITEM_PIXELS_GREY, width, height, width, NULL, &image, NULL))
        abort();
    free(pixels);
    return image;
}

/* A context of stand-ins, with another detector where one is given. */
static item_ctx *open_ctx(const item_detector_ops *detector)
{
    item_ctx *ctx;
    item_config *config;
    if (item_config_new(&config, NULL) ||
        item_config_set_captioner(config, item_dummy_captioner(), NULL, NULL) ||
        item_config_set_detector(config, detector ? detector : item_dummy_detector(), NULL, NULL) ||
        item_config_set_embedder(config, item_dummy_embedder(), NULL, NULL) ||
        item_ctx_open(NULL, config, &ctx, NULL))
        abort();
    item_config_unref(config);
    return ctx;
}

/* Checks a picture and writes the answer as JSON. */
static item_status check(item_ctx *ctx, item_image *image, const char *caption, item_error *err)
{
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_result *result = NULL;
    options.caption = caption;
    measure_start();
    item_status status = item_check_image(ctx, image, &options, &result, err);
    if (status == ITEM_OK && !item_result_json(result))
        status = wrong(err, "no JSON");
    measure_stop();
    item_result_unref(result);
    return status;
}

static item_status run_caption(const char *path, item_error *err)
{
    (void)path;
    char *caption = repeat("a red dog and two cats on the beach. ", MB);
    item_image *image = picture(300, 200);
    item_ctx *ctx = open_ctx(NULL);
    item_status status = check(ctx, image, caption, err);
    item_ctx_unref(ctx);
    item_image_unref(image);
    free(caption);
    return status;
}

static item_status run_thin(const char *path, item_error *err)
{
    (void)path;
    item_ctx *ctx = open_ctx(NULL);
    item_status status = ITEM_OK;
    for (int turned = 0; turned < 2 && status == ITEM_OK; turned++) {
        item_image *image = turned ? picture(1, 10 * MB) : picture(10 * MB, 1);
        status = check(ctx, image, NULL, err);
        item_image_unref(image);
    }
    item_ctx_unref(ctx);
    return status;
}

/* ---- phrases and boxes ---- */

static item_status detect(const item_detector_ops *detector, const char *phrase, size_t count,
                          item_error *err)
{
    const char **phrases = need(count * sizeof *phrases);
    for (size_t i = 0; i < count; i++)
        phrases[i] = phrase;
    item_image *image = picture(300, 200);
    item_ctx *ctx = open_ctx(detector);
    item_result *result = NULL;
    measure_start();
    item_status status = item_detect_image(ctx, image, phrases, count, NULL, &result, err);
    measure_stop();
    item_result_unref(result);
    item_ctx_unref(ctx);
    item_image_unref(image);
    free(phrases);
    return status;
}

static item_status run_million(const char *path, item_error *err)
{
    (void)path;
    return detect(NULL, "a dog", MB, err);
}

static item_status run_long_phrases(const char *path, item_error *err)
{
    (void)path;
    char *phrase = repeat("a red dog ", LONGEST);
    item_status status = detect(NULL, phrase, 1000, err);
    free(phrase);
    return status;
}

static item_status run_most_phrases(const char *path, item_error *err)
{
    (void)path;
    char *phrase = repeat("a red dog ", 250);
    item_status status = detect(NULL, phrase, 1000, err);
    free(phrase);
    return status;
}

static size_t boxes; /* that the detector below gives */

/* Does not listen to what add() answers. */
static item_status give_boxes(void *self, const item_call *call, const item_image *const *images,
                              size_t n, const char *const *const *phrases,
                              const char *const *const *heads, const size_t *counts,
                              const item_detect_options *options, const item_box_sink *const *sinks,
                              item_error *err)
{
    (void)self, (void)call, (void)images, (void)phrases, (void)heads, (void)counts, (void)options;
    (void)err;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < boxes; j++) {
            double x = (double)(j % 100), y = (double)(j / 100 % 100);
            (void)sinks[i]->add(sinks[i]->host, 0, (double[]){x, y, x + 3, y + 2},
                                1.0 / (1.0 + (double)j));
        }
    }
    return ITEM_OK;
}

static const item_detector_ops generous = {.struct_size = sizeof generous,
                                           .version = ITEM_BACKEND_VERSION,
                                           .name = "generous",
                                           .id = "1",
                                           .detect = give_boxes};

static item_status run_boxes(const char *path, item_error *err)
{
    (void)path;
    boxes = 100000;
    return detect(&generous, "a dog", 1, err);
}

static item_status run_most_boxes(const char *path, item_error *err)
{
    (void)path;
    boxes = 10000;
    return detect(&generous, "a dog", 1, err);
}

/* ---- options ---- */

static item_status run_option(const char *path, item_error *err)
{
    (void)path;
    item_config *config;
    if (item_config_new(&config, NULL) != ITEM_OK)
        abort();
    char *value = repeat("0.1e9", 50 * (size_t)MB);
    measure_start();
    item_status status = item_config_set(config, "prior", value, err);
    measure_stop();
    free(value);
    item_config_unref(config);
    return status;
}

const bomb call_bombs[] = {
    {"phrases", "21 odd texts of 64 KiB, to phrases", NULL, run_phrases, ITEM_OK, NULL},
    {"caption", "caption of 1 MB", NULL, run_caption, ITEM_E_LIMIT, "65536 bytes"},
    {"thin", "pictures of 10,000,000 x 1 and 1 x 10,000,000", NULL, run_thin, ITEM_OK, NULL},
    {"million", "a million phrases", NULL, run_million, ITEM_E_ARGUMENT, "1 to 1000"},
    {"long", "1,000 phrases of 64 KiB", NULL, run_long_phrases, ITEM_E_LIMIT, "262144 bytes"},
    {"longest", "1,000 phrases of 250 bytes", NULL, run_most_phrases, ITEM_OK, NULL},
    {"boxes", "100,000 boxes from a detector", NULL, run_boxes, ITEM_E_BACKEND,
     "more than 10000 boxes"},
    {"most", "10,000 boxes from a detector", NULL, run_most_boxes, ITEM_OK, NULL},
    {"option", "value of an option of 50 MB", NULL, run_option, ITEM_E_ARGUMENT, NULL},
};
const size_t call_bombs_count = sizeof call_bombs / sizeof call_bombs[0];
