/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input: a byte of flags, width and height of a picture and of what it becomes (two bytes each),
 * then the box: four doubles, or four numbers of two bytes in 1/64 pixels. Files choose the sizes,
 * and a network that a file describes chooses the boxes.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "image/image.h"

enum { FILTER = 3, NO_BOX = 4, DOUBLES = 8, HEAD = 9 };

#define PIXELS_MOST (1u << 14)

static uint32_t side(const uint8_t *data)
{
    return ((uint32_t)data[0] | (uint32_t)data[1] << 8) + 1;
}

static void read_box(const uint8_t *data, size_t size, uint8_t flags, double box[4])
{
    uint8_t bytes[4 * sizeof *box] = {0};
    memcpy(bytes, data, size < sizeof bytes ? size : sizeof bytes);
    for (size_t i = 0; i < 4; i++) {
        box[i] = (bytes[2 * i] | bytes[2 * i + 1] << 8) / 64.0;
        if (flags & DOUBLES)
            memcpy(&box[i], bytes + i * sizeof *box, sizeof *box);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD)
        return 0;
    uint32_t from[] = {side(data + 1), side(data + 3)}, to[] = {side(data + 5), side(data + 7)};
    size_t source = (size_t)from[0] * from[1], target = (size_t)to[0] * to[1];
    if (source > PIXELS_MOST || target > PIXELS_MOST)
        return 0;
    double box[4];
    read_box(data + HEAD, size - HEAD, data[0], box);
    uint8_t *pixels = malloc(source * 3), *out = malloc(target * 3);
    EXPECT(pixels != NULL && out != NULL);
    memset(pixels, data[0], source * 3);
    item_error err = ITEM_ERROR_INIT;
    item_status status =
        itemi_resize_rgb(NULL, pixels, from[0], from[1], data[0] & NO_BOX ? NULL : box, out, to[0],
                         to[1], (itemi_filter)(data[0] & FILTER), &err);
    fuzz_outcome(status, status == ITEM_OK ? out : NULL, &err);
    for (size_t i = 0; status == ITEM_OK && i < target * 3; i++)
        EXPECT(abs(out[i] - data[0]) <= 1); /* one colour stays one */
    free(pixels);
    free(out);
    return 0;
}
