/* SPDX-License-Identifier: Apache-2.0 */
/* What the targets of tokenizers have in common. */
#ifndef TEST_FUZZ_TOKENS_H
#define TEST_FUZZ_TOKENS_H

#include "core/tokens.h"
#include "fuzz.h"

/* The text behind the next NUL of `size` bytes, "" where there is none; *at moves on to it. */
const char *fuzz_next(const char *bytes, size_t size, size_t *at);
/* A text's ids for some limits, and the text of its ids. */
void fuzz_tokens(const itemi_tokenizer *tokenizer, const char *text);
/* Input: two texts of which `make` makes a tokenizer, and a text for it, with NULs between. */
void fuzz_three(const uint8_t *data, size_t size,
                item_status (*make)(itemi_tokens *tokens, const char *first, const char *second,
                                    itemi_tokenizer **out, item_error *err));

#endif
