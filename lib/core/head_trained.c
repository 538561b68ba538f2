/* SPDX-License-Identifier: Apache-2.0 */
/* What a head was trained on: its sources, and the pictures by which a test would be none. */
#include <stdlib.h>
#include <string.h>

#include "core/head_private.h"
#include "core/json_make.h"

static int by_bytes(const void *left, const void *right)
{
    return memcmp(left, right, ITEM_PICTURE_HASH);
}

bool itemi_head_remember(itemi_head *head, const uint8_t *pictures, size_t count)
{
    head->facts.trained_pictures = NULL;
    head->facts.trained_count = 0;
    if (count == 0)
        return true;
    uint8_t *own = itemi_alloc_array(head->mem, count, ITEM_PICTURE_HASH);
    if (!own)
        return false;
    memcpy(own, pictures, count * ITEM_PICTURE_HASH);
    qsort(own, count, ITEM_PICTURE_HASH, by_bytes);
    size_t kept = 1;
    for (size_t i = 1; i < count; i++) {
        const uint8_t *now = own + i * ITEM_PICTURE_HASH;
        if (by_bytes(now, own + (kept - 1) * ITEM_PICTURE_HASH) != 0)
            memmove(own + kept++ * ITEM_PICTURE_HASH, now, ITEM_PICTURE_HASH);
    }
    head->pictures = own;
    head->facts.trained_pictures = own;
    head->facts.trained_count = kept;
    return true;
}

item_status itemi_head_read_trained(itemi_head *head, const itemi_safetensors *st, const char *name,
                                    item_error *err)
{
    const itemi_tensor *t = itemi_safetensors_find(st, ITEMI_TRAINED_TENSOR);
    if (!t)
        return ITEM_OK;
    if (t->dtype != ITEMI_U8 || t->dims != 2 || t->shape[1] != ITEM_PICTURE_HASH)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: tensor `%s` is not bytes of the head's shape",
                          name, ITEMI_TRAINED_TENSOR);
    return itemi_head_remember(head, t->data, (size_t)t->shape[0])
               ? ITEM_OK
               : itemi_fail_memory(err, "reading a head");
}

bool itemi_head_knows_picture(const itemi_head *head, const uint8_t *picture)
{
    return head->pictures && bsearch(picture, head->pictures, head->facts.trained_count,
                                     ITEM_PICTURE_HASH, by_bytes) != NULL;
}

bool itemi_head_knows_source(const itemi_head *head, const json_t *source)
{
    size_t i;
    const json_t *known;
    json_array_foreach(head->facts.trained_sources, i, known)
    {
        if (json_equal(known, source))
            return true;
    }
    return false;
}
