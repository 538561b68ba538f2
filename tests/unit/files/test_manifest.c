/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests: quoting, line ends, columns in any order, and the line of each fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "files/files.h"
#include "test_dir.h"

static item_status load_bytes(void **state, const char *text, size_t size, itemi_manifest *out,
                              item_error *err)
{
    const char *path = test_path(*state, "m.csv");
    test_write(path, text, size);
    return itemi_manifest_load(NULL, path, out, err);
}

static void load(void **state, const char *text, itemi_manifest *out)
{
    item_error err = ITEM_ERROR_INIT;
    if (load_bytes(state, text, strlen(text), out, &err) != ITEM_OK)
        fail_msg("%s", err.message);
}

static void expect_path(void **state, const itemi_manifest_row *row, const char *name)
{
    assert_string_equal(row->path, test_path(*state, name));
}

static void all_columns(void **state)
{
    itemi_manifest m;
    load(state,
         "path,label,generator,source,split,prompt\n"
         "ai/1.jpg,ai,sd3,web,train,a dog\n"
         "real/2.jpg,real,,web,dev,\n",
         &m);
    assert_int_equal(m.count, 2);
    expect_path(state, &m.rows[0], "ai/1.jpg");
    assert_string_equal(m.rows[0].label, "ai");
    assert_string_equal(m.rows[0].generator, "sd3");
    assert_string_equal(m.rows[0].source, "web");
    assert_string_equal(m.rows[0].split, "train");
    assert_string_equal(m.rows[0].prompt, "a dog");
    assert_string_equal(m.rows[1].generator, "");
    assert_string_equal(m.rows[1].prompt, "");
    itemi_manifest_free(&m);
    assert_null(m.rows);
    itemi_manifest_free(&m);
}

static void other_order_and_unknown_columns(void **state)
{
    itemi_manifest m;
    load(state, "\xef\xbb\xbfnote,label,path\r\n\r\nx,real,../up.png\r\n,ai,/abs/a.png\r\n\r\n",
         &m);
    assert_int_equal(m.count, 2);
    expect_path(state, &m.rows[0], "../up.png");
    assert_string_equal(m.rows[0].source, "");
    assert_string_equal(m.rows[1].path, "/abs/a.png");
    itemi_manifest_free(&m);
}

static void quotes(void **state)
{
    itemi_manifest m;
    load(state,
         "path,label,prompt\n"
         "\"a,\"\"b\"\".jpg\",ai,\"two\r\nlines, \"\"quoted\"\"\"\n"
         "\"\"\"\"\"\",real,\"\"\r\n"
         "last.jpg,\"ai\",end",
         &m);
    assert_int_equal(m.count, 3);
    expect_path(state, &m.rows[0], "a,\"b\".jpg");
    assert_string_equal(m.rows[0].prompt, "two\r\nlines, \"quoted\"");
    expect_path(state, &m.rows[1], "\"\"");
    assert_string_equal(m.rows[1].prompt, "");
    assert_string_equal(m.rows[2].prompt, "end");
    itemi_manifest_free(&m);
}

static void no_rows_is_no_fault(void **state)
{
    itemi_manifest m;
    load(state, "path,label", &m);
    assert_int_equal(m.count, 0);
    itemi_manifest_free(&m);
}

static void faults_have_a_line(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "m.csv: the first line names no column \"path\""},
        {"path,source\na,b\n", "names no column \"label\""},
        {"path,label,path\n", "line 1: column \"path\" comes twice"},
        {"path,label\na.jpg,ai\nb.jpg,fake\n", "line 3: label \"fake\" is neither"},
        {"path,label\na.jpg,AI\n", "line 2: label \"AI\" is neither"},
        {"path,label\na.jpg\n", "line 2: has 1 fields, the first line 2"},
        {"path,label\na.jpg,ai,x\n", "line 2: has 3 fields, the first line 2"},
        {"path,label\n,ai\n", "line 2: the path is empty"},
        {"path,label,prompt\n\"a\nb\",ai,\"x\n\ny\"\nc,unknown,\n", "line 6: label \"unknown\""},
        {"path,label\n\na,ai\n\"b,ai\nc,ai\n", "line 4: a quote of this record is never closed"},
        {"path,label\na\"b,ai\n", "line 2: a quote inside a field"},
        {"path,label\n\"a\"b,ai\n", "line 2: a field ends in neither comma nor line end"},
        {"path,label\ra,ai\r", "line 1: a field ends in neither"},
    };
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        itemi_manifest m;
        item_error err = ITEM_ERROR_INIT;
        assert_int_equal(load_bytes(state, cases[i].text, strlen(cases[i].text), &m, &err),
                         ITEM_E_FORMAT);
        assert_null(m.rows);
        if (!strstr(err.message, cases[i].message))
            fail_msg("\"%s\" does not tell \"%s\"", err.message, cases[i].message);
    }
}

static void bytes_that_are_no_text(void **state)
{
    itemi_manifest m;
    item_error err = ITEM_ERROR_INIT;
    const char plain[] = "path,label\na\0b,ai\n", quoted[] = "path,label\n\"a\0b\",ai\n";
    assert_int_equal(load_bytes(state, plain, sizeof plain - 1, &m, &err), ITEM_E_FORMAT);
    assert_non_null(strstr(err.message, "line 2: holds a NUL byte"));
    itemi_error_reset(&err);
    assert_int_equal(load_bytes(state, quoted, sizeof quoted - 1, &m, &err), ITEM_E_FORMAT);
    assert_non_null(strstr(err.message, "line 2: holds a NUL byte"));

    char commas[200] = "path,label"; /* more columns than anybody has */
    memset(commas + 10, ',', sizeof commas - 11);
    itemi_error_reset(&err);
    assert_int_equal(load_bytes(state, commas, strlen(commas), &m, &err), ITEM_E_FORMAT);
    assert_non_null(strstr(err.message, "line 1: has too many fields"));

    load(state, "path,label\n\xff\xfe.jpg,ai\n", &m); /* names are bytes */
    expect_path(state, &m.rows[0], "\xff\xfe.jpg");
    itemi_manifest_free(&m);
}

static void many_rows_and_no_memory(void **state)
{
    itemi_buf text;
    itemi_buf_init(&text, NULL);
    itemi_buf_puts(&text, "label,path\n");
    for (int i = 0; i < 200; i++)
        itemi_buf_printf(&text, "%s,%d.jpg\n", i % 2 ? "ai" : "real", i);
    const char *path = test_path(*state, "many.csv");
    test_write(path, text.data, text.length);
    itemi_buf_free(&text);

    itemi_manifest m;
    item_status status = ITEM_E_MEMORY;
    for (long n = 0; status != ITEM_OK; n++) {
        test_mem t;
        test_mem_init(&t, n);
        item_error err = ITEM_ERROR_INIT;
        status = itemi_manifest_load(&t.mem, path, &m, &err);
        if (status == ITEM_OK) {
            assert_int_equal(m.count, 200);
            assert_string_equal(m.rows[199].label, "ai");
            itemi_manifest_free(&m);
            assert_true(n > 200);
        } else {
            assert_int_equal(status, ITEM_E_MEMORY);
            assert_non_null(strstr(err.message, "out of memory"));
        }
        assert_int_equal(t.live, 0);
    }
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_manifest_load(NULL, *state, &m, &err), ITEM_E_IO);
    assert_non_null(strstr(err.message, "is a folder"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_columns),
        cmocka_unit_test(other_order_and_unknown_columns),
        cmocka_unit_test(quotes),
        cmocka_unit_test(no_rows_is_no_fault),
        cmocka_unit_test(faults_have_a_line),
        cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(many_rows_and_no_memory),
    };
    return cmocka_run_group_tests(tests, test_dir_make, test_dir_remove);
}
