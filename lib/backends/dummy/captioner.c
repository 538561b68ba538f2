/* SPDX-License-Identifier: Apache-2.0 */
/* A captioner without a model: a sentence chosen by the pixels, always the same for the same. */
#include <stdio.h>
#include <string.h>

#include "backends/dummy/dummy.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const things[] = {"dog",  "cat",    "car",     "horse", "boat",
                                     "bird", "bottle", "bicycle", "chair", "train"};
static const char *const places[] = {"grass", "street", "beach", "table", "bridge", "field"};

/* The colour that most of the picture's light has. */
static const char *colour(const itemi_dummy_pixels *pixels)
{
    uint64_t sum[3] = {0, 0, 0};
    size_t count = (size_t)pixels->width * pixels->height;
    for (size_t i = 0; i < count; i++) {
        for (size_t c = 0; c < 3; c++)
            sum[c] += pixels->rgb[3 * i + c];
    }
    uint64_t all = sum[0] + sum[1] + sum[2];
    if (all < count * 3 * 40)
        return "black";
    if (all > count * 3 * 215)
        return "white";
    for (size_t c = 0; c < 3; c++) {
        if (sum[c] * 5 > all * 2)
            return c == 0 ? "red" : c == 1 ? "green" : "blue";
    }
    return "grey";
}

/* What the captioner says of a picture by itself. */
typedef struct speech {
    char text[128];
    double logprob, margin;
    uint64_t hash; /* of the picture */
} speech;

static void say(const itemi_dummy_pixels *pixels, uint64_t state, speech *out)
{
    size_t first = (size_t)(itemi_dummy_next(&state) * COUNT(things));
    size_t second = (first + 1 + (size_t)(itemi_dummy_next(&state) * (COUNT(things) - 1)));
    size_t place = (size_t)(itemi_dummy_next(&state) * COUNT(places));
    snprintf(out->text, sizeof out->text, "a %s %s and a %s on the %s", colour(pixels),
             things[first], things[second % COUNT(things)], places[place]);
    out->logprob = -0.4 - 0.4 * itemi_dummy_next(&state);
    out->margin = 0.05 + 0.5 * itemi_dummy_next(&state);
}

/* No other text is as probable as the one that is said. */
static double score_of(const speech *own, const char *text)
{
    if (strcmp(text, own->text) == 0)
        return own->logprob;
    uint64_t state = own->hash ^ itemi_dummy_hash(text, strlen(text), 5);
    return own->logprob - 1 - itemi_dummy_next(&state);
}

static item_status look(const item_image *image, itemi_dummy_pixels *pixels, speech *own,
                        item_error *err)
{
    item_status status = itemi_dummy_look(image, pixels, err);
    if (status != ITEM_OK)
        return status;
    size_t bytes = (size_t)pixels->width * pixels->height * 3;
    own->hash = itemi_dummy_hash(pixels->rgb, bytes, pixels->width);
    say(pixels, own->hash, own);
    return ITEM_OK;
}

/* Where words are drawn: how probable they are is told without temperature. */
static void draw(const itemi_dummy_pixels *pixels, const item_caption_options *options, speech *own)
{
    const double drawn[2] = {options->temperature, (double)options->seed};
    speech other;
    say(pixels, itemi_dummy_hash(drawn, sizeof drawn, own->hash), &other);
    other.logprob = score_of(own, other.text);
    other.hash = own->hash;
    *own = other;
}

static item_status caption_one(const item_image *image, const item_caption_options *options,
                               item_caption_out *out, item_error *err)
{
    itemi_dummy_pixels pixels;
    speech own;
    item_status status = look(image, &pixels, &own, err);
    if (status != ITEM_OK)
        return status;
    if (options->struct_size >= offsetof(item_caption_options, seed) + sizeof options->seed &&
        options->temperature > 0)
        draw(&pixels, options, &own);
    snprintf(out->text, out->capacity, "%s", own.text);
    out->logprob = own.logprob;
    out->margin = own.margin;
    return ITEM_OK;
}

static item_status caption(void *self, const item_call *call, const item_image *const *images,
                           size_t n, const item_caption_options *options,
                           item_caption_out *const *out, item_error *err)
{
    (void)self;
    for (size_t i = 0; i < n; i++) {
        if (call->cancelled(call->host))
            return ITEM_E_CANCELLED;
        item_status status = caption_one(images[i], options, out[i], err);
        if (status != ITEM_OK)
            return status;
    }
    return ITEM_OK;
}

static item_status score(void *self, const item_call *call, const item_image *const *images,
                         const char *const *texts, size_t n, const item_caption_options *options,
                         double *out, item_error *err)
{
    (void)self;
    (void)options;
    for (size_t i = 0; i < n; i++) {
        itemi_dummy_pixels pixels;
        speech own;
        if (call->cancelled(call->host))
            return ITEM_E_CANCELLED;
        item_status status = look(images[i], &pixels, &own, err);
        if (status != ITEM_OK)
            return status;
        out[i] = score_of(&own, texts[i]);
    }
    return ITEM_OK;
}

const item_captioner_ops *item_dummy_captioner(void)
{
    static const item_captioner_ops ops = {
        .struct_size = sizeof ops,
        .version = ITEM_BACKEND_VERSION,
        .name = "dummy",
        .id = ITEMI_DUMMY_ID,
        .caption = caption,
        .score = score,
    };
    return &ops;
}
