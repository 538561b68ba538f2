/* SPDX-License-Identifier: Apache-2.0 */
/* How probable texts are for pictures: what captioners' score functions share (score.c). */
#ifndef ITX_SCORE_H
#define ITX_SCORE_H

#include "nets.h"

/* Texts that are read in one run, each padded to the longest, and their pictures. */
typedef struct itx_reading {
    const float *pixels; /* of the pictures, which are fewer where texts share one */
    size_t pictures, texts, length;
    const int64_t *which; /* [texts]: their pictures */
    const int64_t *ids;   /* [texts x length]: what goes in */
    const float *causal;  /* [length x length] */
} itx_reading;

/* A captioner, as it is asked here. */
typedef struct itx_scorer {
    const void *captioner;
    const item_services *s;
    const char *device;
    size_t pixels, words; /* numbers of a picture; ids of the vocabulary */
    size_t limit;         /* ids of a text that go in, the start among them */
    int32_t uncounted;    /* an id whose probability counts for nothing; -1: none */
    item_status (*read)(const void *captioner, const item_call *call, const item_image *image,
                        float *out, item_error *err);
    /* The ids of a text, a start before and an end behind; *count as of tokens_encode(). */
    item_status (*encode)(const void *captioner, const char *text, int32_t *ids, size_t room,
                          size_t *count, item_error *err);
    /* Log-probabilities [texts x length, words] of what follows each id. */
    itx_tensor *(*follow)(itx_run *run, const void *captioner, const itx_reading *r);
} itx_scorer;

/* As item_captioner_ops.score; prompt NULL: none. */
item_status itx_score(const itx_scorer *c, const item_call *call, const item_image *const *images,
                      const char *const *texts, size_t n, const char *prompt, double *out,
                      item_error *err);

#endif
