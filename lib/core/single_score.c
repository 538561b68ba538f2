/* SPDX-License-Identifier: Apache-2.0 */
/* The captioner as a single stage that is asked how probable texts are for pictures. */
#include "core/single.h"

static item_status score_some(itemi_single *s, item_image *const *images, const char *const *texts,
                              size_t n, double *out, item_error *err)
{
    const item_image *some[ITEMI_SINGLE_MOST];
    for (size_t i = 0; i < n; i++) {
        item_status status = itemi_text_check(texts[i], "a text", err);
        if (status != ITEM_OK)
            return status;
        some[i] = images[i];
    }
    return itemi_stage_score(s->stage, &s->call, some, texts, n, s->ctx->prompt, out, err);
}

item_status item_score_captions(item_ctx *ctx, item_image *const *images, const char *const *texts,
                                size_t n, const item_check_options *options, double *out,
                                item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (n && (itemi_single_need(images, "images", err) != ITEM_OK ||
              itemi_single_need(texts, "texts", err) != ITEM_OK ||
              itemi_single_need(out, "out", err) != ITEM_OK))
        return ITEM_E_ARGUMENT;
    itemi_single s;
    item_status status = itemi_single_begin(&s, ctx, ITEMI_CAPTIONER, options, err);
    if (status != ITEM_OK)
        return status;
    for (size_t at = 0; at < n && status == ITEM_OK; at += ITEMI_SINGLE_MOST) {
        const size_t some = n - at < ITEMI_SINGLE_MOST ? n - at : ITEMI_SINGLE_MOST;
        status = score_some(&s, images + at, texts + at, some, out + at, err);
    }
    itemi_single_end(&s);
    return status;
}
