/* SPDX-License-Identifier: Apache-2.0 */
/* Distances from what photographs look like, against what can be worked out by hand. */
#include "math_tests.h"

#define N ITEMI_PLAIN_NUMBERS

/* Every pattern of signs: each number has mean `middle` and deviation 1, none goes with another. */
static void signs(float rows[1 << N][N], double weight[1 << N], float middle)
{
    for (size_t r = 0; r < 1 << N; r++) {
        weight[r] = 1;
        for (size_t i = 0; i < N; i++)
            rows[r][i] = middle + (r >> i & 1 ? 1.0f : -1.0f);
    }
}

static void independent_numbers(void **state)
{
    (void)state;
    static float rows[1 << N][N];
    static double weight[1 << N];
    itemi_plain plain;
    signs(rows, weight, 3);
    itemi_plain_fit(rows[0], weight, 1 << N, &plain);
    float at[N];
    for (size_t i = 0; i < N; i++) {
        assert_near(plain.mean[i], 3, 1e-6);
        assert_near(plain.scale[i], 1, 1e-6);
        at[i] = 3;
    }
    assert_near(itemi_plain_distance(&plain, at), 0, 1e-6);
    at[2] = 3 + 5;
    assert_near(itemi_plain_distance(&plain, at), 5 / sqrt(N), 1e-5);
    assert_near(itemi_plain_distance(&plain, rows[9]), 1, 1e-5);
    at[0] = NAN;
    assert_true(isnan(itemi_plain_distance(&plain, at)));
}

/* Two numbers that are the same: nine tenths of it are kept, so it can be inverted. */
static void numbers_that_go_together(void **state)
{
    (void)state;
    static float rows[1 << N][N];
    static double weight[1 << N];
    itemi_plain plain;
    signs(rows, weight, 0);
    for (size_t r = 0; r < 1 << N; r++)
        rows[r][1] = rows[r][0];
    itemi_plain_fit(rows[0], weight, 1 << N, &plain);
    const float along[N] = {1, 1}, against[N] = {1, -1};
    assert_near(itemi_plain_distance(&plain, along), sqrt(2 / 1.9 / N), 1e-5);
    assert_near(itemi_plain_distance(&plain, against), sqrt(2 / 0.1 / N), 1e-5);
}

/* A number that never varied does not count; rows without weight teach nothing. */
static void what_does_not_count(void **state)
{
    (void)state;
    static float rows[1 << N][N];
    static double weight[1 << N];
    itemi_plain plain;
    signs(rows, weight, 0);
    for (size_t r = 0; r < 1 << N; r++)
        rows[r][4] = 7;
    for (size_t i = 0; i < N; i++)
        rows[0][i] = 1000;
    weight[0] = 0;
    itemi_plain_fit(rows[0], weight, 1 << N, &plain);
    float at[N] = {0};
    at[4] = 500;
    assert_near(plain.scale[4], 0, 0);
    assert_true(itemi_plain_distance(&plain, at) < 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(independent_numbers),
        cmocka_unit_test(numbers_that_go_together),
        cmocka_unit_test(what_does_not_count),
    };
    return cmocka_run_group_tests_name("plain", tests, NULL, NULL);
}
