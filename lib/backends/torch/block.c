/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transformer blocks, which normalise before they attend and before they feed forward (CLIP, BLIP's
 * pictures, OWL-ViT, OWLv2) or after each of both, as BERT does (Chinese-CLIP's texts).
 */
#include <stdio.h>

#include "blocks.h"

const itx_block_names itx_names_hf = {.norm1 = "layer_norm1",
                                      .q = "self_attn.q_proj",
                                      .k = "self_attn.k_proj",
                                      .v = "self_attn.v_proj",
                                      .out = "self_attn.out_proj",
                                      .norm2 = "layer_norm2",
                                      .wide = "mlp.fc1",
                                      .narrow = "mlp.fc2"};
const itx_block_names itx_names_open_clip = {.norm1 = "ln_1",
                                             .joint_w = "attn.in_proj_weight",
                                             .joint_b = "attn.in_proj_bias",
                                             .out = "attn.out_proj",
                                             .norm2 = "ln_2",
                                             .wide = "mlp.c_fc",
                                             .narrow = "mlp.c_proj"};
const itx_block_names itx_names_blip = {.norm1 = "layer_norm1",
                                        .joint_w = "self_attn.qkv.weight",
                                        .joint_b = "self_attn.qkv.bias",
                                        .out = "self_attn.projection",
                                        .norm2 = "layer_norm2",
                                        .wide = "mlp.fc1",
                                        .narrow = "mlp.fc2"};
const itx_block_names itx_names_bert = {.after = true,
                                        .q = "attention.self.query",
                                        .k = "attention.self.key",
                                        .v = "attention.self.value",
                                        .out = "attention.output.dense",
                                        .norm1 = "attention.output.LayerNorm",
                                        .wide = "intermediate.dense",
                                        .narrow = "output.dense",
                                        .norm2 = "output.LayerNorm"};

/* ---- running ---- */

static itx_tensor *norm(itx_run *run, const itx_blocks *all, itx_tensor *x, const itx_affine *a)
{
    return itx->layer_norm(run, x, a->w, a->b, all->facts.eps);
}

static itx_tensor *linear(itx_run *run, itx_tensor *x, const itx_affine *a)
{
    return itx->linear(run, x, a->w, a->b, ITX_NONE);
}

/* Queries, keys and values of x; with `first` the query of the first place alone. */
static void project(itx_run *run, const itx_block *b, itx_tensor *x, bool first, itx_tensor *qkv[3])
{
    const int64_t width = itx->size(x, 2);
    if (b->k.w) {
        qkv[0] = linear(run, first ? itx->slice(run, x, 1, 0, 1) : x, &b->q);
        qkv[1] = linear(run, x, &b->k);
        qkv[2] = linear(run, x, &b->v);
        return;
    }
    itx_tensor *all = linear(run, x, &b->q);
    for (int64_t i = 0; i < 3; i++)
        qkv[i] = itx->slice(run, all, 2, i * width, (i + 1) * width);
    if (first)
        qkv[0] = itx->slice(run, qkv[0], 1, 0, 1);
}

static itx_tensor *run_block(itx_run *run, const itx_blocks *all, const itx_block *b, itx_tensor *x,
                             itx_tensor *mask, bool first)
{
    const itx_tower_facts *f = &all->facts;
    itx_tensor *qkv[3];
    project(run, b, all->after ? x : norm(run, all, x, &b->norm1), first, qkv);
    itx_tensor *y = itx->attention(run, qkv[0], qkv[1], qkv[2], f->heads, mask);
    y = itx->add(run, linear(run, y, &b->out), first ? itx->slice(run, x, 1, 0, 1) : x);
    if (all->after)
        y = norm(run, all, y, &b->norm1);
    itx_tensor *z = all->after ? y : norm(run, all, y, &b->norm2);
    z = itx->linear(run, z, b->wide.w, b->wide.b, (itx_act)f->act);
    y = itx->add(run, linear(run, z, &b->narrow), y);
    return all->after ? norm(run, all, y, &b->norm2) : y;
}

/* A copy of the first place: a view would keep all others. */
static itx_tensor *first_place(itx_run *run, itx_tensor *x)
{
    return itx->scale(run, itx->slice(run, x, 1, 0, 1), 1.0);
}

itx_tensor *itx_run_blocks(itx_run *run, const itx_blocks *b, itx_tensor *x, itx_tensor *mask,
                           bool first, itx_tensor **inner)
{
    const size_t start = itx->mark(run);
    itx_tensor *places = NULL;
    for (int64_t i = 0; i < b->facts.depth; i++) {
        x = run_block(run, b, &b->block[i], x, mask, first && i + 1 == b->facts.depth);
        if (inner)
            places = itx_past_grow(run, places, first_place(run, x));
        itx_tensor *const keep[] = {x, places};
        itx->sweep(run, start, keep, places ? 2 : 1);
    }
    if (inner)
        *inner = places;
    return x;
}

/* ---- weights ---- */

static void take_block(itx_loader *l, const itx_tower_facts *f, const char *at,
                       const itx_block_names *n, itx_block *b)
{
    const int64_t w = f->width;
    b->norm1 = itx_take_norm(l, w, "%s.%s", at, n->norm1);
    if (n->joint_w) {
        b->q = itx_take_named(l, 3 * w, w, at, n->joint_w, n->joint_b);
    } else {
        b->q = itx_take_linear(l, w, w, "%s.%s", at, n->q);
        b->k = itx_take_linear(l, w, w, "%s.%s", at, n->k);
        b->v = itx_take_linear(l, w, w, "%s.%s", at, n->v);
    }
    b->out = itx_take_linear(l, w, w, "%s.%s", at, n->out);
    b->norm2 = itx_take_norm(l, w, "%s.%s", at, n->norm2);
    b->wide = itx_take_linear(l, f->wide, w, "%s.%s", at, n->wide);
    b->narrow = itx_take_linear(l, w, f->wide, "%s.%s", at, n->narrow);
}

void itx_take_blocks(itx_loader *l, itx_blocks *b, const itx_tower_facts *facts, const char *prefix,
                     const itx_block_names *names)
{
    char at[96];
    b->facts = *facts;
    b->after = names->after;
    b->block = itx_loader_alloc(l, (size_t)facts->depth * sizeof *b->block);
    for (int64_t i = 0; i < facts->depth && !itx_loader_failed(l); i++) {
        (void)snprintf(at, sizeof at, "%s.%d", prefix, (int)i);
        take_block(l, facts, at, names, &b->block[i]);
    }
    (void)snprintf(at, sizeof at, "%s.%d", prefix, (int)facts->depth);
    if (!itx_loader_failed(l) && itx_has(l, "%s.%s.weight", at, names->norm1))
        itx_loader_fail(l, ITEM_E_PACK, "%s.%s.weight: the configuration has %d blocks", at,
                        names->norm1, (int)facts->depth);
}
