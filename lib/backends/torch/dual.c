/* SPDX-License-Identifier: Apache-2.0 */
/* The space "dual-projection": an image encoder, a text encoder, and what joins them. */
#include "stages.h"

enum { ENCODER, TEXT, PROJECTION };

static item_status read_pixels(const itx_embedder *e, const item_image *image, const double box[4],
                               float *out, item_error *err)
{
    const itx_encoder *encoder = itx_net_model(e->net[ENCODER]);
    return itx_pixels_read(&encoder->pixels, e->s, image, box, out, err);
}

/* The inner layer is the grid before it is projected, as the mean of its places. */
static itx_tensor *images(itx_run *run, const itx_embedder *e, const float *pixels, size_t n,
                          itx_tensor **inner)
{
    itx_tensor *grid = itx_encode(run, itx_net_model(e->net[ENCODER]), pixels, n);
    if (inner)
        *inner = itx->mean(run, grid, 1);
    return itx_project_grid(run, itx_net_model(e->net[PROJECTION]), grid);
}

static itx_tensor *texts(itx_run *run, const itx_embedder *e, const itx_tokens_row *row)
{
    itx_tensor *vectors = itx_text_vectors(run, itx_net_model(e->net[TEXT]), row);
    return itx_project_text(run, itx_net_model(e->net[PROJECTION]), vectors);
}

static item_status check_widths(const itx_encoder *encoder, const itx_text *text,
                                const itx_projection *p, item_error *err)
{
    const int64_t wanted = itx->size(p->text.w, 1);
    if (p->grid != encoder->width || p->places != encoder->places || wanted != text->width)
        return itx_fail(err, ITEM_E_PACK,
                        "the embedder wants a grid of %d x %d and texts of %d, its encoders give "
                        "%d x %d and %d",
                        (int)p->places, (int)p->grid, (int)wanted, (int)encoder->places,
                        (int)encoder->width, (int)text->width);
    return ITEM_OK;
}

static item_status open_space(itx_embedder *e, item_error *err)
{
    item_status status = itx_net_open(e->s, "image", &itx_encoder_kind, &e->net[ENCODER], err);
    if (status == ITEM_OK)
        status = itx_net_open(e->s, "text", &itx_text_kind, &e->net[TEXT], err);
    if (status == ITEM_OK)
        status = itx_net_open(e->s, "weights", &itx_projection_kind, &e->net[PROJECTION], err);
    if (status == ITEM_OK)
        status = e->s->tokens_open(e->s->host, "vocab", &e->tokens, err);
    if (status != ITEM_OK)
        return status;
    const itx_encoder *encoder = itx_net_model(e->net[ENCODER]);
    const itx_text *text = itx_net_model(e->net[TEXT]);
    const itx_projection *p = itx_net_model(e->net[PROJECTION]);
    e->pixels = itx_pixels_count(&encoder->pixels);
    e->width = p->width;
    e->layers = encoder->width;
    e->row = itx_text_row(text);
    return check_widths(encoder, text, p, err);
}

const itx_space itx_space_dual = {"dual-projection", open_space, read_pixels, images, texts};
