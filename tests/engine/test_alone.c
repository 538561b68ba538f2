/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lanes and their pace without libtorch, on operations that only count: systems that start no
 * threads, full processors, and callers that come, cancel and go.
 */
#include "backends/torch/engine.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmocka_all.h"

/* ---- the system and the operations ---- */

static atomic_int threads_left = 1000;

int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *user)
{
    if (atomic_fetch_sub(&threads_left, 1) <= 0)
        return EAGAIN;
    return __real_pthread_create(thread, attributes, start, user);
}

struct itx_run {
    itx_hooks hooks;
    int32_t status;
};

static atomic_int threads_set; /* by the last thread that set them */
static atomic_int runs_open;

static int set_threads(int threads)
{
    atomic_store(&threads_set, threads);
    return threads;
}

static itx_run *begin(const itx_hooks *hooks)
{
    itx_run *run = malloc(sizeof *run);
    *run = (itx_run){*hooks, ITEM_OK};
    atomic_fetch_add(&runs_open, 1);
    return run;
}

static void end(itx_run *run)
{
    free(run);
    atomic_fetch_sub(&runs_open, 1);
}

static int32_t status_of(const itx_run *run, const char **text)
{
    if (text)
        *text = "as the test wants";
    return run->status;
}

static const itx_ops ops = {.version = ITX_OPS_VERSION,
                            .set_threads = set_threads,
                            .begin = begin,
                            .end = end,
                            .status = status_of};
const itx_ops *itx = &ops;

item_status itx_load(item_error *err)
{
    (void)err;
    return ITEM_OK;
}

/* A job of `user` milliseconds that asks for a cancel after each. */
static void work_ms(itx_run *run, void *user)
{
    for (int i = 0; i < *(int *)user && run->status == ITEM_OK; i++) {
        usleep(1000);
        run->hooks.warn(run->hooks.user, "a warning");
        if (run->hooks.stop(run->hooks.user))
            run->status = ITEM_E_CANCELLED;
    }
}

/* ---- few threads ---- */

static void no_thread_no_answer(void **state)
{
    item_error err = ITEM_ERROR_INIT;
    int none = 0;
    (void)state;
    atomic_store(&threads_left, 0);
    assert_int_equal(itx_compute(NULL, "cpu", work_ms, &none, &err), ITEM_E_BACKEND);
    assert_non_null(strstr(err.message, "no thread"));
}

/* More than the system starts would make OpenMP end the process. */
static void a_lane_uses_the_threads_that_start(void **state)
{
    itx_pace pace;
    (void)state;
    atomic_store(&threads_left, 2);
    itx_pace_init(&pace, 4);
    assert_int_equal(atomic_load(&threads_set), 3);
    assert_int_equal(pace.threads, 3);
}

static void lanes_that_start_are_used(void **state)
{
    uint32_t lanes, threads;
    int none = 0;
    (void)state;
    assert_int_equal(itx_lanes_setup(3, 1, NULL), ITEM_OK);
    atomic_store(&threads_left, 2);
    assert_int_equal(itx_compute(NULL, "cpu", work_ms, &none, NULL), ITEM_OK);
    itx_lanes_counts(&lanes, &threads);
    assert_int_equal(lanes, 2);
    atomic_store(&threads_left, 1000);
}

/* ---- signals ---- */

static void read_mask(itx_run *run, void *set)
{
    (void)run;
    (void)pthread_sigmask(SIG_BLOCK, NULL, set);
}

/* The program's signals are for its own threads; but a lane that faults, perhaps in a function of
   the program, must reach the program's handler. */
static void lanes_take_no_signals_but_their_own(void **state)
{
    static const int theirs[] = {SIGTERM, SIGINT, SIGCHLD, SIGALRM, SIGUSR1};
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
    sigset_t set;
    (void)state;
    (void)sigemptyset(&set);
    assert_int_equal(itx_compute(NULL, "cpu", read_mask, &set, NULL), ITEM_OK);
    for (size_t i = 0; i < ITX_COUNT(theirs); i++)
        assert_true(sigismember(&set, theirs[i]));
    for (size_t i = 0; i < ITX_COUNT(own); i++)
        assert_false(sigismember(&set, own[i]));
}

/* ---- callers ---- */

typedef struct caller {
    item_call call;
    pthread_t thread;
    unsigned seed;
    atomic_int asked, logged, cancel_at;
    int wrong;
} caller;

static int32_t cancelled(void *user)
{
    caller *c = user;
    return atomic_fetch_add(&c->asked, 1) >= atomic_load(&c->cancel_at);
}

static void count_line(void *user, int32_t level, const char *text)
{
    caller *c = user;
    (void)level;
    (void)text;
    c->wrong |= !pthread_equal(pthread_self(), c->thread);
    atomic_fetch_add(&c->logged, 1);
}

static void *call_often(void *user)
{
    caller *c = user;
    c->thread = pthread_self();
    c->call = (item_call){.host = c, .cancelled = cancelled, .log = count_line};
    for (int i = 0; i < 40; i++) {
        int ms = rand_r(&c->seed) % 4;
        atomic_store(&c->asked, 0);
        atomic_store(&c->logged, 0);
        atomic_store(&c->cancel_at, rand_r(&c->seed) % 6);
        const item_status status = itx_compute(&c->call, "cpu", work_ms, &ms, NULL);
        c->wrong |= status != ITEM_OK && status != ITEM_E_CANCELLED;
        c->wrong |= status == ITEM_OK && atomic_load(&c->logged) != ms;
    }
    return NULL;
}

static void callers_come_cancel_and_go(void **state)
{
    static caller callers[8];
    pthread_t threads[8];
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        callers[i].seed = i;
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &callers[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(callers[i].wrong, 0);
    }
    assert_int_equal(atomic_load(&runs_open), 0);
}

/* ---- pace ---- */

static double seconds(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* A window of a second, of which this thread had that share of a processor. */
static void window(itx_pace *pace, double share)
{
    pace->wall = seconds(CLOCK_MONOTONIC) - 1.0;
    pace->cpu = seconds(CLOCK_THREAD_CPUTIME_ID) - share;
    itx_pace_tick(pace);
}

/* Tries that fail become rarer, and stay as rare as they may become. */
static void failed_tries_become_rarer(void **state)
{
    itx_pace pace;
    uint32_t longest = 0;
    (void)state;
    itx_pace_init(&pace, 2);
    itx_pace_start(&pace);
    for (int i = 0; i < 12; i++) {
        window(&pace, 0.3);
        assert_int_equal(atomic_load(&threads_set), 1);
        uint32_t calm = 0;
        for (; atomic_load(&threads_set) == 1 && calm < 10000; calm++)
            window(&pace, 1.0);
        assert_true(calm >= longest);
        longest = calm;
    }
    assert_int_equal(longest, 256);
    for (int i = 0; i < 5; i++) /* a try that holds */
        window(&pace, 0.9);
    window(&pace, 0.3);
    assert_in_range(pace.patience, 1, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_thread_no_answer),
        cmocka_unit_test(a_lane_uses_the_threads_that_start),
        cmocka_unit_test(lanes_that_start_are_used),
        cmocka_unit_test(lanes_take_no_signals_but_their_own),
        cmocka_unit_test(callers_come_cancel_and_go),
        cmocka_unit_test(failed_tries_become_rarer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
