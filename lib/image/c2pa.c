/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who made a C2PA manifest, by the manifest's own account. The manifest is not verified, so it is
 * not taken apart either: in its bytes the CBOR keys are looked for under which a claim names its
 * generator, and the text behind them is read.
 */
#include <string.h>

#include "image/provenance.h"

#define CBOR_TEXT 0x60 /* a text of up to 23 bytes; 0x78: length in the next byte */
#define CBOR_MAP  0xa0

/* The last place of `key` (a CBOR text, with its head) from which on there are bytes; or NULL. */
static const uint8_t *behind_last(const uint8_t *data, size_t size, const char *key)
{
    const uint8_t *last = NULL, *end = data + size;
    const size_t length = strlen(key);
    while (data && (data = memmem(data, (size_t)(end - data), key, length)) != NULL) {
        data += length;
        last = data;
    }
    return last;
}

/* Copies the CBOR text at `at`; false where something else stands there, or it is not whole. */
static bool copy_text(const uint8_t *at, const uint8_t *end, char *out, size_t room)
{
    if (end - at < 2)
        return false;
    const bool longer = at[0] == CBOR_TEXT + 24;
    const size_t length = longer ? at[1] : (size_t)at[0] - CBOR_TEXT;
    if ((at[0] & 0xe0) != CBOR_TEXT || (!longer && length > 23))
        return false;
    at += longer ? 2 : 1;
    if (length == 0 || length >= room || (size_t)(end - at) < length || memchr(at, 0, length))
        return false;
    memcpy(out, at, length);
    out[length] = '\0';
    return itemi_utf8_valid(out, length) == length;
}

void itemi_c2pa_generator(const uint8_t *manifest, size_t size, char *out, size_t room)
{
    /* the active manifest stands last; claims of version 2 have a map with "name" */
    static const char text_key[] = "\x6f"
                                   "claim_generator",
                      map_key[] = "\x74"
                                  "claim_generator_info",
                      name_key[] = "\x64"
                                   "name";
    const uint8_t *end = manifest + size;
    const uint8_t *at = behind_last(manifest, size, map_key);
    if (at && at < end && (*at & 0xe0) == CBOR_MAP) {
        const uint8_t *name = memmem(at, (size_t)(end - at), name_key, sizeof name_key - 1);
        if (name && copy_text(name + sizeof name_key - 1, end, out, room))
            return;
    }
    at = behind_last(manifest, size, text_key);
    if (!at || !copy_text(at, end, out, room))
        out[0] = '\0';
}
