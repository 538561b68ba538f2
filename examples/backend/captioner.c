/* SPDX-License-Identifier: Apache-2.0 */
/* A captioner that names the two colours with most pixels. */
#include "colours.h"

#include <math.h>
#include <stdio.h>

/* Indexes of the colours with most and second most pixels. */
static void two_largest(const uint64_t counts[COLOURS], size_t *first, size_t *second)
{
    *first = 0;
    for (size_t i = 1; i < COLOURS; i++)
        *first = counts[i] > counts[*first] ? i : *first;
    *second = *first == 0;
    for (size_t i = 0; i < COLOURS; i++)
        *second = i != *first && counts[i] > counts[*second] ? i : *second;
}

static item_status caption_one(const palette *p, const item_call *call, const item_image *image,
                               item_caption_out *out, item_error *err)
{
    view v;
    item_status status = look_at(image, &v, err);
    if (status != ITEM_OK)
        return status;
    uint64_t counts[COLOURS];
    status = count_colours(p, call, &v, (area){0, 0, v.width, v.height}, counts);
    if (status != ITEM_OK)
        return status;

    size_t first, second;
    two_largest(counts, &first, &second);
    double all = (double)v.width * (double)v.height;
    if (counts[second])
        snprintf(out->text, out->capacity, "a %s patch and a %s patch", colour_name(first),
                 colour_name(second));
    else
        snprintf(out->text, out->capacity, "a %s patch", colour_name(first));
    out->logprob = log((double)counts[first] / all);
    out->margin = (double)(counts[first] - counts[second]) / all;
    return ITEM_OK;
}

static item_status caption(void *self, const item_call *call, const item_image *const *images,
                           size_t n, const item_caption_options *options,
                           item_caption_out *const *out, item_error *err)
{
    (void)options; /* there is no search that beams could widen */
    for (size_t i = 0; i < n; i++) {
        item_status status = caption_one(self, call, images[i], out[i], err);
        if (status != ITEM_OK)
            return status;
    }
    return ITEM_OK;
}

const item_captioner_ops *open_captioner(const char *settings, void **self, item_error *err)
{
    static const item_captioner_ops ops = {
        .struct_size = sizeof ops,
        .version = ITEM_BACKEND_VERSION,
        .name = "colours",
        .id = "1",
        .caption = caption,
        .close = close_palette,
    };
    *self = open_palette(settings, err);
    return *self ? &ops : NULL;
}
