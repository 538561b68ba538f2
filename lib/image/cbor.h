/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CBOR (RFC 8949) as far as manifests have it: what is asked for is found in place, and nothing is
 * allocated. Items whose length is not told beforehand are not read: C2PA has none.
 */
#ifndef ITEMI_CBOR_H
#define ITEMI_CBOR_H

#include "image/boxes.h"

/* The value of a text `key` in the map that begins at `map`: a span that begins with it. */
bool itemi_cbor_find(itemi_span map, const char *key, itemi_span *value);
/* Enters the array that begins here: how many items follow. False for what is no array. */
bool itemi_cbor_array(itemi_span *s, uint64_t *items);
/* The text that begins here; false where something else does, or it is not whole. */
bool itemi_cbor_text(itemi_span s, itemi_span *text);
/* Steps over an item and all that is in it; false where it is not whole. */
bool itemi_cbor_skip(itemi_span *s);

#endif
