/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many pictures: one context, several threads, batches, a time limit. A photo app would do the
 * same from its own pool of threads.
 *
 *     cc batch.c $(pkg-config --cflags --libs item) -pthread -o batch && ./batch *.jpg
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <item/item.h>

#define THREADS 2
#define BATCH   8 /* eight pictures together take less time than eight one by one */

typedef struct job {
    item_ctx *ctx; /* shared: contexts do not change and may be used by any thread */
    item_cancel *cancel;
    const char *const *files;
    size_t count;
    atomic_size_t next; /* first file that no thread has taken */
    atomic_size_t failed;
} job;

static void print(const char *file, const item_result *result)
{
    item_error err = ITEM_ERROR_INIT;
    if (item_result_status(result, &err) != ITEM_OK)
        printf("%s: %s\n", file, err.message); /* the others of the batch are answered */
    else
        printf("%s: %s (%s)\n", file, item_result_text(result, ITEM_TEXT_VERDICT),
               item_result_text(result, ITEM_TEXT_CAPTION));
}

static void *work(void *argument)
{
    job *j = argument;
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    options.cancel = j->cancel;
    for (;;) {
        size_t first = atomic_fetch_add(&j->next, BATCH);
        if (first >= j->count)
            return NULL;
        size_t n = j->count - first < BATCH ? j->count - first : BATCH;
        item_error err = ITEM_ERROR_INIT;
        item_result *results[BATCH] = {NULL};
        if (item_check_files(j->ctx, j->files + first, n, &options, results, &err) != ITEM_OK) {
            fprintf(stderr, "%s\n", err.message); /* cancelled, or out of memory */
            atomic_fetch_add(&j->failed, n);
            return NULL;
        }
        for (size_t i = 0; i < n; i++) {
            if (item_result_status(results[i], NULL) != ITEM_OK)
                atomic_fetch_add(&j->failed, 1);
            print(j->files[first + i], results[i]);
            item_result_unref(results[i]);
        }
    }
}

/* After a minute every running call ends with ITEM_E_CANCELLED, at the latest 200 ms later. */
static void *watch(void *cancel)
{
    sleep(60);
    item_cancel_set(cancel);
    return NULL;
}

int main(int argc, char **argv)
{
    item_error err = ITEM_ERROR_INIT;
    job j = {.files = (const char *const *)argv + 1, .count = (size_t)(argc > 0 ? argc - 1 : 0)};
    if (item_cancel_new(&j.cancel, &err) != ITEM_OK ||
        item_ctx_open(getenv("EXAMPLE_PACK"), NULL, &j.ctx, &err) != ITEM_OK) {
        fprintf(stderr, "%s\n", err.message);
        item_cancel_unref(j.cancel);
        return 1;
    }
    pthread_t threads[THREADS], watcher;
    int started = 0, watched = pthread_create(&watcher, NULL, watch, j.cancel) == 0;
    while (started < THREADS && pthread_create(&threads[started], NULL, work, &j) == 0)
        started++;
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (watched) {
        pthread_cancel(watcher);
        pthread_join(watcher, NULL);
    }
    item_ctx_unref(j.ctx);
    item_cancel_unref(j.cancel);
    return atomic_load(&j.failed) > 0 || started == 0;
}
