/* SPDX-License-Identifier: Apache-2.0 */
/* The orientation in EXIF data, else in XMP. Data that make no sense mean "upright". */
#include <string.h>

#include "image/decode.h"
#include "image/exif.h"

/* 1 to 8, or 0 when the EXIF data say nothing. */
static uint32_t from_exif(const uint8_t *data, size_t size)
{
    itemi_exif exif;
    itemi_exif_entry entry;
    if (!itemi_exif_open(&exif, data, size))
        return 0;
    if (!itemi_exif_find(&exif, exif.folder, ITEMI_EXIF_ORIENTATION, &entry) && entry.type == 0)
        return 0;
    uint32_t value = itemi_exif_number(&exif, &entry);
    return value >= 1 && value <= 8 ? value : 1;
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
