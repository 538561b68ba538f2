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

/* A picture may stand in several works; its pixels are the same ones. */
const uint8_t *itemi_recall_pixels(const itemi_batch *batch, const item_image *image)
{
    for (size_t i = 0; i < batch->n; i++) {
        if (batch->works[i].image == image)
            return batch->works[i].pixels;
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
    return r->entries && r->missing ? ITEM_OK : itemi_fail_memory(err, "using a cache");
}

void itemi_recall_end(itemi_recall *r)
{
    itemi_free(r->batch->call.mem, r->entries);
    itemi_free(r->batch->call.mem, r->missing);
}

/* What is none of the pictures' faults ends the call: memory may be there for one alone. */
static item_status told(itemi_batch *batch, item_status status)
{
    batch->broken |= status != ITEM_OK && status != ITEM_E_MEMORY && status != ITEM_E_CANCELLED;
    return status;
}

static item_status look_up_all(itemi_recall *r, itemi_recall_take take, void *user, item_error *err)
{
    item_ctx *ctx = r->batch->ctx;
    item_status status = ITEM_OK;
    for (size_t i = 0; i < r->n && status == ITEM_OK; i++) {
        void *value = NULL;
        size_t size = 0;
        status =
            itemi_cache_get(ctx->cache, r->entries[i].key, r->batch->cancel, &value, &size, err);
        if (status == ITEM_OK && !(value && take(user, i, value, size)))
            r->missing[r->count++] = i;
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
    status = look_up_all(r, take, user, err);
    pthread_mutex_unlock(&ctx->cache_lock);
    return told(r->batch, status);
}

item_status itemi_recall_keep(itemi_recall *r, item_error *err)
{
    itemi_batch *batch = r->batch;
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
