/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of a pack, heads and data sets, cut at every tenth and flipped at 200 places; names of
 * pictures that are no UTF-8. Pictures are damaged in tests/unit/image/test_bad_input.c.
 */
#include <item/train.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../api/packs.h"

#define PLACES 200

typedef item_status (*reader)(const char *path, item_error *err);

/* A refusal has a line; returns whether there was one. */
static bool refused(reader read, const char *path)
{
    item_error err = ITEM_ERROR_INIT;
    item_status status = read(path, &err);
    assert_int_equal(err.code, status);
    assert_true((status == ITEM_OK) == (err.message[0] == '\0'));
    assert_null(strchr(err.message, '\n'));
    assert_true(status != ITEM_E_INTERNAL && status != ITEM_E_MEMORY);
    return status != ITEM_OK;
}

/* `file` is damaged, `opened` is what the reader opens. At least so many flips are refused. */
static void damage(reader read, const char *file, const char *opened, size_t least)
{
    char hex[65];
    uint64_t size;
    sha256_of(file, hex, &size);
    char *bytes = read_text(file);
    assert_false(refused(read, opened));
    for (size_t tenth = 0; tenth < 10; tenth++) {
        write_file(file, bytes, (size_t)size * tenth / 10);
        assert_true(refused(read, opened));
    }
    size_t count = 0;
    for (size_t i = 0; i < PLACES; i++) {
        char *place = &bytes[(size_t)size * i / PLACES], was = *place;
        *place = (char)(was ^ (i % 2 ? 0x01 : 0x80));
        write_file(file, bytes, (size_t)size);
        count += refused(read, opened);
        *place = was;
    }
    assert_true(count >= least);
    free(bytes);
}

static item_status read_pack(const char *path, item_error *err)
{
    item_pack *pack = NULL;
    item_status status = item_pack_open(path, 0, &pack, err);
    assert_true((status == ITEM_OK) == (pack != NULL));
    item_pack_free(pack);
    return status;
}

static void manifests_of_packs(void **state)
{
    (void)state;
    char *folder = write_pack("damaged", &(pack_spec){0}), *file = temp_path("damaged/item.json");
    damage(read_pack, file, folder, PLACES / 2); /* a byte over 0x7f is no JSON */
    free(file);
    free(folder);
}

static item_status read_head(const char *path, item_error *err)
{
    item_config *config = make_config();
    item_ctx *ctx = NULL;
    set_option(config, "head", path);
    item_status status = item_ctx_open(NULL, config, &ctx, err);
    item_config_unref(config);
    assert_true((status == ITEM_OK) == (ctx != NULL));
    item_ctx_unref(ctx);
    return status;
}

static void heads(void **state)
{
    (void)state;
    head_spec spec = default_head(0);
    char *path = write_head("damaged.safetensors", &spec);
    damage(read_head, path, path, PLACES / 3);
    free(path);
}

static item_status read_dataset(const char *path, item_error *err)
{
    item_dataset *data = NULL;
    item_status status = item_dataset_load(path, &data, err);
    assert_true((status == ITEM_OK) == (data != NULL));
    item_dataset_free(data);
    return status;
}

static void datasets(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    info.width = 4;
    info.embedder = "none";
    item_dataset *data = NULL;
    assert_ok(item_dataset_new(&info, &data, &err), &err);
    for (size_t i = 0; i < 20; i++) {
        const float unit[4] = {i % 2 ? 1.0f : 0.0f, i % 2 ? 0.0f : 1.0f};
        item_row row = ITEM_ROW_INIT;
        row.label = i % 2;
        row.objects = 1;
        row.image = row.text = row.crops = row.phrases = unit;
        row.name = "picture";
        assert_ok(item_dataset_add(data, &row, &err), &err);
    }
    char *path = temp_path("damaged.data");
    assert_ok(item_dataset_save(data, path, &err), &err);
    item_dataset_free(data);
    damage(read_dataset, path, path, PLACES / 3);
    free(path);
}

/* Every byte of the text is part of a character, and none is a control character. */
static void assert_clean(const char *text)
{
    item_phrases *phrases = NULL;
    assert_non_null(text);
    assert_int_equal(item_phrases_find(text, &phrases, NULL), ITEM_OK); /* refuses no UTF-8 */
    item_phrases_free(phrases);
    for (; *text; text++)
        assert_true((unsigned char)*text >= 0x20);
}

static void names_that_are_no_utf8(void **state)
{
    (void)state;
    char *good = write_picture("caf\xe9\xff\n.png", 3, 64, 64), *bad = temp_path("\xc3\x28.jpg");
    write_text(bad, "");
    const char *paths[] = {good, bad};
    item_ctx *ctx = make_ctx();
    item_error err = ITEM_ERROR_INIT;
    item_result *one = NULL, *both[2] = {NULL, NULL};
    assert_ok(item_check_file(ctx, good, NULL, &one, &err), &err);
    assert_clean(item_result_json(one));
    item_result_unref(one);
    assert_ok(item_check_files(ctx, paths, 2, NULL, both, &err), &err);
    for (size_t i = 0; i < 2; i++) {
        assert_clean(item_result_json(both[i]));
        assert_string_equal(item_result_text(both[i], ITEM_TEXT_FILE), paths[i]);
        item_result_unref(both[i]);
    }
    assert_int_equal(item_check_file(ctx, bad, NULL, &one, &err), ITEM_E_FORMAT);
    assert_clean(err.message);
    item_ctx_unref(ctx);
    free(good);
    free(bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manifests_of_packs),
        cmocka_unit_test(heads),
        cmocka_unit_test(datasets),
        cmocka_unit_test(names_that_are_no_utf8),
    };
    return cmocka_run_group_tests_name("hostile: damage", tests, NULL, NULL);
}
