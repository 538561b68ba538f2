/* SPDX-License-Identifier: Apache-2.0 */
/* WordPiece against cases of the reference (tests/golden/text), limits, and bad input. */
#include "golden.h"

#include "../common/test_mem.h"
#include "text/bert_words.h"
#include "text/text.h"

static const char tiny[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##a\nab\nab\n##b\r\nc\n";

static itemi_tokenizer *open_golden(void)
{
    size_t length;
    itemi_tokenizer *wp;
    item_error err = ITEM_ERROR_INIT;
    char *vocab = golden_read("wordpiece_vocab.txt", &length);
    if (itemi_tokenizer_open_bert(NULL, vocab, length, &wp, &err) != ITEM_OK)
        fail_msg("%s", err.message);
    free(vocab);
    return wp;
}

static void check_case(const itemi_tokenizer *wp, char *line, int number)
{
    int32_t ids[512];
    size_t count, at = 0;
    item_error err = ITEM_ERROR_INIT;
    char *text = strchr(line, '\t');
    *text++ = '\0';
    golden_unescape(text);
    assert_int_equal(itemi_tokenizer_encode(wp, text, SIZE_MAX, ids, 512, &count, &err), ITEM_OK);
    for (char *id = strtok(line, " "); id; id = strtok(NULL, " "), at++) {
        if (at >= count || ids[at] != strtol(id, NULL, 10))
            fail_msg("case %d, id %zu: %s expected in: %s", number, at, id, text);
    }
    assert_int_equal(at, count);
}

static void stored_strings(void **state)
{
    (void)state;
    size_t length;
    int cases = 0;
    itemi_tokenizer *wp = open_golden();
    char *data = golden_read("wordpiece.tsv", &length), *rest = data;
    for (char *line; (line = golden_line(&rest)) != NULL; cases++)
        check_case(wp, line, cases + 1);
    assert_int_equal(cases, 300);
    free(data);
    itemi_tokenizer_free(wp);
}

static uint64_t fnv1a(uint64_t value, const char *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        value = (value ^ (unsigned char)data[i]) * UINT64_C(0x100000001b3);
    return value;
}

/* The normalised words of "a", the code point, "b". */
static uint64_t digest_point(uint64_t digest, uint32_t code)
{
    char text[6] = "a";
    size_t length = 1 + itemi_utf8_put(text + 1, code);
    text[length++] = 'b';
    itemi_bert_words words;
    itemi_bert_words_start(&words, text, length);
    for (const char *gap = ""; itemi_bert_words_next(&words); gap = " ") {
        digest = fnv1a(digest, gap, strlen(gap));
        digest = fnv1a(digest, words.text, words.length);
    }
    return fnv1a(digest, "\n", 1);
}

static void every_code_point(void **state)
{
    (void)state;
    size_t length;
    int parts = 0;
    char *data = golden_read("code_points.tsv", &length), *rest = data;
    for (char *line; (line = golden_line(&rest)) != NULL; parts++) {
        char *end;
        uint32_t first = (uint32_t)strtoul(line, &end, 16);
        uint64_t digest = UINT64_C(0xcbf29ce484222325);
        for (uint32_t code = first ? first : 1; code < first + 4096; code++) {
            if (code < 0xd800 || code >= 0xe000)
                digest = digest_point(digest, code);
        }
        if (digest != strtoull(end, NULL, 16))
            fail_msg("the words of a code point from U+%04X on differ", first);
    }
    assert_int_equal(parts, 272);
    free(data);
}

static itemi_tokenizer *open_tiny(void)
{
    itemi_tokenizer *wp;
    assert_int_equal(itemi_tokenizer_open_bert(NULL, tiny, sizeof tiny - 1, &wp, NULL), ITEM_OK);
    return wp;
}

static void expect_ids(const char *text, size_t limit, const int32_t *expected, size_t wanted)
{
    itemi_tokenizer *wp = open_tiny();
    int32_t ids[16];
    size_t count;
    assert_int_equal(itemi_tokenizer_encode(wp, text, limit, ids, 16, &count, NULL), ITEM_OK);
    assert_int_equal(count, wanted);
    assert_memory_equal(ids, expected, wanted * sizeof *ids);
    itemi_tokenizer_free(wp);
}

#define EXPECT_IDS(text, limit, ...)                                                               \
    expect_ids(text, limit, (const int32_t[]){__VA_ARGS__},                                        \
               sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t))

static void pieces_and_specials(void **state)
{
    (void)state;
    EXPECT_IDS("", 16, 2, 3);
    EXPECT_IDS("ab", 16, 2, 8, 3);                  /* of two equal lines the later one */
    EXPECT_IDS("aab Abb", 16, 2, 5, 6, 9, 8, 9, 3); /* carriage return dropped */
    EXPECT_IDS("d ad", 16, 2, 1, 1, 3);
    EXPECT_IDS("a[MASK]a [SEP] [CLS", 16, 2, 5, 4, 5, 3, 1, 1, 3);
}

static void truncation_keeps_the_ends(void **state)
{
    (void)state;
    EXPECT_IDS("a a a a", 5, 2, 5, 5, 5, 3);
    EXPECT_IDS("a a", 3, 2, 5, 3);
    EXPECT_IDS("[SEP] a", 3, 2, 3, 3);
    EXPECT_IDS("a a", 2, 2, 3);

    itemi_tokenizer *wp = open_tiny();
    item_error err = ITEM_ERROR_INIT;
    size_t count;
    assert_int_equal(itemi_tokenizer_encode(wp, "a", 1, NULL, 0, &count, &err), ITEM_E_ARGUMENT);
    itemi_tokenizer_free(wp);
}

static void small_buffer_tells_the_need(void **state)
{
    (void)state;
    itemi_tokenizer *wp = open_tiny();
    int32_t ids[3] = {-1, -1, -1};
    size_t count;
    assert_int_equal(itemi_tokenizer_encode(wp, "a b a", 100, NULL, 0, &count, NULL), ITEM_OK);
    assert_int_equal(count, 5);
    assert_int_equal(itemi_tokenizer_encode(wp, "a a a", 100, ids, 2, &count, NULL), ITEM_OK);
    assert_int_equal(count, 5);
    assert_int_equal(ids[1], 5);
    assert_int_equal(ids[2], -1);
    itemi_tokenizer_free(wp);
}

static void bad_utf8_names_the_byte(void **state)
{
    (void)state;
    itemi_tokenizer *wp = open_tiny();
    item_error err = ITEM_ERROR_INIT;
    size_t count = 7;
    assert_int_equal(itemi_tokenizer_encode(wp, "abc\xff", 9, NULL, 0, &count, &err),
                     ITEM_E_FORMAT);
    assert_string_equal(err.message, "text: byte 3 is not UTF-8");
    assert_int_equal(count, 0);
    itemi_tokenizer_free(wp);
}

static void bad_vocabularies(void **state)
{
    (void)state;
    static const struct {
        const char *vocab, *message;
    } cases[] = {
        {"", "vocabulary: empty"},
        {"[UNK]\n[CLS]\n", "vocabulary: the piece [SEP] is missing"},
        {"[UNK]\n\xc0\xaf\n", "vocabulary: byte 6 is not UTF-8"},
        {"\n\n\n", "vocabulary: the piece [UNK] is missing"},
    };
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        item_error err = ITEM_ERROR_INIT;
        itemi_tokenizer *wp = (itemi_tokenizer *)&err;
        assert_int_equal(
            itemi_tokenizer_open_bert(NULL, cases[i].vocab, strlen(cases[i].vocab), &wp, &err),
            ITEM_E_FORMAT);
        assert_null(wp);
        assert_string_equal(err.message, cases[i].message);
    }

    static const char nul[] = "[UNK]\n[CLS]\n[SEP]\na\0b\nc\n";
    itemi_tokenizer *wp;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_tokenizer_open_bert(NULL, nul, sizeof nul - 1, &wp, &err),
                     ITEM_E_FORMAT);
    assert_null(wp);
    assert_string_equal(err.message, "vocabulary: byte 19 is NUL");
}

static void every_allocation_can_fail(void **state)
{
    (void)state;
    itemi_tokenizer *wp = NULL;
    for (int n = 0; !wp; n++) {
        test_mem t;
        item_error err = ITEM_ERROR_INIT;
        test_mem_init(&t, n);
        item_status status = itemi_tokenizer_open_bert(&t.mem, tiny, sizeof tiny - 1, &wp, &err);
        assert_int_equal(status, wp ? ITEM_OK : ITEM_E_MEMORY);
        itemi_tokenizer_free(wp);
        assert_int_equal(t.live, 0);
        assert_in_range(n, 0, 40);
    }
}

/* One megabyte of what could make a careless tokenizer quadratic. */
static void a_megabyte_is_linear(void **state)
{
    (void)state;
    static const char *const parts[] = {"a",       "a ", "[", "[MASK]", "!", "\xf0\x9d\x85\xa5",
                                        "\xcc\x81"};
    size_t size = 1 << 20, count;
    itemi_tokenizer *wp = open_golden();
    char *text = malloc(size + 1);
    for (size_t i = 0; i < ITEMI_COUNT(parts); i++) {
        size_t step = strlen(parts[i]), length = 0;
        for (; length + step <= size; length += step)
            memcpy(text + length, parts[i], step);
        text[length] = '\0';
        double start = itemi_now_ms();
        assert_int_equal(itemi_tokenizer_encode(wp, text, SIZE_MAX, NULL, 0, &count, NULL),
                         ITEM_OK);
        assert_true(itemi_now_ms() - start < 5000); /* a quadratic one needs minutes */
        assert_in_range(count, 2, size + 2);
    }
    free(text);
    itemi_tokenizer_free(wp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_strings),
        cmocka_unit_test(every_code_point),
        cmocka_unit_test(pieces_and_specials),
        cmocka_unit_test(truncation_keeps_the_ends),
        cmocka_unit_test(small_buffer_tells_the_need),
        cmocka_unit_test(bad_utf8_names_the_byte),
        cmocka_unit_test(bad_vocabularies),
        cmocka_unit_test(every_allocation_can_fail),
        cmocka_unit_test(a_megabyte_is_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
