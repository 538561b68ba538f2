/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the family "grid-decoder" (words.c). */
#ifndef ITX_WORDS_H
#define ITX_WORDS_H

#include "nets.h"

#define ITX_WORD_UNKNOWN 3 /* stands for each that is not in the list */

typedef struct itx_words {
    const char **words; /* in the host's bytes of the file: start of each line, and its length */
    size_t *lengths;
    size_t count;
} itx_words;

/* Of the file "words", which must have `count` lines; itx_words_close() it, also after a failure. */
item_status itx_words_open(itx_words *w, const item_services *s, size_t count, item_error *err);
void itx_words_close(itx_words *w, const item_services *s);
/* Words with blanks between; returns the bytes, the NUL included. out NULL: counts alone. */
size_t itx_words_join(const itx_words *w, const int32_t *ids, size_t n, char *out);
/* The other way: lower case without punctuation. Returns how many there are; up to room are kept. */
size_t itx_words_split(const itx_words *w, const char *text, int32_t *ids, size_t room);

#endif
