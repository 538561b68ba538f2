/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Eight threads that make every kind of call at once, on contexts, results and data sets that they
 * share. Under ThreadSanitizer (the build `tsan` of tools/check.py) this is the test for races;
 * without, that everybody gets the answer of one alone.
 */
#include "packs.h"

#include <item/train.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define THREADS     8
#define ROUNDS      3
#define FILES       3
#define WIDTH       32
#define COUNT(list) (sizeof(list) / sizeof *(list))

/* What all threads use; written before they start, but for the atomics. */
static struct {
    item_config *config; /* of the dummies, with a head */
    item_config *pack_config;
    item_ctx *ctx, *serial, *pack_ctx; /* the last one's stages are opened by whoever comes first */
    item_image *image;
    item_dataset *data;
    char *pack, *set, *head, *picture, *broken;
    char *caption, *similarity;             /* of the picture, by one thread alone */
    _Atomic(item_result *) handed[THREADS]; /* results on their way to another thread */
    _Atomic(item_cancel *) cancels[THREADS];
    atomic_ulong lines, blocks, cancelled;
    pthread_barrier_t start;
} all;

typedef struct person {
    unsigned number, state;
    const char *wrong; /* the first thing that was not as it should be */
    item_error err;
} person;

static unsigned chance(person *p, unsigned below)
{
    p->state = p->state * 1664525u + 1013904223u;
    return (p->state >> 16) % below;
}

/* Notes the first failure; asserts of cmocka are for one thread. */
static bool fine(person *p, bool is, const char *what)
{
    if (!is && !p->wrong)
        p->wrong = what;
    return is;
}

#define TEXT(line) #line
#define LINE(line) TEXT(line)
#define FINE(is)   fine(p, is, LINE(__LINE__) ": " #is)
#define WELL(call) FINE((call) == ITEM_OK)

/* ---- memory and log of the host ---- */

static void *allocate(void *user, size_t size)
{
    (void)user;
    atomic_fetch_add_explicit(&all.blocks, 1, memory_order_relaxed);
    return malloc(size);
}

static void *resize(void *user, void *block, size_t size)
{
    if (!block)
        return allocate(user, size);
    return realloc(block, size);
}

static void release(void *user, void *block)
{
    (void)user;
    if (block)
        atomic_fetch_sub_explicit(&all.blocks, 1, memory_order_relaxed);
    free(block);
}

static void count_line(void *user, int32_t level, const char *text)
{
    (void)user;
    (void)level;
    if (text[0] && !strchr(text, '\n'))
        atomic_fetch_add_explicit(&all.lines, 1, memory_order_relaxed);
}

static void host_of(item_config *config)
{
    item_allocator memory = ITEM_ALLOCATOR_INIT;
    item_error err = ITEM_ERROR_INIT;
    memory.allocate = allocate;
    memory.resize = resize;
    memory.release = release;
    assert_ok(item_config_set_allocator(config, &memory, &err), &err);
    assert_ok(item_config_set_log(config, count_line, NULL, &err), &err);
}

/* ---- what they do ---- */

static void compare(person *p, const item_result *result)
{
    item_result_summary s = ITEM_RESULT_SUMMARY_INIT;
    char similarity[32];
    if (!WELL(item_result_get_summary(result, &s, NULL)))
        return;
    snprintf(similarity, sizeof similarity, "%.9g", s.similarity);
    FINE(strcmp(similarity, all.similarity) == 0);
    FINE(strcmp(item_result_text(result, ITEM_TEXT_CAPTION), all.caption) == 0);
    FINE(item_result_verdict(result) != ITEM_VERDICT_NONE);
}

static void check(person *p, item_ctx *ctx)
{
    item_result *result = NULL;
    if (WELL(item_check_image(ctx, all.image, NULL, &result, &p->err)))
        compare(p, result);
    item_result_unref(result);
}

static void check_shared(person *p)
{
    check(p, all.ctx);
    check(p, all.serial);
}

/* A configuration is for one thread, but any number may open contexts of it. */
static void open_and_close(person *p)
{
    item_ctx *ctx = NULL;
    if (WELL(item_ctx_open(NULL, all.config, &ctx, &p->err))) {
        check(p, item_ctx_ref(ctx));
        item_ctx_unref(ctx);
    }
    item_ctx_unref(ctx);
}

static void own_config(person *p)
{
    item_config *config = NULL;
    item_ctx *ctx = NULL;
    FINE(item_config_new(&config, &p->err) == ITEM_OK &&
         item_config_set_captioner(config, item_dummy_captioner(), NULL, &p->err) == ITEM_OK &&
         item_config_set_detector(config, item_dummy_detector(), NULL, &p->err) == ITEM_OK &&
         item_config_set_embedder(config, item_dummy_embedder(), NULL, &p->err) == ITEM_OK &&
         item_config_set(config, "head", all.head, &p->err) == ITEM_OK &&
         item_ctx_open(NULL, config, &ctx, &p->err) == ITEM_OK);
    item_config_unref(config);
    if (ctx)
        check(p, ctx);
    item_ctx_unref(ctx);
}

static void use_pack(person *p, item_ctx *ctx)
{
    int32_t ids[16];
    size_t count = 0;
    item_result *result = NULL;
    if (WELL(item_check_image(ctx, all.image, NULL, &result, &p->err)))
        FINE(item_result_json(result) != NULL);
    item_result_unref(result);
    FINE(item_tokenize(ctx, "a dog", ids, 16, &count, &p->err) == ITEM_OK && count == 4);
}

static void packs(person *p)
{
    item_ctx *ctx = NULL;
    item_pack *pack = NULL;
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    use_pack(p, all.pack_ctx);
    if (WELL(item_ctx_open(all.pack, all.pack_config, &ctx, &p->err)))
        use_pack(p, ctx);
    item_ctx_unref(ctx);
    if (WELL(item_pack_open(all.pack, 2, &pack, &p->err)))
        FINE(strcmp(item_pack_text(pack, "name"), "fake") == 0 && item_pack_json(pack));
    item_pack_free(pack);
    WELL(item_engine_get_info(all.pack_config, 0, &info, &p->err));
    WELL(item_engine_setup(all.pack_config, NULL, &p->err));
}

static void tell(void *user, uint64_t done, uint64_t total)
{
    uint64_t *seen = user;
    *seen = done <= total ? done : 0;
}

static void batches(person *p)
{
    const char *const paths[FILES] = {all.picture, all.broken, all.picture};
    item_result *results[FILES];
    uint64_t seen = 0;
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    options.progress = tell;
    options.progress_user = &seen;
    if (!WELL(item_check_files(all.ctx, paths, FILES, &options, results, &p->err)))
        return;
    FINE(seen == FILES);
    FINE(item_result_status(results[0], NULL) == ITEM_OK);
    FINE(item_result_status(results[1], NULL) == ITEM_E_FORMAT);
    for (size_t i = 0; i < FILES; i++)
        item_result_unref(results[i]);
}

static void single_stages(person *p)
{
    static const char *const phrases[] = {"a dog", "a red car"};
    item_result *caption = NULL, *boxes = NULL;
    item_phrases *found = NULL;
    float values[2 * WIDTH], features[64];
    item_result_summary judged = ITEM_RESULT_SUMMARY_INIT;
    const size_t size = item_layout_size("cosine/both/1", WIDTH);
    WELL(item_caption_image(all.serial, all.image, NULL, &caption, &p->err));
    WELL(item_detect_image(all.serial, all.image, phrases, 2, NULL, &boxes, &p->err));
    WELL(item_embed_images(all.serial, &all.image, 1, NULL, values, WIDTH, &p->err));
    WELL(item_embed_texts(all.ctx, phrases, 2, NULL, values, WIDTH, &p->err));
    WELL(item_misalign("cosine/both/1", WIDTH, values, values + WIDTH, 0, NULL, NULL, features,
                       size, &p->err));
    WELL(item_head_apply(all.ctx, features, size, &judged, &p->err));
    if (WELL(item_phrases_find("two men ride a horse", &found, &p->err)))
        FINE(item_phrases_get(found, 0, NULL, NULL) != NULL);
    item_phrases_free(found);
    item_result_unref(caption);
    item_result_unref(boxes);
}

/* Ends a call of this thread or of another; nobody unrefs a handle that is in `cancels`. */
static void cancel_somebody(person *p)
{
    item_cancel *other = atomic_exchange(&all.cancels[chance(p, THREADS)], NULL);
    item_cancel_set(other);
    item_cancel_unref(other);
}

static void be_cancelled(person *p)
{
    item_cancel *mine = NULL;
    item_image *images[FILES] = {all.image, all.image, all.image};
    item_result *results[FILES];
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    cancel_somebody(p);
    if (!WELL(item_cancel_new(&mine, &p->err)))
        return;
    options.cancel = mine;
    item_cancel_unref(atomic_exchange(&all.cancels[p->number], mine));
    item_status status = item_check_images(all.ctx, images, FILES, &options, results, NULL);
    FINE(status == ITEM_OK || status == ITEM_E_CANCELLED);
    for (size_t i = 0; i < FILES; i++) {
        FINE((results[i] != NULL) == (status == ITEM_OK));
        item_result_unref(results[i]);
    }
    if (status == ITEM_E_CANCELLED)
        atomic_fetch_add(&all.cancelled, 1);
}

static void hand_on(person *p)
{
    item_result *result = NULL;
    if (!WELL(item_check_image(all.ctx, all.image, NULL, &result, &p->err)))
        return;
    item_result *mine = item_result_ref(result);
    item_result *got = atomic_exchange(&all.handed[chance(p, THREADS)], result);
    FINE(item_result_json(mine) != NULL); /* another thread may ask for it now, too */
    item_result_unref(mine);
    if (got)
        compare(p, got);
    FINE(!got || item_result_json(got));
    item_result_unref(got);
}

static void errors(person *p)
{
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    float value;
    FINE(item_check_file(all.ctx, "/nowhere.png", NULL, &result, &err) == ITEM_E_IO);
    FINE(!result && strstr(err.message, "/nowhere.png"));
    reset(&err);
    FINE(item_embed_images(all.ctx, &all.image, 1, NULL, &value, 1, &err) == ITEM_E_MISMATCH);
    reset(&err);
    FINE(item_caption_image(all.ctx, NULL, NULL, &result, &err) == ITEM_E_ARGUMENT);
    FINE(strcmp(item_status_name(err.code), "ITEM_E_ARGUMENT") == 0);
}

static void pictures(person *p)
{
    item_image *image = NULL;
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    if (WELL(item_image_from_file(all.picture, NULL, &image, &p->err)))
        FINE(item_image_get_info(image, &info, &p->err) == ITEM_OK && info.width == 120);
    item_image_unref(image);
    image = item_image_ref(all.image);
    FINE(item_image_pixels(image) != NULL);
    item_image_unref(image);
}

static void learn(person *p)
{
    item_dataset *data = NULL;
    item_report *report = NULL, *again = NULL;
    item_train_options options = ITEM_TRAIN_OPTIONS_INIT;
    item_eval_options eval = ITEM_EVAL_OPTIONS_INIT;
    options.epochs = 2;
    options.draws = eval.draws = 2;
    options.controls = 0;
    options.layout = "cosine/both/1";
    if (WELL(item_dataset_extract(all.ctx, all.set, NULL, &data, &p->err)))
        WELL(item_dataset_remove(data, "source", "s0", NULL, &p->err));
    item_dataset_free(data);
    if (WELL(item_train(all.data, &options, &report, &p->err)))
        FINE(item_report_json(report) != NULL);
    WELL(item_evaluate(all.data, NULL, all.ctx, &eval, &again, &p->err));
    item_report_free(report);
    item_report_free(again);
}

static void files(person *p)
{
    char name[32];
    item_dataset *data = NULL;
    snprintf(name, sizeof name, "saved-%u.safetensors", p->number);
    char *path = temp_path(name);
    WELL(item_dataset_save(all.data, path, &p->err));
    WELL(item_dataset_load(path, &data, &p->err));
    item_dataset_free(data);
    free(path);
}

static void (*const deeds[])(person *) = {
    check_shared, open_and_close, own_config, packs,   batches,  single_stages, be_cancelled,
    hand_on,      be_cancelled,   errors,     hand_on, pictures, files,
};

static void *live(void *user)
{
    person *p = user;
    pthread_barrier_wait(&all.start);
    for (unsigned i = 0; i < ROUNDS * COUNT(deeds) && !p->wrong; i++)
        deeds[(i + p->number) % COUNT(deeds)](p);
    if (p->number % 4 == 0 && !p->wrong) /* takes much longer than all else */
        learn(p);
    return NULL;
}

/* ---- the world ---- */

static void write_set(void)
{
    char name[64];
    all.set = temp_path("set");
    for (unsigned i = 0; i < 24; i++) {
        static const char *const folders[] = {"set", "set/ai", "set/real"};
        const char *label = i % 2 ? "ai" : "real";
        for (size_t f = 0; f < COUNT(folders) && i == 0; f++) {
            char *folder = temp_path(folders[f]);
            (void)mkdir(folder, 0700);
            free(folder);
        }
        snprintf(name, sizeof name, "set/%s/s%u", label, i / 2 % 3);
        char *folder = temp_path(name);
        (void)mkdir(folder, 0700);
        free(folder);
        snprintf(name, sizeof name, "set/%s/s%u/%u.png", label, i / 2 % 3, i);
        free(write_picture(name, i, 24 + i, 30));
    }
}

static item_config *with_head(bool serial)
{
    item_error err = ITEM_ERROR_INIT;
    item_config *config = make_config();
    set_option(config, "head", all.head);
    host_of(config);
    if (!serial)
        return config;
    item_captioner_ops captioner = *item_dummy_captioner();
    item_detector_ops detector = *item_dummy_detector();
    item_embedder_ops embedder = *item_dummy_embedder();
    captioner.capabilities |= ITEM_BACKEND_SERIAL;
    detector.capabilities |= ITEM_BACKEND_SERIAL;
    embedder.capabilities |= ITEM_BACKEND_SERIAL;
    assert_ok(item_config_set_captioner(config, &captioner, NULL, &err), &err);
    assert_ok(item_config_set_detector(config, &detector, NULL, &err), &err);
    assert_ok(item_config_set_embedder(config, &embedder, NULL, &err), &err);
    return config;
}

static void answer_alone(void)
{
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    assert_ok(item_check_image(all.ctx, all.image, NULL, &result, &err), &err);
    char similarity[32];
    snprintf(similarity, sizeof similarity, "%.9g", summary_of(result).similarity);
    all.similarity = strdup(similarity);
    all.caption = strdup(item_result_text(result, ITEM_TEXT_CAPTION));
    item_result_unref(result);
}

static int make_world(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    const pack_spec plain = {0};
    head_spec head = default_head(1);
    head.working_size = 64;
    head.size_min = 0;
    all.image = make_picture(7, 150, 100);
    all.picture = write_picture("picture.png", 3, 120, 90);
    all.broken = temp_path("broken.png");
    write_text(all.broken, "no picture");
    all.head = write_head("head.safetensors", &head);
    all.pack = write_pack("pack", &plain);
    write_set();
    all.config = with_head(false);
    assert_ok(item_ctx_open(NULL, all.config, &all.ctx, &err), &err);
    all.serial = open_ctx(with_head(true));
    assert_ok(item_config_new(&all.pack_config, &err), &err);
    assert_ok(item_config_set_engine(all.pack_config, NULL, FAKE_ENGINE, &err), &err);
    host_of(all.pack_config);
    assert_ok(item_ctx_open(all.pack, all.pack_config, &all.pack_ctx, &err), &err);
    assert_ok(item_dataset_extract(all.ctx, all.set, NULL, &all.data, &err), &err);
    answer_alone();
    return pthread_barrier_init(&all.start, NULL, THREADS);
}

static int free_world(void **state)
{
    (void)state;
    char *const texts[] = {all.pack,   all.set,     all.head,      all.picture,
                           all.broken, all.caption, all.similarity};
    for (size_t i = 0; i < COUNT(texts); i++)
        free(texts[i]);
    item_config_unref(all.config);
    item_config_unref(all.pack_config);
    item_ctx_unref(all.ctx);
    item_ctx_unref(all.serial);
    item_ctx_unref(all.pack_ctx);
    item_image_unref(all.image);
    item_dataset_free(all.data);
    pthread_barrier_destroy(&all.start);
    return atomic_load(&all.blocks) != 0;
}

static void everybody_gets_the_answer(void **state)
{
    (void)state;
    person people[THREADS];
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        people[i] = (person){.number = i, .state = i + 1, .err = ITEM_ERROR_INIT};
        assert_int_equal(pthread_create(&threads[i], NULL, live, &people[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        if (people[i].wrong)
            fail_msg("thread %u: %s (%s)", i, people[i].wrong, people[i].err.message);
        item_result_unref(atomic_load(&all.handed[i]));
        item_cancel_unref(atomic_load(&all.cancels[i]));
    }
    assert_true(atomic_load(&all.lines) > 0);
    print_message("%lu calls were cancelled\n", atomic_load(&all.cancelled));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(everybody_gets_the_answer)};
    return cmocka_run_group_tests_name("api: crowd", tests, make_world, free_world);
}
