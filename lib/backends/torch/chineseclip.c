/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The space "chinese_clip": CLIP's vision tower, BERT for texts, a projection of each. Class
 * defaults: transformers 5.24, configuration_chinese_clip.py.
 */
#include <string.h>

#include "stages.h"

typedef struct chinese_clip_facts {
    itx_vit_facts vision;
    itx_tower_facts text;
    int64_t words, limit, types;
    int64_t width;
} chinese_clip_facts;

typedef struct chinese_clip {
    chinese_clip_facts facts;
    itx_vit vision;
    itx_tensor *words, *positions, *types;
    itx_affine norm;
    itx_blocks text;
    itx_tensor *image_projection, *text_projection;
} chinese_clip;

/* ---- facts ---- */

static const itx_vit_facts vision_defaults = {
    .tower = {768, 12, 12, 3072, 1e-5, ITX_QUICK_GELU}, .edge = 224, .patch = 32};
static const itx_tower_facts text_defaults = {768, 12, 12, 3072, 1e-12, ITX_GELU};

static void read_facts(itx_facts *f, chinese_clip_facts *c)
{
    c->width = itx_fact_count(f, "projection_dim", 512, 8192);
    itx_facts_section_of(f, "vision_config_dict", "vision_config");
    c->vision = itx_vit_read(f, &vision_defaults);
    itx_facts_section_of(f, "text_config_dict", "text_config");
    c->text = itx_tower_read(f, &text_defaults);
    c->words = itx_fact_count(f, "vocab_size", 30522, 10000000);
    c->limit = itx_fact_count(f, "max_position_embeddings", 512, ITX_TEXT_LIMIT);
    c->types = itx_fact_count(f, "type_vocab_size", 2, 1024);
}

/* ---- weights ---- */

#define EMBEDDINGS "text_model.embeddings."

static void load(itx_loader *l, void *model)
{
    chinese_clip *c = model;
    c->facts = *(const chinese_clip_facts *)itx_loader_facts(l);
    const chinese_clip_facts *f = &c->facts;
    const int64_t w = f->text.width;
    itx_take_vit(l, &c->vision, &f->vision, &itx_vit_clip);
    c->words = itx_take_flat(l, f->words, w, EMBEDDINGS "word_embeddings.weight");
    c->positions = itx_take_flat(l, f->limit, w, EMBEDDINGS "position_embeddings.weight");
    c->types = itx_take_flat(l, f->types, w, EMBEDDINGS "token_type_embeddings.weight");
    c->norm = itx_take_norm(l, w, EMBEDDINGS "LayerNorm");
    itx_take_blocks(l, &c->text, &f->text, "text_model.encoder.layer", &itx_names_bert);
    c->image_projection =
        itx_take_matrix(l, f->width, f->vision.tower.width, "visual_projection.weight");
    c->text_projection = itx_take_matrix(l, f->width, w, "text_projection.weight");
}

static const itx_kind kind = {"chinese_clip", sizeof(chinese_clip), load};

/* ---- the space ---- */

static itx_tensor *images(itx_run *run, const itx_embedder *e, const float *pixels, size_t n,
                          itx_tensor **inner)
{
    const chinese_clip *c = itx_net_model(e->net[0]);
    itx_tensor *x = itx_run_vit(run, &c->vision, pixels, n, true, inner);
    x = itx->reshape(run, x, &(itx_shape){2, {(int64_t)n, c->facts.vision.tower.width}});
    return itx->linear(run, x, c->image_projection, NULL, ITX_NONE);
}

/* Of each text the state of its first token, [CLS]; all tokens are of the first type. */
static itx_tensor *texts(itx_run *run, const itx_embedder *e, const itx_tokens_row *row)
{
    const chinese_clip *c = itx_net_model(e->net[0]);
    const int64_t total = (int64_t)row->total, w = c->facts.text.width;
    const itx_shape line = {1, {total}};
    itx_tensor *x = itx->rows(run, c->words, itx->indices(run, row->ids, &line));
    x = itx->add(run, x, itx->slice(run, c->types, 0, 0, 1));
    x = itx->add(run, x, itx->rows(run, c->positions, itx->indices(run, row->positions, &line)));
    x = itx->layer_norm(run, x, c->norm.w, c->norm.b, c->facts.text.eps);
    x = itx->reshape(run, x, &(itx_shape){3, {1, total, w}});
    itx_tensor *mask = itx->input(run, row->mask, &(itx_shape){2, {total, total}});
    x = itx_run_blocks(run, &c->text, x, mask, false, NULL);
    x = itx->reshape(run, x, &(itx_shape){2, {total, w}});
    x = itx->rows(run, x, itx->indices(run, row->ends, &(itx_shape){1, {(int64_t)row->texts}}));
    return itx->linear(run, x, c->text_projection, NULL, ITX_NONE);
}

static item_status open_space(itx_embedder *e, item_error *err)
{
    itx_facts f;
    chinese_clip_facts c;
    memset(&c, 0, sizeof c); /* its bytes are compared */
    itx_facts_open(&f, e->s, err);
    read_facts(&f, &c);
    if (f.status != ITEM_OK)
        return f.status;
    e->row = (itx_row_kind){.limit = (size_t)c.limit, .eos = ITX_FIRST_ID};
    const itx_published parts = {.kind = &kind,
                                 .facts = &c,
                                 .size = sizeof c,
                                 .prep = &itx_prep_crop,
                                 .edge = c.vision.edge,
                                 .patch = c.vision.patch,
                                 .words = c.words,
                                 .width = c.width,
                                 .layers = itx_vit_layers(&c.vision)};
    return itx_open_published(e, &parts, err);
}

const itx_space itx_space_chinese_clip = {"chinese_clip", open_space, itx_read_prepared, images,
                                          texts};
