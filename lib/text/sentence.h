/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences of a caption and their base noun phrases. */
#ifndef ITEMI_TEXT_SENTENCE_H
#define ITEMI_TEXT_SENTENCE_H

#include "text/caption.h"
#include "text/tagger.h"

typedef struct itemi_sentence {
    itemi_token tokens[ITEMI_TAGGER_WORDS];
    uint8_t labels[ITEMI_TAGGER_WORDS];
    size_t count;
} itemi_sentence;

/* Reads and tags the next sentence (at most ITEMI_TAGGER_WORDS tokens); false at the end. */
bool itemi_sentence_next(const itemi_tagger *tagger, itemi_caption *caption,
                         itemi_sentence *sentence);
/* Finds the next base noun phrase at or after token *from: tokens *from to *to - 1. */
bool itemi_sentence_chunk(const itemi_tagger *tagger, const itemi_sentence *sentence, size_t *from,
                          size_t *to);
/* Part of speech of a token: "NN", "NNS", "DT", ... */
const char *itemi_sentence_tag(const itemi_tagger *tagger, const itemi_sentence *sentence,
                               size_t token);

#endif
