/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata of a PNG, which may stand before or behind the pixels. */
#include <string.h>

#include "image/decode.h"
#include "image/provenance.h"

#define SIGNATURE_SIZE 8
#define CHUNK_EXTRA    12 /* length, type, checksum */

static size_t length_at(const uint8_t *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

/* XMP stands in an iTXt chunk: keyword, NUL, two bytes of compression, language, keyword, text. */
static void take_xmp(itemi_metadata *m, const uint8_t *data, size_t size)
{
    static const char keyword[] = "XML:com.adobe.xmp";
    if (size < sizeof keyword + 2 || memcmp(data, keyword, sizeof keyword) != 0)
        return;
    const uint8_t *at = data + sizeof keyword, *end = data + size;
    if (at[0] != 0) /* compressed, which the XMP specification advises against */
        return;
    at += 2;
    for (int i = 0; i < 2; i++) {
        const uint8_t *nul = memchr(at, 0, (size_t)(end - at));
        if (!nul)
            return;
        at = nul + 1;
    }
    m->xmp = at;
    m->xmp_size = (size_t)(end - at);
}

/* A text under a keyword that tells an origin; of several under one keyword, the first. */
static void take_text(itemi_metadata *m, uint8_t type, const uint8_t *data, size_t size)
{
    const char *keyword = (const char *)data;
    if (m->texts == ITEMI_PNG_TEXTS || !memchr(data, 0, size) || !itemi_tells_origin(keyword))
        return;
    for (uint32_t i = 0; i < m->texts; i++) {
        if (strcmp((const char *)m->text[i].data, keyword) == 0)
            return;
    }
    m->text[m->texts++] = (itemi_png_text){data, size, type};
}

void itemi_png_metadata(itemi_metadata *metadata, const uint8_t *bytes, size_t size)
{
    *metadata = (itemi_metadata){0};
    size_t at = SIGNATURE_SIZE;
    while (size >= CHUNK_EXTRA && at <= size - CHUNK_EXTRA) {
        size_t length = length_at(bytes + at);
        if (length > size - at - CHUNK_EXTRA)
            return;
        const uint8_t *type = bytes + at + 4, *data = bytes + at + 8;
        if (memcmp(type, "eXIf", 4) == 0 && !metadata->exif) {
            metadata->exif = data;
            metadata->exif_size = length;
        } else if (memcmp(type, "iTXt", 4) == 0) {
            take_xmp(metadata, data, length);
            take_text(metadata, type[0], data, length);
        } else if (memcmp(type, "tEXt", 4) == 0 || memcmp(type, "zTXt", 4) == 0) {
            take_text(metadata, type[0], data, length);
        } else if (memcmp(type, "caBX", 4) == 0) {
            itemi_metadata_c2pa(metadata, "PNG caBX", data, length);
        } else if (memcmp(type, "IEND", 4) == 0) {
            return;
        }
        at += CHUNK_EXTRA + length;
    }
}
