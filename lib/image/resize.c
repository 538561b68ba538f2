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

/* One call: source, box (rounded to float, as Pillow does), result, and what is asked of it. */
typedef struct job {
    const itemi_mem *mem;
    const itemi_kernels *kernels;
    area src;
    float box[4];
    uint8_t *dst;           /* the part alone */
    uint32_t width, height; /* of the whole result */
    uint32_t part[4];
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
    const uint32_t *p = j->part;
    if (p[0] >= p[2] || p[1] >= p[3] || p[2] > j->width || p[3] > j->height)
        return itemi_fail(j->err, ITEM_E_ARGUMENT,
                          "part %u %u %u %u is empty or outside of %u x %u pixels", p[0], p[1],
                          p[2], p[3], j->width, j->height);
    return ITEM_OK;
}

static uint32_t part_width(const job *j)
{
    return j->part[2] - j->part[0];
}

static uint32_t part_height(const job *j)
{
    return j->part[3] - j->part[1];
}

/* The area without what lies left of and above a point. */
static area from_point(area a, size_t x, size_t y)
{
    a.data += y * a.stride + 3 * x;
    return a;
}

/* A box of whole pixels that is as large as the result is copied. */
static bool is_copy(const job *j)
{
    const float *b = j->box;
    return b[0] == truncf(b[0]) && b[1] == truncf(b[1]) && b[2] - b[0] == (float)j->width &&
           b[3] - b[1] == (float)j->height;
}

static void copy_part(const job *j)
{
    const size_t row = (size_t)3 * part_width(j);
    const area from =
        from_point(j->src, (size_t)j->box[0] + j->part[0], (size_t)j->box[1] + j->part[1]);
    for (uint32_t y = 0; y < part_height(j); y++)
        memcpy(j->dst + y * row, from.data + y * from.stride, row);
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

/* Both passes, the first one over that alone which the second one reads. */
static item_status run_both(job *j)
{
    bool down = down_first(j);
    area used = j->src, mid = {.width = part_width(j), .height = part_height(j)};
    if (down) {
        uint32_t last = j->across.last < used.width ? j->across.last : used.width;
        used = from_point(used, j->across.first, 0);
        mid.width = used.width = last - j->across.first;
        rebase(&j->across);
    } else {
        used = from_point(used, 0, j->down.first);
        mid.height = used.height = j->down.last - j->down.first;
        rebase(&j->down);
    }
    uint8_t *data = middle(j, mid.width, mid.height);
    if (!data)
        return itemi_fail_memory(j->err, "resizing a picture");
    mid.data = data;
    mid.stride = (size_t)3 * mid.width;
    item_status status = ITEM_OK;
    if (down) {
        run_down(j, &used, data);
        status = run_across(j, &mid, j->dst);
    } else {
        status = run_across(j, &used, data);
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
    area used = j->src;
    if (across) { /* rows stay what they are */
        used = from_point(used, 0, j->part[1]);
        used.height = part_height(j);
        return run_across(j, &used, j->dst);
    }
    used = from_point(used, j->part[0], 0);
    used.width = part_width(j);
    run_down(j, &used, j->dst);
    return ITEM_OK;
}

static item_status make_weights(job *j, itemi_filter filter)
{
    const float *b = j->box;
    const itemi_axis across = {j->src.width, b[0], b[2], j->width, j->part[0], j->part[2]};
    const itemi_axis down = {j->src.height, b[1], b[3], j->height, j->part[1], j->part[3]};
    item_status status =
        itemi_weights_make(j->mem, &across, filter, ITEMI_LANE_PIXELS, &j->across, j->err);
    if (status == ITEM_OK)
        status = itemi_weights_triple(&j->across, j->err);
    if (status == ITEM_OK)
        status = itemi_weights_make(j->mem, &down, filter, 1, &j->down, j->err);
    return status;
}

static item_status resize(job *j, itemi_filter filter)
{
    item_status status = check(j);
    if (status != ITEM_OK)
        return status;
    if (is_copy(j)) {
        copy_part(j);
        return ITEM_OK;
    }
    status = make_weights(j, filter);
    if (status == ITEM_OK)
        status = run(j);
    itemi_weights_free(&j->across);
    itemi_weights_free(&j->down);
    return status;
}

static item_status resize_area(const itemi_mem *mem, const area *src, const double *box,
                               uint32_t width, uint32_t height, itemi_filter filter,
                               const uint32_t part[4], uint8_t *dst, item_error *err)
{
    job j = {.mem = mem,
             .kernels = itemi_kernels_best(),
             .src = *src,
             .box = {0.0f, 0.0f, (float)src->width, (float)src->height},
             .dst = dst,
             .width = width,
             .height = height,
             .part = {part[0], part[1], part[2], part[3]},
             .across.mem = mem,
             .down.mem = mem,
             .err = err};
    for (int i = 0; box && i < 4; i++)
        j.box[i] = (float)box[i];
    return resize(&j, filter);
}

item_status itemi_resize_part(const itemi_mem *mem, const uint8_t *src, uint32_t src_width,
                              uint32_t src_height, const double *box, uint32_t width,
                              uint32_t height, itemi_filter filter, const uint32_t part[4],
                              uint8_t *dst, item_error *err)
{
    const area all = {src, (size_t)3 * src_width, src_width, src_height};
    return resize_area(mem, &all, box, width, height, filter, part, dst, err);
}

item_status itemi_resize_cut(const itemi_mem *mem, const uint8_t *src, uint32_t src_width,
                             uint32_t src_height, const double cut[4], uint32_t width,
                             uint32_t height, itemi_filter filter, const uint32_t part[4],
                             uint8_t *dst, item_error *err)
{
    area all = {src, (size_t)3 * src_width, src_width, src_height};
    /* written so that a NaN fails */
    const bool inside = cut[0] >= 0 && cut[1] >= 0 && cut[2] <= src_width && cut[3] <= src_height;
    if (!inside || !(cut[2] >= cut[0] + 1 && cut[3] >= cut[1] + 1))
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "box %g %g %g %g is empty or outside of %u x %u pixels", cut[0], cut[1],
                          cut[2], cut[3], src_width, src_height);
    all = from_point(all, (size_t)cut[0], (size_t)cut[1]);
    all.width = (uint32_t)cut[2] - (uint32_t)cut[0];
    all.height = (uint32_t)cut[3] - (uint32_t)cut[1];
    return resize_area(mem, &all, NULL, width, height, filter, part, dst, err);
}

item_status itemi_resize_rgb(const itemi_mem *mem, const uint8_t *src, uint32_t src_width,
                             uint32_t src_height, const double *box, uint8_t *dst,
                             uint32_t dst_width, uint32_t dst_height, itemi_filter filter,
                             item_error *err)
{
    const uint32_t whole[4] = {0, 0, dst_width, dst_height};
    return itemi_resize_part(mem, src, src_width, src_height, box, dst_width, dst_height, filter,
                             whole, dst, err);
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
