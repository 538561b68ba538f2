/* SPDX-License-Identifier: Apache-2.0 */
/* Calls a captioner and checks what it says. */
#include <math.h>
#include <string.h>

#include "stage/stage_private.h"

#define CAPTION_ROOM 4096
#define UNWRITTEN    0xff /* in no UTF-8 text */
#define ROUNDING     1e-6 /* by which a sum of log-probabilities may exceed 0 */

/* Room for the answers of one call: outs, pointers to them and their texts. */
typedef struct room {
    item_caption_out *outs;
    item_caption_out **pointers;
    char *texts;
} room;

static void free_room(const itemi_mem *mem, room *r)
{
    itemi_free(mem, r->outs);
    itemi_free(mem, r->pointers);
    itemi_free(mem, r->texts);
}

static bool make_room(const itemi_mem *mem, size_t n, room *r)
{
    r->outs = itemi_alloc_array(mem, n, sizeof *r->outs);
    r->pointers = itemi_alloc_array(mem, n, sizeof(item_caption_out *));
    r->texts = itemi_alloc_array(mem, n, CAPTION_ROOM);
    if (!r->outs || !r->pointers || !r->texts)
        return false;
    memset(r->texts, UNWRITTEN, n * CAPTION_ROOM);
    for (size_t i = 0; i < n; i++) {
        r->outs[i] = (item_caption_out){.struct_size = sizeof *r->outs,
                                        .text = r->texts + i * CAPTION_ROOM,
                                        .capacity = CAPTION_ROOM,
                                        .logprob = NAN,
                                        .margin = NAN};
        r->pointers[i] = &r->outs[i];
    }
    return true;
}

/* `text` is the host's own pointer: the one in the struct may have been changed. */
static item_status check(const itemi_stage *stage, const item_caption_out *out, const char *text,
                         item_error *err)
{
    if ((unsigned char)text[0] == UNWRITTEN)
        return itemi_stage_lied(stage, err, "wrote no caption");
    const char *end = memchr(text, '\0', CAPTION_ROOM);
    if (!end)
        return itemi_stage_lied(stage, err, "wrote a caption without an end");
    size_t length = (size_t)(end - text);
    if (itemi_utf8_valid(text, length) != length)
        return itemi_stage_lied(stage, err, "wrote a caption that is no UTF-8");
    if (!isfinite(out->logprob) || out->logprob > ROUNDING)
        return itemi_stage_lied(stage, err, "gave %g as the log-probability of a caption",
                                out->logprob);
    if (!isfinite(out->margin) || out->margin < 0)
        return itemi_stage_lied(stage, err, "gave %g as the margin of a caption", out->margin);
    return ITEM_OK;
}

static item_status take(const itemi_stage *stage, const itemi_call *call, const room *r, size_t n,
                        itemi_captioned *out, item_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const char *text = r->texts + i * CAPTION_ROOM;
        item_status status = check(stage, &r->outs[i], text, err);
        if (status != ITEM_OK)
            return status;
        out[i].text = itemi_strdup(call->mem, text);
        if (!out[i].text)
            return itemi_fail_memory(err, "captioning");
        out[i].logprob = fmin(r->outs[i].logprob, 0.0); /* a rounded sum is no probability over 1 */
        out[i].margin = r->outs[i].margin;
    }
    return ITEM_OK;
}

static item_status ask(itemi_stage *stage, const itemi_call *call, const item_image *const *images,
                       size_t n, uint32_t beams, const room *r, item_error *err)
{
    itemi_entry entry;
    item_status status = itemi_entry_begin(&entry, stage, call, err);
    if (status != ITEM_OK)
        return status;
    item_caption_options options = {.struct_size = sizeof options, .beams = beams};
    status = stage->ops.captioner.caption(stage->self, &entry.call, images, n, &options,
                                          r->pointers, &entry.err);
    return itemi_entry_end(&entry, status, err);
}

item_status itemi_stage_caption(itemi_stage *stage, const itemi_call *call,
                                const item_image *const *images, size_t n, uint32_t beams,
                                itemi_captioned *out, item_error *err)
{
    memset(out, 0, n * sizeof *out);
    room r = {0};
    item_status status = make_room(call->mem, n, &r) ? ask(stage, call, images, n, beams, &r, err)
                                                     : itemi_fail_memory(err, "captioning");
    if (status == ITEM_OK)
        status = take(stage, call, &r, n, out, err);
    free_room(call->mem, &r);
    for (size_t i = 0; status != ITEM_OK && i < n; i++) {
        itemi_free(call->mem, out[i].text);
        out[i].text = NULL;
    }
    return status;
}
