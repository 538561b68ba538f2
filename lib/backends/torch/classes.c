/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Phrases to the detector's classes: the last two words, then the last one, are compared with a
 * list of names that each mean a class or none of them. What is like nothing there finds nothing.
 */
#include "classes.h"

#include <string.h>

typedef struct match_job {
    const itx_classes *c;
    itx_tokens_row row;
    float *cosines; /* [texts x aliases] */
} match_job;

/* Start of the last `count` words of a phrase; NULL if it has fewer. */
static const char *last_words(const char *phrase, int count)
{
    const char *at = phrase + strlen(phrase);
    while (count > 0) {
        while (at > phrase && at[-1] == ' ')
            at--;
        if (at == phrase)
            return NULL;
        while (at > phrase && at[-1] != ' ')
            at--;
        count--;
    }
    return at;
}

static void match_in_lane(itx_run *run, void *arg)
{
    match_job *job = arg;
    const itx_nanodet *d = itx_net_model(job->c->detector);
    itx_tensor *t = itx_text_vectors(run, itx_net_model(job->c->text), &job->row);
    t = itx->linear(run, itx->unit(run, t, 1e-12), d->aliases, NULL, ITX_NONE);
    itx->read(run, t, job->cosines, job->row.texts * (size_t)d->alias_count);
}

/* The first of the aliases that are most like the text. */
static size_t best_alias(const float *cosines, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (cosines[i] > cosines[best])
            best = i;
    return best;
}

/* Best cosine and its class for each text. */
static item_status match(const itx_classes *c, const item_call *call, const char *const *texts,
                         size_t n, itx_match *out, item_error *err)
{
    const itx_nanodet *d = itx_net_model(c->detector);
    const size_t aliases = (size_t)d->alias_count;
    const itx_row_kind kind = itx_text_row(itx_net_model(c->text));
    item_status status = ITEM_OK;
    for (size_t i = 0, done = 0; i < n && status == ITEM_OK; i += done) {
        match_job job = {.c = c};
        status = itx_row_make(&job.row, &kind, c->s, c->tokens, texts + i, n - i, err);
        done = job.row.texts;
        if (status == ITEM_OK &&
            !(job.cosines = itx_host_alloc(c->s, done * aliases * sizeof *job.cosines)))
            status = itx_fail_memory(err, "matching phrases");
        if (status == ITEM_OK)
            status = itx_compute(call, itx_net_device(c->text), match_in_lane, &job, err);
        for (size_t k = 0; k < done && status == ITEM_OK; k++) {
            const float *row = job.cosines + k * aliases;
            const size_t best = best_alias(row, aliases);
            out[i + k] = (itx_match){row[best], (int32_t)d->alias_class[best]};
        }
        itx_host_free(c->s, job.cosines);
        itx_row_free(&job.row, c->s);
    }
    return status;
}

item_status itx_classes_find(const itx_classes *c, const item_call *call,
                             const char *const *phrases, size_t n, int32_t *classes,
                             item_error *err)
{
    const itx_nanodet *d = itx_net_model(c->detector);
    if (n == 0)
        return ITEM_OK;
    /* two texts a phrase: the pair, or the single word twice, and the single word */
    const char **texts = itx_host_alloc(c->s, 2 * n * sizeof *texts);
    itx_match *found = itx_host_alloc(c->s, 2 * n * sizeof *found);
    item_status status = texts && found ? ITEM_OK : itx_fail_memory(err, "matching phrases");
    for (size_t i = 0; i < n && status == ITEM_OK; i++) {
        const char *pair = last_words(phrases[i], 2), *single = last_words(phrases[i], 1);
        texts[2 * i + 1] = single ? single : phrases[i];
        texts[2 * i] = pair ? pair : texts[2 * i + 1];
    }
    if (status == ITEM_OK)
        status = match(c, call, texts, 2 * n, found, err);
    for (size_t i = 0; i < n && status == ITEM_OK; i++) {
        const bool by_pair =
            texts[2 * i] != texts[2 * i + 1] && found[2 * i].cosine >= d->match_pair;
        const itx_match *m = by_pair ? &found[2 * i] : &found[2 * i + 1];
        classes[i] = by_pair || m->cosine >= d->match_head ? m->class : -1;
    }
    itx_host_free(c->s, texts);
    itx_host_free(c->s, found);
    return status;
}
