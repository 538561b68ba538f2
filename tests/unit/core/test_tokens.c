/* SPDX-License-Identifier: Apache-2.0 */
/* Tokenizers of published folders: against cases of the reference (tests/golden/text), and what is
 * wrong with such folders. */
#include "../text/golden.h"

#include "../files/test_dir.h"
#include "token_folder.h"

#define IDS 20000

static itemi_tokenizer *open_folder(const itemi_mem *mem, const char *path, item_error *err)
{
    token_folder folder;
    itemi_tokenizer *tokenizer = NULL;
    token_folder_open(&folder, path);
    item_status status = itemi_tokens_load(mem, &folder.stage, "tokenizer", &tokenizer, err);
    token_folder_close(&folder);
    assert_int_equal(status == ITEM_OK, tokenizer != NULL);
    return tokenizer;
}

static itemi_tokenizer *open_golden(const char *name)
{
    item_error err = ITEM_ERROR_INIT;
    itemi_tokenizer *tokenizer = open_folder(NULL, test_path(GOLDEN_TEXT "/published", name), &err);
    if (!tokenizer)
        fail_msg("%s: %s", name, err.message);
    return tokenizer;
}

/* ---- stored cases ---- */

/* Cuts off what stands before the next tab. */
static char *field(char **rest)
{
    char *start = *rest, *tab = strchr(start, '\t');
    assert_non_null(tab);
    *tab = '\0';
    *rest = tab + 1;
    return start;
}

static size_t read_ids(char *text, int32_t *ids)
{
    size_t count = 0;
    for (char *id = strtok(text, " "); id; id = strtok(NULL, " "))
        ids[count++] = (int32_t)strtol(id, NULL, 10);
    return count;
}

/* Calls `check` with each line of a file, behind its first field, and that folder's tokenizer. */
static int each_case(const char *file, void (*check)(const itemi_tokenizer *t, char *line))
{
    size_t length;
    int cases = 0;
    char *data = golden_read(file, &length), *rest = data, *folder = NULL;
    itemi_tokenizer *tokenizer = NULL;
    for (char *line; (line = golden_line(&rest)) != NULL; cases++) {
        char *name = field(&line);
        if (!folder || strcmp(folder, name) != 0) {
            itemi_tokenizer_free(tokenizer);
            tokenizer = open_golden(name);
            folder = name;
        }
        check(tokenizer, line);
    }
    itemi_tokenizer_free(tokenizer);
    free(data);
    return cases;
}

static void check_ids(const itemi_tokenizer *t, char *line)
{
    int32_t ids[512], expected[512];
    size_t count, limit = strtoul(field(&line), NULL, 10),
                  wanted = read_ids(field(&line), expected);
    golden_unescape(line);
    assert_int_equal(itemi_tokenizer_encode(t, line, limit, ids, 512, &count, NULL), ITEM_OK);
    for (size_t i = 0; i < count && i < wanted; i++) {
        if (ids[i] != expected[i])
            fail_msg("id %zu is %d, not %d, in: %s", i, (int)ids[i], (int)expected[i], line);
    }
    assert_int_equal(count, wanted);
}

static void stored_strings(void **state)
{
    (void)state;
    assert_int_equal(each_case("tokens.tsv", check_ids), 1480);
}

static void check_text(const itemi_tokenizer *t, char *line)
{
    int32_t ids[512];
    char text[1024];
    size_t needed, count = read_ids(field(&line), ids);
    golden_unescape(line);
    assert_int_equal(itemi_tokenizer_decode(t, ids, count, text, sizeof text, &needed, NULL),
                     ITEM_OK);
    assert_string_equal(text, line);
    assert_int_equal(needed, strlen(line) + 1);
}

static void stored_ids(void **state)
{
    (void)state;
    assert_int_equal(each_case("decoded.tsv", check_text), 1250);
}

static void small_buffers_are_kept(void **state)
{
    (void)state;
    itemi_tokenizer *t = open_golden("bert-files");
    int32_t ids[8];
    char text[4] = {1, 1, 1, 1};
    size_t count, needed;
    assert_int_equal(itemi_tokenizer_encode(t, "a dog", 8, ids, 8, &count, NULL), ITEM_OK);
    assert_int_equal(itemi_tokenizer_decode(t, ids, count, text, 3, &needed, NULL), ITEM_OK);
    assert_int_equal(needed, sizeof "a dog");
    assert_string_equal(text, "a ");
    assert_int_equal(text[3], 1);
    assert_int_equal(itemi_tokenizer_decode(t, ids, count, NULL, 0, &needed, NULL), ITEM_OK);
    assert_int_equal(needed, sizeof "a dog");
    itemi_tokenizer_free(t);
}

/* ---- texts ---- */

static void texts_are_checked(void **state)
{
    (void)state;
    itemi_tokenizer *t = open_golden("clip-files");
    item_error err = ITEM_ERROR_INIT;
    size_t count = 7, needed;
    assert_int_equal(itemi_tokenizer_encode(t, "a\xff", 77, NULL, 0, &count, &err), ITEM_E_FORMAT);
    assert_string_equal(err.message, "text: byte 1 is not UTF-8");
    assert_int_equal(count, 0);
    item_error second = ITEM_ERROR_INIT;
    assert_int_equal(itemi_tokenizer_encode(t, "a", 1, NULL, 0, &count, &second), ITEM_E_ARGUMENT);
    item_error third = ITEM_ERROR_INIT;
    int32_t id = 1;
    assert_int_equal(itemi_tokenizer_decode(t, &id, 1, NULL, 0, &needed, &third),
                     ITEM_E_UNSUPPORTED);
    itemi_tokenizer_free(t);
}

/* Prompts longer than the context keep their first ids and the last one. */
static void long_texts_are_cut(void **state)
{
    (void)state;
    static const char *const names[] = {"clip-files", "bert-files"};
    for (size_t i = 0; i < ITEMI_COUNT(names); i++) {
        itemi_tokenizer *t = open_golden(names[i]);
        static int32_t all[IDS], some[IDS];
        static char text[10001];
        size_t count, whole;
        for (size_t k = 0; k + 2 <= 10000; k += 2)
            memcpy(text + k, k % 7 ? "a " : "do", 2);
        assert_int_equal(itemi_tokenizer_encode(t, text, IDS, all, IDS, &whole, NULL), ITEM_OK);
        assert_in_range(whole, 4000, IDS - 1);
        for (size_t limit = 2; limit < 90; limit += 29) {
            assert_int_equal(itemi_tokenizer_encode(t, text, limit, some, IDS, &count, NULL),
                             ITEM_OK);
            assert_int_equal(count, limit);
            assert_memory_equal(some, all, (limit - 1) * sizeof *all);
            assert_int_equal(some[limit - 1], all[whole - 1]);
        }
        itemi_tokenizer_free(t);
    }
}

/* A megabyte of what could make a careless tokenizer quadratic: one word, marks in the wrong
 * order on one letter, names that nearly are special. */
static void a_megabyte_is_linear(void **state)
{
    (void)state;
    static const char *const parts[] = {"a",
                                        "ab",
                                        "!",
                                        " ",
                                        "\xcc\xa3\xcc\x81",
                                        "<|endoftex",
                                        "\xe4\xb8\xad",
                                        "'s",
                                        "\xe1\x84\x80\xe1\x85\xa1"};
    const size_t size = 1 << 20;
    itemi_tokenizer *t = open_golden("clip-published");
    char *text = malloc(size + 1);
    for (size_t i = 0; i < ITEMI_COUNT(parts); i++) {
        size_t step = strlen(parts[i]), length = 0, count;
        for (; length + step <= size; length += step)
            memcpy(text + length, parts[i], step);
        text[length] = '\0';
        double start = itemi_now_ms();
        assert_int_equal(itemi_tokenizer_encode(t, text, SIZE_MAX, NULL, 0, &count, NULL), ITEM_OK);
        assert_true(itemi_now_ms() - start < 60000); /* a quadratic one needs hours */
        assert_in_range(count, 2, size + 2);
    }
    free(text);
    itemi_tokenizer_free(t);
}

static void every_allocation_can_fail(void **state)
{
    (void)state;
    static const char *const names[] = {"clip-published-json", "bert-elder-files"};
    for (size_t i = 0; i < ITEMI_COUNT(names); i++) {
        const char *path = test_path(GOLDEN_TEXT "/published", names[i]);
        itemi_tokenizer *tokenizer = NULL;
        for (int n = 0; !tokenizer; n++) {
            test_mem t;
            item_error err = ITEM_ERROR_INIT;
            test_mem_init(&t, n);
            tokenizer = open_folder(&t.mem, path, &err);
            assert_int_equal(err.code, tokenizer ? ITEM_OK : ITEM_E_MEMORY);
            itemi_tokenizer_free(tokenizer);
            assert_int_equal(t.live, 0);
            assert_in_range(n, 0, 200);
        }
    }
}

/* ---- bad folders ---- */

/* The text of a file of a stored folder, with one passage exchanged. */
static void put_changed(const char *folder, const char *name, const char *file, const char *from,
                        const char *to)
{
    char path[256];
    size_t length;
    snprintf(path, sizeof path, "published/%s/%s", name, file);
    char *text = golden_read(path, &length), *at = strstr(text, from);
    if (!at)
        fail_msg("%s does not say %s", path, from);
    itemi_buf out;
    itemi_buf_init(&out, NULL);
    itemi_buf_add(&out, text, (size_t)(at - text));
    itemi_buf_puts(&out, to);
    itemi_buf_puts(&out, at + strlen(from));
    test_puts(test_path(folder, file), out.data);
    itemi_buf_free(&out);
    free(text);
}

static void expect_refusal(const char *folder, item_status status, const char *file,
                           const char *reason)
{
    item_error err = ITEM_ERROR_INIT;
    itemi_tokenizer_free(open_folder(NULL, folder, &err));
    if (err.code != status || !strstr(err.message, reason) || (file && !strstr(err.message, file)))
        fail_msg("status %d expected, and \"%s\", not %d and \"%s\"", (int)status, reason,
                 (int)err.code, err.message);
}

static void bad_json_is_refused(void **state)
{
    static const struct {
        const char *name, *from, *to;
        item_status status;
        const char *reason;
    } cases[] = {
        {"clip", "\"BPE\"", "\"Unigram\"", ITEM_E_UNSUPPORTED,
         "the model type \"Unigram\" is not known"},
        {"clip", "\"NFC\"", "\"NFKC\"", ITEM_E_UNSUPPORTED, "the normalizer \"NFKC\" is not known"},
        {"clip", "\"Lowercase\"", "\"Strip\"", ITEM_E_UNSUPPORTED,
         "the normalizer \"Strip\" is not known"},
        {"clip", "\\\\s+", "\\\\s", ITEM_E_UNSUPPORTED, "the normalizer \"Replace\" is not known"},
        {"clip", "[\\\\p{N}]", "[\\\\p{N}]+", ITEM_E_UNSUPPORTED,
         "the pre_tokenizer \"Split\" is not known"},
        {"clip", "\"add_prefix_space\": false", "\"add_prefix_space\": true", ITEM_E_UNSUPPORTED,
         "the pre_tokenizer \"ByteLevel\" is not known"},
        {"clip", "\"RobertaProcessing\"", "\"ByteLevel\"", ITEM_E_UNSUPPORTED,
         "the post_processor \"ByteLevel\" is not known"},
        {"clip", "\"end_of_word_suffix\": \"</w>\"", "\"end_of_word_suffix\": \"\"",
         ITEM_E_UNSUPPORTED, "the model's \"end_of_word_suffix\" is not known"},
        {"clip", "\"fuse_unk\": false", "\"fuse_unk\": true", ITEM_E_UNSUPPORTED,
         "the model's \"fuse_unk\" is not known"},
        {"clip", "\"dropout\": null", "\"dropout\": 0.5", ITEM_E_UNSUPPORTED,
         "the model's \"dropout\" is not known"},
        {"clip", "\"single_word\": false", "\"single_word\": true", ITEM_E_UNSUPPORTED,
         "\"single_word\", which is not known"},
        {"clip", "\"truncation\": null", "\"truncation\": {\"direction\": \"Left\"}",
         ITEM_E_UNSUPPORTED, "the truncation \"Left\" is not known"},
        {"clip", "\"id\": 1512", "\"id\": 1600", ITEM_E_FORMAT, "\"<|startoftext|>\" is 1512, not"},
        {"clip", "\"!\": 0", "\"!\": 1", ITEM_E_FORMAT, "have one id"},
        {"clip", "\"!\": 0", "\"!\": 5000", ITEM_E_FORMAT, "need the ids 0 to 1513, \"!\" has"},
        {"clip", "\"!\": 0", "\"!\": \"0\"", ITEM_E_FORMAT, "\"!\" has another"},
        {"clip", "\"!\": 0", "\"!\": 0, \"!\": 0", ITEM_E_FORMAT, "duplicate object key"},
        {"clip", "\"i\",\n        \"n\"", "\"i\",\n        \"missing\"", ITEM_E_FORMAT,
         "merge 1 names \"missing\", which is not in the vocabulary"},
        {"clip", "\"i\",\n        \"n\"", "\"i\"", ITEM_E_FORMAT, "merge 1 is not two words"},
        {"bert", "\"lowercase\": true", "\"lowercase\": false", ITEM_E_UNSUPPORTED,
         "the normalizer \"BertNormalizer\" is not known"},
        {"bert", "\"BertPreTokenizer\"", "\"Whitespace\"", ITEM_E_UNSUPPORTED,
         "the pre_tokenizer \"Whitespace\" is not known"},
        {"bert", "\"max_input_chars_per_word\": 100", "\"max_input_chars_per_word\": 5",
         ITEM_E_UNSUPPORTED, "the model's \"max_input_chars_per_word\" is not known"},
        {"bert", "\"normalized\": false", "\"normalized\": true", ITEM_E_UNSUPPORTED,
         "\"normalized\", which is not known for WordPiece"},
        {"bert", "\"[UNK]\": 1", "\"[unk]\": 1", ITEM_E_FORMAT, "\"[UNK]\" is 2000, not 1"},
    };
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        char name[16];
        snprintf(name, sizeof name, "%s-json", cases[i].name);
        put_changed(*state, name, "tokenizer.json", cases[i].from, cases[i].to);
        expect_refusal(*state, cases[i].status, "/tokenizer.json: ", cases[i].reason);
    }
    remove(test_path(*state, "tokenizer.json"));
}

static void bad_files_are_refused(void **state)
{
    static const struct {
        const char *vocabulary, *merges, *file, *reason;
    } cases[] = {
        {"l\no\n", "", "/vocab.json: ", "line 1, column 1"},
        {"[\"l\"]", "", "/vocab.json: ", "the vocabulary is no object of ids"},
        {"{}", "", "/vocab.json: ", "the vocabulary is no object of ids"},
        {"{\"l\": 0, \"o\": 2}", "", "/vocab.json: ", "need the ids 0 to 1, \"o\" has another"},
        {"{\"l\": 0, \"o\": 0}", "", "/vocab.json: ", "\"l\" and \"o\" have one id"},
        {"{\"l\": 0, \"o\": -1}", "", "/vocab.json: ", "\"o\" has another"},
        {"{\"l\": 0}", "", "/merges.txt: ", "empty"},
        {"{\"l\": 0}", "l\n", "/merges.txt: ", "line 1 is not two words"},
        {"{\"l\": 0}", "#version: 0.2\nl l\nl l l\n", "/merges.txt: ", "line 3 is not two words"},
        {"{\"l\": 0}", "l \xff\n", "/merges.txt: ", "byte 2 is not UTF-8"},
        {"{\"l\": 0}", "l x\n", "/merges.txt: ", "merge 1 names \"x\", which is not in the"},
        {"{\"l\": 0}", "l l\n", "/merges.txt: ", "merge 1 names \"ll\", which is not in the"},
    };
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        test_puts(test_path(*state, "vocab.json"), cases[i].vocabulary);
        test_puts(test_path(*state, "merges.txt"), cases[i].merges);
        expect_refusal(*state, ITEM_E_FORMAT, cases[i].file, cases[i].reason);
    }
    remove(test_path(*state, "vocab.json"));
    remove(test_path(*state, "merges.txt"));
    expect_refusal(*state, ITEM_E_PACK, NULL, "no tokenizer file \"tokenizer\"");
}

static void bad_settings_are_refused(void **state)
{
    static const struct {
        const char *config;
        item_status status;
        const char *reason;
    } cases[] = {
        {"{\"tokenizer_class\": \"T5Tokenizer\"}", ITEM_E_UNSUPPORTED,
         "the tokenizer_class \"T5Tokenizer\" is not known for WordPiece"},
        {"{\"tokenizer_class\": \"CLIPTokenizerFast\"}", ITEM_E_UNSUPPORTED, "not known for WordP"},
        {"{\"tokenizer_class\": \"PreTrainedTokenizerFast\"}", ITEM_E_UNSUPPORTED, "not known"},
        {"{\"do_lower_case\": false}", ITEM_E_UNSUPPORTED, "\"do_lower_case\" has a value"},
        {"{\"strip_accents\": false}", ITEM_E_UNSUPPORTED, "\"strip_accents\" has a value"},
        {"{\"tokenize_chinese_chars\": false}", ITEM_E_UNSUPPORTED, "\"tokenize_chinese_chars\""},
        {"{\"split_special_tokens\": true}", ITEM_E_UNSUPPORTED, "\"split_special_tokens\" has"},
        {"{\"truncation_side\": \"left\"}", ITEM_E_UNSUPPORTED, "\"truncation_side\" has a value"},
        {"{\"image_token\": \"<image>\"}", ITEM_E_UNSUPPORTED, "\"image_token\" has a value"},
        {"{\"cls_token\": null}", ITEM_E_FORMAT, "the first, last or unknown token has no name"},
        {"{\"added_tokens_decoder\": {\"x\": {\"content\": \"y\"}}}", ITEM_E_FORMAT,
         "the added token \"y\" has no id"},
        {"{\"added_tokens_decoder\": {\"2001\": {\"content\": \"a pie\", \"normalized\": false}}}",
         ITEM_E_FORMAT, "the added token \"a pie\" is 2000, not 2001"},
        {"{\"added_tokens_decoder\": {\"1\": {}}}", ITEM_E_FORMAT, "without \"content\""},
        {"{\"additional_special_tokens\": [1]}", ITEM_E_FORMAT, "without \"content\""},
        {"[]", ITEM_E_FORMAT, "/tokenizer_config.json: is no object"},
    };
    put_changed(*state, "bert-files", "vocab.txt", "[PAD]", "[PAD]");
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        test_puts(test_path(*state, "tokenizer_config.json"), cases[i].config);
        expect_refusal(*state, cases[i].status, NULL, cases[i].reason);
    }
    remove(test_path(*state, "tokenizer_config.json"));
    remove(test_path(*state, "vocab.txt"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_strings),
        cmocka_unit_test(stored_ids),
        cmocka_unit_test(small_buffers_are_kept),
        cmocka_unit_test(texts_are_checked),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(a_megabyte_is_linear),
        cmocka_unit_test(every_allocation_can_fail),
        cmocka_unit_test(bad_json_is_refused),
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(bad_settings_are_refused),
    };
    return cmocka_run_group_tests(tests, test_dir_make, test_dir_remove);
}
