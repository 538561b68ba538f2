/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spaces "clip" (names of Hugging Face's files) and "open_clip" (names of OpenCLIP's): CLIP's
 * two towers and a projection of each. Class defaults: transformers 5.24, configuration_clip.py;
 * open_clip 2.30, model.py.
 */
#include <string.h>

#include "stages.h"

#define VISION_CFG "model_cfg.vision_cfg"
#define TEXT_CFG   "model_cfg.text_cfg"

typedef struct clip_facts {
    itx_vit_facts vision;
    itx_clip_text_facts text;
    int64_t width;
    int64_t open_clip; /* 1: that way of naming */
} clip_facts;

typedef struct clip {
    clip_facts facts;
    itx_vit vision;
    itx_clip_text text;
    itx_affine image_projection, text_projection;
} clip;

/* ---- facts ---- */

static const itx_vit_facts vision_defaults = {
    .tower = {768, 12, 12, 3072, 1e-5, ITX_QUICK_GELU}, .edge = 224, .patch = 32};
static const itx_clip_text_facts text_defaults = {
    .tower = {512, 12, 8, 2048, 1e-5, ITX_QUICK_GELU}, .words = 49408, .limit = 77, .eos = 49407};

static void read_facts(itx_facts *f, clip_facts *c)
{
    c->width = itx_fact_count(f, "projection_dim", 512, 8192);
    itx_facts_section_of(f, "vision_config_dict", "vision_config");
    c->vision = itx_vit_read(f, &vision_defaults);
    itx_facts_section_of(f, "text_config_dict", "text_config");
    c->text = itx_clip_text_read(f, &text_defaults);
}

/* 0 where absent: what open_clip's classes demand. */
static int64_t need(itx_facts *f, const char *key)
{
    if (!itx_fact_there(f, key))
        (void)itx_facts_fail(f, "%s.%s is missing", f->section, key);
    return itx_fact_count(f, key, 1, 1 << 20);
}

/* What changes a network's numbers and not its tensors, and is not computed here. */
static void refuse_variants(itx_facts *f)
{
    static const char *const flags[] = {"global_average_pool", "final_ln_after_pool",
                                        "attentional_pool", "no_causal_mask"};
    static const struct {
        const char *key, *known[2];
    } texts[] = {{"timm_model_name", {"", ""}},
                 {"hf_model_name", {"", ""}},
                 {"pool_type", {"tok", "argmax"}}, /* of pictures, of texts */
                 {"act_kwargs.approximate", {"none", "none"}}};
    for (size_t i = 0; i < ITX_COUNT(flags); i++) {
        if (itx_fact_flag(f, flags[i], false))
            (void)itx_facts_fail(f, "%s.%s is not supported", f->section, flags[i]);
    }
    const size_t side = strcmp(f->section, TEXT_CFG) == 0;
    for (size_t i = 0; i < ITX_COUNT(texts); i++) {
        const char *text = itx_fact_text(f, texts[i].key);
        if (text && strcmp(text, texts[i].known[side]) != 0)
            (void)itx_facts_fail(f, "%s.%s \"%.48s\" is not supported", f->section, texts[i].key,
                                 text);
    }
}

static int64_t read_wide(itx_facts *f, int64_t width)
{
    return (int64_t)((double)width * itx_fact_number(f, "mlp_ratio", 4.0, 0.01, 64.0));
}

static double read_eps(itx_facts *f)
{
    return itx_fact_number(f, "norm_kwargs.eps", 1e-5, 0.0, 1.0);
}

/* "preprocess_cfg" of open_clip_config.json. Where it is, open_clip asks no other file. */
static itx_prep_defaults read_open_clip_prep(itx_facts *f)
{
    static const char *const means[] = {"mean.0", "mean.1", "mean.2"};
    static const char *const deviations[] = {"std.0", "std.1", "std.2"};
    itx_prep_defaults d = itx_prep_crop;
    itx_facts_section(f, "preprocess_cfg");
    const char *mode = itx_fact_text(f, "resize_mode"), *how = itx_fact_text(f, "interpolation");
    d.alone = mode || how || itx_fact_there(f, means[0]) || itx_fact_there(f, deviations[0]);
    for (int i = 0; i < 3; i++) {
        d.mean[i] = itx_fact_number(f, means[i], d.mean[i], -1e6, 1e6);
        d.deviation[i] = itx_fact_number(f, deviations[i], d.deviation[i], 1e-9, 1e9);
    }
    d.crop = !mode || strcmp(mode, "shortest") == 0;
    if (!d.crop && strcmp(mode, "squash") != 0)
        (void)itx_facts_fail(f, "%s.resize_mode \"%.48s\" is not supported", f->section, mode);
    if (how && strcmp(how, "bilinear") == 0)
        d.filter = 2.0;
    return d;
}

static void read_open_clip_facts(itx_facts *f, clip_facts *c)
{
    itx_facts_section(f, "model_cfg");
    const itx_act act = itx_fact_flag(f, "quick_gelu", false) ? ITX_QUICK_GELU : ITX_GELU;
    c->width = need(f, "embed_dim");
    itx_facts_section(f, VISION_CFG);
    refuse_variants(f);
    const int64_t width = need(f, "width"), head = itx_fact_count(f, "head_width", 64, width);
    c->vision = (itx_vit_facts){
        .tower = {width, need(f, "layers"), width / head, read_wide(f, width), read_eps(f), act},
        .edge = need(f, "image_size"),
        .patch = need(f, "patch_size")};
    if (width % head != 0 || c->vision.patch > c->vision.edge)
        (void)itx_facts_fail(f, "%s: head_width or patch_size does not fit", f->section);
    itx_facts_section(f, TEXT_CFG);
    refuse_variants(f);
    const int64_t text = need(f, "width");
    c->text = text_defaults;
    c->text.tower = (itx_tower_facts){
        text, need(f, "layers"), need(f, "heads"), read_wide(f, text), read_eps(f), act};
    c->text.words = itx_fact_count(f, "vocab_size", 49408, 10000000);
    c->text.limit = itx_fact_count(f, "context_length", 77, ITX_ROW_TOKENS);
    c->text.eos = ITX_LARGEST_ID;
    if (text % c->text.tower.heads != 0)
        (void)itx_facts_fail(f, "%s: heads do not divide width", f->section);
}

/* ---- weights ---- */

static void load(itx_loader *l, void *model)
{
    clip *c = model;
    c->facts = *(const clip_facts *)itx_loader_facts(l);
    const int64_t vision = c->facts.vision.tower.width, text = c->facts.text.tower.width;
    const bool open_clip = c->facts.open_clip != 0;
    itx_take_vit(l, &c->vision, &c->facts.vision, open_clip ? &itx_vit_open_clip : &itx_vit_clip);
    itx_take_clip_text(l, &c->text, &c->facts.text,
                       open_clip ? &itx_clip_text_open_clip : &itx_clip_text_hf);
    if (open_clip) {
        c->image_projection.w = itx_take_turned(l, c->facts.width, vision, "visual.proj");
        c->text_projection.w = itx_take_turned(l, c->facts.width, text, "text_projection");
    } else {
        c->image_projection.w =
            itx_take_matrix(l, c->facts.width, vision, "visual_projection.weight");
        c->text_projection.w = itx_take_matrix(l, c->facts.width, text, "text_projection.weight");
    }
}

static const itx_kind clip_kind = {"clip", sizeof(clip), load};

/* ---- the space ---- */

static itx_tensor *images(itx_run *run, const itx_embedder *e, const float *pixels, size_t n,
                          itx_tensor **inner)
{
    const clip *c = itx_net_model(e->net[0]);
    itx_tensor *x = itx_run_vit(run, &c->vision, pixels, n, true, inner);
    x = itx->reshape(run, x, &(itx_shape){2, {(int64_t)n, c->facts.vision.tower.width}});
    return itx->linear(run, x, c->image_projection.w, NULL, ITX_NONE);
}

static itx_tensor *texts(itx_run *run, const itx_embedder *e, const itx_tokens_row *row)
{
    const clip *c = itx_net_model(e->net[0]);
    itx_tensor *x = itx_run_clip_text(run, &c->text, row);
    return itx->linear(run, x, c->text_projection.w, NULL, ITX_NONE);
}

static item_status open_parts(itx_embedder *e, const clip_facts *facts,
                              const itx_prep_defaults *prep, item_error *err)
{
    const itx_published parts = {.kind = &clip_kind,
                                 .facts = facts,
                                 .size = sizeof *facts,
                                 .prep = prep,
                                 .edge = facts->vision.edge,
                                 .patch = facts->vision.patch,
                                 .words = facts->text.words,
                                 .width = facts->width,
                                 .layers = itx_vit_layers(&facts->vision)};
    const item_status status = itx_open_published(e, &parts, err);
    if (status == ITEM_OK)
        e->row = itx_clip_text_row(&((const clip *)itx_net_model(e->net[0]))->text);
    return status;
}

static item_status open_as(itx_embedder *e, bool open_clip, item_error *err)
{
    itx_facts f;
    clip_facts facts;
    memset(&facts, 0, sizeof facts); /* its bytes are compared */
    facts.open_clip = open_clip;
    itx_facts_open(&f, e->s, err);
    if (open_clip)
        read_open_clip_facts(&f, &facts);
    else
        read_facts(&f, &facts);
    const itx_prep_defaults prep = open_clip ? read_open_clip_prep(&f) : itx_prep_crop;
    return f.status == ITEM_OK ? open_parts(e, &facts, &prep, err) : f.status;
}

static item_status open_clip_space(itx_embedder *e, item_error *err)
{
    return open_as(e, false, err);
}

static item_status open_open_clip_space(itx_embedder *e, item_error *err)
{
    return open_as(e, true, err);
}

const itx_space itx_space_clip = {"clip", open_clip_space, itx_read_prepared, images, texts};
const itx_space itx_space_open_clip = {"open_clip", open_open_clip_space, itx_read_prepared, images,
                                       texts};
