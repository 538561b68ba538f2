/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a C2PA manifest says of the picture: who made the manifest, and the digital source types of
 * its actions (C2PA specification 2.1: "Use of JUMBF", "Claims", "Actions"). Nothing is verified. A
 * store holds a manifest for each ingredient, and last the active one, which speaks of this picture:
 * the others speak of what it was made from. Of its CBOR texts are taken behind their keys.
 */
#include <string.h>

#include "image/boxes.h"
#include "image/provenance.h"

#define CBOR_TEXT 0x60 /* a text of up to 23 bytes; 0x78: length in the next byte */
#define CBOR_MAP  0xa0

/* A box of boxes: what it is for, its name, and the boxes in it. */
typedef struct super_box {
    const uint8_t *use; /* four letters, of a UUID */
    const char *label;
    itemi_span content;
} super_box;

/* The next box of boxes; others are passed over. */
static bool next_super_box(itemi_span *from, super_box *out)
{
    char type[4];
    itemi_span about;
    while (itemi_next_box(from, type, &out->content)) {
        /* UUID, a byte that says that there is a label, the label */
        if (memcmp(type, "jumb", 4) == 0 && itemi_next_box(&out->content, type, &about) &&
            memcmp(type, "jumd", 4) == 0 && about.left > 17 &&
            memchr(about.at + 17, '\0', about.left - 17)) {
            out->use = about.at;
            out->label = (const char *)about.at + 17;
            return true;
        }
    }
    return false;
}

/* The last box within that is for `use`; false where there is none. */
static bool last_of_use(itemi_span from, const char *use, super_box *out)
{
    super_box box;
    bool found = false;
    while (next_super_box(&from, &box)) {
        if (memcmp(box.use, use, 4) == 0) {
            *out = box;
            found = true;
        }
    }
    return found;
}

static bool find_active(const uint8_t *store, size_t size, super_box *out)
{
    itemi_span all = {store, size};
    super_box box;
    return next_super_box(&all, &box) && last_of_use(box.content, "c2ma", out);
}

static bool next_cbor(itemi_span *from, itemi_span *cbor)
{
    char type[4];
    while (itemi_next_box(from, type, cbor)) {
        if (memcmp(type, "cbor", 4) == 0)
            return true;
    }
    return false;
}

/* Steps behind the next `key`, a CBOR text with its head. */
static bool find_key(itemi_span *cbor, const char *key)
{
    const size_t length = strlen(key);
    const uint8_t *at = cbor->left ? memmem(cbor->at, cbor->left, key, length) : NULL;
    if (!at)
        return false;
    cbor->left -= (size_t)(at - cbor->at) + length;
    cbor->at = at + length;
    return true;
}

/* Copies the CBOR text that is next; false where something else stands there, or it is not whole. */
static bool copy_text(itemi_span cbor, char *out, size_t room)
{
    const uint8_t head = (uint8_t)itemi_take(&cbor, 1);
    size_t length = (size_t)head - CBOR_TEXT;
    if (head == CBOR_TEXT + 24)
        length = (size_t)itemi_take(&cbor, 1);
    else if (head < CBOR_TEXT || length > 23)
        return false;
    if (length == 0 || length >= room || length > cbor.left || memchr(cbor.at, 0, length))
        return false;
    memcpy(out, cbor.at, length);
    out[length] = '\0';
    return itemi_utf8_valid(out, length) == length;
}

/* Claims of version 2 have a map with "name", those of version 1 a text. */
static bool read_generator(itemi_span claim, char *out, size_t room)
{
    static const char map_key[] = "\x74"
                                  "claim_generator_info",
                      name_key[] = "\x64"
                                   "name",
                      text_key[] = "\x6f"
                                   "claim_generator";
    itemi_span info = claim;
    if (find_key(&info, map_key) && info.left && (*info.at & 0xe0) == CBOR_MAP &&
        find_key(&info, name_key) && copy_text(info, out, room))
        return true;
    return find_key(&claim, text_key) && copy_text(claim, out, room);
}

/* The source types that the actions name, each once. */
static void read_actions(itemi_findings *f, itemi_span actions)
{
    static const char key[] = "\x71"
                              "digitalSourceType";
    char type[256];
    while (find_key(&actions, key)) {
        if (copy_text(actions, type, sizeof type))
            itemi_findings_source_type(f, "C2PA digitalSourceType", type);
    }
}

void itemi_findings_c2pa(itemi_findings *f, const char *where, const uint8_t *store, size_t size)
{
    static const char actions[] = "c2pa.actions"; /* and "c2pa.actions.v2", "c2pa.actions__1" */
    char generator[ITEMI_C2PA_NAME] = "";
    super_box active, box;
    itemi_span cbor;
    const bool found = find_active(store, size, &active);
    if (!found || !last_of_use(active.content, "c2cl", &box) || !next_cbor(&box.content, &cbor) ||
        !read_generator(cbor, generator, sizeof generator))
        generator[0] = '\0';
    itemi_findings_add(f, ITEM_PROVENANCE_C2PA, ITEM_CLAIM_NONE, where, generator, "");
    if (!found || !last_of_use(active.content, "c2as", &box))
        return;
    super_box assertion;
    while (next_super_box(&box.content, &assertion)) {
        if (strncmp(assertion.label, actions, sizeof actions - 1) == 0 &&
            next_cbor(&assertion.content, &cbor))
            read_actions(f, cbor);
    }
}
