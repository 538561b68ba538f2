/* SPDX-License-Identifier: Apache-2.0 */
/* A network as net.c and weights.c see it; networks themselves do not. */
#ifndef ITX_NET_H
#define ITX_NET_H

#include "engine.h"

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
    void **blocks; /* memory of the model's */
    size_t block_count;
    void *hold; /* keeps the bytes of a file that tensors lie in */
    void (*drop)(void *hold);
};

struct itx_loader {
    const item_services *s;
    const char *role;
    item_weights *file;
    itx_run *run;
    itx_net *net;
    item_error *err;
    item_status status;
    const void *facts;
    bool *used; /* tensors of the file that were asked for, in its order; with facts alone */
    size_t tensors;
};

/* ---- of weights.c, for published.c ---- */

#define ITX_NAME_SIZE 128

/* The tensor of that name, which must have numbers. */
bool itx_find(itx_loader *l, const char *name, item_tensor_view *out);
/* Likewise; where it is missing, the error tells the shape, which is not checked. */
bool itx_need(itx_loader *l, const char *name, size_t dims, const int64_t *shape,
              item_tensor_view *out);
/* Fails with both shapes unless they are the same. */
bool itx_check_shape(itx_loader *l, const char *name, const item_tensor_view *found, size_t dims,
                     const int64_t *shape);
/* Around a load with facts: afterwards a tensor that nobody asked for is a failure. */
void itx_watch_use(itx_loader *l);
void itx_check_use(itx_loader *l);
/* This tensor was asked for. */
void itx_mark_use(itx_loader *l, const char *name);

size_t itx_elements(size_t dims, const int64_t *shape);
/* Copies a tensor of `count` elements as float32, and lets go of its pages of the file. */
bool itx_read(itx_loader *l, const char *name, float *out, size_t count);
/*
 * A tensor of which the caller has checked that it has as many numbers as the shape. Float32 is
 * used where it lies in the file, so that it costs no memory of its own and processes share it;
 * everything else is converted.
 */
itx_tensor *itx_take_found(itx_loader *l, const char *name, const item_tensor_view *found,
                           size_t dims, const int64_t *shape, bool may_be_bf16);
/* Floats of a caller's as a tensor of the network. */
itx_tensor *itx_upload(itx_loader *l, const char *name, const float *data, size_t dims,
                       const int64_t *shape, bool may_be_bf16);
/* The tensor belongs to the network from now on; fails where the run did. */
itx_tensor *itx_keep(itx_loader *l, const char *name, itx_tensor *tensor);

#endif
