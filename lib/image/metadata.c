/* SPDX-License-Identifier: Apache-2.0 */
/* Where files of each kind hold their metadata: WebP, and the way to all. */
#include <string.h>

#include "image/decode.h"

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
