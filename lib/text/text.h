/* SPDX-License-Identifier: Apache-2.0 */
/* Tokenizers and noun phrases; sees common alone. */
#ifndef ITEMI_TEXT_H
#define ITEMI_TEXT_H

#include "common/common.h"

/* ---- tokenizers: WordPiece of BERT (uncased), byte-pair encoding of CLIP ---- */

/* Numbers as the reference gives them (the Python package transformers, of which a file's name or
 * a setting tells the class). Immutable after opening; serves many threads. */
typedef struct itemi_tokenizer itemi_tokenizer;

#define ITEMI_VOCABULARY_BYTES (UINT64_C(16) << 20) /* the largest file worth reading */
#define ITEMI_PIECES_MAX       1000000 /* the largest published ones have a quarter of that */
#define ITEMI_ADDED_MAX        1000    /* likewise of tokens that are found by their names */

typedef enum itemi_tokenizer_kind { ITEMI_WORDPIECE = 1, ITEMI_BPE } itemi_tokenizer_kind;

/* Borrowed bytes; valid UTF-8 without NUL. */
typedef struct itemi_token_text {
    const char *bytes;
    size_t length;
} itemi_token_text;

/* A piece that is found in the text itself, before it is cut into words. */
typedef struct itemi_added_token {
    itemi_token_text text;
    bool special;    /* left out when ids become text */
    bool normalised; /* looked for in the normalised text */
    int32_t id;      /* that it must have; -1: its piece's, or the next one */
} itemi_added_token;

/* What a tokenizer is made of; borrowed, copied by opening. */
typedef struct itemi_tokenizer_parts {
    itemi_tokenizer_kind kind;
    const char *vocabulary_name, *merges_name; /* for messages */
    const itemi_token_text *pieces;            /* the place is the id */
    size_t piece_count;
    const itemi_token_text *merges; /* BPE: two for each merge, the most wanted first */
    size_t merge_count;
    const itemi_added_token *added; /* of equal ones the last counts */
    size_t added_count;
    const char *first, *last, *unknown; /* special pieces: around each text, and for what is none */
    bool split_names; /* BPE: names of special tokens in other case stand apart from what follows */
    bool tidy;        /* blanks before punctuation are taken out of the whole decoded text too */
} itemi_tokenizer_parts;

/*
 * ITEM_E_FORMAT: a special piece is missing, a merge names what is no piece; ITEM_E_UNSUPPORTED: a
 * token that only the reference finds; ITEM_E_LIMIT: too many pieces.
 */
item_status itemi_tokenizer_open(const itemi_mem *mem, const itemi_tokenizer_parts *parts,
                                 itemi_tokenizer **out, item_error *err);
/* BERT's, from the content of vocab.txt; the usual special pieces that it has are found in texts. */
item_status itemi_tokenizer_open_bert(const itemi_mem *mem, const char *vocab, size_t length,
                                      itemi_tokenizer **out, item_error *err);
void itemi_tokenizer_free(itemi_tokenizer *tokenizer);
/* Ids are 0 to this number - 1. */
int32_t itemi_tokenizer_size(const itemi_tokenizer *tokenizer);
/*
 * Ids of a text with the special pieces around it, truncated to `limit` ids in all (at least 2),
 * as the reference truncates (the special pieces stay). ids has room for `capacity`; *count
 * receives the number needed even if it is more than that. The time grows with the text, never
 * with its square.
 */
item_status itemi_tokenizer_encode(const itemi_tokenizer *tokenizer, const char *text, size_t limit,
                                   int32_t *ids, size_t capacity, size_t *count, item_error *err);
/*
 * The text of some ids, special ones left out, joined and tidied as the reference does; ids that
 * are no piece are left out. Writes at most `capacity` bytes with the NUL; *needed receives the
 * bytes that all of it takes, with the NUL.
 */
item_status itemi_tokenizer_decode(const itemi_tokenizer *tokenizer, const int32_t *ids, size_t n,
                                   char *out, size_t capacity, size_t *needed, item_error *err);

/*
 * The lines of vocab.txt (white space at their ends is dropped), and of merges.txt (two words a
 * line, "#version" lines passed over; two texts each). They point into `text`; *lines is to be
 * freed by itemi_free(). `name` is for messages.
 */
item_status itemi_vocabulary_lines(const itemi_mem *mem, const char *text, size_t length,
                                   const char *name, itemi_token_text **lines, size_t *count,
                                   item_error *err);
item_status itemi_merge_lines(const itemi_mem *mem, const char *text, size_t length,
                              const char *name, itemi_token_text **lines, size_t *count,
                              item_error *err);

/* ---- noun phrases ---- */

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
