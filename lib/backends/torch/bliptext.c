/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BLIP's text decoder: BERT's blocks, normalised after each part, with attention to the picture.
 * Keys and values of the words so far are kept, so that a step computes what is new.
 */
#include <stdio.h>

#include "blip.h"

static itx_tensor *norm(itx_run *run, const itx_blip_text *t, itx_tensor *x, const itx_affine *n)
{
    return itx->layer_norm(run, x, n->w, n->b, t->facts.tower.eps);
}

static itx_tensor *linear(itx_run *run, itx_tensor *x, const itx_affine *a)
{
    return itx->linear(run, x, a->w, a->b, ITX_NONE);
}

void itx_blip_start(itx_run *run, const itx_blip_text *t, itx_past *s, itx_tensor *seen,
                    size_t start)
{
    *s = (itx_past){.layers = (size_t)t->facts.tower.depth,
                    .pictures = itx->size(seen, 0),
                    .beams = 1,
                    .start = start};
    for (int64_t i = 0; i < t->facts.tower.depth; i++) {
        s->cross_k[i] = linear(run, seen, &t->layer[i].cross.k);
        s->cross_v[i] = linear(run, seen, &t->layer[i].cross.v);
    }
    itx_past_sweep(run, s, NULL);
}

static itx_tensor *attend_self(itx_run *run, const itx_blip_text *t, itx_past *s, int64_t i,
                               itx_tensor *x, itx_tensor *mask)
{
    const itx_blip_attention *a = &t->layer[i].self;
    s->self_k[i] = itx_past_grow(run, s->self_k[i], linear(run, x, &a->k));
    s->self_v[i] = itx_past_grow(run, s->self_v[i], linear(run, x, &a->v));
    itx_tensor *y = itx->attention(run, linear(run, x, &a->q), s->self_k[i], s->self_v[i],
                                   t->facts.tower.heads, mask);
    return norm(run, t, itx->add(run, linear(run, y, &a->out), x), &a->norm);
}

/* The beams of a picture ask the same keys: they are its rows of queries. */
static itx_tensor *attend_picture(itx_run *run, const itx_blip_text *t, const itx_past *s,
                                  int64_t i, itx_tensor *x)
{
    const itx_blip_attention *a = &t->layer[i].cross;
    const int64_t rows = itx->size(x, 0), length = itx->size(x, 1), w = t->facts.tower.width;
    itx_tensor *q = itx->reshape(run, linear(run, x, &a->q),
                                 &(itx_shape){3, {s->pictures, s->beams * length, w}});
    itx_tensor *y =
        itx->attention(run, q, s->cross_k[i], s->cross_v[i], t->facts.tower.heads, NULL);
    y = itx->reshape(run, y, &(itx_shape){3, {rows, length, w}});
    return norm(run, t, itx->add(run, linear(run, y, &a->out), x), &a->norm);
}

static itx_tensor *feed(itx_run *run, const itx_blip_text *t, int64_t i, itx_tensor *x)
{
    const itx_blip_layer *l = &t->layer[i];
    itx_tensor *y = itx->linear(run, x, l->wide.w, l->wide.b, (itx_act)t->facts.tower.act);
    return norm(run, t, itx->add(run, linear(run, y, &l->narrow), x), &l->norm);
}

/* Log-probabilities of what follows each of some words, [words, width] -> [words, vocabulary]. */
static itx_tensor *predict(itx_run *run, const itx_blip_text *t, itx_tensor *x)
{
    x = itx->linear(run, x, t->transform.w, t->transform.b, (itx_act)t->facts.tower.act);
    x = linear(run, norm(run, t, x, &t->transform_norm), &t->decoder);
    return itx->log_softmax(run, x, 1);
}

/* [rows, length, width]: where the words end up. */
static itx_tensor *read_words(itx_run *run, const itx_blip_text *t, itx_past *s, const int64_t *ids,
                              int64_t length, const float *causal)
{
    const int64_t rows = s->pictures * s->beams, w = t->facts.tower.width;
    itx_tensor *x =
        itx->rows(run, t->words, itx->indices(run, ids, &(itx_shape){1, {rows * length}}));
    x = itx->reshape(run, x, &(itx_shape){3, {rows, length, w}});
    x = itx->add(run, x, itx->slice(run, t->positions, 0, s->said, s->said + length));
    x = norm(run, t, x, &t->norm);
    itx_tensor *mask =
        length > 1 ? itx->input(run, causal, &(itx_shape){2, {length, length}}) : NULL;
    for (int64_t i = 0; i < t->facts.tower.depth; i++) {
        x = attend_self(run, t, s, i, x, mask);
        x = attend_picture(run, t, s, i, x);
        x = feed(run, t, i, x);
    }
    return x;
}

itx_tensor *itx_blip_step(itx_run *run, const itx_blip_text *t, itx_past *s, const int64_t *ids,
                          int64_t length, const float *causal)
{
    const itx_shape last = {2, {s->pictures * s->beams, t->facts.tower.width}};
    itx_tensor *x = read_words(run, t, s, ids, length, causal);
    x = predict(run, t, itx->reshape(run, itx->slice(run, x, 1, length - 1, length), &last));
    itx_past_sweep(run, s, x);
    s->said += length;
    return x;
}

itx_tensor *itx_blip_read(itx_run *run, const itx_blip_text *t, itx_past *s, const int64_t *ids,
                          int64_t length, const float *causal)
{
    const itx_shape all = {2, {s->pictures * s->beams * length, t->facts.tower.width}};
    itx_tensor *x = read_words(run, t, s, ids, length, causal);
    return predict(run, t, itx->reshape(run, x, &all));
}

/* ---- weights ---- */

#define BERT "text_decoder.bert."
#define HEAD "text_decoder.cls.predictions"

static void take_attention(itx_loader *l, itx_blip_attention *a, int64_t width, int64_t seen,
                           const char *at)
{
    a->q = itx_take_linear(l, width, width, "%s.self.query", at);
    a->k = itx_take_linear(l, width, seen, "%s.self.key", at);
    a->v = itx_take_linear(l, width, seen, "%s.self.value", at);
    a->out = itx_take_linear(l, width, width, "%s.output.dense", at);
    a->norm = itx_take_norm(l, width, "%s.output.LayerNorm", at);
}

static void take_layer(itx_loader *l, const itx_blip_text *t, int i, itx_blip_layer *y)
{
    char at[96];
    const int64_t w = t->facts.tower.width, wide = t->facts.tower.wide;
    (void)snprintf(at, sizeof at, BERT "encoder.layer.%d.attention", i);
    take_attention(l, &y->self, w, w, at);
    (void)snprintf(at, sizeof at, BERT "encoder.layer.%d.crossattention", i);
    take_attention(l, &y->cross, w, t->facts.seen, at);
    y->wide = itx_take_linear(l, wide, w, BERT "encoder.layer.%d.intermediate.dense", i);
    y->narrow = itx_take_linear(l, w, wide, BERT "encoder.layer.%d.output.dense", i);
    y->norm = itx_take_norm(l, w, BERT "encoder.layer.%d.output.LayerNorm", i);
}

/* Where a file holds a matrix of its own for the last step, the reference uses that; else the
   words themselves. The same of the bias, which has the precision of its matrix. */
static void take_decoder(itx_loader *l, itx_blip_text *t)
{
    const int64_t w = t->facts.tower.width, words = t->facts.words;
    (void)itx_has(l, HEAD ".bias"); /* where both are there, this one is not used */
    const char *bias = itx_has(l, HEAD ".decoder.bias") ? "decoder.bias" : "bias";
    if (!t->facts.tied || itx_has(l, HEAD ".decoder.weight"))
        t->decoder = itx_take_named(l, words, w, HEAD, "decoder.weight", bias);
    else
        t->decoder = (itx_affine){t->words, itx_take(l, 1, &words, HEAD ".%s", bias)};
}

void itx_take_blip_text(itx_loader *l, itx_blip_text *t, const itx_blip_text_facts *facts)
{
    const int64_t w = facts->tower.width;
    t->facts = *facts;
    t->words = itx_take_flat(l, facts->words, w, BERT "embeddings.word_embeddings.weight");
    t->positions = itx_take_flat(l, facts->limit, w, BERT "embeddings.position_embeddings.weight");
    t->norm = itx_take_norm(l, w, BERT "embeddings.LayerNorm");
    t->layer = itx_loader_alloc(l, (size_t)facts->tower.depth * sizeof *t->layer);
    for (int64_t i = 0; i < facts->tower.depth && !itx_loader_failed(l); i++)
        take_layer(l, t, (int)i, &t->layer[i]);
    t->transform = itx_take_linear(l, w, w, HEAD ".transform.dense");
    t->transform_norm = itx_take_norm(l, w, HEAD ".transform.LayerNorm");
    take_decoder(l, t);
    const int beyond = (int)facts->tower.depth;
    if (!itx_loader_failed(l) && itx_has(l, BERT "encoder.layer.%d.output.dense.weight", beyond))
        itx_loader_fail(l, ITEM_E_PACK,
                        "the text decoder has more than the %d layers of the "
                        "configuration",
                        beyond);
}
