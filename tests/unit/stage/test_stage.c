/* SPDX-License-Identifier: Apache-2.0 */
/* Stages from the inside: references, locks that can be cancelled, what a call hands over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "stage/stage.h"

/* ---- references ---- */

static int closed, after, order;

static void close_it(void *self)
{
    assert_ptr_equal(self, &closed);
    closed = ++order;
}

static void after_it(void *user)
{
    assert_ptr_equal(user, &after);
    after = ++order;
}

static void the_last_reference_closes(void **state)
{
    (void)state;
    item_embedder_ops ops = *item_dummy_embedder();
    char name[] = "name", id[] = "id";
    ops.name = name;
    ops.id = id;
    ops.close = close_it;
    itemi_stage *stage = NULL;
    assert_int_equal(itemi_stage_new(NULL, ITEMI_EMBEDDER, &ops, &closed, &stage, NULL), ITEM_OK);
    name[0] = id[0] = '?'; /* the table's texts were copied */
    assert_string_equal(itemi_stage_name(stage), "name");
    assert_string_equal(itemi_stage_id(stage), "id");
    assert_int_equal(itemi_stage_width(stage), 32);
    itemi_stage_set_after(stage, after_it, &after);
    assert_ptr_equal(itemi_stage_ref(stage), stage);
    itemi_stage_unref(stage);
    assert_int_equal(closed, 0);
    itemi_stage_unref(stage);
    assert_int_equal(closed, 1);
    assert_int_equal(after, 2); /* what self borrowed goes when self is gone */
    itemi_stage_unref(NULL);
    assert_null(itemi_stage_ref(NULL));
}

static void a_refused_table_is_not_closed(void **state)
{
    (void)state;
    item_captioner_ops ops = *item_dummy_captioner();
    ops.caption = NULL;
    ops.close = close_it;
    closed = 0;
    itemi_stage *stage = NULL;
    assert_int_equal(itemi_stage_new(NULL, ITEMI_CAPTIONER, &ops, &closed, &stage, NULL),
                     ITEM_E_ARGUMENT);
    assert_null(stage);
    assert_int_equal(closed, 0); /* self stays the caller's */
}

/* ---- locks ---- */

static void *lock_cancelled(void *lock)
{
    item_cancel *cancel = NULL;
    if (item_cancel_new(&cancel, NULL) != ITEM_OK)
        return NULL;
    item_cancel_set(cancel);
    item_status status = itemi_lock(lock, cancel, NULL);
    item_cancel_unref(cancel);
    return status == ITEM_E_CANCELLED ? lock : NULL;
}

static void a_lock_can_be_given_up(void **state)
{
    (void)state;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    assert_int_equal(itemi_lock(&lock, NULL, NULL), ITEM_OK);
    pthread_t thread;
    void *gave_up = NULL;
    assert_int_equal(pthread_create(&thread, NULL, lock_cancelled, &lock), 0);
    pthread_join(thread, &gave_up);
    assert_ptr_equal(gave_up, &lock);
    pthread_mutex_unlock(&lock);
}

/* ---- what a call hands over ---- */

static char heard[256];

static void hear_log(void *user, int32_t level, const char *text)
{
    (void)user;
    (void)level;
    strncat(heard, text, sizeof heard - strlen(heard) - 1);
}

static void hear_warning(void *user, const char *text)
{
    (void)user;
    strncat(heard, text, sizeof heard - strlen(heard) - 1);
}

static item_status talk(void *self, const item_call *call, const char *const *texts, size_t n,
                        float *out, item_error *err)
{
    (void)self;
    assert_int_equal(call->struct_size, sizeof *call);
    assert_int_equal(call->cancelled(call->host), 0);
    call->log(call->host, ITEM_LOG_INFO, "line;");
    call->log(call->host, ITEM_LOG_INFO, NULL);
    call->warn(call->host, "warning;");
    call->warn(call->host, NULL);
    return item_dummy_embedder()->embed_texts(NULL, call, texts, n, out, err);
}

static void logs_and_warnings_arrive(void **state)
{
    (void)state;
    item_embedder_ops ops = *item_dummy_embedder();
    ops.embed_texts = talk;
    itemi_stage *stage = NULL;
    assert_int_equal(itemi_stage_new(NULL, ITEMI_EMBEDDER, &ops, NULL, &stage, NULL), ITEM_OK);
    const itemi_log log = {hear_log, NULL};
    itemi_call call = {NULL, &log, NULL, hear_warning, NULL};
    const char *text = "dog";
    float out[32];
    heard[0] = '\0';
    assert_int_equal(itemi_stage_embed_texts(stage, &call, &text, 1, out, NULL), ITEM_OK);
    assert_string_equal(heard, "embedder dummy: line;embedder dummy: warning;");
    call.warn = NULL; /* goes to the log */
    heard[0] = '\0';
    assert_int_equal(itemi_stage_embed_texts(stage, &call, &text, 1, out, NULL), ITEM_OK);
    assert_string_equal(heard, "embedder dummy: line;embedder dummy: embedder dummy: warning;");
    itemi_stage_unref(stage);
}

static void a_cancelled_call_does_not_reach_the_backend(void **state)
{
    (void)state;
    itemi_stage *stage = NULL;
    item_cancel *cancel = NULL;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(
        itemi_stage_new(NULL, ITEMI_EMBEDDER, item_dummy_embedder(), NULL, &stage, NULL), ITEM_OK);
    assert_int_equal(item_cancel_new(&cancel, NULL), ITEM_OK);
    item_cancel_set(cancel);
    const itemi_call call = {.cancel = cancel};
    const char *text = "dog";
    float out[32];
    assert_int_equal(itemi_stage_embed_texts(stage, &call, &text, 1, out, &err), ITEM_E_CANCELLED);
    assert_true(__builtin_isnan(out[0]));
    item_cancel_unref(cancel);
    itemi_stage_unref(stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_reference_closes),
        cmocka_unit_test(a_refused_table_is_not_closed),
        cmocka_unit_test(a_lock_can_be_given_up),
        cmocka_unit_test(logs_and_warnings_arrive),
        cmocka_unit_test(a_cancelled_call_does_not_reach_the_backend),
    };
    return cmocka_run_group_tests_name("stage", tests, NULL, NULL);
}
