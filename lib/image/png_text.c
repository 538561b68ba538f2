/* SPDX-License-Identifier: Apache-2.0 */
/* A text chunk of a PNG as UTF-8: tEXt and zTXt are Latin-1, iTXt is UTF-8; two may be packed. */
#include <string.h>

#include <zlib.h>

#include "image/provenance.h"

/* Where the text of a chunk lies. */
typedef struct place {
    const uint8_t *data;
    size_t size;
    bool packed, latin;
} place;

/* false for a chunk that breaks off before its text, or packs it in an unknown way. */
static bool find_text(const itemi_png_text *chunk, place *out)
{
    const uint8_t *end = chunk->data + chunk->size;
    const uint8_t *at = chunk->data + strlen((const char *)chunk->data) + 1;
    *out = (place){.packed = chunk->type == 'z', .latin = chunk->type != 'i'};
    if (chunk->type == 'z') { /* the method of packing */
        if (at == end || *at++ != 0)
            return false;
    } else if (chunk->type == 'i') { /* packed or not, the method, two texts with their NULs */
        if (end - at < 2 || at[0] > 1 || (at[0] && at[1] != 0))
            return false;
        out->packed = at[0] == 1;
        at += 2;
        for (int i = 0; i < 2; i++) {
            at = memchr(at, 0, (size_t)(end - at));
            if (!at)
                return false;
            at++;
        }
    }
    out->data = at;
    out->size = (size_t)(end - at);
    return true;
}

/* Unpacks at most ITEMI_TEXT_MAX bytes, however much there is; false where the data are broken. */
static bool unpack(const place *from, uint8_t *to, size_t *size, bool *no_memory)
{
    z_stream z = {0};
    z.next_in = (Bytef *)(uintptr_t)from->data;
    z.avail_in = (uInt)from->size;
    z.next_out = to;
    z.avail_out = (uInt)ITEMI_TEXT_MAX;
    *no_memory = inflateInit(&z) != Z_OK;
    if (*no_memory)
        return false;
    const int code = inflate(&z, Z_FINISH);
    *no_memory = code == Z_MEM_ERROR;
    *size = ITEMI_TEXT_MAX - z.avail_out;
    (void)inflateEnd(&z);
    return code == Z_STREAM_END || (code == Z_BUF_ERROR && z.avail_out == 0);
}

/* Adds the text up to a NUL, and up to ITEMI_TEXT_MAX bytes of it. */
static void add_text(const uint8_t *text, size_t size, bool latin, itemi_buf *out)
{
    size = strnlen((const char *)text, size < ITEMI_TEXT_MAX ? size : ITEMI_TEXT_MAX);
    const size_t valid = itemi_utf8_valid((const char *)text, size);
    const size_t cut =
        size == ITEMI_TEXT_MAX ? 3 : 0; /* bytes of a character that has its end behind */
    if (!latin || valid + cut >= size) {
        itemi_buf_add(out, text, size); /* many write UTF-8 where Latin-1 is due */
        return;
    }
    for (size_t i = 0; i < size; i++) {
        char utf8[4];
        itemi_buf_add(out, utf8, itemi_utf8_put(utf8, text[i]));
    }
}

/* The whole way; false where the chunk is broken. */
static bool read_text(itemi_findings *f, const itemi_png_text *chunk, itemi_buf *out)
{
    place at;
    if (!find_text(chunk, &at))
        return false;
    if (!at.packed) {
        add_text(at.data, at.size, at.latin, out);
        return true;
    }
    bool no_memory = false, good = false;
    size_t size = 0;
    uint8_t *room = itemi_alloc(f->texts.mem, ITEMI_TEXT_MAX);
    if (room)
        good = unpack(&at, room, &size, &no_memory);
    if (good)
        add_text(room, size, at.latin, out);
    f->texts.failed |= !room || no_memory;
    itemi_free(f->texts.mem, room);
    return good;
}

void itemi_findings_png_text(itemi_findings *f, const itemi_png_text *text)
{
    itemi_buf utf8;
    itemi_buf_init(&utf8, f->texts.mem);
    if (!read_text(f, text, &utf8))
        itemi_findings_unreadable(f, "PNG text", "the chunk is broken");
    f->texts.failed |= utf8.failed;
    if (utf8.data && !utf8.failed)
        itemi_findings_judge(f, "PNG text", (const char *)text->data, utf8.data);
    itemi_buf_free(&utf8);
}
