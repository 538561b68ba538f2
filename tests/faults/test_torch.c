/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine on libtorch with the small pack: the host's memory ends while a context is opened,
 * while its networks are, and while pictures are looked at; and threads cannot be started. Skips
 * where pack or engine are absent.
 */
#include "calls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SKIPPED     77
#define THREADS     3 /* asked of the engine: a lane, and two that help it */
#define THREADS_MAX 40
#define WELL        10 /* exit status of a child, and more: so many starts failed */
#define ALL(list)   list, sizeof list / sizeof *list

static const char *pack;
static item_ctx *used; /* networks stay open with it */

static item_config *make_config_here(void)
{
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    assert_ok(item_config_new(&config, &err), &err);
    set_option(config, "verify", "none");
    assert_ok(item_config_set_allocator(config, the_allocator, &err), &err);
    return config;
}

static void make_config_out(void)
{
    out.config = make_config_here();
}

static void make_ctx_out(void)
{
    item_error err = ITEM_ERROR_INIT;
    make_config_out();
    assert_ok(item_ctx_open(pack, out.config, &out.ctx, &err), &err);
}

static item_status open_ctx_here(item_error *err)
{
    return item_ctx_open(pack, out.config, &out.ctx, err);
}

static item_status check_used(item_error *err)
{
    return item_check_image(used, w.image, NULL, &out.result[0], err);
}

static item_status check_two(item_error *err)
{
    item_image *const images[] = {w.image, w.image};
    return item_check_images(used, images, 2, NULL, out.result, err);
}

static const phase alone[] = {
    {"context", make_config_out, open_ctx_here, 11, NULL},
    {"first check", make_ctx_out, call_first_check, 251, NULL},
};

static const phase beside[] = {
    {"check", NULL, check_used, 37, NULL},
    {"check two", NULL, check_two, 101, NULL},
};

static void the_host_has_no_memory(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    the_allocator = faults_host();
    outputs_rounded = true;
    try_memory(ALL(alone), MEMORY_HOST);
    the_allocator = faults_host();
    item_config *config = make_config_here();
    assert_ok(item_ctx_open(pack, config, &used, &err), &err);
    item_config_unref(config);
    try_memory(ALL(beside), MEMORY_HOST);
    item_ctx_unref(used);
    assert_int_equal(complaints, 0);
    assert_int_equal(faults_host_live(), 0);
}

/* What the engine asks of malloc itself; libtorch, which ends the process then, is spared. */
static void the_engine_has_no_memory(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    const unsigned before = complaints;
    the_allocator = NULL;
    item_config *config = make_config_here();
    assert_ok(item_engine_setup(config, NULL, &err), &err);
    assert_true(faults_watch("libitem-torch.so"));
    try_memory(&(phase){"first check", make_ctx_out, call_first_check, 199, NULL}, 1,
               MEMORY_WATCHED);
    assert_ok(item_ctx_open(pack, config, &used, &err), &err);
    try_memory(&(phase){"check", NULL, check_used, 9, NULL}, 1, MEMORY_WATCHED);
    item_ctx_unref(used);
    item_config_unref(config);
    assert_int_equal(complaints, before);
}

/*
 * ---- threads: in a process of their own, as they start once ----
 *
 * The lane is the first one that starts. It tries as many as OpenMP will want, all at once; OpenMP
 * starts them later, and ends the process where that fails although the try did not. A library
 * cannot mend that: so single starts are failed up to the last one that is tried, and beside this
 * there is room for fewer and fewer threads.
 */

static void check_once(item_ctx *ctx, bool may_fail)
{
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    const item_status status = item_check_image(ctx, w.image, NULL, &result, &err);
    if (status != ITEM_OK && may_fail)
        assert_error(status, ITEM_E_BACKEND, &err, "thread");
    else
        assert_ok(status, &err);
    item_result_unref(result);
}

/* The child: start number `nth` fails, or there is room for nth - 1 threads. */
static int run_without_threads(const char *number, fault_kind kind)
{
    item_error err = ITEM_ERROR_INIT;
    item_engine_settings settings = ITEM_ENGINE_SETTINGS_INIT;
    item_ctx *ctx = NULL;
    w.image = make_picture(5, 300, 200);
    item_config *config = make_config_here();
    settings.threads = THREADS;
    assert_ok(item_engine_setup(config, &settings, &err), &err);
    assert_ok(item_ctx_open(pack, config, &ctx, &err), &err);
    faults_arm(kind, strtol(number, NULL, 10), false, EAGAIN);
    check_once(ctx, true);
    const long failed = faults_disarm();
    check_once(ctx, false);
    item_ctx_unref(ctx);
    item_config_unref(config);
    item_image_unref(w.image);
    return WELL + (int)failed;
}

/* How many starts failed in a process that ended well. */
static unsigned long spawn(const char *program, long nth, const char *kind)
{
    char number[24];
    int status;
    snprintf(number, sizeof number, "%ld", nth);
    const pid_t child = fork();
    if (child == 0) {
        execl(program, program, kind, number, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_in_range(WEXITSTATUS(status), WELL + 1, WELL + THREADS_MAX);
    return (unsigned long)(WEXITSTATUS(status) - WELL);
}

static const char *this_program;

static void no_thread_starts(void **state)
{
    (void)state;
    unsigned long failed = 0;
    for (long nth = 1; nth <= THREADS; nth++)
        failed += spawn(this_program, nth, "once") + spawn(this_program, nth, "room");
    printf("%lu starts of threads failed\n", failed);
}

static int setup(void **state)
{
    (void)state;
    w.image = make_picture(5, 300, 200);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    item_image_unref(w.image);
    return 0;
}

int main(int argc, char **argv)
{
    const char *given = getenv("ITEM_TEST_PACK"), *engine = getenv("ITEM_ENGINE_PATH");
    char weights[600];
    pack = given ? given : SMALL_PACK;
    snprintf(weights, sizeof weights, "%s/embedder.safetensors", pack);
    if (!engine || access(engine, R_OK) != 0 || access(weights, R_OK) != 0) {
        print_message("no engine or no pack: skipped\n");
        return SKIPPED;
    }
    this_program = argv[0];
    if (argc == 3)
        return run_without_threads(argv[2],
                                   strcmp(argv[1], "room") == 0 ? FAULT_THREAD_ROOM : FAULT_THREAD);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_thread_starts),
        cmocka_unit_test(the_host_has_no_memory),
        cmocka_unit_test(the_engine_has_no_memory),
    };
    const int failed = cmocka_run_group_tests(tests, setup, teardown);
    printf("%lu allocations failed, %lu of them without harm\n", faults_failed, faults_absorbed);
    return failed;
}
