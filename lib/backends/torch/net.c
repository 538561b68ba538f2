/* SPDX-License-Identifier: Apache-2.0 */
/* The registry through which stages and contexts of one process share networks. */
#include "net.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t loaded = PTHREAD_COND_INITIALIZER;
static itx_net *nets;

/* ---- making a network ---- */

static void load_with(itx_loader *l, const itx_kind *kind)
{
    const itx_hooks hooks = {.device = l->net->device};
    l->run = itx->begin(&hooks);
    l->net->model = calloc(1, kind->size);
    const char *why = "out of memory";
    item_status status = ITEM_E_MEMORY;
    if (l->run && l->net->model)
        status = itx->status(l->run, &why);
    if (status != ITEM_OK)
        itx_loader_fail(l, status, "%s", why);
    if (status == ITEM_OK) {
        itx_watch_use(l);
        kind->load(l, l->net->model);
        itx_check_use(l);
    }
    if (l->run)
        itx->end(l->run);
}

static void free_net(itx_net *net)
{
    if (!net)
        return;
    for (size_t i = 0; i < net->count; i++)
        itx->release(net->tensors[i]);
    free(net->tensors);
    if (net->hold)
        net->drop(net->hold);
    for (size_t i = 0; i < net->block_count; i++)
        free(net->blocks[i]);
    free(net->blocks);
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
static itx_net *new_net(const item_services *s, const char *kind, const char *hash,
                        const void *facts, size_t size)
{
    itx_net *net = calloc(1, sizeof *net);
    if (!net)
        return NULL;
    net->precision = itx_precision(setting(s, "precision", "fp32"));
    net->device = strdup(setting(s, "device", "cpu"));
    net->hash = strdup(hash);
    net->users = 1;
    const size_t room =
        net->device ? strlen(kind) + strlen(hash) + strlen(net->device) + 16 + 2 * size : 0;
    net->key = calloc(1, room + 1);
    if (!net->key || !net->hash || !net->device) {
        free_net(net);
        return NULL;
    }
    if (hash[0] == '\0')
        return net;
    int used = snprintf(net->key, room, "%s %s %s %s ", kind, hash, net->precision, net->device);
    for (size_t i = 0; i < size; i++)
        used += snprintf(net->key + used, 3, "%02x", ((const unsigned char *)facts)[i]);
    return net;
}

/* ---- the registry ---- */

/* With the lock held: one user less; returns what nobody uses any more, to be freed. */
static itx_net *let_go(itx_net *net)
{
    if (--net->users > 0)
        return NULL;
    itx_net **link = &nets;
    while (*link != net)
        link = &(*link)->next;
    *link = net->next;
    return net;
}

void itx_net_close(itx_net *net)
{
    /* in a forked child the lock may be held for ever; its memory is a copy, let it go */
    if (!net || itx_forked())
        return;
    (void)pthread_mutex_lock(&lock);
    itx_net *unused = let_go(net);
    (void)pthread_mutex_unlock(&lock);
    free_net(unused);
}

static itx_net *find(const char *key)
{
    itx_net *net = key[0] != '\0' ? nets : NULL;
    while (net && (net->state == BROKEN || strcmp(net->key, key) != 0))
        net = net->next;
    return net;
}

/* With the lock held, until the network is loaded or the caller's call is cancelled. */
static void wait_for(const itx_net *net, const item_services *s)
{
    while (net->state == LOADING && !itx_opening_cancelled(s)) {
        const struct timespec until = itx_soon();
        (void)pthread_cond_clockwait(&loaded, &lock, CLOCK_MONOTONIC, &until);
    }
}

/* With the lock held: another's network of that key, once it is loaded; NULL if there is none, or
   if its loader failed, which may have been for want of what the caller has. */
static itx_net *share(const item_services *s, const char *key)
{
    for (itx_net *net; !itx_opening_cancelled(s) && (net = find(key)) != NULL;) {
        net->users++;
        wait_for(net, s);
        if (net->state == READY)
            return net;
        free_net(let_go(net));
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
    itx_net *shared = share(l->s, fresh->key);
    if (!shared) {
        fresh->next = nets;
        nets = fresh;
    }
    (void)pthread_mutex_unlock(&lock);
    if (shared) {
        free_net(fresh);
        *out = shared;
        return ITEM_OK;
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
    return itx_net_open_as(s, role, kind, NULL, 0, out, err);
}

item_status itx_net_open_as(const item_services *s, const char *role, const itx_kind *kind,
                            const void *facts, size_t size, itx_net **out, item_error *err)
{
    itx_loader l = {.s = s, .role = role, .err = err, .facts = facts};
    *out = NULL;
    item_status status = itx_load(err);
    if (status == ITEM_OK)
        status = s->weights_open(s->host, role, &l.file, err);
    if (status != ITEM_OK)
        return status;
    const char *hash = s->weights_key(l.file);
    itx_net *fresh = new_net(s, kind->name, hash ? hash : "", facts, size);
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
