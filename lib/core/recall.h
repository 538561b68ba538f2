/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of stages by way of the context's cache: what is in it is not asked for again, the rest is
 * asked for in one call and kept. Without a cache these are the calls of stage.h alone. A value
 * stands for the same pixels or texts, stage, engine, precision, device, kind of processor, version
 * and settings; an answer that came with a warning is not kept, as the warning belongs to it.
 */
#ifndef ITEMI_RECALL_H
#define ITEMI_RECALL_H

#include "core/pipeline.h"

/* SHA-256 of width, height (4 bytes each, the low one first) and pixels; ITEM_E_MEMORY. */
item_status itemi_pixels_hash(const item_image *image, uint8_t out[ITEMI_SHA256_BYTES],
                              item_error *err);

/* Pictures are those of the batch's works. When the cache fails, batch->broken is set. */
item_status itemi_recall_captions(itemi_batch *batch, itemi_stage *stage,
                                  const item_image *const *images, size_t n, itemi_captioned *out,
                                  item_error *err);
item_status itemi_recall_boxes(itemi_batch *batch, itemi_stage *stage, const itemi_query *queries,
                               size_t n, itemi_boxes *out, item_error *err);
item_status itemi_recall_image_vectors(itemi_batch *batch, itemi_stage *stage,
                                       const item_crop *crops, size_t n, float *out,
                                       item_error *err);
/* Inner layers too, of whole pictures; out: n x width, layers: n x the embedder's layers_width. */
item_status itemi_recall_layers(itemi_batch *batch, itemi_stage *stage, const item_crop *wholes,
                                size_t n, float *out, float *layers, item_error *err);
/* Log-probabilities of captions without a picture; the captioner can score. */
item_status itemi_recall_priors(itemi_batch *batch, itemi_stage *stage, const char *const *texts,
                                size_t n, double *out, item_error *err);
item_status itemi_recall_text_vectors(itemi_batch *batch, itemi_stage *stage,
                                      const char *const *texts, size_t n, float *out,
                                      item_error *err);

#endif
