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

#endif
