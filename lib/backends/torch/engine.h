/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the C files of the engine share: errors, the loaded operations, lanes, weights, and
 * networks that stages hold in common. Sees the public headers alone; prefix itx_, because
 * nothing here is libitem's.
 */
#ifndef ITX_ENGINE_H
#define ITX_ENGINE_H

#include <item/sys/engine.h>
#include <stdbool.h>
#include <time.h>

#include "shim.h"

#define ITX_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- errors, memory, numbers in texts (util.c) ---- */

/* Writes code and message (first error wins), returns code; err may be NULL. No floats in the
   format: they would be written as the locale says. */
item_status itx_fail(item_error *err, item_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
item_status itx_fail_memory(item_error *err, const char *doing);
/* Zeroed memory of the host, for what belongs to one stage. */
void *itx_host_alloc(const item_services *s, size_t size);
void itx_host_free(const item_services *s, void *block);
/* Up to `count` numbers of a text such as "[0.5, 1, 2e-3]", decimal point always "."; returns how
   many were read. */
size_t itx_numbers(const char *text, double *out, size_t count);
/* A value of the stage's configuration; `fallback` where absent. */
double itx_config(const item_services *s, const char *key, double fallback);
bool itx_cancelled(const item_call *call);
/* The same of the call that opens a stage. */
bool itx_opening_cancelled(const item_services *s);
/* When who waits looks whether it was cancelled, by the monotonic clock. */
struct timespec itx_soon(void);

/* ---- the operations and the process (load.c) ---- */

extern const itx_ops *itx; /* set by the first itx_load() that succeeds, for ever */

/* Loads libtorch with libitem-torch-ops.so from beside this module, unless another libtorch is
   in the process already. ITEM_E_FORKED in a child of the process that did. */
item_status itx_load(item_error *err);
bool itx_forked(void);
const char *itx_torch_version(void); /* of the libtorch that runs; "" before itx_load */
const char *itx_module_path(void);

/* ---- lanes (lanes.c) ---- */

typedef void (*itx_body)(itx_run *run, void *arg);

/* How many threads a lane's products use, by what the machine leaves it (pace.c). */
typedef struct itx_pace {
    uint32_t threads;           /* when nobody else wants the processors */
    bool single;                /* one thread now */
    double wall, cpu;           /* clocks at the beginning of the window of time */
    double wall_used, cpu_used; /* of the window, when the last job ended */
    uint32_t calm, patience;
} itx_pace;

void itx_pace_init(itx_pace *pace, uint32_t threads); /* all in the lane's own thread */
void itx_pace_start(itx_pace *pace);                  /* a job begins */
void itx_pace_tick(itx_pace *pace);                   /* often; the thread count may change */
void itx_pace_stop(itx_pace *pace);                   /* it ends */

item_status itx_lanes_setup(uint32_t lanes, uint32_t threads, item_error *err);
void itx_lanes_counts(uint32_t *lanes, uint32_t *threads);
/*
 * Runs body in a lane and waits. call (may be NULL) is asked for a cancel at least every 100 ms,
 * while waiting as while computing, and gets what libtorch warns of, in this thread.
 */
item_status itx_compute(const item_call *call, const char *device, itx_body body, void *arg,
                        item_error *err);

/* ---- facts of the machine (cpu.c, info.c) ---- */

uint32_t itx_physical_cores(void); /* that this process may use */
const char *itx_cpu_name(void);
const char *itx_cpu_features(void);
bool itx_cpu_bf16(void);
const char *itx_precision(const char *asked);
item_status itx_info(int32_t measure, item_engine_info *info, item_error *err);

/* ---- networks: weights and the registry (net.c) ---- */

typedef struct itx_net itx_net;
typedef struct itx_loader itx_loader;

typedef struct itx_affine { /* of a linear layer, a convolution or a normalisation */
    itx_tensor *w, *b;
} itx_affine;

/* What makes a network of a weights file. */
typedef struct itx_kind {
    const char *name; /* "bert" */
    size_t size;      /* of the model, zeroed before load */
    void (*load)(itx_loader *l, void *model);
} itx_kind;

/*
 * The network of the stage's file of that role: shared by all stages of the process that name the
 * same file, precision and device; made by the first. Close each.
 */
item_status itx_net_open(const item_services *s, const char *role, const itx_kind *kind,
                         itx_net **out, item_error *err);
/* The same, of a file that holds no facts of itself: they are given, and tell networks apart byte
   by byte. */
item_status itx_net_open_as(const item_services *s, const char *role, const itx_kind *kind,
                            const void *facts, size_t size, itx_net **out, item_error *err);
void itx_net_close(itx_net *net);
const void *itx_net_model(const itx_net *net);
const char *itx_net_hash(const itx_net *net); /* "" when the host has none */
const char *itx_net_device(const itx_net *net);
const char *itx_net_precision(const itx_net *net);

/*
 * For load functions. The first failure is kept, with the role, the tensor and what is wrong;
 * later calls do nothing. Names are formats.
 */
bool itx_loader_failed(const itx_loader *l);
void itx_loader_fail(itx_loader *l, item_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
const char *itx_meta(itx_loader *l, const char *key); /* "" where absent */
/* Numbers of the metadata from `least` to `most`; false, and out all `least`, after a failure. */
bool itx_meta_numbers(itx_loader *l, const char *key, double *out, size_t count, double least,
                      double most);
/* Size of one dimension, 0 after a failure; for widths that everything else follows. */
int64_t itx_peek(itx_loader *l, size_t dim, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool itx_has(itx_loader *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* In float32 always; the weights of linear layers and convolutions as the stage computes. */
itx_tensor *itx_take(itx_loader *l, size_t dims, const int64_t *shape, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Plain numbers that stay with the network, such as class numbers. */
const float *itx_take_numbers(itx_loader *l, int64_t count, const char *name);
itx_affine itx_take_linear(itx_loader *l, int64_t out, int64_t in, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Several linear layers of one input as one: rows of weights one after another. */
itx_affine itx_take_joint(itx_loader *l, int64_t out, int64_t in, const char *const *last,
                          size_t count, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
itx_affine itx_take_conv(itx_loader *l, int64_t out, int64_t in, int64_t edge, const char *format,
                         ...) __attribute__((format(printf, 5, 6)));
/* The same, its kernel one row and column of zeros larger at the top and left. */
itx_affine itx_take_conv_wider(itx_loader *l, int64_t out, int64_t in, int64_t edge,
                               const char *format, ...) __attribute__((format(printf, 5, 6)));
itx_affine itx_take_norm(itx_loader *l, int64_t width, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- the same for published files (published.c) ---- */

const void *itx_loader_facts(const itx_loader *l);
/* Zeroed memory of the network; NULL after a failure. */
void *itx_loader_alloc(itx_loader *l, size_t size);
/* The weights of a linear layer without bias. */
itx_tensor *itx_take_matrix(itx_loader *l, int64_t out, int64_t in, const char *name);
/* The same, stored the other way round. */
itx_tensor *itx_take_turned(itx_loader *l, int64_t out, int64_t in, const char *name);
/* Rows in float32 always; the file may have dimensions of 1 before them. */
itx_tensor *itx_take_flat(itx_loader *l, int64_t rows, int64_t width, const char *name);
/* A linear layer of two tensors with names of their own, both behind "at.". */
itx_affine itx_take_named(itx_loader *l, int64_t out, int64_t in, const char *at, const char *w,
                          const char *b);
/* A convolution over patches as a linear layer: name.weight [out, 3, patch, patch]. */
itx_affine itx_take_patches(itx_loader *l, int64_t out, int64_t patch, bool bias, const char *name);

/* ---- pictures (pixels.c) ---- */

/* How a network wants its pictures. */
typedef struct itx_pixels {
    uint32_t edge;       /* width and height */
    int32_t filter;      /* ITEM_FILTER_... */
    float value[3][256]; /* of each channel and byte, in the order that the network wants */
    int32_t source[3];   /* channel of the picture (0 red) for each of the network's */
} itx_pixels;

void itx_pixels_init(itx_pixels *p, uint32_t edge, int32_t filter, const double mean[3],
                     const double deviation[3]);
size_t itx_pixels_count(const itx_pixels *p); /* numbers of one picture */
/* A box of a picture, squashed to edge x edge; out holds rows, columns, channels. */
item_status itx_pixels_read(const itx_pixels *p, const item_services *s, const item_image *image,
                            const double box[4], float *out, item_error *err);

#endif
