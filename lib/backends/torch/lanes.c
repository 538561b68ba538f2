/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lanes: the few threads that compute. Many threads that multiply at once, each with a pool of
 * its own, are many times slower than one after another; so callers hand a job over and wait.
 * Lanes start with the first job and live as long as the process.
 */
#include "engine.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LANES_MAX   64u
#define THREADS_MAX 1024u
#define NOTES_MAX   16 /* lines of libtorch kept for one job */

typedef struct job {
    struct job *next;
    const item_call *call;
    const char *device;
    itx_body body;
    void *arg;
    itx_pace *pace; /* of the lane that took it */
    bool taken, done;
    pthread_cond_t over; /* done has become true */
    item_status status;
    char text[256];
    char *notes[NOTES_MAX];
    size_t note_count;
} job;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER; /* the queue has a job */
static job *first, *last;
static uint32_t lane_count, thread_count; /* 0: the default */
static bool running;

/* ---- counts ---- */

static uint32_t lanes_now(void)
{
    return lane_count ? lane_count : 1;
}

static uint32_t threads_now(void)
{
    const uint32_t share = itx_physical_cores() / lanes_now();
    return thread_count ? thread_count : share ? share : 1;
}

item_status itx_lanes_setup(uint32_t lanes, uint32_t threads, item_error *err)
{
    if (lanes > LANES_MAX || threads > THREADS_MAX)
        return itx_fail(err, ITEM_E_ARGUMENT, "at most %u lanes of %u threads, not %u of %u",
                        LANES_MAX, THREADS_MAX, lanes, threads);
    item_status status = ITEM_OK;
    (void)pthread_mutex_lock(&lock);
    const uint32_t had[2] = {lane_count, thread_count}, before[2] = {lanes_now(), threads_now()};
    lane_count = lanes;
    thread_count = threads;
    if (running && (before[0] != lanes_now() || before[1] != threads_now())) {
        lane_count = had[0];
        thread_count = had[1];
        status = itx_fail(err, ITEM_E_ARGUMENT,
                          "%u lanes of %u threads are computing already: set them before the first "
                          "network",
                          before[0], before[1]);
    }
    (void)pthread_mutex_unlock(&lock);
    return status;
}

void itx_lanes_counts(uint32_t *lanes, uint32_t *threads)
{
    (void)pthread_mutex_lock(&lock);
    *lanes = lanes_now();
    *threads = threads_now();
    (void)pthread_mutex_unlock(&lock);
}

/* ---- in the lane ---- */

/* Asked before each operation. */
static int32_t stop(void *user)
{
    const job *j = user;
    itx_pace_tick(j->pace);
    return itx_cancelled(j->call);
}

/* Kept until the caller's thread is awake: its log is called there alone. */
static void note(void *user, const char *text)
{
    job *j = user;
    if (j->note_count < NOTES_MAX && (j->notes[j->note_count] = strdup(text)) != NULL)
        j->note_count++;
}

static void compute(job *j)
{
    const itx_hooks hooks = {stop, note, j, j->device};
    itx_run *run = itx->begin(&hooks);
    if (!run) {
        j->status = ITEM_E_MEMORY;
        return;
    }
    const char *text = "";
    if (itx->status(run, NULL) == ITEM_OK)
        j->body(run, j->arg);
    j->status = itx->status(run, &text);
    (void)snprintf(j->text, sizeof j->text, "%s", text);
    itx->end(run);
}

static void *lane(void *ignored)
{
    (void)ignored;
    (void)pthread_mutex_lock(&lock);
    const uint32_t threads = threads_now();
    (void)pthread_mutex_unlock(&lock);
    itx_pace pace;
    itx_pace_init(&pace, threads);
    (void)pthread_mutex_lock(&lock);
    for (;;) {
        while (!first)
            (void)pthread_cond_wait(&work, &lock);
        job *j = first;
        first = j->next;
        last = first ? last : NULL;
        j->taken = true;
        j->pace = &pace;
        (void)pthread_mutex_unlock(&lock);
        itx_pace_start(&pace);
        compute(j);
        itx_pace_stop(&pace);
        (void)pthread_mutex_lock(&lock);
        j->done = true;
        (void)pthread_cond_signal(&j->over);
    }
    return NULL;
}

/* ---- in the caller ---- */

/* Signals of the program are not for lanes, but those of their own faults are. */
static void block_signals(sigset_t *before)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
    sigset_t others;
    (void)sigfillset(&others);
    for (size_t i = 0; i < ITX_COUNT(faults); i++)
        (void)sigdelset(&others, faults[i]);
    (void)pthread_sigmask(SIG_SETMASK, &others, before);
}

static bool start_lane(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t before;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attributes, (size_t)8 << 20);
    block_signals(&before);
    const bool started = pthread_create(&thread, &attributes, lane, NULL) == 0;
    if (started)
        (void)pthread_setname_np(thread, "item-lane");
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return started;
}

static bool start_lanes(void)
{
    const uint32_t wanted = lanes_now();
    uint32_t started = 0;
    while (started < wanted && start_lane())
        started++;
    running = started > 0;
    lane_count = running ? started : lane_count;
    return running;
}

static void push(job *j)
{
    if (last)
        last->next = j;
    else
        first = j;
    last = j;
    (void)pthread_cond_signal(&work);
}

static void take_back(job *j)
{
    job **link = &first, *before = NULL;
    for (; *link != j; link = &(*link)->next)
        before = *link;
    *link = j->next;
    last = last == j ? before : last;
}

/* With the lock held; a job that no lane has taken yet ends as soon as it is cancelled. */
static void wait_for(job *j)
{
    while (!j->done) {
        const struct timespec until = itx_soon();
        if (pthread_cond_timedwait(&j->over, &lock, &until) == 0 || j->taken)
            continue;
        (void)pthread_mutex_unlock(&lock);
        const bool cancelled = itx_cancelled(j->call);
        (void)pthread_mutex_lock(&lock);
        if (cancelled && !j->taken) {
            take_back(j);
            j->status = ITEM_E_CANCELLED;
            j->done = true;
        }
    }
}

static item_status deliver(job *j, item_error *err)
{
    for (size_t i = 0; i < j->note_count; i++) {
        if (j->call && j->call->log)
            j->call->log(j->call->host, ITEM_LOG_INFO, j->notes[i]);
        free(j->notes[i]);
    }
    if (j->status == ITEM_E_CANCELLED)
        return itx_fail(err, ITEM_E_CANCELLED, "cancelled");
    if (j->status != ITEM_OK)
        return itx_fail(err, j->status, "torch: %s", j->text[0] ? j->text : "out of memory");
    return ITEM_OK;
}

static bool job_init(job *j)
{
    pthread_condattr_t clock;
    if (pthread_condattr_init(&clock) != 0)
        return false;
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    const bool made = pthread_cond_init(&j->over, &clock) == 0;
    (void)pthread_condattr_destroy(&clock);
    return made;
}

/* The job lies on this stack: the thread must not end before it is done. */
static item_status hand_over(job *j, item_error *err)
{
    if (!job_init(j))
        return itx_fail_memory(err, "waiting for a lane");
    (void)pthread_mutex_lock(&lock);
    const bool ready = running || start_lanes();
    if (ready) {
        push(j);
        wait_for(j);
    }
    (void)pthread_mutex_unlock(&lock);
    (void)pthread_cond_destroy(&j->over);
    return ready ? deliver(j, err)
                 : itx_fail(err, ITEM_E_BACKEND, "the system starts no thread for a lane");
}

item_status itx_compute(const item_call *call, const char *device, itx_body body, void *arg,
                        item_error *err)
{
    item_status status = itx_load(err);
    if (status != ITEM_OK)
        return status;
    if (itx_cancelled(call))
        return itx_fail(err, ITEM_E_CANCELLED, "cancelled");
    job j = {.call = call, .device = device, .body = body, .arg = arg};
    int before;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    status = hand_over(&j, err);
    (void)pthread_setcancelstate(before, &before);
    return status;
}
