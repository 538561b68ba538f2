/* SPDX-License-Identifier: Apache-2.0 */
/* Embedders: pictures and texts, some at a time, as unit vectors of the space of a family. */
#include "stages.h"

#include <stdio.h>
#include <string.h>

#define LAYERS_MAX 262144 /* numbers of a row that a host takes */

typedef struct image_job {
    const itx_embedder *e;
    float *pixels, *out, *layers; /* layers: NULL where they are not asked for */
    size_t n;
} image_job;

typedef struct text_job {
    const itx_embedder *e;
    itx_tokens_row row;
    float *out;
} text_job;

/* ---- pictures ---- */

static void embed_images_in_lane(itx_run *run, void *arg)
{
    image_job *job = arg;
    const itx_embedder *e = job->e;
    itx_tensor *inner = NULL;
    itx_tensor *vectors =
        e->space->images(run, e, job->pixels, job->n, job->layers ? &inner : NULL);
    itx->read(run, itx->unit(run, vectors, 1e-12), job->out, job->n * (size_t)e->width);
    if (job->layers)
        itx->read(run, inner, job->layers, job->n * (size_t)e->layers);
}

static item_status embed_some_images(image_job *job, const item_call *call,
                                     const item_crop *const *crops, item_error *err)
{
    const itx_embedder *e = job->e;
    for (size_t i = 0; i < job->n; i++) {
        if (itx_cancelled(call))
            return itx_fail(err, ITEM_E_CANCELLED, "cancelled");
        const item_status status =
            e->space->read(e, crops[i]->image, crops[i]->box, job->pixels + i * e->pixels, err);
        if (status != ITEM_OK)
            return status;
    }
    return itx_compute(call, itx_net_device(e->net[0]), embed_images_in_lane, job, err);
}

/* `wanted`: NULL, or the inner layers too. Nothing is written unless all is there. */
static item_status embed(const itx_embedder *e, const item_call *call,
                         const item_crop *const *crops, size_t n, float *out, float *wanted,
                         item_error *err)
{
    const size_t most = n < ITX_BATCH ? n : ITX_BATCH, width = (size_t)e->width;
    const size_t inner = wanted ? (size_t)e->layers : 0;
    item_status status = itx_load(err);
    if (status != ITEM_OK || n == 0)
        return status;
    image_job job = {.e = e};
    job.pixels = itx_host_alloc(e->s, most * e->pixels * sizeof *job.pixels);
    float *vectors = itx_host_alloc(e->s, n * width * sizeof *vectors);
    float *layers = wanted ? itx_host_alloc(e->s, n * inner * sizeof *layers) : NULL;
    if (!job.pixels || !vectors || (wanted && !layers))
        status = itx_fail_memory(err, "embedding pictures");
    for (size_t i = 0; i < n && status == ITEM_OK; i += job.n) {
        job.n = n - i < ITX_BATCH ? n - i : ITX_BATCH;
        job.out = vectors + i * width;
        job.layers = wanted ? layers + i * inner : NULL;
        status = embed_some_images(&job, call, crops + i, err);
    }
    if (status == ITEM_OK)
        memcpy(out, vectors, n * width * sizeof *vectors);
    if (status == ITEM_OK && wanted)
        memcpy(wanted, layers, n * inner * sizeof *layers);
    itx_host_free(e->s, layers);
    itx_host_free(e->s, vectors);
    itx_host_free(e->s, job.pixels);
    return status;
}

static item_status embed_images(void *self, const item_call *call, const item_crop *const *crops,
                                size_t n, float *out, item_error *err)
{
    return embed(self, call, crops, n, out, NULL, err);
}

static item_status embed_layers(void *self, const item_call *call, const item_crop *const *crops,
                                size_t n, float *out, float *layers, item_error *err)
{
    return embed(self, call, crops, n, out, layers, err);
}

/* ---- texts ---- */

static void embed_texts_in_lane(itx_run *run, void *arg)
{
    text_job *job = arg;
    const itx_embedder *e = job->e;
    itx_tensor *vectors = e->space->texts(run, e, &job->row);
    itx->read(run, itx->unit(run, vectors, 1e-12), job->out, job->row.texts * (size_t)e->width);
}

/* As many texts as fit in one run; *done says how many. */
static item_status embed_some_texts(const itx_embedder *e, const item_call *call,
                                    const char *const *texts, size_t n, float *out, size_t *done,
                                    item_error *err)
{
    text_job job = {.e = e, .out = out};
    item_status status = itx_row_make(&job.row, &e->row, e->s, e->tokens, texts, n, err);
    if (status == ITEM_OK)
        status = itx_compute(call, itx_net_device(e->net[0]), embed_texts_in_lane, &job, err);
    *done = job.row.texts;
    itx_row_free(&job.row, e->s);
    return status;
}

static item_status embed_texts(void *self, const item_call *call, const char *const *texts,
                               size_t n, float *out, item_error *err)
{
    const itx_embedder *e = self;
    const size_t width = (size_t)e->width;
    item_status status = itx_load(err);
    if (status != ITEM_OK || n == 0)
        return status;
    float *vectors = itx_host_alloc(e->s, n * width * sizeof *vectors);
    if (!vectors)
        return itx_fail_memory(err, "embedding texts");
    for (size_t i = 0, done = 0; i < n && status == ITEM_OK; i += done)
        status = embed_some_texts(e, call, texts + i, n - i, vectors + i * width, &done, err);
    if (status == ITEM_OK)
        memcpy(out, vectors, n * width * sizeof *vectors);
    itx_host_free(e->s, vectors);
    return status;
}

/* ---- opening ---- */

item_status itx_open_published(itx_embedder *e, const itx_published *p, item_error *err)
{
    item_status status =
        itx_net_open_as(e->s, "weights", p->kind, p->facts, p->size, &e->net[0], err);
    if (status == ITEM_OK)
        status = itx_open_tokenizer(e->s, p->words, &e->tokens, err);
    if (status == ITEM_OK)
        status = itx_prep_open(&e->prep, e->s, p->prep, p->edge, p->patch, err);
    if (status != ITEM_OK)
        return status;
    e->pixels = itx_prep_count(&e->prep);
    e->width = p->width;
    e->layers = p->layers;
    return ITEM_OK;
}

item_status itx_read_prepared(const itx_embedder *e, const item_image *image, const double box[4],
                              float *out, item_error *err)
{
    return itx_prep_pixels(&e->prep, e->s, image, box, out, err);
}

static const itx_space *const spaces[] = {&itx_space_dual, &itx_space_clip, &itx_space_open_clip,
                                          &itx_space_chinese_clip};

static void close_embedder(void *self)
{
    itx_embedder *e = self;
    if (!e)
        return;
    for (size_t i = 0; i < ITX_COUNT(e->net); i++)
        itx_net_close(e->net[i]);
    if (e->tokens)
        e->s->tokens_close(e->tokens);
    itx_host_free(e->s, e);
}

static const itx_space *find_space(const char *family)
{
    for (size_t i = 0; family && i < ITX_COUNT(spaces); i++) {
        if (strcmp(spaces[i]->family, family) == 0)
            return spaces[i];
    }
    return NULL;
}

static item_status fail_unknown(const char *family, item_error *err)
{
    char known[128] = "";
    for (size_t i = 0, used = 0; i < ITX_COUNT(spaces) && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                                 spaces[i]->family);
    return itx_fail_family(err, family, known);
}

item_status itx_open_embedder(const item_services *s, const char *family, item_embedder_ops *ops,
                              void **self, item_error *err)
{
    *self = NULL;
    const itx_space *space = find_space(family);
    if (!space)
        return fail_unknown(family, err);
    itx_embedder *e = itx_host_alloc(s, sizeof *e);
    if (!e)
        return itx_fail_memory(err, "opening the embedder");
    e->s = s;
    e->space = space;
    const item_status status = space->open(e, err);
    if (status != ITEM_OK) {
        close_embedder(e);
        return status;
    }
    if (e->layers > LAYERS_MAX)
        e->layers = 0;
    itx_identify(e->id, sizeof e->id, family, e->net[0], e->net[1], e->net[2]);
    *ops = (item_embedder_ops){.struct_size = sizeof *ops,
                               .version = ITEM_BACKEND_VERSION,
                               .name = "torch",
                               .id = e->id,
                               .width = (uint32_t)e->width,
                               .embed_images = embed_images,
                               .embed_texts = embed_texts,
                               .close = close_embedder,
                               .layers_width = (uint32_t)e->layers,
                               .embed_layers = e->layers ? embed_layers : NULL};
    *self = e;
    return ITEM_OK;
}
