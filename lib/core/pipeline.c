/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a batch: read, caption, detect. */
#include "core/recall.h"

#include <math.h>
#include <string.h>

void itemi_work_free(const itemi_mem *mem, itemi_work *work)
{
    for (size_t i = 0; i < ITEMI_COUNT(work->readings); i++) {
        itemi_reading *r = &work->readings[i];
        itemi_free(mem, r->caption);
        itemi_phrases_free(&r->phrases);
        itemi_free(mem, r->objects);
        itemi_free(mem, r->text);
        itemi_free(mem, r->crops);
        itemi_free(mem, r->phrased);
        itemi_free(mem, r->features);
    }
    itemi_free(mem, work->vector);
    itemi_free(mem, work->extra.layers);
    itemi_free(mem, work->extra.views);
    itemi_free(mem, work->extra.named);
    item_image_unref(work->mirror);
    itemi_lines_free(mem, &work->warnings);
    item_provenance_free(work->provenance);
    item_image_unref(work->image);
    memset(work, 0, sizeof *work);
}

const itemi_reading *itemi_work_shown(const itemi_work *work)
{
    const itemi_reading *caller = &work->readings[ITEMI_CALLER];
    return caller->used ? caller : &work->readings[ITEMI_MODEL];
}

const itemi_reading *itemi_work_judged(const item_ctx *ctx, const itemi_work *work)
{
    const itemi_reading *caller = &work->readings[ITEMI_CALLER];
    if (caller->used && ctx->head && itemi_head_get_facts(ctx->head)->callers_captions)
        return caller;
    return work->readings[ITEMI_MODEL].used ? &work->readings[ITEMI_MODEL] : NULL;
}

/* ---- running a step ---- */

static void fail_work(itemi_work *work, item_status status, const item_error *why)
{
    itemi_fail(&work->err, status, "%s", why->message[0] ? why->message : "no reason was given");
    work->err.system = why->system;
}

/* Warnings of a call that succeeded belong to each of its pictures. */
static void hand_out_lines(itemi_batch *batch, itemi_work **works, size_t n, bool succeeded)
{
    const itemi_mem *mem = batch->call.mem;
    for (size_t i = 0; i < n && succeeded; i++) {
        for (size_t j = 0; j < batch->lines.count; j++)
            itemi_lines_add(mem, &works[i]->warnings, batch->lines.items[j]);
        works[i]->warnings.lost |= batch->lines.lost;
    }
    itemi_lines_free(mem, &batch->lines);
}

item_status itemi_batch_stage(itemi_batch *batch, itemi_stage_kind kind, itemi_stage **out,
                              item_error *err)
{
    double start = itemi_now_ms();
    item_status status = itemi_ctx_stage(batch->ctx, kind, batch->cancel, out, err);
    batch->opening += itemi_now_ms() - start;
    return status;
}

static item_status run(itemi_batch *batch, itemi_step step, size_t time_offset, itemi_work **works,
                       size_t n, item_error *err)
{
    double start = itemi_now_ms();
    batch->opening = 0;
    item_status status = step(batch, works, n, err);
    hand_out_lines(batch, works, n, status == ITEM_OK);
    double share = (itemi_now_ms() - start - batch->opening) / (double)n;
    for (size_t i = 0; i < n; i++) {
        double *time = (double *)((char *)&works[i]->times + time_offset);
        *time += share;
    }
    return status;
}

static item_status run_all(itemi_batch *batch, itemi_step step, size_t time_offset,
                           itemi_work **works, size_t n, item_error *err)
{
    item_error why = ITEM_ERROR_INIT;
    item_status status = run(batch, step, time_offset, works, n, &why);
    if (status == ITEM_OK)
        return ITEM_OK;
    if (status == ITEM_E_CANCELLED)
        return itemi_fail_cancelled(err);
    if (batch->broken)
        return itemi_fail_as(err, &why);
    if (n == 1) {
        fail_work(works[0], status, &why);
        return ITEM_OK;
    }
    for (size_t i = 0; i < n; i++) {
        status = run_all(batch, step, time_offset, &works[i], 1, err);
        if (status != ITEM_OK)
            return status;
    }
    return ITEM_OK;
}

item_status itemi_batch_each(itemi_batch *batch, itemi_step step, size_t time_offset,
                             item_error *err)
{
    const itemi_mem *mem = batch->call.mem;
    itemi_work **works = itemi_alloc_array(mem, batch->n, sizeof(itemi_work *));
    if (!works)
        return itemi_fail_memory(err, "checking pictures");
    size_t n = 0;
    for (size_t i = 0; i < batch->n; i++) {
        if (batch->works[i].err.code == ITEM_OK)
            works[n++] = &batch->works[i];
    }
    item_status status = n ? run_all(batch, step, time_offset, works, n, err) : ITEM_OK;
    itemi_free(mem, works);
    return status;
}

/* ---- reading ---- */

/* Brings a picture to its working size; takes the reference to `full`. */
static item_status to_working_size(itemi_batch *batch, itemi_work *work, item_image *full)
{
    const item_ctx *ctx = batch->ctx;
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    item_status status = item_image_get_info(full, &info, &work->err);
    if (status == ITEM_OK) {
        work->width = info.width;
        work->height = info.height;
        if (info.warning)
            itemi_lines_add(batch->call.mem, &work->warnings, info.warning);
        if (!itemi_provenance_copy(batch->call.mem, itemi_image_provenance(full),
                                   &work->provenance))
            status = itemi_fail_memory(&work->err, "reading a picture");
        if (status == ITEM_OK && batch->wanted)
            status = itemi_pixels_hash(full, work->extra.picture, &work->err);
    }
    if (status == ITEM_OK) {
        itemi_working_size(info.width, info.height, ctx->working_size, &work->work_width,
                           &work->work_height);
        if (work->work_width == info.width && work->work_height == info.height)
            work->image = item_image_ref(full);
        else
            status = itemi_image_resized(&ctx->mem, full, NULL, work->work_width, work->work_height,
                                         ctx->filter, &work->image, &work->err);
    }
    item_image_unref(full);
    work->has_plain = status == ITEM_OK && ctx->working_size;
    if (work->has_plain && !itemi_image_plain(batch->call.mem, work->image, work->plain))
        status = itemi_fail_memory(&work->err, "looking at a picture");
    if (status == ITEM_OK && ctx->cache)
        status = itemi_pixels_hash(work->image, work->pixels, &work->err);
    return status;
}

/* `given` is the caller's picture, NULL when the work has a file. */
static item_status read_one(itemi_batch *batch, itemi_work *work, item_image *given)
{
    double start = itemi_now_ms();
    item_image *full = item_image_ref(given);
    item_status status = ITEM_OK;
    if (!full && work->file) {
        item_image_options options = itemi_ctx_image_options(batch->ctx, batch->cancel);
        status = item_image_from_file(work->file, &options, &full, &work->err);
        work->named = status != ITEM_OK;
    } else if (!full) {
        status = itemi_fail(&work->err, ITEM_E_ARGUMENT, "the picture is NULL");
    }
    double decoded = itemi_now_ms();
    work->times.decode = decoded - start;
    if (status == ITEM_OK)
        status = to_working_size(batch, work, full);
    work->times.resize = itemi_now_ms() - decoded;
    return status;
}

item_status itemi_batch_read(itemi_batch *batch, item_image *const *images, item_error *err)
{
    for (size_t i = 0; i < batch->n; i++) {
        itemi_work *work = &batch->works[i];
        if (itemi_cancelled(batch->cancel))
            return itemi_fail_cancelled(err);
        if (work->caller && itemi_text_check(work->caller, "the caption", &work->err) != ITEM_OK)
            continue;
        item_status status = read_one(batch, work, images ? images[i] : NULL);
        if (status == ITEM_E_CANCELLED)
            return itemi_fail_cancelled(err);
    }
    return ITEM_OK;
}

/* ---- captions and phrases ---- */

/* The captioner speaks unless the caller does and no verdict needs the model's own words. */
static bool needs_model(const item_ctx *ctx, const itemi_work *work)
{
    return !work->caller || ctx->head;
}

static item_status ask_captioner(itemi_batch *batch, itemi_work **works, size_t n, item_error *err)
{
    itemi_stage *stage;
    item_status status = itemi_batch_stage(batch, ITEMI_CAPTIONER, &stage, err);
    if (status != ITEM_OK)
        return status;
    const itemi_mem *mem = batch->call.mem;
    const item_image **images = itemi_alloc_array(mem, n, sizeof(item_image *));
    itemi_captioned *captions = itemi_alloc_array(mem, n, sizeof *captions);
    if (images && captions) {
        for (size_t i = 0; i < n; i++)
            images[i] = works[i]->image;
        status = itemi_recall_captions(batch, stage, images, n, captions, err);
    } else {
        status = itemi_fail_memory(err, "captioning");
    }
    for (size_t i = 0; status == ITEM_OK && i < n; i++) {
        itemi_reading *r = &works[i]->readings[ITEMI_MODEL];
        r->caption = captions[i].text;
        r->logprob = captions[i].logprob;
        r->margin = captions[i].margin;
        r->used = true;
    }
    itemi_free(mem, images);
    itemi_free(mem, captions);
    return status;
}

/* Takes those works out of the list that need no caption of the model's. */
static item_status caption_step(itemi_batch *batch, itemi_work **works, size_t n, item_error *err)
{
    const item_ctx *ctx = batch->ctx;
    itemi_work **asked = itemi_alloc_array(batch->call.mem, n, sizeof(itemi_work *));
    if (!asked)
        return itemi_fail_memory(err, "captioning");
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        bool possible = ctx->slot[ITEMI_CAPTIONER].possible || !works[i]->caller;
        if (possible && needs_model(ctx, works[i]))
            asked[count++] = works[i];
    }
    item_status status = count ? ask_captioner(batch, asked, count, err) : ITEM_OK;
    itemi_free(batch->call.mem, asked);
    return status;
}

static item_status take_callers(itemi_batch *batch, itemi_work *work)
{
    itemi_reading *r = &work->readings[ITEMI_CALLER];
    r->logprob = r->margin = NAN;
    r->caption = itemi_strdup(batch->call.mem, work->caller);
    if (!r->caption)
        return itemi_fail_memory(&work->err, "keeping a caption");
    r->used = true;
    return ITEM_OK;
}

static void find_phrases(itemi_batch *batch, itemi_work *work)
{
    double start = itemi_now_ms();
    item_status status = work->caller ? take_callers(batch, work) : ITEM_OK;
    for (size_t i = 0; i < ITEMI_COUNT(work->readings) && status == ITEM_OK; i++) {
        itemi_reading *r = &work->readings[i];
        if (r->used)
            status = itemi_phrases_find(batch->call.mem, r->caption, &r->phrases, &work->err);
    }
    work->times.phrases = itemi_now_ms() - start;
}

item_status itemi_batch_caption(itemi_batch *batch, item_error *err)
{
    item_status status =
        itemi_batch_each(batch, caption_step, offsetof(item_timings, caption), err);
    for (size_t i = 0; i < batch->n && status == ITEM_OK; i++) {
        if (batch->works[i].err.code == ITEM_OK)
            find_phrases(batch, &batch->works[i]);
    }
    return status;
}

/* ---- objects ---- */

/* What is searched for: a reading of a picture, with the arrays that a query needs. */
typedef struct search {
    itemi_reading *reading;
    const char **phrases, **heads;
    uint32_t *counts;
} search;

static void free_searches(const itemi_mem *mem, search *searches, size_t n)
{
    for (size_t i = 0; searches && i < n; i++) {
        itemi_free(mem, searches[i].phrases);
        itemi_free(mem, searches[i].heads);
        itemi_free(mem, searches[i].counts);
    }
    itemi_free(mem, searches);
}

static bool fill_search(const itemi_mem *mem, itemi_reading *reading, const item_image *image,
                        search *s, itemi_query *query)
{
    size_t count = reading->phrases.count;
    s->reading = reading;
    s->phrases = itemi_alloc_array(mem, count, sizeof(char *));
    s->heads = itemi_alloc_array(mem, count, sizeof(char *));
    s->counts = itemi_alloc_array(mem, count, sizeof *s->counts);
    if (!s->phrases || !s->heads || !s->counts)
        return false;
    for (size_t i = 0; i < count; i++) {
        const itemi_phrase *phrase = &reading->phrases.items[i];
        s->phrases[i] = phrase->text;
        s->heads[i] = phrase->head;
        s->counts[i] = phrase->count;
    }
    *query = (itemi_query){image, s->phrases, s->heads, count};
    return true;
}

/* Arrays for every reading with phrases; *count receives how many. */
static item_status list_searches(const itemi_mem *mem, itemi_work **works, size_t n,
                                 search *searches, itemi_query *queries, size_t *count,
                                 item_error *err)
{
    for (size_t i = 0; i < 2 * n; i++) {
        itemi_work *work = works[i / 2];
        itemi_reading *reading = &work->readings[i % 2];
        if (!reading->used || reading->phrases.count == 0)
            continue;
        size_t at = (*count)++;
        if (!fill_search(mem, reading, work->image, &searches[at], &queries[at]))
            return itemi_fail_memory(err, "detecting");
    }
    return ITEM_OK;
}

static item_status ask_detector(itemi_batch *batch, const itemi_query *queries,
                                const search *searches, size_t count, item_error *err)
{
    itemi_stage *stage;
    item_status status = itemi_batch_stage(batch, ITEMI_DETECTOR, &stage, err);
    if (status != ITEM_OK)
        return status;
    const itemi_mem *mem = batch->call.mem;
    itemi_boxes *boxes = itemi_alloc_zero(mem, count, sizeof *boxes);
    if (!boxes)
        return itemi_fail_memory(err, "detecting");
    status = itemi_recall_boxes(batch, stage, queries, count, boxes, err);
    for (size_t i = 0; status == ITEM_OK && i < count; i++) {
        itemi_reading *r = searches[i].reading;
        r->objects = boxes[i].items;
        r->count = itemi_choose_objects(boxes[i].items, boxes[i].count, searches[i].counts,
                                        batch->max_objects);
    }
    itemi_free(mem, boxes);
    return status;
}

static item_status detect_step(itemi_batch *batch, itemi_work **works, size_t n, item_error *err)
{
    const itemi_mem *mem = batch->call.mem;
    search *searches = itemi_alloc_zero(mem, 2 * n, sizeof *searches);
    itemi_query *queries = itemi_alloc_array(mem, 2 * n, sizeof *queries);
    size_t count = 0;
    item_status status = searches && queries
                             ? list_searches(mem, works, n, searches, queries, &count, err)
                             : itemi_fail_memory(err, "detecting");
    if (status == ITEM_OK && count > 0)
        status = ask_detector(batch, queries, searches, count, err);
    free_searches(mem, searches, count);
    itemi_free(mem, queries);
    return status;
}

item_status itemi_batch_detect(itemi_batch *batch, item_error *err)
{
    if (!batch->ctx->slot[ITEMI_DETECTOR].possible || batch->max_objects == 0)
        return ITEM_OK;
    return itemi_batch_each(batch, detect_step, offsetof(item_timings, detect), err);
}
