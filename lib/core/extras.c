/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What data sets keep of a picture beside its answer: inner layers, views, vectors of all phrases,
 * the likelihood of the caption without the picture. Layers are also for heads that read them.
 */
#include <math.h>
#include <string.h>

#include "core/recall.h"

/* ---- inner layers, with the vector of the whole picture from the same run ---- */

static item_crop whole_of(const itemi_work *work)
{
    return (item_crop){.struct_size = sizeof(item_crop),
                       .image = work->image,
                       .box = {0, 0, work->work_width, work->work_height}};
}

static item_status give_layers(const itemi_mem *mem, itemi_work **works, size_t n,
                               const float *vectors, size_t width, const float *layers,
                               size_t count, item_error *err)
{
    for (size_t i = 0; i < n; i++) {
        itemi_work *work = works[i];
        itemi_free(mem, work->vector); /* of a try that found no memory half-way */
        itemi_free(mem, work->extra.layers);
        work->vector = itemi_alloc_array(mem, width, sizeof *work->vector);
        work->extra.layers = itemi_alloc_array(mem, count, sizeof *work->extra.layers);
        if (!work->vector || !work->extra.layers)
            return itemi_fail_memory(err, "embedding");
        memcpy(work->vector, vectors + i * width, width * sizeof *vectors);
        memcpy(work->extra.layers, layers + i * count, count * sizeof *layers);
    }
    return ITEM_OK;
}

/* A head that reads layers takes those of its embedder alone. */
static item_status check_layers(const item_ctx *ctx, const itemi_stage *stage, size_t count,
                                item_error *err)
{
    const size_t read = ctx->head ? itemi_head_get_facts(ctx->head)->layers_width : 0;
    if (read == 0 || read == count)
        return ITEM_OK;
    return itemi_fail(err, ITEM_E_MISMATCH,
                      "the head reads %zu numbers of inner layers, embedder %s gives %zu", read,
                      itemi_stage_name(stage), count);
}

static item_status layers_step(itemi_batch *batch, itemi_work **works, size_t n, item_error *err)
{
    itemi_stage *stage;
    item_status status = itemi_batch_stage(batch, ITEMI_EMBEDDER, &stage, err);
    if (status != ITEM_OK)
        return status;
    const size_t width = itemi_stage_width(stage), count = itemi_stage_layers_width(stage);
    batch->width = width;
    status = check_layers(batch->ctx, stage, count, err);
    if (status != ITEM_OK || count == 0)
        return status;
    batch->layers = count;
    const itemi_mem *mem = batch->call.mem;
    item_crop *wholes = itemi_alloc_array(mem, n, sizeof *wholes);
    float *vectors = itemi_alloc_array(mem, n, width * sizeof *vectors);
    float *layers = itemi_alloc_array(mem, n, count * sizeof *layers);
    status = wholes && vectors && layers ? ITEM_OK : itemi_fail_memory(err, "embedding");
    for (size_t i = 0; i < n && status == ITEM_OK; i++)
        wholes[i] = whole_of(works[i]);
    if (status == ITEM_OK)
        status = itemi_recall_layers(batch, stage, wholes, n, vectors, layers, err);
    if (status == ITEM_OK)
        status = give_layers(mem, works, n, vectors, width, layers, count, err);
    itemi_free(mem, wholes);
    itemi_free(mem, vectors);
    itemi_free(mem, layers);
    return status;
}

item_status itemi_batch_layers(itemi_batch *batch, item_error *err)
{
    const item_ctx *ctx = batch->ctx;
    bool wanted = (batch->wanted && batch->wanted->layers) ||
                  (ctx->head && itemi_layout_reads_layers(&ctx->layout));
    if (!wanted || !ctx->slot[ITEMI_EMBEDDER].possible)
        return ITEM_OK;
    return itemi_batch_each(batch, layers_step, offsetof(item_timings, embed), err);
}

/* ---- views: the list that dataset.h documents ---- */

/* View `index` from 0, as parts of the picture's width and height. */
static void view_part(uint32_t index, double part[4])
{
    if (index == 0) { /* the mirror image, whole */
        memcpy(part, (const double[4]){0, 0, 1, 1}, 4 * sizeof *part);
    } else if (index == 1) {
        memcpy(part, (const double[4]){0.125, 0.125, 0.875, 0.875}, 4 * sizeof *part);
    } else if (index < 6) { /* quarters that overlap, row by row */
        const double x = (index - 2) % 2 * 0.375, y = (index - 2) / 2 * 0.375;
        memcpy(part, (const double[4]){x, y, x + 0.625, y + 0.625}, 4 * sizeof *part);
    } else { /* cells of three by three, row by row */
        const uint32_t x = (index - 6) % 3, y = (index - 6) / 3;
        memcpy(part, (const double[4]){x / 3.0, y / 3.0, (x + 1) / 3.0, (y + 1) / 3.0},
               4 * sizeof *part);
    }
}

static item_status mirror(itemi_batch *batch, itemi_work *work, item_error *err)
{
    const size_t width = work->work_width, height = work->work_height;
    const uint8_t *from = item_image_pixels(work->image);
    uint8_t *pixels = itemi_alloc_array(batch->call.mem, width * height, 3);
    if (!pixels)
        return itemi_fail_memory(err, "mirroring a picture");
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++)
            memcpy(pixels + (y * width + x) * 3, from + (y * width + width - 1 - x) * 3, 3);
    const item_image_options options = itemi_ctx_image_options(batch->ctx, batch->cancel);
    item_status status =
        item_image_from_pixels(pixels, ITEM_PIXELS_RGB, work->work_width, work->work_height,
                               width * 3, &options, &work->mirror, err);
    itemi_free(batch->call.mem, pixels);
    if (status == ITEM_OK && batch->ctx->cache)
        status = itemi_pixels_hash(work->mirror, work->mirror_pixels, err);
    if (status != ITEM_OK) { /* tried again, it must not be met without its hash */
        item_image_unref(work->mirror);
        work->mirror = NULL;
    }
    return status;
}

static void put_views(const itemi_work *work, uint32_t views, item_crop *out)
{
    for (uint32_t i = 0; i < views; i++) {
        double part[4];
        view_part(i, part);
        out[i] = (item_crop){.struct_size = sizeof *out,
                             .image = i == 0 ? work->mirror : work->image,
                             .box = {part[0] * work->work_width, part[1] * work->work_height,
                                     part[2] * work->work_width, part[3] * work->work_height}};
    }
}

static item_status give_views(const itemi_mem *mem, itemi_work **works, size_t n, size_t numbers,
                              const float *vectors, item_error *err)
{
    for (size_t i = 0; i < n; i++) {
        itemi_extra *extra = &works[i]->extra;
        itemi_free(mem, extra->views);
        extra->views = itemi_alloc_array(mem, numbers, sizeof *extra->views);
        if (!extra->views)
            return itemi_fail_memory(err, "embedding");
        memcpy(extra->views, vectors + i * numbers, numbers * sizeof *vectors);
    }
    return ITEM_OK;
}

static item_status views_step(itemi_batch *batch, itemi_work **works, size_t n, item_error *err)
{
    itemi_stage *stage;
    item_status status = itemi_batch_stage(batch, ITEMI_EMBEDDER, &stage, err);
    for (size_t i = 0; i < n && status == ITEM_OK; i++) {
        if (!works[i]->mirror)
            status = mirror(batch, works[i], err);
    }
    if (status != ITEM_OK)
        return status;
    const itemi_mem *mem = batch->call.mem;
    const uint32_t views = batch->wanted->views;
    item_crop *crops = itemi_alloc_array(mem, n * views, sizeof *crops);
    float *vectors = itemi_alloc_array(mem, n * views * batch->width, sizeof *vectors);
    status = crops && vectors ? ITEM_OK : itemi_fail_memory(err, "embedding");
    for (size_t i = 0; i < n && status == ITEM_OK; i++)
        put_views(works[i], views, crops + i * views);
    if (status == ITEM_OK)
        status = itemi_recall_image_vectors(batch, stage, crops, n * views, vectors, err);
    if (status == ITEM_OK)
        status = give_views(mem, works, n, views * batch->width, vectors, err);
    itemi_free(mem, crops);
    itemi_free(mem, vectors);
    return status;
}

/* ---- all phrases of the caption ---- */

/* Vectors of phrases that are objects are there; the others are asked for. */
static const float *known_phrase(const itemi_reading *r, size_t phrase, size_t width)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->objects[i].phrase == phrase)
            return r->phrased + i * width;
    }
    return NULL;
}

static void list_unknown(itemi_work **works, size_t n, size_t width, const char **texts,
                         size_t *count)
{
    for (size_t i = 0; i < n; i++) {
        const itemi_reading *r = itemi_work_shown(works[i]);
        for (size_t j = 0; j < r->phrases.count; j++) {
            if (!known_phrase(r, j, width))
                texts[(*count)++] = r->phrases.items[j].text;
        }
    }
}

static item_status give_named(const itemi_mem *mem, itemi_work **works, size_t n, size_t width,
                              const float *fresh, item_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const itemi_reading *r = itemi_work_shown(works[i]);
        itemi_extra *extra = &works[i]->extra;
        itemi_free(mem, extra->named);
        extra->names = r->phrases.count;
        extra->named = itemi_alloc_array(mem, extra->names * width, sizeof *fresh);
        if (!extra->named)
            return itemi_fail_memory(err, "embedding");
        for (size_t j = 0; j < extra->names; j++) {
            const float *known = known_phrase(r, j, width);
            memcpy(extra->named + j * width, known ? known : fresh, width * sizeof *fresh);
            fresh += known ? 0 : width;
        }
    }
    return ITEM_OK;
}

static item_status named_step(itemi_batch *batch, itemi_work **works, size_t n, item_error *err)
{
    itemi_stage *stage;
    item_status status = itemi_batch_stage(batch, ITEMI_EMBEDDER, &stage, err);
    if (status != ITEM_OK)
        return status;
    const itemi_mem *mem = batch->call.mem;
    size_t most = 0, count = 0;
    for (size_t i = 0; i < n; i++)
        most += itemi_work_shown(works[i])->phrases.count;
    const char **texts = itemi_alloc_array(mem, most, sizeof(char *));
    float *fresh = itemi_alloc_array(mem, most * batch->width, sizeof *fresh);
    status = texts && fresh ? ITEM_OK : itemi_fail_memory(err, "embedding");
    if (status == ITEM_OK)
        list_unknown(works, n, batch->width, texts, &count);
    if (status == ITEM_OK && count)
        status = itemi_recall_text_vectors(batch, stage, texts, count, fresh, err);
    if (status == ITEM_OK)
        status = give_named(mem, works, n, batch->width, fresh, err);
    itemi_free(mem, texts);
    itemi_free(mem, fresh);
    return status;
}

/* ---- captions without their picture ---- */

static item_status prior_step(itemi_batch *batch, itemi_work **works, size_t n, item_error *err)
{
    itemi_stage *stage;
    item_status status = itemi_batch_stage(batch, ITEMI_CAPTIONER, &stage, err);
    if (status != ITEM_OK || !itemi_stage_can_score(stage))
        return status;
    const itemi_mem *mem = batch->call.mem;
    const char **texts = itemi_alloc_array(mem, n, sizeof(char *));
    double *priors = itemi_alloc_array(mem, n, sizeof *priors);
    status = texts && priors ? ITEM_OK : itemi_fail_memory(err, "scoring captions");
    for (size_t i = 0; i < n && status == ITEM_OK; i++)
        texts[i] = works[i]->readings[ITEMI_MODEL].caption;
    if (status == ITEM_OK)
        status = itemi_recall_priors(batch, stage, texts, n, priors, err);
    for (size_t i = 0; i < n && status == ITEM_OK; i++)
        works[i]->extra.prior = priors[i];
    itemi_free(mem, texts);
    itemi_free(mem, priors);
    return status;
}

item_status itemi_batch_extras(itemi_batch *batch, item_error *err)
{
    const itemi_wanted *wanted = batch->wanted;
    item_status status = ITEM_OK;
    if (wanted && wanted->views)
        status = itemi_batch_each(batch, views_step, offsetof(item_timings, embed), err);
    if (status == ITEM_OK && wanted && wanted->named)
        status = itemi_batch_each(batch, named_step, offsetof(item_timings, embed), err);
    if (status == ITEM_OK && wanted && wanted->prior)
        status = itemi_batch_each(batch, prior_step, offsetof(item_timings, caption), err);
    return status;
}
