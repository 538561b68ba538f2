/* SPDX-License-Identifier: Apache-2.0 */
/* Inner layers and likelihoods by way of the cache: the numbers as they are. */
#include <math.h>
#include <string.h>

#include "core/recall_private.h"

static bool all_finite(const float *row, size_t n)
{
    float sum = 0; /* of zeros, unless one of them is none */
    for (size_t i = 0; i < n; i++)
        sum += row[i] * 0.0f;
    return sum == 0.0f;
}

/* ---- layers: the numbers of a vector, then those of the layers ---- */

typedef struct rows {
    float *out, *layers;
    size_t width, count;
} rows;

static bool take_layers(void *user, size_t i, const void *value, size_t size)
{
    const rows *r = user;
    if (size != (r->width + r->count) * sizeof *r->out)
        return false;
    float *row = r->out + i * r->width, *layers = r->layers + i * r->count;
    memcpy(row, value, r->width * sizeof *row);
    memcpy(layers, (const char *)value + r->width * sizeof *row, r->count * sizeof *layers);
    return itemi_is_unit(row, r->width) && all_finite(layers, r->count);
}

static bool key_of_whole(const itemi_batch *batch, const item_crop *whole,
                         uint8_t out[ITEMI_CACHE_KEY])
{
    itemi_sha256 *sha = itemi_recall_key(batch, ITEMI_EMBEDDER, "inner layers");
    itemi_sha256_add(sha, itemi_recall_pixels(batch, whole->image), ITEMI_SHA256_BYTES);
    return itemi_sha256_bytes(sha, out);
}

/* Values of the missing ones, made one after another in `bytes`. */
static item_status keep_layers(itemi_recall *r, const rows *to, float *bytes, item_error *err)
{
    const size_t numbers = to->width + to->count;
    for (size_t i = 0; i < r->count; i++) {
        float *value = bytes + i * numbers;
        itemi_cache_entry *entry = &r->entries[r->missing[i]];
        memcpy(value, to->out + r->missing[i] * to->width, to->width * sizeof *value);
        memcpy(value + to->width, to->layers + r->missing[i] * to->count,
               to->count * sizeof *value);
        entry->value = value;
        entry->size = numbers * sizeof *value;
    }
    return itemi_recall_keep(r, err);
}

static item_status ask_layers(itemi_recall *r, itemi_stage *stage, const item_crop *wholes,
                              const rows *to, item_error *err)
{
    const itemi_mem *mem = r->batch->call.mem;
    const size_t numbers = to->width + to->count;
    item_crop *asked = itemi_alloc_array(mem, r->count, sizeof *asked);
    float *fresh = itemi_alloc_array(mem, r->count, numbers * sizeof *fresh);
    item_status status = asked && fresh ? ITEM_OK : itemi_fail_memory(err, "embedding");
    float *vectors = fresh, *layers = fresh ? fresh + r->count * to->width : NULL;
    for (size_t i = 0; i < r->count && status == ITEM_OK; i++)
        asked[i] = wholes[r->missing[i]];
    if (status == ITEM_OK)
        status =
            itemi_stage_embed_layers(stage, &r->batch->call, asked, r->count, vectors, layers, err);
    for (size_t i = 0; i < r->count && status == ITEM_OK; i++) {
        memcpy(to->out + r->missing[i] * to->width, vectors + i * to->width,
               to->width * sizeof *vectors);
        memcpy(to->layers + r->missing[i] * to->count, layers + i * to->count,
               to->count * sizeof *layers);
    }
    if (status == ITEM_OK) /* `fresh` is written anew, in another order */
        status = keep_layers(r, to, fresh, err);
    if (status == ITEM_OK)
        status =
            itemi_recall_keep_vectors(r->batch, asked, fresh, to->width + to->count, r->count, err);
    itemi_free(mem, asked);
    itemi_free(mem, fresh);
    return status;
}

item_status itemi_recall_layers(itemi_batch *batch, itemi_stage *stage, const item_crop *wholes,
                                size_t n, float *out, float *layers, item_error *err)
{
    if (!batch->ctx->cache)
        return itemi_stage_embed_layers(stage, &batch->call, wholes, n, out, layers, err);
    itemi_recall r;
    rows to = {out, layers, itemi_stage_width(stage), itemi_stage_layers_width(stage)};
    item_status status = itemi_recall_begin(&r, batch, n, err);
    for (size_t i = 0; i < n && status == ITEM_OK; i++) {
        if (!key_of_whole(batch, &wholes[i], r.entries[i].key))
            status = itemi_fail_memory(err, "embedding");
    }
    if (status == ITEM_OK)
        status = itemi_recall_look_up(&r, take_layers, &to, err);
    if (status == ITEM_OK && r.count)
        status = ask_layers(&r, stage, wholes, &to, err);
    itemi_recall_end(&r);
    return status;
}

/* ---- priors: one number; that of a text that is too long for the captioner is NaN ---- */

static bool take_prior(void *user, size_t i, const void *value, size_t size)
{
    double *out = user;
    if (size != sizeof *out)
        return false;
    memcpy(&out[i], value, size);
    return isnan(out[i]) || (isfinite(out[i]) && out[i] <= 0);
}

static bool key_of_prior(const itemi_batch *batch, const char *text, uint8_t out[ITEMI_CACHE_KEY])
{
    itemi_sha256 *sha = itemi_recall_key(batch, ITEMI_CAPTIONER, "likelihood without a picture");
    itemi_sha256_text(sha, batch->ctx->prompt ? batch->ctx->prompt : "");
    itemi_sha256_text(sha, text);
    return itemi_sha256_bytes(sha, out);
}

static item_status score(itemi_batch *batch, itemi_stage *stage, const item_image *const *none,
                         const char *const *texts, size_t n, double *out, item_error *err)
{
    item_error why = ITEM_ERROR_INIT;
    item_status status =
        itemi_stage_score(stage, &batch->call, none, texts, n, batch->ctx->prompt, out, &why);
    if (status == ITEM_OK)
        return ITEM_OK;
    if (status != ITEM_E_LIMIT)
        return itemi_fail_as(err, &why);
    if (n == 1) {
        out[0] = NAN;
        return ITEM_OK;
    }
    status = ITEM_OK;
    for (size_t i = 0; i < n && status == ITEM_OK; i++) /* one of them is too long */
        status = score(batch, stage, none, &texts[i], 1, &out[i], err);
    return status;
}

static item_status ask_priors(itemi_recall *r, itemi_stage *stage, const char *const *texts,
                              double *out, item_error *err)
{
    const itemi_mem *mem = r->batch->call.mem;
    const item_image **none = itemi_alloc_zero(mem, r->count, sizeof(item_image *));
    const char **asked = itemi_alloc_array(mem, r->count, sizeof(char *));
    double *fresh = itemi_alloc_array(mem, r->count, sizeof *fresh);
    item_status status =
        none && asked && fresh ? ITEM_OK : itemi_fail_memory(err, "scoring captions");
    for (size_t i = 0; i < r->count && status == ITEM_OK; i++)
        asked[i] = texts[r->missing[i]];
    if (status == ITEM_OK)
        status = score(r->batch, stage, none, asked, r->count, fresh, err);
    for (size_t i = 0; i < r->count && status == ITEM_OK; i++) {
        itemi_cache_entry *entry = &r->entries[r->missing[i]];
        out[r->missing[i]] = fresh[i];
        entry->value = &fresh[i];
        entry->size = sizeof fresh[i];
    }
    if (status == ITEM_OK && r->batch->ctx->cache)
        status = itemi_recall_keep(r, err);
    itemi_free(mem, none);
    itemi_free(mem, asked);
    itemi_free(mem, fresh);
    return status;
}

item_status itemi_recall_priors(itemi_batch *batch, itemi_stage *stage, const char *const *texts,
                                size_t n, double *out, item_error *err)
{
    itemi_recall r;
    item_status status = itemi_recall_begin(&r, batch, n, err);
    for (size_t i = 0; i < n && status == ITEM_OK; i++) {
        if (!key_of_prior(batch, texts[i], r.entries[i].key))
            status = itemi_fail_memory(err, "scoring captions");
    }
    if (status == ITEM_OK && batch->ctx->cache) {
        status = itemi_recall_look_up(&r, take_prior, out, err);
    } else if (status == ITEM_OK) {
        for (size_t i = 0; i < n; i++)
            r.missing[r.count++] = i;
    }
    if (status == ITEM_OK && r.count)
        status = ask_priors(&r, stage, texts, out, err);
    itemi_recall_end(&r);
    return status;
}
