/* SPDX-License-Identifier: Apache-2.0 */
/* Calls a detector and checks each box as it comes. */
#include <math.h>
#include <string.h>

#include "stage/stage_private.h"

#define BOXES_MAX 10000 /* of one picture: no detector finds more */
#define ROUNDING  0.01  /* pixels by which a box may leave the picture */

/* Where the boxes of one picture go. The first wrong one is remembered, whatever add() returned. */
typedef struct sink {
    const itemi_stage *stage;
    const itemi_mem *mem;
    size_t phrases;
    double width, height;
    bool raw; /* as ITEM_BACKEND_RAW_BOXES tells */
    itemi_boxes *boxes;
    item_status status;
    item_error err;
} sink;

/* Written so that a NaN is outside. */
static bool is_inside(const sink *s, const double box[4])
{
    if (!s->raw)
        return box[0] >= -ROUNDING && box[1] >= -ROUNDING && box[2] <= s->width + ROUNDING &&
               box[3] <= s->height + ROUNDING && box[0] < box[2] && box[1] < box[3];
    const double side = fmax(s->width, s->height);
    return box[0] >= -side && box[1] >= -side && box[2] <= 2 * side && box[3] <= 2 * side &&
           box[0] <= box[2] && box[1] <= box[3];
}

static item_status check_box(sink *s, size_t phrase, const double box[4], double score)
{
    const itemi_stage *stage = s->stage;
    if (phrase >= s->phrases)
        return itemi_stage_lied(stage, &s->err, "gave a box for phrase %zu of %zu", phrase,
                                s->phrases);
    if (!(score >= 0 && score <= 1)) /* NaN too */
        return itemi_stage_lied(stage, &s->err, "gave %g as the score of a box", score);
    if (!is_inside(s, box))
        return itemi_stage_lied(stage, &s->err,
                                "gave a box that is no box of the picture of %g x %g: %g %g %g %g",
                                s->width, s->height, box[0], box[1], box[2], box[3]);
    if (s->boxes->count == BOXES_MAX)
        return itemi_stage_lied(stage, &s->err, "gave more than %d boxes for a picture", BOXES_MAX);
    return ITEM_OK;
}

static item_status reserve(sink *s)
{
    itemi_boxes *boxes = s->boxes;
    if (boxes->count < boxes->capacity)
        return ITEM_OK;
    size_t capacity = boxes->capacity ? 2 * boxes->capacity : 16;
    itemi_box *items = itemi_resize_array(s->mem, boxes->items, capacity, sizeof *items);
    if (!items)
        return itemi_fail_memory(&s->err, "keeping boxes");
    boxes->items = items;
    boxes->capacity = capacity;
    return ITEM_OK;
}

/* To the picture's edges; false where nothing is left. */
static bool cut(const sink *s, double box[4])
{
    box[0] = fmax(box[0], 0);
    box[1] = fmax(box[1], 0);
    box[2] = fmin(box[2], s->width);
    box[3] = fmin(box[3], s->height);
    return box[0] < box[2] && box[1] < box[3];
}

static item_status add(void *host, size_t phrase, const double box[4], double score)
{
    sink *s = host;
    if (s->status == ITEM_OK)
        s->status = check_box(s, phrase, box, score);
    if (s->status == ITEM_OK)
        s->status = reserve(s);
    if (s->status != ITEM_OK)
        return s->status;

    itemi_box kept = {.phrase = phrase, .box = {box[0], box[1], box[2], box[3]}, .score = score};
    if (!s->raw && !cut(s, kept.box))
        return ITEM_OK; /* all of it lay in the rounding outside */
    s->boxes->items[s->boxes->count++] = kept;
    return ITEM_OK;
}

/* The arrays that the table of a detector wants, one entry a picture. */
typedef struct room {
    const item_image **images;
    const char *const **phrases;
    const char *const **heads;
    size_t *counts;
    sink *sinks;
    item_box_sink *faces;
    const item_box_sink **pointers;
} room;

static void free_room(const itemi_mem *mem, room *r)
{
    itemi_free(mem, r->images);
    itemi_free(mem, r->phrases);
    itemi_free(mem, r->heads);
    itemi_free(mem, r->counts);
    itemi_free(mem, r->sinks);
    itemi_free(mem, r->faces);
    itemi_free(mem, r->pointers);
}

static bool reserve_room(const itemi_mem *mem, size_t n, room *r)
{
    r->images = itemi_alloc_array(mem, n, sizeof(item_image *));
    r->phrases = itemi_alloc_array(mem, n, sizeof(char **));
    r->heads = itemi_alloc_array(mem, n, sizeof(char **));
    r->counts = itemi_alloc_array(mem, n, sizeof *r->counts);
    r->sinks = itemi_alloc_array(mem, n, sizeof *r->sinks);
    r->faces = itemi_alloc_array(mem, n, sizeof *r->faces);
    r->pointers = itemi_alloc_array(mem, n, sizeof(item_box_sink *));
    return r->images && r->phrases && r->heads && r->counts && r->sinks && r->faces && r->pointers;
}

static item_status fill_room(const itemi_stage *stage, const itemi_call *call,
                             const itemi_query *queries, size_t n, bool raw, itemi_boxes *out,
                             room *r, item_error *err)
{
    for (size_t i = 0; i < n; i++) {
        item_image_info info = ITEM_IMAGE_INFO_INIT;
        item_status status = item_image_get_info(queries[i].image, &info, err);
        if (status != ITEM_OK)
            return status;
        r->images[i] = queries[i].image;
        r->phrases[i] = queries[i].phrases;
        r->heads[i] = queries[i].heads;
        r->counts[i] = queries[i].count;
        r->sinks[i] = (sink){.stage = stage,
                             .mem = call->mem,
                             .phrases = queries[i].count,
                             .width = info.width,
                             .height = info.height,
                             .raw = raw,
                             .boxes = &out[i],
                             .err = ITEM_ERROR_INIT};
        r->faces[i] =
            (item_box_sink){.struct_size = sizeof *r->faces, .host = &r->sinks[i], .add = add};
        r->pointers[i] = &r->faces[i];
    }
    return ITEM_OK;
}

static item_status ask(itemi_stage *stage, const itemi_call *call, size_t n,
                       const item_detect_options *options, const room *r, item_error *err)
{
    itemi_entry entry;
    item_status status = itemi_entry_begin(&entry, stage, call, err);
    if (status != ITEM_OK)
        return status;
    status = stage->ops.detector.detect(stage->self, &entry.call, r->images, n, r->phrases,
                                        r->heads, r->counts, options, r->pointers, &entry.err);
    bool cancelled = status == ITEM_E_CANCELLED && itemi_cancelled(call->cancel);
    for (size_t i = 0; i < n && !cancelled; i++) {
        if (r->sinks[i].status == ITEM_OK)
            continue;
        /* The reason why a box was refused says more than what the backend made of it. */
        itemi_entry_end(&entry, ITEM_OK, NULL);
        return itemi_fail(err, r->sinks[i].status, "%s", r->sinks[i].err.message);
    }
    return itemi_entry_end(&entry, status, err);
}

item_status itemi_stage_detect(itemi_stage *stage, const itemi_call *call,
                               const itemi_query *queries, size_t n, uint32_t max_boxes,
                               double least_score, itemi_boxes *out, item_error *err)
{
    memset(out, 0, n * sizeof *out);
    item_detect_options options = {
        .struct_size = sizeof options, .max_boxes = max_boxes, .least_score = least_score};
    const bool raw = stage->raw_boxes && max_boxes == 0;
    room r = {0};
    item_status status = reserve_room(call->mem, n, &r)
                             ? fill_room(stage, call, queries, n, raw, out, &r, err)
                             : itemi_fail_memory(err, "detecting");
    if (status == ITEM_OK)
        status = ask(stage, call, n, &options, &r, err);
    free_room(call->mem, &r);
    for (size_t i = 0; status != ITEM_OK && i < n; i++) {
        itemi_free(call->mem, out[i].items);
        out[i] = (itemi_boxes){0};
    }
    return status;
}
