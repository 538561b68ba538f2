/* SPDX-License-Identifier: Apache-2.0 */
/* Shared between the files of recall alone. */
#ifndef ITEMI_RECALL_PRIVATE_H
#define ITEMI_RECALL_PRIVATE_H

#include "core/recall.h"

/* Takes a value of the cache as the answer i; false: it is none, and will be asked for. */
typedef bool (*itemi_recall_take)(void *user, size_t i, const void *value, size_t size);

/* One call of a stage: a key for each of its questions, and which of them are not answered. */
typedef struct itemi_recall {
    itemi_batch *batch;
    itemi_cache_entry *entries; /* [n]: keys, then values of those that were missing */
    size_t n;
    size_t *missing; /* [count], rising: questions that are to be asked, each of them once */
    size_t count;
    size_t *twin; /* [n]: for a question that is asked already, which one; else the number itself */
    itemi_recall_take take;
    void *user; /* of take */
} itemi_recall;

/* The start of a key, what makes every answer of a stage; the caller adds the question. */
itemi_sha256 *itemi_recall_key(const itemi_batch *batch, itemi_stage_kind kind, const char *what);
const uint8_t *itemi_recall_pixels(const itemi_batch *batch, const item_image *image);

/* Keeps vectors of crops that came another way; row i begins at vectors + i * stride. */
item_status itemi_recall_keep_vectors(itemi_batch *batch, const item_crop *crops,
                                      const float *vectors, size_t stride, size_t n,
                                      item_error *err);
bool itemi_is_unit(const float *row, size_t width);

/* begin(); fill the keys; look_up(); ask and fill the values of `missing`; keep(); end(). */
item_status itemi_recall_begin(itemi_recall *r, itemi_batch *batch, size_t n, item_error *err);
item_status itemi_recall_look_up(itemi_recall *r, itemi_recall_take take, void *user,
                                 item_error *err);
item_status itemi_recall_keep(itemi_recall *r, item_error *err);
void itemi_recall_end(itemi_recall *r); /* also after begin() has failed */

#endif
