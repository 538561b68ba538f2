/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resizing of 8-bit RGB in two passes, across and down, with bytes between them. Which pass comes
 * first changes the rounding, so it follows Pillow's rule.
 */
#include "image/resize.h"

#include <math.h>
#include <string.h>

#include "image/decode.h"

/* Pixels in memory; `stride` bytes from a row to the next. */
typedef struct area {
    const uint8_t *data;
    size_t stride;
    uint32_t width, height;
} area;

/* One call: source, box (rounded to float, as Pillow does), result. */
typedef struct job {
    const itemi_mem *mem;
    const itemi_kernels *kernels;
    area src;
    float box[4];
    uint8_t *dst;
    uint32_t width, height;
    itemi_weights across, down;
    item_error *err;
} job;

static item_status check(const job *j)
{
    const area *s = &j->src;
    if (s->width == 0 || s->height == 0 || j->width == 0 || j->height == 0 ||
        s->width > INT32_MAX || s->height > INT32_MAX || j->width > INT32_MAX ||
        j->height > INT32_MAX)
        return itemi_fail(j->err, ITEM_E_ARGUMENT, "cannot resize %u x %u pixels to %u x %u",
                          s->width, s->height, j->width, j->height);
    const float *b = j->box;
    /* written so that a NaN fails */
    bool inside = b[0] >= 0 && b[1] >= 0 && b[2] <= (float)s->width && b[3] <= (float)s->height;
    if (!inside || !(b[2] > b[0] && b[3] > b[1]))
        return itemi_fail(j->err, ITEM_E_ARGUMENT,
                          "box %g %g %g %g is empty or outside of %u x %u pixels", (double)b[0],
                          (double)b[1], (double)b[2], (double)b[3], s->width, s->height);
    return ITEM_OK;
}

/* A box of whole pixels that is as large as the result is copied. */
static bool is_copy(const job *j)
{
    const float *b = j->box;
    return b[0] == truncf(b[0]) && b[1] == truncf(b[1]) && b[2] - b[0] == (float)j->width &&
           b[3] - b[1] == (float)j->height;
}

static void copy_box(const job *j)
{
    size_t row = (size_t)3 * j->width;
    const uint8_t *from = j->src.data + (size_t)j->box[1] * j->src.stride + 3 * (size_t)j->box[0];
    for (uint32_t y = 0; y < j->height; y++)
        memcpy(j->dst + y * row, from + y * j->src.stride, row);
}

static bool needed(uint32_t inputs, uint32_t count, float from, float to)
{
    return inputs != count || from != 0.0f || to != (float)count;
}

/* Down first where the height shrinks by more than twice what the width does. */
static bool down_first(const job *j)
{
    int64_t lower = (int64_t)j->src.height - j->height;
    int64_t narrower = (int64_t)j->src.width - j->width;
    return lower > 0 && lower > 2 * narrower;
}

/* Four rows with zeros behind their ends, for pictures narrower than a window. */
static void pad_rows(const uint8_t *src[ITEMI_LANE_ROWS], size_t bytes, uint8_t *room,
                     size_t padded)
{
    for (size_t r = 0; r < ITEMI_LANE_ROWS; r++) {
        memcpy(room + r * padded, src[r], bytes);
        src[r] = room + r * padded;
    }
}

static item_status run_across(const job *j, const area *src, uint8_t *dst)
{
    const itemi_weights *w = &j->across;
    size_t row = (size_t)3 * w->count, padded = 0;
    uint8_t *room = NULL;
    if (w->taps > src->width) {
        padded = (size_t)3 * w->taps;
        room = itemi_alloc_zero(j->mem, padded, ITEMI_LANE_ROWS);
        if (!room)
            return itemi_fail_memory(j->err, "resizing a picture");
    }
    for (uint32_t y = 0; y < src->height; y += ITEMI_LANE_ROWS) {
        const uint8_t *from[ITEMI_LANE_ROWS];
        uint8_t *to[ITEMI_LANE_ROWS];
        for (uint32_t r = 0; r < ITEMI_LANE_ROWS; r++) {
            /* what is missing in the last group is the last row again */
            size_t at = y + r < src->height ? y + r : src->height - 1;
            from[r] = src->data + at * src->stride;
            to[r] = dst + at * row;
        }
        if (room)
            pad_rows(from, (size_t)3 * src->width, room, padded);
        j->kernels->across(w, from, to);
    }
    itemi_free(j->mem, room);
    return ITEM_OK;
}

static void run_down(const job *j, const area *src, uint8_t *dst)
{
    const itemi_weights *w = &j->down;
    size_t row = (size_t)3 * src->width;
    for (uint32_t i = 0; i < w->count; i++)
        j->kernels->down(w->k + (size_t)i * w->taps, w->taps, src->data + w->start[i] * src->stride,
                         src->stride, dst + i * row, row);
}

/* Counts the inputs from the first one that is used, as an area cut to these is addressed. */
static void rebase(itemi_weights *w)
{
    for (uint32_t i = 0; i < w->count; i++)
        w->start[i] -= w->first;
    w->last -= w->first;
    w->first = 0;
}

static uint8_t *middle(const job *j, uint32_t width, uint32_t height)
{
    size_t row;
    bool overflow = itemi_mul_overflows(width, 3, &row);
    return overflow ? NULL : itemi_alloc_array(j->mem, height, row);
}

/* Both passes, the first one over the part alone that the second one reads. */
static item_status run_both(job *j)
{
    bool down = down_first(j);
    area part = j->src, mid = {.width = j->width, .height = j->height};
    if (down) {
        uint32_t last = j->across.last < part.width ? j->across.last : part.width;
        part.data += (size_t)3 * j->across.first;
        mid.width = part.width = last - j->across.first;
        rebase(&j->across);
    } else {
        part.data += j->down.first * part.stride;
        mid.height = part.height = j->down.last - j->down.first;
        rebase(&j->down);
    }
    uint8_t *data = middle(j, mid.width, mid.height);
    if (!data)
        return itemi_fail_memory(j->err, "resizing a picture");
    mid.data = data;
    mid.stride = (size_t)3 * mid.width;
    item_status status = ITEM_OK;
    if (down) {
        run_down(j, &part, data);
        status = run_across(j, &mid, j->dst);
    } else {
        status = run_across(j, &part, data);
        if (status == ITEM_OK)
            run_down(j, &mid, j->dst);
    }
    itemi_free(j->mem, data);
    return status;
}

static item_status run(job *j)
{
    const float *b = j->box;
    bool across = needed(j->src.width, j->width, b[0], b[2]);
    bool down = needed(j->src.height, j->height, b[1], b[3]);
    if (across && down)
        return run_both(j);
    if (across)
        return run_across(j, &j->src, j->dst);
    run_down(j, &j->src, j->dst);
    return ITEM_OK;
}

static item_status resize(job *j, itemi_filter filter)
{
    item_status status = check(j);
    if (status != ITEM_OK)
        return status;
    if (is_copy(j)) {
        copy_box(j);
        return ITEM_OK;
    }
    const float *b = j->box;
    status = itemi_weights_make(j->mem, j->src.width, b[0], b[2], j->width, filter,
                                ITEMI_LANE_PIXELS, &j->across, j->err);
    if (status == ITEM_OK)
        status = itemi_weights_triple(&j->across, j->err);
    if (status == ITEM_OK)
        status = itemi_weights_make(j->mem, j->src.height, b[1], b[3], j->height, filter, 1,
                                    &j->down, j->err);
    if (status == ITEM_OK)
        status = run(j);
    itemi_weights_free(&j->across);
    itemi_weights_free(&j->down);
    return status;
}

item_status itemi_resize_rgb(const itemi_mem *mem, const uint8_t *src, uint32_t src_width,
                             uint32_t src_height, const double *box, uint8_t *dst,
                             uint32_t dst_width, uint32_t dst_height, itemi_filter filter,
                             item_error *err)
{
    job j = {.mem = mem,
             .kernels = itemi_kernels_best(),
             .src = {src, (size_t)3 * src_width, src_width, src_height},
             .box = {0.0f, 0.0f, (float)src_width, (float)src_height},
             .dst = dst,
             .width = dst_width,
             .height = dst_height,
             .across.mem = mem,
             .down.mem = mem,
             .err = err};
    for (int i = 0; box && i < 4; i++)
        j.box[i] = (float)box[i];
    return resize(&j, filter);
}

item_status itemi_image_resized(const itemi_mem *mem, const item_image *image, const double *box,
                                uint32_t width, uint32_t height, itemi_filter filter,
                                item_image **out, item_error *err)
{
    *out = NULL;
    size_t pixels;
    if (itemi_mul_overflows(width, height, &pixels))
        return itemi_fail_memory(err, "resizing a picture");
    uint8_t *dst = itemi_alloc_array(mem, pixels, 3);
    if (!dst)
        return itemi_fail_memory(err, "resizing a picture");
    item_status status = itemi_resize_rgb(mem, image->pixels, image->info.width, image->info.height,
                                          box, dst, width, height, filter, err);
    if (status == ITEM_OK) {
        item_image_info info = image->info;
        info.width = width;
        info.height = height;
        *out = itemi_image_new(mem, &info, dst, image->warning);
        if (!*out)
            status = itemi_fail_memory(err, "resizing a picture");
    }
    if (status != ITEM_OK)
        itemi_free(mem, dst);
    return status;
}
