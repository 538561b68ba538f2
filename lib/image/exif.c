/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of EXIF data. libexif would copy all of it and still leave the character sets of a
 * comment to us; the handful of tags that libitem asks for are found in place.
 */
#include "image/exif.h"

#include <string.h>

#define TAG_MORE 0x8769 /* where the Exif folder begins */

#define TYPE_BYTE  1
#define TYPE_ASCII 2
#define TYPE_SHORT 3
#define TYPE_LONG  4
#define TYPE_BLOB  7
#define TYPE_UTF8  129 /* of EXIF 3.0 */

#define ENTRY_SIZE 12
#define SET_SIZE   8 /* name of a comment's character set */

/* An unsigned number of 1, 2 or 4 bytes at an offset that was checked. */
static uint32_t number(const itemi_exif *t, size_t at, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        unsigned shift = 8 * (t->little ? i : bytes - 1 - i);
        value |= (uint32_t)t->data[at + i] << shift;
    }
    return value;
}

/* Byte order and the number 42; some writers put the latter in the other order. */
static bool read_header(itemi_exif *t)
{
    const uint8_t *d = t->data;
    if (t->size < 8 || d[2] + d[3] != 42 || (d[2] && d[3]))
        return false;
    t->little = memcmp(d, "II", 2) == 0;
    return t->little || memcmp(d, "MM", 2) == 0;
}

bool itemi_exif_open(itemi_exif *exif, const uint8_t *data, size_t size)
{
    /* the name of the JPEG segment, which has no place elsewhere but is found there */
    for (; size >= 6 && memcmp(data, "Exif\0", 6) == 0; size -= 6)
        data += 6;
    *exif = (itemi_exif){.data = data, .size = size};
    if (!read_header(exif))
        return false;
    exif->folder = number(exif, 4, 4);
    if (exif->folder > size - 2)
        return false;
    itemi_exif_entry entry;
    if (itemi_exif_find(exif, exif->folder, TAG_MORE, &entry)) {
        const size_t more = itemi_exif_number(exif, &entry);
        exif->more = more <= size - 2 ? more : 0;
    }
    return true;
}

static size_t size_of_type(uint32_t type)
{
    switch (type) {
    case TYPE_BYTE:
    case TYPE_ASCII:
    case TYPE_BLOB:
    case TYPE_UTF8:
        return 1;
    case TYPE_SHORT:
        return 2;
    case TYPE_LONG:
        return 4;
    default:
        return 0;
    }
}

/* Where the value lies: within the entry when it is short. */
static bool find_value(const itemi_exif *t, size_t entry, itemi_exif_entry *out)
{
    out->type = number(t, entry + 2, 2);
    out->count = number(t, entry + 4, 4);
    const size_t each = size_of_type(out->type);
    if (each == 0 || itemi_mul_overflows(each, out->count, &out->size))
        return false;
    const size_t at = out->size <= 4 ? entry + 8 : number(t, entry + 8, 4);
    if (at > t->size || out->size > t->size - at)
        return false;
    out->value = t->data + at;
    return true;
}

bool itemi_exif_find(const itemi_exif *exif, size_t folder, uint32_t tag, itemi_exif_entry *out)
{
    *out = (itemi_exif_entry){0};
    uint32_t entries = number(exif, folder, 2);
    size_t at = folder + 2;
    for (; entries && exif->size - at >= ENTRY_SIZE; entries--, at += ENTRY_SIZE) {
        if (number(exif, at, 2) == tag)
            return find_value(exif, at, out);
    }
    return false;
}

uint32_t itemi_exif_number(const itemi_exif *exif, const itemi_exif_entry *entry)
{
    const uint32_t type = entry->type;
    if (entry->count != 1 || (type != TYPE_BYTE && type != TYPE_SHORT && type != TYPE_LONG))
        return 0;
    return number(exif, (size_t)(entry->value - exif->data), (unsigned)size_of_type(type));
}

/* ---- texts ---- */

/*
 * UTF-16, whose order hardly anybody states: that of a byte order mark, else the one in which the
 * first character is below U+0100, else that of the EXIF data.
 */
static void add_utf16(const itemi_exif *exif, const uint8_t *text, size_t size, size_t most,
                      itemi_buf *out)
{
    bool little = exif->little;
    if (size >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
        little = text[0] == 0xff;
        text += 2;
        size -= 2;
    } else if (size >= 2 && !text[0] != !text[1]) {
        little = text[1] == 0;
    }
    for (size_t i = 0; i + 1 < size && i / 2 < most; i += 2) {
        uint32_t code = (uint32_t)text[little ? i + 1 : i] << 8 | text[little ? i : i + 1];
        if (code == 0)
            return;
        if (code >= 0xd800 && code < 0xe000) {
            uint32_t low = 0;
            if (code < 0xdc00 && i + 3 < size)
                low = (uint32_t)text[little ? i + 3 : i + 2] << 8 | text[little ? i + 2 : i + 3];
            bool pair = low >= 0xdc00 && low < 0xe000;
            code = pair ? 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff) : 0xfffd;
            i += pair ? 2 : 0;
        }
        char utf8[4];
        itemi_buf_add(out, utf8, itemi_utf8_put(utf8, code));
    }
}

void itemi_exif_text(const itemi_exif *exif, const itemi_exif_entry *entry, size_t most,
                     itemi_buf *out)
{
    const uint8_t *text = entry->value;
    size_t size = entry->size;
    if (size_of_type(entry->type) != 1)
        return;
    if (size >= SET_SIZE && memcmp(text, "UNICODE", SET_SIZE) == 0) {
        add_utf16(exif, text + SET_SIZE, size - SET_SIZE, most, out);
        return;
    }
    static const char ascii[] = "ASCII\0\0", none[] = "\0\0\0\0\0\0\0";
    if (size >= SET_SIZE && (!memcmp(text, ascii, SET_SIZE) || !memcmp(text, none, SET_SIZE))) {
        text += SET_SIZE;
        size -= SET_SIZE;
    }
    itemi_buf_add(out, text, strnlen((const char *)text, size < most ? size : most));
}
