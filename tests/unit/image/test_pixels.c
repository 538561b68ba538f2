/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures from pixels, references, structs of other sizes. */
#include "support.h"

static item_status make(const void *pixels, int32_t format, uint32_t width, uint32_t height,
                        size_t stride, item_image **out, item_error *err)
{
    *out = (item_image *)out; /* must become NULL when it fails */
    return item_image_from_pixels(pixels, format, width, height, stride, NULL, out, err);
}

static void formats(void **state)
{
    (void)state;
    static const struct {
        int32_t format;
        uint32_t channels;
        uint8_t row[8], expected[6];
    } cases[] = {
        {ITEM_PIXELS_RGB, 3, {1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6}},
        {ITEM_PIXELS_GREY, 1, {7, 9}, {7, 7, 7, 9, 9, 9}},
        {ITEM_PIXELS_RGBA, 4, {10, 20, 30, 255, 1, 2, 3, 0}, {10, 20, 30, 255, 255, 255}},
        /* 100 x 128 + 255 x 127 = 45185, / 255 = 177.2; 0 gives 127.0, 200 gives 227.4 */
        {ITEM_PIXELS_RGBA, 4, {100, 0, 200, 128, 0, 0, 0, 1}, {177, 127, 227, 254, 254, 254}},
        {ITEM_PIXELS_BGRA, 4, {30, 20, 10, 255, 200, 0, 100, 128}, {10, 20, 30, 177, 127, 227}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        item_image *image;
        assert_int_equal(make(cases[i].row, cases[i].format, 2, 1, 8, &image, NULL), ITEM_OK);
        assert_memory_equal(item_image_pixels(image), cases[i].expected, 6);
        item_image_info info = info_of(image);
        assert_int_equal(info.channels, cases[i].channels);
        assert_int_equal(info.bits, 8);
        assert_int_equal(info.orientation, 1);
        assert_string_equal(info.kind, "pixels");
        assert_null(info.warning);
        item_image_unref(image);
    }
}

/* Every pair of value and alpha, against the rule with a division. */
static void white_behind_every_alpha(void **state)
{
    (void)state;
    static uint8_t pixels[256 * 256 * 4];
    for (size_t i = 0; i < 256 * 256; i++) {
        memset(pixels + 4 * i, (int)(i & 255), 3);
        pixels[4 * i + 3] = (uint8_t)(i >> 8);
    }
    item_image *image;
    assert_int_equal(make(pixels, ITEM_PIXELS_RGBA, 256, 256, 1024, &image, NULL), ITEM_OK);
    const uint8_t *rgb = item_image_pixels(image);
    for (unsigned i = 0; i < 256 * 256; i++) {
        unsigned value = i & 255, alpha = i >> 8;
        assert_int_equal(rgb[3 * i], (value * alpha + 255 * (255 - alpha) + 127) / 255);
    }
    item_image_unref(image);
}

static void gaps_between_rows(void **state)
{
    (void)state;
    const uint8_t pixels[] = {1, 2, 99, 99, 3, 4}; /* the last row needs no gap */
    item_image *image;
    assert_int_equal(make(pixels, ITEM_PIXELS_GREY, 2, 2, 4, &image, NULL), ITEM_OK);
    const uint8_t expected[] = {1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4};
    assert_memory_equal(item_image_pixels(image), expected, sizeof expected);
    item_image_unref(image);
}

static void bad_arguments(void **state)
{
    (void)state;
    uint8_t pixels[64] = {0};
    static const struct {
        int32_t format;
        uint32_t width, height;
        size_t stride;
        item_status status;
    } cases[] = {
        {ITEM_PIXELS_RGB, 0, 1, 64, ITEM_E_ARGUMENT},
        {ITEM_PIXELS_RGB, 1, 0, 64, ITEM_E_ARGUMENT},
        {ITEM_PIXELS_RGB, 4, 1, 11, ITEM_E_ARGUMENT},
        {ITEM_PIXELS_RGBA, 4, 1, 15, ITEM_E_ARGUMENT},
        {0, 1, 1, 64, ITEM_E_ARGUMENT},
        {5, 1, 1, 64, ITEM_E_ARGUMENT},
        {-1, 1, 1, 64, ITEM_E_ARGUMENT},
        {ITEM_PIXELS_GREY, 1, 3, SIZE_MAX / 2, ITEM_E_ARGUMENT},
        {ITEM_PIXELS_GREY, 0x80000000u, 1, SIZE_MAX, ITEM_E_ARGUMENT},
        {ITEM_PIXELS_GREY, 60000, 60000, 60000, ITEM_E_LIMIT},
        {ITEM_PIXELS_RGBA, 0x7fffffff, 0x7fffffff, (size_t)4 * 0x7fffffff, ITEM_E_LIMIT},
    };
    item_image *image;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        item_error err = ITEM_ERROR_INIT;
        assert_int_equal(make(pixels, cases[i].format, cases[i].width, cases[i].height,
                              cases[i].stride, &image, &err),
                         cases[i].status);
        assert_null(image);
        assert_int_equal(err.code, cases[i].status);
    }
    assert_int_equal(make(NULL, ITEM_PIXELS_RGB, 1, 1, 3, &image, NULL), ITEM_E_ARGUMENT);
    assert_int_equal(item_image_from_pixels(pixels, ITEM_PIXELS_RGB, 1, 1, 3, NULL, NULL, NULL),
                     ITEM_E_ARGUMENT);
}

static void references(void **state)
{
    (void)state;
    uint8_t pixel[3] = {1, 2, 3};
    item_image *image;
    assert_int_equal(make(pixel, ITEM_PIXELS_RGB, 1, 1, 3, &image, NULL), ITEM_OK);
    assert_ptr_equal(item_image_ref(image), image);
    item_image_unref(image);
    assert_memory_equal(item_image_pixels(image), pixel, 3); /* one reference is left */
    item_image_unref(image);
    item_image_unref(NULL);
    assert_null(item_image_ref(NULL));
    assert_null(item_image_pixels(NULL));
}

static void info_of_other_sizes(void **state)
{
    (void)state;
    uint8_t pixel[3] = {1, 2, 3};
    item_image *image;
    assert_int_equal(make(pixel, ITEM_PIXELS_RGB, 1, 1, 3, &image, NULL), ITEM_OK);
    struct {
        item_image_info info;
        uint8_t later[16];
    } newer;
    memset(&newer, 0x5a, sizeof newer);
    newer.info.struct_size = sizeof newer;
    assert_int_equal(item_image_get_info(image, &newer.info, NULL), ITEM_OK);
    assert_int_equal(newer.info.struct_size, sizeof newer);
    assert_int_equal(newer.info.width, 1);
    assert_int_equal(newer.later[0], 0x5a);

    item_error err = ITEM_ERROR_INIT;
    item_image_info small = {.struct_size = 8};
    assert_int_equal(item_image_get_info(image, &small, &err), ITEM_E_ARGUMENT);
    assert_int_equal(item_image_get_info(image, NULL, NULL), ITEM_E_ARGUMENT);
    assert_int_equal(item_image_get_info(NULL, &newer.info, NULL), ITEM_E_ARGUMENT);
    item_image_unref(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats),           cmocka_unit_test(white_behind_every_alpha),
        cmocka_unit_test(gaps_between_rows), cmocka_unit_test(bad_arguments),
        cmocka_unit_test(references),        cmocka_unit_test(info_of_other_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
