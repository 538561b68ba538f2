/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input: a byte of flags, width and height of a picture and of what it becomes (two bytes each),
 * then the box: four doubles, or four numbers of two bytes in 1/64 pixels; behind it the part that
 * is asked for, two bytes a number. Files choose the sizes, and a network that a file describes
 * chooses the boxes.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "image/image.h"

enum { FILTER = 3, NO_BOX = 4, DOUBLES = 8, PART = 32, SQUARE = 128, HEAD = 9 };

#define PIXELS_MOST (1u << 14)

typedef struct input {
    uint8_t flags; /* and the value of every sample */
    uint32_t from[2], to[2], part[4];
    double numbers[4];
    const double *box;
    uint8_t *pixels;
} input;

static uint32_t number(const uint8_t *data)
{
    return (uint32_t)data[0] | (uint32_t)data[1] << 8;
}

static void read_box(const uint8_t *data, size_t size, input *in)
{
    uint8_t bytes[4 * sizeof(double) + 8] = {0};
    memcpy(bytes, data, size < sizeof bytes ? size : sizeof bytes);
    const size_t width = in->flags & DOUBLES ? sizeof(double) : 2;
    for (size_t i = 0; i < 4; i++) {
        in->numbers[i] = number(bytes + 2 * i) / 64.0;
        if (in->flags & DOUBLES)
            memcpy(&in->numbers[i], bytes + i * sizeof(double), sizeof(double));
        in->part[i] = number(bytes + 4 * width + 2 * i);
    }
    in->box = in->flags & NO_BOX ? NULL : in->numbers;
}

static size_t pixels_of(const uint32_t sides[2])
{
    return (size_t)sides[0] * sides[1];
}

static item_status whole(const input *in, uint8_t *out, item_error *err)
{
    return itemi_resize_rgb(NULL, in->pixels, in->from[0], in->from[1], in->box, out, in->to[0],
                            in->to[1], (itemi_filter)(in->flags & FILTER), err);
}

static void try_whole(const input *in)
{
    const size_t size = 3 * pixels_of(in->to);
    uint8_t *out = malloc(size);
    EXPECT(out != NULL);
    item_error err = ITEM_ERROR_INIT;
    item_status status = whole(in, out, &err);
    fuzz_outcome(status, status == ITEM_OK ? out : NULL, &err);
    for (size_t i = 0; status == ITEM_OK && i < size; i++)
        EXPECT(abs(out[i] - in->flags) <= 1); /* one colour stays one */
    free(out);
}

/* What is said of the part must be what stands there in the whole. */
static void same_as_whole(const input *in, const uint8_t *out)
{
    const size_t row = (size_t)3 * (in->part[2] - in->part[0]);
    uint8_t *all = malloc(3 * pixels_of(in->to));
    EXPECT(all != NULL && whole(in, all, NULL) == ITEM_OK);
    for (uint32_t y = in->part[1]; y < in->part[3]; y++)
        EXPECT(memcmp(out + (y - in->part[1]) * row,
                      all + 3 * ((size_t)y * in->to[0] + in->part[0]), row) == 0);
    free(all);
}

static void try_part(const input *in)
{
    const uint32_t *p = in->part;
    const uint32_t sides[2] = {p[2] > p[0] ? p[2] - p[0] : 1, p[3] > p[1] ? p[3] - p[1] : 1};
    if (pixels_of(sides) > PIXELS_MOST)
        return;
    uint8_t *out = malloc(3 * pixels_of(sides));
    EXPECT(out != NULL);
    item_error err = ITEM_ERROR_INIT;
    item_status status =
        itemi_resize_part(NULL, in->pixels, in->from[0], in->from[1], in->box, in->to[0], in->to[1],
                          (itemi_filter)(in->flags & FILTER), p, out, &err);
    fuzz_outcome(status, status == ITEM_OK ? out : NULL, &err);
    if (status == ITEM_OK && pixels_of(in->to) <= PIXELS_MOST)
        same_as_whole(in, out);
    free(out);
}

static void try_square(const input *in)
{
    const uint32_t edge = in->to[0], sides[2] = {edge, edge};
    const double pad = in->to[1] / 65536.0, colour = in->flags / 255.0;
    if (pixels_of(sides) > PIXELS_MOST)
        return;
    float *out = malloc(3 * pixels_of(sides) * sizeof *out);
    EXPECT(out != NULL);
    item_error err = ITEM_ERROR_INIT;
    item_status status = itemi_resize_square(NULL, in->pixels, in->from[0], in->from[1], in->box,
                                             edge, pad, out, &err);
    fuzz_outcome(status, status == ITEM_OK ? out : NULL, &err);
    for (size_t i = 0; status == ITEM_OK && i < 3 * pixels_of(sides); i++)
        EXPECT(out[i] >= fmin(colour, pad) - 1e-5 && out[i] <= fmax(colour, pad) + 1e-5);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD)
        return 0;
    input in = {.flags = data[0],
                .from = {number(data + 1) + 1, number(data + 3) + 1},
                .to = {number(data + 5) + 1, number(data + 7) + 1}};
    if (pixels_of(in.from) > PIXELS_MOST)
        return 0;
    read_box(data + HEAD, size - HEAD, &in);
    in.pixels = malloc(3 * pixels_of(in.from));
    EXPECT(in.pixels != NULL);
    memset(in.pixels, in.flags, 3 * pixels_of(in.from));
    if (in.flags & SQUARE)
        try_square(&in);
    else if (in.flags & PART)
        try_part(&in);
    else if (pixels_of(in.to) <= PIXELS_MOST)
        try_whole(&in);
    free(in.pixels);
    return 0;
}
