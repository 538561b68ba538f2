/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that change, shrink and vanish while they are read, and a pack's folder that is replaced
 * under an open context. Nothing is mapped here (`map_files` is 0): every call ends with an answer
 * or an error, never with the process. A thread does the damage as fast as it can.
 */
#include "../api/packs.h"
#include "lasting.h"

#include <fcntl.h>
#include <item/train.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LASTS 700 /* ms for each kind of file */

static struct {
    item_ctx *ctx; /* of the dummies */
    char *pack, *head, *picture, *set, *list, *saved;
} w;

/* ---- damage ---- */

typedef struct damage {
    const char *path;
    char *content;
    size_t size;
    atomic_bool over;
    pthread_t thread;
} damage;

static void write_some(const char *path, const char *content, size_t size, int flags)
{
    const int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);
    if (fd < 0)
        return;
    (void)!write(fd, content, size);
    close(fd);
}

/* Shorter, longer, other bytes, gone, and right again for a while. */
static void *do_damage(void *argument)
{
    damage *d = argument;
    uint32_t random = 1;
    char *other = malloc(d->size);
    while (other && !atomic_load(&d->over)) {
        const uint32_t part = chance(&random, (uint32_t)d->size + 1);
        memcpy(other, d->content, d->size);
        if (d->size)
            other[part % d->size] ^= 0x20;
        switch (chance(&random, 5)) {
        case 0:
            (void)!truncate(d->path, (off_t)part);
            break;
        case 1:
            write_some(d->path, d->content, part, O_APPEND);
            break;
        case 2:
            write_some(d->path, other, d->size, O_TRUNC);
            break;
        case 3:
            (void)unlink(d->path);
            break;
        default:
            write_some(d->path, d->content, d->size, O_TRUNC);
            sleep_ms(1);
        }
    }
    free(other);
    return NULL;
}

static void start_damage(damage *d, const char *path)
{
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    *d = (damage){.path = path, .content = read_text(path), .size = (size_t)facts.st_size};
    assert_int_equal(pthread_create(&d->thread, NULL, do_damage, d), 0);
}

static void end_damage(damage *d)
{
    atomic_store(&d->over, true);
    pthread_join(d->thread, NULL);
    write_file(d->path, d->content, d->size);
    free(d->content);
}

/* ---- readers; each leaves nothing ---- */

static item_status read_picture(item_error *err)
{
    item_result *result = NULL;
    const item_status status = item_check_file(w.ctx, w.picture, NULL, &result, err);
    item_result_unref(result);
    return status;
}

static item_config *pack_config(void)
{
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    assert_ok(item_config_new(&config, &err), &err);
    assert_ok(item_config_set_engine(config, NULL, FAKE_ENGINE, &err), &err);
    set_option(config, "map_files", "0");
    return config;
}

static item_status read_pack(item_error *err)
{
    item_config *config = pack_config();
    item_ctx *ctx = NULL;
    item_result *result = NULL;
    int32_t ids[16];
    size_t count;
    item_status status = item_ctx_open(w.pack, config, &ctx, err);
    if (status == ITEM_OK)
        status = item_check_file(ctx, w.picture, NULL, &result, err);
    if (status == ITEM_OK)
        status = item_tokenize(ctx, "a dog", ids, 16, &count, err);
    item_result_unref(result);
    item_ctx_unref(ctx);
    item_config_unref(config);
    return status;
}

static item_status read_head(item_error *err)
{
    item_config *config = make_config();
    item_ctx *ctx = NULL;
    set_option(config, "head", w.head);
    const item_status status = item_ctx_open(NULL, config, &ctx, err);
    item_ctx_unref(ctx);
    item_config_unref(config);
    return status;
}

static item_status read_list(item_error *err)
{
    item_dataset *data = NULL;
    const item_status status = item_dataset_extract(w.ctx, w.list, NULL, &data, err);
    item_dataset_free(data);
    return status;
}

static item_status read_saved(item_error *err)
{
    item_dataset *data = NULL;
    const item_status status = item_dataset_load(w.saved, &data, err);
    item_dataset_free(data);
    return status;
}

/* An answer, or an error with its line. */
static void read_all_the_time(const char *path, item_status (*call)(item_error *))
{
    damage d;
    unsigned good = 0, bad = 0;
    start_damage(&d, path);
    for (const double end = now_ms() + LASTS; now_ms() < end;) {
        item_error err = ITEM_ERROR_INIT;
        const item_status status = call(&err);
        good += status == ITEM_OK;
        bad += status != ITEM_OK;
        if (status == ITEM_E_INTERNAL && strstr(err.message, "not as they should be"))
            continue; /* the engine's word for an item.json that is valid and holds other values */
        /* a list that is empty at the moment is ITEM_E_ARGUMENT */
        if (status != ITEM_OK &&
            (status == ITEM_E_INTERNAL || status == ITEM_E_MEMORY || !err.message[0]))
            fail_msg("%s: %s: %s", path, item_status_name(status), err.message);
    }
    end_damage(&d);
    item_error err = ITEM_ERROR_INIT;
    assert_ok(call(&err), &err);
    print_message("%s: %u answers, %u errors\n", strrchr(path, '/') + 1, good, bad);
    assert_true(good + bad > 0);
}

static void pictures(void **state)
{
    (void)state;
    read_all_the_time(w.picture, read_picture);
}

static void files_of_a_pack(void **state)
{
    (void)state;
    static const char *const names[] = {"pack/item.json", "pack/weights.safetensors",
                                        "pack/vocab.txt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = temp_path(names[i]);
        read_all_the_time(path, read_pack);
        free(path);
    }
}

static void heads(void **state)
{
    (void)state;
    read_all_the_time(w.head, read_head);
}

static void data_sets_and_lists(void **state)
{
    (void)state;
    read_all_the_time(w.saved, read_saved);
    read_all_the_time(w.list, read_list);
}

/* ---- a folder that is replaced ---- */

static item_ctx *open_pack(void)
{
    item_error err = ITEM_ERROR_INIT;
    item_ctx *ctx = NULL;
    item_config *config = pack_config();
    assert_ok(item_ctx_open(w.pack, config, &ctx, &err), &err);
    item_config_unref(config);
    return ctx;
}

/* A new one of the same size stands where the file was. */
static void replace(const char *name)
{
    struct stat facts;
    char *path = temp_path(name), *beside = temp_path("beside");
    assert_int_equal(stat(path, &facts), 0);
    char *text = read_text(path);
    text[facts.st_size - 1] ^= 1;
    write_file(beside, text, (size_t)facts.st_size);
    assert_int_equal(rename(beside, path), 0);
    free(text);
    free(path);
    free(beside);
}

/* Its files were hashed when it was opened: others in their place are not its own. */
static void replaced_files_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"pack/weights.safetensors", "pack/vocab.txt"};
    for (size_t i = 0; i < 2; i++) {
        item_error err = ITEM_ERROR_INIT;
        item_result *result = NULL;
        item_ctx *ctx = open_pack();
        replace(names[i]);
        assert_error(item_check_file(ctx, w.picture, NULL, &result, &err), ITEM_E_PACK, &err,
                     "changed since");
        assert_null(result);
        item_ctx_unref(ctx);
        const pack_spec plain = {0};
        free(write_pack("pack", &plain));
    }
}

static void a_tokenizer_of_another_pack_is_refused(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    int32_t ids[16];
    size_t count;
    item_ctx *ctx = open_pack();
    replace("pack/vocab.txt");
    assert_error(item_tokenize(ctx, "a dog", ids, 16, &count, &err), ITEM_E_PACK, &err,
                 "changed since");
    item_ctx_unref(ctx);
    const pack_spec plain = {0};
    free(write_pack("pack", &plain));
}

/* What was opened before goes on as if nothing had happened. */
static void an_open_context_outlives_its_folder(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    item_result *before = NULL, *after = NULL;
    int32_t ids[16];
    size_t count;
    item_ctx *ctx = open_pack();
    char *away = temp_path("away");
    assert_ok(item_check_file(ctx, w.picture, NULL, &before, &err), &err);
    assert_ok(item_tokenize(ctx, "a dog", ids, 16, &count, &err), &err);
    assert_int_equal(rename(w.pack, away), 0);
    assert_ok(item_check_file(ctx, w.picture, NULL, &after, &err), &err);
    assert_ok(item_tokenize(ctx, "a dog", ids, 16, &count, &err), &err);
    assert_string_equal(item_result_text(before, ITEM_TEXT_CAPTION),
                        item_result_text(after, ITEM_TEXT_CAPTION));
    item_ctx *gone = NULL;
    item_config *config = pack_config();
    assert_error(item_ctx_open(w.pack, config, &gone, &err), ITEM_E_PACK, &err, "no such pack");
    assert_int_equal(rename(away, w.pack), 0);
    item_config_unref(config);
    item_result_unref(before);
    item_result_unref(after);
    item_ctx_unref(ctx);
    free(away);
}

/* ---- the world ---- */

static int make_world(void **state)
{
    (void)state;
    static const char *const folders[] = {"set", "set/ai", "set/real"};
    item_error err = ITEM_ERROR_INIT;
    item_dataset *data = NULL;
    const pack_spec plain = {0};
    const head_spec head = default_head(1);
    for (size_t i = 0; i < 3; i++) {
        char *folder = temp_path(folders[i]);
        (void)mkdir(folder, 0700);
        free(folder);
    }
    free(write_picture("set/ai/1.png", 1, 60, 50));
    free(write_picture("set/real/2.png", 2, 50, 60));
    w.ctx = make_ctx();
    w.picture = write_picture("one.png", 3, 120, 90);
    w.pack = write_pack("pack", &plain);
    w.head = write_head("head.safetensors", &head);
    w.set = temp_path("set");
    w.list = temp_path("set/list.csv");
    write_text(w.list, "path,label\nai/1.png,ai\nreal/2.png,real\n");
    w.saved = temp_path("saved.safetensors");
    assert_ok(item_dataset_extract(w.ctx, w.set, NULL, &data, &err), &err);
    assert_ok(item_dataset_save(data, w.saved, &err), &err);
    item_dataset_free(data);
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    char *const texts[] = {w.pack, w.head, w.picture, w.set, w.list, w.saved};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    item_ctx_unref(w.ctx);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures),
        cmocka_unit_test(heads),
        cmocka_unit_test(data_sets_and_lists),
        cmocka_unit_test(files_of_a_pack),
        cmocka_unit_test(an_open_context_outlives_its_folder),
        cmocka_unit_test(replaced_files_are_refused),
        cmocka_unit_test(a_tokenizer_of_another_pack_is_refused),
    };
    return cmocka_run_group_tests_name("lasting: changing files", tests, make_world, free_world);
}
