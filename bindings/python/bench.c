/* SPDX-License-Identifier: Apache-2.0 */
/* The C side of bench.py: the same calls without Python, timed. */
#include <item/item.h>
#include <time.h>

double bench_single(item_ctx *ctx, const char *path);
double bench_batches(item_ctx *ctx, const char *const *paths, size_t n, size_t batch);

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Seconds of one picture; below 0 when it failed. */
double bench_single(item_ctx *ctx, const char *path)
{
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    double start = now();
    if (item_check_file(ctx, path, NULL, &result, &err) != ITEM_OK)
        return -1;
    item_result_unref(result);
    return now() - start;
}

/* Seconds of n pictures, `batch` (64 at most) in a call. */
double bench_batches(item_ctx *ctx, const char *const *paths, size_t n, size_t batch)
{
    item_error err = ITEM_ERROR_INIT;
    item_result *results[64];
    double start = now();
    for (size_t at = 0; at < n; at += batch) {
        size_t some = n - at < batch ? n - at : batch;
        if (item_check_files(ctx, paths + at, some, NULL, results, &err) != ITEM_OK)
            return -1;
        for (size_t i = 0; i < some; i++)
            item_result_unref(results[i]);
    }
    return now() - start;
}
