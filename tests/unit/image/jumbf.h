/* SPDX-License-Identifier: Apache-2.0 */
/* C2PA manifest stores, made box by box. */
#ifndef ITEM_TEST_IMAGE_JUMBF_H
#define ITEM_TEST_IMAGE_JUMBF_H

#include "listed.h"

#define TYPES "http://cv.iptc.org/newscodes/digitalsourcetype/"
/* CBOR: \xa0 and on are maps, \x80 arrays, \x60 texts of so many items or bytes. */
#define KEY                                                                                        \
    "\x71"                                                                                         \
    "digitalSourceType"
#define AI      KEY "\x78\x46" TYPES "trainedAlgorithmicMedia"
#define CAPTURE KEY "\x78\x3d" TYPES "digitalCapture"
#define CREATED                                                                                    \
    "\x66"                                                                                         \
    "action\x6c"                                                                                   \
    "c2pa.created"
#define EDITED                                                                                     \
    "\x66"                                                                                         \
    "action\x6b"                                                                                   \
    "c2pa.edited"
#define ACTIONS(count)                                                                             \
    "\xa1\x67"                                                                                     \
    "actions" count
#define AI_ACTION      ACTIONS("\x81") "\xa2" CREATED AI
#define CAPTURE_ACTION ACTIONS("\x81") "\xa2" CREATED CAPTURE
#define MAKER                                                                                      \
    "\xa1\x74"                                                                                     \
    "claim_generator_info\xa1\x64name\x67"                                                         \
    "ChatGPT"
#define SAYS(claim, where, type) "2 " claim " C2PA " where "|" type "|" TYPES type "\n"
#define SAYS_AI                  SAYS("1", "created", "trainedAlgorithmicMedia")

/* ---- boxes ---- */

/* `length` as the box says it. */
static inline void add_box_of(container *to, uint32_t length, const char *type, const void *data,
                              size_t size)
{
    container_number(to, length, 4, false);
    container_add(to, type, 4);
    container_add(to, data, size);
}

static inline void add_box(container *to, const char *type, const void *data, size_t size)
{
    add_box_of(to, (uint32_t)(8 + size), type, data, size);
}

/* A box of boxes; takes what it is made of. */
static inline void add_super_box(container *to, const char *use, const char *label,
                                 container content)
{
    static const char uuid[] = "\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71";
    container about = {0}, all = {0};
    container_add(&about, use, 4);
    container_add(&about, uuid, 12);
    container_add(&about, "\3", 1);
    container_add(&about, label, strlen(label) + 1);
    add_box(&all, "jumd", about.data, about.size);
    container_add(&all, content.data, content.size);
    add_box(to, "jumb", all.data, all.size);
    free(about.data);
    free(all.data);
    free(content.data);
}

/* A box of boxes with one of CBOR. */
static inline void add_cbor(container *to, const char *use, const char *label, const void *data,
                            size_t size)
{
    container content = {0};
    add_box(&content, "cbor", data, size);
    add_super_box(to, use, label, content);
}

typedef struct assertion {
    const char *label, *cbor;
    size_t size;
} assertion;

/* A manifest with the name urn:c2pa:`name`, a claim and two assertions. */
static inline void add_manifest(container *to, const char *use, const char *name, const char *claim,
                                assertion first, assertion second)
{
    container assertions = {0}, manifest = {0};
    char label[32];
    snprintf(label, sizeof label, "urn:c2pa:%s", name);
    if (first.label)
        add_cbor(&assertions, "cbor", first.label, first.cbor, first.size);
    if (second.label)
        add_cbor(&assertions, "cbor", second.label, second.cbor, second.size);
    add_super_box(&manifest, "c2as", "c2pa.assertions", assertions);
    add_cbor(&manifest, "c2cl", "c2pa.claim.v2", claim, strlen(claim));
    add_super_box(to, use, label, manifest);
}

static inline container store_of(container manifests)
{
    container store = {0};
    add_super_box(&store, "c2pa", "c2pa", manifests);
    return store;
}

static inline container one_manifest(const char *claim, const char *label, const char *cbor,
                                     size_t size)
{
    container manifests = {0};
    add_manifest(&manifests, "c2ma", "1", claim, (assertion){"c2pa.hash.data", BYTES(AI_ACTION)},
                 (assertion){label, cbor, size});
    return store_of(manifests);
}

#endif
