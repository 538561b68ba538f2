/* SPDX-License-Identifier: Apache-2.0 */
/* Reading safetensors: good files, and every way in which a header can lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "files/files.h"
#include "test_dir.h"

/* Length, header, `extra` bytes of data counting up. Free the result. */
static uint8_t *file_of(uint64_t length, const char *header, size_t extra, size_t *size)
{
    size_t text = strlen(header);
    *size = 8 + text + extra;
    uint8_t *bytes = malloc(*size);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, text);
    for (size_t i = 0; i < extra; i++)
        bytes[8 + text + i] = (uint8_t)i;
    return bytes;
}

static item_status parse(const char *header, size_t extra, itemi_safetensors **out, uint8_t **bytes,
                         item_error *err)
{
    size_t size;
    *bytes = file_of(strlen(header), header, extra, &size);
    return itemi_safetensors_parse(NULL, *bytes, size, "w.safetensors", out, err);
}

static void good_file(void **state)
{
    (void)state;
    uint8_t *bytes;
    itemi_safetensors *st;
    item_error err = ITEM_ERROR_INIT;
    const char *header =
        "{\"z\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[2,10]},"
        "\"__metadata__\":{\"form\":\"difference\",\"empty\":\"\"},"
        "\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]},"
        "\"none\":{\"dtype\":\"F64\",\"shape\":[3,0],\"data_offsets\":[10,10]}}     ";
    assert_int_equal(parse(header, 12, &st, &bytes, &err), ITEM_OK);
    assert_int_equal(itemi_safetensors_count(st), 3);

    const itemi_tensor *z = itemi_safetensors_find(st, "z");
    assert_ptr_equal(z, itemi_safetensors_at(st, 0));
    assert_true(z->dtype == ITEMI_F32 && z->dims == 2 && z->shape[0] == 2 && z->shape[1] == 1);
    assert_int_equal(z->bytes, 8);
    assert_int_equal(*(const uint8_t *)z->data, 2);
    const itemi_tensor *a = itemi_safetensors_find(st, "a");
    assert_true(a->dims == 0 && a->bytes == 1 && a->dtype == ITEMI_U8);
    assert_string_equal(itemi_safetensors_at(st, 2)->name, "none");
    assert_int_equal(itemi_safetensors_find(st, "none")->bytes, 0);
    assert_null(itemi_safetensors_find(st, "b"));
    assert_null(itemi_safetensors_find(st, "__metadata__"));
    assert_null(itemi_safetensors_at(st, 3));

    assert_string_equal(itemi_safetensors_meta(st, "form"), "difference");
    assert_string_equal(itemi_safetensors_meta(st, "empty"), "");
    assert_null(itemi_safetensors_meta(st, "absent"));
    assert_ptr_equal(itemi_safetensors_file(st)->data, bytes);
    itemi_safetensors_close(st);
    itemi_safetensors_close(NULL);
    free(bytes);
}

static void no_tensors_and_no_metadata(void **state)
{
    (void)state;
    uint8_t *bytes;
    itemi_safetensors *st;
    assert_int_equal(parse("{}", 0, &st, &bytes, NULL), ITEM_OK);
    assert_int_equal(itemi_safetensors_count(st), 0);
    assert_null(itemi_safetensors_meta(st, "x"));
    assert_null(itemi_safetensors_find(st, "x"));
    itemi_safetensors_close(st);
    free(bytes);
}

static void many_tensors_are_found(void **state)
{
    (void)state;
    itemi_buf header;
    itemi_buf_init(&header, NULL);
    for (int i = 0; i < 1000; i++)
        itemi_buf_printf(&header,
                         "%s\"t%d\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[%d,%d]}",
                         i ? "," : "{", i * 7919 % 1000, i, i + 1);
    itemi_buf_puts(&header, "}");
    uint8_t *bytes;
    itemi_safetensors *st;
    assert_int_equal(parse(header.data, 1000, &st, &bytes, NULL), ITEM_OK);
    for (int i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%d", i * 7919 % 1000);
        assert_ptr_equal(itemi_safetensors_find(st, name), itemi_safetensors_at(st, (size_t)i));
    }
    itemi_safetensors_close(st);
    itemi_buf_free(&header);
    free(bytes);
}

#define ONE(dtype, shape, range)                                                                   \
    "{\"w\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" range "}}"

/* Long, because the table of lies is. */
static void lying_headers(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data;
        item_status status;
        const char *message;
    } cases[] = {
        {"", 9, ITEM_E_FORMAT, "the header is no JSON object"},
        {"[]", 0, ITEM_E_FORMAT, "the header is no JSON object"},
        {" {}", 0, ITEM_E_FORMAT, "the header is no JSON object"},
        {"{\"w\":", 0, ITEM_E_FORMAT, "w.safetensors: line 1, column 5: "},
        {"{} x", 0, ITEM_E_FORMAT, "end of file expected"},
        {"{\"w\":1,\"w\":2}", 0, ITEM_E_FORMAT, "duplicate object key"},
        {"{\"w\":[1]}", 0, ITEM_E_FORMAT, "tensor \"w\" is no object"},
        {"{\"w\":{}}", 0, ITEM_E_FORMAT, "tensor \"w\" has no dtype"},
        {ONE("5", "[1]", "[0,4]"), 4, ITEM_E_FORMAT, "tensor \"w\" has no dtype"},
        {ONE("\"F8_E4M3\"", "[1]", "[0,1]"), 1, ITEM_E_UNSUPPORTED, "has dtype \"F8_E4M3\""},
        {ONE("\"f32\"", "[1]", "[0,4]"), 4, ITEM_E_UNSUPPORTED, "has dtype \"f32\""},
        {ONE("\"F32\"", "4", "[0,4]"), 4, ITEM_E_FORMAT, "tensor \"w\" has no shape"},
        {ONE("\"F32\"", "[-1]", "[0,4]"), 4, ITEM_E_FORMAT, "its shape holds no counts"},
        {ONE("\"F32\"", "[1.0]", "[0,4]"), 4, ITEM_E_FORMAT, "its shape holds no counts"},
        {ONE("\"F32\"", "[NaN]", "[0,4]"), 4, ITEM_E_FORMAT, "line 1, column"},
        {ONE("\"F32\"", "[\"1\"]", "[0,4]"), 4, ITEM_E_FORMAT, "its shape holds no counts"},
        {ONE("\"F32\"", "[18446744073709551616]", "[0,4]"), 4, ITEM_E_FORMAT,
         "its shape holds no counts"},
        {ONE("\"U8\"", "[1,1,1,1,1,1,1,1,1]", "[0,1]"), 1, ITEM_E_UNSUPPORTED,
         "has 9 dimensions, at most 8"},
        {ONE("\"U8\"", "[4294967296,4294967296]", "[0,0]"), 0, ITEM_E_FORMAT, "overflows"},
        {ONE("\"U8\"", "[4294967296,4294967296,1]", "[0,1]"), 1, ITEM_E_FORMAT, "overflows"},
        {ONE("\"F32\"", "[4611686018427387905]", "[0,4]"), 4, ITEM_E_FORMAT, "overflows"},
        {ONE("\"U8\"", "[9223372036854775807]", "[0,4]"), 4, ITEM_E_FORMAT,
         "has 4 bytes, its shape and dtype make 9223372036854775807"},
        {ONE("\"F32\"", "[2]", "[0,4]"), 8, ITEM_E_FORMAT,
         "has 4 bytes, its shape and dtype make 8"},
        {ONE("\"F32\"", "[1]", "[0,8]"), 8, ITEM_E_FORMAT,
         "has 8 bytes, its shape and dtype make 4"},
        {ONE("\"F32\"", "[2]", "[0,8]"), 7, ITEM_E_FORMAT, "ends at byte 8 of 7: is the file cut"},
        {ONE("\"F32\"", "[2]", "[0,9223372036854775807]"), 8, ITEM_E_FORMAT,
         "is the file cut short?"},
        {ONE("\"F32\"", "[1]", "[8,4]"), 8, ITEM_E_FORMAT, "no valid data_offsets"},
        {ONE("\"F32\"", "[1]", "[-4,0]"), 8, ITEM_E_FORMAT, "no valid data_offsets"},
        {ONE("\"F32\"", "[1]", "[0]"), 8, ITEM_E_FORMAT, "no valid data_offsets"},
        {ONE("\"F32\"", "[1]", "[0,4,8]"), 8, ITEM_E_FORMAT, "no valid data_offsets"},
        {ONE("\"F32\"", "[1]", "{}"), 8, ITEM_E_FORMAT, "no valid data_offsets"},
        {"{\"__metadata__\":[]}", 0, ITEM_E_FORMAT, "__metadata__ is no object"},
        {"{\"__metadata__\":{\"k\":1}}", 0, ITEM_E_FORMAT, "metadata \"k\" is no string"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
         "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[3,7]}}",
         8, ITEM_E_FORMAT, "tensors \"a\" and \"b\" overlap"},
        {"{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[6,7]},"
         "\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}}",
         8, ITEM_E_FORMAT, "tensors \"a\" and \"b\" overlap"},
        {"{\"b\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},"
         "\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}}",
         8, ITEM_E_FORMAT, "overlap"},
    };
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        uint8_t *bytes;
        itemi_safetensors *st = (itemi_safetensors *)1;
        item_error err = ITEM_ERROR_INIT;
        item_status status = parse(cases[i].header, cases[i].data, &st, &bytes, &err);
        if (status != cases[i].status || !strstr(err.message, cases[i].message))
            fail_msg("case %zu: %s \"%s\", not \"%s\"", i, item_status_name(status), err.message,
                     cases[i].message);
        assert_memory_equal(err.message, "w.safetensors: ", 15);
        assert_null(st);
        free(bytes);
    }
}

static void lying_lengths(void **state)
{
    (void)state;
    static const struct {
        uint64_t length;
        const char *message;
    } cases[] = {
        {3, "header of 3 bytes in a file of 10: cut short?"},
        {16777216, "header of 16777216 bytes in a file of 10"},
        {16777217, "n: is no safetensors file"},
        {UINT64_MAX, "n: is no safetensors file"},
        {UINT64_MAX - 7, "n: is no safetensors file"},
        {0, "the header is no JSON object"},
    };
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        size_t size;
        uint8_t *bytes = file_of(cases[i].length, "{}", 0, &size);
        itemi_safetensors *st = NULL;
        item_error err = ITEM_ERROR_INIT;
        assert_int_equal(itemi_safetensors_parse(NULL, bytes, size, "n", &st, &err), ITEM_E_FORMAT);
        if (!strstr(err.message, cases[i].message))
            fail_msg("\"%s\" does not tell \"%s\"", err.message, cases[i].message);
        free(bytes);
    }
}

/* Every cut of a good file is refused, and none reads beyond its end (sanitizers watch). */
static void every_truncation(void **state)
{
    (void)state;
    const char *header = ONE("\"F32\"", "[2]", "[0,8]");
    size_t size;
    uint8_t *whole = file_of(strlen(header), header, 8, &size);
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *bytes = malloc(cut ? cut : 1);
        memcpy(bytes, whole, cut);
        itemi_safetensors *st = NULL;
        item_error err = ITEM_ERROR_INIT;
        assert_int_equal(itemi_safetensors_parse(NULL, bytes, cut, "cut", &st, &err),
                         ITEM_E_FORMAT);
        assert_non_null(strstr(err.message, cut < 8 ? "too few for safetensors" : "cut short?"));
        free(bytes);
    }
    free(whole);
}

static void files_are_opened_and_named(void **state)
{
    const char *path = test_path(*state, "o.safetensors");
    const char *header = ONE("\"F32\"", "[2]", "[0,8]");
    size_t size;
    uint8_t *bytes = file_of(strlen(header), header, 8, &size);
    test_write(path, bytes, size);
    for (int map = 0; map < 2; map++) {
        itemi_safetensors *st = NULL;
        assert_int_equal(itemi_safetensors_open(NULL, path, map, &st, NULL), ITEM_OK);
        assert_int_equal(itemi_safetensors_file(st)->mapped, map);
        assert_memory_equal(itemi_safetensors_find(st, "w")->data, bytes + size - 8, 8);
        itemi_safetensors_close(st);
    }
    test_write(path, bytes, size - 1);
    itemi_safetensors *st = (itemi_safetensors *)1;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_safetensors_open(NULL, path, true, &st, &err), ITEM_E_FORMAT);
    assert_null(st);
    assert_non_null(strstr(err.message, "/o.safetensors: tensor \"w\" ends at byte 8 of 7"));
    itemi_error_reset(&err);
    assert_int_equal(itemi_safetensors_open(NULL, *state, true, &st, &err), ITEM_E_IO);
    free(bytes);
}

static void no_memory_leaves_nothing(void **state)
{
    const char *path = test_path(*state, "m.safetensors");
    const char *header = ONE("\"F32\"", "[2]", "[0,8]");
    size_t size;
    uint8_t *bytes = file_of(strlen(header), header, 8, &size);
    test_write(path, bytes, size);
    free(bytes);
    item_status status = ITEM_E_MEMORY;
    long n = 0;
    for (; status != ITEM_OK; n++) {
        test_mem t;
        test_mem_init(&t, n);
        itemi_safetensors *st = NULL;
        status = itemi_safetensors_open(&t.mem, path, false, &st, NULL);
        assert_true(status == ITEM_OK || status == ITEM_E_MEMORY);
        assert_true((st != NULL) == (status == ITEM_OK));
        itemi_safetensors_close(st);
        assert_int_equal(t.live, 0);
    }
    assert_int_equal(n, 5); /* file, handle, tensors, index; then it works */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_file),
        cmocka_unit_test(no_tensors_and_no_metadata),
        cmocka_unit_test(many_tensors_are_found),
        cmocka_unit_test(lying_headers),
        cmocka_unit_test(lying_lengths),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(files_are_opened_and_named),
        cmocka_unit_test(no_memory_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, test_dir_make, test_dir_remove);
}
