/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One context, several threads, one call a picture; the answers are printed as JSON in the order
 * of the names. Nothing needs a lock: contexts do not change, and libitem queues the callers.
 *
 *     cc threads.c $(pkg-config --cflags --libs item) -pthread -o threads
 *     ./threads PACK THREADS FILE...
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <item/item.h>

#define THREADS_MAX 64

typedef struct job {
    item_ctx *ctx;
    char **files;
    item_result **results;
    size_t count;
    atomic_size_t next;
} job;

static void *work(void *argument)
{
    job *j = argument;
    for (size_t i = atomic_fetch_add(&j->next, 1); i < j->count;
         i = atomic_fetch_add(&j->next, 1)) {
        /* A batch of one, because its result is there even if the picture failed. */
        const char *file = j->files[i];
        item_check_files(j->ctx, &file, 1, NULL, &j->results[i], NULL);
    }
    return NULL;
}

static void run(job *j, long threads)
{
    pthread_t thread[THREADS_MAX];
    long started = 0;
    while (started < threads && pthread_create(&thread[started], NULL, work, j) == 0)
        started++;
    for (long i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
}

int main(int argc, char **argv)
{
    long threads = argc > 3 ? strtol(argv[2], NULL, 10) : 0;
    if (threads < 1 || threads > THREADS_MAX) {
        fprintf(stderr, "threads PACK THREADS FILE...\n");
        return 2;
    }
    item_error err = ITEM_ERROR_INIT;
    job j = {.files = argv + 3, .count = (size_t)argc - 3};
    j.results = calloc(j.count, sizeof(*j.results));
    if (j.results == NULL || item_ctx_open(argv[1], NULL, &j.ctx, &err) != ITEM_OK) {
        fprintf(stderr, "%s\n", err.message);
        free(j.results);
        return 1;
    }
    run(&j, threads);
    int failed = 0;
    for (size_t i = 0; i < j.count; i++) {
        const char *line = item_result_json(j.results[i]);
        failed |= item_result_status(j.results[i], NULL) != ITEM_OK;
        puts(line ? line : "{}");
        item_result_unref(j.results[i]);
    }
    item_ctx_unref(j.ctx);
    free(j.results);
    return failed;
}
