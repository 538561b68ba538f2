/* SPDX-License-Identifier: Apache-2.0 */
/* Kind of a file by its first bytes, with a name for what cannot be read. */
#include <string.h>

#include "image/decode.h"
#include "image/image.h"

/* How much of a text is looked at to tell SVG from other text. */
#define TEXT_SAMPLE 1024

typedef struct magic {
    const char *name;
    uint8_t at, length;
    const char *bytes;
} magic;

/* The first that fits; kinds whose mark is short stand last. */
static const magic unsupported[] = {
    {"GIF", 0, 6, "GIF87a"},
    {"GIF", 0, 6, "GIF89a"},
    {"TIFF", 0, 4, "II*\0"},
    {"TIFF", 0, 4, "MM\0*"},
    {"TIFF", 0, 4, "II+\0"},
    {"TIFF", 0, 4, "MM\0+"},
    {"JPEG XL", 0, 12, "\0\0\0\fJXL \r\n\x87\n"},
    {"JPEG 2000", 0, 12, "\0\0\0\fjP  \r\n\x87\n"},
    {"JPEG 2000", 0, 4, "\xff\x4f\xff\x51"},
    {"PDF", 0, 5, "%PDF-"},
    {"PostScript", 0, 4, "%!PS"},
    {"PSD", 0, 4, "8BPS"},
    {"MNG", 0, 8, "\x8aMNG\r\n\x1a\n"},
    {"QOI", 0, 4, "qoif"},
    {"OpenEXR", 0, 4, "v/1\x01"},
    {"DDS", 0, 4, "DDS "},
    {"ICO", 0, 4, "\0\0\x01\0"},
    {"ZIP archive", 0, 4, "PK\x03\x04"},
    {"gzip archive", 0, 3, "\x1f\x8b\x08"},
    {"JPEG XL", 0, 2, "\xff\x0a"},
};

/* Brands of the ISO base media format that are no pictures of the HEIF family. */
static const magic other_brands[] = {
    {"Canon CR3", 8, 4, "crx "},
    {"video (MP4 or QuickTime)", 8, 0, ""},
};

static bool fits(const magic *m, const uint8_t *bytes, size_t size)
{
    return size >= (size_t)m->at + m->length && memcmp(bytes + m->at, m->bytes, m->length) == 0;
}

static const char *find(const magic *list, size_t count, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        if (fits(&list[i], bytes, size))
            return list[i].name;
    }
    return NULL;
}

static const char *unsupported_kind(const uint8_t *bytes, size_t size)
{
    if (size >= 12 && memcmp(bytes, "RIFF", 4) == 0)
        return "RIFF file that is not a picture";
    if (size >= 12 && memcmp(bytes + 4, "ftyp", 4) == 0)
        return find(other_brands, ITEMI_COUNT(other_brands), bytes, size);
    if (size >= 10 && memcmp(bytes, "BM", 2) == 0 && memcmp(bytes + 6, "\0\0\0\0", 4) == 0)
        return "BMP";
    return find(unsupported, ITEMI_COUNT(unsupported), bytes, size);
}

/* Valid UTF-8 without control characters, as far as a sample shows (its end may cut one). */
static bool is_text(const uint8_t *bytes, size_t size)
{
    if (size > TEXT_SAMPLE)
        size = TEXT_SAMPLE;
    size_t valid = itemi_utf8_valid((const char *)bytes, size);
    if (valid + 4 <= size)
        return false;
    for (size_t i = 0; i < valid; i++) {
        if (bytes[i] < 0x20 && !memchr("\t\n\f\r", bytes[i], 4))
            return false;
    }
    return valid > 0;
}

static bool is_svg(const uint8_t *bytes, size_t size)
{
    return memmem(bytes, size < TEXT_SAMPLE ? size : TEXT_SAMPLE, "<svg", 4) != NULL;
}

static bool one_of(const uint8_t *brand, const char *brands)
{
    for (; *brands; brands += 4) {
        if (memcmp(brand, brands, 4) == 0)
            return true;
    }
    return false;
}

/* The HEIF family shares its first box with films; a brand tells them apart. 0: neither. */
static itemi_kind heif_kind(const uint8_t *bytes, size_t size)
{
    static const char avif[] = "avifavis", heic[] = "heicheixheimheishevchevx", any[] = "mif1msf1";
    if (size < 12 || memcmp(bytes + 4, "ftyp", 4) != 0)
        return 0;
    if (one_of(bytes + 8, avif))
        return ITEMI_KIND_AVIF;
    if (one_of(bytes + 8, heic))
        return ITEMI_KIND_HEIC;
    if (!one_of(bytes + 8, any))
        return 0;
    size_t end = (size_t)bytes[2] << 8 | bytes[3]; /* of a box that holds but a few brands */
    for (size_t at = 16; at + 4 <= size && at + 4 <= end; at += 4) {
        if (one_of(bytes + at, avif))
            return ITEMI_KIND_AVIF;
    }
    return ITEMI_KIND_HEIC;
}

/* 0 for what is none of the kinds that have a name here. */
static itemi_kind known_kind(const uint8_t *bytes, size_t size)
{
    static const magic jpeg = {"JPEG", 0, 3, "\xff\xd8\xff"};
    static const magic png = {"PNG", 0, 8, "\x89PNG\r\n\x1a\n"};
    static const magic riff = {"RIFF", 0, 4, "RIFF"}, webp = {"WebP", 8, 4, "WEBP"};
    if (fits(&jpeg, bytes, size))
        return ITEMI_KIND_JPEG;
    if (fits(&png, bytes, size))
        return ITEMI_KIND_PNG;
    if (fits(&riff, bytes, size) && fits(&webp, bytes, size))
        return ITEMI_KIND_WEBP;
    return heif_kind(bytes, size);
}

const char *itemi_kind_name(itemi_kind kind)
{
    static const char *const names[] = {"?", "JPEG", "PNG", "WebP", "HEIC", "AVIF"};
    return names[kind];
}

item_status itemi_kind_of(const uint8_t *bytes, size_t size, itemi_kind *out, item_error *err)
{
    if (size == 0)
        return itemi_fail(err, ITEM_E_FORMAT, "empty file");
    *out = known_kind(bytes, size);
    if (*out)
        return ITEM_OK;
    const char *kind = unsupported_kind(bytes, size);
    if (!kind && is_text(bytes, size)) {
        if (!is_svg(bytes, size))
            return itemi_fail(err, ITEM_E_FORMAT, "not a picture: a text");
        kind = "SVG";
    }
    if (kind)
        return itemi_fail(err, ITEM_E_UNSUPPORTED,
                          "unsupported: %s (JPEG, PNG, WebP, HEIC and AVIF are read)", kind);
    return itemi_fail(err, ITEM_E_FORMAT, "not a picture of any kind that is known");
}

bool itemi_is_picture(const uint8_t *bytes, size_t size)
{
    itemi_kind kind;
    return itemi_kind_of(bytes, size, &kind, NULL) == ITEM_OK;
}
