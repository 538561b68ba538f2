/* SPDX-License-Identifier: Apache-2.0 */
/* The joint space: attention pooling of the picture's grid, one projection of the text's vector. */
#include "nets.h"

#define EPS 1e-5

/* Each head's mean of the values over the places, weighted by its softmax: [n, V]. */
static itx_tensor *pool(itx_run *run, const itx_projection *p, itx_tensor *t)
{
    const int64_t n = itx->size(t, 0), all = itx->size(p->value.w, 0), each = all / p->heads;
    itx_tensor *a = itx->linear(run, t, p->score.w, p->score.b, ITX_NONE);
    a = itx->softmax(run, itx->add(run, a, p->score_pos), 1);
    a = itx->reshape(run, itx->transpose(run, a, 1, 2),
                     &(itx_shape){4, {n, p->heads, 1, p->places}});
    itx_tensor *v = itx->linear(run, t, p->value.w, p->value.b, ITX_NONE);
    v = itx->reshape(run, v, &(itx_shape){4, {n, p->places, p->heads, each}});
    v = itx->matmul(run, a, itx->transpose(run, v, 1, 2));
    return itx->reshape(run, v, &(itx_shape){2, {n, all}});
}

itx_tensor *itx_project_grid(itx_run *run, const itx_projection *p, itx_tensor *grid)
{
    itx_tensor *t = itx->layer_norm(run, grid, p->norm.w, p->norm.b, EPS);
    itx_tensor *const parts[] = {pool(run, p, t), itx->mean(run, t, 1)};
    itx_tensor *z = itx->linear(run, itx->cat(run, parts, 2, 1), p->join.w, p->join.b, ITX_NONE);
    itx_tensor *y = itx->layer_norm(run, z, p->mlp_norm.w, p->mlp_norm.b, EPS);
    y = itx->linear(run, y, p->wide.w, p->wide.b, ITX_GELU);
    z = itx->add(run, z, itx->linear(run, y, p->narrow.w, p->narrow.b, ITX_NONE));
    return itx->linear(run, z, p->out.w, p->out.b, ITX_NONE);
}

itx_tensor *itx_project_text(itx_run *run, const itx_projection *p, itx_tensor *vectors)
{
    return itx->linear(run, vectors, p->text.w, p->text.b, ITX_NONE);
}

static void load(itx_loader *l, void *model)
{
    itx_projection *p = model;
    const int64_t value = itx_peek(l, 0, "image.value.weight");
    const int64_t join = itx_peek(l, 0, "image.join.weight");
    const int64_t wide = itx_peek(l, 0, "image.fc1.weight");
    const int64_t text = itx_peek(l, 1, "text.out.weight");
    p->grid = itx_peek(l, 1, "image.value.weight");
    p->places = itx_peek(l, 0, "image.score_pos");
    p->heads = itx_peek(l, 1, "image.score_pos");
    p->width = itx_peek(l, 0, "text.out.weight");
    if (!itx_loader_failed(l) && (p->heads < 1 || value % p->heads != 0))
        itx_loader_fail(l, ITEM_E_PACK, "image.value.weight has %d rows for %d heads", (int)value,
                        (int)p->heads);
    p->norm = itx_take_norm(l, p->grid, "image.norm");
    p->score = itx_take_linear(l, p->heads, p->grid, "image.score");
    p->score_pos = itx_take(l, 2, (const int64_t[]){p->places, p->heads}, "image.score_pos");
    p->value = itx_take_linear(l, value, p->grid, "image.value");
    p->join = itx_take_linear(l, join, value + p->grid, "image.join");
    p->mlp_norm = itx_take_norm(l, join, "image.mlp_norm");
    p->wide = itx_take_linear(l, wide, join, "image.fc1");
    p->narrow = itx_take_linear(l, join, wide, "image.fc2");
    p->out = itx_take_linear(l, p->width, join, "image.out");
    p->text = itx_take_linear(l, p->width, text, "text.out");
}

const itx_kind itx_projection_kind = {"dual-projection", sizeof(itx_projection), load};
