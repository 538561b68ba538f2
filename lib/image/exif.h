/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of EXIF data, read in place; every offset is checked against the end. */
#ifndef ITEMI_EXIF_H
#define ITEMI_EXIF_H

#include "common/common.h"

#define ITEMI_EXIF_DESCRIPTION 0x010e
#define ITEMI_EXIF_MAKE        0x010f
#define ITEMI_EXIF_MODEL       0x0110
#define ITEMI_EXIF_ORIENTATION 0x0112
#define ITEMI_EXIF_SOFTWARE    0x0131
#define ITEMI_EXIF_MAKER_NOTE  0x927c
#define ITEMI_EXIF_COMMENT     0x9286

typedef struct itemi_exif {
    const uint8_t *data; /* from the TIFF header on */
    size_t size;
    bool little;
    size_t folder, more; /* offsets of IFD0 and of the Exif folder; 0 where there is none */
} itemi_exif;

/* An entry; its value lies within the data. */
typedef struct itemi_exif_entry {
    uint32_t type, count;
    const uint8_t *value;
    size_t size;
} itemi_exif_entry;

/* false: no TIFF header, or its first folder lies outside. */
bool itemi_exif_open(itemi_exif *exif, const uint8_t *data, size_t size);
/* The first entry with the tag in a folder; false where it is not, or not whole. */
bool itemi_exif_find(const itemi_exif *exif, size_t folder, uint32_t tag, itemi_exif_entry *out);
/* A single whole number without a sign; 0 when the entry holds something else. */
uint32_t itemi_exif_number(const itemi_exif *exif, const itemi_exif_entry *entry);
/*
 * Adds the entry's text as UTF-8, at most `most` bytes of it; what is no text adds nothing. Knows
 * the names of character sets that begin a comment.
 */
void itemi_exif_text(const itemi_exif *exif, const itemi_exif_entry *entry, size_t most,
                     itemi_buf *out);

#endif
