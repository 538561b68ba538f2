/* SPDX-License-Identifier: Apache-2.0 */
/* A captioner without a model: a sentence chosen by the pixels, always the same for the same. */
#include <stdio.h>

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

static item_status caption_one(const item_image *image, item_caption_out *out, item_error *err)
{
    itemi_dummy_pixels pixels;
    item_status status = itemi_dummy_look(image, &pixels, err);
    if (status != ITEM_OK)
        return status;
    size_t bytes = (size_t)pixels.width * pixels.height * 3;
    uint64_t state = itemi_dummy_hash(pixels.rgb, bytes, pixels.width);
    size_t first = (size_t)(itemi_dummy_next(&state) * COUNT(things));
    size_t second = (first + 1 + (size_t)(itemi_dummy_next(&state) * (COUNT(things) - 1)));
    size_t place = (size_t)(itemi_dummy_next(&state) * COUNT(places));
    snprintf(out->text, out->capacity, "a %s %s and a %s on the %s", colour(&pixels), things[first],
             things[second % COUNT(things)], places[place]);
    out->logprob = -0.4 - 0.4 * itemi_dummy_next(&state);
    out->margin = 0.05 + 0.5 * itemi_dummy_next(&state);
    return ITEM_OK;
}

static item_status caption(void *self, const item_call *call, const item_image *const *images,
                           size_t n, const item_caption_options *options,
                           item_caption_out *const *out, item_error *err)
{
    (void)self;
    (void)options;
    for (size_t i = 0; i < n; i++) {
        if (call->cancelled(call->host))
            return ITEM_E_CANCELLED;
        item_status status = caption_one(images[i], out[i], err);
        if (status != ITEM_OK)
            return status;
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
    };
    return &ops;
}
