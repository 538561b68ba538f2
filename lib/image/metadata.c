/* SPDX-License-Identifier: Apache-2.0 */
/* Where files of each kind hold their metadata: WebP and the HEIF family, and the way to all. */
#include <string.h>

#include "image/decode.h"

#define BOXES_MAX 1000 /* of a HEIF file at its top; a picture has about five */

void itemi_metadata_c2pa(itemi_metadata *metadata, const char *where, const uint8_t *data,
                         size_t size)
{
    /* box, description box, and the type that C2PA has for a manifest store */
    static const uint8_t type[] = {'c',  '2',  'p',  'a',  0x00, 0x11, 0x00, 0x10,
                                   0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71};
    bool store = size >= 16 + sizeof type && memcmp(data + 4, "jumb", 4) == 0 &&
                 memcmp(data + 12, "jumd", 4) == 0 && memcmp(data + 16, type, sizeof type) == 0;
    if (!store || metadata->c2pa)
        return;
    metadata->c2pa = where;
    metadata->manifest = data;
    metadata->manifest_size = size;
}

/* ---- WebP: a RIFF file ---- */

static uint32_t little_endian(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

void itemi_webp_metadata(itemi_metadata *metadata, const uint8_t *bytes, size_t size)
{
    *metadata = (itemi_metadata){0};
    for (size_t at = 12; size >= 8 && at <= size - 8;) {
        const uint8_t *type = bytes + at, *data = type + 8;
        size_t length = little_endian(type + 4);
        if (length > size - at - 8)
            return;
        if (memcmp(type, "EXIF", 4) == 0 && !metadata->exif) {
            metadata->exif = data;
            metadata->exif_size = length;
        } else if (memcmp(type, "XMP ", 4) == 0 && !metadata->xmp) {
            metadata->xmp = data;
            metadata->xmp_size = length;
        } else if (memcmp(type, "C2PA", 4) == 0) {
            itemi_metadata_c2pa(metadata, "WebP C2PA", data, length);
        }
        at += 8 + length + length % 2;
    }
}

/* ---- HEIF: boxes ---- */

static uint64_t big_endian(const uint8_t *p, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | p[i];
    return value;
}

/* C2PA puts a box of its own at the top: version and flags, purpose, an offset, the store. */
static void take_uuid(itemi_metadata *m, const uint8_t *data, size_t size)
{
    static const uint8_t uuid[] = {0xd8, 0xfe, 0xc3, 0xd6, 0x1b, 0x0e, 0x48, 0x3c,
                                   0x92, 0x97, 0x58, 0x28, 0x87, 0x7e, 0xc4, 0x81};
    static const char purpose[] = "manifest";
    const size_t head = sizeof uuid + 4 + sizeof purpose + 8;
    if (size > head && memcmp(data, uuid, sizeof uuid) == 0 &&
        memcmp(data + sizeof uuid + 4, purpose, sizeof purpose) == 0)
        itemi_metadata_c2pa(m, "HEIF uuid", data + head, size - head);
}

void itemi_heif_metadata(itemi_metadata *metadata, const uint8_t *bytes, size_t size)
{
    *metadata = (itemi_metadata){0};
    size_t at = 0;
    for (int boxes = 0; boxes < BOXES_MAX && size - at >= 8; boxes++) {
        const uint8_t *box = bytes + at;
        uint64_t length = big_endian(box, 4), head = 8;
        if (length == 0)
            length = size - at; /* up to the end */
        if (length == 1 && size - at >= 16) {
            length = big_endian(box + 8, 8);
            head = 16;
        }
        if (length < head || length > size - at)
            return;
        if (memcmp(box + 4, "uuid", 4) == 0)
            take_uuid(metadata, box + head, (size_t)(length - head));
        at += (size_t)length;
    }
}

void itemi_metadata_of(itemi_kind kind, const uint8_t *bytes, size_t size, itemi_metadata *out)
{
    itemi_jpeg_header header;
    switch (kind) {
    case ITEMI_KIND_JPEG:
        itemi_jpeg_header_read(&header, bytes, size);
        *out = header.metadata;
        return;
    case ITEMI_KIND_PNG:
        itemi_png_metadata(out, bytes, size);
        return;
    case ITEMI_KIND_WEBP:
        itemi_webp_metadata(out, bytes, size);
        return;
    case ITEMI_KIND_HEIC:
    case ITEMI_KIND_AVIF:
        break;
    }
    itemi_heif_metadata(out, bytes, size);
}
