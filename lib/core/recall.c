/* SPDX-License-Identifier: Apache-2.0 */
/* What of a call's answers is in the cache, and keeping the others. */
#include "core/recall_private.h"

#include <string.h>

/* ---- keys ---- */

item_status itemi_pixels_hash(const item_image *image, uint8_t out[ITEMI_SHA256_BYTES],
                              item_error *err)
{
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    item_status status = item_image_get_info(image, &info, err);
    if (status != ITEM_OK)
        return status;
    uint8_t size[8];
    for (size_t i = 0; i < 4; i++) {
        size[i] = (uint8_t)(info.width >> 8 * i);
        size[4 + i] = (uint8_t)(info.height >> 8 * i);
    }
    itemi_sha256 *sha = itemi_sha256_new();
    itemi_sha256_add(sha, size, sizeof size);
    itemi_sha256_add(sha, item_image_pixels(image), (size_t)info.width * info.height * 3);
    return itemi_sha256_bytes(sha, out) ? ITEM_OK : itemi_fail_memory(err, "hashing a picture");
}

/* A picture, or its mirror image; one in several works has the same pixels in each. */
const uint8_t *itemi_recall_pixels(const itemi_batch *batch, const item_image *image)
{
    for (size_t i = 0; i < batch->n; i++) {
        const itemi_work *work = &batch->works[i];
        if (work->image == image || work->mirror == image)
            return work->image == image ? work->pixels : work->mirror_pixels;
    }
    return NULL;
}

itemi_sha256 *itemi_recall_key(const itemi_batch *batch, itemi_stage_kind kind, const char *what)
{
    const item_ctx *ctx = batch->ctx;
    const itemi_slot *slot = &ctx->slot[kind];
    const char *const parts[] = {"answer of a stage, 1", what,
                                 item_version(),         itemi_processor_class(),
                                 ctx->settings.device,   slot->engine_id,
                                 slot->precision,        slot->identity};
    itemi_sha256 *sha = itemi_sha256_new();
    for (size_t i = 0; i < ITEMI_COUNT(parts); i++)
        itemi_sha256_text(sha, parts[i]);
    return sha;
}

/* ---- looking up and keeping ---- */

item_status itemi_recall_begin(itemi_recall *r, itemi_batch *batch, size_t n, item_error *err)
{
    const itemi_mem *mem = batch->call.mem;
    *r = (itemi_recall){.batch = batch, .n = n};
    r->entries = itemi_alloc_zero(mem, n, sizeof *r->entries);
    r->missing = itemi_alloc_array(mem, n, sizeof *r->missing);
    r->twin = itemi_alloc_array(mem, n, sizeof *r->twin);
    for (size_t i = 0; r->twin && i < n; i++)
        r->twin[i] = i;
    return r->entries && r->missing && r->twin ? ITEM_OK : itemi_fail_memory(err, "using a cache");
}

void itemi_recall_end(itemi_recall *r)
{
    itemi_free(r->batch->call.mem, r->entries);
    itemi_free(r->batch->call.mem, r->missing);
    itemi_free(r->batch->call.mem, r->twin);
}

/* What is none of the pictures' faults ends the call: memory may be there for one alone. */
static item_status told(itemi_batch *batch, item_status status)
{
    batch->broken |= status != ITEM_OK && status != ITEM_E_MEMORY && status != ITEM_E_CANCELLED;
    return status;
}

/*
 * Asks for a question once: the same text in two places of one call may get other last digits, of
 * which the cache would keep one.
 */
static void ask_for(itemi_recall *r, size_t i)
{
    for (size_t j = 0; j < r->count; j++) {
        if (memcmp(r->entries[r->missing[j]].key, r->entries[i].key, ITEMI_CACHE_KEY) == 0) {
            r->twin[i] = r->missing[j];
            return;
        }
    }
    r->missing[r->count++] = i;
}

static item_status look_up_all(itemi_recall *r, item_error *err)
{
    item_ctx *ctx = r->batch->ctx;
    item_status status = ITEM_OK;
    for (size_t i = 0; i < r->n && status == ITEM_OK; i++) {
        void *value = NULL;
        size_t size = 0;
        status =
            itemi_cache_get(ctx->cache, r->entries[i].key, r->batch->cancel, &value, &size, err);
        if (status == ITEM_OK && !(value && r->take(r->user, i, value, size)))
            ask_for(r, i);
        itemi_free(&ctx->mem, value);
    }
    return status;
}

item_status itemi_recall_look_up(itemi_recall *r, itemi_recall_take take, void *user,
                                 item_error *err)
{
    item_ctx *ctx = r->batch->ctx;
    item_status status = itemi_lock(&ctx->cache_lock, r->batch->cancel, err);
    if (status != ITEM_OK)
        return status;
    r->take = take;
    r->user = user;
    status = look_up_all(r, err);
    pthread_mutex_unlock(&ctx->cache_lock);
    return told(r->batch, status);
}

static bool answer_twins(const itemi_recall *r)
{
    for (size_t i = 0; i < r->n; i++) {
        const itemi_cache_entry *twin = &r->entries[r->twin[i]];
        if (r->twin[i] != i && !r->take(r->user, i, twin->value, twin->size))
            return false;
    }
    return true;
}

item_status itemi_recall_keep(itemi_recall *r, item_error *err)
{
    itemi_batch *batch = r->batch;
    if (!answer_twins(r))
        return itemi_fail_memory(err, "using a cache");
    if (batch->lines.count || batch->lines.lost)
        return ITEM_OK;
    /* those that were asked for move to the front */
    for (size_t i = 0; i < r->count; i++)
        r->entries[i] = r->entries[r->missing[i]];
    item_status status = itemi_lock(&batch->ctx->cache_lock, batch->cancel, err);
    if (status != ITEM_OK)
        return status;
    status = itemi_cache_put(batch->ctx->cache, r->entries, r->count, batch->cancel, err);
    pthread_mutex_unlock(&batch->ctx->cache_lock);
    return told(batch, status);
}
