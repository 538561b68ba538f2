/* SPDX-License-Identifier: Apache-2.0 */
/* Classes of code points as BERT's reference tokenizer sees them; tables made by make_tables.py. */
#ifndef ITEMI_TEXT_UNICODE_H
#define ITEMI_TEXT_UNICODE_H

#include <stddef.h>
#include <stdint.h>

/* Half a byte each. From ITEMI_UC_MARK on: a combining mark that stays, by rank of its
 * combining class, because canonical ordering sorts such marks. */
enum {
    ITEMI_UC_KEEP = 0,
    ITEMI_UC_DROP = 1,         /* removed; marks before and after it meet */
    ITEMI_UC_DROP_STARTER = 2, /* removed; marks do not move across it */
    ITEMI_UC_SPACE = 3,
    ITEMI_UC_CJK = 4, /* a word of its own */
    ITEMI_UC_PUNCT = 5,
    ITEMI_UC_MAP = 6, /* lower case or decomposition */
    ITEMI_UC_HANGUL = 7,
    ITEMI_UC_MARK = 8
};

/* Four or more values to a word, lowest bits first. */
extern const uint32_t itemi_unicode_index[2176];
extern const uint32_t itemi_unicode_blocks[];
/* Sorted by code point: the code point in 21 bits, then the length of what it becomes. */
extern const uint32_t itemi_unicode_map_keys[];
extern const uint16_t itemi_unicode_map_starts[];
extern const uint32_t itemi_unicode_map_pool[];
extern const uint32_t itemi_unicode_map_count;

/* What each of some code points becomes; arrays as above. */
typedef struct itemi_unicode_mapping {
    const uint32_t *keys;
    const uint16_t *starts;
    const uint32_t *pool;
    uint32_t count;
} itemi_unicode_mapping;

/* Half a byte of tables of two levels; `code` is at most 0x10ffff. */
unsigned itemi_unicode_nibble(const uint32_t *index, const uint32_t *blocks, uint32_t code);
/* What `code` becomes; returns the count of code points, 0 where it stays. */
unsigned itemi_unicode_find(const itemi_unicode_mapping *mapping, uint32_t code,
                            const uint32_t **out);

/* Class for BERT; `code` is at most 0x10ffff. */
unsigned itemi_unicode_class(uint32_t code);
/* What a code point of class ITEMI_UC_MAP becomes; returns the count of code points. */
unsigned itemi_unicode_map(uint32_t code, const uint32_t **out);

#endif
