/* SPDX-License-Identifier: Apache-2.0 */
/* What a head knows of the looks of photographs: plain statistics, in three small tensors. */
#include <math.h>

#include "core/head_private.h"

_Static_assert(ITEMI_PLAIN_NUMBERS == ITEM_PLAIN_NUMBERS, "the rule reads what pictures give");

/* Name, rows (0: a vector) and numbers of each tensor, in the order of the file. */
static const struct {
    const char *name;
    size_t rows, offset;
} parts[ITEMI_PLAIN_TENSORS] = {
    {"plain.mean", 0, offsetof(itemi_plain, mean)},
    {"plain.scale", 0, offsetof(itemi_plain, scale)},
    {"plain.inverse", ITEMI_PLAIN_NUMBERS, offsetof(itemi_plain, inverse)},
};

item_status itemi_head_read_plain(itemi_head *head, const itemi_safetensors *st, const char *name,
                                  item_error *err)
{
    item_status status = ITEM_OK;
    if (isnan(head->facts.plain_limit))
        return ITEM_OK;
    for (size_t i = 0; status == ITEM_OK && i < ITEMI_PLAIN_TENSORS; i++)
        status = itemi_head_tensor(st, name, parts[i].name, parts[i].rows, ITEMI_PLAIN_NUMBERS,
                                   (float *)((char *)&head->facts.plain + parts[i].offset), err);
    return status;
}

size_t itemi_head_list_plain(const itemi_head *head, itemi_tensor *tensors)
{
    if (isnan(head->facts.plain_limit))
        return 0;
    for (size_t i = 0; i < ITEMI_PLAIN_TENSORS; i++) {
        const char *data = (const char *)&head->facts.plain + parts[i].offset;
        size_t rows = parts[i].rows ? parts[i].rows : 1;
        tensors[i] = (itemi_tensor){.name = parts[i].name,
                                    .dtype = ITEMI_F32,
                                    .dims = parts[i].rows ? 2 : 1,
                                    .shape = {parts[i].rows ? rows : ITEMI_PLAIN_NUMBERS,
                                              parts[i].rows ? ITEMI_PLAIN_NUMBERS : 0},
                                    .data = data,
                                    .bytes = rows * ITEMI_PLAIN_NUMBERS * sizeof(float)};
    }
    return ITEMI_PLAIN_TENSORS;
}

bool itemi_head_finds_strange(const itemi_head *head, const float *plain)
{
    /* no rule, or nothing known of the picture: a comparison with NaN is false */
    return plain && itemi_plain_distance(&head->facts.plain, plain) > head->facts.plain_limit;
}
