/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of crops and of texts by way of the cache: the numbers as they are. */
#include <math.h>
#include <string.h>

#include "core/recall_private.h"

#define UNIT_SLACK 0.01 /* how far a vector's length may be from 1 */

/* What is embedded: `n` crops or texts of `size` bytes each, and how. */
typedef struct question {
    const void *items;
    size_t size, n;
    item_status (*ask)(itemi_stage *stage, const itemi_call *call, const void *items, size_t n,
                       float *out, item_error *err);
    bool (*key)(const itemi_batch *batch, const void *item, uint8_t out[ITEMI_CACHE_KEY]);
} question;

typedef struct rows {
    float *out;
    size_t width;
} rows;

bool itemi_is_unit(const float *row, size_t width)
{
    return fabs(sqrt((double)itemi_dot(row, row, width)) - 1) <= UNIT_SLACK; /* no NaN */
}

static bool take(void *user, size_t i, const void *value, size_t size)
{
    const rows *r = user;
    float *row = r->out + i * r->width;
    if (size != r->width * sizeof *row)
        return false;
    memcpy(row, value, size);
    return itemi_is_unit(row, r->width);
}

/* Asks for what is missing, all of it in one call, and puts each row where it belongs. */
static item_status ask_missing(itemi_recall *r, itemi_stage *stage, const question *q, rows *to,
                               item_error *err)
{
    const itemi_mem *mem = r->batch->call.mem;
    char *items = itemi_alloc_array(mem, r->count, q->size);
    float *fresh = itemi_alloc_array(mem, r->count * to->width, sizeof *fresh);
    item_status status = items && fresh ? ITEM_OK : itemi_fail_memory(err, "embedding");
    for (size_t i = 0; i < r->count && status == ITEM_OK; i++)
        memcpy(items + i * q->size, (const char *)q->items + r->missing[i] * q->size, q->size);
    if (status == ITEM_OK)
        status = q->ask(stage, &r->batch->call, items, r->count, fresh, err);
    for (size_t i = 0; i < r->count && status == ITEM_OK; i++) {
        itemi_cache_entry *entry = &r->entries[r->missing[i]];
        float *row = to->out + r->missing[i] * to->width;
        memcpy(row, fresh + i * to->width, to->width * sizeof *row);
        entry->value = row;
        entry->size = to->width * sizeof *row;
    }
    itemi_free(mem, items);
    itemi_free(mem, fresh);
    return status == ITEM_OK ? itemi_recall_keep(r, err) : status;
}

static item_status recall(itemi_batch *batch, itemi_stage *stage, const question *q, float *out,
                          item_error *err)
{
    if (!batch->ctx->cache)
        return q->ask(stage, &batch->call, q->items, q->n, out, err);
    itemi_recall r;
    rows to = {out, itemi_stage_width(stage)};
    item_status status = itemi_recall_begin(&r, batch, q->n, err);
    for (size_t i = 0; i < q->n && status == ITEM_OK; i++) {
        if (!q->key(batch, (const char *)q->items + i * q->size, r.entries[i].key))
            status = itemi_fail_memory(err, "embedding");
    }
    if (status == ITEM_OK)
        status = itemi_recall_look_up(&r, take, &to, err);
    if (status == ITEM_OK && r.count)
        status = ask_missing(&r, stage, q, &to, err);
    itemi_recall_end(&r);
    return status;
}

static item_status ask_images(itemi_stage *stage, const itemi_call *call, const void *items,
                              size_t n, float *out, item_error *err)
{
    return itemi_stage_embed_images(stage, call, items, n, out, err);
}

static bool key_of_crop(const itemi_batch *batch, const void *item, uint8_t out[ITEMI_CACHE_KEY])
{
    const item_crop *crop = item;
    itemi_sha256 *sha = itemi_recall_key(batch, ITEMI_EMBEDDER, "vector of a crop");
    itemi_sha256_add(sha, itemi_recall_pixels(batch, crop->image), ITEMI_SHA256_BYTES);
    itemi_sha256_add(sha, crop->box, sizeof crop->box);
    return itemi_sha256_bytes(sha, out);
}

item_status itemi_recall_keep_vectors(itemi_batch *batch, const item_crop *crops,
                                      const float *vectors, size_t stride, size_t n,
                                      item_error *err)
{
    itemi_recall r;
    item_status status = itemi_recall_begin(&r, batch, n, err);
    for (size_t i = 0; i < n && status == ITEM_OK; i++) {
        r.missing[r.count++] = i;
        r.entries[i].value = vectors + i * stride;
        r.entries[i].size = batch->width * sizeof *vectors;
        if (!key_of_crop(batch, &crops[i], r.entries[i].key))
            status = itemi_fail_memory(err, "embedding");
    }
    if (status == ITEM_OK)
        status = itemi_recall_keep(&r, err);
    itemi_recall_end(&r);
    return status;
}

item_status itemi_recall_image_vectors(itemi_batch *batch, itemi_stage *stage,
                                       const item_crop *crops, size_t n, float *out,
                                       item_error *err)
{
    const question q = {crops, sizeof *crops, n, ask_images, key_of_crop};
    return recall(batch, stage, &q, out, err);
}

static item_status ask_texts(itemi_stage *stage, const itemi_call *call, const void *items,
                             size_t n, float *out, item_error *err)
{
    return itemi_stage_embed_texts(stage, call, items, n, out, err);
}

static bool key_of_text(const itemi_batch *batch, const void *item, uint8_t out[ITEMI_CACHE_KEY])
{
    const char *const *text = item;
    itemi_sha256 *sha = itemi_recall_key(batch, ITEMI_EMBEDDER, "vector of a text");
    itemi_sha256_text(sha, *text);
    return itemi_sha256_bytes(sha, out);
}

item_status itemi_recall_text_vectors(itemi_batch *batch, itemi_stage *stage,
                                      const char *const *texts, size_t n, float *out,
                                      item_error *err)
{
    const question q = {texts, sizeof *texts, n, ask_texts, key_of_text};
    return recall(batch, stage, &q, out, err);
}
