/* SPDX-License-Identifier: Apache-2.0 */
/* BLIP's parts: the text decoder, and the search for captions as the reference searches. */
#ifndef ITX_BLIP_H
#define ITX_BLIP_H

#include "stages.h"

#define ITX_BLIP_IDS 512 /* of a caption, its prompt included */

/* ---- text decoder (bliptext.c) ---- */

typedef struct itx_blip_text_facts {
    itx_tower_facts tower;
    int64_t seen; /* width of the picture's states */
    int64_t words, limit, bos, end, tied;
} itx_blip_text_facts;

typedef struct itx_blip_attention {
    itx_affine q, k, v, out, norm;
} itx_blip_attention;

typedef struct itx_blip_layer {
    itx_blip_attention self, cross;
    itx_affine wide, narrow, norm;
} itx_blip_layer;

typedef struct itx_blip_text {
    itx_blip_text_facts facts;
    itx_tensor *words, *positions;
    itx_affine norm, transform, transform_norm, decoder;
    itx_blip_layer *layer;
} itx_blip_text;

void itx_take_blip_text(itx_loader *l, itx_blip_text *t, const itx_blip_text_facts *facts);

/* Of the states of n pictures, [n, places, width]. What the run made since `start` is freed. */
void itx_blip_start(itx_run *run, const itx_blip_text *t, itx_past *s, itx_tensor *seen,
                    size_t start);
/* `length` words in for each row -> log-probabilities [rows, words] of what follows. causal:
   [length x length] of 0 and -infinity, asked for at the beginning alone. */
itx_tensor *itx_blip_step(itx_run *run, const itx_blip_text *t, itx_past *s, const int64_t *ids,
                          int64_t length, const float *causal);
/* The same from the beginning -> [rows x length, words], of what follows each word. */
itx_tensor *itx_blip_read(itx_run *run, const itx_blip_text *t, itx_past *s, const int64_t *ids,
                          int64_t length, const float *causal);

/* ---- search (beams.c) ---- */

/* A caption so far. */
typedef struct itx_saying {
    int32_t ids[ITX_BLIP_IDS]; /* the prompt's first */
    size_t length;
    double sum, score; /* of log-probabilities after the prompt; divided by their number */
} itx_saying;

/* The search of transformers' generate(): greedy for one beam, else its beam search with a length
   penalty of 1 and without early stopping. */
typedef struct itx_beams {
    size_t beams, prompt, most, live, finished;
    int32_t end;
    itx_draw draw;                              /* of one beam */
    itx_saying now[ITX_BEAMS], done[ITX_BEAMS]; /* done: best first */
    double margin;
    bool over;
} itx_beams;

void itx_beams_start(itx_beams *s, size_t beams, const int32_t *prompt, size_t length, size_t most,
                     int32_t end, itx_draw draw);
/* Log-probabilities [live x words]; for each beam that lives on: the row it comes from and its new
   word. */
void itx_beams_step(itx_beams *s, const float *logprobs, size_t words, size_t parents[ITX_BEAMS],
                    int32_t said[ITX_BEAMS]);
/* The caption, once it is over. */
const itx_saying *itx_beams_best(const itx_beams *s);

#endif
