/* SPDX-License-Identifier: Apache-2.0 */
/* The table of services that an engine gets for each stage of a pack that it opens. */
#include <math.h>
#include <string.h>

#include "core/core.h"

/* An open weights file. One for each file of a context, however often it is asked for. */
struct item_weights {
    struct item_weights *next;
    item_ctx *ctx;
    size_t opened; /* guarded by ctx->weights_lock, as the list is */
    const itemi_pack_file *file;
    itemi_safetensors *tensors;
};

struct item_tokens {
    const itemi_mem *mem;
    itemi_wordpiece *wordpiece;
};

/* A file whose bytes a stage has asked for; kept until the stage is closed. */
typedef struct bytes {
    struct bytes *next;
    const char *role;
    itemi_file file;
} bytes;

/* The host of one opened stage. */
typedef struct host {
    item_ctx *ctx; /* outlives the stage, which it owns */
    itemi_stage_kind kind;
    const itemi_pack_stage *entry;
    pthread_mutex_t lock; /* of `bytes` */
    bytes *bytes;
    const item_cancel *cancel; /* of the call that opens the stage */
    item_services services;
} host;

/* ---- memory, log, settings ---- */

static void *host_allocate(void *user, size_t size)
{
    const host *h = user;
    return itemi_alloc(&h->ctx->mem, size);
}

static void host_release(void *user, void *block)
{
    const host *h = user;
    itemi_free(&h->ctx->mem, block);
}

static void host_log(void *user, int32_t level, const char *text)
{
    const host *h = user;
    itemi_logf(&h->ctx->log, level, "%s: %s", itemi_stage_word(h->kind), text ? text : "");
}

static const char *host_config_text(void *user, const char *key)
{
    const host *h = user;
    return json_string_value(json_object_get(h->entry->config, key));
}

static double host_config_number(void *user, const char *key)
{
    const host *h = user;
    const json_t *value = json_object_get(h->entry->config, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static const char *host_setting(void *user, const char *key)
{
    const host *h = user;
    if (strcmp(key, "precision") == 0)
        return h->ctx->settings.precision;
    return strcmp(key, "device") == 0 ? h->ctx->settings.device : NULL;
}

static int32_t host_cancelled(void *user)
{
    const host *h = user;
    return itemi_cancelled(h->cancel);
}

/* ---- weights ---- */

static item_status find_role(const host *h, const char *role, const itemi_pack_file **out,
                             item_error *err)
{
    *out = role ? itemi_pack_role(h->entry, role) : NULL;
    if (*out)
        return ITEM_OK;
    return itemi_fail(err, ITEM_E_PACK, "%s: the %s has no file \"%.48s\"", h->ctx->pack->path,
                      itemi_stage_word(h->kind), role ? role : "");
}

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
    const host *h = user;
    const itemi_pack_file *file;
    *out = NULL;
    item_status status = find_role(h, role, &file, err);
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

/* ---- other files ---- */

/* With the lock held. */
static item_status load_bytes(host *h, const itemi_pack_file *file, const bytes **out,
                              item_error *err)
{
    for (const bytes *b = h->bytes; b; b = b->next) {
        if (strcmp(b->role, file->role) == 0) {
            *out = b;
            return ITEM_OK;
        }
    }
    bytes *b = itemi_alloc_zero(&h->ctx->mem, 1, sizeof *b);
    if (!b)
        return itemi_fail_memory(err, "reading a file of a pack");
    item_status status = itemi_file_open(&h->ctx->mem, file->path, 0,
                                         h->ctx->settings.map_files != 0, &b->file, err);
    if (status == ITEM_OK)
        status = itemi_pack_file_same(file, &b->file, err);
    if (status != ITEM_OK) {
        itemi_file_close(&b->file);
        itemi_free(&h->ctx->mem, b);
        return status;
    }
    b->role = file->role;
    b->next = h->bytes;
    h->bytes = b;
    *out = b;
    return ITEM_OK;
}

static item_status host_file_bytes(void *user, const char *role, const char **data, size_t *size,
                                   item_error *err)
{
    host *h = user;
    const itemi_pack_file *file;
    item_status status = find_role(h, role, &file, err);
    if (status != ITEM_OK)
        return status;
    const bytes *found = NULL;
    pthread_mutex_lock(&h->lock);
    status = load_bytes(h, file, &found, err);
    pthread_mutex_unlock(&h->lock);
    if (status != ITEM_OK)
        return status;
    *data = (const char *)found->file.data;
    *size = found->file.size;
    return ITEM_OK;
}

/* ---- tokenizers ---- */

item_status itemi_tokens_load(const itemi_mem *mem, const itemi_pack_stage *stage, const char *role,
                              itemi_wordpiece **out, item_error *err)
{
    *out = NULL;
    const itemi_pack_file *entry = itemi_pack_role(stage, role);
    if (!entry)
        return itemi_fail(err, ITEM_E_PACK, "the pack has no tokenizer file \"%.48s\"", role);
    itemi_file file;
    item_status status =
        itemi_file_open(mem, entry->path, ITEMI_VOCABULARY_BYTES, false, &file, err);
    if (status != ITEM_OK)
        return status;
    status = itemi_pack_file_same(entry, &file, err);
    if (status == ITEM_OK) {
        status = itemi_wordpiece_open(mem, (const char *)file.data, file.size, out, err);
        if (status != ITEM_OK)
            itemi_error_prefix(err, entry->path);
    }
    itemi_file_close(&file);
    return status;
}

static item_status host_tokens_open(void *user, const char *role, item_tokens **out,
                                    item_error *err)
{
    const host *h = user;
    *out = NULL;
    item_tokens *tokens = itemi_alloc_zero(&h->ctx->mem, 1, sizeof *tokens);
    if (!tokens)
        return itemi_fail_memory(err, "opening a tokenizer");
    tokens->mem = &h->ctx->mem;
    item_status status =
        itemi_tokens_load(tokens->mem, h->entry, role ? role : "", &tokens->wordpiece, err);
    if (status != ITEM_OK)
        itemi_free(tokens->mem, tokens);
    else
        *out = tokens;
    return status;
}

static item_status tokens_encode(item_tokens *tokens, const char *text, size_t limit, int32_t *ids,
                                 size_t capacity, size_t *count, item_error *err)
{
    return itemi_wordpiece_encode(tokens->wordpiece, text, limit, ids, capacity, count, err);
}

static void tokens_close(item_tokens *tokens)
{
    if (!tokens)
        return;
    itemi_wordpiece_free(tokens->wordpiece);
    itemi_free(tokens->mem, tokens);
}

/* ---- pictures ---- */

static void image_size(const item_image *image, uint32_t *width, uint32_t *height)
{
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    (void)item_image_get_info(image, &info, NULL);
    *width = info.width;
    *height = info.height;
}

static item_status host_resize(void *user, const item_image *image, const double box[4],
                               int32_t filter, uint32_t width, uint32_t height, uint8_t *out,
                               item_error *err)
{
    const host *h = user;
    if (filter < ITEM_FILTER_BILINEAR || filter > ITEM_FILTER_LANCZOS)
        return itemi_fail(err, ITEM_E_ARGUMENT, "no resize filter %d", (int)filter);
    uint32_t from_width, from_height;
    image_size(image, &from_width, &from_height);
    return itemi_resize_rgb(&h->ctx->mem, item_image_pixels(image), from_width, from_height, box,
                            out, width, height, (itemi_filter)filter, err);
}

_Static_assert(ITEM_FILTER_BILINEAR == ITEMI_FILTER_BILINEAR, "same numbers inside and outside");
_Static_assert(ITEM_FILTER_BICUBIC == ITEMI_FILTER_BICUBIC, "same numbers inside and outside");
_Static_assert(ITEM_FILTER_LANCZOS == ITEMI_FILTER_LANCZOS, "same numbers inside and outside");
_Static_assert(ITEM_DTYPE_F64 == ITEMI_F64 && ITEM_DTYPE_BOOL == ITEMI_BOOL, "same numbers");

/* ---- opening and closing ---- */

static void free_host(void *user)
{
    host *h = user;
    const itemi_mem *mem = &h->ctx->mem;
    while (h->bytes) {
        bytes *next = h->bytes->next;
        itemi_file_close(&h->bytes->file);
        itemi_free(mem, h->bytes);
        h->bytes = next;
    }
    pthread_mutex_destroy(&h->lock);
    itemi_free(mem, h);
}

static host *make_host(item_ctx *ctx, itemi_stage_kind kind, const item_cancel *cancel)
{
    host *h = itemi_alloc_zero(&ctx->mem, 1, sizeof *h);
    if (!h)
        return NULL;
    h->ctx = ctx;
    h->kind = kind;
    h->entry = &ctx->pack->stage[kind];
    h->cancel = cancel;
    pthread_mutex_init(&h->lock, NULL);
    h->services = (item_services){
        .struct_size = sizeof h->services,
        .version = ITEM_SERVICES_VERSION,
        .host = h,
        .allocate = host_allocate,
        .release = host_release,
        .log = host_log,
        .config_text = host_config_text,
        .config_number = host_config_number,
        .setting = host_setting,
        .weights_open = host_weights_open,
        .weights_key = weights_key,
        .weights_tensor = weights_tensor,
        .weights_meta = weights_meta,
        .weights_f32 = weights_f32,
        .weights_close = weights_close,
        .file_bytes = host_file_bytes,
        .tokens_open = host_tokens_open,
        .tokens_encode = tokens_encode,
        .tokens_close = tokens_close,
        .resize = host_resize,
        .image_size = image_size,
        .cancelled = host_cancelled,
    };
    return h;
}

/* A table of each kind, for an engine to fill. */
typedef union any_ops {
    item_captioner_ops captioner;
    item_detector_ops detector;
    item_embedder_ops embedder;
} any_ops;

static item_status ask_engine(const item_engine_ops *engine, const host *h, any_ops *ops,
                              void **self, item_error *err)
{
    const char *family = h->entry->family;
    switch (h->kind) {
    case ITEMI_CAPTIONER:
        ops->captioner.struct_size = sizeof ops->captioner;
        return engine->open_captioner(&h->services, family, &ops->captioner, self, err);
    case ITEMI_DETECTOR:
        ops->detector.struct_size = sizeof ops->detector;
        return engine->open_detector(&h->services, family, &ops->detector, self, err);
    default:
        ops->embedder.struct_size = sizeof ops->embedder;
        return engine->open_embedder(&h->services, family, &ops->embedder, self, err);
    }
}

static void close_self(itemi_stage_kind kind, const any_ops *ops, void *self)
{
    void (*close)(void *) = kind == ITEMI_CAPTIONER  ? ops->captioner.close
                            : kind == ITEMI_DETECTOR ? ops->detector.close
                                                     : ops->embedder.close;
    if (close)
        close(self);
}

/* Says where; an engine that stops unasked has failed, and is not taken for the caller's cancel. */
static item_status fail_to_open(const host *h, item_error *why, item_error *err)
{
    if (why->code == ITEM_E_CANCELLED && itemi_cancelled(h->cancel))
        return itemi_fail_cancelled(err);
    if (why->code == ITEM_E_CANCELLED)
        why->code = ITEM_E_BACKEND;
    itemi_error_prefix(why, itemi_stage_word(h->kind));
    itemi_error_prefix(why, h->ctx->pack->path);
    return itemi_fail_as(err, why);
}

item_status itemi_host_open(item_ctx *ctx, itemi_stage_kind kind, const itemi_engine *engine,
                            const item_cancel *cancel, itemi_stage **out, item_error *err)
{
    host *h = make_host(ctx, kind, cancel);
    if (!h)
        return itemi_fail_memory(err, "opening a network");
    any_ops ops;
    memset(&ops, 0, sizeof ops);
    void *self = NULL;
    item_error why = ITEM_ERROR_INIT;
    item_status status = ask_engine(engine->ops, h, &ops, &self, &why);
    if (status == ITEM_OK) {
        status = itemi_stage_new(&ctx->mem, kind, &ops, self, out, &why);
        if (status != ITEM_OK)
            close_self(kind, &ops, self);
    }
    if (status != ITEM_OK) {
        why.code = status; /* an engine may have said nothing */
        status = fail_to_open(h, &why, err);
        free_host(h);
        return status;
    }
    h->cancel = NULL; /* it is the opening call's, and this stage lives longer */
    itemi_stage_set_after(*out, free_host, h);
    return ITEM_OK;
}
