/* SPDX-License-Identifier: Apache-2.0 */
/* Captions and boxes by way of the cache, and the form in which they stand there. */
#include <math.h>
#include <string.h>

#include "core/recall_private.h"

/* Values that are made for keeping: entry i of `missing` stands at offset[i]. */
typedef struct values {
    itemi_buf bytes;
    size_t *offset; /* [count + 1] */
} values;

static bool values_begin(values *v, const itemi_recall *r)
{
    const itemi_mem *mem = r->batch->call.mem;
    itemi_buf_init(&v->bytes, mem);
    v->offset = itemi_alloc_zero(mem, r->count + 1, sizeof *v->offset);
    return v->offset != NULL;
}

static item_status values_keep(values *v, itemi_recall *r, item_error *err)
{
    if (v->bytes.failed)
        return itemi_fail_memory(err, "using a cache");
    for (size_t i = 0; i < r->count; i++) {
        itemi_cache_entry *entry = &r->entries[r->missing[i]];
        entry->value = v->bytes.data + v->offset[i];
        entry->size = v->offset[i + 1] - v->offset[i];
    }
    return itemi_recall_keep(r, err);
}

static void values_end(values *v, const itemi_recall *r)
{
    itemi_buf_free(&v->bytes);
    itemi_free(r->batch->call.mem, v->offset);
}

/* ---- captions: log-probability, margin, text with its NUL ---- */

typedef struct captions {
    const itemi_mem *mem;
    itemi_captioned *out;
} captions;

static bool take_caption(void *user, size_t i, const void *value, size_t size)
{
    const captions *c = user;
    double numbers[2];
    if (size <= sizeof numbers)
        return false;
    memcpy(numbers, value, sizeof numbers);
    const char *text = (const char *)value + sizeof numbers;
    size_t length = size - sizeof numbers - 1;
    if (!isfinite(numbers[0]) || !isfinite(numbers[1]) || text[length] != '\0' ||
        strlen(text) != length || itemi_utf8_valid(text, length) != length)
        return false;
    c->out[i] = (itemi_captioned){
        .text = itemi_strdup(c->mem, text), .logprob = numbers[0], .margin = numbers[1]};
    return c->out[i].text != NULL;
}

static bool key_of_caption(const itemi_batch *batch, const itemi_captioning *how,
                           const item_image *image, uint8_t out[ITEMI_CACHE_KEY])
{
    char settings[128];
    itemi_format(settings, sizeof settings, "beams=%u max_tokens=%u sample=%.17g seed=%llu",
                 (unsigned)how->beams, (unsigned)how->max_tokens, how->temperature,
                 how->temperature > 0 ? (unsigned long long)how->seed : 0);
    itemi_sha256 *sha = itemi_recall_key(batch, ITEMI_CAPTIONER, "caption");
    itemi_sha256_text(sha, settings);
    itemi_sha256_text(sha, how->prompt ? how->prompt : "");
    itemi_sha256_add(sha, itemi_recall_pixels(batch, image), ITEMI_SHA256_BYTES);
    return itemi_sha256_bytes(sha, out);
}

static item_status keep_captions(itemi_recall *r, const itemi_captioned *fresh, item_error *err)
{
    values v;
    item_status status = ITEM_OK;
    if (!values_begin(&v, r))
        return itemi_fail_memory(err, "captioning");
    for (size_t i = 0; i < r->count; i++) {
        const double numbers[2] = {fresh[i].logprob, fresh[i].margin};
        itemi_buf_add(&v.bytes, numbers, sizeof numbers);
        itemi_buf_add(&v.bytes, fresh[i].text, strlen(fresh[i].text) + 1);
        v.offset[i + 1] = v.bytes.length;
    }
    status = values_keep(&v, r, err);
    values_end(&v, r);
    return status;
}

static item_status caption_missing(itemi_recall *r, itemi_stage *stage,
                                   const item_image *const *images, const itemi_captioning *how,
                                   itemi_captioned *out, item_error *err)
{
    const itemi_mem *mem = r->batch->call.mem;
    const item_image **asked = itemi_alloc_array(mem, r->count, sizeof(item_image *));
    itemi_captioned *fresh = itemi_alloc_zero(mem, r->count, sizeof *fresh);
    item_status status = asked && fresh ? ITEM_OK : itemi_fail_memory(err, "captioning");
    for (size_t i = 0; i < r->count && status == ITEM_OK; i++)
        asked[i] = images[r->missing[i]];
    if (status == ITEM_OK)
        status = itemi_stage_caption(stage, &r->batch->call, asked, r->count, how, fresh, err);
    if (status == ITEM_OK)
        status = keep_captions(r, fresh, err);
    for (size_t i = 0; i < r->count && status == ITEM_OK; i++) {
        out[r->missing[i]] = fresh[i];
        fresh[i] = (itemi_captioned){0};
    }
    if (fresh)
        itemi_captioned_free(mem, fresh, r->count);
    itemi_free(mem, fresh);
    itemi_free(mem, asked);
    return status;
}

item_status itemi_recall_captions(itemi_batch *batch, itemi_stage *stage,
                                  const item_image *const *images, size_t n, itemi_captioned *out,
                                  item_error *err)
{
    const itemi_captioning how = itemi_ctx_captioning(batch->ctx, batch->options, false);
    if (!batch->ctx->cache)
        return itemi_stage_caption(stage, &batch->call, images, n, &how, out, err);
    memset(out, 0, n * sizeof *out);
    itemi_recall r;
    captions to = {batch->call.mem, out};
    item_status status = itemi_recall_begin(&r, batch, n, err);
    for (size_t i = 0; i < n && status == ITEM_OK; i++) {
        if (!key_of_caption(batch, &how, images[i], r.entries[i].key))
            status = itemi_fail_memory(err, "captioning");
    }
    if (status == ITEM_OK)
        status = itemi_recall_look_up(&r, take_caption, &to, err);
    if (status == ITEM_OK && r.count)
        status = caption_missing(&r, stage, images, &how, out, err);
    if (status != ITEM_OK)
        itemi_captioned_free(batch->call.mem, out, n);
    itemi_recall_end(&r);
    return status;
}

/* ---- boxes: each as six numbers: phrase, x0, y0, x1, y1, score ---- */

#define BOX_NUMBERS 6

typedef struct finds {
    const itemi_mem *mem;
    const itemi_query *queries;
    itemi_boxes *out;
} finds;

/* Inside of the picture, as stage.h promises; false for what is no number, too. */
static bool is_box(const double v[BOX_NUMBERS], const itemi_query *query)
{
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    (void)item_image_get_info(query->image, &info, NULL);
    return v[0] >= 0 && v[0] < (double)query->count && v[0] == floor(v[0]) && v[1] >= 0 &&
           v[1] < v[3] && v[3] <= info.width && v[2] >= 0 && v[2] < v[4] && v[4] <= info.height &&
           v[5] >= 0 && v[5] <= 1;
}

static bool take_boxes(void *user, size_t i, const void *value, size_t size)
{
    const finds *f = user;
    double v[BOX_NUMBERS];
    size_t count = size / sizeof v;
    if (size % sizeof v)
        return false;
    itemi_box *boxes = itemi_alloc_array(f->mem, count, sizeof *boxes);
    bool good = boxes != NULL;
    for (size_t j = 0; j < count && good; j++) {
        memcpy(v, (const char *)value + j * sizeof v, sizeof v);
        good = is_box(v, &f->queries[i]);
        if (good)
            boxes[j] = (itemi_box){(size_t)v[0], {v[1], v[2], v[3], v[4]}, v[5]};
    }
    if (good)
        f->out[i] = (itemi_boxes){boxes, count, count};
    else
        itemi_free(f->mem, boxes);
    return good;
}

static bool key_of_boxes(const itemi_batch *batch, const itemi_query *query,
                         uint8_t out[ITEMI_CACHE_KEY])
{
    char settings[96];
    itemi_format(settings, sizeof settings, "max_boxes=%u least_score=%.17g",
                 (unsigned)batch->max_objects, batch->ctx->settings.detector_score);
    itemi_sha256 *sha = itemi_recall_key(batch, ITEMI_DETECTOR, "boxes");
    itemi_sha256_text(sha, settings);
    itemi_sha256_add(sha, itemi_recall_pixels(batch, query->image), ITEMI_SHA256_BYTES);
    for (size_t i = 0; i < query->count; i++) {
        itemi_sha256_text(sha, query->phrases[i]);
        itemi_sha256_text(sha, query->heads[i] ? query->heads[i] : "");
    }
    return itemi_sha256_bytes(sha, out);
}

static item_status keep_boxes(itemi_recall *r, const itemi_boxes *fresh, item_error *err)
{
    values v;
    item_status status = ITEM_OK;
    if (!values_begin(&v, r))
        return itemi_fail_memory(err, "detecting");
    for (size_t i = 0; i < r->count; i++) {
        for (size_t j = 0; j < fresh[i].count; j++) {
            const itemi_box *box = &fresh[i].items[j];
            const double numbers[BOX_NUMBERS] = {(double)box->phrase, box->box[0], box->box[1],
                                                 box->box[2],         box->box[3], box->score};
            itemi_buf_add(&v.bytes, numbers, sizeof numbers);
        }
        v.offset[i + 1] = v.bytes.length;
    }
    status = values_keep(&v, r, err);
    values_end(&v, r);
    return status;
}

static void free_boxes(const itemi_mem *mem, itemi_boxes *boxes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        itemi_free(mem, boxes[i].items);
        boxes[i] = (itemi_boxes){0};
    }
}

static item_status detect_missing(itemi_recall *r, itemi_stage *stage, const itemi_query *queries,
                                  itemi_boxes *out, item_error *err)
{
    const itemi_batch *batch = r->batch;
    const itemi_mem *mem = batch->call.mem;
    itemi_query *asked = itemi_alloc_array(mem, r->count, sizeof *asked);
    itemi_boxes *fresh = itemi_alloc_zero(mem, r->count, sizeof *fresh);
    item_status status = asked && fresh ? ITEM_OK : itemi_fail_memory(err, "detecting");
    for (size_t i = 0; i < r->count && status == ITEM_OK; i++)
        asked[i] = queries[r->missing[i]];
    if (status == ITEM_OK)
        status = itemi_stage_detect(stage, &batch->call, asked, r->count, batch->max_objects,
                                    batch->ctx->settings.detector_score, fresh, err);
    if (status == ITEM_OK)
        status = keep_boxes(r, fresh, err);
    for (size_t i = 0; i < r->count && status == ITEM_OK; i++) {
        out[r->missing[i]] = fresh[i];
        fresh[i] = (itemi_boxes){0};
    }
    if (fresh)
        free_boxes(mem, fresh, r->count);
    itemi_free(mem, fresh);
    itemi_free(mem, asked);
    return status;
}

item_status itemi_recall_boxes(itemi_batch *batch, itemi_stage *stage, const itemi_query *queries,
                               size_t n, itemi_boxes *out, item_error *err)
{
    if (!batch->ctx->cache)
        return itemi_stage_detect(stage, &batch->call, queries, n, batch->max_objects,
                                  batch->ctx->settings.detector_score, out, err);
    itemi_recall r;
    finds to = {batch->call.mem, queries, out};
    item_status status = itemi_recall_begin(&r, batch, n, err);
    for (size_t i = 0; i < n && status == ITEM_OK; i++) {
        if (!key_of_boxes(batch, &queries[i], r.entries[i].key))
            status = itemi_fail_memory(err, "detecting");
    }
    if (status == ITEM_OK)
        status = itemi_recall_look_up(&r, take_boxes, &to, err);
    if (status == ITEM_OK && r.count)
        status = detect_missing(&r, stage, queries, out, err);
    if (status != ITEM_OK)
        free_boxes(batch->call.mem, out, n);
    itemi_recall_end(&r);
    return status;
}
