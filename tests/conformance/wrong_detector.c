/* SPDX-License-Identifier: Apache-2.0 */
/* A detector with a defect. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "wrong.h"

ITEM_API item_module_detector_fn item_module_detector;

/* Two boxes a phrase, in the corners of the picture. */
static item_status find(const item_image *image, size_t phrase, const item_detect_options *options,
                        const item_box_sink *sink)
{
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    (void)item_image_get_info(image, &info, NULL);
    double w = info.width, h = info.height, least = options->least_score;
    size_t most = options->max_boxes && !defect_is("max_boxes") ? options->max_boxes : 2;
    item_status status = ITEM_OK;
    for (size_t i = 0; i < 2 && i < most && (status == ITEM_OK || defect_is("refused")); i++) {
        double score = i ? 0.4 : 0.8, box[4] = {w / 2 * (double)i, h / 2 * (double)i, w, h};
        if (defect_is("order"))
            score = 0.9 - score;
        if (defect_is("score"))
            score = 1.5;
        if (defect_is("outside"))
            box[2] = w + 1;
        if (!(score < least) || defect_is("least_score"))
            status = sink->add(sink->host, phrase + (defect_is("phrase") ? 100 : 0), box, score);
    }
    return status;
}

static bool needs(const char *name, bool lacks, item_error *err)
{
    if (!defect_is(name) || !lacks)
        return false;
    err->code = ITEM_E_ARGUMENT;
    snprintf(err->message, sizeof err->message, "it %s", name);
    return true;
}

static item_status detect(void *self, const item_call *call, const item_image *const *images,
                          size_t n, const char *const *const *phrases,
                          const char *const *const *heads, const size_t *counts,
                          const item_detect_options *options, const item_box_sink *const *sinks,
                          item_error *err)
{
    (void)self;
    (void)phrases;
    item_status status = misbehave(call, n, err);
    if (status == ITEM_OK && (needs("needs boxes", options->max_boxes == 1, err) ||
                              needs("needs phrases", counts[0] == 0, err)))
        return ITEM_E_ARGUMENT;
    for (size_t i = 0; i < n && status == ITEM_OK; i++) {
        size_t count = defect_is("no phrases") && counts[i] == 0 ? 1 : counts[i];
        for (size_t j = 0; j < count && status == ITEM_OK; j++) {
            if (defect_is("heads") && strlen(heads[i][j]) == 0)
                continue;
            status = call->cancelled(call->host) ? ITEM_E_CANCELLED
                                                 : find(images[i], j, options, sinks[i]);
        }
    }
    after_answer(call);
    return defect_is("swallows") ? ITEM_OK : status;
}

const item_detector_ops *item_module_detector(const char *settings, void **self, item_error *err)
{
    static const item_detector_ops ops = {.struct_size = sizeof ops,
                                          .version = ITEM_BACKEND_VERSION,
                                          .name = "wrong",
                                          .id = "1",
                                          .detect = detect,
                                          .close = close_wrong};
    return open_wrong(settings, self, err) ? &ops : NULL;
}
