/* SPDX-License-Identifier: Apache-2.0 */
/* The vision tower: a picture's patches and a class token through transformer blocks. */
#include "blocks.h"

const itx_vit_names itx_vit_clip = {.patches = "vision_model.embeddings.patch_embedding",
                                    .class = "vision_model.embeddings.class_embedding",
                                    .positions =
                                        "vision_model.embeddings.position_embedding.weight",
                                    .pre_norm = "vision_model.pre_layrnorm",
                                    .blocks = "vision_model.encoder.layers",
                                    .post_norm = "vision_model.post_layernorm",
                                    .block = &itx_names_hf};
const itx_vit_names itx_vit_open_clip = {.patches = "visual.conv1",
                                         .class = "visual.class_embedding",
                                         .positions = "visual.positional_embedding",
                                         .pre_norm = "visual.ln_pre",
                                         .blocks = "visual.transformer.resblocks",
                                         .post_norm = "visual.ln_post",
                                         .block = &itx_names_open_clip};

const itx_vit_names itx_vit_blip = {.patches = "vision_model.embeddings.patch_embedding",
                                    .class = "vision_model.embeddings.class_embedding",
                                    .positions = "vision_model.embeddings.position_embedding",
                                    .blocks = "vision_model.encoder.layers",
                                    .post_norm = "vision_model.post_layernorm",
                                    .patch_bias = true,
                                    .block = &itx_names_blip};

#define EDGE_MAX 4096

itx_vit_facts itx_vit_read(itx_facts *f, const itx_vit_facts *defaults)
{
    itx_vit_facts v = *defaults;
    v.tower = itx_tower_read(f, &defaults->tower);
    v.edge = itx_fact_count(f, "image_size", v.edge, EDGE_MAX);
    v.patch = itx_fact_count(f, "patch_size", v.patch, v.edge);
    if (itx_fact_count(f, "num_channels", 3, 1024) != 3)
        (void)itx_facts_fail(f, "num_channels is not 3");
    return v;
}

void itx_take_vit(itx_loader *l, itx_vit *v, const itx_vit_facts *facts, const itx_vit_names *names)
{
    const int64_t w = facts->tower.width, side = facts->edge / facts->patch, p = facts->patch;
    v->facts = *facts;
    v->places = side * side;
    v->patches = itx_take_patches(l, w, p, names->patch_bias, names->patches);
    v->class = itx_take_flat(l, 1, w, names->class);
    v->positions = itx_take_flat(l, 1 + v->places, w, names->positions);
    if (names->pre_norm)
        v->pre_norm = itx_take_norm(l, w, "%s", names->pre_norm);
    itx_take_blocks(l, &v->blocks, &facts->tower, names->blocks, names->block);
    v->post_norm = itx_take_norm(l, w, "%s", names->post_norm);
}

/* The class token before the patches of each picture, and everyone's position. */
static itx_tensor *embed(itx_run *run, const itx_vit *v, const float *pixels, int64_t n)
{
    static const int64_t zeros[ITX_BATCH];
    const int64_t w = v->facts.tower.width, p = v->facts.patch;
    itx_tensor *x = itx->input(run, pixels, &(itx_shape){3, {n, v->places, 3 * p * p}});
    itx_tensor *first = itx->rows(run, v->class, itx->indices(run, zeros, &(itx_shape){1, {n}}));
    itx_tensor *const parts[] = {
        itx->reshape(run, first, &(itx_shape){3, {n, 1, w}}),
        itx->linear(run, x, v->patches.w, v->patches.b, ITX_NONE),
    };
    return itx->add(run, itx->cat(run, parts, 2, 1), v->positions);
}

int64_t itx_vit_layers(const itx_vit_facts *facts)
{
    return facts->tower.depth * facts->tower.width;
}

itx_tensor *itx_run_vit(itx_run *run, const itx_vit *v, const float *pixels, size_t n, bool first,
                        itx_tensor **inner)
{
    const double eps = v->facts.tower.eps;
    const size_t start = itx->mark(run);
    itx_tensor *x = embed(run, v, pixels, (int64_t)n);
    if (v->pre_norm.w)
        x = itx->layer_norm(run, x, v->pre_norm.w, v->pre_norm.b, eps);
    itx->sweep(run, start, &x, 1);
    x = itx_run_blocks(run, &v->blocks, x, NULL, first, inner);
    return itx->layer_norm(run, x, v->post_norm.w, v->post_norm.b, eps);
}
