/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a captioner how probable texts are, and checks what it says. */
#include <math.h>
#include <string.h>

#include "stage/stage_private.h"

#define GREY_EDGE  64 /* of the picture that stands for none: it stays even at any size */
#define GREY_VALUE 128

bool itemi_stage_can_score(const itemi_stage *stage)
{
    return stage->kind == ITEMI_CAPTIONER && stage->ops.captioner.score;
}

static item_status make_grey(const itemi_mem *mem, item_image **out, item_error *err)
{
    unsigned char pixels[GREY_EDGE * GREY_EDGE * 3];
    memset(pixels, GREY_VALUE, sizeof pixels);
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    options.allocator = mem && mem->host.struct_size ? &mem->host : NULL;
    return item_image_from_pixels(pixels, ITEM_PIXELS_RGB, GREY_EDGE, GREY_EDGE, GREY_EDGE * 3,
                                  &options, out, err);
}

/* The pictures, with grey in the place of NULL; *grey is the caller's to release. */
static item_status fill_images(const itemi_call *call, const item_image *const *images, size_t n,
                               const item_image **out, item_image **grey, item_error *err)
{
    for (size_t i = 0; i < n; i++) {
        item_status status = images[i] || *grey ? ITEM_OK : make_grey(call->mem, grey, err);
        if (status != ITEM_OK)
            return status;
        out[i] = images[i] ? images[i] : *grey;
    }
    return ITEM_OK;
}

static item_status check(const itemi_stage *stage, double *out, size_t n, item_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(out[i]) || out[i] > ITEMI_LOGPROB_ROUNDING)
            return itemi_stage_lied(stage, err, "gave %g as the log-probability of text %zu",
                                    out[i], i);
        out[i] = fmin(out[i], 0.0);
    }
    return ITEM_OK;
}

static item_status ask(itemi_stage *stage, const itemi_call *call, const item_image *const *images,
                       const char *const *texts, size_t n, const char *prompt, double *out,
                       item_error *err)
{
    itemi_entry entry;
    item_status status = itemi_entry_begin(&entry, stage, call, err);
    if (status != ITEM_OK)
        return status;
    entry.long_text = true;
    const item_caption_options options = {.struct_size = sizeof options, .prompt = prompt};
    status = stage->ops.captioner.score(stage->self, &entry.call, images, texts, n, &options, out,
                                        &entry.err);
    return itemi_entry_end(&entry, status, err);
}

item_status itemi_stage_score(itemi_stage *stage, const itemi_call *call,
                              const item_image *const *images, const char *const *texts, size_t n,
                              const char *prompt, double *out, item_error *err)
{
    if (!itemi_stage_can_score(stage))
        return itemi_fail(err, ITEM_E_UNSUPPORTED, "captioner %s cannot score texts", stage->name);
    for (size_t i = 0; i < n; i++)
        out[i] = NAN;
    item_image *grey = NULL;
    const item_image **all = itemi_alloc_array(call->mem, n, sizeof(item_image *));
    item_status status = all ? fill_images(call, images, n, all, &grey, err)
                             : itemi_fail_memory(err, "scoring captions");
    if (status == ITEM_OK)
        status = ask(stage, call, all, texts, n, prompt, out, err);
    item_image_unref(grey);
    itemi_free(call->mem, all);
    return status == ITEM_OK ? check(stage, out, n, err) : status;
}
