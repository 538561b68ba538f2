/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of every kind as float32, from unaligned data, and fast enough for large tensors. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "files/files_private.h"

/* Half precision from its definition, without bits of a float. */
static float half_by_definition(uint16_t half)
{
    int exponent = half >> 10 & 31, fraction = half & 1023;
    float sign = half & 0x8000 ? -1.0f : 1.0f;
    if (exponent == 31)
        return fraction ? NAN : sign * INFINITY;
    if (exponent == 0)
        return sign * ldexpf((float)fraction, -24);
    return sign * ldexpf((float)(1024 + fraction), exponent - 25);
}

static void same_float(float a, float b, unsigned input)
{
    if (isnan(b) ? !isnan(a) : a != b || signbit(a) != signbit(b))
        fail_msg("%#x becomes %g, not %g", input, (double)a, (double)b);
}

static void every_half_is_exact(void **state)
{
    (void)state;
    enum { ALL = 65536 };
    uint8_t *bytes = malloc(2 * ALL + 1);
    float *out = malloc(ALL * sizeof *out);
    for (uint32_t i = 0; i < ALL; i++) {
        uint16_t half = (uint16_t)i;
        memcpy(bytes + 1 + 2 * i, &half, 2); /* unaligned */
    }
    /* Odd counts, so that the last ones go the plain way. */
    itemi_tensor t = {.dtype = ITEMI_F16, .data = bytes + 1, .bytes = 2 * (ALL - 3)};
    itemi_to_f32(&t, out);
    for (uint32_t i = 0; i < ALL; i++) {
        float plain = itemi_half_to_float((uint16_t)i), exact = half_by_definition((uint16_t)i);
        same_float(plain, exact, i);
        if (i >= ALL - 3)
            continue;
        same_float(out[i], exact, i);
        if (memcmp(&plain, &out[i], 4) != 0)
            fail_msg("%#x differs in bits between processor and plain way", i);
    }
    free(bytes);
    free(out);
}

#define CONVERT(kind, type, ...)                                                                   \
    do {                                                                                           \
        const type values[] = {__VA_ARGS__};                                                       \
        uint8_t bytes[sizeof values + 1];                                                          \
        memcpy(bytes + 1, values, sizeof values);                                                  \
        itemi_tensor t = {.dtype = kind, .data = bytes + 1, .bytes = sizeof values};               \
        itemi_to_f32(&t, out);                                                                     \
    } while (0)

static void every_kind_converts(void **state)
{
    (void)state;
    float out[4];
    CONVERT(ITEMI_F64, double, 0.1, -1e300, 3);
    assert_true(out[0] == 0.1f && isinf(out[1]) && out[1] < 0 && out[2] == 3);
    CONVERT(ITEMI_F32, float, 0.1f, -0.0f);
    assert_true(out[0] == 0.1f && out[1] == 0 && signbit(out[1]));
    CONVERT(ITEMI_BF16, uint16_t, 0x3f80, 0xc049, 0x7f80, 0x7fc0);
    assert_true(out[0] == 1 && out[1] == -3.140625f && isinf(out[2]) && isnan(out[3]));
    CONVERT(ITEMI_I64, int64_t, INT64_MIN, 7);
    assert_true(out[0] == -0x1p63f && out[1] == 7);
    CONVERT(ITEMI_I32, int32_t, INT32_MIN, 16777217);
    assert_true(out[0] == -0x1p31f && out[1] == 16777216.0f);
    CONVERT(ITEMI_I8, int8_t, -128, 127);
    assert_true(out[0] == -128 && out[1] == 127);
    CONVERT(ITEMI_U8, uint8_t, 0, 255);
    assert_true(out[0] == 0 && out[1] == 255);
    CONVERT(ITEMI_BOOL, uint8_t, 0, 1, 2);
    assert_true(out[0] == 0 && out[1] == 1 && out[2] == 1);
}

static void names_and_sizes_agree(void **state)
{
    (void)state;
    for (int d = ITEMI_F64; d <= ITEMI_BOOL; d++) {
        assert_int_equal(itemi_dtype_parse(itemi_dtype_name((itemi_dtype)d)), d);
        assert_true(itemi_dtype_size((itemi_dtype)d) >= 1);
    }
    assert_int_equal(itemi_dtype_parse("F8_E4M3"), 0);
    assert_int_equal(itemi_dtype_parse(""), 0);
    assert_int_equal(itemi_dtype_size((itemi_dtype)0), 0);
    assert_int_equal(itemi_dtype_size((itemi_dtype)99), 0);
    assert_null(itemi_dtype_name((itemi_dtype)99));

    float out = 5;
    itemi_to_f32(&(itemi_tensor){.dtype = ITEMI_F32}, &out); /* empty */
    assert_true(out == 5);
}

static void eleven_million_halves(void **state)
{
    (void)state;
    size_t count = 11000000;
    uint16_t *halves = calloc(count, 2);
    float *out = calloc(count, sizeof *out);
    memset(out, 1, count * sizeof *out); /* pages are there */
    itemi_tensor t = {.dtype = ITEMI_F16, .data = halves, .bytes = 2 * count};
    double best = 1e9;
    for (int i = 0; i < 5; i++) {
        double start = itemi_now_ms();
        itemi_to_f32(&t, out);
        double passed = itemi_now_ms() - start;
        best = passed < best ? passed : best;
    }
    print_message("11 million halves: %.1f ms\n", best);
    assert_true(out[0] == 0 && out[count - 1] == 0);
    assert_true(best < 500); /* far off only: sanitizers and busy machines run this too */
    free(halves);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_is_exact),
        cmocka_unit_test(every_kind_converts),
        cmocka_unit_test(names_and_sizes_agree),
        cmocka_unit_test(eleven_million_halves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
