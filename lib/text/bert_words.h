/* SPDX-License-Identifier: Apache-2.0 */
/* Splits a text into normalised words as BERT's uncased reference does, without allocating. */
#ifndef ITEMI_TEXT_BERT_WORDS_H
#define ITEMI_TEXT_BERT_WORDS_H

#include "common/common.h"

/* The reference answers [UNK] for longer words, so no more is kept. */
#define ITEMI_BERT_WORD_CHARS 100

typedef struct itemi_bert_words {
    const char *at, *end;    /* what is left of the text */
    const uint32_t *pending; /* what is left of a decomposed code point */
    unsigned pending_count;
    uint32_t jamo[3];
    bool held; /* a code point that ended the last word and was not used */
    uint32_t held_code;
    unsigned held_kind;
    /* the word that is being built */
    uint32_t codes[ITEMI_BERT_WORD_CHARS];
    unsigned char ranks[ITEMI_BERT_WORD_CHARS]; /* of combining marks, 0 for others */
    size_t count;
    size_t floor; /* marks do not move before this place */
    bool too_long;
    /* the word as found: UTF-8, not terminated; valid until the next call */
    char text[ITEMI_BERT_WORD_CHARS * 4];
    size_t length;
} itemi_bert_words;

/* `text` is valid UTF-8. */
void itemi_bert_words_start(itemi_bert_words *words, const char *text, size_t length);
/* Finds the next word; false at the end. A word over the limit has too_long set. */
bool itemi_bert_words_next(itemi_bert_words *words);

#endif
