/* SPDX-License-Identifier: Apache-2.0 */
/* Code points as CLIP's reference tokenizer sees them; tables made by make_clip_tables.py. */
#ifndef ITEMI_TEXT_CLIP_TABLES_H
#define ITEMI_TEXT_CLIP_TABLES_H

#include <stdint.h>

/* Half a byte each: the kind in two bits, and two flags. */
enum {
    ITEMI_CLIP_OTHER = 0,
    ITEMI_CLIP_SPACE = 1,
    ITEMI_CLIP_LETTER = 2,
    ITEMI_CLIP_NUMBER = 3,
    ITEMI_CLIP_KIND = 3,  /* mask */
    ITEMI_CLIP_LOWER = 4, /* has a lower case */
    ITEMI_CLIP_NORMAL = 8 /* decomposes, has a combining class, or is the second of a composition */
};

/* As those of unicode.h. */
extern const uint32_t itemi_clip_index[2176];
extern const uint32_t itemi_clip_blocks[];

/* First, last, number of the combining class (from 1 on, in rising order); sorted. */
extern const uint32_t itemi_nfc_marks[];
extern const uint32_t itemi_nfc_mark_count;
extern const uint32_t itemi_nfc_classes;

/* First, second, what they compose to; sorted. Hangul is computed. */
extern const uint32_t itemi_nfc_pairs[];
extern const uint32_t itemi_nfc_pair_count;

/* Full canonical decompositions (Hangul is computed), and lower case, as in unicode.h. */
extern const uint32_t itemi_nfd_keys[];
extern const uint16_t itemi_nfd_starts[];
extern const uint32_t itemi_nfd_pool[];
extern const uint32_t itemi_nfd_count;
extern const uint32_t itemi_lower_keys[];
extern const uint16_t itemi_lower_starts[];
extern const uint32_t itemi_lower_pool[];
extern const uint32_t itemi_lower_count;

#endif
