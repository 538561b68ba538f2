/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing safetensors, and reading what the Python package wrote. Called with a file name, the
 * program writes the file there that check_safetensors.py reads with the Python package.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "files/files.h"
#include "test_dir.h"

static const double f64[] = {0.1, -2};
static const float f32[] = {1, 2, 3, 4, 5, 6.5f};
static const uint16_t f16[] = {0x3c00, 0xc000, 0x0001}, bf16[] = {0x3f80, 0xc000};
static const int64_t i64[] = {INT64_MIN, INT64_MAX};
static const int32_t i32[] = {-7};
static const int8_t i8[] = {-128, 127};
static const uint8_t u8[] = {0, 200, 255}, yes_no[] = {1, 0};

/* In no order of the alphabet, with odd sizes, so that later ones are not aligned. */
static const itemi_tensor all[] = {
    {"u8", ITEMI_U8, 1, {3}, u8, 3},
    {"f64", ITEMI_F64, 1, {2}, f64, 16},
    {"layer.0/weight \"q\" \xc3\xa9", ITEMI_F32, 2, {2, 3}, f32, 24},
    {"f16", ITEMI_F16, 2, {3, 1}, f16, 6},
    {"bf16", ITEMI_BF16, 1, {2}, bf16, 4},
    {"i64", ITEMI_I64, 1, {2}, i64, 16},
    {"scalar", ITEMI_I32, 0, {0}, i32, 4},
    {"i8", ITEMI_I8, 1, {2}, i8, 2},
    {"bool", ITEMI_BOOL, 1, {2}, yes_no, 2},
    {"empty", ITEMI_F32, 2, {0, 5}, NULL, 0},
};
static const char *const meta[] = {"form", "difference", "note", "two\nlines \xe2\x82\xac", "none",
                                   ""};

static item_status write_to(const char *path, item_error *err)
{
    return itemi_safetensors_write(path, all, ITEMI_COUNT(all), meta, 3, err);
}

static void comes_back(void **state)
{
    const char *path = test_path(*state, "head.safetensors");
    item_error err = ITEM_ERROR_INIT;
    itemi_safetensors *st;
    assert_int_equal(write_to(path, &err), ITEM_OK);
    assert_int_equal(itemi_safetensors_open(NULL, path, true, &st, &err), ITEM_OK);
    assert_int_equal(itemi_safetensors_count(st), ITEMI_COUNT(all));
    for (size_t i = 0; i < ITEMI_COUNT(all); i++) {
        const itemi_tensor *t = itemi_safetensors_at(st, i);
        assert_string_equal(t->name, all[i].name);
        assert_true(t->dtype == all[i].dtype && t->dims == all[i].dims);
        assert_memory_equal(t->shape, all[i].shape, sizeof t->shape);
        assert_int_equal(t->bytes, all[i].bytes);
        if (t->bytes)
            assert_memory_equal(t->data, all[i].data, t->bytes);
    }
    for (size_t i = 0; i < ITEMI_COUNT(meta); i += 2)
        assert_string_equal(itemi_safetensors_meta(st, meta[i]), meta[i + 1]);
    itemi_safetensors_close(st);
}

static void equal_input_gives_equal_bytes(void **state)
{
    itemi_file a, b;
    assert_int_equal(write_to(test_path(*state, "a"), NULL), ITEM_OK);
    assert_int_equal(write_to(test_path(*state, "b"), NULL), ITEM_OK);
    assert_int_equal(itemi_file_open(NULL, test_path(*state, "a"), 0, false, &a, NULL), ITEM_OK);
    assert_int_equal(itemi_file_open(NULL, test_path(*state, "b"), 0, false, &b, NULL), ITEM_OK);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    uint64_t length;
    memcpy(&length, a.data, 8);
    assert_int_equal(length % 8, 0);
    assert_int_equal(a.data[8], '{');
    itemi_file_close(&a);
    itemi_file_close(&b);

    /* The bytes themselves, so that a change is noticed. */
    static const char expect[] =
        "\x50\0\0\0\0\0\0\0{\"__metadata__\":{\"k\":\"v\"},\"t\":{\"dtype\":"
        "\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}  \x05\x06";
    const itemi_tensor one = {"t", ITEMI_U8, 1, {2}, "\x05\x06", 2};
    const char *const pair[] = {"k", "v"}, *path = test_path(*state, "c");
    assert_int_equal(itemi_safetensors_write(path, &one, 1, pair, 1, NULL), ITEM_OK);
    assert_int_equal(itemi_file_open(NULL, path, 0, false, &a, NULL), ITEM_OK);
    assert_int_equal(a.size, sizeof expect - 1);
    assert_memory_equal(a.data, expect, a.size);
    itemi_file_close(&a);
}

static void refuse(void **state, const itemi_tensor *t, size_t count, const char *const *pairs,
                   size_t pair_count, const char *part)
{
    const char *path = test_path(*state, "refused");
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_safetensors_write(path, t, count, pairs, pair_count, &err),
                     ITEM_E_ARGUMENT);
    if (!strstr(err.message, part))
        fail_msg("\"%s\" does not tell \"%s\"", err.message, part);
    assert_int_equal(access(path, F_OK), -1);
}

static void wrong_input_is_refused(void **state)
{
    itemi_tensor t[2] = {all[0], all[0]};
    refuse(state, t, 2, NULL, 0, "\"u8\" would be written twice");
    t[0].name = "__metadata__";
    refuse(state, t, 1, NULL, 0, "is a name of the format itself");
    t[0].name = "\xff";
    refuse(state, t, 1, NULL, 0, "\"\\xff\" is no UTF-8");
    t[0].name = NULL;
    refuse(state, t, 1, NULL, 0, "is no UTF-8");

    static const itemi_tensor wrong[] = {
        {"t", ITEMI_U8, 1, {4}, u8, 3},
        {"t", (itemi_dtype)0, 1, {3}, u8, 3},
        {"t", ITEMI_U8, 9, {3}, u8, 3},
        {"t", ITEMI_U8, 1, {3}, NULL, 3},
        {"t", ITEMI_U8, 2, {0, UINT64_MAX}, u8, 0},
        {"t", ITEMI_U8, 2, {1ull << 63, 2}, u8, 0},
    };
    for (size_t i = 0; i < ITEMI_COUNT(wrong); i++)
        refuse(state, &wrong[i], 1, NULL, 0, "dtype, shape and bytes differ");

    const char *const twice[] = {"a", "1", "a", "2"}, *const bad[] = {"a", "\xff"},
                      *const null[] = {"a", NULL};
    refuse(state, all, 1, twice, 2, "\"a\" would be written twice");
    refuse(state, all, 1, bad, 1, "metadata \"a\" is no UTF-8");
    refuse(state, all, 1, null, 1, "metadata \"a\" is no UTF-8");

    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(write_to(test_path(*state, "no/such"), &err), ITEM_E_IO);
    assert_non_null(strstr(err.message, "no/such: cannot be written"));
}

/* tests/golden/files/all.safetensors, by the Python package: 2 x 3 values of every dtype. */
static void reads_what_python_wrote(void **state)
{
    (void)state;
    itemi_safetensors *st = NULL;
    item_error err = ITEM_ERROR_INIT;
    if (itemi_safetensors_open(NULL, GOLDEN "/all.safetensors", true, &st, &err) != ITEM_OK)
        fail_msg("%s", err.message);
    static const struct {
        const char *name;
        float values[6];
    } expect[] = {
        {"f64", {0.5f, -1, 2, 1e-3f, 4, 1e30f}},
        {"f32", {0.5f, -1, 2, 1e-3f, 4, 1e30f}},
        {"f16", {0.5f, -1, 2, 0x1p-24f, 65504, 0}},
        {"bf16", {0.5f, -1, 2, 0x1p-100f, 3.140625f, 0}},
        {"i64", {0, -1, 2, 16777216, -16777216, 7}},
        {"i32", {0, -1, 2, 16777216, -16777216, 7}},
        {"i8", {0, -1, 2, 127, -128, 7}},
        {"u8", {0, 1, 2, 127, 255, 7}},
        {"bool", {0, 1, 1, 0, 0, 1}},
    };
    assert_int_equal(itemi_safetensors_count(st), ITEMI_COUNT(expect) + 1);
    for (size_t i = 0; i < ITEMI_COUNT(expect); i++) {
        const itemi_tensor *t = itemi_safetensors_find(st, expect[i].name);
        assert_non_null(t);
        assert_true(t->dims == 2 && t->shape[0] == 2 && t->shape[1] == 3);
        float values[6] = {0};
        itemi_to_f32(t, values);
        for (int v = 0; v < 6; v++) {
            if (values[v] != expect[i].values[v])
                fail_msg("%s[%d] is %g", t->name, v, (double)values[v]);
        }
    }
    const itemi_tensor *scalar = itemi_safetensors_find(st, "scalar");
    assert_true(scalar && scalar->dims == 0 && scalar->bytes == 4);
    assert_string_equal(itemi_safetensors_meta(st, "layout"), "difference/both/1");
    assert_string_equal(itemi_safetensors_meta(st, "text"), "caf\xc3\xa9 \"quoted\"\n");
    itemi_safetensors_close(st);
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return write_to(argv[1], NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back),
        cmocka_unit_test(equal_input_gives_equal_bytes),
        cmocka_unit_test(wrong_input_is_refused),
        cmocka_unit_test(reads_what_python_wrote),
    };
    return cmocka_run_group_tests(tests, test_dir_make, test_dir_remove);
}
