/* SPDX-License-Identifier: Apache-2.0 */
/* Plain statistics of pictures whose numbers are known by hand. */
#include <math.h>

#include "image/image.h"
#include "support.h"

#define SIDE 16

static void near(const float *found, const double *wanted)
{
    for (size_t i = 0; i < ITEM_PLAIN_NUMBERS; i++) {
        if (!(fabs((double)found[i] - wanted[i]) < 1e-5))
            fail_msg("statistic %zu is %.9g, not %.9g", i, (double)found[i], wanted[i]);
    }
}

/* Of a picture whose values are grey. */
static void look(const uint8_t *grey, uint32_t width, uint32_t height,
                 float out[ITEM_PLAIN_NUMBERS])
{
    item_image *image = NULL;
    assert_int_equal(
        item_image_from_pixels(grey, ITEM_PIXELS_GREY, width, height, width, NULL, &image, NULL),
        ITEM_OK);
    assert_true(itemi_image_plain(NULL, image, out));
    item_image_unref(image);
}

static double stretched(double share)
{
    return log((share + 0.005) / (1.005 - share));
}

static void one_grey(void **state)
{
    (void)state;
    uint8_t grey[SIDE * SIDE];
    float found[ITEM_PLAIN_NUMBERS];
    memset(grey, 90, sizeof grey);
    look(grey, SIDE, SIDE, found);
    const double wanted[] = {90, log(0.5), stretched(1), stretched(1), 0, 0, log(0.02)};
    near(found, wanted);
}

/* Columns of black and white in turn: neighbours differ across, and are the same downwards. */
static void stripes(void **state)
{
    (void)state;
    uint8_t grey[SIDE * SIDE];
    float found[ITEM_PLAIN_NUMBERS];
    for (size_t i = 0; i < sizeof grey; i++)
        grey[i] = i % 2 ? 255 : 0;
    look(grey, SIDE, SIDE, found);
    const double variance = 127.5 * 127.5;
    const double wanted[] = {127.5,          log(127.5 + 0.5), stretched(0.5),
                             stretched(0.5), log(2),           variance / (variance + 0.001),
                             log(0.02)};
    near(found, wanted);
}

/* Steps of one: no two are the same across, all differ by at most one; the middle is smooth. */
static void ramp(void **state)
{
    (void)state;
    uint8_t grey[SIDE * SIDE];
    float found[ITEM_PLAIN_NUMBERS];
    for (size_t i = 0; i < sizeof grey; i++)
        grey[i] = (uint8_t)(100 + i % SIDE);
    look(grey, SIDE, SIDE, found);
    /* sums over 0..15: mean 7.5, variance 85/4; 4 apart, sum of (x-7.5)(x-3.5) over x = 4..15 */
    const double variance = 21.25, across = 7.916666666666667;
    const double share[] = {4 / 16.0, 8 / 16.0, 4 / 16.0}; /* of the levels 96, 104, 112 */
    double entropy = 0;
    for (size_t i = 0; i < 3; i++)
        entropy -= share[i] * log(share[i]);
    const double wanted[] = {107.5,          log(sqrt(variance) + 0.5),
                             stretched(0.5), stretched(1),
                             entropy,        (across + variance) / 2 / (variance + 0.001),
                             log(0.02)};
    near(found, wanted);
}

/* What is mirrored or turned has the same statistics; colour counts by its brightness alone. */
static void turned_and_coloured(void **state)
{
    (void)state;
    uint8_t grey[SIDE * SIDE], turned[SIDE * SIDE], rgb[3 * SIDE * SIDE];
    float a[ITEM_PLAIN_NUMBERS], b[ITEM_PLAIN_NUMBERS];
    for (size_t i = 0; i < sizeof grey; i++)
        grey[i] = (uint8_t)(i * i * 7 % 251);
    for (size_t i = 0; i < sizeof grey; i++)
        turned[i] = grey[i % SIDE * SIDE + SIDE - 1 - i / SIDE];
    look(grey, SIDE, SIDE, a);
    look(turned, SIDE, SIDE, b);
    for (size_t i = 0; i < ITEM_PLAIN_NUMBERS; i++)
        assert_true(fabsf(a[i] - b[i]) < 1e-5f);

    for (size_t i = 0; i < SIDE * SIDE; i++)
        memcpy(rgb + 3 * i, (const uint8_t[3]){255, 0, 0}, 3);
    item_image *image = NULL;
    assert_int_equal(
        item_image_from_pixels(rgb, ITEM_PIXELS_RGB, SIDE, SIDE, 3 * SIDE, NULL, &image, NULL),
        ITEM_OK);
    assert_true(itemi_image_plain(NULL, image, a));
    assert_true(fabsf(a[0] - 76) < 1e-6f); /* 77 x 255 / 256, rounded down */
    item_image_unref(image);
}

static void too_small_is_not_known(void **state)
{
    (void)state;
    const uint8_t grey[4 * SIDE] = {0};
    float found[ITEM_PLAIN_NUMBERS];
    look(grey, 4, SIDE, found);
    assert_true(isnan(found[0]) && isnan(found[ITEM_PLAIN_NUMBERS - 1]));
    look(grey, SIDE, 4, found);
    assert_true(isnan(found[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_grey),
        cmocka_unit_test(stripes),
        cmocka_unit_test(ramp),
        cmocka_unit_test(turned_and_coloured),
        cmocka_unit_test(too_small_is_not_known),
    };
    return cmocka_run_group_tests_name("plain", tests, NULL, NULL);
}
