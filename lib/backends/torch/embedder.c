/* SPDX-License-Identifier: Apache-2.0 */
/* The embedder "dual-projection": pictures and texts as unit vectors of one space. */
#include "stages.h"

#include <string.h>

typedef struct embedder {
    const item_services *s;
    itx_net *encoder, *text, *projection;
    item_tokens *tokens;
    char id[320];
} embedder;

typedef struct image_job {
    const embedder *e;
    float *pixels, *out;
    size_t n;
} image_job;

typedef struct text_job {
    const embedder *e;
    itx_tokens_row row;
    float *out;
} text_job;

static const itx_projection *projection_of(const embedder *e)
{
    return itx_net_model(e->projection);
}

/* ---- pictures ---- */

static void embed_images_in_lane(itx_run *run, void *arg)
{
    image_job *job = arg;
    const itx_projection *p = projection_of(job->e);
    itx_tensor *grid = itx_encode(run, itx_net_model(job->e->encoder), job->pixels, job->n);
    itx->read(run, itx_project_grid(run, p, grid), job->out, job->n * (size_t)p->width);
}

static item_status embed_some_images(image_job *job, const item_call *call,
                                     const item_crop *const *crops, item_error *err)
{
    const embedder *e = job->e;
    const itx_encoder *encoder = itx_net_model(e->encoder);
    const size_t each = itx_pixels_count(&encoder->pixels);
    for (size_t i = 0; i < job->n; i++) {
        if (itx_cancelled(call))
            return itx_fail(err, ITEM_E_CANCELLED, "cancelled");
        const item_status status = itx_pixels_read(&encoder->pixels, e->s, crops[i]->image,
                                                   crops[i]->box, job->pixels + i * each, err);
        if (status != ITEM_OK)
            return status;
    }
    return itx_compute(call, itx_net_device(e->encoder), embed_images_in_lane, job, err);
}

static item_status embed_images(void *self, const item_call *call, const item_crop *const *crops,
                                size_t n, float *out, item_error *err)
{
    const embedder *e = self;
    const itx_encoder *encoder = itx_net_model(e->encoder);
    const size_t most = n < ITX_BATCH ? n : ITX_BATCH, width = (size_t)projection_of(e)->width;
    item_status status = itx_load(err);
    if (status != ITEM_OK || n == 0)
        return status;
    image_job job = {.e = e};
    job.pixels =
        itx_host_alloc(e->s, most * itx_pixels_count(&encoder->pixels) * sizeof *job.pixels);
    float *vectors = itx_host_alloc(e->s, n * width * sizeof *vectors);
    if (!job.pixels || !vectors)
        status = itx_fail_memory(err, "embedding pictures");
    for (size_t i = 0; i < n && status == ITEM_OK; i += job.n) {
        job.n = n - i < ITX_BATCH ? n - i : ITX_BATCH;
        job.out = vectors + i * width;
        status = embed_some_images(&job, call, crops + i, err);
    }
    if (status == ITEM_OK)
        memcpy(out, vectors, n * width * sizeof *vectors);
    itx_host_free(e->s, vectors);
    itx_host_free(e->s, job.pixels);
    return status;
}

/* ---- texts ---- */

static void embed_texts_in_lane(itx_run *run, void *arg)
{
    text_job *job = arg;
    const itx_projection *p = projection_of(job->e);
    itx_tensor *vectors = itx_text_vectors(run, itx_net_model(job->e->text), &job->row);
    itx->read(run, itx_project_text(run, p, vectors), job->out, job->row.texts * (size_t)p->width);
}

/* As many texts as fit in one run; *done says how many. */
static item_status embed_some_texts(const embedder *e, const item_call *call,
                                    const char *const *texts, size_t n, float *out, size_t *done,
                                    item_error *err)
{
    text_job job = {.e = e, .out = out};
    item_status status =
        itx_row_make(&job.row, itx_net_model(e->text), e->s, e->tokens, texts, n, err);
    if (status == ITEM_OK)
        status = itx_compute(call, itx_net_device(e->text), embed_texts_in_lane, &job, err);
    *done = job.row.texts;
    itx_row_free(&job.row, e->s);
    return status;
}

static item_status embed_texts(void *self, const item_call *call, const char *const *texts,
                               size_t n, float *out, item_error *err)
{
    const embedder *e = self;
    const size_t width = (size_t)projection_of(e)->width;
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

static void close_embedder(void *self)
{
    embedder *e = self;
    if (!e)
        return;
    itx_net_close(e->encoder);
    itx_net_close(e->text);
    itx_net_close(e->projection);
    if (e->tokens)
        e->s->tokens_close(e->tokens);
    itx_host_free(e->s, e);
}

static item_status check_widths(const embedder *e, item_error *err)
{
    const itx_encoder *encoder = itx_net_model(e->encoder);
    const itx_text *text = itx_net_model(e->text);
    const itx_projection *p = projection_of(e);
    const int64_t wanted = itx->size(p->text.w, 1);
    if (p->grid != encoder->width || p->places != encoder->places || wanted != text->width)
        return itx_fail(err, ITEM_E_PACK,
                        "the embedder wants a grid of %d x %d and texts of %d, its encoders give "
                        "%d x %d and %d",
                        (int)p->places, (int)p->grid, (int)wanted, (int)encoder->places,
                        (int)encoder->width, (int)text->width);
    return ITEM_OK;
}

static item_status open_parts(embedder *e, item_error *err)
{
    item_status status = itx_net_open(e->s, "image", &itx_encoder_kind, &e->encoder, err);
    if (status == ITEM_OK)
        status = itx_net_open(e->s, "text", &itx_text_kind, &e->text, err);
    if (status == ITEM_OK)
        status = itx_net_open(e->s, "weights", &itx_projection_kind, &e->projection, err);
    if (status == ITEM_OK)
        status = e->s->tokens_open(e->s->host, "vocab", &e->tokens, err);
    return status == ITEM_OK ? check_widths(e, err) : status;
}

item_status itx_open_embedder(const item_services *s, const char *family, item_embedder_ops *ops,
                              void **self, item_error *err)
{
    *self = NULL;
    item_status status = itx_family(family, "dual-projection", err);
    if (status != ITEM_OK)
        return status;
    embedder *e = itx_host_alloc(s, sizeof *e);
    if (!e)
        return itx_fail_memory(err, "opening the embedder");
    e->s = s;
    status = open_parts(e, err);
    if (status != ITEM_OK) {
        close_embedder(e);
        return status;
    }
    itx_identify(e->id, sizeof e->id, "dual-projection", e->encoder, e->text, e->projection);
    *ops = (item_embedder_ops){.struct_size = sizeof *ops,
                               .version = ITEM_BACKEND_VERSION,
                               .name = "torch",
                               .id = e->id,
                               .width = (uint32_t)projection_of(e)->width,
                               .embed_images = embed_images,
                               .embed_texts = embed_texts,
                               .close = close_embedder};
    *self = e;
    return ITEM_OK;
}
