/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks: weights of a file as tensors, checked one by one, and the registry through which
 * stages and contexts of one process share them.
 */
#include "engine.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 128

struct itx_net {
    itx_net *next;
    char *key; /* "" is never shared */
    char *hash, *device;
    const char *precision;
    size_t users;
    enum { LOADING, READY, BROKEN } state;
    void *model;
    itx_tensor **tensors;
    size_t count, room;
    float *numbers;
};

struct itx_loader {
    const item_services *s;
    const char *role;
    item_weights *file;
    itx_run *run;
    itx_net *net;
    item_error *err;
    item_status status;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t loaded = PTHREAD_COND_INITIALIZER;
static itx_net *nets;

/* ---- weights ---- */

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

bool itx_loads_bf16(const itx_loader *l)
{
    return strcmp(l->net->precision, "bf16") == 0;
}

const char *itx_meta(itx_loader *l, const char *key)
{
    const char *text = l->s->weights_meta(l->file, key);
    return text ? text : "";
}

static bool view(itx_loader *l, const char *name, item_tensor_view *out, item_error *err)
{
    memset(out, 0, sizeof *out);
    out->struct_size = sizeof *out;
    return l->s->weights_tensor(l->file, name, out, err) == ITEM_OK;
}

static bool find(itx_loader *l, const char *name, item_tensor_view *out)
{
    item_error why = ITEM_ERROR_INIT;
    if (l->status != ITEM_OK)
        return false;
    if (!view(l, name, out, &why))
        itx_loader_fail(l, ITEM_E_PACK, "no tensor %s", name);
    else if (out->dims > ITX_DIMS_MAX || out->bytes == 0)
        itx_loader_fail(l, ITEM_E_PACK, "%s has %u dimensions or no numbers", name, out->dims);
    return l->status == ITEM_OK;
}

#define FORMAT_NAME(name, format)                                                                  \
    do {                                                                                           \
        va_list args;                                                                              \
        va_start(args, format);                                                                    \
        (void)vsnprintf(name, NAME_SIZE, format, args);                                            \
        va_end(args);                                                                              \
    } while (0)

int64_t itx_peek(itx_loader *l, size_t dim, const char *format, ...)
{
    char name[NAME_SIZE];
    item_tensor_view found;
    FORMAT_NAME(name, format);
    if (!find(l, name, &found))
        return 0;
    if (dim >= found.dims) {
        itx_loader_fail(l, ITEM_E_PACK, "%s has %u dimensions, too few", name, found.dims);
        return 0;
    }
    return (int64_t)found.shape[dim];
}

bool itx_has(itx_loader *l, const char *format, ...)
{
    char name[NAME_SIZE];
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

static bool check_shape(itx_loader *l, const char *name, const item_tensor_view *found, size_t dims,
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

/* Reads a tensor of that shape as float32 to out. */
static bool read_floats(itx_loader *l, const char *name, size_t dims, const int64_t *shape,
                        float *out, size_t count)
{
    item_tensor_view found;
    if (!find(l, name, &found) || !check_shape(l, name, &found, dims, shape))
        return false;
    const item_status status = l->s->weights_f32(l->file, name, out, count, l->err);
    if (status != ITEM_OK)
        itx_loader_fail(l, status, "cannot read %s", name);
    return l->status == ITEM_OK;
}

static size_t elements(size_t dims, const int64_t *shape)
{
    size_t count = 1;
    for (size_t i = 0; i < dims; i++)
        count *= (size_t)shape[i];
    return count;
}

/* The tensor belongs to the network from now on. */
static itx_tensor *keep(itx_loader *l, itx_tensor *tensor)
{
    itx_net *net = l->net;
    if (net->count == net->room) {
        const size_t room = net->room ? net->room * 2 : 64;
        itx_tensor **more = realloc(net->tensors, room * sizeof *more);
        if (!more) {
            itx_loader_fail(l, ITEM_E_MEMORY, "out of memory");
            return NULL;
        }
        net->tensors = more;
        net->room = room;
    }
    if (!tensor)
        return NULL;
    net->tensors[net->count++] = itx->own(l->run, tensor);
    return tensor;
}

static itx_tensor *upload(itx_loader *l, const char *name, const float *data, size_t dims,
                          const int64_t *shape, bool may_be_bf16)
{
    itx_shape s = {.dims = dims};
    memcpy(s.size, shape, dims * sizeof *shape);
    const bool bf16 = may_be_bf16 && itx_loads_bf16(l);
    itx_tensor *made = keep(l, itx->weight(l->run, data, &s, bf16));
    const char *why = "";
    const item_status status = itx->status(l->run, &why);
    if (status != ITEM_OK)
        itx_loader_fail(l, status, "%s: %s", name, why);
    return made;
}

static itx_tensor *take(itx_loader *l, const char *name, size_t dims, const int64_t *shape,
                        bool may_be_bf16)
{
    const size_t count = elements(dims, shape);
    float *data = l->status == ITEM_OK && count > 0 ? malloc(count * sizeof *data) : NULL;
    if (!data && l->status == ITEM_OK)
        itx_loader_fail(l, ITEM_E_MEMORY, "out of memory");
    itx_tensor *made = NULL;
    if (data && read_floats(l, name, dims, shape, data, count))
        made = upload(l, name, data, dims, shape, may_be_bf16);
    free(data);
    return made;
}

itx_tensor *itx_take(itx_loader *l, bool product, size_t dims, const int64_t *shape,
                     const char *format, ...)
{
    char name[NAME_SIZE];
    FORMAT_NAME(name, format);
    return take(l, name, dims, shape, product);
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
    char full[NAME_SIZE + 8];
    itx_affine pair;
    (void)snprintf(full, sizeof full, "%s.weight", name);
    pair.w = take(l, full, dims, shape, may_be_bf16);
    (void)snprintf(full, sizeof full, "%s.bias", name);
    pair.b = take(l, full, 1, shape, may_be_bf16);
    return pair;
}

itx_affine itx_take_linear(itx_loader *l, int64_t out, int64_t in, const char *format, ...)
{
    char name[NAME_SIZE];
    FORMAT_NAME(name, format);
    return take_pair(l, name, 2, (const int64_t[]){out, in}, true);
}

itx_affine itx_take_conv(itx_loader *l, int64_t out, int64_t in, int64_t edge, const char *format,
                         ...)
{
    char name[NAME_SIZE];
    FORMAT_NAME(name, format);
    return take_pair(l, name, 4, (const int64_t[]){out, in, edge, edge}, true);
}

itx_affine itx_take_conv_wider(itx_loader *l, int64_t out, int64_t in, int64_t edge,
                               const char *format, ...)
{
    char name[NAME_SIZE], full[NAME_SIZE + 8];
    const int64_t shape[] = {out, in, edge, edge}, wider[] = {out, in, edge + 1, edge + 1};
    itx_affine pair = {NULL, NULL};
    FORMAT_NAME(name, format);
    if (l->status != ITEM_OK || out <= 0 || in <= 0 || edge <= 0)
        return pair;
    float *data = malloc(elements(4, shape) * sizeof *data);
    float *wide = calloc(elements(4, wider), sizeof *wide);
    if (!data || !wide)
        itx_loader_fail(l, ITEM_E_MEMORY, "out of memory");
    (void)snprintf(full, sizeof full, "%s.weight", name);
    if (data && wide && read_floats(l, full, 4, shape, data, elements(4, shape))) {
        for (int64_t row = 0; row < out * in * edge; row++) {
            const int64_t kernel = row / edge, y = row % edge;
            memcpy(wide + (kernel * (edge + 1) + y + 1) * (edge + 1) + 1, data + row * edge,
                   (size_t)edge * sizeof *data);
        }
        pair.w = upload(l, full, wide, 4, wider, true);
    }
    free(data);
    free(wide);
    (void)snprintf(full, sizeof full, "%s.bias", name);
    pair.b = take(l, full, 1, shape, true);
    return pair;
}

itx_affine itx_take_norm(itx_loader *l, int64_t width, const char *format, ...)
{
    char name[NAME_SIZE];
    FORMAT_NAME(name, format);
    return take_pair(l, name, 1, &width, false);
}

/* One part of a joint layer: its rows of the weights and its piece of the bias. */
static void read_part(itx_loader *l, const char *name, int64_t out, int64_t in, float *w, float *b)
{
    char full[2 * NAME_SIZE];
    (void)snprintf(full, sizeof full, "%s.weight", name);
    (void)read_floats(l, full, 2, (const int64_t[]){out, in}, w, (size_t)(out * in));
    (void)snprintf(full, sizeof full, "%s.bias", name);
    (void)read_floats(l, full, 1, &out, b, (size_t)out);
}

itx_affine itx_take_joint(itx_loader *l, int64_t out, int64_t in, const char *const *last,
                          size_t count, const char *format, ...)
{
    char name[NAME_SIZE], full[2 * NAME_SIZE - 16];
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
        joint.w = upload(l, name, w, 2, shape, true);
        joint.b = upload(l, name, b, 1, shape, true);
    }
    free(w);
    free(b);
    return joint;
}

/* ---- making a network ---- */

static void load_with(itx_loader *l, const itx_kind *kind)
{
    const itx_hooks hooks = {.device = l->net->device};
    l->run = itx->begin(&hooks);
    l->net->model = calloc(1, kind->size);
    const char *why = "out of memory";
    const item_status status = l->run ? itx->status(l->run, &why) : ITEM_E_MEMORY;
    if (!l->net->model || status != ITEM_OK)
        itx_loader_fail(l, l->net->model ? status : ITEM_E_MEMORY, "%s", why);
    else
        kind->load(l, l->net->model);
    if (l->run)
        itx->end(l->run);
}

static void free_net(itx_net *net)
{
    for (size_t i = 0; i < net->count; i++)
        itx->release(net->tensors[i]);
    free(net->tensors);
    free(net->numbers);
    free(net->model);
    free(net->key);
    free(net->hash);
    free(net->device);
    free(net);
}

static const char *setting(const item_services *s, const char *key, const char *fallback)
{
    const char *text = s->setting ? s->setting(s->host, key) : NULL;
    return text ? text : fallback;
}

/* Not the host's memory: a network may outlive the context that loaded it. */
static itx_net *new_net(const item_services *s, const char *kind, const char *hash)
{
    itx_net *net = calloc(1, sizeof *net);
    if (!net)
        return NULL;
    net->precision = itx_precision(setting(s, "precision", "fp32"));
    net->device = strdup(setting(s, "device", "cpu"));
    net->hash = strdup(hash);
    net->users = 1;
    const size_t room = net->device ? strlen(kind) + strlen(hash) + strlen(net->device) + 16 : 0;
    net->key = calloc(1, room + 1);
    if (!net->key || !net->hash || !net->device) {
        free_net(net);
        return NULL;
    }
    if (hash[0] != '\0')
        (void)snprintf(net->key, room, "%s %s %s %s", kind, hash, net->precision, net->device);
    return net;
}

/* ---- the registry ---- */

static void forget(itx_net *net)
{
    itx_net **link = &nets;
    while (*link != net)
        link = &(*link)->next;
    *link = net->next;
}

void itx_net_close(itx_net *net)
{
    /* in a forked child the lock may be held for ever; its memory is a copy, let it go */
    if (!net || itx_forked())
        return;
    (void)pthread_mutex_lock(&lock);
    const bool unused = --net->users == 0;
    if (unused)
        forget(net);
    (void)pthread_mutex_unlock(&lock);
    if (unused)
        free_net(net);
}

/* With the lock held: another's network of that key, once it is loaded; NULL if there is none. */
static itx_net *share(const char *key)
{
    for (itx_net *net = nets; net && key[0] != '\0'; net = net->next) {
        if (net->state == BROKEN || strcmp(net->key, key) != 0)
            continue;
        net->users++;
        while (net->state == LOADING)
            (void)pthread_cond_wait(&loaded, &lock);
        return net;
    }
    return NULL;
}

static void publish(itx_net *net, bool good)
{
    (void)pthread_mutex_lock(&lock);
    net->state = good ? READY : BROKEN;
    (void)pthread_cond_broadcast(&loaded);
    (void)pthread_mutex_unlock(&lock);
}

static item_status open_from(itx_loader *l, const itx_kind *kind, itx_net *fresh, itx_net **out)
{
    (void)pthread_mutex_lock(&lock);
    itx_net *shared = share(fresh->key);
    if (!shared) {
        fresh->next = nets;
        nets = fresh;
    }
    (void)pthread_mutex_unlock(&lock);
    if (shared) {
        free_net(fresh);
        *out = shared;
        if (shared->state == READY)
            return ITEM_OK;
        *out = NULL;
        itx_net_close(shared);
        return itx_fail(l->err, ITEM_E_BACKEND, "\"%s\" failed to load in another thread", l->role);
    }
    l->net = fresh;
    load_with(l, kind);
    publish(fresh, l->status == ITEM_OK);
    if (l->status != ITEM_OK)
        itx_net_close(fresh);
    else
        *out = fresh;
    return l->status;
}

item_status itx_net_open(const item_services *s, const char *role, const itx_kind *kind,
                         itx_net **out, item_error *err)
{
    itx_loader l = {.s = s, .role = role, .err = err};
    *out = NULL;
    item_status status = itx_load(err);
    if (status == ITEM_OK)
        status = s->weights_open(s->host, role, &l.file, err);
    if (status != ITEM_OK)
        return status;
    const char *hash = s->weights_hash(l.file);
    itx_net *fresh = new_net(s, kind->name, hash ? hash : "");
    status = fresh ? open_from(&l, kind, fresh, out) : itx_fail_memory(err, "opening a network");
    s->weights_close(l.file);
    return status;
}

const void *itx_net_model(const itx_net *net)
{
    return net->model;
}

const char *itx_net_hash(const itx_net *net)
{
    return net->hash;
}

const char *itx_net_device(const itx_net *net)
{
    return net->device;
}

const char *itx_net_precision(const itx_net *net)
{
    return net->precision;
}
