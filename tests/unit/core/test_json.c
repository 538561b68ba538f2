/* SPDX-License-Identifier: Apache-2.0 */
/* How texts and numbers of answers are written, and what a failed result looks like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/head_private.h"
#include "core/result.h"

static void assert_printed(json_t *value, const char *wanted)
{
    json_t *list = json_array();
    json_array_append_new(list, value);
    char *text = itemi_json_print(NULL, list);
    assert_string_equal(text, wanted);
    free(text);
}

static void numbers(void **state)
{
    (void)state;
    static const char *const locales[] = {"C", "de_DE.UTF-8", "tr_TR.UTF-8"};
    for (size_t i = 0; i < ITEMI_COUNT(locales); i++) {
        if (!setlocale(LC_ALL, locales[i]))
            continue;
        assert_printed(itemi_json_number(0.35), "[0.35]");
        assert_printed(itemi_json_number((double)0.1f), "[0.100000001]");
        assert_printed(itemi_json_number(1e-7), "[1e-7]");
        assert_printed(itemi_json_number(2), "[2.0]");
        assert_printed(itemi_json_number(NAN), "[null]");
        assert_printed(itemi_json_number(-INFINITY), "[null]");
    }
    setlocale(LC_ALL, "C");
}

static void texts(void **state)
{
    (void)state;
    assert_printed(itemi_json_text(NULL), "[\"\"]");
    assert_printed(itemi_json_text("a\"b\nc\x01"), "[\"a\\\"b\\nc\\u0001\"]");
    assert_printed(itemi_json_text("gr\xc3\xbc\xc3\x9f"), "[\"gr\xc3\xbc\xc3\x9f\"]");
    assert_printed(itemi_json_text("\xff"
                                   "a\xc3"),
                   "[\"\xef\xbf\xbd"
                   "a\xef\xbf\xbd\"]");
    assert_printed(itemi_json_text("\xed\xa0\x80"),
                   "[\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"]"); /* one for each bad byte */
    assert_null(itemi_json_print(NULL, NULL));
}

static void failures(void **state)
{
    (void)state;
    item_result *result = itemi_result_new(NULL);
    assert_non_null(result);
    assert_true(itemi_result_set_text(result, ITEM_TEXT_FILE, "a\nb"));
    itemi_fail(&result->error, ITEM_E_IO, "%s: gone", "a\nb");
    assert_string_equal(item_result_json(result),
                        "{\"file\":\"a\\nb\",\"error\":{\"code\":\"ITEM_E_IO\","
                        "\"message\":\"a\\\\nb: gone\"}}");
    item_result_unref(result);
}

/* What an empty result says: every key, and null for what does not exist. */
static void nothing_is_null(void **state)
{
    (void)state;
    item_result *result = itemi_result_new(NULL);
    assert_non_null(result);
    json_error_t why;
    json_t *parsed = json_loads(item_result_json(result), 0, &why);
    assert_non_null(parsed);
    static const char *const nulls[] = {"similarity", "probability",  "score",
                                        "threshold",  "pack",         "fingerprint",
                                        "precision",  "contribution", "caption_margin"};
    for (size_t i = 0; i < ITEMI_COUNT(nulls); i++)
        assert_true(json_is_null(json_object_get(parsed, nulls[i])));
    assert_int_equal(json_array_size(json_object_get(parsed, "objects")), 0);
    assert_int_equal(json_object_size(json_object_get(parsed, "timings_ms")), 8);
    json_decref(parsed);
    item_result_unref(result);
}

static void warnings_are_one_line(void **state)
{
    (void)state;
    itemi_lines lines = {0};
    itemi_lines_add(NULL, &lines, "two\nlines");
    assert_int_equal(lines.count, 1);
    assert_string_equal(lines.items[0], "two\\nlines");
    itemi_lines_free(NULL, &lines);
}

/* ---- jansson without memory: one call fails, those after it do not ---- */

static long live, until_failure;

static void *take(size_t size)
{
    if (until_failure-- == 0)
        return NULL;
    live++;
    return malloc(size);
}

static void give(void *block)
{
    live -= block != NULL;
    free(block);
}

/* Each allocation of `make` fails once; nothing may be left of what was made before. */
static void try_without_memory(const char *(*make)(void *of), void *of)
{
    json_malloc_t own_malloc;
    json_free_t own_free;
    json_get_alloc_funcs(&own_malloc, &own_free);
    json_set_alloc_funcs(take, give);
    long tries = 0;
    for (bool made = false; !made; tries++) {
        live = 0;
        until_failure = tries;
        made = make(of) != NULL;
        if (!made && live != 0)
            fail_msg("allocation %ld fails and %ld blocks are left", tries, live);
    }
    json_set_alloc_funcs(own_malloc, own_free);
    assert_true(tries > 10);
}

static const char *describe(void *of)
{
    itemi_head head = {0};
    item_pack *pack = of;
    item_error err = ITEM_ERROR_INIT;
    item_status status = itemi_pack_describe(pack, &head, &err);
    assert_int_equal(status, pack->json ? ITEM_OK : ITEM_E_MEMORY);
    return pack->json;
}

static void packs_without_memory(void **state)
{
    (void)state;
    item_pack pack = {.name = "n", .version = "1", .licence = "l", .card = "c", .path = "/p"};
    pack.root = json_loads("{\"stages\": {}, \"head\": {\"file\": \"h\"}}", 0, NULL);
    assert_non_null(pack.root);
    try_without_memory(describe, &pack);
    assert_non_null(strstr(pack.json, "\"file\":\"h\",\"facts\":{"));
    free(pack.json);
    json_decref(pack.root);
}

static const char *print_result(void *of)
{
    return item_result_json(of);
}

static void results_without_memory(void **state)
{
    (void)state;
    item_result *result = itemi_result_new(NULL);
    assert_non_null(result);
    result->objects = itemi_alloc_zero(NULL, 2, sizeof *result->objects);
    assert_non_null(result->objects);
    result->summary.objects = 2;
    itemi_lines_add(NULL, &result->warnings, "a warning");
    try_without_memory(print_result, result);
    item_result_unref(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(texts),
        cmocka_unit_test(failures),
        cmocka_unit_test(nothing_is_null),
        cmocka_unit_test(warnings_are_one_line),
        cmocka_unit_test(packs_without_memory),
        cmocka_unit_test(results_without_memory),
    };
    return cmocka_run_group_tests_name("core: JSON", tests, NULL, NULL);
}
