/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CLIP's text tower. Texts are computed as one row of tokens with a mask between them and after
 * each token, so that they cost no padding.
 */
#include "blocks.h"

const itx_clip_text_names itx_clip_text_hf = {
    .words = "text_model.embeddings.token_embedding.weight",
    .positions = "text_model.embeddings.position_embedding.weight",
    .blocks = "text_model.encoder.layers",
    .norm = "text_model.final_layer_norm",
    .block = &itx_names_hf};
const itx_clip_text_names itx_clip_text_open_clip = {.words = "token_embedding.weight",
                                                     .positions = "positional_embedding",
                                                     .blocks = "transformer.resblocks",
                                                     .norm = "ln_final",
                                                     .block = &itx_names_open_clip};

itx_clip_text_facts itx_clip_text_read(itx_facts *f, const itx_clip_text_facts *defaults)
{
    itx_clip_text_facts t = *defaults;
    t.words = itx_fact_count(f, "vocab_size", t.words, 10000000);
    t.tower = itx_tower_read(f, &defaults->tower);
    t.limit = itx_fact_count(f, "max_position_embeddings", t.limit, ITX_ROW_TOKENS);
    t.eos = (int64_t)itx_fact_number(f, "eos_token_id", (double)t.eos, 0.0, 1e7);
    return t;
}

void itx_take_clip_text(itx_loader *l, itx_clip_text *t, const itx_clip_text_facts *facts,
                        const itx_clip_text_names *names)
{
    const int64_t w = facts->tower.width;
    t->facts = *facts;
    t->words = itx_take_flat(l, facts->words, w, names->words);
    t->positions = itx_take_flat(l, facts->limit, w, names->positions);
    itx_take_blocks(l, &t->blocks, &facts->tower, names->blocks, names->block);
    t->norm = itx_take_norm(l, w, "%s", names->norm);
}

itx_row_kind itx_clip_text_row(const itx_clip_text *t)
{
    return (itx_row_kind){.limit = (size_t)t->facts.limit, .causal = true, .eos = t->facts.eos};
}

itx_tensor *itx_run_clip_text(itx_run *run, const itx_clip_text *t, const itx_tokens_row *row)
{
    const int64_t total = (int64_t)row->total, texts = (int64_t)row->texts;
    const int64_t w = t->facts.tower.width;
    const itx_shape line = {1, {total}};
    itx_tensor *x = itx->rows(run, t->words, itx->indices(run, row->ids, &line));
    x = itx->add(run, x, itx->rows(run, t->positions, itx->indices(run, row->positions, &line)));
    x = itx->reshape(run, x, &(itx_shape){3, {1, total, w}});
    itx_tensor *mask = itx->input(run, row->mask, &(itx_shape){2, {total, total}});
    x = itx_run_blocks(run, &t->blocks, x, mask, false, NULL);
    x = itx->reshape(run, x, &(itx_shape){2, {total, w}});
    x = itx->rows(run, x, itx->indices(run, row->ends, &(itx_shape){1, {texts}}));
    return itx->layer_norm(run, x, t->norm.w, t->norm.b, t->facts.tower.eps);
}
