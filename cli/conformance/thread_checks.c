/* SPDX-License-Identifier: Apache-2.0 */
/* Threads, side by side, and cancelling. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conformance.h"

enum { THREADS = 4, MOST_JOB = 256 };

static const asking plain = PLAIN;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void sleep_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* ---- at once ---- */

typedef struct worker {
    pthread_t id;
    bench *bench;
    const backend *it;
    size_t start;
    pthread_mutex_t *lock; /* of a serial backend; or NULL */
    bool running;
} worker;

static void *work(void *user)
{
    worker *w = user;
    for (size_t i = 0; i < 4 && !has_failed(); i++)
        for (subject s = CAPTIONS; s < SUBJECTS; s++) {
            if (!subject_of(w->it->stage, s))
                continue;
            if (w->lock)
                pthread_mutex_lock(w->lock);
            (void)compare_with_alone(w->bench, w->it, s, w->start + i, 1 + i % 2, &plain);
            if (w->lock)
                pthread_mutex_unlock(w->lock);
        }
    return NULL;
}

static void run_workers(worker *workers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        workers[i].running = pthread_create(&workers[i].id, NULL, work, &workers[i]) == 0;
        if (!workers[i].running)
            fail("a thread could not be started");
    }
    for (size_t i = 0; i < n; i++)
        if (workers[i].running)
            pthread_join(workers[i].id, NULL);
}

/* One that must not be called at once is called by one thread after another, as libitem does. */
void check_threads(bench *b)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    bool serial = b->it.ops.start.capabilities & ITEM_BACKEND_SERIAL;
    worker workers[THREADS];
    if (!b->known) {
        skip("there are no answers to compare with: \"alone\" failed");
        return;
    }
    for (size_t i = 0; i < THREADS; i++)
        workers[i] = (worker){.bench = b, .it = &b->it, .start = i, .lock = serial ? &lock : NULL};
    run_workers(workers, THREADS);
}

void check_two(bench *b)
{
    item_error err = ITEM_ERROR_INIT;
    backend other;
    if (!b->known) {
        skip("there are no answers to compare with: \"alone\" failed");
        return;
    }
    if (target_open(b->it.stage, target_settings(), &other, &err) != ITEM_OK) {
        fail("opening a second one: %s", err.message);
        return;
    }
    worker workers[2] = {{.bench = b, .it = &b->it, .start = 0},
                         {.bench = b, .it = &other, .start = 3}};
    run_workers(workers, 2);
    target_close(&other);
}

/* ---- cancelling ---- */

typedef struct job {
    const sample *inputs[MOST_JOB];
    size_t n;
} job;

/* n inputs, by turns of the first four: none of them is very long. */
static void fill(job *j, subject s, size_t n)
{
    j->n = n;
    for (size_t i = 0; i < n; i++)
        j->inputs[i] = &samples[s].items[i % 4];
}

/* An answer that comes late is asked for again: a busy machine is late once, not every time. */
enum { TRIES = 3 };

static void cancel_from_start(const backend *it, subject s)
{
    static const double soon = 200;
    atomic_int set = 1;
    asking cancelled = PLAIN;
    cancelled.cancel = &set;
    job j;
    char why[WHY];
    fill(&j, s, 16);
    item_status status = ITEM_OK;
    double took = soon + 1;
    for (int i = 0; i < TRIES && status == ITEM_OK && took > soon; i++) {
        double start = now_ms();
        status = ask(it, s, j.inputs, j.n, &cancelled, NULL, why);
        took = now_ms() - start;
    }
    if (status != ITEM_E_CANCELLED && (status != ITEM_OK || took > soon))
        fail("a call for 16 of %s, cancelled from the start, took %.0f ms and returned %s",
             subject_word(s), took, why);
}

void check_cancel_at_once(bench *b)
{
    for (subject s = CAPTIONS; s < SUBJECTS; s++) {
        if (!subject_of(b->it.stage, s))
            continue;
        cancel_from_start(&b->it, s);
        if (b->known)
            (void)compare_with_alone(b, &b->it, s, 0, 1, &plain);
    }
}

typedef struct canceller {
    atomic_int set;
    long after;
    double when;
} canceller;

static void *cancel(void *user)
{
    canceller *c = user;
    sleep_ms(c->after);
    c->when = now_ms();
    atomic_store(&c->set, 1);
    return NULL;
}

/* A job that takes half a second; false: it is too quick for one. */
static bool find_job(const backend *it, subject s, job *j, double *took)
{
    char why[WHY];
    for (size_t n = 16; n <= MOST_JOB; n *= 4) {
        fill(j, s, n);
        double start = now_ms();
        if (ask(it, s, j->inputs, n, &plain, NULL, why) != ITEM_OK) {
            fail("a call for %zu of %s: %s", n, subject_word(s), why);
            return false;
        }
        *took = now_ms() - start;
        if (*took >= 500)
            return true;
    }
    return false;
}

/* Wide limits: 200 ms are asked for, and this machine may have other things to do. */
/* How long a call went on after its cancel, ms; below 0: it could not be tried. */
static double cancel_once(const backend *it, subject s, const job *j, item_status *status,
                          char why[WHY])
{
    canceller c = {.after = 50};
    asking cancelled = PLAIN;
    cancelled.cancel = &c.set;
    pthread_t id;
    if (pthread_create(&id, NULL, cancel, &c) != 0) {
        fail("a thread could not be started");
        return -1;
    }
    *status = ask(it, s, j->inputs, j->n, &cancelled, NULL, why);
    double end = now_ms();
    pthread_join(id, NULL);
    return end - c.when;
}

static void cancel_job(const backend *it, subject s, const job *j, double took)
{
    static const double late_end = 200, late_status = 2000;
    char why[WHY] = "";
    item_status status = ITEM_OK;
    double late = late_status + 1;
    for (int i = 0; i < TRIES && late > (status == ITEM_OK ? late_end : late_status); i++)
        late = cancel_once(it, s, j, &status, why);
    if ((status == ITEM_OK && late > late_end) || late > late_status ||
        (status != ITEM_OK && status != ITEM_E_CANCELLED))
        fail("a call for %zu of %s takes %.0f ms; cancelled after 50, it went on for %.0f and "
             "returned %s",
             j->n, subject_word(s), took, late, why);
}

void check_cancel_later(bench *b)
{
    bool any = false;
    for (subject s = CAPTIONS; s < SUBJECTS; s++) {
        job j;
        double took;
        if (!subject_of(b->it.stage, s) || !find_job(&b->it, s, &j, &took))
            continue;
        any = true;
        cancel_job(&b->it, s, &j, took);
        if (b->known)
            (void)compare_with_alone(b, &b->it, s, 0, 3, &plain);
    }
    if (!any)
        skip("it is too quick: %d at once take less than half a second", MOST_JOB);
}
