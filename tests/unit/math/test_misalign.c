/* SPDX-License-Identifier: Apache-2.0 */
/* Features of every layout against NumPy, names, vectors. */
#include <stdio.h>

#include "math_tests.h"

#include "golden_math.h"

static const itemi_widths golden_widths = {GOLDEN_WIDTH, 3};
static const float golden_layers[3] = {5, -6, 7};

static itemi_vectors golden_vectors(size_t objects)
{
    return (itemi_vectors){.width = GOLDEN_WIDTH,
                           .image = golden_image,
                           .text = golden_text,
                           .n = objects,
                           .crops = golden_crops,
                           .phrases = golden_phrases,
                           .layer_count = 3,
                           .layers = golden_layers};
}

static void layouts_match_numpy(void **state)
{
    (void)state;
    assert_int_equal(sizeof golden_layouts / sizeof *golden_layouts, 27);
    for (size_t i = 0; i < sizeof golden_layouts / sizeof *golden_layouts; i++) {
        itemi_layout layout;
        assert_true(itemi_layout_parse(golden_layouts[i].layout, &layout));
        size_t count = itemi_layout_size(&layout, golden_widths);
        assert_int_equal(count, golden_layouts[i].count);
        float out[32];
        for (size_t j = 0; j < 32; j++)
            out[j] = NAN;
        const itemi_vectors vectors = golden_vectors(golden_layouts[i].objects);
        itemi_misalign(&layout, &vectors, out);
        for (size_t j = 0; j < count; j++)
            assert_near(out[j], golden_layouts[i].value[j], 1e-6);
        assert_true(isnan(out[count])); /* nothing written behind the end */
    }
}

static void names_are_read_as_written(void **state)
{
    (void)state;
    itemi_layout layout = {1, {{ITEMI_FORM_PRODUCT, ITEMI_SCOPE_LOCAL}}};
    char name[ITEMI_LAYOUT_NAME_MAX];
    itemi_layout_name(&layout, name);
    assert_string_equal(name, "product/local/1");
    const char *wrong[] = {"",
                           "difference",
                           "difference/both",
                           "sum/both/1",
                           "difference/both/2",
                           "difference/both/1 ",
                           "//",
                           "Difference/both/1",
                           "difference/all/1",
                           "+",
                           "picture",
                           "picture/global/1",
                           "picture/1+",
                           "+picture/1",
                           "picture/1++caption/1",
                           "picture/1+cosine/both/1+picture/1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(itemi_layout_parse(wrong[i], &layout));
    assert_int_equal(layout.term[0].form, ITEMI_FORM_PRODUCT); /* untouched */

    /* As many terms as fit, and no more. */
    const char *long_name =
        "difference/global/1+difference/local/1+difference/both/1+"
        "product/global/1+product/local/1+product/both/1+cosine/both/1+caption/1";
    assert_true(itemi_layout_parse(long_name, &layout));
    assert_int_equal(layout.terms, ITEMI_TERMS_MAX);
    itemi_layout_name(&layout, name);
    assert_string_equal(name, long_name);
    char longer[ITEMI_LAYOUT_NAME_MAX + 16];
    snprintf(longer, sizeof longer, "%s+picture/1", long_name);
    assert_false(itemi_layout_parse(longer, &layout));
}

/* Terms stand one after another, each as it is alone. */
static void terms_are_joined(void **state)
{
    (void)state;
    const char *alone[] = {"cosine/both/1", "picture/1", "difference/local/1", "caption/1",
                           "layers/1"};
    const itemi_vectors vectors = golden_vectors(2);
    float joined[64], each[64];
    itemi_layout layout;
    assert_true(itemi_layout_parse("cosine/both/1+picture/1+difference/local/1+caption/1+layers/1",
                                   &layout));
    itemi_misalign(&layout, &vectors, joined);
    size_t at = 0;
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) {
        itemi_layout one;
        assert_true(itemi_layout_parse(alone[i], &one));
        itemi_misalign(&one, &vectors, each);
        size_t size = itemi_layout_size(&one, golden_widths);
        assert_memory_equal(joined + at, each, size * sizeof *each);
        at += size;
    }
    assert_int_equal(at, itemi_layout_size(&layout, golden_widths));
    assert_memory_equal(joined + 1 + ITEMI_POOLED, golden_image, sizeof golden_image);
    assert_memory_equal(joined + at - 3, golden_layers, sizeof golden_layers);
}

/* What comes of objects stays when the whole picture is taken away. */
static void whole_is_blanked(void **state)
{
    (void)state;
    const itemi_vectors vectors = golden_vectors(2);
    float features[64], mean[64], before[64];
    itemi_layout layout;
    assert_true(itemi_layout_parse("cosine/both/1+picture/1+difference/local/1", &layout));
    itemi_misalign(&layout, &vectors, features);
    memcpy(before, features, sizeof before);
    for (size_t i = 0; i < 64; i++)
        mean[i] = 100 + (float)i;
    itemi_layout_blank_whole(&layout, golden_widths, mean, features);
    for (size_t i = 0; i < itemi_layout_size(&layout, golden_widths); i++) {
        bool whole = i == 0 || (i >= 1 + ITEMI_POOLED && i < 1 + ITEMI_POOLED + GOLDEN_WIDTH);
        assert_true(features[i] == (whole ? mean[i] : before[i]));
    }
    assert_true(itemi_layout_reads_whole(&layout) && itemi_layout_reads_objects(&layout));
    assert_true(itemi_layout_parse("difference/local/1+cosine/local/1", &layout));
    assert_true(!itemi_layout_reads_whole(&layout) && itemi_layout_reads_objects(&layout));
    assert_true(itemi_layout_parse("picture/1+cosine/global/1", &layout));
    assert_true(itemi_layout_reads_whole(&layout) && !itemi_layout_reads_objects(&layout));
    assert_false(itemi_layout_reads_layers(&layout));
    assert_true(itemi_layout_parse("cosine/local/1+layers/1", &layout));
    assert_true(itemi_layout_reads_whole(&layout) && itemi_layout_reads_layers(&layout));
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
    itemi_layout layout = {1, {{ITEMI_FORM_DIFFERENCE, ITEMI_SCOPE_LOCAL}}};
    float out[GOLDEN_WIDTH + 6];
    memset(out, 0xff, sizeof out);
    const itemi_vectors vectors = golden_vectors(0);
    itemi_misalign(&layout, &vectors, out);
    for (size_t i = 0; i < GOLDEN_WIDTH + 6; i++)
        assert_true(out[i] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts_match_numpy), cmocka_unit_test(names_are_read_as_written),
        cmocka_unit_test(terms_are_joined),    cmocka_unit_test(whole_is_blanked),
        cmocka_unit_test(unit_vectors),        cmocka_unit_test(no_objects_are_all_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
