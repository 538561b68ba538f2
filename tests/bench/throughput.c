/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures a second: alone, in batches of eight, from eight threads. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define ROUNDS  5
#define THREADS 8
#define BATCH   8

typedef struct shared_work {
    const bench *b;
    atomic_size_t next;
    size_t total;
} shared_work;

static const char *file_of(const bench *b, size_t i)
{
    return b->files[i % b->count];
}

static void *check_singly(void *argument)
{
    shared_work *w = argument;
    for (size_t i; (i = atomic_fetch_add(&w->next, 1)) < w->total;) {
        item_error err = ITEM_ERROR_INIT;
        item_result *result = NULL;
        if (item_check_file(w->b->ctx, file_of(w->b, i), NULL, &result, &err) != ITEM_OK)
            bench_die(&err);
        item_result_unref(result);
    }
    return NULL;
}

/* Pictures a second with so many calling threads. */
static double singly(const bench *b, size_t total, int threads)
{
    shared_work w = {.b = b, .total = total};
    pthread_t ids[THREADS];
    double start = bench_now();
    for (int i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, check_singly, &w) != 0)
            exit(1);
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    return (double)total / (bench_now() - start) * 1e3;
}

static double batched(const bench *b, size_t total)
{
    double start = bench_now();
    for (size_t i = 0; i < total; i += BATCH) {
        item_error err = ITEM_ERROR_INIT;
        const char *files[BATCH];
        item_result *results[BATCH] = {NULL};
        for (size_t k = 0; k < BATCH; k++)
            files[k] = file_of(b, i + k);
        if (item_check_files(b->ctx, files, BATCH, NULL, results, &err) != ITEM_OK)
            bench_die(&err);
        for (size_t k = 0; k < BATCH; k++)
            item_result_unref(results[k]);
    }
    return (double)total / (bench_now() - start) * 1e3;
}

/* The three ways in turn, so that whatever else the machine does meets them alike. */
void bench_throughput(const bench *b)
{
    size_t total = 3 * BATCH;
    double alone[ROUNDS], batch[ROUNDS], threads[ROUNDS], by_batch[ROUNDS], by_threads[ROUNDS];
    batched(b, BATCH);
    for (int i = 0; i < ROUNDS; i++) {
        alone[i] = singly(b, total, 1);
        batch[i] = batched(b, total);
        threads[i] = singly(b, total, THREADS);
        by_batch[i] = batch[i] / alone[i];
        by_threads[i] = threads[i] / alone[i];
    }
    printf("\npictures a second: medians of %d rounds of %zu\n", ROUNDS, total);
    printf("  alone, one thread      %7.2f\n", bench_median(alone, ROUNDS));
    printf("  batches of %d           %7.2f   ratio %.2f\n", BATCH, bench_median(batch, ROUNDS),
           bench_median(by_batch, ROUNDS));
    printf("  alone, %d threads       %7.2f   ratio %.2f (aim 0.90)\n", THREADS,
           bench_median(threads, ROUNDS), bench_median(by_threads, ROUNDS));
}
