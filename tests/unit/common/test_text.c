/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8, growing text, numbers, names of statuses, the version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "test_mem.h"

static void every_code_point_goes_round(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        char text[4];
        size_t length = itemi_utf8_put(text, code);
        size_t valid = itemi_utf8_valid(text, length);
        if (code >= 0xd800 && code <= 0xdfff) {
            if (valid != 0)
                fail_msg("surrogate %x counts as valid", code);
            continue;
        }
        uint32_t back;
        if (valid != length || itemi_utf8_next(text, &back) != length || back != code)
            fail_msg("code point %x comes back otherwise", code);
    }
}

static void invalid_utf8_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t valid;
    } cases[] = {
        {"plain text, more than eight bytes", 33},
        {"\xc3\xa9t\xc3\xa9", 5},
        {"123456789\x80", 9},
        {"a\xc0\xaf", 1},          /* overlong slash */
        {"a\xe0\x9f\xbf", 1},      /* overlong */
        {"a\xf0\x8f\xbf\xbf", 1},  /* overlong */
        {"a\xf4\x90\x80\x80", 1},  /* above U+10FFFF */
        {"a\xf5\x80\x80\x80", 1},  /* no such first byte */
        {"ab\xe2\x82", 2},         /* cut */
        {"ab\xe2\x28\xa1", 2},     /* second byte wrong */
        {"ab\xf0\x90\x28\xbc", 2}, /* third byte wrong */
        {"ab\xed\xa0\x80", 2},     /* surrogate */
        {"\xf0\x9f\x90\x95\xfe", 4},
    };
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++)
        assert_int_equal(itemi_utf8_valid(cases[i].text, strlen(cases[i].text)), cases[i].valid);
    assert_int_equal(itemi_utf8_valid("a\0b", 3), 3);
    assert_int_equal(itemi_utf8_valid("", 0), 0);
}

static void text_grows(void **state)
{
    (void)state;
    itemi_buf buf;
    itemi_buf_init(&buf, NULL);
    char expect[8000] = "";
    size_t at = 0;
    for (int i = 0; i < 400; i++) {
        itemi_buf_printf(&buf, "%d,", i);
        at += (size_t)snprintf(expect + at, sizeof expect - at, "%d,", i);
    }
    itemi_buf_printf(&buf, "%300s", "right"); /* longer than the small buffer */
    at += (size_t)snprintf(expect + at, sizeof expect - at, "%300s", "right");
    itemi_buf_add(&buf, "\0!", 2);
    assert_int_equal(buf.length, at + 2);
    char *text = itemi_buf_take(&buf);
    assert_string_equal(text, expect);
    assert_memory_equal(text + at, "\0!", 3);
    itemi_free(NULL, text);

    text = itemi_buf_take(&buf); /* taken: empty again */
    assert_string_equal(text, "");
    itemi_free(NULL, text);
    itemi_buf_puts(&buf, "gone");
    itemi_buf_free(&buf);
    assert_null(buf.data);
}

static void text_remembers_a_failure(void **state)
{
    (void)state;
    test_mem t;
    test_mem_init(&t, 1);
    itemi_buf buf;
    itemi_buf_init(&buf, &t.mem);
    itemi_buf_puts(&buf, "first");
    itemi_buf_printf(&buf, "%200s", "second fails");
    itemi_buf_puts(&buf, "third does nothing");
    assert_true(buf.failed);
    assert_null(itemi_buf_take(&buf));
    assert_int_equal(t.live, 0);
    itemi_buf_add(&buf, "x", SIZE_MAX);
    assert_true(buf.failed);
    itemi_buf_free(&buf);
    assert_int_equal(t.live, 0);
}

static void numbers_are_decimal_and_finite(void **state)
{
    (void)state;
    static const char *const refused[] = {"",      " 1", "1 ",   "1,5", "0x10",   "inf", "nan",
                                          "1e999", "1e", "1.5x", "--1", "-1e999", "e5",  "."};
    double value = 42;
    for (size_t i = 0; i < ITEMI_COUNT(refused); i++) {
        if (itemi_parse_double(refused[i], &value))
            fail_msg("\"%s\" counts as a number", refused[i]);
    }
    assert_true(value == 42);
    assert_true(itemi_parse_double("-1.25e-2", &value) && value == -0.0125);
    assert_true(itemi_parse_double("+7", &value) && value == 7);
    assert_true(itemi_parse_double(".5", &value) && value == 0.5);
}

static void names_and_version(void **state)
{
    (void)state;
    assert_string_equal(item_status_name(ITEM_OK), "ITEM_OK");
    assert_string_equal(item_status_name(ITEM_E_INTERNAL), "ITEM_E_INTERNAL");
    assert_string_equal(item_status_name(ITEM_E_INTERNAL + 1), "ITEM_E_?");
    assert_string_equal(item_status_name(-1), "ITEM_E_?");
    for (item_status s = 1; s <= ITEM_E_INTERNAL; s++)
        assert_memory_equal(item_status_name(s), "ITEM_E_", 7);
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", ITEM_VERSION_MAJOR, ITEM_VERSION_MINOR,
             ITEM_VERSION_PATCH);
    assert_string_equal(item_version(), version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_goes_round),
        cmocka_unit_test(invalid_utf8_is_found),
        cmocka_unit_test(text_grows),
        cmocka_unit_test(text_remembers_a_failure),
        cmocka_unit_test(numbers_are_decimal_and_finite),
        cmocka_unit_test(names_and_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
