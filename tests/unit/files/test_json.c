/* SPDX-License-Identifier: Apache-2.0 */
/* JSON with the place of each fault, and SHA-256. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "files/files.h"
#include "test_dir.h"

static void json_is_read(void **state)
{
    const char *path = test_path(*state, "item.json");
    test_puts(path, "{\"schema\": 1, \"name\": \"caf\xc3\xa9\", \"list\": [1.5, true, null],\n"
                    " \"most\": 9223372036854775807, \"beyond\": 1000000000000000019884624838656}");
    json_t *root = NULL;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_json_load(NULL, path, &root, &err), ITEM_OK);
    assert_int_equal(json_integer_value(json_object_get(root, "schema")), 1);
    assert_string_equal(json_string_value(json_object_get(root, "name")), "caf\xc3\xa9");
    assert_int_equal(json_array_size(json_object_get(root, "list")), 3);
    assert_true(json_integer_value(json_object_get(root, "most")) == INT64_MAX);
    assert_true(json_real_value(json_object_get(root, "beyond")) == 1e30);
    json_decref(root);
}

static void faults_have_a_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "p.json: line 1, column 0: '[' or '{' expected"},
        {"{\"a\": 1,\n \"b\" 2}", "p.json: line 2, column 6: ':' expected"},
        {"{\"a\": 1, \"a\": 2}", "duplicate object key"},
        {"{\"a\": NaN}", "p.json: line 1, column 9"},
        {"{\"a\": 1e999}", "real number overflow"},
        {"{\"a\": \"\\u0000\"}", "\\u0000 is not allowed"},
        {"{\"a\": \"\xff\"}", "unable to decode byte 0xff"},
        {"{} {}", "end of file expected"},
        {"{\"a\": [1, 2", "']' expected near end of file"},
    };
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        item_error err = ITEM_ERROR_INIT;
        json_t *root = NULL;
        item_status status =
            itemi_json_parse(cases[i].text, strlen(cases[i].text), "p.json", &root, &err);
        assert_int_equal(status, ITEM_E_FORMAT);
        assert_null(root);
        if (!strstr(err.message, cases[i].message))
            fail_msg("\"%s\" does not tell \"%s\"", err.message, cases[i].message);
    }
}

static void depth_is_limited(void **state)
{
    (void)state;
    size_t depth = 1000000;
    char *text = malloc(depth);
    memset(text, '[', depth);
    item_error err = ITEM_ERROR_INIT;
    json_t *root = NULL;
    assert_int_equal(itemi_json_parse(text, depth, "deep", &root, &err), ITEM_E_FORMAT);
    assert_non_null(strstr(err.message, "maximum parsing depth reached"));
    free(text);
}

/* As jansson reads it, which is wrong only where memory ends. True when it is JSON. */
static bool read_alike(const char *text, size_t length)
{
    item_error err = ITEM_ERROR_INIT;
    json_error_t why;
    json_t *ours = NULL, *theirs = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
    const item_status status = itemi_json_parse(text, length, "p.json", &ours, &err);
    assert_int_equal(status, theirs ? ITEM_OK : ITEM_E_FORMAT);
    if ((ours == NULL) != (theirs == NULL) || (ours && !json_equal(ours, theirs)))
        fail_msg("not as jansson reads: %.*s (%s / %s)", (int)length, text, err.message, why.text);
    json_decref(ours);
    json_decref(theirs);
    return status == ITEM_OK;
}

static void texts_are_read_as_jansson_does(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{}",
        " [ ] ",
        "[\"\\u00e9\\ud83d\\ude00\\n\\/\\b\\f\\r\\t\\\\\\\"\"]",
        "[0, -0, 1, -1, 9223372036854775807, -9223372036854775808]",
        "[0.5, -0.0, 1e3, 1E+3, 1.25e-3, 1e-999]",
        "{\"\": {\"a\": [true, false, null, {}]}, \"b\": \"\"}",
        "{\"caf\xc3\xa9\": \"\xf0\x9f\x98\x80\"}",
    };
    static const char *const bad[] = {
        "",
        " ",
        "1",
        "\"a\"",
        "[1,]",
        "{\"a\":1,}",
        "[01]",
        "[-]",
        "[1.]",
        "[.5]",
        "[1e]",
        "[+1]",
        "[tru]",
        "[True]",
        "[nan]",
        "[\"\\x\"]",
        "[\"\\u12\"]",
        "[\"\\ud800\"]",
        "[\"\\udc00\"]",
        "[\"\\ud800\\u0041\"]",
        "[\"\t\"]",
        "[\"\n\"]",
        "[\"a",
        "[\"\\",
        "{1: 2}",
        "{\"a\" 1}",
        "{\"a\": }",
        "{\"a\\u0000\": 1}",
        "[1e400]",
        "[] []",
        "[1 2]",
        "[\"\xc0\x80\"]",
        "[\"\xed\xa0\x80\"]",
        "\xef\xbb\xbf[]",
    };
    for (size_t i = 0; i < ITEMI_COUNT(good); i++)
        assert_true(read_alike(good[i], strlen(good[i])));
    for (size_t i = 0; i < ITEMI_COUNT(bad); i++)
        assert_false(read_alike(bad[i], strlen(bad[i])));
    assert_false(read_alike("[\"a\0b\"]", 7));
}

static void changed_texts_are_read_as_jansson_does(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a\": [1, -2.5e3, \"\\u00e9\\ud83d\\ude00\"], \"b\": {\"c\": null,"
        " \"caf\xc3\xa9\": [true, false, []]}}";
    static const char bytes[] = "{}[]:,\"\\u0e-+.1 tnf\x80\xc3\n";
    uint32_t state_of = 1;
    for (int i = 0; i < 50000; i++) {
        char changed[sizeof text];
        memcpy(changed, text, sizeof text);
        for (int k = 0; k <= i % 3; k++) {
            state_of = state_of * 1664525u + 1013904223u;
            changed[(state_of >> 8) % (sizeof text - 1)] = bytes[(state_of >> 24) % sizeof bytes];
        }
        (void)read_alike(changed,
                         (state_of >> 4) % 7 ? sizeof text - 1 : (state_of >> 12) % sizeof text);
    }
}

static void missing_json_names_the_file(void **state)
{
    json_t *root = (json_t *)1;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_json_load(NULL, test_path(*state, "none.json"), &root, &err), ITEM_E_IO);
    assert_null(root);
    assert_non_null(strstr(err.message, "none.json: cannot be opened: No such file"));
}

static void known_sums(void **state)
{
    char hex[ITEMI_SHA256_HEX];
    itemi_sha256 *sha = itemi_sha256_new();
    assert_true(itemi_sha256_end(sha, hex)); /* FIPS 180-4 examples */
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha = itemi_sha256_new();
    itemi_sha256_add(sha, "a", 1);
    itemi_sha256_add(sha, "bc", 2);
    assert_true(itemi_sha256_end(sha, hex));
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");

    const char *path = test_path(*state, "abc");
    test_puts(path, "abc");
    itemi_file file;
    assert_int_equal(itemi_file_open(NULL, path, 0, true, &file, NULL), ITEM_OK);
    char again[ITEMI_SHA256_HEX];
    assert_int_equal(itemi_sha256_file(&file, again, NULL), ITEM_OK);
    assert_string_equal(again, hex);
    itemi_file_close(&file);
}

/* Read piece by piece or whole: the same sum, at and beside the ends of pieces. */
static void sums_of_files(void **state)
{
    static const size_t sizes[] = {0, 1, 32767, 32768, 32769, 100000};
    static char data[100000];
    char whole[ITEMI_SHA256_HEX], pieces[ITEMI_SHA256_HEX];
    const char *path = test_path(*state, "sized"), *fifo = test_path(*state, "pipe");
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 7 % 251);
    for (size_t i = 0; i < ITEMI_COUNT(sizes); i++) {
        test_write(path, data, sizes[i]);
        itemi_sha256 *sha = itemi_sha256_new();
        itemi_sha256_add(sha, data, sizes[i]);
        assert_true(itemi_sha256_end(sha, whole));
        assert_int_equal(itemi_sha256_path(path, pieces, NULL), ITEM_OK);
        assert_string_equal(pieces, whole);
    }
    assert_int_equal(mkfifo(fifo, 0600), 0);
    const char *const no_files[] = {fifo, *state, test_path(*state, "absent")};
    for (size_t i = 0; i < ITEMI_COUNT(no_files); i++) {
        item_error err = ITEM_ERROR_INIT;
        assert_int_equal(itemi_sha256_path(no_files[i], pieces, &err), ITEM_E_IO);
        assert_non_null(strstr(err.message, no_files[i]));
        assert_string_equal(pieces, "");
    }
}

static void text_is_separated(void **state)
{
    (void)state;
    char one[ITEMI_SHA256_HEX], other[ITEMI_SHA256_HEX];
    itemi_sha256 *sha = itemi_sha256_new();
    itemi_sha256_text(sha, "ab");
    itemi_sha256_text(sha, "c");
    assert_true(itemi_sha256_end(sha, one));
    sha = itemi_sha256_new();
    itemi_sha256_text(sha, "a");
    itemi_sha256_text(sha, "bc");
    assert_true(itemi_sha256_end(sha, other));
    assert_string_not_equal(one, other);
    itemi_sha256_add(NULL, "x", 1); /* of a failed itemi_sha256_new() */
    assert_false(itemi_sha256_end(NULL, one));
    assert_string_equal(one, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_read),
        cmocka_unit_test(faults_have_a_place),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(missing_json_names_the_file),
        cmocka_unit_test(known_sums),
        cmocka_unit_test(sums_of_files),
        cmocka_unit_test(text_is_separated),
        cmocka_unit_test(texts_are_read_as_jansson_does),
        cmocka_unit_test(changed_texts_are_read_as_jansson_does),
    };
    return cmocka_run_group_tests(tests, test_dir_make, test_dir_remove);
}
