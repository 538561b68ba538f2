/* SPDX-License-Identifier: Apache-2.0 */
/* A decode that is cancelled in its midst: time counts from then on. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "bombs.h"

#define BEGUN 0.05 /* seconds of work after which a decode is in its midst */

typedef struct job {
    const char *path;
    item_cancel *cancel;
    item_error *err;
    item_status status;
} job;

static void *decode(void *arg)
{
    job *j = arg;
    item_image *image;
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    options.cancel = j->cancel;
    j->status = item_image_from_file(j->path, &options, &image, j->err);
    item_image_unref(image);
    return NULL;
}

/* Waits until the thread has worked so long; its own clock runs as fast on a loaded machine. */
static void wait_for(pthread_t thread, double seconds)
{
    clockid_t clock;
    struct timespec t = {0};
    if (pthread_getcpuclockid(thread, &clock) != 0)
        abort();
    while (clock_gettime(clock, &t) == 0 && (double)t.tv_sec + (double)t.tv_nsec * 1e-9 < seconds)
        usleep(1000);
}

item_status run_cancelled(const char *path, item_error *err)
{
    pthread_t thread;
    job j = {.path = path, .err = err};
    if (item_cancel_new(&j.cancel, NULL) != ITEM_OK ||
        pthread_create(&thread, NULL, decode, &j) != 0)
        abort();
    wait_for(thread, BEGUN);
    measure_start();
    item_cancel_set(j.cancel);
    pthread_join(thread, NULL);
    measure_stop();
    item_cancel_unref(j.cancel);
    return j.status;
}
