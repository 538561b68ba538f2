/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a tokenizer; shared within text. */
#ifndef ITEMI_TEXT_TOKENIZER_H
#define ITEMI_TEXT_TOKENIZER_H

#include "text/bpe.h"

/* Tokens that are found in a text as they are written. */
typedef struct itemi_found {
    itemi_pieces names; /* the numbers are places in `ids` */
    int32_t *ids;
    bool begins[256]; /* first bytes of the names */
} itemi_found;

struct itemi_tokenizer {
    const itemi_mem *mem;
    itemi_tokenizer_kind kind;
    itemi_pieces vocabulary; /* what words are made of */
    itemi_pieces names;      /* of the added tokens */
    itemi_token_text *texts; /* of each id, within one of the two; NULL bytes: another has it */
    bool *special;           /* of each id */
    size_t size;
    int32_t first, last, unknown;
    bool split_names, tidy;
    itemi_found raw, normalised;
    itemi_bpe *bpe;
};

/* Where ids go. */
typedef struct itemi_sink {
    int32_t *ids;
    size_t capacity, count, limit;
} itemi_sink;

void itemi_sink_put(itemi_sink *out, int32_t id);
/* Ids of a text without special tokens, until the sink has its limit. */
void itemi_wordpiece_encode(const itemi_tokenizer *tokenizer, const char *text, size_t length,
                            itemi_sink *out);

#endif
