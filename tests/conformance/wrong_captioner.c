/* SPDX-License-Identifier: Apache-2.0 */
/* A captioner with a defect. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "wrong.h"

ITEM_API item_module_captioner_fn item_module_captioner;

static void spoil(item_caption_out *out, size_t n)
{
    if (defect_is("no end"))
        memset(out->text, 'a', out->capacity);
    if (defect_is("capacity")) {
        memset(out->text, 'a', out->capacity);
        out->text[out->capacity] = '\0'; /* one too far */
        out->text[out->capacity - 1] = '\0';
    }
    if (defect_is("no UTF-8"))
        strcpy(out->text, "a \xc3 dog");
    if (defect_is("unwritten"))
        memset(out->text, 0xff, 1);
    if (defect_is("logprob"))
        out->logprob = 0.5;
    if (defect_is("margin"))
        out->margin = NAN;
    if (defect_is("tokens"))
        out->token_count = out->token_room + 1;
    if (defect_is("token"))
        out->token_count = 1; /* and none is written */
    if (defect_is("token room") && out->tokens)
        out->tokens[out->token_room] = 7;
    if (defect_is("batch") && n > 1)
        strcpy(out->text, "several");
    if (defect_is("tail") && out->struct_size > sizeof *out)
        memset(out + 1, 0, 8);
    if (defect_is("struct_size"))
        out->struct_size = 0;
}

/* Drawn by the picture's place in the call. */
static void draw(item_caption_out *out, size_t place, const item_caption_options *options)
{
    if (defect_is("place") && options->temperature > 0)
        snprintf(out->text, out->capacity, "a dog at place %zu", place);
}

static item_status caption(void *self, const item_call *call, const item_image *const *images,
                           size_t n, const item_caption_options *options,
                           item_caption_out *const *out, item_error *err)
{
    (void)self;
    item_status status = misbehave(call, n, err);
    if (status != ITEM_OK)
        return status;
    if (defect_is("beams") && options->beams > 4) {
        err->code = ITEM_E_ARGUMENT;
        snprintf(err->message, sizeof err->message, "at most 4 beams");
        return ITEM_E_ARGUMENT;
    }
    if (defect_is("prompt") && options->prompt) {
        err->code = ITEM_E_ARGUMENT;
        snprintf(err->message, sizeof err->message, "takes no prompt");
        return ITEM_E_ARGUMENT;
    }
    status = item_dummy_captioner()->caption(NULL, call, images, n, options, out, err);
    for (size_t i = 0; i < n && status == ITEM_OK; i++) {
        draw(out[i], i, options);
        spoil(out[i], n);
    }
    after_answer(call);
    return status;
}

static item_status score(void *self, const item_call *call, const item_image *const *images,
                         const char *const *texts, size_t n, const item_caption_options *options,
                         double *out, item_error *err)
{
    (void)self;
    if (defect_is("long text") && strlen(texts[0]) > 1000) {
        err->code = ITEM_E_ARGUMENT;
        snprintf(err->message, sizeof err->message, "that is too long");
        return ITEM_E_ARGUMENT;
    }
    item_status status =
        item_dummy_captioner()->score(NULL, call, images, texts, n, options, out, err);
    for (size_t i = 0; i < n && status == ITEM_OK; i++) {
        if (defect_is("other score"))
            out[i] -= 0.5;
        if (defect_is("positive score"))
            out[i] = 0.5;
        if (defect_is("cut score") && n > 1)
            out[i] -= 0.01 * (double)i;
    }
    return status;
}

const item_captioner_ops *item_module_captioner(const char *settings, void **self, item_error *err)
{
    static const item_captioner_ops ops = {.struct_size = sizeof ops,
                                           .version = ITEM_BACKEND_VERSION,
                                           .name = "wrong",
                                           .id = "1",
                                           .caption = caption,
                                           .close = close_wrong,
                                           .score = score};
    return open_wrong(settings, self, err) ? &ops : NULL;
}
