/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags the words of a sentence: part of speech and place in a base noun phrase
 * together, by a linear chain (CRF) over hashed features with 8-bit weights.
 */
#ifndef ITEMI_TEXT_TAGGER_H
#define ITEMI_TEXT_TAGGER_H

#include "common/common.h"
#include "text/caption.h"

#define ITEMI_TAGGER_FEATURES 26  /* of one word */
#define ITEMI_TAGGER_LABELS   64  /* at most */
#define ITEMI_TAGGER_WORDS    128 /* of one sentence; longer ones are tagged in parts */

/* What recipes/chunker writes, in place: nothing is copied. */
typedef struct itemi_tagger {
    uint32_t labels, buckets, words;
    const char *names;            /* labels x 8 bytes: "B-NN", filled with NUL */
    const unsigned char *hashes;  /* words x 4 bytes, rising: the lexicon */
    const unsigned char *classes; /* words x 1 byte */
    const unsigned char *steps;   /* (labels + 2) x labels x 2 bytes: from, to; start; end */
    const int8_t *weights;        /* buckets x labels */
} itemi_tagger;

/* Bits of itemi_word.kind: what a word of the lexicon can be, and, further up, what an ending
 * tells of a word whose stem is there. Numbers from ITEMI_WORD_CLOSED to 127 are closed classes. */
enum {
    ITEMI_WORD_NOUN = 1,
    ITEMI_WORD_VERB = 2,
    ITEMI_WORD_ADJECTIVE = 4,
    ITEMI_WORD_CLOSED = 16,
    ITEMI_WORD_PLURAL = 1 << 8,
    ITEMI_WORD_THIRD = 1 << 9, /* "runs" as a verb */
    ITEMI_WORD_ING = 1 << 10,
    ITEMI_WORD_PAST = 1 << 11,
    ITEMI_WORD_COMPARED = 1 << 12
};

/* What the features know of a word. */
typedef struct itemi_word {
    uint32_t identity;    /* of known words; else of their kind */
    uint32_t kind;        /* bits as above, or a number of its shape */
    uint32_t suffixes[3]; /* hashes of the last 4, 3, 2 letters */
    uint32_t shape;
} itemi_word;

/* Stands for a word that training did not see. */
#define ITEMI_TAGGER_UNKNOWN(kind) (0x200000u + (uint32_t)(kind))

static inline uint32_t itemi_tagger_u32(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

/* `data` lives as long as the tagger. */
item_status itemi_tagger_read(itemi_tagger *tagger, const void *data, size_t length,
                              item_error *err);
/* The one that is compiled in. */
void itemi_tagger_builtin(itemi_tagger *tagger);

/* `text` is one token. */
void itemi_tagger_look(const itemi_tagger *tagger, const char *text, size_t length,
                       itemi_token_kind kind, itemi_word *word);
/* Buckets of word i of n. */
void itemi_tagger_features(const itemi_tagger *tagger, const itemi_word *words, size_t n, size_t i,
                           uint32_t buckets[ITEMI_TAGGER_FEATURES]);
/* Best labels of a sentence; n is at most ITEMI_TAGGER_WORDS. */
void itemi_tagger_run(const itemi_tagger *tagger, const itemi_word *words, size_t n,
                      uint8_t *labels);

#endif
