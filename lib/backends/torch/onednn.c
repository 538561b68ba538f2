/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linear layers by oneDNN, where the distribution has it: the library that its libtorch uses too,
 * asked directly, because ATen does not pass it products in float32. It takes weights as they lie,
 * and the activation in the same pass; with few rows, as in a step of a caption, it needs less
 * than half of the time.
 */
#include "onednn.h"

#include <dnnl.h>
#include <pthread.h>
#include <string.h>

#define KEPT 64 /* layers of one shape each; a model has about ten */

/* A layer's shape, and what computes it. */
typedef struct layer {
    int64_t rows, in, out;
    itx_act act;
    int bias;
    dnnl_primitive_t primitive;
    dnnl_memory_desc_t x, w, b, y;
} layer;

/* A lane's own: a primitive may be run only by the thread that made it, which lives for ever. */
static _Thread_local struct {
    dnnl_stream_t stream;
    layer layers[KEPT];
    size_t count, next;
} mine;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static dnnl_engine_t engine;

static void make_engine(void)
{
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success)
        engine = NULL;
}

static dnnl_status_t describe(layer *l)
{
    const dnnl_dims_t x = {l->rows, l->in}, w = {l->out, l->in}, b = {l->out},
                      y = {l->rows, l->out};
    dnnl_status_t status = dnnl_memory_desc_init_by_tag(&l->x, 2, x, dnnl_f32, dnnl_ab);
    if (status == dnnl_success)
        status = dnnl_memory_desc_init_by_tag(&l->w, 2, w, dnnl_f32, dnnl_ab);
    if (status == dnnl_success)
        status = dnnl_memory_desc_init_by_tag(&l->b, 1, b, dnnl_f32, dnnl_a);
    if (status == dnnl_success)
        status = dnnl_memory_desc_init_by_tag(&l->y, 2, y, dnnl_f32, dnnl_ab);
    return status;
}

static dnnl_status_t add_activation(dnnl_primitive_attr_t attr, itx_act act)
{
    dnnl_post_ops_t ops;
    dnnl_status_t status = dnnl_post_ops_create(&ops);
    if (status != dnnl_success)
        return status;
    if (act == ITX_QUICK_GELU)
        status = dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_swish, 1.702f, 0.0f);
    else
        status = dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_gelu_erf, 0.0f, 0.0f);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(attr, ops);
    dnnl_post_ops_destroy(ops);
    return status;
}

static dnnl_status_t make_primitive(layer *l, dnnl_primitive_attr_t attr)
{
    dnnl_inner_product_desc_t product;
    dnnl_primitive_desc_t made;
    dnnl_status_t status = dnnl_inner_product_forward_desc_init(
        &product, dnnl_forward_inference, &l->x, &l->w, l->bias ? &l->b : NULL, &l->y);
    if (status == dnnl_success && l->act != ITX_NONE)
        status = add_activation(attr, l->act);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(&made, &product, attr, engine, NULL);
    if (status != dnnl_success)
        return status;
    status = dnnl_primitive_create(&l->primitive, made);
    dnnl_primitive_desc_destroy(made);
    return status;
}

static int make_layer(layer *l)
{
    dnnl_primitive_attr_t attr;
    if (describe(l) != dnnl_success || dnnl_primitive_attr_create(&attr) != dnnl_success)
        return 0;
    const int made = make_primitive(l, attr) == dnnl_success;
    dnnl_primitive_attr_destroy(attr);
    return made;
}

/* The oldest goes when there is no room. */
static layer *find_layer(const layer *wanted)
{
    for (size_t i = 0; i < mine.count; i++) {
        layer *l = &mine.layers[i];
        if (l->rows == wanted->rows && l->in == wanted->in && l->out == wanted->out &&
            l->act == wanted->act && l->bias == wanted->bias)
            return l;
    }
    layer made = *wanted;
    if (!make_layer(&made))
        return NULL;
    layer *l = &mine.layers[mine.next];
    if (mine.next < mine.count)
        dnnl_primitive_destroy(l->primitive);
    else
        mine.count++;
    mine.next = (mine.next + 1) % KEPT;
    *l = made;
    return l;
}

static int run(const layer *l, void *const data[4])
{
    const dnnl_memory_desc_t *const descs[] = {&l->x, &l->w, &l->y, &l->b};
    static const int names[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_BIAS};
    dnnl_exec_arg_t args[4];
    const int count = l->bias ? 4 : 3;
    int made = 0;
    dnnl_status_t status = dnnl_success;
    for (; made < count && status == dnnl_success; made += status == dnnl_success) {
        args[made].arg = names[made];
        status = dnnl_memory_create(&args[made].memory, descs[made], engine, data[made]);
    }
    if (status == dnnl_success)
        status = dnnl_primitive_execute(l->primitive, mine.stream, count, args);
    if (status == dnnl_success)
        status = dnnl_stream_wait(mine.stream);
    while (made > 0)
        dnnl_memory_destroy(args[--made].memory);
    return status == dnnl_success;
}

int itx_onednn_linear(const itx_onednn_job *job)
{
    if (job->act != ITX_NONE && job->act != ITX_GELU && job->act != ITX_QUICK_GELU)
        return 0;
    pthread_once(&once, make_engine);
    if (!engine || (!mine.stream && dnnl_stream_create(&mine.stream, engine,
                                                       dnnl_stream_default_flags) != dnnl_success))
        return 0;
    layer wanted;
    memset(&wanted, 0, sizeof wanted);
    wanted.rows = job->rows;
    wanted.in = job->in;
    wanted.out = job->out;
    wanted.act = job->act;
    wanted.bias = job->b != NULL;
    const layer *l = find_layer(&wanted);
    /* oneDNN takes what it reads without const */
    void *const data[] = {(void *)(uintptr_t)job->x, (void *)(uintptr_t)job->w, job->y,
                          (void *)(uintptr_t)job->b};
    return l && run(l, data);
}
