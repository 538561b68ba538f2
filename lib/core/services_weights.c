/* SPDX-License-Identifier: Apache-2.0 */
/* Services for weights: files of a context, opened once however often they are asked for. */
#include <string.h>

#include "core/services.h"

/* An open weights file. One for each file of a context, however often it is asked for. */
struct item_weights {
    struct item_weights *next;
    item_ctx *ctx;
    size_t opened; /* guarded by ctx->weights_lock, as the list is */
    const itemi_pack_file *file;
    itemi_safetensors *tensors;
};

/* With the lock held. */
static item_status open_weights(item_ctx *ctx, const itemi_pack_file *file, item_weights **out,
                                item_error *err)
{
    for (item_weights *w = ctx->weights; w; w = w->next) {
        if (strcmp(w->file->path, file->path) == 0) {
            w->opened++;
            *out = w;
            return ITEM_OK;
        }
    }
    item_weights *w = itemi_alloc_zero(&ctx->mem, 1, sizeof *w);
    if (!w)
        return itemi_fail_memory(err, "opening weights");
    item_status status = itemi_safetensors_open(&ctx->mem, file->path, ctx->settings.map_files != 0,
                                                &w->tensors, err);
    if (status == ITEM_OK)
        status = itemi_pack_file_same(file, itemi_safetensors_file(w->tensors), err);
    if (status != ITEM_OK) {
        itemi_safetensors_close(w->tensors);
        itemi_free(&ctx->mem, w);
        return status;
    }
    w->ctx = ctx;
    w->opened = 1;
    w->file = file;
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
    status = open_weights(h->ctx, file, out, err);
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
        itemi_safetensors_close(weights->tensors);
        itemi_free(&ctx->mem, weights);
    }
}

static const char *weights_key(item_weights *weights)
{
    return weights->file->content;
}

static item_status find_tensor(const item_weights *weights, const char *name,
                               const itemi_tensor **out, item_error *err)
{
    *out = itemi_safetensors_find(weights->tensors, name);
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
    return itemi_safetensors_meta(weights->tensors, key);
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

void itemi_host_weights(item_services *services)
{
    services->weights_open = host_weights_open;
    services->weights_key = weights_key;
    services->weights_tensor = weights_tensor;
    services->weights_meta = weights_meta;
    services->weights_f32 = weights_f32;
    services->weights_close = weights_close;
}
