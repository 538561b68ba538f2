/* SPDX-License-Identifier: Apache-2.0 */
/* Weights of a file as tensors, checked one by one: what load functions of networks use. */
#include "net.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool itx_loader_failed(const itx_loader *l)
{
    return l->status != ITEM_OK;
}

void itx_loader_fail(itx_loader *l, item_status status, const char *format, ...)
{
    char text[256];
    va_list args;
    if (l->status != ITEM_OK)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    l->status = itx_fail(l->err, status, "weights of \"%s\": %s", l->role, text);
}

const char *itx_meta(itx_loader *l, const char *key)
{
    const char *text = l->s->weights_meta(l->file, key);
    return text ? text : "";
}

bool itx_meta_numbers(itx_loader *l, const char *key, double *out, size_t count, double least,
                      double most)
{
    const size_t found = itx_numbers(itx_meta(l, key), out, count);
    if (found < count)
        itx_loader_fail(l, ITEM_E_PACK, "metadata lacks %s", key);
    for (size_t i = 0; i < found; i++)
        if (!(out[i] >= least && out[i] <= most)) /* nor is it no number */
            itx_loader_fail(l, ITEM_E_PACK, "metadata: %s is out of range", key);
    for (size_t i = 0; i < count && itx_loader_failed(l); i++)
        out[i] = least;
    return !itx_loader_failed(l);
}

static bool view(itx_loader *l, const char *name, item_tensor_view *out, item_error *err)
{
    memset(out, 0, sizeof *out);
    out->struct_size = sizeof *out;
    if (l->s->weights_tensor(l->file, name, out, err) != ITEM_OK)
        return false;
    itx_mark_use(l, name);
    return true;
}

bool itx_find(itx_loader *l, const char *name, item_tensor_view *out)
{
    item_error why = ITEM_ERROR_INIT;
    if (l->status != ITEM_OK)
        return false;
    if (itx_opening_cancelled(l->s))
        itx_loader_fail(l, ITEM_E_CANCELLED, "cancelled");
    else if (!view(l, name, out, &why))
        itx_loader_fail(l, ITEM_E_PACK, "no tensor %s", name);
    else if (out->dims > ITX_DIMS_MAX || out->bytes == 0)
        itx_loader_fail(l, ITEM_E_PACK, "%s has %u dimensions or no numbers", name, out->dims);
    return l->status == ITEM_OK;
}

#define FORMAT_NAME(name, format)                                                                  \
    do {                                                                                           \
        va_list args;                                                                              \
        va_start(args, format);                                                                    \
        (void)vsnprintf(name, ITX_NAME_SIZE, format, args);                                        \
        va_end(args);                                                                              \
    } while (0)

int64_t itx_peek(itx_loader *l, size_t dim, const char *format, ...)
{
    char name[ITX_NAME_SIZE];
    item_tensor_view found;
    FORMAT_NAME(name, format);
    if (!itx_find(l, name, &found))
        return 0;
    if (dim >= found.dims) {
        itx_loader_fail(l, ITEM_E_PACK, "%s has %u dimensions, too few", name, found.dims);
        return 0;
    }
    if (found.shape[dim] > INT32_MAX) { /* so that the product of two is a number */
        itx_loader_fail(l, ITEM_E_PACK, "%s is too large", name);
        return 0;
    }
    return (int64_t)found.shape[dim];
}

bool itx_has(itx_loader *l, const char *format, ...)
{
    char name[ITX_NAME_SIZE];
    item_tensor_view found;
    item_error unheard = ITEM_ERROR_INIT;
    FORMAT_NAME(name, format);
    return l->status == ITEM_OK && view(l, name, &found, &unheard);
}

static void shape_text(char *out, size_t room, size_t dims, const uint64_t *shape)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < dims && used < room; i++)
        used += (size_t)snprintf(out + used, room - used, "%s%llu", i > 0 ? "x" : "",
                                 (unsigned long long)shape[i]);
}

bool itx_check_shape(itx_loader *l, const char *name, const item_tensor_view *found, size_t dims,
                     const int64_t *shape)
{
    uint64_t wanted[ITX_DIMS_MAX] = {0};
    bool same = found->dims == dims;
    for (size_t i = 0; i < dims; i++) {
        wanted[i] = (uint64_t)shape[i];
        same = same && found->shape[i] == wanted[i];
    }
    if (!same) {
        char is[96], should[96];
        shape_text(is, sizeof is, found->dims, found->shape);
        shape_text(should, sizeof should, dims, wanted);
        itx_loader_fail(l, ITEM_E_PACK, "%s is %s, not %s", name, is, should);
    }
    return same;
}

bool itx_need(itx_loader *l, const char *name, size_t dims, const int64_t *shape,
              item_tensor_view *out)
{
    uint64_t wanted[ITX_DIMS_MAX] = {0};
    char should[96];
    if (l->status == ITEM_OK && !itx_has(l, "%s", name)) {
        for (size_t i = 0; i < dims; i++)
            wanted[i] = (uint64_t)shape[i];
        shape_text(should, sizeof should, dims, wanted);
        itx_loader_fail(l, ITEM_E_PACK, "no tensor %s, which should be %s", name, should);
    }
    return itx_find(l, name, out);
}

bool itx_read(itx_loader *l, const char *name, float *out, size_t count)
{
    const item_services *s = l->s;
    const item_status status = s->weights_f32(l->file, name, out, count, l->err);
    if (status != ITEM_OK)
        itx_loader_fail(l, status, "cannot read %s", name);
    else if (s->weights_done)
        s->weights_done(l->file, name);
    return l->status == ITEM_OK;
}

/* Reads a tensor of that shape as float32 to out. */
static bool read_floats(itx_loader *l, const char *name, size_t dims, const int64_t *shape,
                        float *out, size_t count)
{
    item_tensor_view found;
    if (!itx_need(l, name, dims, shape, &found) || !itx_check_shape(l, name, &found, dims, shape))
        return false;
    return itx_read(l, name, out, count);
}

size_t itx_elements(size_t dims, const int64_t *shape)
{
    size_t count = 1;
    for (size_t i = 0; i < dims; i++)
        count *= (size_t)shape[i];
    return count;
}

static bool make_room(itx_loader *l)
{
    itx_net *net = l->net;
    if (net->count < net->room)
        return true;
    const size_t room = net->room ? net->room * 2 : 64;
    itx_tensor **more = realloc(net->tensors, room * sizeof *more);
    if (!more) {
        itx_loader_fail(l, ITEM_E_MEMORY, "out of memory");
        return false;
    }
    net->tensors = more;
    net->room = room;
    return true;
}

itx_tensor *itx_keep(itx_loader *l, const char *name, itx_tensor *tensor)
{
    const char *why = "";
    const item_status status = itx->status(l->run, &why);
    if (status != ITEM_OK)
        itx_loader_fail(l, status, "%s: %s", name, why);
    if (!tensor || !make_room(l))
        return NULL;
    l->net->tensors[l->net->count++] = itx->own(l->run, tensor);
    return tensor;
}

itx_tensor *itx_upload(itx_loader *l, const char *name, const float *data, size_t dims,
                       const int64_t *shape, bool may_be_bf16)
{
    itx_shape s = {.dims = dims};
    memcpy(s.size, shape, dims * sizeof *shape);
    const bool bf16 = may_be_bf16 && strcmp(l->net->precision, "bf16") == 0;
    return itx_keep(l, name, itx->weight(l->run, data, &s, bf16));
}

/* May the bytes of a file stay in use after the file was closed? */
static bool hold_file(itx_loader *l)
{
    itx_net *net = l->net;
    if (!net->hold && l->s->weights_hold) {
        net->drop = l->s->weights_drop;
        net->hold = l->s->weights_hold(l->file);
    }
    return net->hold != NULL;
}

/* A tensor that was found and whose size fits, in a shape of ours. */
static itx_tensor *convert(itx_loader *l, const char *name, size_t dims, const int64_t *shape,
                           bool may_be_bf16)
{
    const size_t count = itx_elements(dims, shape);
    float *data = malloc(count * sizeof *data);
    itx_tensor *made = NULL;
    if (!data)
        itx_loader_fail(l, ITEM_E_MEMORY, "out of memory");
    else if (itx_read(l, name, data, count))
        made = itx_upload(l, name, data, dims, shape, may_be_bf16);
    free(data);
    return made;
}

itx_tensor *itx_take_found(itx_loader *l, const char *name, const item_tensor_view *found,
                           size_t dims, const int64_t *shape, bool may_be_bf16)
{
    const bool bf16 = may_be_bf16 && strcmp(l->net->precision, "bf16") == 0;
    /* a convolution's are laid out anew */
    const bool as_it_is = !bf16 && dims < 4 && found->dtype == ITEM_DTYPE_F32 &&
                          (uintptr_t)found->data % sizeof(float) == 0 && hold_file(l);
    if (!as_it_is)
        return convert(l, name, dims, shape, may_be_bf16);
    itx_shape s = {.dims = dims};
    memcpy(s.size, shape, dims * sizeof *shape);
    return itx_keep(l, name, itx->lasting(l->run, found->data, &s));
}

static itx_tensor *take(itx_loader *l, const char *name, size_t dims, const int64_t *shape,
                        bool may_be_bf16)
{
    item_tensor_view found;
    if (!itx_need(l, name, dims, shape, &found) || !itx_check_shape(l, name, &found, dims, shape))
        return NULL;
    return itx_take_found(l, name, &found, dims, shape, may_be_bf16);
}

itx_tensor *itx_take(itx_loader *l, size_t dims, const int64_t *shape, const char *format, ...)
{
    char name[ITX_NAME_SIZE];
    FORMAT_NAME(name, format);
    return take(l, name, dims, shape, false);
}

const float *itx_take_numbers(itx_loader *l, int64_t count, const char *name)
{
    itx_net *net = l->net;
    if (l->status == ITEM_OK && (net->numbers || count <= 0))
        itx_loader_fail(l, ITEM_E_INTERNAL, "%s: one list of numbers a network", name);
    else if (l->status == ITEM_OK && !(net->numbers = malloc((size_t)count * sizeof *net->numbers)))
        itx_loader_fail(l, ITEM_E_MEMORY, "out of memory");
    (void)read_floats(l, name, 1, &count, net->numbers, (size_t)count);
    return net->numbers;
}

/* "name.weight" and "name.bias". */
static itx_affine take_pair(itx_loader *l, const char *name, size_t dims, const int64_t *shape,
                            bool may_be_bf16)
{
    char full[ITX_NAME_SIZE + 8];
    itx_affine pair;
    (void)snprintf(full, sizeof full, "%s.weight", name);
    pair.w = take(l, full, dims, shape, may_be_bf16);
    (void)snprintf(full, sizeof full, "%s.bias", name);
    pair.b = take(l, full, 1, shape, may_be_bf16);
    return pair;
}

itx_affine itx_take_linear(itx_loader *l, int64_t out, int64_t in, const char *format, ...)
{
    char name[ITX_NAME_SIZE];
    FORMAT_NAME(name, format);
    return take_pair(l, name, 2, (const int64_t[]){out, in}, true);
}

itx_affine itx_take_conv(itx_loader *l, int64_t out, int64_t in, int64_t edge, const char *format,
                         ...)
{
    char name[ITX_NAME_SIZE];
    FORMAT_NAME(name, format);
    return take_pair(l, name, 4, (const int64_t[]){out, in, edge, edge}, true);
}

itx_affine itx_take_conv_wider(itx_loader *l, int64_t out, int64_t in, int64_t edge,
                               const char *format, ...)
{
    char name[ITX_NAME_SIZE], full[ITX_NAME_SIZE + 8];
    const int64_t shape[] = {out, in, edge, edge}, wider[] = {out, in, edge + 1, edge + 1};
    itx_affine pair = {NULL, NULL};
    FORMAT_NAME(name, format);
    if (l->status != ITEM_OK || out <= 0 || in <= 0 || edge <= 0)
        return pair;
    float *data = malloc(itx_elements(4, shape) * sizeof *data);
    float *wide = calloc(itx_elements(4, wider), sizeof *wide);
    if (!data || !wide)
        itx_loader_fail(l, ITEM_E_MEMORY, "out of memory");
    (void)snprintf(full, sizeof full, "%s.weight", name);
    if (data && wide && read_floats(l, full, 4, shape, data, itx_elements(4, shape))) {
        for (int64_t row = 0; row < out * in * edge; row++) {
            const int64_t kernel = row / edge, y = row % edge;
            memcpy(wide + (kernel * (edge + 1) + y + 1) * (edge + 1) + 1, data + row * edge,
                   (size_t)edge * sizeof *data);
        }
        pair.w = itx_upload(l, full, wide, 4, wider, true);
    }
    free(data);
    free(wide);
    (void)snprintf(full, sizeof full, "%s.bias", name);
    pair.b = take(l, full, 1, shape, true);
    return pair;
}

itx_affine itx_take_norm(itx_loader *l, int64_t width, const char *format, ...)
{
    char name[ITX_NAME_SIZE];
    FORMAT_NAME(name, format);
    return take_pair(l, name, 1, &width, false);
}

/* One part of a joint layer: its rows of the weights and its piece of the bias. */
static void read_part(itx_loader *l, const char *name, int64_t out, int64_t in, float *w, float *b)
{
    char full[2 * ITX_NAME_SIZE];
    (void)snprintf(full, sizeof full, "%s.weight", name);
    (void)read_floats(l, full, 2, (const int64_t[]){out, in}, w, (size_t)(out * in));
    (void)snprintf(full, sizeof full, "%s.bias", name);
    (void)read_floats(l, full, 1, &out, b, (size_t)out);
}

itx_affine itx_take_joint(itx_loader *l, int64_t out, int64_t in, const char *const *last,
                          size_t count, const char *format, ...)
{
    char name[ITX_NAME_SIZE], full[2 * ITX_NAME_SIZE - 16];
    itx_affine joint = {NULL, NULL};
    FORMAT_NAME(name, format);
    if (l->status != ITEM_OK || out <= 0 || in <= 0)
        return joint;
    float *w = calloc(count * (size_t)(out * in), sizeof *w);
    float *b = calloc(count * (size_t)out, sizeof *b);
    if (!w || !b)
        itx_loader_fail(l, ITEM_E_MEMORY, "out of memory");
    for (size_t i = 0; i < count && l->status == ITEM_OK; i++) {
        (void)snprintf(full, sizeof full, "%s.%s", name, last[i]);
        read_part(l, full, out, in, w + i * (size_t)(out * in), b + i * (size_t)out);
    }
    if (l->status == ITEM_OK) {
        const int64_t shape[] = {(int64_t)count * out, in};
        joint.w = itx_upload(l, name, w, 2, shape, true);
        joint.b = itx_upload(l, name, b, 1, shape, true);
    }
    free(w);
    free(b);
    return joint;
}
