/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts: a pack and a configuration become something that answers. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/core.h"

/* Without a head, pictures are brought to the size that the small pack's head was made with. */
#define DEFAULT_WORKING_SIZE 224

/* ---- the head ---- */

static item_status read_head(item_ctx *ctx, const char *path, item_error *err)
{
    itemi_file file;
    item_status status = itemi_file_open(&ctx->mem, path, ITEMI_HEAD_BYTES, false, &file, err);
    if (status != ITEM_OK)
        return status;
    status = itemi_sha256_file(&file, ctx->head_hash, err);
    if (status == ITEM_OK)
        status = itemi_head_parse(&ctx->mem, file.data, file.size, path, &ctx->head, err);
    itemi_file_close(&file);
    return status;
}

static item_status parse_filter(const char *name, itemi_filter *out, item_error *err)
{
    static const struct {
        const char *name;
        itemi_filter filter;
    } filters[] = {{"bilinear", ITEMI_FILTER_BILINEAR},
                   {"bicubic", ITEMI_FILTER_BICUBIC},
                   {"lanczos", ITEMI_FILTER_LANCZOS}};
    for (size_t i = 0; i < ITEMI_COUNT(filters); i++) {
        if (strcmp(filters[i].name, name) == 0) {
            *out = filters[i].filter;
            return ITEM_OK;
        }
    }
    return itemi_fail(err, ITEM_E_UNSUPPORTED, "the head's working filter \"%s\" is not known",
                      name);
}

/* Is the head made for the context's embedder? If not, says what can be done. */
static item_status check_head(const item_ctx *ctx, item_error *err)
{
    item_error why = ITEM_ERROR_INIT;
    item_status status =
        itemi_head_fits(ctx->head, itemi_ctx_width(ctx), ctx->slot[ITEMI_EMBEDDER].identity, &why);
    if (status == ITEM_OK)
        return ITEM_OK;
    return itemi_fail(err, status, "%s; set head to none, or to a head trained with this embedder",
                      why.message);
}

static item_status use_head(item_ctx *ctx, item_error *err)
{
    const itemi_head_facts *facts = itemi_head_get_facts(ctx->head);
    ctx->layout = facts->layout;
    ctx->working_size = facts->working_size;
    itemi_escape(ctx->layout_name, sizeof ctx->layout_name, facts->layout_name);
    item_status status = parse_filter(facts->working_filter, &ctx->filter, err);
    if (status == ITEM_OK)
        status = itemi_head_threshold(ctx->head, ctx->settings.threshold, &ctx->threshold, err);
    if (status != ITEM_OK || !ctx->slot[ITEMI_EMBEDDER].possible)
        return status;
    return check_head(ctx, err);
}

/* Why a context does not judge; "" when it does. */
static void explain(item_ctx *ctx, const item_config *config)
{
    const char *why = "";
    char text[200] = "";
    bool local = itemi_layout_reads_objects(&ctx->layout);
    if (!ctx->head && config && config->no_head)
        why = "No verdict: the head is switched off by the configuration.";
    else if (!ctx->head && ctx->pack) {
        snprintf(text, sizeof text,
                 "No verdict: the pack %.120s has no head; item train makes one.",
                 ctx->pack->label);
        why = text;
    } else if (!ctx->head)
        why = "No verdict: no head was given.";
    else if (!ctx->slot[ITEMI_EMBEDDER].possible)
        why = "No verdict: there is no embedder.";
    else if (local && !ctx->slot[ITEMI_DETECTOR].possible)
        why = "No verdict: the head reads objects and there is no detector.";
    itemi_escape(ctx->no_verdict, sizeof ctx->no_verdict, why);
}

static item_status open_head(item_ctx *ctx, const item_config *config, item_error *err)
{
    (void)itemi_layout_parse(ITEMI_DEFAULT_LAYOUT, &ctx->layout);
    itemi_layout_name(&ctx->layout, ctx->layout_name);
    ctx->working_size = DEFAULT_WORKING_SIZE;
    ctx->filter = ITEMI_FILTER_BICUBIC;

    const char *path = config ? config->head : NULL;
    if (!path && ctx->pack && !(config && config->no_head))
        path = ctx->pack->head.path;
    item_status status = path ? read_head(ctx, path, err) : ITEM_OK;
    if (status == ITEM_OK && path) {
        status = use_head(ctx, err);
        if (status != ITEM_OK)
            itemi_error_prefix(err, path);
    }
    if (status == ITEM_OK)
        explain(ctx, config);
    return status;
}

/* ---- the stages ---- */

static item_status prepare_slot(item_ctx *ctx, itemi_stage_kind kind, itemi_stage *registered,
                                item_error *err)
{
    itemi_slot *slot = &ctx->slot[kind];
    const itemi_pack_stage *entry = ctx->pack ? &ctx->pack->stage[kind] : NULL;
    slot->possible = true;
    slot->registered = registered != NULL;
    if (registered) {
        atomic_store(&slot->stage, itemi_stage_ref(registered));
        return itemi_identity_stage(registered, slot->identity, err);
    }
    if (entry && entry->family)
        return itemi_identity_pack(entry, kind == ITEMI_EMBEDDER ? ctx->pack_width : 0,
                                   slot->identity, err);
    slot->possible = false;
    return ITEM_OK;
}

/* Width of the pack's embedder; it may be left out of item.json. */
static item_status read_width(item_ctx *ctx, item_error *err)
{
    const json_t *value = json_object_get(ctx->pack->stage[ITEMI_EMBEDDER].config, "width");
    if (!value)
        return ITEM_OK;
    json_int_t width = json_integer_value(value);
    if (width < 1 || width > 8192)
        return itemi_fail(err, ITEM_E_PACK, "%s: the embedder's width is not 1 to 8192",
                          ctx->pack->path);
    ctx->pack_width = (uint32_t)width;
    return ITEM_OK;
}

static item_status keep_texts(item_ctx *ctx, const item_config *config, item_error *err)
{
    if (config->engine.path)
        ctx->engine.path = itemi_strdup(&ctx->mem, config->engine.path);
    bool kept = ctx->engine.path || !config->engine.path;
    if (config->prompt) {
        ctx->prompt = itemi_strdup(&ctx->mem, config->prompt);
        itemi_sha256 *sha = itemi_sha256_new();
        itemi_sha256_text(sha, config->prompt);
        kept = itemi_sha256_end(sha, ctx->prompt_hash) && ctx->prompt && kept;
    }
    return kept ? ITEM_OK : itemi_fail_memory(err, "opening a context");
}

static item_status fill(item_ctx *ctx, const char *pack, const item_config *config, item_error *err)
{
    item_status status = ITEM_OK;
    bool own = config && config->stage[ITEMI_EMBEDDER];
    /* a head belongs to one embedder: which one that is, a published folder tells by hashes alone */
    int32_t verify = ctx->settings.verify | (config && config->head ? ITEMI_VERIFY_PUBLISHED : 0);
    if (pack || !own)
        status = itemi_pack_load(&ctx->mem, &ctx->log, pack, verify, &ctx->pack, err);
    if (status == ITEM_OK && ctx->pack)
        status = read_width(ctx, err);
    for (size_t i = 0; i < ITEMI_STAGES && status == ITEM_OK; i++)
        status = prepare_slot(ctx, (itemi_stage_kind)i, config ? config->stage[i] : NULL, err);
    if (status == ITEM_OK && config)
        status = keep_texts(ctx, config, err);
    if (status == ITEM_OK)
        status = open_head(ctx, config, err);
    if (status == ITEM_OK && config && config->cache)
        status = itemi_cache_open(&ctx->mem, config->cache, &ctx->cache, err);
    return status;
}

static void init(item_ctx *ctx, const item_config *config)
{
    atomic_init(&ctx->refs, 1);
    ctx->pid = getpid();
    if (config) {
        ctx->mem = config->mem;
        ctx->settings = config->settings;
        ctx->log = config->log;
        ctx->engine.ops = config->engine.ops;
    } else {
        itemi_settings_init(&ctx->settings);
    }
    pthread_mutex_init(&ctx->weights_lock, NULL);
    pthread_mutex_init(&ctx->tokens_lock, NULL);
    pthread_mutex_init(&ctx->cache_lock, NULL);
    atomic_init(&ctx->tokens, NULL);
    for (size_t i = 0; i < ITEMI_STAGES; i++) {
        pthread_mutex_init(&ctx->slot[i].lock, NULL);
        atomic_init(&ctx->slot[i].stage, NULL);
        ctx->slot[i].engine_id = "";
    }
}

static void destroy(item_ctx *ctx)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    itemi_mem mem = ctx->mem;
    for (size_t i = 0; i < ITEMI_STAGES; i++) {
        itemi_stage_unref(atomic_load(&ctx->slot[i].stage));
        pthread_mutex_destroy(&ctx->slot[i].lock);
    }
    pthread_mutex_destroy(&ctx->weights_lock);
    pthread_mutex_destroy(&ctx->tokens_lock);
    pthread_mutex_destroy(&ctx->cache_lock);
    itemi_cache_close(ctx->cache);
    itemi_tokenizer_free(atomic_load(&ctx->tokens));
    itemi_head_free(ctx->head);
    item_pack_free(ctx->pack);
    itemi_free(&mem, ctx->engine.path);
    itemi_free(&mem, ctx->prompt);
    itemi_free(&mem, ctx);
}

item_status item_ctx_open(const char *pack, const item_config *config, item_ctx **out,
                          item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!out)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_ctx_open: out is NULL");
    *out = NULL;
    item_status status = itemi_engine_forked(err);
    if (status != ITEM_OK)
        return status;
    item_ctx *ctx = itemi_alloc_zero(config ? &config->mem : NULL, 1, sizeof *ctx);
    if (!ctx)
        return itemi_fail_memory(err, "opening a context");
    init(ctx, config);
    status = fill(ctx, pack, config, err);
    if (status != ITEM_OK) {
        destroy(ctx);
        return status;
    }
    *out = ctx;
    return ITEM_OK;
}

item_ctx *item_ctx_ref(item_ctx *ctx)
{
    if (ctx)
        atomic_fetch_add_explicit(&ctx->refs, 1, memory_order_relaxed);
    return ctx;
}

void item_ctx_unref(item_ctx *ctx)
{
    if (!ctx || atomic_fetch_sub_explicit(&ctx->refs, 1, memory_order_acq_rel) != 1)
        return;
    /* In a forked child the engine's threads are gone: closing would wait for them for ever. */
    if (ctx->pid == getpid())
        destroy(ctx);
}

item_status itemi_ctx_check(const item_ctx *ctx, item_error *err)
{
    if (!ctx)
        return itemi_fail(err, ITEM_E_ARGUMENT, "ctx is NULL");
    if (ctx->pid != getpid())
        return itemi_fail(err, ITEM_E_FORKED,
                          "the context was opened by the parent of this process: open one after "
                          "fork(), or compute in the parent");
    return ITEM_OK;
}

/* ---- opening stages at their first use ---- */

static item_status open_slot(item_ctx *ctx, itemi_stage_kind kind, const item_cancel *cancel,
                             itemi_stage **out, item_error *err)
{
    itemi_engine engine;
    item_status status = itemi_engine_open(&ctx->engine, &ctx->log, cancel, &engine, err);
    double start = itemi_now_ms();
    if (status == ITEM_OK)
        status = itemi_host_open(ctx, kind, &engine, cancel, out, err);
    if (status != ITEM_OK)
        return status;
    uint32_t width = itemi_stage_width(*out);
    if (kind == ITEMI_EMBEDDER && ctx->pack_width && width != ctx->pack_width) {
        itemi_stage_unref(*out);
        *out = NULL;
        return itemi_fail(err, ITEM_E_PACK, "%s: states an embedder of width %u, it has %u",
                          ctx->pack->path, (unsigned)ctx->pack_width, (unsigned)width);
    }
    itemi_slot *slot = &ctx->slot[kind];
    const char *precision = engine.ops->precision(ctx->settings.precision);
    itemi_escape(slot->precision, sizeof slot->precision, precision ? precision : "");
    slot->engine_id = engine.ops->id;
    itemi_logf(&ctx->log, ITEM_LOG_INFO, "%s %s opened in %.0f ms by engine %s (%s), %s",
               itemi_stage_word(kind), slot->identity, itemi_now_ms() - start, engine.ops->name,
               engine.path, slot->precision);
    return ITEM_OK;
}

item_status itemi_ctx_stage(item_ctx *ctx, itemi_stage_kind kind, const item_cancel *cancel,
                            itemi_stage **out, item_error *err)
{
    itemi_slot *slot = &ctx->slot[kind];
    *out = atomic_load_explicit(&slot->stage, memory_order_acquire);
    if (*out)
        return ITEM_OK;
    if (!slot->possible && !ctx->pack)
        return itemi_fail(err, ITEM_E_UNSUPPORTED,
                          "this context has no %s: it has no pack, because the configuration "
                          "brings an embedder and no pack was named",
                          itemi_stage_word(kind));
    if (!slot->possible)
        return itemi_fail(err, ITEM_E_UNSUPPORTED, "this context has no %s: %s has none",
                          itemi_stage_word(kind), ctx->pack->path);
    item_status status = itemi_lock(&slot->lock, cancel, err);
    if (status != ITEM_OK)
        return status;
    *out = atomic_load_explicit(&slot->stage, memory_order_acquire);
    if (!*out) {
        status = open_slot(ctx, kind, cancel, out, err);
        if (status == ITEM_OK)
            atomic_store_explicit(&slot->stage, *out, memory_order_release);
    }
    pthread_mutex_unlock(&slot->lock);
    return status;
}

void itemi_ctx_engine(const item_ctx *ctx, const char **id, const char **precision)
{
    *id = *precision = "";
    for (size_t i = 0; i < ITEMI_STAGES; i++) {
        const itemi_slot *slot = &ctx->slot[i];
        /* what stands beside `stage` was written before it */
        if (!atomic_load_explicit(&slot->stage, memory_order_acquire) || !slot->engine_id[0])
            continue;
        *id = slot->engine_id;
        *precision = slot->precision;
        return;
    }
}

/* NULL before its first use. */
static const itemi_stage *opened_embedder(const item_ctx *ctx)
{
    return atomic_load_explicit(&ctx->slot[ITEMI_EMBEDDER].stage, memory_order_acquire);
}

uint32_t itemi_ctx_width(const item_ctx *ctx)
{
    const itemi_stage *stage = opened_embedder(ctx);
    return stage ? itemi_stage_width(stage) : ctx->pack_width;
}

itemi_captioning itemi_ctx_captioning(const item_ctx *ctx, const item_check_options *options,
                                      bool tokens)
{
    const itemi_settings *s = &ctx->settings;
    const bool own = options->sample > 0;
    return (itemi_captioning){.beams = s->beams,
                              .max_tokens = s->max_tokens,
                              .prompt = ctx->prompt,
                              .temperature = own ? options->sample : s->sample,
                              .seed = own ? options->sample_seed : s->sample_seed,
                              .tokens = tokens};
}

item_image_options itemi_ctx_image_options(const item_ctx *ctx, item_cancel *cancel)
{
    const itemi_settings *s = &ctx->settings;
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    options.flags = s->accept_truncated ? ITEM_IMAGE_ACCEPT_TRUNCATED : 0;
    options.max_pixels = s->max_pixels;
    options.max_file_bytes = s->max_file_bytes;
    options.max_decode_bytes = s->max_decode_bytes;
    options.max_scans = (uint32_t)s->max_scans;
    options.allocator = ctx->mem.host.struct_size ? &ctx->mem.host : NULL;
    options.cancel = cancel;
    return options;
}

item_status item_ctx_get_info(const item_ctx *ctx, item_ctx_info *info, item_error *err)
{
    if (!ctx)
        return itemi_fail(err, ITEM_E_ARGUMENT, "ctx is NULL");
    item_ctx_info ours = ITEM_CTX_INFO_INIT;
    ours.width = itemi_ctx_width(ctx);
    ours.has_captioner = ctx->slot[ITEMI_CAPTIONER].possible;
    ours.has_detector = ctx->slot[ITEMI_DETECTOR].possible;
    ours.has_embedder = ctx->slot[ITEMI_EMBEDDER].possible;
    ours.has_head = ctx->head != NULL;
    ours.working_size = ctx->working_size;
    ours.pack = ctx->pack ? ctx->pack->label : "";
    ours.layout = ctx->head ? ctx->layout_name : "";
    ours.no_verdict = ctx->no_verdict[0] ? ctx->no_verdict : NULL;
    const itemi_stage *embedder = opened_embedder(ctx);
    ours.layers_width = embedder ? itemi_stage_layers_width(embedder) : 0;
    ours.batch = ctx->settings.batch;
    return itemi_struct_out(info, ITEMI_SIZE_TO(item_ctx_info, no_verdict), &ours, sizeof ours,
                            "item_ctx_info", err);
}

item_status item_ctx_get_image_options(const item_ctx *ctx, item_image_options *options,
                                       item_error *err)
{
    if (!ctx)
        return itemi_fail(err, ITEM_E_ARGUMENT, "ctx is NULL");
    item_image_options ours = itemi_ctx_image_options(ctx, NULL);
    ours.allocator = NULL; /* the context's might not outlive the picture */
    itemi_image_defaults(&ours);
    return itemi_struct_out(options, ITEMI_SIZE_TO(item_image_options, cancel), &ours, sizeof ours,
                            "item_image_options", err);
}
