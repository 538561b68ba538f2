/* SPDX-License-Identifier: Apache-2.0 */
/* Facts for diagnosis: which libtorch, which BLAS really runs and how fast, which processor. */
#include "engine.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROWS  512
#define WIDTH 768
#define TRIES 24
#define LONG  1.0 /* seconds; with a slow BLAS fewer tries must do */

/* Names that only a fast BLAS has, OpenBLAS first. */
static const char *const fast_names[] = {"openblas_get_config", "MKL_Get_Version_String",
                                         "bli_info_get_version_str", "ATL_buildinfo",
                                         "armplversion"};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char blas[1024];
static uint32_t blas_is_slow;

/* ---- the BLAS ---- */

static int find_torch(struct dl_phdr_info *object, size_t size, void *found)
{
    const char *name = object->dlpi_name ? object->dlpi_name : "";
    const char *slash = strrchr(name, '/');
    (void)size;
    if (strcmp(slash ? slash + 1 : name, ITX_TORCH_SONAME) != 0)
        return 0;
    *(const char **)found = name;
    return 1;
}

/* The name of a fast one in the file of the BLAS or below it; adds what OpenBLAS says of itself. */
static bool is_fast(const char *file)
{
    char *(*config)(void);
    void *found = NULL, *handle = dlopen(file, RTLD_NOW | RTLD_NOLOAD);
    if (!handle)
        return true; /* part of the program itself: not for us to judge */
    for (size_t i = 0; i < ITX_COUNT(fast_names) && !found; i++) {
        found = dlsym(handle, fast_names[i]);
        if (found && i == 0) {
            const size_t used = strlen(blas);
            memcpy(&config, &found, sizeof config); /* ISO C has no cast between the two */
            (void)snprintf(blas + used, sizeof blas - used, " (%s)", config());
        }
    }
    (void)dlclose(handle);
    return found != NULL;
}

static void find_blas(void)
{
    const char *path = NULL;
    Dl_info where;
    (void)dl_iterate_phdr(find_torch, &path);
    void *torch = path ? dlopen(path, RTLD_NOW | RTLD_NOLOAD) : NULL;
    /* as libtorch's own calls are bound: what the program brought goes first */
    void *product = dlsym(RTLD_DEFAULT, "sgemm_");
    if (!product && torch)
        product = dlsym(torch, "sgemm_");
    if (product && dladdr(product, &where) != 0 && where.dli_fname) {
        char *real = realpath(where.dli_fname, NULL);
        (void)snprintf(blas, sizeof blas, "%s", real ? real : where.dli_fname);
        free(real);
        blas_is_slow = !is_fast(where.dli_fname);
    } else {
        (void)snprintf(blas, sizeof blas, "inside of libtorch");
    }
    if (torch)
        (void)dlclose(torch);
}

/* ---- its rate ---- */

typedef struct product {
    float *numbers; /* both factors */
    double gflops;
} product;

static double seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void measure_in_lane(itx_run *run, void *arg)
{
    product *p = arg;
    double best = 0.0, spent = 0.0;
    itx_tensor *a = itx->input(run, p->numbers, &(itx_shape){2, {ROWS, WIDTH}});
    itx_tensor *b = itx->input(run, p->numbers, &(itx_shape){2, {WIDTH, WIDTH}});
    for (int i = 0; i < TRIES && spent < LONG; i++) {
        const double start = seconds();
        const size_t mark = itx->mark(run);
        (void)itx->matmul(run, a, b);
        itx->sweep(run, mark, NULL, 0);
        const double took = seconds() - start;
        const double rate = 2.0 * ROWS * WIDTH * WIDTH / took * 1e-9;
        best = rate > best ? rate : best;
        spent += took;
    }
    p->gflops = best;
}

static item_status measure_rate(double *gflops, item_error *err)
{
    product p = {.numbers = malloc((size_t)WIDTH * WIDTH * sizeof(float))};
    if (!p.numbers)
        return itx_fail_memory(err, "measuring a product");
    for (size_t i = 0; i < (size_t)WIDTH * WIDTH; i++)
        p.numbers[i] = (float)(i % 7) * 0.125f;
    const item_status status = itx_compute(NULL, "cpu", measure_in_lane, &p, err);
    free(p.numbers);
    *gflops = p.gflops;
    return status;
}

item_status itx_info(int32_t measure, item_engine_info *info, item_error *err)
{
    item_engine_info facts = {.struct_size = info->struct_size, .name = "torch"};
    item_status status = itx_load(err);
    if (status == ITEM_OK && measure)
        status = measure_rate(&facts.gflops, err);
    if (status != ITEM_OK)
        return status;
    (void)pthread_mutex_lock(&lock);
    if (blas[0] == '\0')
        find_blas();
    (void)pthread_mutex_unlock(&lock);
    itx_lanes_counts(&facts.lanes, &facts.threads);
    facts.cpu_bf16 = itx_cpu_bf16();
    facts.version = itx_torch_version();
    facts.path = itx_module_path();
    facts.blas = blas;
    facts.cpu = itx_cpu_name();
    facts.cpu_features = itx_cpu_features();
    facts.blas_is_slow = blas_is_slow;
    memcpy(info, &facts, info->struct_size < sizeof facts ? info->struct_size : sizeof facts);
    return ITEM_OK;
}
