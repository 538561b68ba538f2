/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR in place; see cbor.h. */
#include <string.h>

#include "image/cbor.h"

enum { BYTES = 2, TEXT = 3, ARRAY = 4, MAP = 5, TAG = 6 };

/* The head of the next item: its type, and its number or how many bytes or items it has. */
static bool take_head(itemi_span *s, unsigned *type, uint64_t *value)
{
    if (s->left == 0)
        return false;
    const unsigned head = (unsigned)itemi_take(s, 1), small = head & 31;
    *type = head >> 5;
    *value = small;
    if (small < 24)
        return true;
    if (small > 27 || s->left < (size_t)1 << (small - 24))
        return false;
    *value = itemi_take(s, 1u << (small - 24));
    return true;
}

bool itemi_cbor_skip(itemi_span *s)
{
    for (uint64_t pending = 1; pending; pending--) {
        unsigned type;
        uint64_t value;
        if (!take_head(s, &type, &value))
            return false;
        if (type >= BYTES && type <= MAP && value > s->left) /* an item takes a byte at least */
            return false;
        if (type == BYTES || type == TEXT) {
            s->at += value;
            s->left -= (size_t)value;
        } else if (type == ARRAY || type == MAP) {
            pending += type == MAP ? 2 * value : value;
        } else if (type == TAG) {
            pending++;
        }
    }
    return true;
}

bool itemi_cbor_array(itemi_span *s, uint64_t *items)
{
    unsigned type;
    return take_head(s, &type, items) && type == ARRAY;
}

bool itemi_cbor_text(itemi_span s, itemi_span *text)
{
    unsigned type;
    uint64_t length;
    if (!take_head(&s, &type, &length) || type != TEXT || length > s.left)
        return false;
    *text = (itemi_span){s.at, (size_t)length};
    return true;
}

bool itemi_cbor_find(itemi_span map, const char *key, itemi_span *value)
{
    unsigned type;
    uint64_t pairs;
    itemi_span text;
    if (!take_head(&map, &type, &pairs) || type != MAP)
        return false;
    for (; pairs; pairs--) {
        const bool found = itemi_cbor_text(map, &text) && text.left == strlen(key) &&
                           memcmp(text.at, key, text.left) == 0;
        if (!itemi_cbor_skip(&map))
            return false;
        if (found) {
            *value = map;
            return true;
        }
        if (!itemi_cbor_skip(&map))
            return false;
    }
    return false;
}
