/* SPDX-License-Identifier: Apache-2.0 */
/* The table of services that an engine gets for each stage of a pack that it opens. */
#include <math.h>
#include <string.h>

#include "core/services.h"

/* ---- memory, log, settings ---- */

static void *host_allocate(void *user, size_t size)
{
    const itemi_host *h = user;
    return itemi_alloc(&h->ctx->mem, size);
}

static void host_release(void *user, void *block)
{
    const itemi_host *h = user;
    itemi_free(&h->ctx->mem, block);
}

static void host_log(void *user, int32_t level, const char *text)
{
    const itemi_host *h = user;
    itemi_logf(&h->ctx->log, level, "%s: %s", itemi_stage_word(h->kind), text ? text : "");
}

static const char *host_config_text(void *user, const char *key)
{
    const itemi_host *h = user;
    return json_string_value(json_object_get(h->entry->config, key));
}

static double host_config_number(void *user, const char *key)
{
    const itemi_host *h = user;
    const json_t *value = json_object_get(h->entry->config, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static const char *host_setting(void *user, const char *key)
{
    const itemi_host *h = user;
    if (strcmp(key, "precision") == 0)
        return h->ctx->settings.precision;
    return strcmp(key, "device") == 0 ? h->ctx->settings.device : NULL;
}

static int32_t host_cancelled(void *user)
{
    const itemi_host *h = user;
    return itemi_cancelled(h->cancel);
}

item_status itemi_host_role(const itemi_host *h, const char *role, const itemi_pack_file **out,
                            item_error *err)
{
    *out = role ? itemi_pack_role(h->entry, role) : NULL;
    if (*out)
        return ITEM_OK;
    return itemi_fail(err, ITEM_E_PACK, "%s: the %s has no file \"%.48s\"", h->ctx->pack->path,
                      itemi_stage_word(h->kind), role ? role : "");
}

/* ---- opening and closing ---- */

static void free_host(void *user)
{
    itemi_host *h = user;
    const itemi_mem *mem = &h->ctx->mem;
    itemi_host_free_files(h);
    pthread_mutex_destroy(&h->lock);
    itemi_free(mem, h);
}

static itemi_host *make_host(item_ctx *ctx, itemi_stage_kind kind, const item_cancel *cancel)
{
    itemi_host *h = itemi_alloc_zero(&ctx->mem, 1, sizeof *h);
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
        .cancelled = host_cancelled,
    };
    itemi_host_weights(&h->services);
    itemi_host_files(&h->services);
    itemi_host_tokens(&h->services);
    itemi_host_pictures(&h->services);
    return h;
}

/* A table of each kind, for an engine to fill. */
typedef union any_ops {
    item_captioner_ops captioner;
    item_detector_ops detector;
    item_embedder_ops embedder;
} any_ops;

static item_status ask_engine(const item_engine_ops *engine, const itemi_host *h, any_ops *ops,
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
static item_status fail_to_open(const itemi_host *h, item_error *why, item_error *err)
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
    itemi_host *h = make_host(ctx, kind, cancel);
    if (!h)
        return itemi_fail_memory(err, "opening a network");
    any_ops ops;
    memset(&ops, 0, sizeof ops);
    void *self = NULL;
    item_error why = ITEM_ERROR_INIT;
    item_status status = itemi_host_read_documents(h, &why);
    if (status == ITEM_OK)
        status = ask_engine(engine->ops, h, &ops, &self, &why);
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
