/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a C2PA manifest says of the picture: who made the manifest, and the digital source types of
 * its actions (C2PA specification 2.1: "Use of JUMBF", "Claims", "Actions", "Ingredient"). Nothing
 * is verified. A store holds the manifests of all ingredients too, and last the active one, which
 * speaks of this picture. Where that does not say how the picture was created, its parent is asked, of
 * which the picture is a later state: services let one program make a picture and another one sign it.
 */
#include <string.h>

#include "image/boxes.h"
#include "image/cbor.h"
#include "image/provenance.h"

#define MANIFESTS_MAX 32 /* the active one and its parents, which also ends a circle */
#define OTHERS_MAX    4  /* types that claim no AI: entries of other kinds shall have room too */

/* A box of boxes: what it is for, its name, and the boxes in it. */
typedef struct super_box {
    const uint8_t *use; /* four letters, of a UUID */
    const char *label;
    itemi_span content;
} super_box;

/* The next box of boxes with a name; others are passed over. */
static bool next_super_box(itemi_span *from, super_box *out)
{
    char type[4];
    itemi_span about;
    while (itemi_next_box(from, type, &out->content)) {
        /* UUID, a byte of which the second bit says that there is a label, the label */
        if (memcmp(type, "jumb", 4) == 0 && itemi_next_box(&out->content, type, &about) &&
            memcmp(type, "jumd", 4) == 0 && about.left > 17 && (about.at[16] & 2) &&
            memchr(about.at + 17, '\0', about.left - 17)) {
            out->use = about.at;
            out->label = (const char *)about.at + 17;
            return true;
        }
    }
    return false;
}

static bool is_for(const super_box *box, const char *use)
{
    return memcmp(box->use, use, 4) == 0;
}

/* The last box within that is for `use`; false where there is none. */
static bool last_of_use(itemi_span from, const char *use, super_box *out)
{
    super_box box;
    bool found = false;
    while (next_super_box(&from, &box)) {
        if (is_for(&box, use)) {
            *out = box;
            found = true;
        }
    }
    return found;
}

/* The manifests of a store: standard ones, updates, compressed ones, and standard ones of old. */
static bool next_manifest(itemi_span *store, super_box *out)
{
    while (next_super_box(store, out)) {
        if (is_for(out, "c2ma") || is_for(out, "c2um") || is_for(out, "c2cm") ||
            is_for(out, "c2md"))
            return true;
    }
    return false;
}

/* The one with that label; without a label the last one, which is the active one. */
static bool find_manifest(itemi_span store, const char *label, super_box *out)
{
    super_box manifest;
    bool found = false;
    while (next_manifest(&store, &manifest)) {
        if (!label || strcmp(manifest.label, label) == 0) {
            *out = manifest;
            found = true;
        }
    }
    return found;
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

/* The CBOR of the next assertion of a manifest whose label begins so. */
static bool next_assertion(itemi_span *assertions, const char *begin, itemi_span *cbor)
{
    super_box box;
    while (next_super_box(assertions, &box)) {
        if (strncmp(box.label, begin, strlen(begin)) == 0 && next_cbor(&box.content, cbor))
            return true;
    }
    return false;
}

/* Copies the text at `key` of a map. False where it is no text of one line, or, unless it may be cut,
   where it is too long. */
static bool copy_text(itemi_span map, const char *key, char *out, size_t room, bool cut)
{
    itemi_span value, text;
    if (!itemi_cbor_find(map, key, &value) || !itemi_cbor_text(value, &text) || text.left == 0 ||
        (text.left >= room && !cut))
        return false;
    const size_t length = text.left < room ? text.left : room - 1;
    memcpy(out, text.at, length);
    out[length] = '\0';
    const size_t valid = itemi_utf8_valid(out, length);
    if (valid + (text.left < room ? 0 : 3) < length) /* a cut may part a character */
        return false;
    out[valid] = '\0';
    for (const char *c = out; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    }
    return strlen(out) == valid && valid > 0;
}

/* Claims of version 2 have a map, those of version 1 an array of such or a text alone. */
static void read_maker(const super_box *manifest, char *out, size_t room)
{
    super_box claim;
    itemi_span cbor, info;
    uint64_t items;
    if (last_of_use(manifest->content, "c2cl", &claim) && next_cbor(&claim.content, &cbor)) {
        if (itemi_cbor_find(cbor, "claim_generator_info", &info)) {
            itemi_span first = info;
            if (itemi_cbor_array(&first, &items))
                info = first;
            if (copy_text(info, "name", out, room, true))
                return;
        }
        if (copy_text(cbor, "claim_generator", out, room, true))
            return;
    }
    out[0] = '\0';
}

/* What is known while manifests are walked from the active one to its parents. */
typedef struct walk {
    itemi_findings *findings;
    uint32_t others; /* types that claim no AI */
    bool above;      /* this is a parent */
    bool created;    /* a manifest said how the picture was created */
    bool changed;    /* one said that something was done to it since */
} walk;

/* What the file claims by a type of the picture as it is now. */
static int32_t claim_now(const walk *w, int32_t claim, bool created)
{
    if (claim == ITEM_CLAIM_AI && !created)
        return ITEM_CLAIM_AI_PART;
    if (claim == ITEM_CLAIM_CAPTURE && (!created || (w->above && w->changed)))
        return ITEM_CLAIM_NONE;
    return claim;
}

static bool is_one_of(const char *text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, list[i]) == 0)
            return true;
    }
    return false;
}

static void read_action(walk *w, itemi_span action, bool *changes)
{
    static const char *const harmless[] = {"c2pa.created", "c2pa.opened", "c2pa.published",
                                           "c2pa.repackaged", "c2pa.transcoded"};
    char name[64], text[ITEMI_VALUE_MAX];
    itemi_source_type type;
    const bool named = copy_text(action, "action", name, sizeof name, false);
    const bool created = named && strcmp(name, "c2pa.created") == 0;
    *changes |= !named || !is_one_of(name, harmless, ITEMI_COUNT(harmless));
    if (!copy_text(action, "digitalSourceType", text, sizeof text, false))
        return;
    w->created |= created;
    itemi_source_type_read(&type, text);
    const int32_t claim = claim_now(w, type.claim, created);
    const bool other = claim == ITEM_CLAIM_NONE || claim == ITEM_CLAIM_CAPTURE;
    if (other && w->others == OTHERS_MAX)
        return;
    const char *where = w->above ? ITEMI_C2PA_PARENT_EDITED : ITEMI_C2PA_EDITED;
    if (created)
        where = w->above ? ITEMI_C2PA_PARENT_CREATED : ITEMI_C2PA_CREATED;
    const uint32_t before = w->findings->count;
    itemi_findings_source_type(w->findings, claim, where, &type);
    w->others += other && w->findings->count > before;
}

static void read_actions(walk *w, itemi_span assertions)
{
    itemi_span cbor, list;
    uint64_t actions;
    bool changes = false;
    while (next_assertion(&assertions, "c2pa.actions", &cbor)) {
        if (!itemi_cbor_find(cbor, "actions", &list) || !itemi_cbor_array(&list, &actions))
            continue;
        for (bool whole = true; whole && actions; actions--) {
            read_action(w, list, &changes);
            whole = itemi_cbor_skip(&list);
        }
    }
    w->changed |= changes;
}

/* The label of the manifest of what the picture was before: "self#jumbf=/c2pa/LABEL". */
static bool find_parent(itemi_span assertions, char *label, size_t room)
{
    char relation[16], url[300];
    itemi_span cbor, link;
    while (next_assertion(&assertions, "c2pa.ingredient", &cbor)) {
        if (!copy_text(cbor, "relationship", relation, sizeof relation, false) ||
            strcmp(relation, "parentOf") != 0)
            continue;
        if (!itemi_cbor_find(cbor, "activeManifest", &link) &&
            !itemi_cbor_find(cbor, "c2pa_manifest", &link))
            continue;
        const char *last =
            copy_text(link, "url", url, sizeof url, false) ? strrchr(url, '/') : NULL;
        if (!last || strlen(last + 1) >= room)
            continue;
        memcpy(label, last + 1, strlen(last + 1) + 1);
        return true;
    }
    return false;
}

void itemi_findings_c2pa(itemi_findings *f, const char *where, const uint8_t *data, size_t size)
{
    char maker[ITEMI_C2PA_NAME] = "", label[300];
    itemi_span all = {data, size};
    super_box store, manifest, assertions;
    bool found = next_super_box(&all, &store) && find_manifest(store.content, NULL, &manifest);
    if (found)
        read_maker(&manifest, maker, sizeof maker);
    itemi_findings_add(f, ITEM_PROVENANCE_C2PA, ITEM_CLAIM_NONE, where, maker, "");
    walk w = {.findings = f};
    for (int depth = 0; found && depth < MANIFESTS_MAX; depth++) {
        if (!last_of_use(manifest.content, "c2as", &assertions))
            return;
        read_actions(&w, assertions.content);
        w.above = true;
        found = !w.created && find_parent(assertions.content, label, sizeof label) &&
                find_manifest(store.content, label, &manifest);
    }
}
