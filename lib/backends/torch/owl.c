/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OWL-ViT and OWLv2: CLIP's two towers, and heads that give each patch of a picture a vector to be
 * compared with texts, and a box. Class defaults: transformers 5.24, configuration_owlvit.py and
 * configuration_owlv2.py. OWLv2's objectness head serves queries that are pictures: it is not read.
 */
#include "owl.h"

#include <string.h>

#define EPS 1e-6 /* that the class head adds to a length */

#define VISION(of)                                                                                 \
    {                                                                                              \
        .patches = of ".vision_model.embeddings.patch_embedding",                                  \
        .class = of ".vision_model.embeddings.class_embedding",                                    \
        .positions = of ".vision_model.embeddings.position_embedding.weight",                      \
        .pre_norm = of ".vision_model.pre_layernorm", .blocks = of ".vision_model.encoder.layers", \
        .post_norm = of ".vision_model.post_layernorm", .block = &itx_names_hf                     \
    }
#define TEXT(of)                                                                                   \
    {                                                                                              \
        .words = of ".text_model.embeddings.token_embedding.weight",                               \
        .positions = of ".text_model.embeddings.position_embedding.weight",                        \
        .blocks = of ".text_model.encoder.layers", .norm = of ".text_model.final_layer_norm",      \
        .block = &itx_names_hf                                                                     \
    }

static const itx_vit_names vision_names[] = {VISION("owlvit"), VISION("owlv2")};
static const itx_clip_text_names text_names[] = {TEXT("owlvit"), TEXT("owlv2")};
static const char *const projections[] = {"owlvit.text_projection.weight",
                                          "owlv2.text_projection.weight"};

/* ---- facts ---- */

static const itx_clip_text_facts text_defaults = {
    .tower = {512, 12, 8, 2048, 1e-5, ITX_QUICK_GELU}, .words = 49408, .limit = 16};

item_status itx_owl_read(itx_owl_facts *facts, const item_services *s, bool second, item_error *err)
{
    const itx_vit_facts defaults = {
        .tower = {768, 12, 12, 3072, 1e-5, ITX_QUICK_GELU}, .edge = 768, .patch = second ? 16 : 32};
    itx_facts f;
    memset(facts, 0, sizeof *facts); /* its bytes are compared */
    itx_facts_open(&f, s, err);
    facts->second = second;
    const int64_t width = itx_fact_count(&f, "projection_dim", 512, 8192);
    itx_facts_section(&f, "vision_config");
    facts->vision = itx_vit_read(&f, &defaults);
    itx_facts_section(&f, "text_config");
    facts->text = itx_clip_text_read(&f, &text_defaults);
    facts->text.eos = ITX_LARGEST_ID; /* these families never ask for the id of the end */
    if (width != facts->text.tower.width)
        (void)itx_facts_fail(&f, "projection_dim is %d, the class head compares %d numbers",
                             (int)width, (int)facts->text.tower.width);
    return f.status;
}

/* ---- weights ---- */

/* For queries that are pictures: a file may have them. */
static void pass_over(itx_loader *l, bool second)
{
    (void)itx_has(l, "%s.visual_projection.weight", second ? "owlv2" : "owlvit");
    for (int i = 0; second && i < 3; i++) {
        (void)itx_has(l, "objectness_head.dense%d.weight", i);
        (void)itx_has(l, "objectness_head.dense%d.bias", i);
    }
}

static void load(itx_loader *l, void *model)
{
    itx_owl *o = model;
    o->facts = *(const itx_owl_facts *)itx_loader_facts(l);
    const bool second = o->facts.second != 0;
    const int64_t w = o->facts.vision.tower.width, t = o->facts.text.tower.width;
    const int64_t side = o->facts.vision.edge / o->facts.vision.patch;
    itx_take_vit(l, &o->vision, &o->facts.vision, &vision_names[second]);
    itx_take_clip_text(l, &o->text, &o->facts.text, &text_names[second]);
    o->projection.w = itx_take_matrix(l, t, t, projections[second]);
    o->norm = itx_take_norm(l, w, "layer_norm");
    o->vector = itx_take_linear(l, t, w, "class_head.dense0");
    static const char *const last[] = {"logit_shift", "logit_scale"};
    o->shift_scale = itx_take_joint(l, 1, w, last, 2, "class_head");
    o->box[0] = itx_take_linear(l, w, w, "box_head.dense0");
    o->box[1] = itx_take_linear(l, w, w, "box_head.dense1");
    o->box[2] = itx_take_linear(l, 4, w, "box_head.dense2");
    o->bias = itx_loader_alloc(l, (size_t)(side * side) * 4 * sizeof *o->bias);
    if (o->bias)
        itx_owl_bias(o->bias, side);
    pass_over(l, second);
}

const itx_kind itx_owl_kind = {"owl", sizeof(itx_owl), load};

/* ---- running ---- */

itx_tensor *itx_owl_texts(itx_run *run, const itx_owl *o, const itx_tokens_row *row)
{
    itx_tensor *x = itx_run_clip_text(run, &o->text, row);
    x = itx->linear(run, x, o->projection.w, NULL, ITX_NONE);
    return itx->unit(run, itx->unit(run, x, 0.0), EPS); /* once by the model, once by its head */
}

static itx_tensor *linear(itx_run *run, itx_tensor *x, const itx_affine *a, itx_act act)
{
    return itx->linear(run, x, a->w, a->b, act);
}

itx_owl_seen itx_owl_look(itx_run *run, const itx_owl *o, const float *pixels, size_t n)
{
    const int64_t places = o->vision.places;
    const size_t start = itx->mark(run);
    itx_tensor *x = itx_run_vit(run, &o->vision, pixels, n, false, NULL);
    itx_tensor *class = itx->slice(run, x, 1, 0, 1);
    x = itx->multiply(run, itx->slice(run, x, 1, 1, 1 + places), class);
    x = itx->layer_norm(run, x, o->norm.w, o->norm.b, o->facts.vision.tower.eps);
    itx->sweep(run, start, &x, 1);
    itx_owl_seen seen = {
        .vectors = itx->unit(run, linear(run, x, &o->vector, ITX_NONE), EPS),
        .shift_scale = linear(run, x, &o->shift_scale, ITX_NONE),
    };
    itx_tensor *box = linear(run, x, &o->box[0], ITX_GELU);
    box = linear(run, box, &o->box[1], ITX_GELU);
    seen.boxes = linear(run, box, &o->box[2], ITX_NONE);
    return seen;
}
