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

/* ---- comparison ---- */

typedef struct part {
    const char *text;
    size_t length;
} part;

/* Takes the first part off. */
static part next_part(const char **text)
{
    const char *end = strstr(*text, BETWEEN);
    const part p = {*text, end ? (size_t)(end - *text) : strlen(*text)};
    *text += end ? p.length + sizeof BETWEEN - 1 : p.length;
    return p;
}

/* Whether the part tells how objects are found. */
static bool of_objects(part p)
{
    static const char *const names[] = {"detector ", "max_objects ", "detector_score "};
    for (size_t i = 0; i < ITEMI_COUNT(names); i++) {
        if (p.length >= strlen(names[i]) && memcmp(p.text, names[i], strlen(names[i])) == 0)
            return true;
    }
    return false;
}

/* The next parts that differ, taken off both names; false at their ends. */
static bool next_difference(const char **head, const char **here, bool objects, part *was, part *is)
{
    while (**head || **here) {
        *was = next_part(head);
        *is = next_part(here);
        bool same = was->length == is->length && memcmp(was->text, is->text, is->length) == 0;
        if (!same && (objects || !of_objects(*was) || !of_objects(*is)))
            return true;
    }
    return false;
}

bool itemi_pipeline_same(const char *head, const char *here, bool objects)
{
    part was, is;
    return !next_difference(&head, &here, objects, &was, &is);
}

static void add_part(itemi_buf *list, part p)
{
    if (list->length)
        itemi_buf_puts(list, BETWEEN);
    itemi_buf_add(list, p.text, p.length);
}

char *itemi_pipeline_difference(const itemi_mem *mem, const char *head, const char *here,
                                bool objects)
{
    itemi_buf before, now, line;
    itemi_buf_init(&before, mem);
    itemi_buf_init(&now, mem);
    itemi_buf_init(&line, mem);
    part was, is;
    while (next_difference(&head, &here, objects, &was, &is)) {
        add_part(&before, was);
        add_part(&now, is);
    }
    char *a = itemi_buf_take(&before), *b = itemi_buf_take(&now);
    if (a && b)
        itemi_buf_printf(
            &line, "the head was calibrated with %s; this picture was looked at with %s", a, b);
    else
        line.failed = true;
    itemi_free(mem, a);
    itemi_free(mem, b);
    return itemi_buf_take(&line);
}
