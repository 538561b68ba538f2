/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the files of a tokenizer into the parts that the text layer makes one of. */
#ifndef ITEMI_TOKENS_H
#define ITEMI_TOKENS_H

#include "core/core.h"

/* Which class of the reference reads a folder. */
typedef enum itemi_tokens_class {
    ITEMI_TOKENS_CLIP = 1, /* CLIPTokenizer: takes the vocabulary of tokenizer.json alone */
    ITEMI_TOKENS_BERT,     /* BertTokenizer, likewise */
    ITEMI_TOKENS_FILE      /* none of its own: tokenizer.json as it stands */
} itemi_tokens_class;

/* JSON files of a tokenizer; what parts point at. */
typedef struct itemi_tokens_json {
    json_t *root;     /* NULL: the stage has none */
    const char *path; /* for messages */
} itemi_tokens_json;

/* What is being made; free it once a tokenizer is made of its parts. */
typedef struct itemi_tokens {
    const itemi_mem *mem;
    itemi_tokens_json tokenizer, vocabulary;         /* one of the two, or neither */
    itemi_tokens_json config, specials_map, numbers; /* tokenizer_config.json and its elders */
    itemi_file lines[2];                             /* vocab.txt, merges.txt */
    itemi_tokens_class class;
    itemi_tokenizer_parts parts;
    itemi_token_text *pieces, *merges;
    itemi_added_token *added; /* room for ITEMI_ADDED_MAX */
    unsigned char *forms;     /* of each, for tokens_added.c */
} itemi_tokens;

/* tokens.c: the tokenizer of the vocabulary that was read; nothing borrowed is left in it. */
item_status itemi_tokens_make(itemi_tokens *tokens, itemi_tokenizer **out, item_error *err);
void itemi_tokens_free(itemi_tokens *tokens);
/* tokens_json.c: parts of tokenizer.json; what it asks for beyond what is known is refused. */
item_status itemi_tokens_read_json(itemi_tokens *tokens, item_error *err);
/* The vocabulary as an object of ids. */
item_status itemi_tokens_take_vocabulary(itemi_tokens *tokens, const json_t *vocabulary,
                                         item_error *err);
/* tokens_added.c: the class, names of special tokens and the added tokens. */
item_status itemi_tokens_read_added(itemi_tokens *tokens, item_error *err);

#endif
