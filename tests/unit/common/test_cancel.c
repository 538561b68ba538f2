/* SPDX-License-Identifier: Apache-2.0 */
/* Cancel handles across threads and signals; log lines; the clock. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/common.h"

static void cancel_is_set_once_for_all(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    item_cancel *cancel = NULL;
    assert_int_equal(item_cancel_new(&cancel, &err), ITEM_OK);
    assert_false(itemi_cancelled(cancel));
    assert_false(itemi_cancelled(NULL));
    item_cancel_set(cancel);
    item_cancel_set(cancel);
    assert_true(itemi_cancelled(cancel));

    assert_ptr_equal(itemi_cancel_ref(cancel), cancel);
    item_cancel_unref(cancel); /* the running call still holds it */
    assert_true(itemi_cancelled(cancel));
    item_cancel_unref(cancel);

    item_cancel_set(NULL);
    item_cancel_unref(NULL);
    assert_null(itemi_cancel_ref(NULL));
    assert_int_equal(item_cancel_new(NULL, &err), ITEM_E_ARGUMENT);
    itemi_error_reset(&err);
    assert_int_equal(itemi_fail_cancelled(&err), ITEM_E_CANCELLED);
    assert_string_equal(err.message, "cancelled");
}

static void *wait_for_it(void *user)
{
    item_cancel *cancel = user;
    while (!itemi_cancelled(cancel))
        nanosleep(&(struct timespec){0, 100000}, NULL);
    item_cancel_unref(cancel);
    return NULL;
}

static void cancel_reaches_threads(void **state)
{
    (void)state;
    item_cancel *cancel = NULL;
    pthread_t thread[4];
    assert_int_equal(item_cancel_new(&cancel, NULL), ITEM_OK);
    for (size_t i = 0; i < ITEMI_COUNT(thread); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, wait_for_it, itemi_cancel_ref(cancel)),
                         0);
    item_cancel_set(cancel);
    item_cancel_unref(cancel);
    for (size_t i = 0; i < ITEMI_COUNT(thread); i++)
        pthread_join(thread[i], NULL);
}

static item_cancel *of_signal;

static void on_signal(int number)
{
    (void)number;
    item_cancel_set(of_signal);
}

static void cancel_works_in_a_signal_handler(void **state)
{
    (void)state;
    assert_int_equal(item_cancel_new(&of_signal, NULL), ITEM_OK);
    struct sigaction action = {.sa_handler = on_signal}, before;
    sigaction(SIGUSR1, &action, &before);
    raise(SIGUSR1);
    sigaction(SIGUSR1, &before, NULL);
    assert_true(itemi_cancelled(of_signal));
    item_cancel_unref(of_signal);
}

typedef struct {
    int lines;
    int32_t level;
    char last[2048];
} heard;

static void hear(void *user, int32_t level, const char *text)
{
    heard *h = user;
    h->lines++;
    h->level = level;
    strncpy(h->last, text, sizeof h->last - 1);
}

static void log_lines_are_finished_text(void **state)
{
    (void)state;
    heard h = {0};
    itemi_log log = {hear, &h}, silent = {NULL, &h};
    itemi_logf(&log, ITEM_LOG_INFO, "engine %s took %.1f ms", "a\nb", 1.5);
    assert_int_equal(h.lines, 1);
    assert_int_equal(h.level, ITEM_LOG_INFO);
    assert_string_equal(h.last, "engine a\\nb took 1.5 ms");
    itemi_logf(&silent, ITEM_LOG_INFO, "x");
    itemi_logf(NULL, ITEM_LOG_INFO, "x");
    assert_int_equal(h.lines, 1);
    itemi_logf(&log, ITEM_LOG_DEBUG, "%3000s", "wide");
    assert_int_equal(strlen(h.last), 1023);
}

static void clock_runs_forward(void **state)
{
    (void)state;
    double start = itemi_now_ms();
    nanosleep(&(struct timespec){0, 5000000}, NULL);
    double passed = itemi_now_ms() - start;
    assert_true(passed >= 5 && passed < 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cancel_is_set_once_for_all),
        cmocka_unit_test(cancel_reaches_threads),
        cmocka_unit_test(cancel_works_in_a_signal_handler),
        cmocka_unit_test(log_lines_are_finished_text),
        cmocka_unit_test(clock_runs_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
