/* SPDX-License-Identifier: Apache-2.0 */
/* The three stages of the engine, and what they share. */
#ifndef ITX_STAGES_H
#define ITX_STAGES_H

#include "blocks.h"

/* As in item_engine_ops; ops have the size of this engine's headers. */
item_status itx_open_captioner(const item_services *s, const char *family, item_captioner_ops *ops,
                               void **self, item_error *err);
item_status itx_open_detector(const item_services *s, const char *family, item_detector_ops *ops,
                              void **self, item_error *err);
item_status itx_open_embedder(const item_services *s, const char *family, item_embedder_ops *ops,
                              void **self, item_error *err);

/* The family "blip". */
item_status itx_open_blip(const item_services *s, item_captioner_ops *ops, void **self,
                          item_error *err);

/* ---- joint spaces of pictures and texts, of which embedder.c makes embedders ---- */

typedef struct itx_space itx_space;

typedef struct itx_embedder {
    const item_services *s;
    const itx_space *space;
    itx_net *net[3]; /* the space's own order; some may be NULL */
    item_tokens *tokens;
    itx_row_kind row; /* how it takes its texts */
    itx_prep prep;    /* for spaces that use it */
    size_t pixels;    /* numbers of one picture */
    int64_t width;    /* of the vectors */
    int64_t layers;   /* numbers of a row of inner layers; 0: none */
    char id[320];
} itx_embedder;

struct itx_space {
    const char *family;
    /* Fills in the rest of an embedder; what it opened before a failure is closed by the caller. */
    item_status (*open)(itx_embedder *e, item_error *err);
    item_status (*read)(const itx_embedder *e, const item_image *image, const double box[4],
                        float *out, item_error *err);
    /* -> [n, width], of any length; inner: NULL, or receives [n, layers] in any shape */
    itx_tensor *(*images)(itx_run *run, const itx_embedder *e, const float *pixels, size_t n,
                          itx_tensor **inner);
    itx_tensor *(*texts)(itx_run *run, const itx_embedder *e, const itx_tokens_row *row);
};

/* What the space of a published folder opens: one network, its tokenizer, its preprocessing. */
typedef struct itx_published {
    const itx_kind *kind;
    const void *facts; /* with `size`: as of itx_net_open_as() */
    size_t size;
    const itx_prep_defaults *prep;
    int64_t edge, patch; /* of the pictures */
    int64_t words;       /* of the vocabulary */
    int64_t width;       /* of the vectors */
    int64_t layers;      /* as of itx_embedder */
} itx_published;

/* Fills in all of an embedder but its row. */
item_status itx_open_published(itx_embedder *e, const itx_published *p, item_error *err);
/* A space's read(), by its preprocessing. */
item_status itx_read_prepared(const itx_embedder *e, const item_image *image, const double box[4],
                              float *out, item_error *err);

extern const itx_space itx_space_dual, itx_space_clip, itx_space_open_clip, itx_space_chinese_clip;

/* ---- helpers (stages.c) ---- */

/* ITEM_E_UNSUPPORTED, with the families that are known. */
item_status itx_fail_family(item_error *err, const char *family, const char *known);
/* "family torch-1.13.0 fp32 hash hash hash": what answers depend on; the last may be NULL */
void itx_identify(char *out, size_t room, const char *family, const itx_net *a, const itx_net *b,
                  const itx_net *c);
/* A whole number of the configuration, 1 to limit. */
size_t itx_config_count(const item_services *s, const char *key, double fallback, size_t limit);
/* The tokenizer of a published model, which must not have more ids than the network has words. */
item_status itx_open_tokenizer(const item_services *s, int64_t words, item_tokens **out,
                               item_error *err);
/* The whole picture for a network; asks for a cancel first. */
item_status itx_read_whole(const itx_pixels *p, const item_services *s, const item_call *call,
                           const item_image *image, float *out, item_error *err);

#endif
