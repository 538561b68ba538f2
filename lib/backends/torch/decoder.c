/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caption network: a transformer decoder that looks at the picture's grid. Keys and values of
 * the words said so far are kept, so that a step computes one word for each row.
 */
#include "nets.h"

#include <math.h>

#define EPS 1e-5

static itx_tensor *norm(itx_run *run, itx_tensor *x, const itx_affine *n)
{
    return itx->layer_norm(run, x, n->w, n->b, EPS);
}

static itx_tensor *linear(itx_run *run, itx_tensor *x, const itx_affine *a)
{
    return itx->linear(run, x, a->w, a->b, ITX_NONE);
}

/* Part i of a joint linear layer's answer, as [n, length, width]. */
static itx_tensor *part(itx_run *run, itx_tensor *x, int64_t i, int64_t n, int64_t width)
{
    const int64_t rows = itx->size(x, 0);
    itx_tensor *one = itx->slice(run, x, 1, i * width, (i + 1) * width);
    return itx->reshape(run, one, &(itx_shape){3, {n, n > 0 ? rows / n : 0, width}});
}

void itx_decoder_start(itx_run *run, const itx_decoder *d, itx_past *s, itx_tensor *grid,
                       int64_t beams)
{
    const int64_t n = itx->size(grid, 0);
    *s = (itx_past){.layers = d->count, .pictures = n, .beams = beams, .start = itx->mark(run)};
    itx_tensor *m = norm(run, linear(run, grid, &d->memory), &d->memory_norm);
    m = itx->add(run, m, d->memory_pos);
    m = itx->reshape(run, m, &(itx_shape){2, {n * d->places, d->width}});
    for (size_t i = 0; i < d->count; i++) {
        itx_tensor *kv = linear(run, m, &d->layers[i].cross_kv);
        s->cross_k[i] = part(run, kv, 0, n, d->width);
        s->cross_v[i] = part(run, kv, 1, n, d->width);
    }
}

/* x holds as many words for each row as there are new ones, one after another. */
static itx_tensor *attend_self(itx_run *run, const itx_decoder *d, itx_past *s, size_t i,
                               itx_tensor *x, itx_tensor *mask)
{
    const itx_decoder_layer *l = &d->layers[i];
    const int64_t rows = s->pictures * s->beams, words = itx->size(x, 0);
    itx_tensor *qkv = linear(run, norm(run, x, &l->norm1), &l->self_qkv);
    s->self_k[i] = itx_past_grow(run, s->self_k[i], part(run, qkv, 1, rows, d->width));
    s->self_v[i] = itx_past_grow(run, s->self_v[i], part(run, qkv, 2, rows, d->width));
    itx_tensor *y = itx->attention(run, part(run, qkv, 0, rows, d->width), s->self_k[i],
                                   s->self_v[i], d->heads, mask);
    y = itx->reshape(run, y, &(itx_shape){2, {words, d->width}});
    return linear(run, y, &l->self_out);
}

/* The beams of a picture ask the same memory: they are its rows of queries. */
static itx_tensor *attend_memory(itx_run *run, const itx_decoder *d, const itx_past *s, size_t i,
                                 itx_tensor *x)
{
    const itx_decoder_layer *l = &d->layers[i];
    const int64_t words = itx->size(x, 0), each = s->pictures > 0 ? words / s->pictures : 0;
    itx_tensor *q = linear(run, norm(run, x, &l->norm2), &l->cross_q);
    q = itx->reshape(run, q, &(itx_shape){3, {s->pictures, each, d->width}});
    itx_tensor *y = itx->attention(run, q, s->cross_k[i], s->cross_v[i], d->heads, NULL);
    y = itx->reshape(run, y, &(itx_shape){2, {words, d->width}});
    return linear(run, y, &l->cross_out);
}

static itx_tensor *feed(itx_run *run, const itx_decoder_layer *l, itx_tensor *x)
{
    itx_tensor *y = itx->linear(run, norm(run, x, &l->norm3), l->wide.w, l->wide.b, ITX_GELU);
    return linear(run, y, &l->narrow);
}

itx_tensor *itx_decoder_read(itx_run *run, const itx_decoder *d, itx_past *s, const int64_t *ids,
                             int64_t length, const float *causal)
{
    const int64_t rows = s->pictures * s->beams, words = rows * length, w = d->width;
    itx_tensor *x = itx->rows(run, d->words, itx->indices(run, ids, &(itx_shape){1, {words}}));
    x = itx->reshape(run, itx->scale(run, x, sqrt((double)w)), &(itx_shape){3, {rows, length, w}});
    x = itx->add(run, x, itx->slice(run, d->positions, 0, s->said, s->said + length));
    x = itx->reshape(run, x, &(itx_shape){2, {words, w}});
    itx_tensor *mask = causal ? itx->input(run, causal, &(itx_shape){2, {length, length}}) : NULL;
    for (size_t i = 0; i < d->count; i++) {
        x = itx->add(run, x, attend_self(run, d, s, i, x, mask));
        x = itx->add(run, x, attend_memory(run, d, s, i, x));
        x = itx->add(run, x, feed(run, &d->layers[i], x));
    }
    x = linear(run, norm(run, x, &d->norm), &d->out);
    return itx->log_softmax(run, x, 1);
}

itx_tensor *itx_decoder_step(itx_run *run, const itx_decoder *d, itx_past *s, const int64_t *ids)
{
    itx_tensor *x = itx_decoder_read(run, d, s, ids, 1, NULL);
    itx_past_sweep(run, s, x);
    s->said++;
    return x;
}

/* ---- weights ---- */

static void load_layer(itx_loader *l, const itx_decoder *d, itx_decoder_layer *y, int i)
{
    static const char *const qkv[] = {"q", "k", "v"};
    const int64_t w = d->width, wide = itx_peek(l, 0, "layers.%d.fc1.bias", i);
    y->norm1 = itx_take_norm(l, w, "layers.%d.norm1", i);
    y->self_qkv = itx_take_joint(l, w, w, qkv, 3, "layers.%d.self", i);
    y->self_out = itx_take_linear(l, w, w, "layers.%d.self.out", i);
    y->norm2 = itx_take_norm(l, w, "layers.%d.norm2", i);
    y->cross_q = itx_take_linear(l, w, w, "layers.%d.cross.q", i);
    y->cross_kv = itx_take_joint(l, w, w, qkv + 1, 2, "layers.%d.cross", i);
    y->cross_out = itx_take_linear(l, w, w, "layers.%d.cross.out", i);
    y->norm3 = itx_take_norm(l, w, "layers.%d.norm3", i);
    y->wide = itx_take_linear(l, wide, w, "layers.%d.fc1", i);
    y->narrow = itx_take_linear(l, w, wide, "layers.%d.fc2", i);
}

static void load_facts(itx_loader *l, itx_decoder *d)
{
    double heads;
    d->beams = 3.0;
    (void)itx_meta_numbers(l, "heads", &heads, 1, 1.0, ITX_HEADS);
    (void)itx_meta_numbers(l, "max_words", &d->max_words, 1, 1.0, 1e6);
    (void)itx_meta_numbers(l, "length_alpha", &d->length_alpha, 1, 0.0, ITX_PENALTY);
    (void)itx_numbers(itx_meta(l, "beams"), &d->beams, 1);
    d->heads = (int64_t)heads;
    d->vocabulary = itx_peek(l, 0, "embed.weight");
    d->width = itx_peek(l, 1, "embed.weight");
    d->steps = itx_peek(l, 0, "pos.weight");
    d->places = itx_peek(l, 0, "memory.pos");
    d->grid = itx_peek(l, 1, "memory.proj.weight");
    if (!itx_loader_failed(l) && (d->width % d->heads != 0 || d->vocabulary <= ITX_BEAMS + 4))
        itx_loader_fail(l, ITEM_E_PACK, "%d heads of width %d, %d words are not supported",
                        (int)d->heads, (int)d->width, (int)d->vocabulary);
}

static void load(itx_loader *l, void *model)
{
    itx_decoder *d = model;
    load_facts(l, d);
    if (itx_loader_failed(l))
        return;
    const int64_t w = d->width;
    d->words = itx_take(l, 2, (const int64_t[]){d->vocabulary, w}, "embed.weight");
    /* what is said next is a product with the words themselves; in float32 always, because two
       words that bfloat16 rounds to one number would be chosen between by their order */
    d->out = (itx_affine){d->words, itx_take(l, 1, &d->vocabulary, "out_bias")};
    d->positions = itx_take(l, 2, (const int64_t[]){d->steps, w}, "pos.weight");
    d->memory = itx_take_linear(l, w, d->grid, "memory.proj");
    d->memory_norm = itx_take_norm(l, w, "memory.norm");
    d->memory_pos = itx_take(l, 2, (const int64_t[]){d->places, w}, "memory.pos");
    d->norm = itx_take_norm(l, w, "norm");
    while (d->count < ITX_DECODER_LAYERS && itx_has(l, "layers.%d.fc1.weight", (int)d->count)) {
        load_layer(l, d, &d->layers[d->count], (int)d->count);
        d->count++;
    }
    if (d->count == 0)
        itx_loader_fail(l, ITEM_E_PACK, "no tensor layers.0.fc1.weight");
    if (itx_has(l, "layers.%d.fc1.weight", ITX_DECODER_LAYERS))
        itx_loader_fail(l, ITEM_E_PACK, "more than %d layers", ITX_DECODER_LAYERS);
}

const itx_kind itx_decoder_kind = {"grid-decoder", sizeof(itx_decoder), load};
