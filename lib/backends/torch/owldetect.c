/* SPDX-License-Identifier: Apache-2.0 */
/* The detector that OWL-ViT and OWLv2 are: a call's phrases once, then its pictures some at a time. */
#include <math.h>

#include "owl.h"

#define THRESHOLD 0.1  /* of the reference's post-processing */
#define PLACES    2400 /* of the pictures of one run, about: bounds its memory */

typedef struct owl_detector {
    const item_services *s;
    itx_net *net;
    item_tokens *tokens;
    itx_owl_memory *memory;
    itx_prep prep;
    double threshold;
    char id[320];
} owl_detector;

/* One call. */
typedef struct owl_call {
    const owl_detector *d;
    const itx_owl *owl;
    const item_call *call;
    const item_image *const *images;
    const size_t *counts; /* phrases of each picture */
    const item_detect_options *options;
    const item_box_sink *const *sinks;
    float *vectors; /* of all phrases, picture after picture */
    item_error *err;
} owl_call;

/* Pictures of one run, and the raw numbers that come of it. */
typedef struct owl_job {
    const itx_owl *owl;
    size_t n, room;
    size_t which[ITX_BATCH], queries[ITX_BATCH];
    const float *vectors[ITX_BATCH];
    float *cosines[ITX_BATCH];
    float *pixels, *shift_scale, *boxes;
    itx_owl_box *found; /* room for the places of one picture */
} owl_job;

/* ---- in the lane ---- */

static void look_in_lane(itx_run *run, void *arg)
{
    const owl_job *job = arg;
    const int64_t width = job->owl->facts.text.tower.width;
    const size_t places = (size_t)job->owl->vision.places;
    const itx_owl_seen seen = itx_owl_look(run, job->owl, job->pixels, job->n);
    itx->read(run, seen.shift_scale, job->shift_scale, job->n * places * 2);
    itx->read(run, seen.boxes, job->boxes, job->n * places * 4);
    for (size_t i = 0; i < job->n; i++) {
        const size_t mark = itx->mark(run);
        const int64_t at = (int64_t)i, queries = (int64_t)job->queries[i];
        itx_tensor *asked = itx->input(run, job->vectors[i], &(itx_shape){2, {queries, width}});
        itx_tensor *there = itx->slice(run, seen.vectors, 0, at, at + 1);
        itx->read(run, itx->linear(run, there, asked, NULL, ITX_NONE), job->cosines[i],
                  places * job->queries[i]);
        itx->sweep(run, mark, NULL, 0);
    }
}

/* ---- a run ---- */

static void job_free(owl_job *job, const item_services *s)
{
    for (size_t i = 0; i < ITX_BATCH; i++)
        itx_host_free(s, job->cosines[i]);
    itx_host_free(s, job->pixels);
    itx_host_free(s, job->shift_scale);
    itx_host_free(s, job->boxes);
    itx_host_free(s, job->found);
}

static bool job_init(owl_job *job, const owl_call *c, size_t n)
{
    const item_services *s = c->d->s;
    const size_t places = (size_t)c->owl->vision.places;
    const size_t fit = PLACES / places, most = fit < 1 ? 1 : fit > ITX_BATCH ? ITX_BATCH : fit;
    *job = (owl_job){.owl = c->owl, .room = n < most ? n : most};
    job->pixels = itx_host_alloc(s, job->room * itx_prep_count(&c->d->prep) * sizeof(float));
    job->shift_scale = itx_host_alloc(s, job->room * places * 2 * sizeof(float));
    job->boxes = itx_host_alloc(s, job->room * places * 4 * sizeof(float));
    job->found = itx_host_alloc(s, places * sizeof *job->found);
    return job->pixels && job->shift_scale && job->boxes && job->found;
}

static item_status add_picture(owl_job *job, const owl_call *c, size_t which, const float *vectors)
{
    const item_services *s = c->d->s;
    const size_t at = job->n, places = (size_t)c->owl->vision.places;
    uint32_t width = 0, height = 0;
    if (itx_cancelled(c->call))
        return itx_fail(c->err, ITEM_E_CANCELLED, "cancelled");
    job->which[at] = which;
    job->vectors[at] = vectors;
    job->queries[at] = c->counts[which];
    itx_host_free(s, job->cosines[at]);
    job->cosines[at] = itx_host_alloc(s, places * c->counts[which] * sizeof(float));
    if (!job->cosines[at])
        return itx_fail_memory(c->err, "detecting");
    s->image_size(c->images[which], &width, &height);
    const double whole[4] = {0.0, 0.0, width, height};
    job->n++;
    return itx_prep_pixels(&c->d->prep, s, c->images[which], whole,
                           job->pixels + at * itx_prep_count(&c->d->prep), c->err);
}

/* Boxes of the picture at `at` of a run, to its sink. */
static item_status tell(const owl_job *job, const owl_call *c, size_t at)
{
    const size_t places = (size_t)c->owl->vision.places, which = job->which[at];
    const item_box_sink *sink = c->sinks[which];
    const item_detect_options *o = c->options;
    uint32_t width = 0, height = 0;
    bool finite = true;
    c->d->s->image_size(c->images[which], &width, &height);
    const uint32_t side = width > height ? width : height;
    const bool second = c->owl->facts.second != 0; /* which saw a square */
    const itx_owl_raw raw = {
        .places = places,
        .queries = job->queries[at],
        .cosines = job->cosines[at],
        .shift_scale = job->shift_scale + at * places * 2,
        .boxes = job->boxes + at * places * 4,
        .bias = c->owl->bias,
        .scale = {(float)(second ? side : width), (float)(second ? side : height)}};
    size_t count = itx_owl_boxes(&raw, isnan(o->least_score) ? c->d->threshold : o->least_score,
                                 job->found, &finite);
    if (!finite)
        return itx_fail(c->err, ITEM_E_BACKEND, "the network's numbers are not finite");
    if (o->max_boxes > 0)
        count = itx_owl_best(job->found, count, o->max_boxes, (const double[]){width, height});
    for (size_t i = 0; i < count; i++) {
        const itx_owl_box *box = &job->found[i];
        const item_status status =
            sink->add(sink->host, box->query, box->corners, (double)box->score);
        if (status != ITEM_OK)
            return itx_fail(c->err, status, "the host refused a box");
    }
    return ITEM_OK;
}

/* ---- a call ---- */

static item_status look_at_all(const owl_call *c, size_t n)
{
    owl_job job;
    item_status status = job_init(&job, c, n) ? ITEM_OK : itx_fail_memory(c->err, "detecting");
    const float *vectors = c->vectors;
    for (size_t next = 0; next < n && status == ITEM_OK;) {
        for (job.n = 0; next < n && job.n < job.room && status == ITEM_OK; next++) {
            if (c->counts[next] > 0)
                status = add_picture(&job, c, next, vectors);
            vectors += c->counts[next] * (size_t)c->owl->facts.text.tower.width;
        }
        if (status == ITEM_OK && job.n > 0)
            status = itx_compute(c->call, itx_net_device(c->d->net), look_in_lane, &job, c->err);
        for (size_t i = 0; i < job.n && status == ITEM_OK; i++)
            status = tell(&job, c, i);
    }
    job_free(&job, c->d->s);
    return status;
}

/* Vectors of all phrases of the call. */
static item_status read_phrases(owl_call *c, size_t n, const char *const *const *phrases,
                                size_t total)
{
    const owl_detector *d = c->d;
    const itx_owl_reader reader = {d->s, d->net, d->tokens, d->memory};
    const char **all = itx_host_alloc(d->s, total * sizeof *all);
    c->vectors =
        itx_host_alloc(d->s, total * (size_t)c->owl->facts.text.tower.width * sizeof *c->vectors);
    item_status status = all && c->vectors ? ITEM_OK : itx_fail_memory(c->err, "detecting");
    for (size_t i = 0, k = 0; i < n && status == ITEM_OK; i++)
        for (size_t p = 0; p < c->counts[i]; p++)
            all[k++] = phrases[i][p];
    if (status == ITEM_OK)
        status = itx_owl_phrases(&reader, c->call, all, total, c->vectors, c->err);
    itx_host_free(d->s, (void *)all);
    return status;
}

/* heads are not asked: the network takes phrases whole. */
static item_status detect(void *self, const item_call *call, const item_image *const *images,
                          size_t n, const char *const *const *phrases,
                          const char *const *const *heads, const size_t *counts,
                          const item_detect_options *options, const item_box_sink *const *sinks,
                          item_error *err)
{
    const owl_detector *d = self;
    owl_call c = {.d = d,
                  .owl = itx_net_model(d->net),
                  .call = call,
                  .images = images,
                  .counts = counts,
                  .options = options,
                  .sinks = sinks,
                  .err = err};
    size_t total = 0;
    (void)heads;
    for (size_t i = 0; i < n; i++)
        total += counts[i];
    item_status status = itx_load(err);
    if (status != ITEM_OK || total == 0)
        return status;
    status = read_phrases(&c, n, phrases, total);
    if (status == ITEM_OK)
        status = look_at_all(&c, n);
    itx_host_free(d->s, c.vectors);
    return status;
}

/* ---- opening ---- */

static void close_owl(void *self)
{
    owl_detector *d = self;
    if (!d)
        return;
    itx_net_close(d->net);
    if (d->tokens)
        d->s->tokens_close(d->tokens);
    itx_owl_memory_free(d->memory);
    itx_host_free(d->s, d);
}

static item_status open_parts(owl_detector *d, bool second, item_error *err)
{
    itx_owl_facts facts;
    item_status status = itx_owl_read(&facts, d->s, second, err);
    if (status == ITEM_OK)
        status =
            itx_net_open_as(d->s, "weights", &itx_owl_kind, &facts, sizeof facts, &d->net, err);
    if (status == ITEM_OK)
        status = itx_open_tokenizer(d->s, facts.text.words, &d->tokens, err);
    if (status == ITEM_OK)
        status = itx_prep_open(&d->prep, d->s, second ? &itx_prep_square : &itx_prep_squash,
                               facts.vision.edge, facts.vision.patch, err);
    if (status == ITEM_OK && !(d->memory = itx_owl_memory_new(d->s)))
        status = itx_fail_memory(err, "opening the detector");
    d->threshold = itx_config(d->s, "least_score", THRESHOLD);
    return status;
}

item_status itx_open_owl(const item_services *s, bool second, item_detector_ops *ops, void **self,
                         item_error *err)
{
    owl_detector *d = itx_host_alloc(s, sizeof *d);
    if (!d)
        return itx_fail_memory(err, "opening the detector");
    d->s = s;
    const item_status status = open_parts(d, second, err);
    if (status != ITEM_OK) {
        close_owl(d);
        return status;
    }
    itx_identify(d->id, sizeof d->id, second ? "owlv2" : "owlvit", d->net, NULL, NULL);
    *ops = (item_detector_ops){.struct_size = sizeof *ops,
                               .version = ITEM_BACKEND_VERSION,
                               .capabilities = ITEM_BACKEND_RAW_BOXES,
                               .name = "torch",
                               .id = d->id,
                               .detect = detect,
                               .close = close_owl};
    *self = d;
    return ITEM_OK;
}
