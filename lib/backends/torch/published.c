/* SPDX-License-Identifier: Apache-2.0 */
/* Weights in the ways in which published files store them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"

const void *itx_loader_facts(const itx_loader *l)
{
    return l->facts;
}

void *itx_loader_alloc(itx_loader *l, size_t size)
{
    itx_net *net = l->net;
    void *made = l->status == ITEM_OK ? calloc(1, size) : NULL;
    void **more = made ? realloc(net->blocks, (net->block_count + 1) * sizeof *more) : NULL;
    if (more) {
        net->blocks = more;
        net->blocks[net->block_count++] = made;
        return made;
    }
    itx_loader_fail(l, ITEM_E_MEMORY, "out of memory");
    free(made);
    return NULL;
}

static itx_tensor *take_as(itx_loader *l, const char *name, size_t file_dims,
                           const int64_t *file_shape, size_t dims, const int64_t *shape,
                           bool may_be_bf16)
{
    item_tensor_view found;
    if (!itx_need(l, name, file_dims, file_shape, &found) ||
        !itx_check_shape(l, name, &found, file_dims, file_shape))
        return NULL;
    return itx_take_found(l, name, &found, dims, shape, may_be_bf16);
}

/* ---- which tensors of a file are used ---- */

void itx_watch_use(itx_loader *l)
{
    if (!l->facts || l->status != ITEM_OK)
        return;
    while (l->s->weights_name(l->file, l->tensors))
        l->tensors++;
    l->used = calloc(l->tensors + 1, sizeof *l->used);
    if (!l->used)
        itx_loader_fail(l, ITEM_E_MEMORY, "out of memory");
}

void itx_mark_use(itx_loader *l, const char *name)
{
    size_t low = 0, high = l->used ? l->tensors : 0;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(name, l->s->weights_name(l->file, middle));
        if (order == 0) {
            l->used[middle] = true;
            return;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
}

/* Numbers that can be computed, or serve training alone: older files have them. */
static bool is_spare(const char *name)
{
    static const char *const ends[] = {"position_ids", "logit_scale", "logit_bias", "attn_mask"};
    const size_t length = strlen(name);
    for (size_t i = 0; i < ITX_COUNT(ends); i++) {
        const size_t end = strlen(ends[i]);
        if (length >= end && strcmp(name + length - end, ends[i]) == 0)
            return true;
    }
    return false;
}

void itx_check_use(itx_loader *l)
{
    for (size_t i = 0; l->used && i < l->tensors; i++) {
        const char *name = l->s->weights_name(l->file, i);
        if (!l->used[i] && !is_spare(name))
            itx_loader_fail(l, ITEM_E_PACK, "the model has no place for %.100s", name);
    }
    free(l->used);
    l->used = NULL;
}

/* ---- tensors ---- */

itx_tensor *itx_take_matrix(itx_loader *l, int64_t out, int64_t in, const char *name)
{
    const int64_t shape[] = {out, in};
    return take_as(l, name, 2, shape, 2, shape, true);
}

itx_tensor *itx_take_turned(itx_loader *l, int64_t out, int64_t in, const char *name)
{
    const int64_t stored[] = {in, out}, shape[] = {out, in};
    item_tensor_view found;
    if (!itx_need(l, name, 2, stored, &found) || !itx_check_shape(l, name, &found, 2, stored))
        return NULL;
    float *data = malloc(2 * itx_elements(2, shape) * sizeof *data);
    if (!data) {
        itx_loader_fail(l, ITEM_E_MEMORY, "out of memory");
        return NULL;
    }
    float *turned = data + itx_elements(2, shape);
    itx_tensor *made = NULL;
    const bool read = itx_read(l, name, data, itx_elements(2, shape));
    for (int64_t i = 0; i < in && read; i++) {
        for (int64_t o = 0; o < out; o++)
            turned[o * in + i] = data[i * out + o];
    }
    if (read)
        made = itx_upload(l, name, turned, 2, shape, true);
    free(data);
    return made;
}

/* "[1, 1, 768]" for one row of 768, "[1, 577, 768]" for 577 rows. */
static bool is_flat(const item_tensor_view *found, int64_t rows, int64_t width)
{
    uint32_t skip = 0;
    while (skip < found->dims && found->dims - skip > 2 && found->shape[skip] == 1)
        skip++;
    if (found->dims - skip == 1)
        return rows == 1 && found->shape[skip] == (uint64_t)width;
    return found->dims - skip == 2 && found->shape[skip] == (uint64_t)rows &&
           found->shape[skip + 1] == (uint64_t)width;
}

itx_tensor *itx_take_flat(itx_loader *l, int64_t rows, int64_t width, const char *name)
{
    const int64_t shape[] = {rows, width};
    item_tensor_view found;
    if (!itx_need(l, name, 2, shape, &found) ||
        (!is_flat(&found, rows, width) && !itx_check_shape(l, name, &found, 2, shape)))
        return NULL;
    return itx_take_found(l, name, &found, 2, shape, false);
}

static itx_affine take_pair(itx_loader *l, int64_t out, int64_t in, const char *w, const char *b)
{
    return (itx_affine){itx_take_matrix(l, out, in, w), take_as(l, b, 1, &out, 1, &out, true)};
}

itx_affine itx_take_named(itx_loader *l, int64_t out, int64_t in, const char *at, const char *w,
                          const char *b)
{
    char weight[ITX_NAME_SIZE], bias[ITX_NAME_SIZE];
    (void)snprintf(weight, sizeof weight, "%s.%s", at, w);
    (void)snprintf(bias, sizeof bias, "%s.%s", at, b);
    return take_pair(l, out, in, weight, bias);
}

itx_affine itx_take_patches(itx_loader *l, int64_t out, int64_t patch, bool bias, const char *name)
{
    char full[ITX_NAME_SIZE];
    const int64_t stored[] = {out, 3, patch, patch}, shape[] = {out, 3 * patch * patch};
    itx_affine made = {NULL, NULL};
    (void)snprintf(full, sizeof full, "%s.weight", name);
    made.w = take_as(l, full, 4, stored, 2, shape, true);
    (void)snprintf(full, sizeof full, "%s.bias", name);
    if (bias)
        made.b = take_as(l, full, 1, &out, 1, &out, true);
    return made;
}
