/* SPDX-License-Identifier: Apache-2.0 */
/* The text encoder: BERT, as sentence-transformers trained it, mean over all tokens. */
#include "nets.h"

/* ---- the network ---- */

static itx_tensor *column(itx_run *run, itx_tensor *x, int64_t part, int64_t rows, int64_t width)
{
    itx_tensor *one = itx->slice(run, x, 1, part * width, (part + 1) * width);
    return itx->reshape(run, one, &(itx_shape){3, {1, rows, width}});
}

static itx_tensor *attend(itx_run *run, const itx_text *t, const itx_text_layer *l, itx_tensor *x,
                          itx_tensor *mask)
{
    const int64_t rows = itx->size(x, 0);
    itx_tensor *qkv = itx->linear(run, x, l->qkv.w, l->qkv.b, ITX_NONE);
    itx_tensor *y = itx->attention(run, column(run, qkv, 0, rows, t->width),
                                   column(run, qkv, 1, rows, t->width),
                                   column(run, qkv, 2, rows, t->width), t->heads, mask);
    y = itx->reshape(run, y, &(itx_shape){2, {rows, t->width}});
    return itx->linear(run, y, l->out.w, l->out.b, ITX_NONE);
}

static itx_tensor *layer(itx_run *run, const itx_text *t, const itx_text_layer *l, itx_tensor *x,
                         itx_tensor *mask)
{
    x = itx->add(run, attend(run, t, l, x, mask), x);
    x = itx->layer_norm(run, x, l->norm1.w, l->norm1.b, t->eps);
    itx_tensor *y = itx->linear(run, x, l->wide.w, l->wide.b, ITX_GELU);
    y = itx->add(run, itx->linear(run, y, l->narrow.w, l->narrow.b, ITX_NONE), x);
    return itx->layer_norm(run, y, l->norm2.w, l->norm2.b, t->eps);
}

itx_tensor *itx_text_vectors(itx_run *run, const itx_text *t, const itx_tokens_row *row)
{
    const int64_t total = (int64_t)row->total, texts = (int64_t)row->texts;
    const itx_shape one_row = {1, {total}};
    itx_tensor *x = itx->rows(run, t->words, itx->indices(run, row->ids, &one_row));
    x = itx->add(run, x, itx->rows(run, t->positions, itx->indices(run, row->positions, &one_row)));
    x = itx->add(run, x, itx->slice(run, t->types, 0, 0, 1));
    x = itx->layer_norm(run, x, t->norm.w, t->norm.b, t->eps);
    itx_tensor *mask = itx->input(run, row->mask, &(itx_shape){2, {total, total}});
    const size_t start = itx->mark(run);
    for (size_t i = 0; i < t->count; i++) {
        x = layer(run, t, &t->layers[i], x, mask);
        itx->sweep(run, start, &x, 1);
    }
    itx_tensor *shares = itx->input(run, row->shares, &(itx_shape){2, {texts, total}});
    return itx->matmul(run, shares, x);
}

itx_row_kind itx_text_row(const itx_text *t)
{
    return (itx_row_kind){.limit = (size_t)t->limit};
}

/* ---- weights ---- */

static void load_layer(itx_loader *l, itx_text *t, int i)
{
    static const char *const qkv[] = {"query", "key", "value"};
    itx_text_layer *layer_i = &t->layers[i];
    const int64_t w = t->width,
                  wide = itx_peek(l, 0, "encoder.layer.%d.intermediate.dense.bias", i);
    layer_i->qkv = itx_take_joint(l, w, w, qkv, 3, "encoder.layer.%d.attention.self", i);
    layer_i->out = itx_take_linear(l, w, w, "encoder.layer.%d.attention.output.dense", i);
    layer_i->norm1 = itx_take_norm(l, w, "encoder.layer.%d.attention.output.LayerNorm", i);
    layer_i->wide = itx_take_linear(l, wide, w, "encoder.layer.%d.intermediate.dense", i);
    layer_i->narrow = itx_take_linear(l, w, wide, "encoder.layer.%d.output.dense", i);
    layer_i->norm2 = itx_take_norm(l, w, "encoder.layer.%d.output.LayerNorm", i);
}

static void load(itx_loader *l, void *model)
{
    itx_text *t = model;
    double heads;
    (void)itx_meta_numbers(l, "heads", &heads, 1, 1.0, ITX_HEADS);
    (void)itx_meta_numbers(l, "layer_norm_eps", &t->eps, 1, 0.0, 1.0);
    t->width = itx_peek(l, 1, "embeddings.word_embeddings.weight");
    const int64_t words = itx_peek(l, 0, "embeddings.word_embeddings.weight");
    t->limit = itx_peek(l, 0, "embeddings.position_embeddings.weight");
    const int64_t types = itx_peek(l, 0, "embeddings.token_type_embeddings.weight");
    if (itx_loader_failed(l))
        return;
    t->heads = (int64_t)heads;
    if (t->limit < 2 || t->limit > ITX_ROW_TOKENS || t->width % t->heads != 0)
        itx_loader_fail(l, ITEM_E_PACK, "%d heads of width %d, %d positions are not supported",
                        (int)t->heads, (int)t->width, (int)t->limit);
    t->words =
        itx_take(l, 2, (const int64_t[]){words, t->width}, "embeddings.word_embeddings.weight");
    t->positions = itx_take(l, 2, (const int64_t[]){t->limit, t->width},
                            "embeddings.position_embeddings.weight");
    t->types = itx_take(l, 2, (const int64_t[]){types, t->width},
                        "embeddings.token_type_embeddings.weight");
    t->norm = itx_take_norm(l, t->width, "embeddings.LayerNorm");
    while (t->count < ITX_TEXT_LAYERS &&
           itx_has(l, "encoder.layer.%d.output.dense.weight", (int)t->count))
        load_layer(l, t, (int)t->count++);
    if (t->count == 0)
        itx_loader_fail(l, ITEM_E_PACK, "no tensor encoder.layer.0.output.dense.weight");
    if (itx_has(l, "encoder.layer.%d.output.dense.weight", ITX_TEXT_LAYERS))
        itx_loader_fail(l, ITEM_E_PACK, "more than %d layers", ITX_TEXT_LAYERS);
}

const itx_kind itx_text_kind = {"bert", sizeof(itx_text), load};
