/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The captioner "blip": BLIP's vision tower, its text decoder, generate() of transformers. Class
 * defaults: transformers 5.24, configuration_blip.py and generation's defaults.
 */
#include "blip.h"

#include <string.h>

#include "score.h"

#define NEW_TOKENS 20 /* that generate() makes behind a prompt where no max_length is given */

typedef struct blip_facts {
    itx_vit_facts vision;
    itx_blip_text_facts text;
} blip_facts;

typedef struct blip {
    itx_vit vision;
    itx_blip_text text;
} blip;

typedef struct captioner {
    const item_services *s;
    itx_net *net;
    item_tokens *tokens;
    itx_prep prep;
    size_t beams, length; /* length: max_length of the configuration, or 0 */
    char id[320];
} captioner;

/* One run: some pictures, all of their captions. */
typedef struct captions {
    const captioner *c;
    float *pixels, *logprobs, *causal;
    size_t n, beams, length;
    int32_t prompt[ITX_BLIP_IDS];
    size_t prompt_length;
    itx_draw draw;
    itx_beams *search; /* of these pictures */
} captions;

static const blip *blip_of(const captioner *c)
{
    return itx_net_model(c->net);
}

/* ---- in the lane ---- */

/* The prompt's words of each picture, then a word for each beam at a time. */
static itx_tensor *step(itx_run *run, void *arg, itx_past *past, const int64_t *last)
{
    const captions *job = arg;
    const itx_blip_text *t = &blip_of(job->c)->text;
    int64_t prompts[ITX_BATCH * ITX_BLIP_IDS];
    if (last)
        return itx_blip_step(run, t, past, last, 1, NULL);
    for (size_t i = 0; i < job->n * job->prompt_length; i++)
        prompts[i] = job->prompt[i % job->prompt_length];
    return itx_blip_step(run, t, past, prompts, (int64_t)job->prompt_length, job->causal);
}

static size_t choose(void *arg, size_t picture, const float *logprobs, size_t parents[ITX_BEAMS],
                     int32_t words[ITX_BEAMS])
{
    const captions *job = arg;
    itx_beams *search = &job->search[picture];
    itx_beams_step(search, logprobs, (size_t)blip_of(job->c)->text.facts.words, parents, words);
    return search->over ? 0 : search->live;
}

static void caption_in_lane(itx_run *run, void *arg)
{
    captions *job = arg;
    const blip *b = blip_of(job->c);
    itx_past state;
    const size_t start = itx->mark(run);
    itx_tensor *seen = itx_run_vit(run, &b->vision, job->pixels, job->n, false, NULL);
    itx_blip_start(run, &b->text, &state, seen, start);
    const size_t pixels = itx_prep_count(&job->c->prep);
    for (size_t i = 0; i < job->n; i++) {
        const itx_draw draw = itx_draw_for(&job->draw, job->pixels + i * pixels, pixels);
        itx_beams_start(&job->search[i], job->beams, job->prompt, job->prompt_length, job->length,
                        (int32_t)b->text.facts.end, draw);
    }
    const itx_speaker speaker = {.job = job,
                                 .beams = job->beams,
                                 .words = (size_t)b->text.facts.words,
                                 .logprobs = job->logprobs,
                                 .step = step,
                                 .choose = choose};
    itx_speak(run, &speaker, &state);
}

/* ---- in the caller ---- */

static item_status write_caption(const captioner *c, const itx_beams *search, item_caption_out *out,
                                 item_error *err)
{
    const itx_saying *said = itx_beams_best(search);
    size_t needed = 0;
    const item_status status = c->s->tokens_decode(c->tokens, said->ids, said->length, out->text,
                                                   out->capacity, &needed, err);
    if (status != ITEM_OK)
        return status;
    if (needed > out->capacity)
        return itx_fail(err, ITEM_E_BACKEND, "no room for a caption in %zu bytes", out->capacity);
    out->logprob = said->score;
    out->margin = search->margin;
    if (out->struct_size < sizeof *out || !out->tokens)
        return ITEM_OK;
    const size_t generated = said->length - search->prompt;
    if (generated > out->token_room)
        return itx_fail(err, ITEM_E_BACKEND, "no room for %zu tokens", generated);
    memcpy(out->tokens, said->ids + search->prompt, generated * sizeof *said->ids);
    out->token_count = generated;
    return ITEM_OK;
}

static item_status read_picture(const void *captioner_, const item_call *call,
                                const item_image *image, float *out, item_error *err)
{
    const captioner *c = captioner_;
    uint32_t width = 0, height = 0;
    if (itx_cancelled(call))
        return itx_fail(err, ITEM_E_CANCELLED, "cancelled");
    c->s->image_size(image, &width, &height);
    const double box[4] = {0.0, 0.0, (double)width, (double)height};
    return itx_prep_pixels(&c->prep, c->s, image, box, out, err);
}

static item_status caption_some(captions *job, const item_call *call,
                                const item_image *const *images, item_error *err)
{
    const captioner *c = job->c;
    for (size_t i = 0; i < job->n; i++) {
        const item_status status =
            read_picture(c, call, images[i], job->pixels + i * itx_prep_count(&c->prep), err);
        if (status != ITEM_OK)
            return status;
    }
    return itx_compute(call, itx_net_device(c->net), caption_in_lane, job, err);
}

static item_status caption_all(captions *job, const item_call *call,
                               const item_image *const *images, size_t n,
                               item_caption_out *const *out, item_error *err)
{
    item_status status = ITEM_OK;
    for (size_t i = 0; i < n && status == ITEM_OK; i += job->n) {
        job->n = n - i < ITX_BATCH ? n - i : ITX_BATCH;
        status = caption_some(job, call, images + i, err);
        for (size_t k = 0; k < job->n && status == ITEM_OK; k++)
            status = write_caption(job->c, &job->search[k], out[i + k], err);
    }
    return status;
}

/* [CLS] a prompt [SEP]: the first becomes the decoder's own, the last is left out. */
static item_status read_prompt(captions *job, const char *prompt, item_error *err)
{
    const captioner *c = job->c;
    const itx_blip_text_facts *f = &blip_of(c)->text.facts;
    job->prompt_length = 1;
    if (prompt) {
        size_t count = 0;
        const item_status status = c->s->tokens_encode(c->tokens, prompt, ITX_BLIP_IDS, job->prompt,
                                                       ITX_BLIP_IDS, &count, err);
        if (status != ITEM_OK)
            return status;
        job->prompt_length = count - 1;
    }
    job->prompt[0] = (int32_t)f->bos;
    return ITEM_OK;
}

/* A caption has `most` tokens with its prompt. */
static item_status set_length(captions *job, size_t most, item_error *err)
{
    const size_t limit = (size_t)blip_of(job->c)->text.facts.limit;
    job->length = most ? most : job->prompt_length + NEW_TOKENS;
    job->length = job->length < limit ? job->length : limit;
    if (job->prompt_length < job->length)
        return ITEM_OK;
    return itx_fail(err, ITEM_E_ARGUMENT,
                    "the prompt takes %zu tokens, a caption has at most %zu with it: shorten the "
                    "prompt or raise max_tokens",
                    job->prompt_length, job->length);
}

static const char *prompt_of(const item_caption_options *options)
{
    const size_t known = offsetof(item_caption_options, prompt) + sizeof options->prompt;
    return options && options->struct_size >= known ? options->prompt : NULL;
}

static item_status apply_options(captions *job, const item_caption_options *options,
                                 item_error *err)
{
    const size_t most = options && options->max_tokens ? options->max_tokens : job->c->length;
    job->beams = options && options->beams ? options->beams : job->c->beams;
    job->beams = job->beams < ITX_BEAMS ? job->beams : ITX_BEAMS;
    job->draw = itx_draw_of(options);
    if (job->draw.temperature > 0.0)
        job->beams = 1;
    const item_status status = read_prompt(job, prompt_of(options), err);
    return status == ITEM_OK ? set_length(job, most, err) : status;
}

static item_status caption(void *self, const item_call *call, const item_image *const *images,
                           size_t n, const item_caption_options *options,
                           item_caption_out *const *out, item_error *err)
{
    const captioner *c = self;
    captions job = {.c = c};
    item_status status = itx_load(err);
    if (status == ITEM_OK)
        status = apply_options(&job, options, err);
    if (status != ITEM_OK)
        return status;
    const size_t most = n < ITX_BATCH ? n : ITX_BATCH, p = job.prompt_length;
    const size_t words = (size_t)blip_of(c)->text.facts.words;
    job.pixels = itx_host_alloc(c->s, most * itx_prep_count(&c->prep) * sizeof *job.pixels);
    job.logprobs = itx_host_alloc(c->s, most * job.beams * words * sizeof *job.logprobs);
    job.search = itx_host_alloc(c->s, most * sizeof *job.search);
    job.causal = itx_host_alloc(c->s, p * p * sizeof *job.causal);
    if (!job.pixels || !job.logprobs || !job.search || !job.causal) {
        status = itx_fail_memory(err, "captioning");
    } else {
        itx_fill_causal(job.causal, p);
        status = caption_all(&job, call, images, n, out, err);
    }
    itx_host_free(c->s, job.causal);
    itx_host_free(c->s, job.search);
    itx_host_free(c->s, job.logprobs);
    itx_host_free(c->s, job.pixels);
    return status;
}

/* ---- scores ---- */

/* [CLS] a text [SEP], of which the first becomes the decoder's own; it ends with the last. */
static item_status encode_text(const void *captioner_, const char *text, int32_t *ids, size_t room,
                               size_t *count, item_error *err)
{
    const captioner *c = captioner_;
    const itx_blip_text_facts *f = &blip_of(c)->text.facts;
    const item_status status =
        c->s->tokens_encode(c->tokens, text, SIZE_MAX, ids, room, count, err);
    if (status != ITEM_OK || *count < 2 || *count > room)
        return status; /* which is looked at by who asked */
    ids[0] = (int32_t)f->bos;
    ids[*count - 1] = (int32_t)f->end;
    return ITEM_OK;
}

static itx_tensor *follow_words(itx_run *run, const void *captioner_, const itx_reading *r)
{
    const blip *b = blip_of(captioner_);
    itx_past past;
    const size_t start = itx->mark(run);
    itx_tensor *seen = itx_run_vit(run, &b->vision, r->pixels, r->pictures, false, NULL);
    itx_blip_start(run, &b->text, &past, seen, start);
    itx_past_spread(run, &past, r->which, r->texts);
    return itx_blip_read(run, &b->text, &past, r->ids, (int64_t)r->length, r->causal);
}

static item_status score(void *self, const item_call *call, const item_image *const *images,
                         const char *const *texts, size_t n, const item_caption_options *options,
                         double *out, item_error *err)
{
    const captioner *c = self;
    const itx_blip_text_facts *f = &blip_of(c)->text.facts;
    const itx_scorer scorer = {.captioner = c,
                               .s = c->s,
                               .device = itx_net_device(c->net),
                               .pixels = itx_prep_count(&c->prep),
                               .words = (size_t)f->words,
                               .limit = (size_t)f->limit,
                               .uncounted = -1,
                               .read = read_picture,
                               .encode = encode_text,
                               .follow = follow_words};
    return itx_score(&scorer, call, images, texts, n, prompt_of(options), out, err);
}

/* ---- facts and weights ---- */

static const itx_vit_facts vision_defaults = {
    .tower = {768, 12, 12, 3072, 1e-5, ITX_GELU}, .edge = 384, .patch = 16};

static const itx_tower_facts text_defaults = {768, 12, 8, 3072, 1e-12, ITX_GELU};

static void read_text_facts(itx_facts *f, itx_blip_text_facts *t)
{
    t->words = itx_fact_count(f, "vocab_size", 30524, 10000000);
    t->tower = itx_tower_read(f, &text_defaults);
    if (t->tower.depth > ITX_PAST_LAYERS)
        (void)itx_facts_fail(f, "text_config.num_hidden_layers is above %d", ITX_PAST_LAYERS);
    t->limit = itx_fact_count(f, "max_position_embeddings", 512, ITX_BLIP_IDS);
    t->bos = (int64_t)itx_fact_number(f, "bos_token_id", 30522, 0.0, (double)t->words - 1.0);
    t->end = (int64_t)itx_fact_number(f, "sep_token_id", 102, 0.0, (double)t->words - 1.0);
}

static void load(itx_loader *l, void *model)
{
    blip *b = model;
    const blip_facts *facts = itx_loader_facts(l);
    itx_take_vit(l, &b->vision, &facts->vision, &itx_vit_blip);
    itx_take_blip_text(l, &b->text, &facts->text);
}

static const itx_kind blip_kind = {"blip", sizeof(blip), load};

static item_status read_facts(captioner *c, blip_facts *facts, item_error *err)
{
    itx_facts f;
    memset(facts, 0, sizeof *facts); /* its bytes are compared */
    itx_facts_open(&f, c->s, err);
    facts->text.tied = itx_fact_flag(&f, "tie_word_embeddings", true);
    itx_facts_section(&f, "vision_config");
    facts->vision = itx_vit_read(&f, &vision_defaults);
    itx_facts_section(&f, "text_config");
    read_text_facts(&f, &facts->text);
    facts->text.seen = facts->vision.tower.width;
    /* of the text decoder's own section, where old files have them, and of no other file */
    if (itx_fact_there(&f, "max_length"))
        c->length = (size_t)itx_fact_count(&f, "max_length", NEW_TOKENS, ITX_BLIP_IDS);
    c->beams = (size_t)itx_fact_count(&f, "num_beams", 1, ITX_BEAMS);
    return f.status;
}

/* ---- opening ---- */

static void close_captioner(void *self)
{
    captioner *c = self;
    if (!c)
        return;
    itx_net_close(c->net);
    if (c->tokens)
        c->s->tokens_close(c->tokens);
    itx_host_free(c->s, c);
}

static item_status open_parts(captioner *c, item_error *err)
{
    blip_facts facts;
    item_status status = read_facts(c, &facts, err);
    if (status == ITEM_OK)
        status = itx_net_open_as(c->s, "weights", &blip_kind, &facts, sizeof facts, &c->net, err);
    if (status == ITEM_OK)
        status = itx_open_tokenizer(c->s, facts.text.words, &c->tokens, err);
    if (status == ITEM_OK)
        status = itx_prep_open(&c->prep, c->s, &itx_prep_squash, facts.vision.edge,
                               facts.vision.patch, err);
    return status;
}

item_status itx_open_blip(const item_services *s, item_captioner_ops *ops, void **self,
                          item_error *err)
{
    captioner *c = itx_host_alloc(s, sizeof *c);
    if (!c)
        return itx_fail_memory(err, "opening the captioner");
    c->s = s;
    const item_status status = open_parts(c, err);
    if (status != ITEM_OK) {
        close_captioner(c);
        return status;
    }
    itx_identify(c->id, sizeof c->id, "blip", c->net, NULL, NULL);
    *ops = (item_captioner_ops){.struct_size = sizeof *ops,
                                .version = ITEM_BACKEND_VERSION,
                                .name = "torch",
                                .id = c->id,
                                .caption = caption,
                                .close = close_captioner,
                                .score = score};
    *self = c;
    return ITEM_OK;
}
