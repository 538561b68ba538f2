/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tensor operations of libtorch as plain C: a table that shim.cc fills and lanes.c loads.
 *
 * A run owns every tensor that is made in it and remembers its first failure: after one, each
 * operation returns NULL at once, so that a network is written without a test behind every line
 * and asked once at its end. No operation throws, prints, resizes what it was given, or can be
 * ended halfway by a cancelled thread. A run belongs to one thread at a time.
 *
 * Everything computes in float32, with one exception: where a weight was made in bfloat16, linear
 * and conv compute in it; conv also answers in it, and every operation takes both.
 */
#ifndef ITX_SHIM_H
#define ITX_SHIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ITX_OPS_VERSION 2u
#define ITX_OPS_ENTRY   "itx_ops_entry"
#define ITX_DIMS_MAX    4

typedef struct itx_tensor itx_tensor;
typedef struct itx_run itx_run;

typedef enum itx_act {
    ITX_NONE,
    ITX_RELU6,
    ITX_LEAKY,     /* x or x / 10 */
    ITX_GELU,      /* with erf */
    ITX_QUICK_GELU /* x times the sigmoid of 1.702 x */
} itx_act;

typedef struct itx_shape {
    size_t dims;
    int64_t size[ITX_DIMS_MAX];
} itx_shape;

/* What a run asks its owner; both may be NULL. */
typedef struct itx_hooks {
    int32_t (*stop)(void *user);                /* asked before each operation: 1 ends the run */
    void (*warn)(void *user, const char *text); /* what libtorch would print */
    void *user;
    const char *device; /* "cpu", "cuda:0" */
} itx_hooks;

typedef struct itx_conv_shape {
    int64_t stride, groups;
    int64_t pad; /* zeros on every side */
    itx_act act;
} itx_conv_shape;

typedef struct itx_ops {
    uint32_t version;  /* ITX_OPS_VERSION */
    const char *built; /* release of libtorch that this was compiled with */
    /* how the running libtorch describes itself; static text */
    const char *(*describe)(void);
    /* OpenMP threads of the calling thread, from now on; 0 if that cannot be set */
    int (*set_threads)(int threads);

    /* NULL only when memory ends */
    itx_run *(*begin)(const itx_hooks *hooks);
    void (*end)(itx_run *run);
    /* ITEM_OK or why the run failed; *text (may be NULL) lives as long as the run */
    int32_t (*status)(const itx_run *run, const char **text);
    /* frees the tensors made since `mark` was asked, but those in keep */
    size_t (*mark)(const itx_run *run);
    void (*sweep)(itx_run *run, size_t mark, itx_tensor *const *keep, size_t count);
    /* the run forgets a tensor: it lives until release(), in any thread */
    itx_tensor *(*own)(itx_run *run, itx_tensor *tensor);
    void (*release)(itx_tensor *tensor);

    /* weights: copied; a convolution's (4 dims) is laid out channels last */
    itx_tensor *(*weight)(itx_run *run, const float *data, const itx_shape *shape, int32_t bf16);
    /* the same of numbers that outlive the tensor: not copied on the processor */
    itx_tensor *(*lasting)(itx_run *run, const float *data, const itx_shape *shape);
    /* numbers of the caller, not copied on the processor: leave them alone until the run ends */
    itx_tensor *(*input)(itx_run *run, const float *data, const itx_shape *shape);
    /* the same for pictures: n, h, w, channels there -> n, channels, h, w, channels last */
    itx_tensor *(*pictures)(itx_run *run, const float *data, const itx_shape *shape);
    itx_tensor *(*indices)(itx_run *run, const int64_t *data, const itx_shape *shape);
    /* copies all `count` numbers out as float32, rows first; one that is none, or too large,
       fails the run: nothing may be concluded from it. Minus infinity, which hides, is fine. */
    void (*read)(itx_run *run, itx_tensor *x, float *out, size_t count);
    int64_t (*size)(const itx_tensor *x, size_t dim); /* 0 for NULL */

    itx_tensor *(*linear)(itx_run *run, itx_tensor *x, itx_tensor *w, itx_tensor *b, itx_act act);
    itx_tensor *(*conv)(itx_run *run, itx_tensor *x, itx_tensor *w, itx_tensor *b,
                        const itx_conv_shape *shape);
    /* heads of one width; q [n, a, c], k and v [n, b, c]; mask [a, b] is added, or NULL */
    itx_tensor *(*attention)(itx_run *run, itx_tensor *q, itx_tensor *k, itx_tensor *v,
                             int64_t heads, itx_tensor *mask);
    itx_tensor *(*layer_norm)(itx_run *run, itx_tensor *x, itx_tensor *w, itx_tensor *b,
                              double eps);
    itx_tensor *(*softmax)(itx_run *run, itx_tensor *x, int64_t dim);
    itx_tensor *(*log_softmax)(itx_run *run, itx_tensor *x, int64_t dim);
    itx_tensor *(*matmul)(itx_run *run, itx_tensor *a, itx_tensor *b);   /* batched */
    itx_tensor *(*add)(itx_run *run, itx_tensor *a, itx_tensor *b);      /* into a */
    itx_tensor *(*multiply)(itx_run *run, itx_tensor *a, itx_tensor *b); /* each by each */
    itx_tensor *(*scale)(itx_run *run, itx_tensor *x, double factor);
    itx_tensor *(*mean)(itx_run *run, itx_tensor *x, int64_t dim);
    /* rows of length 1: each is divided by its length and eps */
    itx_tensor *(*unit)(itx_run *run, itx_tensor *x, double eps);
    itx_tensor *(*reshape)(itx_run *run, itx_tensor *x, const itx_shape *shape);
    itx_tensor *(*transpose)(itx_run *run, itx_tensor *x, int64_t a, int64_t b);
    itx_tensor *(*slice)(itx_run *run, itx_tensor *x, int64_t dim, int64_t start, int64_t end);
    itx_tensor *(*cat)(itx_run *run, itx_tensor *const *parts, size_t count, int64_t dim);
    itx_tensor *(*rows)(itx_run *run, itx_tensor *x, itx_tensor *indices); /* of dim 0 */
    itx_tensor *(*resize)(itx_run *run, itx_tensor *x, int64_t height, int64_t width);
    itx_tensor *(*max_pool)(itx_run *run, itx_tensor *x, int64_t size, int64_t stride, int64_t pad);
} itx_ops;

typedef const itx_ops *(*itx_ops_entry_fn)(void);

#ifdef __cplusplus
}
#endif
#endif
