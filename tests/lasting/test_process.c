/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program does to its own process while it uses libitem: it ends threads, forks, gets
 * signals, opens ten thousand contexts and two packs at once. With the dummies and the tests' own
 * engine, or with the argument "pack" on the small pack.
 */
#include "../api/packs.h"
#include "lasting.h"

#include <item/train.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

static bool small; /* the small pack */

static struct {
    item_image *image;
    char *pack, *picture, *set, *saved; /* pack NULL: the small one */
    item_dataset *data;
    char answer[512];
    atomic_long blocks; /* of the host's memory */
} w;

/* ---- memory of the host, which is counted; a thread could be cancelled there ---- */

static void *allocate(void *user, size_t size)
{
    (void)user;
    pthread_testcancel();
    void *block = malloc(size);
    atomic_fetch_add(&w.blocks, block != NULL);
    return block;
}

static void *resize(void *user, void *block, size_t size)
{
    return block ? realloc(block, size) : allocate(user, size);
}

static void release(void *user, void *block)
{
    (void)user;
    pthread_testcancel();
    atomic_fetch_sub(&w.blocks, block != NULL);
    free(block);
}

static const item_allocator memory = {sizeof memory, 0, allocate, resize, release, NULL};

/* ---- calls ---- */

static item_ctx *open_here(void)
{
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    item_ctx *ctx = NULL;
    assert_ok(item_config_new(&config, &err), &err);
    assert_ok(item_config_set_allocator(config, &memory, &err), &err);
    set_option(config, "map_files", "0");
    if (!small)
        assert_ok(item_config_set_engine(config, NULL, FAKE_ENGINE, &err), &err);
    assert_ok(item_ctx_open(w.pack, config, &ctx, &err), &err);
    item_config_unref(config);
    return ctx;
}

static item_status copy_image(item_image **out, item_error *err)
{
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    options.allocator = &memory;
    const item_status status = item_image_get_info(w.image, &info, err);
    return status != ITEM_OK
               ? status
               : item_image_from_pixels(item_image_pixels(w.image), ITEM_PIXELS_RGB, info.width,
                                        info.height, 3 * (size_t)info.width, &options, out, err);
}

/* Opens, decodes, checks, extracts, writes and reads; "" or what failed. */
static const char *use_all(void)
{
    item_dataset *data = NULL, *again = NULL;
    item_result *result = NULL;
    item_image *image = NULL;
    item_error err = ITEM_ERROR_INIT;
    char answer[512];
    const char *wrong = "";
    item_ctx *ctx = open_here();
    if (item_check_file(ctx, w.picture, NULL, &result, &err) != ITEM_OK)
        wrong = "item_check_file";
    else
        answer_text(result, answer, sizeof answer);
    if (!*wrong && !same_answer(answer, w.answer))
        wrong = "another answer";
    if (!*wrong && !item_result_json(result))
        wrong = "item_result_json";
    if (!*wrong && copy_image(&image, &err) != ITEM_OK)
        wrong = "item_image_from_pixels";
    if (!*wrong && item_dataset_extract(ctx, w.set, NULL, &data, &err) != ITEM_OK)
        wrong = "item_dataset_extract";
    if (!*wrong && item_dataset_save(w.data, w.saved, &err) != ITEM_OK)
        wrong = "item_dataset_save";
    if (!*wrong && item_dataset_load(w.saved, &again, &err) != ITEM_OK)
        wrong = "item_dataset_load";
    if (*wrong)
        printf("%s: %s\n", wrong, err.message);
    item_dataset_free(data);
    item_dataset_free(again);
    item_result_unref(result);
    item_image_unref(image);
    item_ctx_unref(ctx);
    return wrong;
}

/* ---- threads that are ended ---- */

static void *use_until_ended(void *wrong)
{
    for (;;) {
        *(const char **)wrong = use_all();
        if (**(const char **)wrong)
            return NULL;
        pthread_testcancel();
    }
}

/* A thread ends when its call is over: no lock, memory or file stays behind. */
static void an_ended_thread_leaves_nothing(void **state)
{
    (void)state;
    uint32_t random = 5;
    const holdings before = holdings_now();
    for (int i = 0; i < (small ? 6 : 60); i++) {
        const char *wrong = "";
        pthread_t thread;
        void *ended = NULL;
        assert_int_equal(pthread_create(&thread, NULL, use_until_ended, &wrong), 0);
        sleep_ms(chance(&random, small ? 400 : 30));
        assert_int_equal(pthread_cancel(thread), 0);
        assert_int_equal(pthread_join(thread, &ended), 0);
        assert_string_equal(wrong, "");
        assert_ptr_equal(ended, PTHREAD_CANCELED);
        assert_int_equal(atomic_load(&w.blocks), 0);
    }
    assert_string_equal(use_all(), "");
    const holdings after = holdings_now();
    assert_int_equal(after.files, before.files);
    assert_in_range(after.threads, 1, before.threads);
}

/* ---- forked children ---- */

static bool refuse(item_status status, const char *call)
{
    if (status != ITEM_E_FORKED)
        printf("in the child: %s: %s\n", call, item_status_name(status));
    return status == ITEM_E_FORKED;
}

#define REFUSED(call) refuse((call), #call)

/* Every call that needs the context or an engine. */
static bool all_refused(item_ctx *ctx)
{
    const char *text = "a dog", *path = w.picture;
    float values[8192];
    int32_t ids[16];
    size_t count;
    item_result *result = NULL;
    item_dataset *data = NULL;
    item_ctx *other = NULL;
    item_result_summary summary = ITEM_RESULT_SUMMARY_INIT;
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    memset(values, 0, sizeof values);
    bool all = REFUSED(item_check_image(ctx, w.image, NULL, &result, NULL));
    all &= REFUSED(item_check_file(ctx, w.picture, NULL, &result, NULL));
    all &= REFUSED(item_check_images(ctx, &w.image, 1, NULL, &result, NULL));
    all &= REFUSED(item_check_files(ctx, &path, 1, NULL, &result, NULL));
    all &= REFUSED(item_caption_image(ctx, w.image, NULL, &result, NULL));
    all &= REFUSED(item_detect_image(ctx, w.image, &text, 1, NULL, &result, NULL));
    all &= REFUSED(item_embed_images(ctx, &w.image, 1, NULL, values, 3, NULL));
    all &= REFUSED(item_embed_texts(ctx, &text, 1, NULL, values, 3, NULL));
    all &= REFUSED(item_tokenize(ctx, text, ids, 16, &count, NULL));
    all &= REFUSED(item_head_apply(ctx, values, 10, &summary, NULL));
    all &= REFUSED(item_dataset_extract(ctx, w.set, NULL, &data, NULL));
    all &= REFUSED(item_ctx_open(NULL, NULL, &other, NULL));
    all &= REFUSED(item_engine_setup(NULL, NULL, NULL));
    all &= REFUSED(item_engine_get_info(NULL, 0, &info, NULL));
    return all && !result && !data && !other;
}

static atomic_bool forks_are_over;

static void *use_until_over(void *wrong)
{
    while (!atomic_load(&forks_are_over) && !**(const char **)wrong)
        *(const char **)wrong = use_all();
    return NULL;
}

/* Another thread is in the middle of anything, with any lock, when the process forks. */
static void a_child_gets_errors_and_the_parent_goes_on(void **state)
{
    (void)state;
    const char *wrong = "";
    pthread_t thread;
    uint32_t random = 9;
    item_ctx *ctx = open_here();
    atomic_store(&forks_are_over, false);
    assert_int_equal(pthread_create(&thread, NULL, use_until_over, &wrong), 0);
    for (int i = 0; i < (small ? 6 : 40); i++) {
        int status = 0;
        sleep_ms(chance(&random, small ? 200 : 20));
        const pid_t child = fork();
        if (child == 0) {
            alarm(60); /* for a call that waits for a lock which nobody holds here */
            const bool good = all_refused(ctx);
            item_ctx_unref(ctx);
            fflush(stdout);
            _exit(!good);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    atomic_store(&forks_are_over, true);
    pthread_join(thread, NULL);
    assert_string_equal(wrong, "");
    item_ctx_unref(ctx);
    assert_string_equal(use_all(), "");
}

/* ---- signals ---- */

static atomic_uint signals;

static void on_signal(int number)
{
    (void)number;
    atomic_fetch_add(&signals, 1);
}

static void use_with_signals(int flags)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags}, before;
    const struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
    atomic_store(&signals, 0);
    sigaction(SIGALRM, &action, &before);
    setitimer(ITIMER_REAL, &often, NULL);
    const char *wrong = "";
    for (int i = 0; i < (small ? 1 : 30) && !*wrong; i++)
        wrong = use_all();
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    assert_string_equal(wrong, "");
    assert_true(atomic_load(&signals) > 10);
}

static void signals_change_nothing(void **state)
{
    (void)state;
    use_with_signals(SA_RESTART);
    use_with_signals(0);
}

/* ---- many contexts ---- */

static void ten_thousand_contexts(void **state)
{
    (void)state;
    if (small)
        skip();
    holdings first = {0};
    for (int i = 0; i < 10000; i++) {
        if (i == 1000)
            first = holdings_now();
        item_ctx_unref(make_ctx());
    }
    const holdings last = holdings_now();
    assert_int_equal(last.files, first.files);
    assert_int_equal(last.threads, first.threads);
    assert_in_range(last.mappings, 0, first.mappings + 8);
#ifndef LASTING_SANITIZED
    assert_in_range(last.resident_kb, 0, first.resident_kb + 4096);
#endif
}

/* With networks, which the first check opens. */
static void many_contexts_of_a_pack(void **state)
{
    (void)state;
    const int times = small ? 12 : 300;
    holdings first = {0};
    for (int i = 0; i < times; i++) {
        item_error err = ITEM_ERROR_INIT;
        item_result *result = NULL;
        if (i == times / 2)
            first = holdings_now();
        item_ctx *ctx = open_here();
        if (i % 2)
            assert_ok(item_check_image(ctx, w.image, NULL, &result, &err), &err);
        item_ctx_unref(ctx);
        item_result_unref(result);
        assert_int_equal(atomic_load(&w.blocks), 0);
    }
    const holdings last = holdings_now();
    assert_int_equal(last.files, first.files);
    assert_int_equal(last.threads, first.threads);
    assert_in_range(last.mappings, 0, first.mappings + 64);
}

/* ---- two packs ---- */

static void copy_into(const char *folder, const char *file)
{
    char from[512], name[64];
    snprintf(from, sizeof from, SMALL_PACK "/%s", file);
    snprintf(name, sizeof name, "%s/%s", folder, file);
    struct stat facts;
    assert_int_equal(stat(from, &facts), 0);
    char *text = read_text(from), *to = temp_path(name);
    write_file(to, text, (size_t)facts.st_size);
    free(text);
    free(to);
}

/* The small pack with another search for captions and without a head. */
static char *write_other(void)
{
    static const char *const files[] = {"captioner.safetensors",
                                        "captioner_vocab.txt",
                                        "detector.safetensors",
                                        "embedder.safetensors",
                                        "image_encoder.safetensors",
                                        "text_encoder.safetensors",
                                        "vocab.txt"};
    static const char beams[] = "\"beams\": 3", head[] = "\"head\": {";
    char *folder = temp_path("other"), *path = temp_path("other/item.json");
    (void)mkdir(folder, 0700);
    for (size_t i = 0; i < COUNT(files); i++)
        copy_into("other", files[i]);
    char *text = read_text(SMALL_PACK "/item.json");
    assert_non_null(strstr(text, beams));
    strstr(text, beams)[sizeof beams - 2] = '1';
    assert_non_null(strstr(text, head));
    memcpy(strstr(text, head), "\"none\"", 6);
    write_text(path, text);
    free(text);
    free(path);
    return folder;
}

typedef struct user_of {
    item_ctx *ctx;
    pthread_t thread;
    char answer[512];
    bool same;
} user_of;

static bool ask(item_ctx *ctx, char *answer, size_t room)
{
    item_result *result = NULL;
    if (item_check_file(ctx, w.picture, NULL, &result, NULL) != ITEM_OK)
        return false;
    answer_text(result, answer, room);
    item_result_unref(result);
    return true;
}

static void *ask_again(void *argument)
{
    user_of *u = argument;
    char answer[512];
    for (int i = 0; i < 5; i++)
        u->same &= ask(u->ctx, answer, sizeof answer) && same_answer(answer, u->answer);
    return NULL;
}

static void two_packs_do_not_disturb(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    user_of users[4];
    if (!small)
        skip();
    char *other = write_other();
    for (size_t i = 0; i < COUNT(users); i++) {
        users[i] = (user_of){.same = true};
        assert_ok(item_ctx_open(i % 2 ? other : NULL, NULL, &users[i].ctx, &err), &err);
        assert_true(ask(users[i].ctx, users[i].answer, sizeof users[i].answer));
    }
    assert_string_not_equal(users[0].answer, users[1].answer); /* it judges, or says other words */
    for (size_t i = 0; i < COUNT(users); i++)
        assert_int_equal(pthread_create(&users[i].thread, NULL, ask_again, &users[i]), 0);
    for (size_t i = 0; i < COUNT(users); i++) {
        pthread_join(users[i].thread, NULL);
        assert_true(users[i].same);
        item_ctx_unref(users[i].ctx);
    }
    free(other);
}

/* ---- the world ---- */

static void write_set(void)
{
    static const char *const folders[] = {"set", "set/ai", "set/real"};
    for (size_t i = 0; i < COUNT(folders); i++) {
        char *folder = temp_path(folders[i]);
        (void)mkdir(folder, 0700);
        free(folder);
    }
    free(write_picture("set/ai/1.png", 1, 60, 50));
    free(write_picture("set/real/2.png", 2, 50, 60));
    w.set = temp_path("set");
}

static int make_world(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    const pack_spec plain = {0};
    w.pack = small ? NULL : write_pack("pack", &plain);
    w.image = make_picture(4, 120, 90);
    w.picture = small ? strdup(PHOTOGRAPHS "/chelsea.jpg") : write_picture("one.png", 3, 120, 90);
    w.saved = temp_path("saved.safetensors");
    write_set();
    item_ctx *ctx = open_here();
    assert_ok(item_check_file(ctx, w.picture, NULL, &result, &err), &err);
    answer_text(result, w.answer, sizeof w.answer);
    assert_ok(item_dataset_extract(ctx, w.set, NULL, &w.data, &err), &err);
    item_result_unref(result);
    item_ctx_unref(ctx);
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    item_image_unref(w.image);
    item_dataset_free(w.data);
    free(w.pack);
    free(w.picture);
    free(w.saved);
    free(w.set);
    return 0;
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_contexts),
        cmocka_unit_test(many_contexts_of_a_pack),
        cmocka_unit_test(signals_change_nothing),
        cmocka_unit_test(an_ended_thread_leaves_nothing),
        cmocka_unit_test(a_child_gets_errors_and_the_parent_goes_on),
        cmocka_unit_test(two_packs_do_not_disturb),
    };
    small = count > 1 && strcmp(arguments[1], "pack") == 0;
    if (small && !pack_is_there())
        return SKIPPED;
    return cmocka_run_group_tests_name("lasting: process", tests, make_world, free_world);
}
