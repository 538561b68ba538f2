/* SPDX-License-Identifier: Apache-2.0 */
/* Threads, cancelling, progress, serial backends, forked children. */
#include "packs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

/* ---- the same answers from several threads ---- */

enum { PICTURES = 6, THREADS = 4 };

typedef struct worker {
    item_ctx *ctx;
    item_image **images;
    char *answers[PICTURES]; /* fingerprint, caption, similarity */
    item_status status;
} worker;

static char *answer(const item_result *result)
{
    item_result_summary s = ITEM_RESULT_SUMMARY_INIT;
    (void)item_result_get_summary(result, &s, NULL);
    char *text = malloc(512);
    if (text)
        snprintf(text, 512, "%s %s %.9g %u", item_result_text(result, ITEM_TEXT_FINGERPRINT),
                 item_result_text(result, ITEM_TEXT_CAPTION), s.similarity, (unsigned)s.objects);
    return text;
}

static void *work(void *argument)
{
    worker *w = argument;
    for (size_t i = 0; i < PICTURES; i++) {
        item_result *result = NULL;
        w->status = item_check_image(w->ctx, w->images[i], NULL, &result, NULL);
        if (w->status != ITEM_OK)
            break;
        (void)item_result_json(result);
        w->answers[i] = answer(result);
        item_result_unref(result);
    }
    return NULL;
}

static void threads_answer_as_one(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    item_image *images[PICTURES];
    for (uint32_t i = 0; i < PICTURES; i++)
        images[i] = make_picture(i, 200 + i, 180);
    worker alone = {.ctx = ctx, .images = images};
    work(&alone);
    assert_int_equal(alone.status, ITEM_OK);

    worker workers[THREADS];
    pthread_t threads[THREADS];
    for (size_t t = 0; t < THREADS; t++) {
        workers[t] = (worker){.ctx = item_ctx_ref(ctx), .images = images};
        assert_int_equal(pthread_create(&threads[t], NULL, work, &workers[t]), 0);
    }
    for (size_t t = 0; t < THREADS; t++) {
        pthread_join(threads[t], NULL);
        assert_int_equal(workers[t].status, ITEM_OK);
        for (size_t i = 0; i < PICTURES; i++) {
            assert_string_equal(workers[t].answers[i], alone.answers[i]);
            free(workers[t].answers[i]);
        }
        item_ctx_unref(ctx);
    }
    for (size_t i = 0; i < PICTURES; i++) {
        free(alone.answers[i]);
        item_image_unref(images[i]);
    }
    item_ctx_unref(ctx);
}

/* One result, its JSON asked for by several threads at once. */
static void *ask_json(void *result)
{
    return (void *)(uintptr_t)item_result_json(item_result_ref(result));
}

static void json_is_made_once(void **state)
{
    (void)state;
    item_ctx *ctx = make_ctx();
    item_image *image = make_picture(1, 200, 200);
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    assert_ok(item_check_image(ctx, image, NULL, &result, &err), &err);
    pthread_t threads[THREADS];
    for (size_t t = 0; t < THREADS; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, ask_json, result), 0);
    for (size_t t = 0; t < THREADS; t++) {
        void *text = NULL;
        pthread_join(threads[t], &text);
        assert_ptr_equal(text, item_result_json(result));
        item_result_unref(result);
    }
    item_result_unref(result);
    item_image_unref(image);
    item_ctx_unref(ctx);
}

/* ---- a slow backend that polls, alone or serial ---- */

typedef struct slow {
    atomic_int inside, most, started;
    int ms;
} slow;

static item_status caption_slowly(void *self, const item_call *call,
                                  const item_image *const *images, size_t n,
                                  const item_caption_options *options, item_caption_out *const *out,
                                  item_error *err)
{
    slow *s = self;
    int inside = atomic_fetch_add(&s->inside, 1) + 1;
    int most = atomic_load(&s->most);
    while (inside > most && !atomic_compare_exchange_weak(&s->most, &most, inside))
        ;
    atomic_store(&s->started, 1);
    item_status status = ITEM_OK;
    for (int waited = 0; waited < s->ms && status == ITEM_OK; waited += 10) {
        sleep_ms(10);
        if (call->cancelled(call->host))
            status = ITEM_E_CANCELLED;
    }
    atomic_fetch_sub(&s->inside, 1);
    if (status != ITEM_OK)
        return status;
    return item_dummy_captioner()->caption(NULL, call, images, n, options, out, err);
}

static item_ctx *slow_ctx(slow *s, uint32_t capabilities)
{
    item_captioner_ops ops = *item_dummy_captioner();
    ops.caption = caption_slowly;
    ops.capabilities = capabilities;
    item_config *config = make_config();
    set_option(config, "batch", "1");
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_config_set_captioner(config, &ops, s, &err), &err);
    return open_ctx(config);
}

static int most_inside(uint32_t capabilities)
{
    slow s = {.ms = 50};
    item_ctx *ctx = slow_ctx(&s, capabilities);
    item_image *image = make_picture(1, 200, 200);
    item_image *images[PICTURES] = {image, image, image, image, image, image};
    worker workers[THREADS];
    pthread_t threads[THREADS];
    for (size_t t = 0; t < THREADS; t++) {
        workers[t] = (worker){.ctx = ctx, .images = images};
        assert_int_equal(pthread_create(&threads[t], NULL, work, &workers[t]), 0);
    }
    for (size_t t = 0; t < THREADS; t++) {
        pthread_join(threads[t], NULL);
        assert_int_equal(workers[t].status, ITEM_OK);
        for (size_t i = 0; i < PICTURES; i++)
            free(workers[t].answers[i]);
    }
    item_image_unref(image);
    item_ctx_unref(ctx);
    return atomic_load(&s.most);
}

static void a_serial_backend_is_called_by_one(void **state)
{
    (void)state;
    assert_int_equal(most_inside(ITEM_BACKEND_SERIAL), 1);
    assert_true(most_inside(0) > 1); /* no lock is held over compute */
}

/* ---- cancelling ---- */

typedef struct cancelled_call {
    item_ctx *ctx;
    item_image *image;
    item_cancel *cancel;
    item_status status;
    double end;
} cancelled_call;

static void *call_until_cancelled(void *argument)
{
    cancelled_call *c = argument;
    item_image *images[4] = {c->image, c->image, c->image, c->image};
    item_result *results[4];
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    options.cancel = c->cancel;
    c->status = item_check_images(c->ctx, images, 4, &options, results, NULL);
    c->end = now_ms();
    for (size_t i = 0; i < 4; i++)
        if (results[i])
            c->status = ITEM_E_INTERNAL; /* out is all NULL after a failure */
    return NULL;
}

static void cancel_from_another_thread(void **state)
{
    (void)state;
    for (uint32_t capabilities = 0; capabilities < 2; capabilities++) {
        slow s = {.ms = 5000};
        item_ctx *ctx = slow_ctx(&s, capabilities);
        item_error err = ITEM_ERROR_INIT;
        /* the second call waits for the lock of a serial backend */
        cancelled_call calls[2];
        pthread_t threads[2];
        for (size_t i = 0; i < 2; i++) {
            calls[i] = (cancelled_call){.ctx = ctx, .image = make_picture(1, 200, 200)};
            assert_ok(item_cancel_new(&calls[i].cancel, &err), &err);
            assert_int_equal(pthread_create(&threads[i], NULL, call_until_cancelled, &calls[i]), 0);
        }
        while (!atomic_load(&s.started))
            sleep_ms(5);
        double set = now_ms();
        for (size_t i = 0; i < 2; i++)
            item_cancel_set(calls[i].cancel);
        for (size_t i = 0; i < 2; i++) {
            pthread_join(threads[i], NULL);
            assert_int_equal(calls[i].status, ITEM_E_CANCELLED);
            assert_true(calls[i].end - set < s.ms); /* before the backend would have ended */
            item_cancel_unref(calls[i].cancel);
            item_image_unref(calls[i].image);
        }
        item_ctx_unref(ctx);
    }
}

typedef struct opening {
    item_ctx *ctx;
    item_cancel *cancel;
    item_status status;
    item_error err;
    double end;
} opening;

static void *check_first(void *argument)
{
    opening *o = argument;
    item_image *image = make_picture(1, 60, 60);
    item_result *result = NULL;
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    options.cancel = o->cancel;
    o->status = item_check_image(o->ctx, image, &options, &result, &o->err);
    o->end = now_ms();
    item_image_unref(image);
    return NULL;
}

static item_ctx *open_misbehaving(const char *how)
{
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    item_ctx *ctx = NULL;
    const pack_spec spec = {.misbehave = how};
    char *pack = write_pack("pack", &spec);
    assert_ok(item_config_new(&config, &err), &err);
    assert_ok(item_config_set_engine(config, NULL, FAKE_ENGINE, &err), &err);
    assert_ok(item_ctx_open(pack, config, &ctx, &err), &err);
    item_config_unref(config);
    free(pack);
    return ctx;
}

/* The first opens a network that is large, the second waits for the same. */
static void cancel_while_networks_are_opened(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    item_ctx *ctx = open_misbehaving("large");
    opening openings[2];
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++) {
        openings[i] = (opening){.ctx = ctx, .err = ITEM_ERROR_INIT};
        assert_ok(item_cancel_new(&openings[i].cancel, &err), &err);
        assert_int_equal(pthread_create(&threads[i], NULL, check_first, &openings[i]), 0);
    }
    sleep_ms(50);
    double set = now_ms();
    for (size_t i = 0; i < 2; i++)
        item_cancel_set(openings[i].cancel);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_error(openings[i].status, ITEM_E_CANCELLED, &openings[i].err, NULL);
        assert_string_equal(openings[i].err.message, "cancelled");
        assert_true(openings[i].end - set < 3000); /* of ten seconds */
        item_cancel_unref(openings[i].cancel);
    }
    item_ctx_unref(ctx);
}

/* An engine that stops without being asked to has failed. */
static void nobody_cancelled(void **state)
{
    (void)state;
    opening o = {.ctx = open_misbehaving("give up"), .err = ITEM_ERROR_INIT};
    check_first(&o);
    assert_error(o.status, ITEM_E_BACKEND, &o.err, "nobody asked for it");
    item_ctx_unref(o.ctx);
}

typedef struct progress_log {
    item_cancel *cancel;
    uint64_t done[16], total;
    size_t calls, cancel_at;
} progress_log;

static void note(void *user, uint64_t done, uint64_t total)
{
    progress_log *p = user;
    p->done[p->calls++] = done;
    p->total = total;
    if (p->calls == p->cancel_at)
        item_cancel_set(p->cancel);
}

static void progress_tells_and_may_cancel(void **state)
{
    (void)state;
    item_config *config = make_config();
    set_option(config, "batch", "2");
    item_ctx *ctx = open_ctx(config);
    item_image *image = make_picture(1, 200, 200);
    item_image *images[5] = {image, image, image, image, image};
    item_result *results[5];
    item_error err = ITEM_ERROR_INIT;
    progress_log p = {0};
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    options.progress = note;
    options.progress_user = &p;
    assert_ok(item_check_images(ctx, images, 5, &options, results, &err), &err);
    for (size_t i = 0; i < 5; i++)
        item_result_unref(results[i]);
    assert_int_equal(p.calls, 3);
    assert_int_equal(p.done[0], 2);
    assert_int_equal(p.done[2], 5);
    assert_int_equal(p.total, 5);

    p = (progress_log){.cancel_at = 1};
    assert_ok(item_cancel_new(&p.cancel, &err), &err);
    options.cancel = p.cancel;
    assert_error(item_check_images(ctx, images, 5, &options, results, &err), ITEM_E_CANCELLED, &err,
                 "cancelled");
    assert_int_equal(p.calls, 1);
    for (size_t i = 0; i < 5; i++)
        assert_null(results[i]);
    reset(&err);
    item_result *result = NULL; /* cannot be taken back */
    assert_error(item_caption_image(ctx, image, &options, &result, &err), ITEM_E_CANCELLED, &err,
                 NULL);
    item_cancel_unref(p.cancel);
    item_image_unref(image);
    item_ctx_unref(ctx);
}

/* ---- forked children ---- */

static int in_child(item_ctx *ctx, item_image *image)
{
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    alarm(60); /* a child that computes hangs for ever */
    int wrong = item_check_image(ctx, image, NULL, &result, &err) != ITEM_E_FORKED;
    wrong |= err.message[0] == '\0' || result != NULL;
    wrong |= item_caption_image(ctx, image, NULL, &result, NULL) != ITEM_E_FORKED;
    float out[32];
    const char *text = "dog";
    wrong |= item_embed_texts(ctx, &text, 1, NULL, out, 32, NULL) != ITEM_E_FORKED;
    item_ctx_unref(ctx); /* neither waits nor closes */
    return wrong;
}

static void a_forked_child_gets_an_error(void **state)
{
    (void)state;
    slow s = {.ms = 10};
    item_ctx *ctx = slow_ctx(&s, 0);
    item_image *image = make_picture(1, 200, 200);
    pid_t child = fork();
    if (child == 0)
        _exit(in_child(ctx, image));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    item_image_unref(image);
    item_ctx_unref(ctx);
}

static void two_contexts_do_not_disturb(void **state)
{
    (void)state;
    item_ctx *a = make_ctx();
    item_config *config = make_config();
    set_option(config, "max_objects", "1");
    item_ctx *b = open_ctx(config);
    item_image *image = make_picture(3, 300, 200);
    item_result *x = NULL, *y = NULL;
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_check_image(a, image, NULL, &x, &err), &err);
    item_ctx_unref(a);
    assert_ok(item_check_image(b, image, NULL, &y, &err), &err);
    item_ctx_unref(b);
    assert_string_equal(item_result_text(x, ITEM_TEXT_CAPTION),
                        item_result_text(y, ITEM_TEXT_CAPTION));
    /* an option that changes answers changes the fingerprint */
    assert_string_not_equal(item_result_text(x, ITEM_TEXT_FINGERPRINT),
                            item_result_text(y, ITEM_TEXT_FINGERPRINT));
    item_result_unref(x);
    item_result_unref(y);
    item_image_unref(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_answer_as_one),
        cmocka_unit_test(json_is_made_once),
        cmocka_unit_test(a_serial_backend_is_called_by_one),
        cmocka_unit_test(cancel_from_another_thread),
        cmocka_unit_test(cancel_while_networks_are_opened),
        cmocka_unit_test(nobody_cancelled),
        cmocka_unit_test(progress_tells_and_may_cancel),
        cmocka_unit_test(a_forked_child_gets_an_error),
        cmocka_unit_test(two_contexts_do_not_disturb),
    };
    return cmocka_run_group_tests_name("api: threads", tests, NULL, NULL);
}
