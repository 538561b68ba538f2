/* SPDX-License-Identifier: Apache-2.0 */
/* The captioner "grid-decoder": image encoder, caption network, search, words. */
#include <string.h>

#include "score.h"
#include "stages.h"
#include "words.h"

typedef struct captioner {
    const item_services *s;
    itx_net *encoder, *decoder;
    itx_words words;
    double alpha;
    size_t beams, max_words;
    char id[320];
} captioner;

/* One run: some pictures, all of their captions. */
typedef struct captions {
    const captioner *c;
    float *pixels, *logprobs;
    size_t n, beams, max_words;
    itx_draw draw;
    itx_search *search; /* of these pictures */
} captions;

static const itx_decoder *decoder_of(const captioner *c)
{
    return itx_net_model(c->decoder);
}

/* ---- in the lane ---- */

static itx_tensor *step(itx_run *run, void *arg, itx_past *past, const int64_t *last)
{
    const captions *job = arg;
    int64_t first[ITX_BATCH * ITX_BEAMS];
    for (size_t i = 0; i < ITX_COUNT(first); i++)
        first[i] = ITX_WORD_BOS;
    return itx_decoder_step(run, decoder_of(job->c), past, last ? last : first);
}

static size_t choose(void *arg, size_t picture, const float *logprobs, size_t parents[ITX_BEAMS],
                     int32_t words[ITX_BEAMS])
{
    const captions *job = arg;
    itx_search *search = &job->search[picture];
    itx_search_step(search, logprobs, (size_t)decoder_of(job->c)->vocabulary, parents, words);
    return search->over ? 0 : search->live;
}

static void caption_in_lane(itx_run *run, void *arg)
{
    captions *job = arg;
    const itx_encoder *e = itx_net_model(job->c->encoder);
    itx_past state;
    itx_tensor *grid = itx_encode(run, e, job->pixels, job->n);
    itx_decoder_start(run, decoder_of(job->c), &state, grid, (int64_t)job->beams);
    for (size_t i = 0; i < job->n; i++) {
        const float *pixels = job->pixels + i * itx_pixels_count(&e->pixels);
        const itx_draw draw = itx_draw_for(&job->draw, pixels, itx_pixels_count(&e->pixels));
        itx_search_start(&job->search[i], job->beams, job->max_words, job->c->alpha, draw);
    }
    const itx_speaker speaker = {.job = job,
                                 .beams = job->beams,
                                 .words = (size_t)decoder_of(job->c)->vocabulary,
                                 .logprobs = job->logprobs,
                                 .step = step,
                                 .choose = choose};
    itx_speak(run, &speaker, &state);
}

/* ---- in the caller ---- */

static item_status write_captions(const captioner *c, const itx_search *search, size_t n,
                                  item_caption_out *const *out, item_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const itx_said *said = &search[i].best;
        if (itx_words_join(&c->words, said->words, said->length, NULL) > out[i]->capacity)
            return itx_fail(err, ITEM_E_BACKEND, "no room for a caption in %zu bytes",
                            out[i]->capacity);
    }
    for (size_t i = 0; i < n; i++) {
        const itx_said *said = &search[i].best;
        (void)itx_words_join(&c->words, said->words, said->length, out[i]->text);
        out[i]->logprob = said->sum / (double)search[i].best_tokens;
        out[i]->margin = search[i].margin;
    }
    return ITEM_OK;
}

static item_status caption_some(captions *job, const item_call *call,
                                const item_image *const *images, item_error *err)
{
    const captioner *c = job->c;
    const itx_encoder *e = itx_net_model(c->encoder);
    for (size_t i = 0; i < job->n; i++) {
        const item_status status = itx_read_whole(
            &e->pixels, c->s, call, images[i], job->pixels + i * itx_pixels_count(&e->pixels), err);
        if (status != ITEM_OK)
            return status;
    }
    return itx_compute(call, itx_net_device(c->encoder), caption_in_lane, job, err);
}

static size_t at_most(size_t value, size_t limit)
{
    return value < limit ? value : limit;
}

static void apply_options(captions *job, const item_caption_options *options)
{
    const itx_decoder *d = decoder_of(job->c);
    const size_t room = at_most((size_t)d->steps, ITX_WORDS);
    const size_t words = options && options->max_tokens ? options->max_tokens : job->c->max_words;
    const size_t beams = options && options->beams ? options->beams : job->c->beams;
    job->max_words = at_most(words, room);
    job->draw = itx_draw_of(options);
    job->beams = job->draw.temperature > 0.0 ? 1 : at_most(beams, ITX_BEAMS);
}

static item_status caption_all(captions *job, const item_call *call,
                               const item_image *const *images, size_t n, itx_search *search,
                               item_error *err)
{
    const captioner *c = job->c;
    const itx_encoder *e = itx_net_model(c->encoder);
    const size_t most = at_most(n, ITX_BATCH);
    const size_t row = (size_t)decoder_of(c)->vocabulary * sizeof(float);
    item_status status = ITEM_OK;
    job->pixels = itx_host_alloc(c->s, most * itx_pixels_count(&e->pixels) * sizeof(float));
    job->logprobs = itx_host_alloc(c->s, most * job->beams * row);
    if (!job->pixels || !job->logprobs)
        status = itx_fail_memory(err, "captioning");
    for (size_t i = 0; i < n && status == ITEM_OK; i += ITX_BATCH) {
        job->n = at_most(n - i, ITX_BATCH);
        job->search = search + i;
        status = caption_some(job, call, images + i, err);
    }
    itx_host_free(c->s, job->pixels);
    itx_host_free(c->s, job->logprobs);
    return status;
}

static item_status caption(void *self, const item_call *call, const item_image *const *images,
                           size_t n, const item_caption_options *options,
                           item_caption_out *const *out, item_error *err)
{
    captions job = {.c = self};
    item_status status = itx_load(err);
    if (status != ITEM_OK || n == 0)
        return status;
    itx_search *search = itx_host_alloc(job.c->s, n * sizeof *search);
    if (!search)
        return itx_fail_memory(err, "captioning");
    apply_options(&job, options);
    status = caption_all(&job, call, images, n, search, err);
    if (status == ITEM_OK)
        status = write_captions(job.c, search, n, out, err);
    itx_host_free(job.c->s, search);
    return status;
}

/* ---- scores ---- */

static item_status read_picture(const void *captioner_, const item_call *call,
                                const item_image *image, float *out, item_error *err)
{
    const captioner *c = captioner_;
    const itx_encoder *e = itx_net_model(c->encoder);
    return itx_read_whole(&e->pixels, c->s, call, image, out, err);
}

static item_status encode_text(const void *captioner_, const char *text, int32_t *ids, size_t room,
                               size_t *count, item_error *err)
{
    const captioner *c = captioner_;
    (void)err;
    const size_t words = itx_words_split(&c->words, text, ids + 1, room - 2);
    ids[0] = ITX_WORD_BOS;
    ids[at_most(words, room - 2) + 1] = ITX_WORD_EOS;
    *count = words + 2;
    return ITEM_OK;
}

static itx_tensor *follow_words(itx_run *run, const void *captioner_, const itx_reading *r)
{
    const captioner *c = captioner_;
    itx_past past;
    itx_tensor *grid = itx_encode(run, itx_net_model(c->encoder), r->pixels, r->pictures);
    itx_decoder_start(run, decoder_of(c), &past, grid, 1);
    itx_past_spread(run, &past, r->which, r->texts);
    return itx_decoder_read(run, decoder_of(c), &past, r->ids, (int64_t)r->length, r->causal);
}

/* A prompt is not used, as caption() uses none. <unk> counts for nothing: the network is taught
   never to say it. */
static item_status score(void *self, const item_call *call, const item_image *const *images,
                         const char *const *texts, size_t n, const item_caption_options *options,
                         double *out, item_error *err)
{
    const captioner *c = self;
    const itx_encoder *e = itx_net_model(c->encoder);
    const itx_scorer scorer = {.captioner = c,
                               .s = c->s,
                               .device = itx_net_device(c->encoder),
                               .pixels = itx_pixels_count(&e->pixels),
                               .words = (size_t)decoder_of(c)->vocabulary,
                               .limit = (size_t)decoder_of(c)->steps,
                               .uncounted = ITX_WORD_UNKNOWN,
                               .read = read_picture,
                               .encode = encode_text,
                               .follow = follow_words};
    (void)options;
    return itx_score(&scorer, call, images, texts, n, NULL, out, err);
}

/* ---- opening ---- */

static void close_captioner(void *self)
{
    captioner *c = self;
    if (!c)
        return;
    itx_net_close(c->encoder);
    itx_net_close(c->decoder);
    itx_words_close(&c->words, c->s);
    itx_host_free(c->s, c);
}

static item_status read_config(captioner *c, item_error *err)
{
    const itx_decoder *d = decoder_of(c);
    c->alpha = itx_config(c->s, "length_penalty", d->length_alpha);
    c->beams = itx_config_count(c->s, "beams", d->beams, ITX_BEAMS);
    c->max_words = itx_config_count(c->s, "max_tokens", d->max_words, ITX_WORDS);
    if (c->alpha >= 0.0 && c->alpha <= ITX_PENALTY)
        return ITEM_OK;
    return itx_fail(err, ITEM_E_PACK, "length_penalty is not between 0 and %d", ITX_PENALTY);
}

static item_status open_parts(captioner *c, item_error *err)
{
    item_status status = itx_net_open(c->s, "image", &itx_encoder_kind, &c->encoder, err);
    if (status == ITEM_OK)
        status = itx_net_open(c->s, "weights", &itx_decoder_kind, &c->decoder, err);
    if (status != ITEM_OK)
        return status;
    const itx_encoder *e = itx_net_model(c->encoder);
    if (e->width != decoder_of(c)->grid || e->places != decoder_of(c)->places)
        return itx_fail(err, ITEM_E_PACK,
                        "the captioner wants a grid of %d x %d, the image encoder gives %d x %d",
                        (int)decoder_of(c)->places, (int)decoder_of(c)->grid, (int)e->places,
                        (int)e->width);
    itx_identify(c->id, sizeof c->id, "grid-decoder", c->encoder, c->decoder, NULL);
    status = read_config(c, err);
    if (status != ITEM_OK)
        return status;
    return itx_words_open(&c->words, c->s, (size_t)decoder_of(c)->vocabulary, err);
}

item_status itx_open_captioner(const item_services *s, const char *family, item_captioner_ops *ops,
                               void **self, item_error *err)
{
    *self = NULL;
    if (family && strcmp(family, "blip") == 0)
        return itx_open_blip(s, ops, self, err);
    if (!family || strcmp(family, "grid-decoder") != 0)
        return itx_fail_family(err, family, "grid-decoder, blip");
    captioner *c = itx_host_alloc(s, sizeof *c);
    if (!c)
        return itx_fail_memory(err, "opening the captioner");
    c->s = s;
    item_status status = open_parts(c, err);
    if (status != ITEM_OK) {
        close_captioner(c);
        return status;
    }
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
