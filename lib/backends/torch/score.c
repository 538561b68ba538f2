/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scores of texts by teacher forcing: all ids of some texts go through the network at once, and the
 * log-probabilities of the ids that follow are picked out and averaged.
 */
#include "score.h"

#include <string.h>

#define TOKENS 256 /* of one run, unless a single text has more: bounds texts x length x words */

/* A text: its ids, with start and end. */
typedef struct line {
    int32_t *ids;
    size_t count, from; /* the first that is counted */
} line;

/* What a call keeps; `lines` and all that is filled per run have room for ITX_BATCH texts. */
typedef struct score {
    const itx_scorer *c;
    const item_call *call;
    line lines[ITX_BATCH], prompt;
    int64_t which[ITX_BATCH];
    itx_reading r;
    float *pixels, *causal, *logprobs;
    int64_t *ids;
} score;

/* ---- texts ---- */

static item_status encode(const score *s, const char *text, const char *what, line *out,
                          item_error *err)
{
    const size_t room = s->c->limit + 1;
    item_status status = s->c->encode(s->c->captioner, text, out->ids, room, &out->count, err);
    if (status != ITEM_OK)
        return status;
    if (out->count > room)
        return itx_fail(err, ITEM_E_LIMIT,
                        "%s has %zu tokens, start and end among them; the captioner takes %zu",
                        what, out->count, room);
    if (out->count < 2)
        return itx_fail(err, ITEM_E_BACKEND, "the tokenizer gave %zu tokens", out->count);
    return ITEM_OK;
}

/* Does the text begin with the prompt? Its end does not count. */
static bool begins_with(const line *text, const line *prompt)
{
    const size_t length = prompt->count - 1;
    return prompt->count > 1 && text->count > length &&
           memcmp(text->ids, prompt->ids, length * sizeof *prompt->ids) == 0;
}

static item_status encode_text(score *s, const char *text, line *out, item_error *err)
{
    const item_status status = encode(s, text, "the text", out, err);
    if (status == ITEM_OK)
        out->from = begins_with(out, &s->prompt) ? s->prompt.count - 1 : 1;
    return status;
}

/* As many texts as fit in one run, one at least. */
static item_status take_texts(score *s, const char *const *texts, size_t n, item_error *err)
{
    s->r.texts = s->r.length = 0;
    for (size_t i = 0; i < n && i < ITX_BATCH; i++) {
        const item_status status = encode_text(s, texts[i], &s->lines[i], err);
        if (status != ITEM_OK)
            return status;
        const size_t goes_in = s->lines[i].count - 1;
        const size_t length = goes_in > s->r.length ? goes_in : s->r.length;
        if (i > 0 && (i + 1) * length > TOKENS)
            break;
        s->r.texts = i + 1;
        s->r.length = length;
    }
    return ITEM_OK;
}

/* ---- pictures ---- */

/* One that stands in a row several times is looked at once. */
static item_status take_pictures(score *s, const item_image *const *images, item_error *err)
{
    s->r.pictures = 0;
    for (size_t i = 0; i < s->r.texts; i++) {
        if (i == 0 || images[i] != images[i - 1]) {
            float *pixels = s->pixels + s->r.pictures++ * s->c->pixels;
            const item_status status = s->c->read(s->c->captioner, s->call, images[i], pixels, err);
            if (status != ITEM_OK)
                return status;
        }
        s->which[i] = (int64_t)s->r.pictures - 1;
    }
    return ITEM_OK;
}

/* ---- a run ---- */

/* What is behind a text is not seen by it, and not counted: 0 is as good as any. */
static void fill_ids(score *s)
{
    for (size_t i = 0; i < s->r.texts; i++) {
        for (size_t k = 0; k < s->r.length; k++)
            s->ids[i * s->r.length + k] = k + 1 < s->lines[i].count ? s->lines[i].ids[k] : 0;
    }
    itx_fill_causal(s->causal, s->r.length);
}

static void score_in_lane(itx_run *run, void *arg)
{
    const score *s = arg;
    itx_tensor *logprobs = s->c->follow(run, s->c->captioner, &s->r);
    itx->read(run, logprobs, s->logprobs, s->r.texts * s->r.length * s->c->words);
}

static double mean_of(const score *s, size_t i)
{
    const line *text = &s->lines[i];
    double sum = 0.0;
    size_t counted = 0;
    for (size_t k = text->from; k < text->count; k++) {
        const int32_t id = text->ids[k];
        if (id == s->c->uncounted)
            continue;
        const size_t row = i * s->r.length + k - 1;
        sum += (double)s->logprobs[row * s->c->words + (size_t)id];
        counted++;
    }
    return sum / (double)counted; /* the end is always there */
}

static item_status score_some(score *s, const item_image *const *images, double *out,
                              item_error *err)
{
    const item_services *host = s->c->s;
    const size_t tokens = s->r.texts * s->r.length;
    item_status status = take_pictures(s, images, err);
    if (status != ITEM_OK)
        return status;
    s->ids = itx_host_alloc(host, tokens * sizeof *s->ids);
    s->causal = itx_host_alloc(host, s->r.length * s->r.length * sizeof *s->causal);
    s->logprobs = itx_host_alloc(host, tokens * s->c->words * sizeof *s->logprobs);
    if (!s->ids || !s->causal || !s->logprobs) {
        status = itx_fail_memory(err, "scoring captions");
    } else {
        fill_ids(s);
        s->r.ids = s->ids;
        s->r.causal = s->causal;
        status = itx_compute(s->call, s->c->device, score_in_lane, s, err);
    }
    for (size_t i = 0; i < s->r.texts && status == ITEM_OK; i++)
        out[i] = mean_of(s, i);
    itx_host_free(host, s->ids);
    itx_host_free(host, s->causal);
    itx_host_free(host, s->logprobs);
    return status;
}

static item_status score_all(score *s, const item_image *const *images, const char *const *texts,
                             size_t n, const char *prompt, double *out, item_error *err)
{
    item_status status = prompt ? encode(s, prompt, "the prompt", &s->prompt, err) : ITEM_OK;
    for (size_t i = 0; i < n && status == ITEM_OK; i += s->r.texts) {
        status = take_texts(s, texts + i, n - i, err);
        if (status == ITEM_OK)
            status = score_some(s, images + i, out + i, err);
    }
    return status;
}

item_status itx_score(const itx_scorer *c, const item_call *call, const item_image *const *images,
                      const char *const *texts, size_t n, const char *prompt, double *out,
                      item_error *err)
{
    score s = {.c = c, .call = call};
    item_status status = itx_load(err);
    if (status != ITEM_OK || n == 0)
        return status;
    const size_t most = n < ITX_BATCH ? n : ITX_BATCH, room = c->limit + 1;
    int32_t *ids = itx_host_alloc(c->s, (most + 1) * room * sizeof *ids);
    s.pixels = itx_host_alloc(c->s, most * c->pixels * sizeof *s.pixels);
    if (ids && s.pixels) {
        for (size_t i = 0; i < most; i++)
            s.lines[i].ids = ids + i * room;
        s.prompt.ids = ids + most * room;
        s.r.pixels = s.pixels;
        s.r.which = s.which;
        status = score_all(&s, images, texts, n, prompt, out, err);
    } else {
        status = itx_fail_memory(err, "scoring captions");
    }
    itx_host_free(c->s, s.pixels);
    itx_host_free(c->s, ids);
    return status;
}
