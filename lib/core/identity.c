/* SPDX-License-Identifier: Apache-2.0 */
/* Identities of stages and the fingerprint of an answer: what says that two answers compare. */
#include <stdlib.h>
#include <string.h>

#include "core/core.h"

static item_status fail_hash(item_error *err)
{
    return itemi_fail_memory(err, "computing a fingerprint");
}

static int by_role(const void *a, const void *b)
{
    const itemi_pack_file *const *x = a, *const *y = b;
    return strcmp((*x)->role, (*y)->role);
}

/* "name/width rest", made to fit; a width of 0 is left out. */
static void write_identity(char out[256], const char *name, uint32_t width, const char *rest)
{
    char text[512], number[16] = "";
    if (width)
        itemi_format(number, sizeof number, "/%u", (unsigned)width);
    itemi_format(text, sizeof text, "%.32s%s %s", name, number, rest);
    itemi_escape(out, 256, text);
}

static int add_piece(const char *bytes, size_t length, void *sha)
{
    itemi_sha256_add(sha, bytes, length);
    return 0;
}

/*
 * What item.json sets for the stage, in one order of its keys. The width is left out: it is told
 * beside the hash. False: no memory.
 */
static bool add_config(itemi_sha256 *sha, const json_t *config)
{
    json_t *rest = config ? json_copy((json_t *)(uintptr_t)config) : json_object();
    /* jansson passes over what it had no memory for */
    bool whole = rest && json_object_size(rest) == json_object_size(config);
    (void)json_object_del(rest, "width");
    bool empty = json_object_size(rest) == 0;
    bool made = whole;
    if (whole && !empty) {
        made = json_dump_callback(rest, add_piece, sha, JSON_COMPACT | JSON_SORT_KEYS) == 0;
        itemi_sha256_add(sha, "", 1);
    }
    json_decref(rest);
    return made;
}

item_status itemi_identity_pack(const itemi_pack_stage *stage, uint32_t width, char out[256],
                                item_error *err)
{
    const itemi_pack_file *files[ITEMI_ROLES_MAX];
    size_t count = stage->count; /* at most so many */
    for (size_t i = 0; i < count; i++)
        files[i] = &stage->files[i];
    qsort(files, count, sizeof files[0], by_role);

    itemi_sha256 *sha = itemi_sha256_new();
    itemi_sha256_text(sha, stage->family);
    for (size_t i = 0; i < count; i++) {
        itemi_sha256_text(sha, files[i]->role);
        itemi_sha256_text(sha, *files[i]->sha256 ? files[i]->sha256 : files[i]->content);
    }
    char hex[ITEMI_SHA256_HEX];
    bool made = add_config(sha, stage->config);
    if (!itemi_sha256_end(sha, hex) || !made)
        return fail_hash(err);
    char rest[ITEMI_SHA256_HEX + 8];
    itemi_format(rest, sizeof rest, "sha256:%s", hex);
    write_identity(out, stage->family, width, rest);
    return ITEM_OK;
}

/* Nothing in it must be cut, escaped, or could be taken for the blank between name and id. */
static bool is_plain(const char *text, size_t most)
{
    char shown[256];
    size_t length = strlen(text);
    return length <= most && itemi_escape(shown, sizeof shown, text) == length;
}

item_status itemi_identity_stage(const itemi_stage *stage, char out[256], item_error *err)
{
    const char *name = itemi_stage_name(stage), *id = itemi_stage_id(stage);
    char hex[ITEMI_SHA256_HEX];
    if (!is_plain(name, 32) || strchr(name, ' ') || !is_plain(id, 128)) { /* told by a hash */
        itemi_sha256 *sha = itemi_sha256_new();
        itemi_sha256_text(sha, name);
        itemi_sha256_text(sha, id);
        if (!itemi_sha256_end(sha, hex))
            return fail_hash(err);
        id = hex;
    }
    write_identity(out, name, itemi_stage_width(stage), id);
    return ITEM_OK;
}

const char *itemi_processor_class(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bf16"))
        return "x86-64 avx512 bf16";
    if (__builtin_cpu_supports("avx512f"))
        return "x86-64 avx512";
    if (__builtin_cpu_supports("avx2"))
        return "x86-64 avx2";
    return "x86-64";
#elif defined(__aarch64__)
    return "aarch64";
#else
    return "other";
#endif
}

/*
 * Whether a stage is the pack's, to be opened by an engine at its first use. Registered stages
 * are there from the beginning.
 */
static bool waits_for_engine(const item_ctx *ctx)
{
    for (size_t i = 0; i < ITEMI_STAGES; i++) {
        const itemi_slot *slot = &ctx->slot[i];
        if (slot->possible && !atomic_load_explicit(&slot->stage, memory_order_acquire))
            return true;
    }
    return false;
}

/*
 * Every stage, used for this picture or not: one context has one fingerprint. Beside registered
 * stages, the pack's may not have been needed so far; their engine is asked for its name then. If
 * there is none, none of these stages will ever answer.
 */
static void add_stages(itemi_sha256 *sha, const item_ctx *ctx)
{
    const char *id, *precision;
    itemi_engine engine;
    itemi_ctx_engine(ctx, &id, &precision);
    if (!*id && waits_for_engine(ctx) &&
        itemi_engine_open(&ctx->engine, &ctx->log, NULL, &engine, NULL) == ITEM_OK) {
        id = engine.ops->id;
        precision = engine.ops->precision(ctx->settings.precision);
    }
    itemi_sha256_text(sha, id);
    itemi_sha256_text(sha, precision ? precision : "");
    for (size_t i = 0; i < ITEMI_STAGES; i++)
        itemi_sha256_text(sha, ctx->slot[i].identity);
}

/* Every option that changes an answer. */
static bool add_options(itemi_sha256 *sha, const item_ctx *ctx, const item_check_options *options)
{
    const itemi_settings *s = &ctx->settings;
    const itemi_captioning how = itemi_ctx_captioning(ctx, options, false);
    itemi_buf text;
    itemi_buf_init(&text, NULL);
    itemi_buf_printf(&text, "device=%s threshold=%s prior=%.17g beams=%u", s->device,
                     ctx->head ? ctx->threshold.name : "", s->prior, (unsigned)s->beams);
    itemi_buf_printf(&text, " max_objects=%u detector_score=%.17g accept_truncated=%u",
                     (unsigned)itemi_objects_asked(ctx, options), s->detector_score,
                     (unsigned)s->accept_truncated);
    itemi_buf_printf(&text, " working_size=%u filter=%d layout=%s", (unsigned)ctx->working_size,
                     (int)ctx->filter, ctx->layout_name);
    itemi_buf_printf(&text, " max_tokens=%u prompt=%s", (unsigned)s->max_tokens,
                     ctx->prompt ? ctx->prompt : "");
    itemi_buf_printf(&text, " sample=%.17g seed=%llu", how.temperature,
                     how.temperature > 0 ? (unsigned long long)how.seed : 0);
    bool made = !text.failed;
    if (made)
        itemi_sha256_text(sha, text.data);
    itemi_buf_free(&text);
    return made;
}

item_status itemi_fingerprint(const item_ctx *ctx, const item_check_options *options,
                              char out[ITEMI_SHA256_HEX], item_error *err)
{
    itemi_sha256 *sha = itemi_sha256_new();
    itemi_sha256_text(sha, "libitem");
    itemi_sha256_text(sha, item_version());
    itemi_sha256_text(sha, ctx->pack ? ctx->pack->fingerprint : "");
    itemi_sha256_text(sha, ctx->head_hash);
    itemi_sha256_text(sha, itemi_processor_class());
    add_stages(sha, ctx);
    bool made = add_options(sha, ctx, options);
    return itemi_sha256_end(sha, out) && made ? ITEM_OK : fail_hash(err);
}
