/* SPDX-License-Identifier: Apache-2.0 */
/* Weights in every published form: all of them hold the same, and indexes that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "files/files.h"
#include "test_dir.h"

#define TORCH   GOLDEN "/torch/"
#define TENSORS 23 /* in each of its forms */

static itemi_weights *open_good(const char *path, bool map)
{
    itemi_weights *w;
    item_error err = ITEM_ERROR_INIT;
    if (itemi_weights_open(NULL, path, map, NULL, &w, &err) != ITEM_OK)
        fail_msg("%s", err.message);
    return w;
}

static void assert_refused(const char *path, item_status status, const char *message)
{
    itemi_weights *w = (itemi_weights *)1;
    item_error err = ITEM_ERROR_INIT;
    item_status got = itemi_weights_open(NULL, path, true, NULL, &w, &err);
    if (got != status || !strstr(err.message, message))
        fail_msg("%s \"%s\", not \"%s\"", item_status_name(got), err.message, message);
    assert_memory_equal(err.message, path, (size_t)(strrchr(path, '/') - path));
    assert_null(w);
}

static void assert_same(const char *path, const itemi_tensor *a, const itemi_tensor *b)
{
    if (!a || a->dtype != b->dtype || a->dims != b->dims || a->bytes != b->bytes ||
        memcmp(a->shape, b->shape, sizeof a->shape) != 0 || memcmp(a->data, b->data, a->bytes) != 0)
        fail_msg("%s: tensor %s differs", path, b->name);
}

static void all_forms_hold_the_same(void **state)
{
    (void)state;
    static const char *const names[] = {
        "protocol2.bin",     "protocol3.bin",
        "protocol4.bin",     "protocol5.bin",
        "training.bin",      "model.safetensors.index.json",
        "plain.safetensors", "pytorch_model.bin.index.json",
    };
    itemi_weights *plain = open_good(TORCH "plain.safetensors", true);
    assert_int_equal(itemi_weights_count(plain), TENSORS);
    for (size_t i = 0; i < 2 * ITEMI_COUNT(names); i++) {
        char path[500];
        snprintf(path, sizeof path, TORCH "%s", names[i / 2]);
        itemi_weights *w = open_good(path, i % 2);
        assert_int_equal(itemi_weights_count(w), TENSORS);
        for (size_t n = 0; n < TENSORS; n++) {
            const itemi_tensor *expected = itemi_weights_at(plain, n);
            assert_same(path, itemi_weights_find(w, expected->name), expected);
            assert_string_equal(itemi_weights_at(w, n)->name, expected->name);
        }
        assert_null(itemi_weights_at(w, TENSORS));
        assert_null(itemi_weights_find(w, "absent"));
        assert_null(itemi_weights_meta(w, "absent"));
        itemi_weights_close(w);
    }
    itemi_weights_close(plain);
}

/* Tensors that follow one another in their storage are views of the file, others are not. */
static void what_lies_in_the_file_is_not_copied(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool view;
    } cases[] = {{"f32", true},      {"bf16", true},        {"part.all", true},
                 {"part.row", true}, {"tied", true},        {"position_ids", true},
                 {"scalar", true},   {"part.steps", false}, {"part.transposed", false},
                 {"kernel", false},  {"part.column", false}};
    itemi_weights *w = open_good(TORCH "protocol2.bin", true);
    const char *shard;
    const itemi_file *file = itemi_weights_file(w, 0, &shard);
    assert_true(file->mapped && shard == NULL);
    assert_null(itemi_weights_file(w, 1, &shard));
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        const uint8_t *data = itemi_weights_find(w, cases[i].name)->data;
        bool view = data >= file->data && data < file->data + file->size;
        if (view != cases[i].view)
            fail_msg("%s is %s", cases[i].name, view ? "a view" : "a copy");
    }
    assert_ptr_equal(itemi_weights_find(w, "f32")->data, itemi_weights_find(w, "tied")->data);
    itemi_weights_close(w);
}

static void metadata_of_safetensors(void **state)
{
    (void)state;
    itemi_weights *w = open_good(GOLDEN "/all.safetensors", true);
    assert_string_equal(itemi_weights_meta(w, "layout"), "difference/both/1");
    itemi_weights_close(w);
}

static void other_files_are_refused(void **state)
{
    assert_refused(
        TORCH "old.bin", ITEM_E_UNSUPPORTED,
        "old.bin: was written before torch 1.6. To convert it: python3 -c 'import torch;");
    const char *path = test_path(*state, "other.bin");
    test_puts(path, "version https://git-lfs.github.com/spec/v1\n");
    assert_refused(path, ITEM_E_FORMAT, "is a pointer of Git LFS, not the weights");
    test_puts(path, "<!doctype html>\n");
    assert_refused(path, ITEM_E_FORMAT, "is neither safetensors nor a torch checkpoint");
    test_puts(path, "");
    assert_refused(path, ITEM_E_FORMAT, "is neither safetensors nor a torch checkpoint");
    assert_refused(test_path(*state, "absent.bin"), ITEM_E_IO, "cannot be opened: No such file");
}

/* ---- indexes ---- */

static void indexes_that_lie(void **state)
{
    static const struct {
        const char *text;
        item_status status;
        const char *message;
    } cases[] = {
        {"", ITEM_E_FORMAT, "line 1, column"},
        {"{}", ITEM_E_FORMAT, "has no object \"weight_map\""},
        {"{\"weight_map\":[]}", ITEM_E_FORMAT, "has no object \"weight_map\""},
        {"{\"weight_map\":{\"w\":1}}", ITEM_E_FORMAT, "tensor \"w\" has no file"},
        {"{\"weight_map\":{\"w\":\"../x.bin\"}}", ITEM_E_FORMAT,
         "names the file \"../x.bin\", which is not beside it"},
        {"{\"weight_map\":{\"w\":\"/etc/passwd\"}}", ITEM_E_FORMAT, "\"/etc/passwd\", which is"},
        {"{\"weight_map\":{\"w\":\"..\"}}", ITEM_E_FORMAT, "which is not beside it"},
        {"{\"weight_map\":{\"w\":\"\"}}", ITEM_E_FORMAT, "which is not beside it"},
        {"{\"weight_map\":{\"w\":\"a\\\\b\"}}", ITEM_E_FORMAT, "which is not beside it"},
        {"{\"weight_map\":{\"w\":\"absent.bin\"}}", ITEM_E_IO,
         "absent.bin: cannot be opened: No such file"},
        {"{\"weight_map\":{\"w\":\"i.index.json\"}}", ITEM_E_FORMAT, "is neither safetensors"},
        {"{\"weight_map\":{\"v\":\"one.safetensors\"}}", ITEM_E_FORMAT,
         "i.index.json: tensor \"v\" is in none of its files"},
        {"{\"weight_map\":{\"w\":\"one.safetensors\",\"v\":\"two.safetensors\"}}", ITEM_E_FORMAT,
         "i.index.json: tensor \"w\" is there twice"},
    };
    static const char one[] = "\x3b\0\0\0\0\0\0\0"
                              "{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}     "
                              "        x";
    test_write(test_path(*state, "one.safetensors"), one, 8 + 0x3b + 1);
    test_write(test_path(*state, "two.safetensors"), one, 8 + 0x3b + 1);
    const char *path = test_path(*state, "i.index.json");
    test_puts(path, "{\"weight_map\":{\"w\":\"one.safetensors\"}}");
    itemi_weights_close(open_good(path, true));
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        path = test_path(*state, "i.index.json");
        test_puts(path, cases[i].text);
        assert_refused(path, cases[i].status, cases[i].message);
    }
}

static void indexes_of_too_many_files(void **state)
{
    itemi_buf text;
    itemi_buf_init(&text, NULL);
    for (int i = 0; i <= ITEMI_SHARDS_MAX; i++)
        itemi_buf_printf(&text, "%s\"w%d\":\"%d.bin\"", i ? "," : "{\"weight_map\":{", i, i);
    itemi_buf_puts(&text, "}}");
    const char *path = test_path(*state, "many.index.json");
    test_puts(path, text.data);
    assert_refused(path, ITEM_E_LIMIT, "names 129 files, at most 128 are read");
    itemi_buf_free(&text);
}

/* Cut at every tenth, each form is refused by the name of the file that was cut. */
static void truncations(void **state)
{
    static const char *const names[] = {"plain.safetensors", "protocol2.bin", "protocol4.bin"};
    for (size_t i = 0; i < ITEMI_COUNT(names); i++) {
        itemi_file whole;
        char path[500];
        snprintf(path, sizeof path, TORCH "%s", names[i]);
        assert_int_equal(itemi_file_open(NULL, path, 0, false, &whole, NULL), ITEM_OK);
        for (size_t tenth = 0; tenth < 10; tenth++) {
            const char *cut = test_path(*state, names[i]);
            test_write(cut, whole.data, whole.size * tenth / 10);
            assert_refused(cut, ITEM_E_FORMAT, names[i]);
        }
        itemi_file_close(&whole);
    }
}

/* As in a cache of downloads, where a file is named by its hash. */
static void names_do_not_matter(void **state)
{
    static const char *const names[] = {"plain.safetensors", "protocol2.bin"};
    for (size_t i = 0; i < ITEMI_COUNT(names); i++) {
        char path[500];
        snprintf(path, sizeof path, TORCH "%s", names[i]);
        const char *link = test_path(*state, i ? "5f3a" : "9c1b");
        assert_int_equal(symlink(path, link), 0);
        itemi_weights *w = open_good(link, true);
        assert_int_equal(itemi_weights_count(w), TENSORS);
        itemi_weights_close(w);
    }
    test_puts(test_path(*state, "77d0"),
              "{\n \"weight_map\": {\"w\": \"gone\", \"empty\": \"9c1b\"}}");
    assert_refused(test_path(*state, "77d0"), ITEM_E_IO, "/gone: cannot be opened");
    test_puts(test_path(*state, "77d0"), "{\"weight_map\": {\"empty\": \"9c1b\"}}");
    itemi_weights *w = open_good(test_path(*state, "77d0"), true);
    assert_int_equal(itemi_weights_count(w), TENSORS);
    itemi_weights_close(w);
}

static const char *elsewhere(void *user, const char *shard)
{
    (*(int *)user)++;
    return strstr(shard, "00001") ? TORCH "model-00001-of-00002.safetensors"
                                  : TORCH "pytorch_model-00002-of-00002.bin";
}

static const char *nowhere(void *user, const char *shard)
{
    (void)user;
    (void)shard;
    return NULL;
}

static void shards_may_lie_elsewhere(void **state)
{
    (void)state;
    int calls = 0;
    const char *path = TORCH "model.safetensors.index.json", *shard;
    itemi_shards shards = {.path = elsewhere, .user = &calls};
    itemi_weights *w;
    assert_int_equal(itemi_weights_open(NULL, path, true, &shards, &w, NULL), ITEM_OK);
    assert_int_equal(calls, 2);
    assert_non_null(itemi_weights_file(w, 0, &shard));
    assert_null(shard);
    assert_non_null(itemi_weights_file(w, 2, &shard));
    assert_string_equal(shard, "model-00002-of-00002.safetensors");
    assert_int_equal(itemi_weights_count(w), TENSORS);
    itemi_weights_close(w);

    item_error err = ITEM_ERROR_INIT;
    shards.path = nowhere;
    assert_int_equal(itemi_weights_open(NULL, path, true, &shards, &w, &err), ITEM_E_IO);
    assert_non_null(strstr(err.message, "index.json: names \"model-00001-of-00002.safetensors\", "
                                        "which is not there"));
}

static void shards_of_an_index_are_listed(void **state)
{
    (void)state;
    itemi_index index;
    assert_int_equal(itemi_index_load(NULL, TORCH "pytorch_model.bin.index.json", &index, NULL),
                     ITEM_OK);
    assert_int_equal(index.count, 2);
    assert_string_equal(index.shards[0], "pytorch_model-00001-of-00002.bin");
    assert_string_equal(index.shards[1], "pytorch_model-00002-of-00002.bin");
    itemi_index_free(&index);
}

/* ---- owners and pages ---- */

static void bytes_live_until_the_last_owner(void **state)
{
    (void)state;
    itemi_weights *w = open_good(TORCH "protocol2.bin", true), *other = itemi_weights_ref(w);
    const itemi_tensor *t = itemi_weights_find(w, "scalar");
    itemi_weights_close(w);
    assert_memory_equal(t->data, &(float){3.25f}, sizeof(float));
    itemi_weights_close(other);
    itemi_weights_close(NULL);
}

/* Pages of `data` that this process has mapped in now, from the kernel's own account. */
static size_t resident_pages(const void *data, size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), first = (uintptr_t)data / page, found = 0;
    size_t last = ((uintptr_t)data + bytes - 1) / page;
    FILE *map = fopen("/proc/self/pagemap", "rb");
    assert_non_null(map);
    assert_int_equal(fseek(map, (long)(first * 8), SEEK_SET), 0);
    for (size_t i = first; i <= last; i++) {
        uint64_t entry;
        assert_int_equal(fread(&entry, sizeof entry, 1, map), 1);
        found += entry >> 63;
    }
    fclose(map);
    return found;
}

static void pages_are_given_back(void **state)
{
    enum { BYTES = 1 << 20 };
    char header[120];
    int text =
        snprintf(header, sizeof header,
                 "{\"w\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[0,%d]}}", BYTES, BYTES);
    uint8_t *bytes = calloc(1, 8 + (size_t)text + BYTES);
    bytes[0] = (uint8_t)text;
    memcpy(bytes + 8, header, (size_t)text);
    memset(bytes + 8 + text, 7, BYTES);
    const char *path = test_path(*state, "big.safetensors");
    test_write(path, bytes, 8 + (size_t)text + BYTES);
    for (int map = 0; map < 2; map++) {
        itemi_weights *w = open_good(path, map);
        const itemi_tensor *t = itemi_weights_find(w, "w");
        assert_memory_equal(t->data, bytes + 8 + text, BYTES);
        assert_in_range(resident_pages(t->data, BYTES), 200, 400);
        itemi_weights_done(w, t);
        if (map)
            assert_int_equal(resident_pages(t->data, BYTES), 0);
        assert_memory_equal(t->data, bytes + 8 + text, BYTES);
        itemi_weights_close(w);
    }
    free(bytes);
}

static void no_memory_leaves_nothing(void **state)
{
    (void)state;
    item_status status = ITEM_E_MEMORY;
    for (long n = 0; status != ITEM_OK; n++) {
        test_mem t;
        test_mem_init(&t, n);
        itemi_weights *w = NULL;
        status =
            itemi_weights_open(&t.mem, TORCH "pytorch_model.bin.index.json", n % 2, NULL, &w, NULL);
        assert_true(status == ITEM_OK || status == ITEM_E_MEMORY);
        assert_true((w != NULL) == (status == ITEM_OK));
        itemi_weights_close(w);
        assert_int_equal(t.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_forms_hold_the_same),
        cmocka_unit_test(what_lies_in_the_file_is_not_copied),
        cmocka_unit_test(metadata_of_safetensors),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(indexes_that_lie),
        cmocka_unit_test(indexes_of_too_many_files),
        cmocka_unit_test(truncations),
        cmocka_unit_test(names_do_not_matter),
        cmocka_unit_test(shards_may_lie_elsewhere),
        cmocka_unit_test(shards_of_an_index_are_listed),
        cmocka_unit_test(bytes_live_until_the_last_owner),
        cmocka_unit_test(pages_are_given_back),
        cmocka_unit_test(no_memory_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, test_dir_make, test_dir_remove);
}
