/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts a caption into words, punctuation, tags and emoji, as the tagger wants them. */
#ifndef ITEMI_TEXT_CAPTION_H
#define ITEMI_TEXT_CAPTION_H

#include "common/common.h"

typedef enum itemi_token_kind {
    ITEMI_TOKEN_WORD,
    ITEMI_TOKEN_NUMBER,  /* begins with a digit: 32, 1,000, 8k, 2nd */
    ITEMI_TOKEN_HASHTAG, /* #beach */
    ITEMI_TOKEN_MENTION, /* @user */
    ITEMI_TOKEN_LINK,    /* https://... or www.... */
    ITEMI_TOKEN_SYMBOL,  /* emoji, arrows, signs: a run of them is one token */
    ITEMI_TOKEN_PUNCT,   /* a run of one and the same mark is one token */
    ITEMI_TOKEN_STOP     /* the same, where a sentence ends: . ! ? ; line ends, and
                           dashes between spaces */
} itemi_token_kind;

typedef struct itemi_token {
    uint32_t start, end; /* bytes of the caption */
    uint8_t kind;
} itemi_token;

typedef struct itemi_caption {
    const char *text;
    size_t at, length;
} itemi_caption;

/* `text` is valid UTF-8 of less than 4 GB. */
void itemi_caption_start(itemi_caption *caption, const char *text, size_t length);
/* Finds the next token; false at the end. */
bool itemi_caption_next(itemi_caption *caption, itemi_token *token);

#endif
