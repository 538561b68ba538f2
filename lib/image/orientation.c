/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The orientation in EXIF data, else in XMP, and nothing else of them. Every offset is checked
 * against the end; data that make no sense mean "upright".
 */
#include <string.h>

#include "image/decode.h"

#define TAG_ORIENTATION 0x0112

#define TYPE_BYTE  1
#define TYPE_SHORT 3
#define TYPE_LONG  4

#define ENTRY_SIZE 12

typedef struct tiff {
    const uint8_t *data;
    size_t size;
    bool little;
} tiff;

/* An unsigned number of 1, 2 or 4 bytes at an offset that was checked. */
static uint32_t number(const tiff *t, size_t at, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        unsigned shift = 8 * (t->little ? i : bytes - 1 - i);
        value |= (uint32_t)t->data[at + i] << shift;
    }
    return value;
}

/* The value of an entry with one whole number; 0 when it holds something else. */
static uint32_t entry_value(const tiff *t, size_t entry)
{
    if (number(t, entry + 4, 4) != 1)
        return 0;
    switch (number(t, entry + 2, 2)) {
    case TYPE_BYTE:
        return number(t, entry + 8, 1);
    case TYPE_SHORT:
        return number(t, entry + 8, 2);
    case TYPE_LONG:
        return number(t, entry + 8, 4);
    default:
        return 0;
    }
}

/* Byte order and the number 42; some writers put the latter in the other order. */
static bool read_header(tiff *t)
{
    const uint8_t *d = t->data;
    if (t->size < 8 || d[2] + d[3] != 42 || (d[2] && d[3]))
        return false;
    t->little = memcmp(d, "II", 2) == 0;
    return t->little || memcmp(d, "MM", 2) == 0;
}

/* 1 to 8, or 0 when the EXIF data say nothing. */
static uint32_t from_exif(const uint8_t *data, size_t size)
{
    /* the name of the JPEG segment, which has no place in a PNG but is found there */
    for (; size >= 6 && memcmp(data, "Exif\0", 6) == 0; size -= 6)
        data += 6;
    tiff t = {data, size, false};
    if (!read_header(&t))
        return 0;
    size_t folder = number(&t, 4, 4);
    if (folder > size - 2)
        return 0;
    uint32_t entries = number(&t, folder, 2);
    size_t at = folder + 2;
    for (; entries && size - at >= ENTRY_SIZE; entries--, at += ENTRY_SIZE) {
        if (number(&t, at, 2) == TAG_ORIENTATION) {
            uint32_t value = entry_value(&t, at);
            return value >= 1 && value <= 8 ? value : 1;
        }
    }
    return 0;
}

/* XMP names it as an attribute, tiff:Orientation="6", or as an element, <tiff:Orientation>6<. */
static uint32_t from_xmp(const uint8_t *data, size_t size)
{
    static const char name[] = "tiff:Orientation";
    const uint8_t *end = data + size, *at = data;
    while (at && (at = memmem(at, (size_t)(end - at), name, sizeof name - 1))) {
        at += sizeof name - 1;
        size_t skip = end - at > 1 && at[0] == '>' ? 1 : 2;
        if (end - at <= 2 || (skip == 2 && memcmp(at, "=\"", 2) != 0))
            continue;
        if (at[skip] >= '1' && at[skip] <= '8')
            return (uint32_t)(at[skip] - '0');
        return 0;
    }
    return 0;
}

uint32_t itemi_orientation(const itemi_metadata *metadata)
{
    uint32_t value = 0;
    if (metadata->exif)
        value = from_exif(metadata->exif, metadata->exif_size);
    if (value == 0 && metadata->xmp)
        value = from_xmp(metadata->xmp, metadata->xmp_size);
    return value ? value : 1;
}
