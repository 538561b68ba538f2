/* SPDX-License-Identifier: Apache-2.0 */
/* A detector without a model: a box for each phrase, placed by its letters and the pixels. */
#include <string.h>

#include "backends/dummy/dummy.h"

#define DEFAULT_SCORE 0.3
#define MOST_BOXES    2 /* of a phrase */

/* One colour all over: there is nothing to find. */
static int is_flat(const itemi_dummy_pixels *pixels)
{
    size_t bytes = (size_t)pixels->width * pixels->height * 3;
    return bytes <= 3 || memcmp(pixels->rgb, pixels->rgb + 3, bytes - 3) == 0;
}

/* A box of the left (0) or the right (1) half, between a quarter and all of it. */
static void place(const itemi_dummy_pixels *pixels, int right, uint64_t *state, double box[4])
{
    double width = (double)pixels->width / 2, height = (double)pixels->height;
    double w = width * (0.25 + 0.75 * itemi_dummy_next(state));
    double h = height * (0.25 + 0.75 * itemi_dummy_next(state));
    box[0] = (right ? width : 0) + (width - w) * itemi_dummy_next(state);
    box[1] = (height - h) * itemi_dummy_next(state);
    box[2] = box[0] + w;
    box[3] = box[1] + h;
}

static item_status find(const itemi_dummy_pixels *pixels, size_t index, const char *phrase,
                        const item_detect_options *options, const item_box_sink *sink)
{
    uint64_t state = itemi_dummy_hash(phrase, strlen(phrase), 1);
    state ^= itemi_dummy_hash(pixels->rgb, (size_t)pixels->width * 3, 2);
    double least = options->least_score >= 0 ? options->least_score : DEFAULT_SCORE;
    uint32_t most = MOST_BOXES;
    if (options->max_boxes > 0 && options->max_boxes < most)
        most = options->max_boxes;
    double score = 0.5 + 0.5 * itemi_dummy_next(&state);
    for (uint32_t i = 0; i < most && score >= least; i++) {
        double box[4];
        place(pixels, (int)i, &state, box);
        item_status status = sink->add(sink->host, index, box, score);
        if (status != ITEM_OK)
            return status;
        score *= 0.9;
    }
    return ITEM_OK;
}

static item_status detect(void *self, const item_call *call, const item_image *const *images,
                          size_t n, const char *const *const *phrases,
                          const char *const *const *heads, const size_t *counts,
                          const item_detect_options *options, const item_box_sink *const *sinks,
                          item_error *err)
{
    (void)self;
    (void)heads;
    for (size_t i = 0; i < n; i++) {
        if (call->cancelled(call->host))
            return ITEM_E_CANCELLED;
        itemi_dummy_pixels pixels;
        item_status status = itemi_dummy_look(images[i], &pixels, err);
        if (status != ITEM_OK)
            return status;
        for (size_t j = 0; j < counts[i] && !is_flat(&pixels); j++) {
            status = find(&pixels, j, phrases[i][j], options, sinks[i]);
            if (status != ITEM_OK)
                return status;
        }
    }
    return ITEM_OK;
}

const item_detector_ops *item_dummy_detector(void)
{
    static const item_detector_ops ops = {
        .struct_size = sizeof ops,
        .version = ITEM_BACKEND_VERSION,
        .name = "dummy",
        .id = ITEMI_DUMMY_ID,
        .detect = detect,
    };
    return &ops;
}
