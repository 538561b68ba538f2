/* SPDX-License-Identifier: Apache-2.0 */
/* Features of every layout against NumPy, names, vectors. */
#include "math_tests.h"

#include "golden_math.h"

static void layouts_match_numpy(void **state)
{
    (void)state;
    assert_int_equal(sizeof golden_layouts / sizeof *golden_layouts, 27);
    for (size_t i = 0; i < sizeof golden_layouts / sizeof *golden_layouts; i++) {
        itemi_layout layout;
        assert_true(itemi_layout_parse(golden_layouts[i].layout, &layout));
        size_t count = itemi_layout_size(&layout, GOLDEN_WIDTH);
        assert_int_equal(count, golden_layouts[i].count);
        float out[32];
        for (size_t j = 0; j < 32; j++)
            out[j] = NAN;
        itemi_misalign(&layout, GOLDEN_WIDTH, golden_image, golden_text, golden_layouts[i].objects,
                       golden_crops, golden_phrases, out);
        for (size_t j = 0; j < count; j++)
            assert_near(out[j], golden_layouts[i].value[j], 1e-6);
        assert_true(isnan(out[count])); /* nothing written behind the end */
    }
}

static void names_are_read_as_written(void **state)
{
    (void)state;
    itemi_layout layout = {ITEMI_FORM_PRODUCT, ITEMI_SCOPE_LOCAL};
    char name[48];
    itemi_layout_name(&layout, name);
    assert_string_equal(name, "product/local/1");
    const char *wrong[] = {"",           "difference",        "difference/both",
                           "sum/both/1", "difference/both/2", "difference/both/1 ",
                           "//",         "Difference/both/1", "difference/all/1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(itemi_layout_parse(wrong[i], &layout));
    assert_int_equal(layout.form, ITEMI_FORM_PRODUCT); /* untouched */
}

static void unit_vectors(void **state)
{
    (void)state;
    float v[3] = {3, 0, -4};
    assert_true(itemi_normalise(v, 3));
    assert_near(v[0], 0.6, 1e-7);
    assert_near(v[2], -0.8, 1e-7);
    float zero[2] = {0, 0}, none[2] = {1, NAN}, endless[2] = {INFINITY, 1};
    assert_false(itemi_normalise(zero, 2));
    assert_false(itemi_normalise(none, 2));
    assert_false(itemi_normalise(endless, 2));
    float large[2] = {3e38f, 3e38f};
    assert_true(itemi_normalise(large, 2));
    assert_near(large[0], sqrt(0.5), 1e-7);
}

static void no_objects_are_all_zero(void **state)
{
    (void)state;
    itemi_layout layout = {ITEMI_FORM_DIFFERENCE, ITEMI_SCOPE_LOCAL};
    float out[GOLDEN_WIDTH + 6];
    memset(out, 0xff, sizeof out);
    itemi_misalign(&layout, GOLDEN_WIDTH, golden_image, golden_text, 0, NULL, NULL, out);
    for (size_t i = 0; i < GOLDEN_WIDTH + 6; i++)
        assert_true(out[i] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts_match_numpy),
        cmocka_unit_test(names_are_read_as_written),
        cmocka_unit_test(unit_vectors),
        cmocka_unit_test(no_objects_are_all_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
