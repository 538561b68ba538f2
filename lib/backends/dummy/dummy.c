/* SPDX-License-Identifier: Apache-2.0 */
/* What the dummy backends have in common: numbers out of bytes, and the pixels of a picture. */
#include "backends/dummy/dummy.h"

uint64_t itemi_dummy_hash(const void *bytes, size_t size, uint64_t seed)
{
    const unsigned char *byte = bytes;
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ seed;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    hash = (hash ^ (hash >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    return hash ^ (hash >> 33);
}

double itemi_dummy_next(uint64_t *state)
{
    /* splitmix64 */
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return (double)(z >> 11) / 9007199254740992.0;
}

item_status itemi_dummy_look(const item_image *image, itemi_dummy_pixels *out, item_error *err)
{
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    item_status status = item_image_get_info(image, &info, err);
    if (status != ITEM_OK)
        return status;
    out->rgb = item_image_pixels(image);
    out->width = info.width;
    out->height = info.height;
    return ITEM_OK;
}
