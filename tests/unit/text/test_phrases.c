/* SPDX-License-Identifier: Apache-2.0 */
/* Visible noun phrases: a table of captions, singulars, limits, bad input, threads. */
#include "golden.h"

#include <threads.h>

#include "../common/test_mem.h"
#include "text/nouns.h"
#include "text/text.h"

/* "text/head/count; ..." as in the table */
static void describe(const itemi_phrases *phrases, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < phrases->count && at < size; i++) {
        const itemi_phrase *p = &phrases->items[i];
        at += (size_t)snprintf(out + at, size - at, "%s%s/%s/%u", i ? "; " : "", p->text, p->head,
                               p->count);
    }
}

static void find(const char *caption, char *out, size_t size)
{
    itemi_phrases phrases;
    item_error err = ITEM_ERROR_INIT;
    if (itemi_phrases_find(NULL, caption, &phrases, &err) != ITEM_OK)
        fail_msg("%s", err.message);
    describe(&phrases, out, size);
    itemi_phrases_free(&phrases);
}

static void table_of_captions(void **state)
{
    (void)state;
    size_t length;
    int cases = 0, wrong = 0;
    char *data = golden_read("phrases.tsv", &length), *rest = data;
    for (char *line; (line = golden_line(&rest)) != NULL;) {
        char found[1024], *expected = strchr(line, '\t');
        if (line[0] == '#' || !expected)
            continue;
        *expected++ = '\0';
        find(line, found, sizeof found);
        if (strcmp(found, expected) != 0) {
            print_message("%s\n  expected %s\n  found    %s\n", line, expected, found);
            wrong++;
        }
        cases++;
    }
    free(data);
    assert_true(cases >= 100);
    assert_int_equal(wrong, 0);
}

static void place_of_the_first_mention(void **state)
{
    (void)state;
    static const char caption[] = "\xf0\x9f\x90\xb6 Look at the Big brown dog! The dog has a ball.";
    itemi_phrases phrases;
    assert_int_equal(itemi_phrases_find(NULL, caption, &phrases, NULL), ITEM_OK);
    assert_int_equal(phrases.count, 2);
    const itemi_phrase *dog = &phrases.items[0];
    assert_int_equal(dog->end - dog->start, strlen("Big brown dog"));
    assert_memory_equal(caption + dog->start, "Big brown dog", strlen("Big brown dog"));
    assert_string_equal(dog->text, "big brown dog");
    itemi_phrases_free(&phrases);
    assert_int_equal(phrases.count, 0);
    itemi_phrases_free(&phrases);
    itemi_phrases_free(NULL);
}

static void nothing_in_it(void **state)
{
    (void)state;
    static const char *const captions[] = {"",   " ",       "\n",      ".",    "!!!",
                                           "it", "running", "#",       "'",    "\xf0\x9f\x90\xb6",
                                           "12", "the",     "a a a a", "of of"};
    for (size_t i = 0; i < ITEMI_COUNT(captions); i++) {
        char found[256];
        find(captions[i], found, sizeof found);
        assert_string_equal(found, "");
    }
}

static void bad_utf8_names_the_byte(void **state)
{
    (void)state;
    itemi_phrases phrases = {.count = 7};
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_phrases_find(NULL, "a dog\xc3", &phrases, &err), ITEM_E_FORMAT);
    assert_string_equal(err.message, "caption: byte 5 is not UTF-8");
    assert_int_equal(phrases.count, 0);
    assert_null(phrases.items);
}

static void singulars(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"dogs", "dog"},
        {"puppies", "puppy"},
        {"boxes", "box"},
        {"dishes", "dish"},
        {"benches", "bench"},
        {"glasses", "glasses"},
        {"dresses", "dress"},
        {"men", "man"},
        {"snowmen", "snowman"},
        {"women", "woman"},
        {"people", "person"},
        {"children", "child"},
        {"knives", "knife"},
        {"gloves", "glove"},
        {"shoes", "shoe"},
        {"potatoes", "potato"},
        {"heroes", "hero"},
        {"canoes", "canoe"},
        {"volcanoes", "volcano"},
        {"cookies", "cookie"},
        {"selfies", "selfie"},
        {"collies", "collie"},
        {"ties", "tie"},
        {"neckties", "necktie"},
        {"buses", "bus"},
        {"horses", "horse"},
        {"houses", "house"},
        {"geese", "goose"},
        {"sheep", "sheep"},
        {"jeans", "jeans"},
        {"grass", "grass"},
        {"cactus", "cactus"},
        {"tennis", "tennis"},
        {"s", "s"},
        {"", ""},
        {"days", "day"},
        {"kisses", "kiss"},
        {"skis", "ski"},
        {"trees", "tree"},
        {"flies", "fly"},
    };
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        char out[ITEMI_NOUN_MOST];
        itemi_noun_singular(cases[i][0], out);
        assert_string_equal(out, cases[i][1]);
    }
}

static void numbers(void **state)
{
    (void)state;
    assert_int_equal(itemi_number_value("two"), 2);
    assert_int_equal(itemi_number_value("ninety"), 90);
    assert_int_equal(itemi_number_value("1,000"), 1000);
    assert_int_equal(itemi_number_value("8k"), 0);
    assert_int_equal(itemi_number_value("99999999999"), 0);
    assert_int_equal(itemi_number_value("dog"), 0);
}

static char *repeat(const char *part, size_t size)
{
    size_t step = strlen(part), length = 0;
    char *text = malloc(size + step + 1);
    for (; length < size; length += step)
        memcpy(text + length, part, step);
    text[length] = '\0';
    return text;
}

/* Processor time of this thread: what else runs on the machine does not count. */
static double cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double time_to_find(const char *part, size_t size)
{
    char *text = repeat(part, size);
    itemi_phrases phrases;
    double start = cpu_ms();
    assert_int_equal(itemi_phrases_find(NULL, text, &phrases, NULL), ITEM_OK);
    double took = cpu_ms() - start;
    assert_in_range(phrases.count, 0, 256);
    itemi_phrases_free(&phrases);
    free(text);
    return took;
}

/* Eight times the text takes about eight times as long, and not sixty-four times. */
static void find_in_linear_time(const char *part, size_t size)
{
    double small = time_to_find(part, size / 8), large = time_to_find(part, size);
    if (large > 24 * small + 100)
        fail_msg("%.0f ms for %zu bytes of \"%s\", %.0f ms for an eighth", large, size, part,
                 small);
}

/* What could make a careless reader slow or large. */
static void long_captions_are_linear(void **state)
{
    (void)state;
    static const char *const parts[] = {"dog",      "dog ", "big ", "the ",    ". ",
                                        "'s",       "#a",   "-",    "1,",      "n't",
                                        "a man's ", "x1 ",  "www.", "\xcc\x81"};
    find_in_linear_time("a dog and ", 1 << 18);
    for (size_t i = 0; i < ITEMI_COUNT(parts); i++)
        find_in_linear_time(parts[i], 1 << 16);
}

static void a_most_of_phrases(void **state)
{
    (void)state;
    char *text = malloc(40 * 5000), *at = text;
    itemi_phrases phrases;
    for (int i = 0; i < 5000; i++)
        at += sprintf(at, "a %c%c%c dog is here. ", 'a' + i % 26, 'a' + i / 26 % 26, 'a' + i / 676);
    assert_int_equal(itemi_phrases_find(NULL, text, &phrases, NULL), ITEM_OK);
    assert_int_equal(phrases.count, 256);
    itemi_phrases_free(&phrases);
    free(text);
}

static void every_allocation_can_fail(void **state)
{
    (void)state;
    static const char caption[] = "a dog, a cat, a cow, a pig, a hen, a fox, an owl, a bee, an ant";
    item_status status = ITEM_E_MEMORY;
    for (int n = 0; status != ITEM_OK; n++) {
        test_mem t;
        itemi_phrases phrases;
        item_error err = ITEM_ERROR_INIT;
        test_mem_init(&t, n);
        status = itemi_phrases_find(&t.mem, caption, &phrases, &err);
        if (status != ITEM_OK) {
            assert_int_equal(status, ITEM_E_MEMORY);
            assert_int_equal(phrases.count, 0);
            assert_int_equal(t.live, 0);
        }
        itemi_phrases_free(&phrases);
        assert_int_equal(t.live, 0);
        assert_in_range(n, 0, 40);
    }
}

static int find_often(void *answer)
{
    char found[256];
    for (int i = 0; i < 200; i++) {
        find("Two brown dogs chase a man with a red ball .", found, sizeof found);
        if (strcmp(found, answer) != 0)
            return 1;
    }
    return 0;
}

static void four_threads(void **state)
{
    (void)state;
    static char answer[] = "two brown dogs/dog/2; man/man/1; red ball/ball/1";
    thrd_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(thrd_create(&threads[i], find_often, answer), thrd_success);
    for (int i = 0; i < 4; i++) {
        int wrong = 1;
        assert_int_equal(thrd_join(threads[i], &wrong), thrd_success);
        assert_int_equal(wrong, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_of_captions),
        cmocka_unit_test(place_of_the_first_mention),
        cmocka_unit_test(nothing_in_it),
        cmocka_unit_test(bad_utf8_names_the_byte),
        cmocka_unit_test(singulars),
        cmocka_unit_test(numbers),
        cmocka_unit_test(long_captions_are_linear),
        cmocka_unit_test(a_most_of_phrases),
        cmocka_unit_test(every_allocation_can_fail),
        cmocka_unit_test(four_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
