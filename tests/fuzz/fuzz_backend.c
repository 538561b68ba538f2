/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input: the answers of a captioner, a detector and an embedder, taken byte by byte as they are
 * called. Whatever they say, an answer of the library is whole and within its bounds.
 */
#include <item/sys/backend.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define WIDTH 4
#define SIDE  224 /* the working size: no time goes into resizing */
#define MOST  255 /* bytes of a caption */

#define COSINE_MOST 1.0021 /* a backend's unit vectors may be 1.001 long */

static const uint8_t *at, *end;

static uint8_t next(void)
{
    return at < end ? *at++ : 0;
}

/* A whole number as a rule, so that plausible answers are frequent. */
static double next_number(double unit)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300, 1e-300, -0.0, 0.5};
    uint8_t byte = next();
    return byte >= 248 ? odd[byte - 248] : (double)(int8_t)(byte + 64) * unit;
}

static item_status next_status(item_error *err)
{
    uint8_t byte = next();
    if (byte < 240)
        return ITEM_OK;
    if (byte % 2 && err)
        memcpy(err->message, "a\xff\n%s", 6);
    return (item_status)byte - 245;
}

static item_status caption(void *self, const item_call *call, const item_image *const *images,
                           size_t n, const item_caption_options *options,
                           item_caption_out *const *out, item_error *err)
{
    (void)self;
    (void)images;
    (void)options;
    for (size_t i = 0; i < n; i++) {
        size_t length = next();
        EXPECT(out[i]->capacity > MOST);
        for (size_t j = 0; j < length; j++)
            out[i]->text[j] = (char)next();
        if (next() < 250)
            out[i]->text[length] = '\0';
        out[i]->logprob = next_number(0.03125);
        out[i]->margin = next_number(0.03125);
    }
    if (next() == 7)
        call->warn(call->host, "a\xff\nwarning");
    return next_status(err);
}

static item_status detect(void *self, const item_call *call, const item_image *const *images,
                          size_t n, const char *const *const *phrases,
                          const char *const *const *heads, const size_t *counts,
                          const item_detect_options *options, const item_box_sink *const *sinks,
                          item_error *err)
{
    (void)self;
    (void)call;
    (void)images;
    (void)heads;
    (void)options;
    for (size_t i = 0; i < n; i++) {
        for (size_t p = 0; p < counts[i]; p++)
            fuzz_text(phrases[i][p]);
        for (size_t boxes = next() % 80; boxes > 0; boxes--) {
            size_t phrase = next() % 16;
            double box[4];
            for (size_t k = 0; k < 4; k++)
                box[k] = next_number(2);
            (void)sinks[i]->add(sinks[i]->host, phrase, box, next_number(0.015625));
        }
    }
    return next_status(err);
}

static void write_vectors(float *out, size_t n)
{
    for (size_t i = 0; i < n; i++, out += WIDTH) {
        uint8_t kind = next();
        memset(out, 0, WIDTH * sizeof *out);
        out[kind % WIDTH] = kind & 64 ? -1 : 1;
        for (size_t k = 0; kind >= 240 && k < WIDTH; k++)
            out[k] = (float)next_number(0.5);
    }
}

static item_status embed_images(void *self, const item_call *call, const item_crop *const *crops,
                                size_t n, float *out, item_error *err)
{
    (void)self;
    (void)call;
    for (size_t i = 0; i < n; i++) {
        const double *box = crops[i]->box;
        item_image_info info = ITEM_IMAGE_INFO_INIT;
        EXPECT(item_image_get_info(crops[i]->image, &info, NULL) == ITEM_OK);
        EXPECT(box[0] >= 0 && box[1] >= 0 && box[0] < box[2] && box[1] < box[3]);
        EXPECT(box[2] <= info.width && box[3] <= info.height);
    }
    write_vectors(out, n);
    return next_status(err);
}

static item_status embed_texts(void *self, const item_call *call, const char *const *texts,
                               size_t n, float *out, item_error *err)
{
    (void)self;
    (void)call;
    for (size_t i = 0; i < n; i++)
        fuzz_text(texts[i]);
    write_vectors(out, n);
    return next_status(err);
}

static const item_captioner_ops captioner = {.struct_size = sizeof captioner,
                                             .version = ITEM_BACKEND_VERSION,
                                             .name = "fuzz",
                                             .id = "1",
                                             .caption = caption};
static const item_detector_ops detector = {.struct_size = sizeof detector,
                                           .version = ITEM_BACKEND_VERSION,
                                           .name = "fuzz",
                                           .id = "1",
                                           .detect = detect};
static const item_embedder_ops embedder = {.struct_size = sizeof embedder,
                                           .version = ITEM_BACKEND_VERSION,
                                           .name = "fuzz",
                                           .id = "1",
                                           .width = WIDTH,
                                           .embed_images = embed_images,
                                           .embed_texts = embed_texts};

static void check_objects(const item_result *result)
{
    item_error err = ITEM_ERROR_INIT;
    item_result_summary summary = ITEM_RESULT_SUMMARY_INIT;
    EXPECT(item_result_get_summary(result, &summary, &err) == ITEM_OK);
    EXPECT(fabs(summary.similarity) <= COSINE_MOST && summary.caption_logprob <= 0);
    for (uint32_t i = 0; i < summary.objects; i++) {
        item_object object = ITEM_OBJECT_INIT;
        EXPECT(item_result_get_object(result, i, &object, &err) == ITEM_OK);
        fuzz_text(object.phrase);
        EXPECT(object.score >= 0 && object.score <= 1);
        EXPECT(fabs(object.similarity) <= COSINE_MOST);
        EXPECT(object.box[0] >= 0 && object.box[0] < object.box[2] && object.box[2] <= SIDE);
        EXPECT(object.box[1] >= 0 && object.box[1] < object.box[3] && object.box[3] <= SIDE);
    }
    for (int32_t which = ITEM_TEXT_FILE; which <= ITEM_TEXT_EMBEDDER; which++)
        fuzz_text(item_result_text(result, which));
}

static void check_result(item_status status, item_result *result, const item_error *err)
{
    fuzz_outcome(status, result, err);
    if (status != ITEM_OK)
        return;
    fuzz_text(item_result_json(result));
    json_t *object = json_loads(item_result_json(result), JSON_REJECT_DUPLICATES, NULL);
    EXPECT(json_is_object(object));
    json_decref(object);
    item_error why = ITEM_ERROR_INIT;
    if (item_result_status(result, &why) == ITEM_OK)
        check_objects(result);
    item_result_unref(result);
}

static item_ctx *ctx;
static item_image *image;

static void release(void)
{
    item_image_unref(image);
    item_ctx_unref(ctx);
}

static void open_context(void)
{
    static const uint8_t pixels[SIDE * SIDE * 3] = {200, 10, 40, 7, 77, 250};
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    EXPECT(item_config_new(&config, &err) == ITEM_OK);
    EXPECT(item_config_set_captioner(config, &captioner, NULL, &err) == ITEM_OK);
    EXPECT(item_config_set_detector(config, &detector, NULL, &err) == ITEM_OK);
    EXPECT(item_config_set_embedder(config, &embedder, NULL, &err) == ITEM_OK);
    EXPECT(item_ctx_open(NULL, config, &ctx, &err) == ITEM_OK);
    item_config_unref(config);
    EXPECT(item_image_from_pixels(pixels, ITEM_PIXELS_RGB, SIDE, SIDE, SIDE * 3, NULL, &image,
                                  &err) == ITEM_OK);
    (void)atexit(release);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!ctx)
        open_context();
    at = data;
    end = data + size;
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    item_status status = item_check_image(ctx, image, NULL, &result, &err);
    check_result(status, result, &err);

    item_image *const images[] = {image, image};
    item_result *results[2] = {NULL, NULL};
    err = (item_error)ITEM_ERROR_INIT;
    status = item_check_images(ctx, images, 2, NULL, results, &err);
    EXPECT(err.code == status);
    for (size_t i = 0; i < 2; i++) {
        if (!results[i])
            continue;
        item_error none = ITEM_ERROR_INIT;
        check_result(ITEM_OK, results[i], &none);
    }
    return 0;
}
