/* SPDX-License-Identifier: Apache-2.0 */
/* The networks of the engine: what their weights are and how they are run, inside of a lane. */
#ifndef ITX_NETS_H
#define ITX_NETS_H

#include "engine.h"

#define ITX_BATCH          16 /* pictures or texts of one run: bounds its memory */
#define ITX_ENCODER_BLOCKS 64
#define ITX_HEADS          1024 /* of an attention: more is an error of the file */

/* ---- image encoder (encoder.c) ---- */

typedef struct itx_conv {
    itx_affine weights;
    itx_conv_shape shape;
} itx_conv;

typedef struct itx_encoder_block {
    itx_conv expand, depthwise, project; /* expand may be absent: its w is NULL */
    bool adds;                           /* what came in is added to what goes out */
} itx_encoder_block;

typedef struct itx_encoder {
    itx_pixels pixels;
    itx_conv stem, head;
    itx_encoder_block blocks[ITX_ENCODER_BLOCKS];
    size_t count;
    int64_t width, places; /* numbers of a place, places of the grid */
} itx_encoder;

extern const itx_kind itx_encoder_kind;
/* n (at most ITX_BATCH) pictures as pixels.c prepares them -> [n, places, width] */
itx_tensor *itx_encode(itx_run *run, const itx_encoder *e, const float *pixels, size_t n);

/* ---- texts as one row of tokens, each text a piece of it (rows.c) ---- */

#define ITX_ROW_TOKENS 256 /* of several texts in one run: attention grows with the square */
#define ITX_TEXT_LIMIT 512 /* of one text, which may have a run for itself */

typedef struct itx_tokens_row {
    int64_t *ids, *positions;
    float *mask;   /* [total x total]: 0 within a text, -infinity between two */
    float *shares; /* [texts x total]: 1 / its length at a text's own tokens */
    int64_t *ends; /* [texts]: where each text's end token stands in the row */
    size_t total, texts;
} itx_tokens_row;

#define ITX_LARGEST_ID                                                                             \
    2 /* as id of the end: a text's largest one; from before the reference knew it */
#define ITX_FIRST_ID (-1) /* as id of the end: what counts is a text's first token */

typedef struct itx_row_kind {
    size_t limit; /* tokens of a text, special ones included, at most ITX_TEXT_LIMIT */
    bool causal;  /* a token does not see those behind it */
    int64_t eos;  /* id of the end token, or ITX_LARGEST_ID, ITX_FIRST_ID */
} itx_row_kind;

/* As many of the n texts as fit in one run; itx_row_free() it, also after a failure. */
item_status itx_row_make(itx_tokens_row *row, const itx_row_kind *kind, const item_services *s,
                         item_tokens *tokens, const char *const *texts, size_t n, item_error *err);
void itx_row_free(itx_tokens_row *row, const item_services *s);

/* ---- text encoder (textnet.c) ---- */

#define ITX_TEXT_LAYERS 24

typedef struct itx_text_layer {
    itx_affine qkv, out, norm1, wide, narrow, norm2;
} itx_text_layer;

typedef struct itx_text {
    itx_tensor *words, *positions, *types;
    itx_affine norm;
    itx_text_layer layers[ITX_TEXT_LAYERS];
    size_t count;
    int64_t width, heads, limit; /* limit: tokens of a text, special ones included */
    double eps;
} itx_text;

extern const itx_kind itx_text_kind;
/* How it takes its texts. */
itx_row_kind itx_text_row(const itx_text *t);

/* [texts, width]: the mean of each text's last states */
itx_tensor *itx_text_vectors(itx_run *run, const itx_text *t, const itx_tokens_row *row);

/* ---- joint space of pictures and texts (projection.c) ---- */

typedef struct itx_projection {
    itx_affine norm, score, value, join, mlp_norm, wide, narrow, out, text;
    itx_tensor *score_pos;
    int64_t places, grid, heads, width; /* width: of the vectors */
} itx_projection;

extern const itx_kind itx_projection_kind;
/* vectors [n, width] of a grid [n, places, grid], of text vectors [n, ...] */
itx_tensor *itx_project_grid(itx_run *run, const itx_projection *p, itx_tensor *grid);
itx_tensor *itx_project_text(itx_run *run, const itx_projection *p, itx_tensor *vectors);

/* ---- keys and values that a decoder keeps (past.c) ---- */

#define ITX_PAST_LAYERS 64

/* Of what was seen and said: rows are pictures x beams. */
typedef struct itx_past {
    itx_tensor *self_k[ITX_PAST_LAYERS], *self_v[ITX_PAST_LAYERS];
    itx_tensor *cross_k[ITX_PAST_LAYERS], *cross_v[ITX_PAST_LAYERS];
    size_t layers;
    int64_t pictures, beams, said;
    size_t start; /* mark of the run */
} itx_past;

/* Frees what the run has made since the start, but the keys and values, and what is named. */
void itx_past_sweep(itx_run *run, const itx_past *p, itx_tensor *extra);
/* Of each picture as many rows as there are texts for it: which[i] is the picture of text i. */
void itx_past_spread(itx_run *run, itx_past *p, const int64_t *which, size_t texts);
/* What words may see: those before them. mask: [length x length]. */
void itx_fill_causal(float *mask, size_t length);
/* Words behind those of before; before may be NULL. */
itx_tensor *itx_past_grow(itx_run *run, itx_tensor *before, itx_tensor *now);
/* Keeps `pictures` of the pictures, and the rows that their beams go on from. */
void itx_past_select(itx_run *run, itx_past *p, const int64_t *which, size_t pictures,
                     const int64_t *rows, int64_t beams);

/* ---- captions, word by word (speak.c) ---- */

#define ITX_BEAMS 8

/* A decoder and a search. */
typedef struct itx_speaker {
    void *job;
    size_t beams, words; /* of a picture; of the vocabulary */
    float *logprobs;     /* room for [pictures x beams, words] */
    /* Log-probabilities of what follows the last word of each row; NULL: of what captions
       begin with. */
    itx_tensor *(*step)(itx_run *run, void *job, itx_past *past, const int64_t *last);
    /* A step of a picture's search. Gives the rows that its beams go on from, their new words, and
       their number: 0 once the caption is over. */
    size_t (*choose)(void *job, size_t picture, const float *logprobs, size_t parents[ITX_BEAMS],
                     int32_t words[ITX_BEAMS]);
} itx_speaker;

/* Until all pictures of the past have their captions, or the run ends. */
void itx_speak(itx_run *run, const itx_speaker *s, itx_past *past);

/* ---- words that are drawn (draw.c) ---- */

typedef struct itx_draw {
    double temperature; /* 0: nothing is drawn */
    uint64_t seed;
} itx_draw;

/* What a caption is asked for with; options may be NULL, or older. */
itx_draw itx_draw_of(const item_caption_options *options);
/* Of one picture, as a network sees it: pictures have draws of their own. */
itx_draw itx_draw_for(const itx_draw *d, const float *pixels, size_t count);
/* What is added to a word's log-probability at a place of the caption; 0 where nothing is drawn. */
double itx_draw_noise(const itx_draw *d, size_t place, size_t word);

/* ---- captions: the network (decoder.c) and the search (search.c) ---- */

#define ITX_DECODER_LAYERS 12
#define ITX_WORDS          64
#define ITX_PENALTY        10 /* exponent of a caption's length, at most */

typedef struct itx_decoder_layer {
    itx_affine norm1, self_qkv, self_out, norm2, cross_q, cross_kv, cross_out, norm3, wide, narrow;
} itx_decoder_layer;

typedef struct itx_decoder {
    itx_tensor *words, *positions, *memory_pos;
    itx_affine memory, memory_norm, norm, out;
    itx_decoder_layer layers[ITX_DECODER_LAYERS];
    size_t count;
    int64_t width, heads, vocabulary, places, grid, steps; /* steps: rows of positions */
    double max_words, length_alpha, beams;                 /* the model's defaults */
} itx_decoder;

extern const itx_kind itx_decoder_kind;

void itx_decoder_start(itx_run *run, const itx_decoder *d, itx_past *state, itx_tensor *grid,
                       int64_t beams);
/* One word in for each row -> log-probabilities [rows, vocabulary] of the next; everything else
   that was made in the run since the start is freed. */
itx_tensor *itx_decoder_step(itx_run *run, const itx_decoder *d, itx_past *state,
                             const int64_t *ids);
/* `length` words in for each row, from the beginning -> log-probabilities [rows x length,
   vocabulary] of what follows each. causal: [length x length] of 0 and -infinity. */
itx_tensor *itx_decoder_read(itx_run *run, const itx_decoder *d, itx_past *state,
                             const int64_t *ids, int64_t length, const float *causal);
#define ITX_WORD_BOS 1
#define ITX_WORD_EOS 2

typedef struct itx_candidate {
    double sum; /* of log-probabilities */
    size_t row;
    int32_t word;
} itx_candidate;

/* Adds one to the `count` best ones so far, in order, if it belongs there; earlier ones win ties.
   Returns how many there are now. */
size_t itx_insert(itx_candidate *best, size_t count, size_t room, const itx_candidate *c);

typedef struct itx_said {
    int32_t words[ITX_WORDS];
    size_t length;
    double sum; /* of log-probabilities, the end's included */
} itx_said;

typedef struct itx_search {
    size_t beams, max_words, live, finished;
    double alpha;
    itx_draw draw; /* of one beam */
    itx_said now[ITX_BEAMS];
    itx_said best;
    double best_score;  /* normalised */
    size_t best_tokens; /* words, and the end if it was reached */
    double margin;      /* smallest gap between what was kept and what was not */
    bool over;
} itx_search;

void itx_search_start(itx_search *s, size_t beams, size_t max_words, double alpha, itx_draw draw);
/*
 * Takes log-probabilities [live x vocabulary]; for each beam that lives on: the row it comes from
 * and its new word.
 */
void itx_search_step(itx_search *s, const float *logprobs, size_t vocabulary,
                     size_t parents[ITX_BEAMS], int32_t words[ITX_BEAMS]);

/* ---- detector (nanodet.c) ---- */

typedef struct itx_nanodet {
    itx_pixels pixels;
    itx_affine conv[34];
    itx_tensor *aliases;      /* [count, width of a text vector], of length 1 */
    const float *alias_class; /* a class, or -1: none of them */
    int64_t alias_count, alias_width, classes, bins;
    double match_pair, match_head, nms_iou;
} itx_nanodet;

#define ITX_LEVELS    3
#define ITX_STRIDE(l) (8 << (l)) /* pixels from cell to cell of a level */

extern const itx_kind itx_nanodet_kind;
/* raw[l]: [n, cells of level l, classes + 4 x bins] */
void itx_nanodet_run(itx_run *run, const itx_nanodet *d, const float *pixels, size_t n,
                     itx_tensor *raw[ITX_LEVELS]);

/* ---- boxes (boxes.c) ---- */

/* cells in a row of a level */
int64_t itx_nanodet_cells(const itx_nanodet *d, int level);

typedef struct itx_box {
    double corners[4]; /* x0, y0, x1, y1 in pixels of the network's picture */
    double score;
    size_t cell;
} itx_box;

/* The `most` best boxes of a class in one picture's raw numbers, best first, of those that lie on
   each other the best alone; out has room for every cell. */
size_t itx_boxes_of_class(const itx_nanodet *d, const float *const raw[ITX_LEVELS], int32_t class,
                          double least, size_t most, itx_box *out);

#endif
