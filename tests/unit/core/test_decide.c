/* SPDX-License-Identifier: Apache-2.0 */
/* Working sizes, looping captions, choice of objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/core.h"

static void working_sizes(void **state)
{
    (void)state;
    static const uint32_t cases[][5] = {
        /* width, height, short side, width, height */
        {4000, 3000, 224, 299, 224}, {3000, 4000, 224, 224, 299}, {224, 300, 224, 224, 300},
        {100, 50, 224, 448, 224},    {1, 1, 224, 224, 224},       {1, 20000, 224, 224, 1792},
        {20000, 1, 224, 1792, 224},  {640, 480, 0, 640, 480},     {1792, 224, 224, 1792, 224},
        {500, 333, 224, 336, 224},
    };
    for (size_t i = 0; i < ITEMI_COUNT(cases); i++) {
        uint32_t width, height;
        itemi_working_size(cases[i][0], cases[i][1], cases[i][2], &width, &height);
        assert_int_equal(width, cases[i][3]);
        assert_int_equal(height, cases[i][4]);
    }
}

static void loops(void **state)
{
    (void)state;
    static const char *const looping[] = {
        "a dog and a dog and a dog and a dog", /* "a dog and" three times */
        "dog dog dog dog cat bird",            /* one word over half of six */
        "the cat sat the Cat sat on THE CAT SAT",
        "red red red red red red",
    };
    static const char *const sound[] = {
        "",
        "a",
        "dog dog dog",
        "a man and a woman and a child",
        "a dog on a couch with a ball and a bone", /* "a" is 4 of 10 */
        "two dogs play in the grass in the sun in the park",
        "one two one two one two", /* no word over half, no three words three times */
    };
    for (size_t i = 0; i < ITEMI_COUNT(looping); i++)
        assert_true(itemi_caption_loops(looping[i]));
    for (size_t i = 0; i < ITEMI_COUNT(sound); i++)
        assert_false(itemi_caption_loops(sound[i]));
    assert_true(itemi_caption_is_empty("") && itemi_caption_is_empty(" \t\n"));
    assert_false(itemi_caption_is_empty(" a "));
}

static itemi_box box(size_t phrase, double x, double y, double size, double score)
{
    return (itemi_box){phrase, {x, y, x + size, y + size}, score};
}

static void objects(void **state)
{
    (void)state;
    const uint32_t counts[] = {1, 2, 0};
    itemi_box boxes[] = {
        box(0, 0, 0, 10, 0.5),   box(0, 50, 0, 10, 0.9),                            /* one dog */
        box(1, 0, 0, 10, 0.6),   box(1, 1, 0, 10, 0.8),   box(1, 30, 0, 10, 0.4),   /* two cats */
        box(1, 70, 70, 10, 0.3), box(2, 40, 40, 10, 0.7), box(2, 90, 40, 10, 0.65), /* birds */
    };
    size_t n = itemi_choose_objects(boxes, ITEMI_COUNT(boxes), counts, 8);
    assert_int_equal(n, 4);
    const double scores[] = {0.9, 0.8, 0.7, 0.4}; /* 0.6 covers the cat of 0.8 */
    for (size_t i = 0; i < n; i++)
        assert_true(boxes[i].score == scores[i]);
    assert_int_equal(itemi_choose_objects(boxes, n, counts, 2), 2);
    assert_int_equal(itemi_choose_objects(NULL, 0, counts, 8), 0);
}

/* Equal scores stand in order of mention, then from top left to bottom right, however they came. */
static void ties_do_not_depend_on_the_order_given(void **state)
{
    (void)state;
    const itemi_box sorted[] = {box(0, 5, 1, 2, 0.5), box(0, 1, 9, 2, 0.5), box(1, 0, 0, 2, 0.5),
                                box(1, 8, 0, 2, 0.5)};
    static const size_t orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}, {1, 3, 0, 2}};
    for (size_t o = 0; o < ITEMI_COUNT(orders); o++) {
        itemi_box boxes[4];
        for (size_t i = 0; i < 4; i++)
            boxes[i] = sorted[orders[o][i]];
        assert_int_equal(itemi_choose_objects(boxes, 4, NULL, 8), 4);
        for (size_t i = 0; i < 4; i++)
            assert_memory_equal(boxes[i].box, sorted[i].box, sizeof sorted[i].box);
    }
}

static void texts(void **state)
{
    (void)state;
    char large[ITEMI_TEXT_MAX + 2];
    memset(large, 'a', sizeof large);
    large[ITEMI_TEXT_MAX] = '\0';
    assert_int_equal(itemi_text_check(large, "x", NULL), ITEM_OK);
    large[ITEMI_TEXT_MAX] = 'a';
    large[ITEMI_TEXT_MAX + 1] = '\0';
    assert_int_equal(itemi_text_check(large, "x", NULL), ITEM_E_LIMIT);
    assert_int_equal(itemi_text_check(NULL, "x", NULL), ITEM_E_ARGUMENT);
    assert_int_equal(itemi_text_check("\xed\xa0\x80", "x", NULL), ITEM_E_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(working_sizes), cmocka_unit_test(loops),
        cmocka_unit_test(objects),       cmocka_unit_test(ties_do_not_depend_on_the_order_given),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests_name("core: decisions", tests, NULL, NULL);
}
