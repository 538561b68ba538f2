/* SPDX-License-Identifier: Apache-2.0 */
/* Looks code points up in the generated tables. */
#include "text/unicode.h"

unsigned itemi_unicode_nibble(const uint32_t *index, const uint32_t *blocks, uint32_t code)
{
    uint32_t page = code >> 7;
    uint32_t block = index[page >> 2] >> (page & 3) * 8 & 0xff;
    uint32_t word = blocks[block * 16 + (code >> 3 & 15)];
    return word >> (code & 7) * 4 & 15;
}

unsigned itemi_unicode_find(const itemi_unicode_mapping *mapping, uint32_t code,
                            const uint32_t **out)
{
    uint32_t low = 0, high = mapping->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        uint32_t key = mapping->keys[middle];
        if ((key & 0x1fffff) == code) {
            *out = mapping->pool + mapping->starts[middle];
            return key >> 21;
        }
        if ((key & 0x1fffff) < code)
            low = middle + 1;
        else
            high = middle;
    }
    *out = NULL;
    return 0;
}

unsigned itemi_unicode_class(uint32_t code)
{
    return itemi_unicode_nibble(itemi_unicode_index, itemi_unicode_blocks, code);
}

unsigned itemi_unicode_map(uint32_t code, const uint32_t **out)
{
    const itemi_unicode_mapping mapping = {itemi_unicode_map_keys, itemi_unicode_map_starts,
                                           itemi_unicode_map_pool, itemi_unicode_map_count};
    return itemi_unicode_find(&mapping, code, out);
}
