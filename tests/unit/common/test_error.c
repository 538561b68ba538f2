/* SPDX-License-Identifier: Apache-2.0 */
/* What reaches an item_error: the first error, one line, valid UTF-8, never beyond the struct. */
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/common.h"

static void first_error_wins(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_fail(&err, ITEM_E_IO, "%s: row %d", "a.csv", 7), ITEM_E_IO);
    assert_int_equal(itemi_fail(&err, ITEM_E_FORMAT, "second"), ITEM_E_FORMAT);
    assert_int_equal(err.code, ITEM_E_IO);
    assert_string_equal(err.message, "a.csv: row 7");
    itemi_error_reset(&err);
    assert_int_equal(err.code, ITEM_OK);
    assert_string_equal(err.message, "");
    assert_int_equal(itemi_fail(NULL, ITEM_E_LIMIT, "nobody listens"), ITEM_E_LIMIT);
    itemi_error_reset(NULL);
    itemi_error_prefix(NULL, "x");
}

static void errno_gets_its_reason(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    itemi_fail_errno(&err, ITEM_E_IO, ENOENT, "%s", "a.jpg");
    assert_string_equal(err.message, "a.jpg: No such file or directory");
    assert_int_equal(err.system, ENOENT);

    char longest[2000]; /* a long name may not push the reason out */
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    itemi_error_reset(&err);
    assert_int_equal(err.system, 0);
    itemi_fail_errno(&err, ITEM_E_IO, EACCES, "%s", longest);
    assert_int_equal(strlen(err.message), ITEM_ERROR_MESSAGE_SIZE - 1);
    assert_non_null(strstr(err.message, "aaa: Permission denied"));
}

static void messages_are_one_line_of_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"two\nlines\r\t\x01\x7f.jpg", "two\\nlines\\r\\t\\x01\\x7f.jpg"},
        {"caf\xc3\xa9 \xf0\x9f\x90\x95", "caf\xc3\xa9 \xf0\x9f\x90\x95"},
        {"bad \xff\xc3(\xed\xa0\x80", "bad \\xff\\xc3(\\xed\\xa0\\x80"},
        {"c1 \xc2\x85 line \xe2\x80\xa8", "c1 \\xc2\\x85 line \\xe2\\x80\\xa8"},
        {"cut \xe2\x82", "cut \\xe2\\x82"},
    };
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        item_error err = ITEM_ERROR_INIT;
        itemi_fail(&err, ITEM_E_FORMAT, "%s", cases[i].in);
        assert_string_equal(err.message, cases[i].out);
    }
}

static void long_messages_end_between_characters(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        char text[1500] = "abc";
        for (size_t i = shift; i + 4 < sizeof text; i += 3)
            memcpy(text + i, "\xe2\x82\xac", 4);
        item_error err = ITEM_ERROR_INIT;
        itemi_fail(&err, ITEM_E_FORMAT, "%s", text);
        size_t length = strlen(err.message);
        assert_true(length < ITEM_ERROR_MESSAGE_SIZE && length >= ITEM_ERROR_MESSAGE_SIZE - 8);
        assert_int_equal(itemi_utf8_valid(err.message, length), length);
        const char *gap = strstr(err.message, "...");
        assert_non_null(gap);
        assert_memory_equal(err.message, text, (size_t)(gap - err.message));
        assert_string_equal(gap + 3, text + strlen(text) - strlen(gap + 3));
    }
    char small[6];
    assert_int_equal(itemi_escape(small, sizeof small, "abc\x01"), 3); /* no half of \x01 */
    assert_string_equal(small, "abc");
    assert_int_equal(itemi_escape(small, 1, "abc"), 0);
    assert_string_equal(small, "");
}

static void prefix_leaves_the_reason(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    itemi_error_prefix(&err, "pack");
    assert_string_equal(err.message, "");
    itemi_fail(&err, ITEM_E_FORMAT, "odd\nname is broken");
    itemi_error_prefix(&err, "pa\nck");
    assert_string_equal(err.message, "pa\\nck: odd\\nname is broken");

    char longest[2000];
    memset(longest, 'p', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    itemi_error_prefix(&err, longest);
    assert_int_equal(strlen(err.message), ITEM_ERROR_MESSAGE_SIZE - 1);
    assert_string_equal(strchr(err.message, ':'), ": pa\\nck: odd\\nname is broken");

    itemi_error_reset(&err);
    itemi_fail(&err, ITEM_E_FORMAT, "%s", longest);
    itemi_error_prefix(&err, longest);
    assert_true(strlen(err.message) < ITEM_ERROR_MESSAGE_SIZE);
    assert_non_null(strstr(err.message, "p: p"));
}

/* A file's name may have 4,096 bytes; what is wrong with it stands behind. */
static void long_names_leave_the_reason(void **state)
{
    (void)state;
    char name[4097];
    for (size_t i = 0; i + 1 < sizeof name; i += 2)
        memcpy(name + i, "\xc3\xa9", 2);
    name[sizeof name - 1] = '\0';
    for (size_t length = 400; length < sizeof name; length += 2) {
        item_error err = ITEM_ERROR_INIT;
        itemi_fail(&err, ITEM_E_IO, "%s: is a folder", name + sizeof name - 1 - length);
        size_t written = strlen(err.message);
        assert_true(written < ITEM_ERROR_MESSAGE_SIZE);
        assert_int_equal(itemi_utf8_valid(err.message, written), written);
        assert_memory_equal(err.message, "\xc3\xa9\xc3\xa9", 4);
        assert_string_equal(strchr(err.message, ':'), ": is a folder");
    }
}

static void smaller_struct_is_untouched(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT, before;
    err.struct_size = 508;
    memset(err.message, 'x', sizeof err.message);
    before = err;
    assert_int_equal(itemi_fail(&err, ITEM_E_IO, "no"), ITEM_E_IO);
    itemi_error_reset(&err);
    assert_memory_equal(&err, &before, sizeof err);
    err.struct_size = 4096; /* of a newer header */
    err.code = 0;
    itemi_fail(&err, ITEM_E_IO, "yes");
    assert_string_equal(err.message, "yes");
    assert_int_equal(err.struct_size, 4096);
}

static void numbers_ignore_the_locale(void **state)
{
    (void)state;
    /* Any locale with a decimal comma; where none is installed this shows the plain case. */
    const char *comma[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR"};
    for (size_t i = 0; i < ITEMI_COUNT(comma) && !setlocale(LC_NUMERIC, comma[i]); i++)
        continue;
    item_error err = ITEM_ERROR_INIT;
    itemi_fail(&err, ITEM_E_LIMIT, "%.1f", 0.5);
    assert_string_equal(err.message, "0.5");
    double value = 0;
    assert_true(itemi_parse_double("2.5", &value));
    assert_true(value == 2.5);
    setlocale(LC_NUMERIC, "C");
}

/* A public struct in three ages. */
typedef struct {
    uint32_t struct_size;
    uint32_t a;
} old_options;
typedef struct {
    uint32_t struct_size;
    uint32_t a, b, c;
} our_options;
typedef struct {
    uint32_t struct_size;
    uint32_t a, b, c, d;
} new_options;

static item_status take(our_options *ours, const void *theirs, item_error *err)
{
    itemi_error_reset(err);
    memset(ours, 0xee, sizeof *ours);
    return itemi_struct_in(ours, sizeof *ours, sizeof(old_options), theirs, "options", err);
}

static void structs_come_in(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    our_options ours;
    old_options older = {sizeof older, 1};
    assert_int_equal(take(&ours, &older, &err), ITEM_OK);
    assert_true(ours.a == 1 && ours.b == 0 && ours.c == 0 && ours.struct_size == sizeof ours);

    new_options newer = {sizeof newer, 1, 2, 3, 0};
    assert_int_equal(take(&ours, &newer, &err), ITEM_OK);
    assert_true(ours.c == 3 && ours.struct_size == sizeof ours);
    newer.d = 1;
    assert_int_equal(take(&ours, &newer, &err), ITEM_E_ARGUMENT);
    assert_non_null(strstr(err.message, "does not know"));

    older.struct_size = 4;
    assert_int_equal(take(&ours, &older, &err), ITEM_E_ARGUMENT);
    assert_string_equal(
        err.message, "options has struct_size 4, at least 8 is needed: set it by its INIT macro");
    older.struct_size = 0xeeeeeeee; /* never initialised: not a byte beyond is read */
    assert_int_equal(take(&ours, &older, &err), ITEM_E_ARGUMENT);
    assert_int_equal(take(&ours, NULL, &err), ITEM_E_ARGUMENT);
    assert_string_equal(err.message, "options is NULL");
}

static void structs_go_out(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    our_options ours = {sizeof ours, 1, 2, 3};
    struct {
        old_options options;
        uint32_t guard;
    } older = {{sizeof(old_options), 0}, 77};
    assert_int_equal(itemi_struct_out(&older, 8, &ours, sizeof ours, "info", &err), ITEM_OK);
    assert_true(older.options.struct_size == 8 && older.options.a == 1 && older.guard == 77);

    new_options newer = {sizeof newer, 0, 0, 0, 9};
    assert_int_equal(itemi_struct_out(&newer, 8, &ours, sizeof ours, "info", &err), ITEM_OK);
    assert_true(newer.struct_size == sizeof newer && newer.c == 3 && newer.d == 9);

    older.options.struct_size = 7;
    assert_int_equal(itemi_struct_out(&older, 8, &ours, sizeof ours, "info", &err),
                     ITEM_E_ARGUMENT);
    assert_non_null(strstr(err.message, "info has struct_size 7"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_error_wins),
        cmocka_unit_test(errno_gets_its_reason),
        cmocka_unit_test(messages_are_one_line_of_utf8),
        cmocka_unit_test(long_messages_end_between_characters),
        cmocka_unit_test(prefix_leaves_the_reason),
        cmocka_unit_test(long_names_leave_the_reason),
        cmocka_unit_test(smaller_struct_is_untouched),
        cmocka_unit_test(numbers_ignore_the_locale),
        cmocka_unit_test(structs_come_in),
        cmocka_unit_test(structs_go_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
