/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backends behind one door: their tables are validated when they come in, and every answer of
 * theirs is checked before anything above sees it. Sees common and public headers alone.
 */
#ifndef ITEMI_STAGE_H
#define ITEMI_STAGE_H

#include <item/sys/backend.h>
#include <pthread.h>

#include "common/common.h"

typedef enum itemi_stage_kind {
    ITEMI_CAPTIONER = 0,
    ITEMI_DETECTOR,
    ITEMI_EMBEDDER
} itemi_stage_kind;
#define ITEMI_STAGES 3

const char *itemi_stage_word(itemi_stage_kind kind); /* "captioner", "detector", "embedder" */

/* A backend that is ready to be called. Reference counted; serves many threads. */
typedef struct itemi_stage itemi_stage;

/*
 * Copies a table up to the size both sides know: optional members of a newer one are not called.
 * Its name and id are copied too. `mem` must outlive the stage. On failure, self stays the
 * caller's; after success ops->close(self) is called once, by the last unref.
 */
item_status itemi_stage_new(const itemi_mem *mem, itemi_stage_kind kind, const void *ops,
                            void *self, itemi_stage **out, item_error *err);
/* Called after ops->close: frees what self had borrowed. */
void itemi_stage_set_after(itemi_stage *stage, void (*after)(void *user), void *user);
itemi_stage *itemi_stage_ref(itemi_stage *stage);
void itemi_stage_unref(itemi_stage *stage);

const char *itemi_stage_name(const itemi_stage *stage);
const char *itemi_stage_id(const itemi_stage *stage);
uint32_t itemi_stage_width(const itemi_stage *stage); /* of an embedder's vectors */
/* Of an embedder's rows of inner layers; 0: it has none. */
uint32_t itemi_stage_layers_width(const itemi_stage *stage);
bool itemi_stage_can_score(const itemi_stage *stage); /* a captioner */
bool itemi_stage_raw_boxes(const itemi_stage *stage); /* ITEM_BACKEND_RAW_BOXES is set */

/* What a call of the host's brings to the backends that it reaches. */
typedef struct itemi_call {
    const itemi_mem *mem;
    const itemi_log *log;
    const item_cancel *cancel;                  /* NULL: cannot be cancelled */
    void (*warn)(void *user, const char *text); /* NULL: warnings go to the log */
    void *warn_user;
} itemi_call;

/* Waits for a lock; ITEM_E_CANCELLED when the call is cancelled meanwhile. */
item_status itemi_lock(pthread_mutex_t *lock, const item_cancel *cancel, item_error *err);

/*
 * The calls. What is not finite, unwritten, out of range or no UTF-8 gives ITEM_E_BACKEND with
 * the backend's name; nothing is left to free after a failure.
 */

typedef struct itemi_captioned {
    char *text;      /* free with itemi_free(call->mem) */
    int32_t *tokens; /* likewise; NULL where there are none, or they were not asked for */
    size_t token_count;
    double logprob, margin;
} itemi_captioned;

/* How captions are asked for; all zero is the model's way. */
typedef struct itemi_captioning {
    uint32_t beams, max_tokens;
    const char *prompt;
    double temperature; /* above 0: words are drawn */
    uint64_t seed;
    bool tokens; /* ids are wanted */
} itemi_captioning;

item_status itemi_stage_caption(itemi_stage *stage, const itemi_call *call,
                                const item_image *const *images, size_t n,
                                const itemi_captioning *how, itemi_captioned *out, item_error *err);
void itemi_captioned_free(const itemi_mem *mem, itemi_captioned *captions, size_t n);

/*
 * out: for each of n texts its mean log-probability given images[i], which may be NULL: then an even
 * grey picture stands for none. prompt: not counted at the beginning of a text; NULL: none. Pictures
 * that stand in a row several times may be looked at once. ITEM_E_UNSUPPORTED where the captioner
 * has no such function; ITEM_E_LIMIT for a text that is too long for it.
 */
item_status itemi_stage_score(itemi_stage *stage, const itemi_call *call,
                              const item_image *const *images, const char *const *texts, size_t n,
                              const char *prompt, double *out, item_error *err);

typedef struct itemi_box {
    size_t phrase;
    double box[4]; /* inside of the picture, x0 < x1, y0 < y1, unless they are raw */
    double score;
} itemi_box;

typedef struct itemi_boxes {
    itemi_box *items; /* free with itemi_free(call->mem) */
    size_t count, capacity;
} itemi_boxes;

typedef struct itemi_query {
    const item_image *image;
    const char *const *phrases;
    const char *const *heads; /* entries may be NULL */
    size_t count;
} itemi_query;

/* max_boxes, least_score: as in item_detect_options. With max_boxes 0 boxes may be raw ones. */
item_status itemi_stage_detect(itemi_stage *stage, const itemi_call *call,
                               const itemi_query *queries, size_t n, uint32_t max_boxes,
                               double least_score, itemi_boxes *out, item_error *err);

/* out: n x width numbers. */
item_status itemi_stage_embed_images(itemi_stage *stage, const itemi_call *call,
                                     const item_crop *crops, size_t n, float *out, item_error *err);
/* The same by one run, with n x layers_width numbers of inner layers; only where there are any. */
item_status itemi_stage_embed_layers(itemi_stage *stage, const itemi_call *call,
                                     const item_crop *crops, size_t n, float *out, float *layers,
                                     item_error *err);
item_status itemi_stage_embed_texts(itemi_stage *stage, const itemi_call *call,
                                    const char *const *texts, size_t n, float *out,
                                    item_error *err);

#endif
