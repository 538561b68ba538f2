/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the published families are made of: transformer blocks, a vision tower, a text tower, facts
 * of config.json, preprocessing. A family names tensors, shapes and order, and little else.
 */
#ifndef ITX_BLOCKS_H
#define ITX_BLOCKS_H

#include "nets.h"

/* ---- facts of JSON files (facts.c) ---- */

/* Reads values one after another; the first failure is kept, with the file and the path. */
typedef struct itx_facts {
    const item_services *s;
    const char *role;    /* of the file */
    const char *section; /* "vision_config"; "" for the top */
    item_error *err;
    item_status status;
} itx_facts;

/* Of config.json, at its top. */
void itx_facts_open(itx_facts *f, const item_services *s, item_error *err);
void itx_facts_section(itx_facts *f, const char *section);
/* The first where it is there, with all that it leaves out; else the second. */
void itx_facts_section_of(itx_facts *f, const char *first, const char *second);
bool itx_fact_there(const itx_facts *f, const char *key);
const char *itx_fact_text(const itx_facts *f, const char *key); /* NULL where absent */
/* `fallback` is the class default of the reference: published files store differences alone. */
double itx_fact_number(itx_facts *f, const char *key, double fallback, double least, double most);
/* A whole number from 1. */
int64_t itx_fact_count(itx_facts *f, const char *key, int64_t fallback, int64_t most);
bool itx_fact_flag(itx_facts *f, const char *key, bool fallback);
item_status itx_facts_fail(itx_facts *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- preprocessing (prep.c) ---- */

/* As preprocessor_config.json tells: how a picture becomes the pixels of a network. */
typedef struct itx_prep {
    uint32_t width,
        height;    /* after resizing; both 0: as it is; width 0: height is of the short side */
    uint32_t crop; /* width and height of the crop from the middle; 0: none */
    uint32_t edge, patch; /* what the network wants */
    int32_t filter;       /* ITEM_FILTER_... */
    bool square;          /* padded to a square and scaled in floats, which have no table */
    double scale;         /* of bytes */
    float mean[3], deviation[3];
    float value[3][256]; /* of each channel and byte */
} itx_prep;

/* The class defaults of a family. */
typedef struct itx_prep_defaults {
    bool crop; /* short side and crop; otherwise squashed to a square */
    bool square;
    bool alone;    /* preprocessor_config.json is not asked: the family says it elsewhere */
    double filter; /* as Pillow numbers them */
    double mean[3], deviation[3];
} itx_prep_defaults;

/* With CLIP's mean and deviation. */
extern const itx_prep_defaults itx_prep_crop, itx_prep_squash, itx_prep_square;

item_status itx_prep_open(itx_prep *p, const item_services *s, const itx_prep_defaults *defaults,
                          int64_t edge, int64_t patch, item_error *err);
size_t itx_prep_count(const itx_prep *p); /* numbers of one picture */
/* A box of a picture, made of whole pixels, as patches one after another, each channel by channel. */
item_status itx_prep_pixels(const itx_prep *p, const item_services *s, const item_image *image,
                            const double box[4], float *out, item_error *err);

/* ---- transformer blocks (block.c) ---- */

typedef struct itx_tower_facts {
    int64_t width, depth, heads, wide;
    double eps;
    int64_t act; /* an itx_act: without padding, because the bytes of facts are compared */
} itx_tower_facts;

/* Of a section of config.json; `defaults` are the class defaults of the reference (facts.c). */
itx_tower_facts itx_tower_read(itx_facts *f, const itx_tower_facts *defaults);

typedef struct itx_block {
    itx_affine norm1, q, k, v, out, norm2, wide, narrow; /* k.w NULL: q holds all three */
} itx_block;

typedef struct itx_blocks {
    itx_tower_facts facts;
    bool after; /* normalised after each part, as BERT is, not before it */
    itx_block *block;
} itx_blocks;

/* How a file names the tensors of a block, behind the block's own name. */
typedef struct itx_block_names {
    const char *norm1, *q, *k, *v, *out, *norm2, *wide, *narrow;
    const char *joint_w, *joint_b; /* NULL, or q, k and v in one: then q, k, v are NULL */
    bool after;                    /* as in itx_blocks */
} itx_block_names;

extern const itx_block_names itx_names_hf, itx_names_open_clip, itx_names_blip, itx_names_bert;

/* `prefix` is followed by the number of the block. */
void itx_take_blocks(itx_loader *l, itx_blocks *b, const itx_tower_facts *facts, const char *prefix,
                     const itx_block_names *names);
/* x [n, length, width]; mask [length, length] is added, or NULL. With `first` what comes out is
   [n, 1, width], the first place alone. inner: NULL, or receives the first place as each block
   left it, [n, depth, width]. */
itx_tensor *itx_run_blocks(itx_run *run, const itx_blocks *b, itx_tensor *x, itx_tensor *mask,
                           bool first, itx_tensor **inner);

/* ---- vision tower (vit.c) ---- */

typedef struct itx_vit_facts {
    itx_tower_facts tower;
    int64_t edge, patch;
} itx_vit_facts;

/* How a file names the tensors around the blocks; pre_norm may be NULL. */
typedef struct itx_vit_names {
    const char *patches, *class, *positions, *pre_norm, *blocks, *post_norm;
    bool patch_bias;
    const itx_block_names *block;
} itx_vit_names;

extern const itx_vit_names itx_vit_clip, itx_vit_open_clip, itx_vit_blip;

typedef struct itx_vit {
    itx_vit_facts facts;
    itx_affine patches, pre_norm, post_norm;
    itx_tensor *class, *positions;
    itx_blocks blocks;
    int64_t places; /* without the class token */
} itx_vit;

/* Widths, depth, heads, activation and eps of a section, the class defaults of the reference. */
itx_vit_facts itx_vit_read(itx_facts *f, const itx_vit_facts *defaults);
void itx_take_vit(itx_loader *l, itx_vit *v, const itx_vit_facts *facts,
                  const itx_vit_names *names);
/* n pictures as itx_prep_pixels() gives them -> [n, 1 + places, width], post-normalised; with
   `first` the class token alone, [n, 1, width]. inner: NULL, or receives the class token as each
   block left it, without a normalisation, [n, depth, width]. */
itx_tensor *itx_run_vit(itx_run *run, const itx_vit *v, const float *pixels, size_t n, bool first,
                        itx_tensor **inner);
int64_t itx_vit_layers(const itx_vit_facts *facts); /* numbers of one picture's `inner` */

/* ---- CLIP's text tower (cliptext.c) ---- */

typedef struct itx_clip_text_facts {
    itx_tower_facts tower;
    int64_t words, limit, eos;
} itx_clip_text_facts;

typedef struct itx_clip_text_names {
    const char *words, *positions, *blocks, *norm;
    const itx_block_names *block;
} itx_clip_text_names;

extern const itx_clip_text_names itx_clip_text_hf, itx_clip_text_open_clip;

typedef struct itx_clip_text {
    itx_clip_text_facts facts;
    itx_tensor *words, *positions;
    itx_affine norm;
    itx_blocks blocks;
} itx_clip_text;

itx_clip_text_facts itx_clip_text_read(itx_facts *f, const itx_clip_text_facts *defaults);
void itx_take_clip_text(itx_loader *l, itx_clip_text *t, const itx_clip_text_facts *facts,
                        const itx_clip_text_names *names);
itx_row_kind itx_clip_text_row(const itx_clip_text *t);
/* Texts of one run -> their states at the end of the text, [texts, width], normalised. */
itx_tensor *itx_run_clip_text(itx_run *run, const itx_clip_text *t, const itx_tokens_row *row);

#endif
