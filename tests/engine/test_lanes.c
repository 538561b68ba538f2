/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes: settings, cancelling, forked children, and many callers at once. */
#include "host.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmocka_all.h"

#define PICTURES 64
#define CALLERS  8

static stages s;
static item_image *images[4];
static item_crop crops[PICTURES];
static const item_crop *crop_list[PICTURES];
static bool opened;

static int setup(void **state)
{
    const char *pack = host_pack();
    (void)state;
    if (!pack)
        return 0;
    if (stages_open(&s, pack, "cde", NULL) != ITEM_OK)
        return -1;
    assert_int_equal(host_pictures("image_encoder", images, 4), 4);
    for (int i = 0; i < PICTURES; i++) {
        crops[i] = (item_crop){.struct_size = sizeof *crops,
                               .image = images[i % 4],
                               .box = {(double)(i / 4), 0.0, 224.0, 224.0}};
        crop_list[i] = &crops[i];
    }
    opened = true;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; opened && i < 4; i++)
        item_image_unref(images[i]);
    if (opened)
        stages_close(&s);
    return 0;
}

/* ---- loading ---- */

static void *load(void *ignored)
{
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    (void)ignored;
    (void)host_engine()->info(0, &info, NULL);
    return NULL;
}

/* In a process of its own: forks while another thread loads libtorch, which holds locks that no
   child will see released. Each child must come back; returns how many did not. */
static int fork_while_loading(void)
{
    pthread_t thread;
    int lost = 0;
    (void)host_engine();
    if (pthread_create(&thread, NULL, load, NULL) != 0)
        return 99;
    for (int i = 0; i < 8; i++) {
        int status = 0;
        usleep(5000);
        const pid_t child = fork();
        if (child == 0) {
            alarm(60);
            (void)load(NULL);
            _exit(0);
        }
        lost += waitpid(child, &status, 0) != child || !WIFEXITED(status);
    }
    (void)pthread_join(thread, NULL);
    return lost;
}

/* Before the setup of the others, which loads it. */
static void children_born_while_loading_come_back(void **state)
{
    int status = 0;
    (void)state;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(fork_while_loading());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Runs first: no lane computes yet. */
static void settings_before_and_after(void **state)
{
    const item_engine_ops *engine = host_engine();
    item_engine_settings two = ITEM_ENGINE_SETTINGS_INIT, many = ITEM_ENGINE_SETTINGS_INIT;
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    item_error err = ITEM_ERROR_INIT;
    (void)state;
    many.lanes = 100000;
    assert_int_equal(engine->setup(&many, NULL), ITEM_E_ARGUMENT);
    assert_int_equal(engine->setup(NULL, NULL), ITEM_E_ARGUMENT);
    two.lanes = 2;
    two.threads = 1;
    assert_int_equal(engine->setup(&two, NULL), ITEM_OK);
    two.lanes = 1;
    assert_int_equal(engine->setup(&two, NULL), ITEM_OK);
    assert_int_equal(engine->info(1, &info, NULL), ITEM_OK); /* starts the lane */
    assert_int_equal(info.lanes, 1);
    assert_int_equal(info.threads, 1);
    assert_true(info.gflops > 0.0);
    assert_int_equal(engine->setup(&two, NULL), ITEM_OK);
    two.threads = 3;
    assert_int_equal(engine->setup(&two, &err), ITEM_E_ARGUMENT);
    assert_non_null(strstr(err.message, "1 lanes of 1 threads"));
    assert_int_equal(engine->info(0, &info, NULL), ITEM_OK);
    assert_int_equal(info.threads, 1);
}

static void info_keeps_to_the_size(void **state)
{
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    (void)state;
    info.struct_size = (uint32_t)offsetof(item_engine_info, path);
    info.path = "untouched";
    assert_int_equal(host_engine()->info(0, &info, NULL), ITEM_OK);
    assert_string_equal(info.path, "untouched");
    assert_int_equal(info.struct_size, offsetof(item_engine_info, path));
    assert_string_equal(info.name, "torch");
    assert_true(strlen(info.version) > 2);
}

/* Fingerprints are made of the id: answers of two releases of libtorch must not share one. */
static void the_id_names_the_release(void **state)
{
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    (void)state;
    assert_int_equal(host_engine()->info(0, &info, NULL), ITEM_OK);
    assert_true(strlen(info.version) > 2);
    assert_non_null(strstr(host_engine()->id, info.version));
}

/* ---- cancel ---- */

typedef struct long_call {
    call_state call;
    _Atomic item_status status; /* -1 while it runs */
    float *out;
} long_call;

/* Computes until it is cancelled. */
static void *embed_many(void *user)
{
    long_call *l = user;
    item_status status = ITEM_OK;
    while (status == ITEM_OK)
        status = s.embedder.embed_images(s.embedder_self, &l->call.call, crop_list, PICTURES,
                                         l->out, NULL);
    atomic_store(&l->status, status);
    return NULL;
}

/* Nothing to prepare: the job waits for a lane at once. */
static void *embed_text(void *user)
{
    long_call *l = user;
    const char *text = "a dog";
    atomic_store(&l->status,
                 s.embedder.embed_texts(s.embedder_self, &l->call.call, &text, 1, l->out, NULL));
    return NULL;
}

static void long_call_init(long_call *l)
{
    call_init(&l->call);
    atomic_init(&l->status, -1);
    l->out = calloc(PICTURES * (size_t)s.embedder.width, sizeof *l->out);
    assert_non_null(l->out);
}

static void cancel_ends_what_computes(void **state)
{
    SKIP_UNLESS(opened);
    long_call l;
    pthread_t thread;
    (void)state;
    long_call_init(&l);
    assert_int_equal(pthread_create(&thread, NULL, embed_many, &l), 0);
    while (atomic_load(&l.call.asked) < 100) /* the lane asks before each operation */
        usleep(1000);
    atomic_store(&l.call.cancel, 1);
    const int asked = atomic_load(&l.call.asked);
    pthread_join(thread, NULL);
    assert_int_equal(l.status, ITEM_E_CANCELLED);
    assert_in_range(atomic_load(&l.call.asked) - asked, 0, 10); /* it stops, and does not ask on */
    assert_true(l.out[0] == 0.0f);                              /* nothing was written */
    free(l.out);
}

static void cancel_ends_what_waits(void **state)
{
    SKIP_UNLESS(opened);
    long_call busy, waiting;
    pthread_t threads[2];
    (void)state;
    long_call_init(&busy);
    long_call_init(&waiting);
    assert_int_equal(pthread_create(&threads[0], NULL, embed_many, &busy), 0);
    while (atomic_load(&busy.call.asked) < 100)
        usleep(1000);
    assert_int_equal(pthread_create(&threads[1], NULL, embed_text, &waiting), 0);
    while (atomic_load(&waiting.call.asked) < 1)
        usleep(1000);
    atomic_store(&waiting.call.cancel, 1);
    pthread_join(threads[1], NULL);
    assert_int_equal(waiting.status, ITEM_E_CANCELLED);
    assert_true(waiting.out[0] == 0.0f);
    assert_int_equal(busy.status, -1); /* goes on */
    atomic_store(&busy.call.cancel, 1);
    pthread_join(threads[0], NULL);
    free(busy.out);
    free(waiting.out);
}

static void cancelled_before_it_starts(void **state)
{
    SKIP_UNLESS(opened);
    long_call l;
    item_error err = ITEM_ERROR_INIT;
    const char *text = "a dog";
    (void)state;
    long_call_init(&l);
    atomic_store(&l.call.cancel, 1);
    assert_int_equal(s.embedder.embed_texts(s.embedder_self, &l.call.call, &text, 1, l.out, &err),
                     ITEM_E_CANCELLED);
    assert_string_equal(err.message, "cancelled");
    free(l.out);
}

/* ---- many callers ---- */

typedef struct caller {
    int number;
    float vectors[2][1024];
    char text[4096];
    int failed;
} caller;

static void compute(caller *c)
{
    call_state call;
    call_init(&call);
    const char *text = c->number % 2 ? "two dogs on the grass" : "a man in a red shirt";
    const item_image *image = images[c->number % 4];
    item_caption_out out = {.struct_size = sizeof out, .text = c->text, .capacity = sizeof c->text};
    item_caption_out *outs = &out;
    c->failed |= s.embedder.embed_images(s.embedder_self, &call.call, crop_list + c->number % 4, 1,
                                         c->vectors[0], NULL);
    c->failed |= s.embedder.embed_texts(s.embedder_self, &call.call, &text, 1, c->vectors[1], NULL);
    c->failed |= s.captioner.caption(s.captioner_self, &call.call, &image, 1, NULL, &outs, NULL);
}

static void *compute_often(void *user)
{
    for (int i = 0; i < 3; i++)
        compute(user);
    return NULL;
}

static void eight_callers_get_what_one_gets(void **state)
{
    SKIP_UNLESS(opened);
    static caller alone[CALLERS], together[CALLERS];
    pthread_t threads[CALLERS];
    (void)state;
    assert_in_range(s.embedder.width, 1, 1024);
    for (int i = 0; i < CALLERS; i++) {
        alone[i].number = together[i].number = i;
        compute(&alone[i]);
    }
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, compute_often, &together[i]), 0);
    for (int i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < CALLERS; i++) {
        assert_int_equal(alone[i].failed | together[i].failed, 0);
        assert_string_equal(alone[i].text, together[i].text);
        for (uint32_t k = 0; k < 2 * s.embedder.width; k++) {
            const uint32_t row = k / s.embedder.width, at = k % s.embedder.width;
            assert_true(fabsf(alone[i].vectors[row][at] - together[i].vectors[row][at]) < 1e-5f);
        }
    }
}

/* ---- forked children ---- */

/* In the child: every entry answers ITEM_E_FORKED, close comes back, the exit code says so. */
static void in_child(void)
{
    const item_engine_ops *engine = host_engine();
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    item_engine_settings settings = ITEM_ENGINE_SETTINGS_INIT;
    item_detector_ops ops = {.struct_size = sizeof ops};
    void *self;
    float out[8192];
    const char *text = "a dog";
    call_state call;
    call_init(&call);
    alarm(60); /* a child that computes hangs for ever */
    int bad = engine->info(0, &info, NULL) != ITEM_E_FORKED;
    bad |= engine->info(1, &info, NULL) != ITEM_E_FORKED;
    bad |= engine->setup(&settings, NULL) != ITEM_E_FORKED;
    bad |= engine->open_detector(&s.h.services, "nanodet", &ops, &self, NULL) != ITEM_E_FORKED;
    if (opened) {
        bad |= s.embedder.embed_texts(s.embedder_self, &call.call, &text, 1, out, NULL) !=
               ITEM_E_FORKED;
        bad |= s.embedder.embed_images(s.embedder_self, &call.call, crop_list, 1, out, NULL) !=
               ITEM_E_FORKED;
        s.embedder.close(s.embedder_self);
        s.captioner.close(s.captioner_self);
        s.detector.close(s.detector_self);
    }
    _exit(bad ? 1 : 0);
}

static void forked_children_are_told(void **state)
{
    int status = 0;
    (void)state;
    if (!opened)
        host_init(&s.h, "/nowhere");
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        in_child();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest first[] = {cmocka_unit_test(children_born_while_loading_come_back)};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_before_and_after),
        cmocka_unit_test(info_keeps_to_the_size),
        cmocka_unit_test(the_id_names_the_release),
        cmocka_unit_test(cancel_ends_what_computes),
        cmocka_unit_test(cancel_ends_what_waits),
        cmocka_unit_test(cancelled_before_it_starts),
        cmocka_unit_test(eight_callers_get_what_one_gets),
        cmocka_unit_test(forked_children_are_told),
    };
    const int failed = cmocka_run_group_tests(first, NULL, NULL);
    return failed + cmocka_run_group_tests(tests, setup, teardown);
}
