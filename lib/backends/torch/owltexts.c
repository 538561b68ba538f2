/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vectors of phrases. A call asks for the same ones with every picture, and so does the next call:
 * each is computed once, and some hundred are remembered.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "owl.h"

/* ---- memory of phrases: a place each, which the next one of the same place takes over ---- */

typedef struct entry {
    char *text;
    float *vector;
} entry;

struct itx_owl_memory {
    const item_services *s;
    pthread_mutex_t lock;
    entry entries[ITX_OWL_PHRASES];
};

itx_owl_memory *itx_owl_memory_new(const item_services *s)
{
    itx_owl_memory *m = itx_host_alloc(s, sizeof *m);
    if (m) {
        m->s = s;
        (void)pthread_mutex_init(&m->lock, NULL);
    }
    return m;
}

void itx_owl_memory_free(itx_owl_memory *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < ITX_OWL_PHRASES; i++) {
        itx_host_free(m->s, m->entries[i].text);
        itx_host_free(m->s, m->entries[i].vector);
    }
    (void)pthread_mutex_destroy(&m->lock);
    itx_host_free(m->s, m);
}

static entry *entry_of(itx_owl_memory *m, const char *text)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (const char *c = text; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    return &m->entries[hash % ITX_OWL_PHRASES];
}

static bool recall(itx_owl_memory *m, const char *text, float *out, size_t width)
{
    (void)pthread_mutex_lock(&m->lock);
    const entry *e = entry_of(m, text);
    const bool known = e->text && strcmp(e->text, text) == 0;
    if (known)
        memcpy(out, e->vector, width * sizeof *out);
    (void)pthread_mutex_unlock(&m->lock);
    return known;
}

/* Without memory it is not remembered, which costs time alone. */
static void remember(itx_owl_memory *m, const char *text, const float *vector, size_t width)
{
    const size_t length = strlen(text) + 1;
    entry made = {itx_host_alloc(m->s, length), itx_host_alloc(m->s, width * sizeof *vector)};
    entry old = made;
    if (made.text && made.vector) {
        memcpy(made.text, text, length);
        memcpy(made.vector, vector, width * sizeof *vector);
        (void)pthread_mutex_lock(&m->lock);
        entry *e = entry_of(m, text);
        old = *e;
        *e = made;
        (void)pthread_mutex_unlock(&m->lock);
    }
    itx_host_free(m->s, old.text);
    itx_host_free(m->s, old.vector);
}

/* ---- computing ---- */

typedef struct text_job {
    const itx_owl *owl;
    itx_tokens_row row;
    float *out;
} text_job;

static void read_in_lane(itx_run *run, void *arg)
{
    text_job *job = arg;
    const size_t width = (size_t)job->owl->facts.text.tower.width;
    itx->read(run, itx_owl_texts(run, job->owl, &job->row), job->out, job->row.texts * width);
}

static item_status compute(const itx_owl_reader *r, const item_call *call, const char *const *texts,
                           size_t n, float *out, item_error *err)
{
    const itx_owl *owl = itx_net_model(r->net);
    const size_t width = (size_t)owl->facts.text.tower.width;
    const itx_row_kind kind = itx_clip_text_row(&owl->text);
    item_status status = ITEM_OK;
    for (size_t i = 0, done = 0; i < n && status == ITEM_OK; i += done) {
        text_job job = {.owl = owl, .out = out + i * width};
        status = itx_row_make(&job.row, &kind, r->s, r->tokens, texts + i, n - i, err);
        if (status == ITEM_OK)
            status = itx_compute(call, itx_net_device(r->net), read_in_lane, &job, err);
        done = job.row.texts;
        itx_row_free(&job.row, r->s);
    }
    return status;
}

/* ---- a call's phrases ---- */

/* A phrase and its number in the call. */
typedef struct mention {
    const char *text;
    size_t number;
} mention;

static int by_text(const void *a, const void *b)
{
    const mention *x = a, *y = b;
    const int order = strcmp(x->text, y->text);
    return order ? order : x->number < y->number ? -1 : x->number > y->number;
}

/* Arrays for n mentions. */
typedef struct room {
    mention *mentions;
    const char **texts; /* that have to be computed */
    size_t *places;     /* of these: the first mention */
    float *vectors;
} room;

static void free_room(const item_services *s, room *r)
{
    itx_host_free(s, r->mentions);
    itx_host_free(s, (void *)r->texts);
    itx_host_free(s, r->places);
    itx_host_free(s, r->vectors);
}

static bool make_room(const item_services *s, size_t n, size_t width, room *r)
{
    r->mentions = itx_host_alloc(s, n * sizeof *r->mentions);
    r->texts = itx_host_alloc(s, n * sizeof *r->texts);
    r->places = itx_host_alloc(s, n * sizeof *r->places);
    r->vectors = itx_host_alloc(s, n * width * sizeof *r->vectors);
    return r->mentions && r->texts && r->places && r->vectors;
}

static bool is_first(const mention *m, size_t i)
{
    return i == 0 || strcmp(m[i].text, m[i - 1].text) != 0;
}

/* Fills in what is remembered, and lists what is not; returns how many. */
static size_t list_unknown(const itx_owl_reader *r, room *all, size_t n, float *out, size_t width)
{
    size_t unknown = 0;
    for (size_t i = 0; i < n; i++) {
        const mention *m = &all->mentions[i];
        if (!is_first(all->mentions, i) ||
            recall(r->memory, m->text, out + m->number * width, width))
            continue;
        all->texts[unknown] = m->text;
        all->places[unknown++] = m->number;
    }
    return unknown;
}

item_status itx_owl_phrases(const itx_owl_reader *r, const item_call *call,
                            const char *const *phrases, size_t n, float *out, item_error *err)
{
    const itx_owl *owl = itx_net_model(r->net);
    const size_t width = (size_t)owl->facts.text.tower.width, bytes = width * sizeof *out;
    room all = {0};
    if (!make_room(r->s, n, width, &all)) {
        free_room(r->s, &all);
        return itx_fail_memory(err, "reading phrases");
    }
    for (size_t i = 0; i < n; i++)
        all.mentions[i] = (mention){phrases[i], i};
    qsort(all.mentions, n, sizeof *all.mentions, by_text);
    const size_t unknown = list_unknown(r, &all, n, out, width);
    const item_status status = compute(r, call, all.texts, unknown, all.vectors, err);
    for (size_t i = 0; i < unknown && status == ITEM_OK; i++) {
        memcpy(out + all.places[i] * width, all.vectors + i * width, bytes);
        remember(r->memory, all.texts[i], all.vectors + i * width, width);
    }
    for (size_t i = 1; i < n && status == ITEM_OK; i++) {
        if (!is_first(all.mentions, i)) /* the same as the one before, which is filled in */
            memcpy(out + all.mentions[i].number * width, out + all.mentions[i - 1].number * width,
                   bytes);
    }
    free_room(r->s, &all);
    return status;
}
