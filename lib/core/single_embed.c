/* SPDX-License-Identifier: Apache-2.0 */
/* The embedder as a single stage: vectors of pictures and texts, and inner layers. */
#include "core/single.h"

static item_status check_width(const itemi_single *s, size_t width, item_error *err)
{
    uint32_t own = itemi_stage_width(s->stage);
    if (width == own)
        return ITEM_OK;
    return itemi_fail(err, ITEM_E_MISMATCH, "the embedder's vectors have width %u, not %zu",
                      (unsigned)own, width);
}

/* layers: NULL where they are not asked for. */
static item_status embed_some_images(itemi_single *s, item_image *const *images, size_t n,
                                     float *out, float *layers, item_error *err)
{
    item_crop crops[ITEMI_SINGLE_MOST];
    for (size_t i = 0; i < n; i++) {
        item_image_info info = ITEM_IMAGE_INFO_INIT;
        item_status status = item_image_get_info(images[i], &info, err);
        if (status != ITEM_OK)
            return status;
        crops[i] = (item_crop){.struct_size = sizeof crops[i],
                               .image = images[i],
                               .box = {0, 0, info.width, info.height}};
    }
    return layers ? itemi_stage_embed_layers(s->stage, &s->call, crops, n, out, layers, err)
                  : itemi_stage_embed_images(s->stage, &s->call, crops, n, out, err);
}

static item_status embed_some_texts(itemi_single *s, const char *const *texts, size_t n, float *out,
                                    item_error *err)
{
    for (size_t i = 0; i < n; i++) {
        item_status status = itemi_text_check(texts[i], "a text", err);
        if (status != ITEM_OK)
            return status;
    }
    return itemi_stage_embed_texts(s->stage, &s->call, texts, n, out, err);
}

/* Either images or texts. */
static item_status embed(item_ctx *ctx, item_image *const *images, const char *const *texts,
                         size_t n, const item_check_options *options, float *out, size_t width,
                         item_error *err)
{
    if (n && itemi_single_need(out, "out", err) != ITEM_OK)
        return ITEM_E_ARGUMENT;
    itemi_single s;
    item_status status = itemi_single_begin(&s, ctx, ITEMI_EMBEDDER, options, err);
    if (status != ITEM_OK)
        return status;
    status = check_width(&s, width, err);
    for (size_t at = 0; at < n && status == ITEM_OK; at += ITEMI_SINGLE_MOST) {
        size_t some = n - at < ITEMI_SINGLE_MOST ? n - at : ITEMI_SINGLE_MOST;
        float *rows = out + at * width;
        status = images ? embed_some_images(&s, images + at, some, rows, NULL, err)
                        : embed_some_texts(&s, texts + at, some, rows, err);
    }
    itemi_single_end(&s);
    return status;
}

item_status item_embed_images(item_ctx *ctx, item_image *const *images, size_t n,
                              const item_check_options *options, float *out, size_t width,
                              item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (n && itemi_single_need(images, "images", err) != ITEM_OK)
        return ITEM_E_ARGUMENT;
    return embed(ctx, images, NULL, n, options, out, width, err);
}

item_status item_embed_texts(item_ctx *ctx, const char *const *texts, size_t n,
                             const item_check_options *options, float *out, size_t width,
                             item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (n && itemi_single_need(texts, "texts", err) != ITEM_OK)
        return ITEM_E_ARGUMENT;
    return embed(ctx, NULL, texts, n, options, out, width, err);
}

static item_status check_layers_width(const itemi_single *s, size_t width, item_error *err)
{
    const uint32_t own = itemi_stage_layers_width(s->stage);
    if (own == 0)
        return itemi_fail(err, ITEM_E_UNSUPPORTED, "embedder %s gives no inner layers",
                          itemi_stage_name(s->stage));
    if (width == own)
        return ITEM_OK;
    return itemi_fail(err, ITEM_E_MISMATCH, "the embedder's inner layers have width %u, not %zu",
                      (unsigned)own, width);
}

static item_status embed_layers(itemi_single *s, item_image *const *images, size_t n, float *out,
                                size_t width, float *layers, size_t layers_width, item_error *err)
{
    item_status status = check_width(s, width, err);
    if (status == ITEM_OK)
        status = check_layers_width(s, layers_width, err);
    for (size_t at = 0; at < n && status == ITEM_OK; at += ITEMI_SINGLE_MOST) {
        const size_t some = n - at < ITEMI_SINGLE_MOST ? n - at : ITEMI_SINGLE_MOST;
        status = embed_some_images(s, images + at, some, out + at * width,
                                   layers + at * layers_width, err);
    }
    return status;
}

item_status item_embed_layers(item_ctx *ctx, item_image *const *images, size_t n,
                              const item_check_options *options, float *out, size_t width,
                              float *layers, size_t layers_width, item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (n && (itemi_single_need(images, "images", err) != ITEM_OK ||
              itemi_single_need(out, "out", err) != ITEM_OK ||
              itemi_single_need(layers, "layers", err) != ITEM_OK))
        return ITEM_E_ARGUMENT;
    itemi_single s;
    item_status status = itemi_single_begin(&s, ctx, ITEMI_EMBEDDER, options, err);
    if (status != ITEM_OK)
        return status;
    if (n)
        status = embed_layers(&s, images, n, out, width, layers, layers_width, err);
    itemi_single_end(&s);
    return status;
}
