/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many threads a product uses. The threads of a product wait for each other at its end, some
 * hundred times a picture; where other programs keep the processors busy, each wait lasts until
 * the system lets the last one run, and two threads were seen to be twenty times slower than one.
 * So a lane watches how much of the time it really computes, and goes on with a single thread
 * while the machine is full.
 */
#include "engine.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define WINDOW   0.02 /* seconds that are judged together */
#define FULL     0.75 /* less of the time on a processor: others have them */
#define EMPTY    0.95 /* more: they are free again */
#define PATIENCE 4u   /* calm windows before all threads are tried again... */
#define PATIENT  256u /* ...and twice as many after each try that failed, up to this */

static double seconds(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *wait_at(void *gate)
{
    (void)pthread_mutex_lock(gate);
    (void)pthread_mutex_unlock(gate);
    return NULL;
}

/* OpenMP ends the process where the system refuses it a thread: so they are tried before, all at
   once, and those that start are the most that it is told to use. */
static uint32_t threads_that_start(uint32_t wanted)
{
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_t *others = calloc(wanted, sizeof *others);
    uint32_t count = 0;
    (void)pthread_mutex_lock(&gate);
    while (others && count + 1 < wanted &&
           pthread_create(&others[count], NULL, wait_at, &gate) == 0)
        count++;
    (void)pthread_mutex_unlock(&gate);
    for (uint32_t i = 0; i < count; i++)
        (void)pthread_join(others[i], NULL);
    free(others);
    return count + 1;
}

void itx_pace_init(itx_pace *pace, uint32_t threads)
{
    *pace = (itx_pace){.threads = threads_that_start(threads), .patience = PATIENCE};
    (void)itx->set_threads((int)pace->threads);
}

/* Windows go on from job to job: most jobs are shorter than one. */
void itx_pace_start(itx_pace *pace)
{
    pace->wall = seconds(CLOCK_MONOTONIC) - pace->wall_used;
    pace->cpu = seconds(CLOCK_THREAD_CPUTIME_ID) - pace->cpu_used;
}

void itx_pace_stop(itx_pace *pace)
{
    pace->wall_used = seconds(CLOCK_MONOTONIC) - pace->wall;
    pace->cpu_used = seconds(CLOCK_THREAD_CPUTIME_ID) - pace->cpu;
}

static void change(itx_pace *pace, bool single)
{
    if (single && pace->calm >= PATIENCE)
        pace->patience = PATIENCE;
    else if (single && pace->patience < PATIENT) /* failed at once: the next try comes later */
        pace->patience *= 2;
    pace->single = single;
    pace->calm = 0;
    (void)itx->set_threads(single ? 1 : (int)pace->threads);
}

void itx_pace_tick(itx_pace *pace)
{
    const double wall = seconds(CLOCK_MONOTONIC) - pace->wall;
    if (pace->threads < 2 || wall < WINDOW)
        return;
    const double share = (seconds(CLOCK_THREAD_CPUTIME_ID) - pace->cpu) / wall;
    if (pace->single)
        pace->calm = share > EMPTY ? pace->calm + 1 : 0;
    else
        pace->calm += share > FULL;
    if (!pace->single && share < FULL)
        change(pace, true);
    else if (pace->single && pace->calm >= pace->patience)
        change(pace, false);
    pace->wall_used = pace->cpu_used = 0.0;
    itx_pace_start(pace);
}
