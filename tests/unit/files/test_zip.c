/* SPDX-License-Identifier: Apache-2.0 */
/* The container of torch checkpoints: sound zips, and what is refused of others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "checkpoint.h"

static const char state[] = P_STATE(P_TENSOR);
static const float floats[] = {0, 1, 2, 3, 4, 5};

#define PICKLE                                                                                     \
    {                                                                                              \
        .name = "m/data.pkl", .data = state, .size = sizeof state - 1                              \
    }
#define STORAGE .name = "m/data/0", .data = floats, .size = sizeof floats

/* Opened from memory of its own size, so that sanitizers see each byte read beyond it. */
static item_status open_zip(const itemi_buf *zip, size_t size, itemi_weights **w, uint8_t **bytes,
                            item_error *err)
{
    *bytes = malloc(size ? size : 1);
    memcpy(*bytes, zip->data, size);
    return itemi_weights_parse(NULL, *bytes, size, "w.bin", w, err);
}

static void assert_opens(const itemi_buf *zip)
{
    itemi_weights *w;
    uint8_t *bytes;
    item_error err = ITEM_ERROR_INIT;
    if (open_zip(zip, zip->length, &w, &bytes, &err) != ITEM_OK)
        fail_msg("%s", err.message);
    const itemi_tensor *t = itemi_weights_find(w, "w");
    assert_int_equal(t->dtype, ITEMI_F32);
    assert_int_equal(t->bytes, sizeof floats);
    assert_memory_equal(t->data, floats, sizeof floats);
    assert_in_range((uintptr_t)t->data, (uintptr_t)bytes, (uintptr_t)bytes + zip->length);
    itemi_weights_close(w);
    free(bytes);
}

static void assert_refused(const itemi_buf *zip, item_status status, const char *message)
{
    itemi_weights *w = (itemi_weights *)1;
    uint8_t *bytes;
    item_error err = ITEM_ERROR_INIT;
    item_status got = open_zip(zip, zip->length, &w, &bytes, &err);
    if (got != status || !strstr(err.message, message))
        fail_msg("%s \"%s\", not \"%s\"", item_status_name(got), err.message, message);
    assert_memory_equal(err.message, "w.bin: ", 7);
    assert_null(w);
    free(bytes);
}

static void both_sizes_of_numbers(void **unused)
{
    (void)unused;
    for (int wide = 0; wide < 2; wide++) {
        const zip_part parts[] = {PICKLE, {STORAGE, .wide = wide}};
        itemi_buf zip;
        zip_make(&zip, parts, 2, wide);
        assert_opens(&zip);
        itemi_buf_free(&zip);
    }
}

static void comments_are_passed_over(void **unused)
{
    (void)unused;
    const zip_part parts[] = {PICKLE, {STORAGE}};
    itemi_buf zip;
    zip_make(&zip, parts, 2, false);
    zip.data[zip.length - 2] = 5;
    itemi_buf_puts(&zip, "PK\5\6.");
    assert_opens(&zip);
    itemi_buf_free(&zip);
}

/* Each lies in one entry. */
static void entries_that_are_refused(void **unused)
{
    (void)unused;
    static const struct {
        zip_part second;
        item_status status;
        const char *message;
    } cases[] = {
        {{STORAGE, .method = 8}, ITEM_E_UNSUPPORTED, "\"m/data/0\" of the zip is compressed"},
        {{STORAGE, .local_method = 8}, ITEM_E_UNSUPPORTED, "\"m/data/0\" of the zip is compressed"},
        {{STORAGE, .flags = 1}, ITEM_E_UNSUPPORTED, "\"m/data/0\" of the zip is encrypted"},
        {{STORAGE, .flags = 0x40}, ITEM_E_UNSUPPORTED, "\"m/data/0\" of the zip is encrypted"},
        {PICKLE, ITEM_E_FORMAT, "entry \"m/data.pkl\" is there twice"},
        {{STORAGE, .at = -1}, ITEM_E_FORMAT, "entry \"m/data/0\" has no header"},
        {{STORAGE, .at = 1000}, ITEM_E_FORMAT, "entry \"m/data/0\" has no header"},
        {{STORAGE, .at = INT64_MAX, .wide = true}, ITEM_E_FORMAT, "\"m/data/0\" has no header"},
        {{STORAGE, .at = -16, .wide = true}, ITEM_E_FORMAT, "entry \"m/data/0\" has no header"},
        {{STORAGE, .more = 1}, ITEM_E_FORMAT, "entry \"m/data/0\" lies outside of the file"},
        {{STORAGE, .more = -40, .wide = true}, ITEM_E_FORMAT, "lies outside of the file"},
    };
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        const zip_part parts[] = {PICKLE, cases[i].second};
        itemi_buf zip;
        zip_make(&zip, parts, 2, false);
        assert_refused(&zip, cases[i].status, cases[i].message);
        itemi_buf_free(&zip);
    }
}

static void entries_that_overlap(void **unused)
{
    (void)unused;
    zip_part parts[] = {{STORAGE, .more = 4}, PICKLE};
    itemi_buf zip;
    zip_make(&zip, parts, 2, false);
    assert_refused(&zip, ITEM_E_FORMAT, "entries \"m/data/0\" and \"m/data.pkl\" overlap");
    itemi_buf_free(&zip);
}

static void other_name_in_its_header(void **unused)
{
    (void)unused;
    const zip_part parts[] = {{STORAGE}, PICKLE};
    itemi_buf zip;
    zip_make(&zip, parts, 2, false);
    zip.data[30] = 'x';
    assert_refused(&zip, ITEM_E_FORMAT, "entry \"m/data/0\" has another name in its header");
    itemi_buf_free(&zip);
}

/* Bytes of the end record, from the end of the file. */
static void ends_that_lie(void **unused)
{
    (void)unused;
    static const struct {
        size_t from_end;
        uint8_t value;
        const char *message;
    } cases[] = {
        {22, 'x', "its directory is missing: is the file cut short?"},
        {1, 1, "its directory is missing: is the file cut short?"},
        {18, 1, "it is one of several parts"},
        {12, 3, "its directory is too short"},
        {12, 1, NULL},
        {7, 1, "its directory lies outside of the file"},
        {3, 1, "its directory lies outside of the file"},
        {6, 1, "its directory"},
    };
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        const zip_part parts[] = {PICKLE, {STORAGE}};
        itemi_buf zip;
        zip_make(&zip, parts, 2, false);
        zip.data[zip.length - cases[i].from_end] = (char)cases[i].value;
        assert_refused(&zip, ITEM_E_FORMAT,
                       cases[i].message ? cases[i].message : "which is not in the file");
        itemi_buf_free(&zip);
    }
}

static void wide_ends_that_lie(void **unused)
{
    (void)unused;
    static const struct {
        size_t from_end;
        uint8_t value;
        item_status status;
        const char *message;
    } cases[] = {
        {34, 1, ITEM_E_FORMAT, "its zip64 record is not where it should be"},
        {27, 0x7f, ITEM_E_FORMAT, "its zip64 record is not where it should be"},
        {98, 'x', ITEM_E_FORMAT, "its zip64 record is not where it should be"},
        {82, 1, ITEM_E_FORMAT, "it is one of several parts"},
        {64, 2, ITEM_E_LIMIT, "a zip of more than 100000 entries"},
        {51, 0x7f, ITEM_E_FORMAT, "its directory lies outside of the file"},
        {43, 0x7f, ITEM_E_FORMAT, "its directory lies outside of the file"},
    };
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        const zip_part parts[] = {PICKLE, {STORAGE}};
        itemi_buf zip;
        zip_make(&zip, parts, 2, true);
        zip.data[zip.length - cases[i].from_end] = (char)cases[i].value;
        assert_refused(&zip, cases[i].status, cases[i].message);
        itemi_buf_free(&zip);
    }
}

static void no_checkpoints(void **unused)
{
    (void)unused;
    itemi_buf zip;
    const zip_part other[] = {{.name = "word/document.xml", .data = "x", .size = 1}};
    zip_make(&zip, other, 1, false);
    assert_refused(&zip, ITEM_E_FORMAT, "a zip without data.pkl is no torch checkpoint");
    itemi_buf_free(&zip);
    zip_make(&zip, NULL, 0, false);
    assert_refused(&zip, ITEM_E_FORMAT, "a zip without data.pkl is no torch checkpoint");
    itemi_buf_free(&zip);
    const zip_part big[] = {PICKLE, {STORAGE}, {.name = "m/byteorder", .data = "big", .size = 3}};
    zip_make(&zip, big, 3, false);
    assert_refused(&zip, ITEM_E_UNSUPPORTED, "was written on a machine of another byte order");
    itemi_buf_free(&zip);
}

/* None of the cuts is taken for a file, and none is read beyond its end (sanitizers watch). */
static void every_truncation(void **unused)
{
    (void)unused;
    for (int wide = 0; wide < 2; wide++) {
        const zip_part parts[] = {PICKLE, {STORAGE, .wide = wide}};
        itemi_buf zip;
        zip_make(&zip, parts, 2, wide);
        for (size_t cut = 0; cut < zip.length; cut++) {
            itemi_weights *w = NULL;
            uint8_t *bytes;
            item_error err = ITEM_ERROR_INIT;
            assert_int_equal(open_zip(&zip, cut, &w, &bytes, &err), ITEM_E_FORMAT);
            assert_non_null(strstr(err.message, cut < 2 ? "neither" : "is the file cut short?"));
            free(bytes);
        }
        itemi_buf_free(&zip);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sizes_of_numbers),    cmocka_unit_test(comments_are_passed_over),
        cmocka_unit_test(entries_that_are_refused), cmocka_unit_test(entries_that_overlap),
        cmocka_unit_test(other_name_in_its_header), cmocka_unit_test(ends_that_lie),
        cmocka_unit_test(wide_ends_that_lie),       cmocka_unit_test(no_checkpoints),
        cmocka_unit_test(every_truncation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
