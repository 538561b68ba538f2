/* SPDX-License-Identifier: Apache-2.0 */
/* Calls a captioner and checks what it says. */
#include <math.h>
#include <string.h>

#include "stage/stage_private.h"

#define CAPTION_ROOM 4096
#define TOKEN_ROOM   1024
#define UNWRITTEN    0xff /* in no UTF-8 text */

/* Room for the answers of one call: outs, pointers to them, their texts and ids. */
typedef struct room {
    item_caption_out *outs;
    item_caption_out **pointers;
    char *texts;
    int32_t *tokens; /* NULL: not asked for */
} room;

static void free_room(const itemi_mem *mem, room *r)
{
    itemi_free(mem, r->outs);
    itemi_free(mem, r->pointers);
    itemi_free(mem, r->texts);
    itemi_free(mem, r->tokens);
}

static bool make_room(const itemi_mem *mem, size_t n, bool tokens, room *r)
{
    r->outs = itemi_alloc_array(mem, n, sizeof *r->outs);
    r->pointers = itemi_alloc_array(mem, n, sizeof(item_caption_out *));
    r->texts = itemi_alloc_array(mem, n, CAPTION_ROOM);
    r->tokens = tokens ? itemi_alloc_array(mem, n, TOKEN_ROOM * sizeof *r->tokens) : NULL;
    if (!r->outs || !r->pointers || !r->texts || (tokens && !r->tokens))
        return false;
    memset(r->texts, UNWRITTEN, n * CAPTION_ROOM);
    if (tokens)
        memset(r->tokens, UNWRITTEN, n * TOKEN_ROOM * sizeof *r->tokens); /* no id is below 0 */
    for (size_t i = 0; i < n; i++) {
        r->outs[i] = (item_caption_out){.struct_size = sizeof *r->outs,
                                        .text = r->texts + i * CAPTION_ROOM,
                                        .capacity = CAPTION_ROOM,
                                        .logprob = NAN,
                                        .margin = NAN,
                                        .tokens = tokens ? r->tokens + i * TOKEN_ROOM : NULL,
                                        .token_room = tokens ? TOKEN_ROOM : 0};
        r->pointers[i] = &r->outs[i];
    }
    return true;
}

/* `text` is the host's own pointer: the one in the struct may have been changed. */
static item_status check_text(const itemi_stage *stage, const item_caption_out *out,
                              const char *text, item_error *err)
{
    if ((unsigned char)text[0] == UNWRITTEN)
        return itemi_stage_lied(stage, err, "wrote no caption");
    const char *end = memchr(text, '\0', CAPTION_ROOM);
    if (!end)
        return itemi_stage_lied(stage, err, "wrote a caption without an end");
    size_t length = (size_t)(end - text);
    if (itemi_utf8_valid(text, length) != length)
        return itemi_stage_lied(stage, err, "wrote a caption that is no UTF-8");
    if (!isfinite(out->logprob) || out->logprob > ITEMI_LOGPROB_ROUNDING)
        return itemi_stage_lied(stage, err, "gave %g as the log-probability of a caption",
                                out->logprob);
    if (!isfinite(out->margin) || out->margin < 0)
        return itemi_stage_lied(stage, err, "gave %g as the margin of a caption", out->margin);
    return ITEM_OK;
}

static item_status check_tokens(const itemi_stage *stage, size_t count, const int32_t *tokens,
                                item_error *err)
{
    if (count > (tokens ? TOKEN_ROOM : 0))
        return itemi_stage_lied(stage, err, "gave %zu tokens where %d have room", count,
                                tokens ? TOKEN_ROOM : 0);
    for (size_t i = 0; i < count; i++) {
        if (tokens[i] < 0)
            return itemi_stage_lied(stage, err, "gave %ld as a token of a caption",
                                    (long)tokens[i]);
    }
    return ITEM_OK;
}

static item_status take_one(const itemi_stage *stage, const itemi_call *call, const room *r,
                            size_t i, itemi_captioned *out, item_error *err)
{
    const item_caption_out *from = &r->outs[i];
    const char *text = r->texts + i * CAPTION_ROOM;
    const int32_t *tokens = r->tokens ? r->tokens + i * TOKEN_ROOM : NULL;
    size_t count = from->token_count;
    item_status status = check_text(stage, from, text, err);
    if (status == ITEM_OK)
        status = check_tokens(stage, count, tokens, err);
    if (status != ITEM_OK)
        return status;
    out->text = itemi_strdup(call->mem, text);
    out->tokens = count ? itemi_alloc_array(call->mem, count, sizeof *tokens) : NULL;
    if (!out->text || (count && !out->tokens))
        return itemi_fail_memory(err, "captioning");
    if (count)
        memcpy(out->tokens, tokens, count * sizeof *tokens);
    out->token_count = count;
    out->logprob = fmin(from->logprob, 0.0); /* a rounded sum is no probability over 1 */
    out->margin = from->margin;
    return ITEM_OK;
}

static item_status ask(itemi_stage *stage, const itemi_call *call, const item_image *const *images,
                       size_t n, const itemi_captioning *how, const room *r, item_error *err)
{
    itemi_entry entry;
    item_status status = itemi_entry_begin(&entry, stage, call, err);
    if (status != ITEM_OK)
        return status;
    item_caption_options options = {.struct_size = sizeof options,
                                    .beams = how->beams,
                                    .max_tokens = how->max_tokens,
                                    .prompt = how->prompt,
                                    .temperature = how->temperature,
                                    .seed = how->seed};
    status = stage->ops.captioner.caption(stage->self, &entry.call, images, n, &options,
                                          r->pointers, &entry.err);
    return itemi_entry_end(&entry, status, err);
}

void itemi_captioned_free(const itemi_mem *mem, itemi_captioned *captions, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        itemi_free(mem, captions[i].text);
        itemi_free(mem, captions[i].tokens);
        captions[i] = (itemi_captioned){0};
    }
}

item_status itemi_stage_caption(itemi_stage *stage, const itemi_call *call,
                                const item_image *const *images, size_t n,
                                const itemi_captioning *how, itemi_captioned *out, item_error *err)
{
    memset(out, 0, n * sizeof *out);
    room r = {0};
    item_status status = make_room(call->mem, n, how->tokens, &r)
                             ? ask(stage, call, images, n, how, &r, err)
                             : itemi_fail_memory(err, "captioning");
    for (size_t i = 0; i < n && status == ITEM_OK; i++)
        status = take_one(stage, call, &r, i, &out[i], err);
    free_room(call->mem, &r);
    if (status != ITEM_OK)
        itemi_captioned_free(call->mem, out, n);
    return status;
}
