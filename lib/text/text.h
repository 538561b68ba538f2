/* SPDX-License-Identifier: Apache-2.0 */
/* Tokenizers and noun phrases; sees common alone. */
#ifndef ITEMI_TEXT_H
#define ITEMI_TEXT_H

#include "common/common.h"

/* WordPiece of BERT (uncased). Immutable after opening; serves many threads. */
typedef struct itemi_wordpiece itemi_wordpiece;

#define ITEMI_VOCABULARY_BYTES (UINT64_C(16) << 20) /* the largest file worth reading */

/* `vocab` is the content of vocab.txt, one piece a line; copied. */
item_status itemi_wordpiece_open(const itemi_mem *mem, const char *vocab, size_t length,
                                 itemi_wordpiece **out, item_error *err);
void itemi_wordpiece_free(itemi_wordpiece *wp);
/*
 * Ids of a text with [CLS] and [SEP], truncated to `limit` ids in all (at least 2),
 * as the reference truncates (the special tokens stay). ids has room for
 * `capacity`; *count receives the number needed even if it is more than that.
 */
item_status itemi_wordpiece_encode(const itemi_wordpiece *wp, const char *text, size_t limit,
                                   int32_t *ids, size_t capacity, size_t *count, item_error *err);

/* A noun phrase of a caption. */
typedef struct itemi_phrase {
    char *text;          /* small letters (ASCII), no determiner, numbers kept: "two brown dogs" */
    char *head;          /* its head noun, singular: "dog", "person" for people, "teddy bear" */
    uint32_t start, end; /* bytes of its first mention in the caption, without determiner */
    uint32_t count;      /* 1 for "a dog", "the dog"; 2 for "two dogs", "a couple of dogs";
                            0 if unknown: "dogs", "water" */
} itemi_phrase;

typedef struct itemi_phrases {
    const itemi_mem *mem;
    itemi_phrase *items;
    size_t count;
} itemi_phrases;

/*
 * Visible noun phrases in order of mention, duplicates merged ("the dog" after
 * "a brown dog"), phrases that cannot be seen left out (hidden_nouns.c lists
 * them). At most 256; the rest of the caption is then not read. Needs no file:
 * the model is compiled in. Time grows with the length of the caption. On
 * failure (ITEM_E_FORMAT for invalid UTF-8, ITEM_E_MEMORY) out is empty.
 */
item_status itemi_phrases_find(const itemi_mem *mem, const char *caption, itemi_phrases *out,
                               item_error *err);
void itemi_phrases_free(itemi_phrases *phrases);

#endif
