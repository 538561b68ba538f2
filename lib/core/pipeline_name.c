/* SPDX-License-Identifier: Apache-2.0 */
/* The name of all that makes features beside the embedder, for heads and data sets. */
#include <math.h>
#include <string.h>

#include "core/core.h"

#define BETWEEN ", "

static const char *identity(const item_ctx *ctx, itemi_stage_kind kind)
{
    const itemi_slot *slot = &ctx->slot[kind];
    return slot->possible ? slot->identity : "none";
}

/*
 * The value that counts: the caller's, else the pack's, so that asking for what holds anyway
 * changes nothing. Where the stage decides, its identity fixes the value.
 */
static void name_value(const item_ctx *ctx, itemi_stage_kind kind, const char *key, double asked,
                       char out[32])
{
    const itemi_slot *slot = &ctx->slot[kind];
    if (isnan(asked) && ctx->pack && !slot->registered) {
        const json_t *value = json_object_get(ctx->pack->stage[kind].config, key);
        asked = json_is_number(value) ? json_number_value(value) : (double)NAN;
    }
    if (isnan(asked))
        memcpy(out, "default", sizeof "default");
    else
        itemi_format(out, 32, "%.9g", asked);
}

/* What was asked for beyond what 0.1 knew, so that the names of its heads stay theirs. */
static void add_captioning(const item_ctx *ctx, const item_check_options *options,
                           char out[ITEMI_PIPELINE_MAX])
{
    const itemi_captioning how = itemi_ctx_captioning(ctx, options, false);
    size_t length = strlen(out);
    if (how.max_tokens)
        length += (size_t)itemi_format(out + length, ITEMI_PIPELINE_MAX - length,
                                       BETWEEN "max_tokens %u", (unsigned)how.max_tokens);
    if (ctx->prompt)
        length += (size_t)itemi_format(out + length, ITEMI_PIPELINE_MAX - length,
                                       BETWEEN "prompt %.8s", ctx->prompt_hash);
    if (how.temperature > 0)
        itemi_format(out + length, ITEMI_PIPELINE_MAX - length, BETWEEN "sample %.9g seed %llu",
                     how.temperature, (unsigned long long)how.seed);
}

void itemi_pipeline_name(const item_ctx *ctx, const item_check_options *options,
                         char out[ITEMI_PIPELINE_MAX])
{
    const itemi_settings *s = &ctx->settings;
    char beams[32], score[32];
    name_value(ctx, ITEMI_CAPTIONER, "beams", s->beams ? (double)s->beams : (double)NAN, beams);
    name_value(ctx, ITEMI_DETECTOR, "least_score", s->detector_score, score);
    itemi_format(out, ITEMI_PIPELINE_MAX,
                 "captioner %s" BETWEEN "detector %s" BETWEEN "beams %s" BETWEEN
                 "max_objects %u" BETWEEN "detector_score %s",
                 identity(ctx, ITEMI_CAPTIONER), identity(ctx, ITEMI_DETECTOR), beams,
                 (unsigned)itemi_objects_asked(ctx, options), score);
    add_captioning(ctx, options, out);
}

static size_t part_length(const char *text)
{
    const char *end = strstr(text, BETWEEN);
    return end ? (size_t)(end - text) : strlen(text);
}

static void add_part(itemi_buf *list, const char *part, size_t length)
{
    if (list->length)
        itemi_buf_puts(list, BETWEEN);
    itemi_buf_add(list, part, length);
}

char *itemi_pipeline_difference(const itemi_mem *mem, const char *head, const char *here)
{
    itemi_buf was, is, line;
    itemi_buf_init(&was, mem);
    itemi_buf_init(&is, mem);
    itemi_buf_init(&line, mem);
    while (*head || *here) {
        size_t a = part_length(head), b = part_length(here);
        if (a != b || memcmp(head, here, a) != 0) {
            add_part(&was, head, a);
            add_part(&is, here, b);
        }
        head += a + strspn(head + a, BETWEEN);
        here += b + strspn(here + b, BETWEEN);
    }
    char *before = itemi_buf_take(&was), *now = itemi_buf_take(&is);
    if (before && now)
        itemi_buf_printf(&line,
                         "the head was calibrated with %s; this picture was looked at with %s",
                         before, now);
    else
        line.failed = true;
    itemi_free(mem, before);
    itemi_free(mem, now);
    return itemi_buf_take(&line);
}
