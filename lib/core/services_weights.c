/* SPDX-License-Identifier: Apache-2.0 */
/* Services for weights: files of a context, opened once however often they are asked for. */
#include <string.h>

#include "core/services.h"

/* Open weights. One for each file of a context, however often it is asked for. */
struct item_weights {
    struct item_weights *next;
    item_ctx *ctx;
    size_t opened; /* guarded by ctx->weights_lock, as the list is */
    const itemi_pack_stage *entry;
    const itemi_pack_file *file;
    itemi_weights *tensors;
    char key[96];
};

static const char *shard_path(void *user, const char *shard)
{
    const itemi_pack_file *file = itemi_pack_role(user, shard);
    return file ? file->path : NULL;
}

/* The pack's entry of the i-th file of weights; a shard's role is its name. NULL beyond the last. */
static const itemi_pack_file *file_of(const item_weights *w, size_t i, const itemi_file **opened)
{
    const char *shard;
    *opened = itemi_weights_file(w->tensors, i, &shard);
    if (!*opened)
        return NULL;
    return shard ? itemi_pack_role(w->entry, shard) : w->file;
}

static bool in_shards(const item_weights *w)
{
    const itemi_file *opened;
    return file_of(w, 1, &opened) != NULL;
}

/* An index may stay the same when its shards do not. */
static item_status name_content(item_weights *w, item_error *err)
{
    if (!in_shards(w)) {
        itemi_format(w->key, sizeof w->key, "%s", w->file->content);
        return ITEM_OK;
    }
    itemi_sha256 *sha = itemi_sha256_new();
    const itemi_file *opened;
    const itemi_pack_file *file;
    for (size_t i = 0; (file = file_of(w, i, &opened)); i++)
        itemi_sha256_text(sha, file->content);
    char hex[ITEMI_SHA256_HEX];
    if (!itemi_sha256_end(sha, hex))
        return itemi_fail_memory(err, "opening weights");
    itemi_format(w->key, sizeof w->key, "shards:%s", hex);
    return ITEM_OK;
}

/* The memory is malloc's, not the host's: networks that contexts share may keep the bytes. */
static item_status open_files(item_weights *w, item_error *err)
{
    const itemi_shards shards = {.path = shard_path, .user = (void *)(uintptr_t)w->entry};
    item_status status = itemi_weights_open(NULL, w->file->path, w->ctx->settings.map_files != 0,
                                            &shards, &w->tensors, err);
    const itemi_file *opened;
    const itemi_pack_file *file;
    for (size_t i = 0; status == ITEM_OK && (file = file_of(w, i, &opened)); i++)
        status = itemi_pack_file_same(file, opened, err);
    return status == ITEM_OK ? name_content(w, err) : status;
}

/* With the lock held. Two stages may have other shards beside the same index. */
static item_weights *find_open(item_ctx *ctx, const itemi_pack_stage *entry,
                               const itemi_pack_file *file)
{
    item_weights *w = ctx->weights;
    while (w && (strcmp(w->file->path, file->path) != 0 || (w->entry != entry && in_shards(w))))
        w = w->next;
    return w;
}

/* With the lock held. */
static item_status open_weights(item_ctx *ctx, const itemi_pack_stage *entry,
                                const itemi_pack_file *file, item_weights **out, item_error *err)
{
    *out = find_open(ctx, entry, file);
    if (*out) {
        (*out)->opened++;
        return ITEM_OK;
    }
    item_weights *w = itemi_alloc_zero(&ctx->mem, 1, sizeof *w);
    if (!w)
        return itemi_fail_memory(err, "opening weights");
    w->ctx = ctx;
    w->opened = 1;
    w->entry = entry;
    w->file = file;
    item_status status = open_files(w, err);
    if (status != ITEM_OK) {
        itemi_weights_close(w->tensors);
        itemi_free(&ctx->mem, w);
        return status;
    }
    w->next = ctx->weights;
    ctx->weights = w;
    *out = w;
    return ITEM_OK;
}

static item_status host_weights_open(void *user, const char *role, item_weights **out,
                                     item_error *err)
{
    const itemi_host *h = user;
    const itemi_pack_file *file;
    *out = NULL;
    item_status status = itemi_host_role(h, role, &file, err);
    if (status != ITEM_OK)
        return status;
    pthread_mutex_lock(&h->ctx->weights_lock);
    status = open_weights(h->ctx, h->entry, file, out, err);
    pthread_mutex_unlock(&h->ctx->weights_lock);
    return status;
}

static void weights_close(item_weights *weights)
{
    if (!weights)
        return;
    item_ctx *ctx = weights->ctx;
    pthread_mutex_lock(&ctx->weights_lock);
    bool last = --weights->opened == 0;
    if (last) {
        item_weights **at = &ctx->weights;
        while (*at != weights)
            at = &(*at)->next;
        *at = weights->next;
    }
    pthread_mutex_unlock(&ctx->weights_lock);
    if (last) {
        itemi_weights_close(weights->tensors);
        itemi_free(&ctx->mem, weights);
    }
}

static const char *weights_key(item_weights *weights)
{
    return weights->key;
}

static item_status find_tensor(const item_weights *weights, const char *name,
                               const itemi_tensor **out, item_error *err)
{
    *out = itemi_weights_find(weights->tensors, name);
    if (*out)
        return ITEM_OK;
    return itemi_fail(err, ITEM_E_PACK, "%s: has no tensor \"%.80s\"", weights->file->path, name);
}

static item_status weights_tensor(item_weights *weights, const char *name, item_tensor_view *out,
                                  item_error *err)
{
    const itemi_tensor *tensor;
    item_status status = find_tensor(weights, name, &tensor, err);
    if (status != ITEM_OK)
        return status;
    item_tensor_view view = {.struct_size = sizeof view,
                             .dtype = (int32_t)tensor->dtype,
                             .dims = tensor->dims,
                             .data = tensor->data,
                             .bytes = tensor->bytes};
    memcpy(view.shape, tensor->shape, sizeof view.shape);
    return itemi_struct_out(out, ITEMI_SIZE_TO(item_tensor_view, bytes), &view, sizeof view,
                            "item_tensor_view", err);
}

static const char *weights_meta(item_weights *weights, const char *key)
{
    return itemi_weights_meta(weights->tensors, key);
}

static item_status weights_f32(item_weights *weights, const char *name, float *out, size_t count,
                               item_error *err)
{
    const itemi_tensor *tensor;
    item_status status = find_tensor(weights, name, &tensor, err);
    if (status != ITEM_OK)
        return status;
    size_t there = tensor->bytes / itemi_dtype_size(tensor->dtype);
    if (there != count)
        return itemi_fail(err, ITEM_E_PACK, "%s: tensor \"%.80s\" has %zu numbers, not %zu",
                          weights->file->path, name, there, count);
    itemi_to_f32(tensor, out);
    return ITEM_OK;
}

static void *weights_hold(item_weights *weights)
{
    return itemi_weights_ref(weights->tensors);
}

static void weights_drop(void *hold)
{
    itemi_weights_close(hold);
}

static void weights_done(item_weights *weights, const char *name)
{
    const itemi_tensor *tensor = itemi_weights_find(weights->tensors, name);
    if (tensor)
        itemi_weights_done(weights->tensors, tensor);
}

static const char *weights_name(item_weights *weights, size_t i)
{
    const itemi_tensor *tensor = itemi_weights_at(weights->tensors, i);
    return tensor ? tensor->name : NULL;
}

void itemi_host_weights(item_services *services)
{
    services->weights_open = host_weights_open;
    services->weights_key = weights_key;
    services->weights_tensor = weights_tensor;
    services->weights_meta = weights_meta;
    services->weights_f32 = weights_f32;
    services->weights_close = weights_close;
    services->weights_hold = weights_hold;
    services->weights_drop = weights_drop;
    services->weights_done = weights_done;
    services->weights_name = weights_name;
}
