/* SPDX-License-Identifier: Apache-2.0 */
/* Calls an embedder and checks its vectors. */
#include <math.h>

#include "stage/stage_private.h"

#define UNIT_TOLERANCE 1e-3 /* of the length: bf16 keeps three digits */

static void fill_nan(float *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = NAN;
}

static item_status check(const itemi_stage *stage, const float *out, size_t n, const char *what,
                         item_error *err)
{
    size_t width = stage->ops.embedder.width;
    for (size_t i = 0; i < n; i++) {
        double square = 0;
        for (size_t j = 0; j < width; j++)
            square += (double)out[i * width + j] * (double)out[i * width + j];
        if (!isfinite(square))
            return itemi_stage_lied(stage, err, "left numbers of %s %zu unwritten or not finite",
                                    what, i);
        if (fabs(sqrt(square) - 1) > UNIT_TOLERANCE)
            return itemi_stage_lied(stage, err, "gave a vector of length %g for %s %zu, not 1",
                                    sqrt(square), what, i);
    }
    return ITEM_OK;
}

static item_status check_layers(const itemi_stage *stage, const float *layers, size_t n,
                                item_error *err)
{
    const size_t width = stage->ops.embedder.layers_width;
    for (size_t i = 0; i < n * width; i++) {
        if (!isfinite(layers[i]))
            return itemi_stage_lied(
                stage, err, "left layers of picture %zu unwritten or not finite", i / width);
    }
    return ITEM_OK;
}

/* layers: NULL where they are not asked for. */
static item_status ask_images(itemi_stage *stage, const itemi_call *call,
                              const item_crop *const *crops, size_t n, float *out, float *layers,
                              item_error *err)
{
    const item_embedder_ops *ops = &stage->ops.embedder;
    itemi_entry entry;
    item_status status = itemi_entry_begin(&entry, stage, call, err);
    if (status != ITEM_OK)
        return status;
    status = layers ? ops->embed_layers(stage->self, &entry.call, crops, n, out, layers, &entry.err)
                    : ops->embed_images(stage->self, &entry.call, crops, n, out, &entry.err);
    return itemi_entry_end(&entry, status, err);
}

static item_status embed_images(itemi_stage *stage, const itemi_call *call, const item_crop *crops,
                                size_t n, float *out, float *layers, item_error *err)
{
    fill_nan(out, n * stage->ops.embedder.width);
    const item_crop **pointers = itemi_alloc_array(call->mem, n, sizeof(item_crop *));
    if (!pointers)
        return itemi_fail_memory(err, "embedding pictures");
    for (size_t i = 0; i < n; i++)
        pointers[i] = &crops[i];
    item_status status = ask_images(stage, call, pointers, n, out, layers, err);
    itemi_free(call->mem, pointers);
    return status == ITEM_OK ? check(stage, out, n, "picture", err) : status;
}

item_status itemi_stage_embed_images(itemi_stage *stage, const itemi_call *call,
                                     const item_crop *crops, size_t n, float *out, item_error *err)
{
    return embed_images(stage, call, crops, n, out, NULL, err);
}

item_status itemi_stage_embed_layers(itemi_stage *stage, const itemi_call *call,
                                     const item_crop *crops, size_t n, float *out, float *layers,
                                     item_error *err)
{
    const size_t width = itemi_stage_layers_width(stage);
    if (width == 0)
        return itemi_fail(err, ITEM_E_UNSUPPORTED, "embedder %s gives no inner layers",
                          stage->name);
    fill_nan(layers, n * width);
    item_status status = embed_images(stage, call, crops, n, out, layers, err);
    return status == ITEM_OK ? check_layers(stage, layers, n, err) : status;
}

item_status itemi_stage_embed_texts(itemi_stage *stage, const itemi_call *call,
                                    const char *const *texts, size_t n, float *out, item_error *err)
{
    fill_nan(out, n * stage->ops.embedder.width);
    itemi_entry entry;
    item_status status = itemi_entry_begin(&entry, stage, call, err);
    if (status != ITEM_OK)
        return status;
    status = stage->ops.embedder.embed_texts(stage->self, &entry.call, texts, n, out, &entry.err);
    status = itemi_entry_end(&entry, status, err);
    return status == ITEM_OK ? check(stage, out, n, "text", err) : status;
}
