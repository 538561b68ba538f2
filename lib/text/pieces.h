/* SPDX-License-Identifier: Apache-2.0 */
/* A set of strings with numbers, searched by bytes; shared within text. */
#ifndef ITEMI_TEXT_PIECES_H
#define ITEMI_TEXT_PIECES_H

#include "text/text.h"

typedef struct itemi_piece_entry {
    const char *text; /* within the set's own copy */
    uint32_t length;
    int32_t id;
} itemi_piece_entry;

/*
 * A sorted array: reading a word byte by byte narrows a range of it, so no input makes a search
 * long. Of equal strings the one with the highest number counts.
 */
typedef struct itemi_pieces {
    const itemi_mem *mem;
    char *text;
    itemi_piece_entry *entries;
    size_t count;
} itemi_pieces;

/* Copies `count` strings; their numbers are their places in the array. False: memory is out; the
 * set may be freed in either case. */
bool itemi_pieces_make(itemi_pieces *pieces, const itemi_mem *mem, const itemi_token_text *texts,
                       size_t count);
void itemi_pieces_free(itemi_pieces *pieces);
/* -1: not there. */
int32_t itemi_pieces_find(const itemi_pieces *pieces, const char *text, size_t length);
/* Number of the longest string that begins prefix + text, -1 if none; *used counts bytes of text. */
int32_t itemi_pieces_longest(const itemi_pieces *pieces, const char *prefix, const char *text,
                             size_t length, size_t *used);

#endif
