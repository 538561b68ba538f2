/* SPDX-License-Identifier: Apache-2.0 */
/* The dummy backends, counting what they are asked for. */
#ifndef TEST_API_COUNTING_H
#define TEST_API_COUNTING_H

#include <unistd.h>

#include "support.h"

/* What was asked for so far, one at a time; and how the captioner misbehaves. */
typedef struct counts {
    size_t captions, searches, crops, texts, scores, layers;
    int fail, warn;      /* 1: every caption fails, comes with a warning */
    useconds_t pause_us; /* that each caption takes; 0: none */
    item_cancel *cancel; /* set while a caption is made; or NULL */
} counts;

static inline item_status count_captions(void *self, const item_call *call,
                                         const item_image *const *images, size_t n,
                                         const item_caption_options *options,
                                         item_caption_out *const *out, item_error *err)
{
    counts *c = self;
    c->captions += n;
    if (c->pause_us)
        usleep(c->pause_us * (useconds_t)n);
    if (c->fail)
        return ITEM_E_BACKEND;
    if (c->warn)
        call->warn(call->host, "something is odd");
    item_status status = item_dummy_captioner()->caption(NULL, call, images, n, options, out, err);
    if (c->cancel)
        item_cancel_set(c->cancel);
    return status;
}

static inline item_status count_scores(void *self, const item_call *call,
                                       const item_image *const *images, const char *const *texts,
                                       size_t n, const item_caption_options *options, double *out,
                                       item_error *err)
{
    ((counts *)self)->scores += n;
    return item_dummy_captioner()->score(NULL, call, images, texts, n, options, out, err);
}

static inline item_status count_searches(void *self, const item_call *call,
                                         const item_image *const *images, size_t n,
                                         const char *const *const *phrases,
                                         const char *const *const *heads, const size_t *numbers,
                                         const item_detect_options *options,
                                         const item_box_sink *const *sinks, item_error *err)
{
    ((counts *)self)->searches += n;
    return item_dummy_detector()->detect(NULL, call, images, n, phrases, heads, numbers, options,
                                         sinks, err);
}

static inline item_status count_crops(void *self, const item_call *call,
                                      const item_crop *const *crops, size_t n, float *out,
                                      item_error *err)
{
    ((counts *)self)->crops += n;
    return item_dummy_embedder()->embed_images(NULL, call, crops, n, out, err);
}

static inline item_status count_layers(void *self, const item_call *call,
                                       const item_crop *const *crops, size_t n, float *out,
                                       float *layers, item_error *err)
{
    ((counts *)self)->layers += n;
    return item_dummy_embedder()->embed_layers(NULL, call, crops, n, out, layers, err);
}

static inline item_status count_texts(void *self, const item_call *call, const char *const *texts,
                                      size_t n, float *out, item_error *err)
{
    ((counts *)self)->texts += n;
    return item_dummy_embedder()->embed_texts(NULL, call, texts, n, out, err);
}

/* A configuration with them; `id` is the captioner's. */
static inline item_config *counting_config(counts *c, const char *id)
{
    item_captioner_ops captioner = *item_dummy_captioner();
    item_detector_ops detector = *item_dummy_detector();
    item_embedder_ops embedder = *item_dummy_embedder();
    item_config *config = NULL;
    item_error err = ITEM_ERROR_INIT;
    captioner.id = id;
    captioner.caption = count_captions;
    captioner.score = count_scores;
    detector.detect = count_searches;
    embedder.embed_images = count_crops;
    embedder.embed_layers = count_layers;
    embedder.embed_texts = count_texts;
    assert_ok(item_config_new(&config, &err), &err);
    assert_ok(item_config_set_captioner(config, &captioner, c, &err), &err);
    assert_ok(item_config_set_detector(config, &detector, c, &err), &err);
    assert_ok(item_config_set_embedder(config, &embedder, c, &err), &err);
    return config;
}

#endif
