/* SPDX-License-Identifier: Apache-2.0 */
/* Byte-pair encoding of words, byte-level, with "</w>" at the end of a word; shared within text. */
#ifndef ITEMI_TEXT_BPE_H
#define ITEMI_TEXT_BPE_H

#include "text/pieces.h"

#define ITEMI_BPE_END "</w>"

/* Bytes are written as characters that can be seen: byte `b` of a piece is this code point. */
uint32_t itemi_byte_character(unsigned char b);

typedef struct itemi_bpe itemi_bpe;
/* Takes the merges of `parts`; `unknown` stands for a byte that no piece has. */
item_status itemi_bpe_open(const itemi_mem *mem, const itemi_pieces *vocabulary,
                           const itemi_tokenizer_parts *parts, int32_t unknown, itemi_bpe **out,
                           item_error *err);
void itemi_bpe_free(itemi_bpe *bpe);

/* What one encoding after another needs; start with zeros and `mem`. */
typedef struct itemi_bpe_scratch {
    const itemi_mem *mem;
    struct itemi_bpe_symbol *symbols;
    struct itemi_bpe_merge *heap;
    size_t capacity; /* of symbols; the heap has three times as many */
    size_t heap_count;
} itemi_bpe_scratch;
void itemi_bpe_scratch_free(itemi_bpe_scratch *scratch);
/* Ids of one word, of 1 byte or more; false when memory is out. */
bool itemi_bpe_word(const itemi_bpe *bpe, const char *word, size_t length,
                    itemi_bpe_scratch *scratch, void (*put)(void *user, int32_t id), void *user);

#endif
