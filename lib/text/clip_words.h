/* SPDX-License-Identifier: Apache-2.0 */
/* Normalised text and words of CLIP's tokenizer; shared within text. */
#ifndef ITEMI_TEXT_CLIP_WORDS_H
#define ITEMI_TEXT_CLIP_WORDS_H

#include "common/common.h"

/* Appends a text (valid UTF-8) in NFC, each run of white space as one blank, in lower case. When
 * memory is out, out->failed. */
void itemi_clip_normalise(const char *text, size_t length, itemi_buf *out);

/* The words of a normalised text, one after another. */
typedef struct itemi_clip_words {
    const char *at, *end;
    const char *fence; /* no word goes across it */
    bool fences;       /* the names of the two special tokens stand apart from what follows */
    const char *text;  /* the word */
    size_t length;
} itemi_clip_words;

void itemi_clip_words_start(itemi_clip_words *words, const char *text, size_t length, bool fences);
bool itemi_clip_words_next(itemi_clip_words *words);

#endif
