/* SPDX-License-Identifier: Apache-2.0 */
/* Temperature and bias against SciPy; thresholds against brute force; what they promise. */
#include "math_tests.h"

#include "golden_math.h"

static void matches_scipy(void **state)
{
    (void)state;
    itemi_calibration c;
    assert_int_equal(itemi_calibrate(golden_platt_s, golden_platt_y, golden_platt_w, 150, &c, NULL),
                     ITEM_OK);
    assert_near(c.temperature, golden_platt[0], 1e-5);
    assert_near(c.bias, golden_platt[1], 1e-5);
    assert_false(c.clamped);
}

static void separable_scores_stay_finite(void **state)
{
    (void)state;
    const double s[6] = {-3, -2, -1, 1, 2, 3};
    const uint8_t y[6] = {0, 0, 0, 1, 1, 1};
    itemi_calibration c;
    assert_int_equal(itemi_calibrate(s, y, NULL, 6, &c, NULL), ITEM_OK);
    assert_true(c.temperature > 0.1 && c.temperature < 10 && !c.clamped);
    assert_near(c.bias, 0, 1e-6);
}

static void reversed_scores_say_nothing(void **state)
{
    (void)state;
    const double s[6] = {-3, -2, -1, 1, 2, 3}, same[6] = {5, 5, 5, 5, 5, 5};
    const uint8_t y[6] = {1, 1, 1, 0, 0, 0};
    itemi_calibration c;
    assert_int_equal(itemi_calibrate(s, y, NULL, 6, &c, NULL), ITEM_OK);
    assert_true(c.clamped && c.temperature > 0);
    assert_near(itemi_sigmoid((3 + c.bias) / c.temperature), 0.5, 0.05);
    assert_near(itemi_sigmoid((-3 + c.bias) / c.temperature), 0.5, 0.05);
    assert_int_equal(itemi_calibrate(same, y, NULL, 6, &c, NULL), ITEM_OK);
    assert_near(itemi_sigmoid((5 + c.bias) / c.temperature), 0.5, 1e-6);
}

static void refuses_bad_scores(void **state)
{
    (void)state;
    const double s[2] = {1, NAN}, fine[2] = {1, 2};
    const uint8_t y[2] = {0, 1}, one[2] = {1, 1};
    itemi_calibration c;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_calibrate(s, y, NULL, 2, &c, &err), ITEM_E_ARGUMENT);
    err = (item_error)ITEM_ERROR_INIT;
    assert_int_equal(itemi_calibrate(fine, one, NULL, 2, &c, &err), ITEM_E_ARGUMENT);
    assert_non_null(strstr(err.message, "`real` is missing"));
}

static size_t sorted_scores(uint8_t which, double out[240])
{
    size_t n = 0;
    for (size_t i = 0; i < 240; i++) {
        if (golden_y[i] == which)
            out[n++] = golden_p[i];
    }
    itemi_sort(out, n);
    return n;
}

static void thresholds_match_brute_force(void **state)
{
    (void)state;
    double real[240], ai[240];
    size_t n = sorted_scores(0, real), m = sorted_scores(1, ai), above;
    const double rates[3] = {0.01, 0.05, 0.2};
    for (size_t i = 0; i < 3; i++) {
        double t = itemi_threshold_for(real, n, rates[i], &above);
        assert_near(t, golden_points[i], 0);
        size_t counted = 0;
        for (size_t j = 0; j < n; j++)
            counted += real[j] >= t;
        assert_int_equal(counted, above);
        assert_true((double)above <= rates[i] * (double)n);
    }
    assert_near(itemi_real_point(ai, m, 0.1), golden_points[3], 0);
}

static void thresholds_at_the_edges(void **state)
{
    (void)state;
    double s[200];
    size_t above;
    for (size_t i = 0; i < 200; i++)
        s[i] = (double)i;
    assert_near(itemi_threshold_for(s, 200, 0.01, &above), 198, 0);
    assert_int_equal(above, 2);
    assert_true(isinf(itemi_threshold_for(s, 99, 0.01, &above))); /* too few to promise */
    assert_int_equal(above, 0);
    assert_near(itemi_threshold_for(s, 100, 0.01, &above), 99, 0);
    assert_true(isinf(itemi_threshold_for(s, 0, 0.05, &above)));

    for (size_t i = 0; i < 200; i++)
        s[i] = 1; /* all tied: nothing may be let in */
    double t = itemi_threshold_for(s, 200, 0.05, &above);
    assert_true(t > 1 && t < 1 + 1e-12);
    assert_int_equal(above, 0);
    assert_true(isinf(itemi_real_point(s, 0, 0.1)) && itemi_real_point(s, 0, 0.1) < 0);
    assert_near(itemi_real_point(s, 200, 0.1), 1, 0);
}

/* A new photograph of the same kind is called "ai" at most as often as promised, on average. */
static void promise_holds_for_new_scores(void **state)
{
    (void)state;
    itemi_rng rng = {4, 4, 0};
    const size_t n = 150, rounds = 2000;
    double s[150], rate = 0, wanted = 0.05;
    for (size_t r = 0; r < rounds; r++) {
        for (size_t i = 0; i < n; i++)
            s[i] = itemi_rng_uniform(&rng);
        itemi_sort(s, n);
        size_t above;
        rate += 1 - itemi_threshold_for(s, n, wanted, &above); /* uniform: the share above */
    }
    rate /= (double)rounds;
    assert_true(rate <= wanted);
    assert_true(rate > 0.8 * wanted);
}

static void quantiles_match_numpy(void **state)
{
    (void)state;
    double p[240];
    memcpy(p, golden_p, sizeof p);
    itemi_sort(p, 240);
    const double q[5] = {0, 0.1, 0.333, 0.9, 1};
    for (size_t i = 0; i < 5; i++)
        assert_near(itemi_quantile(p, 240, q[i]), golden_quantiles[i], 1e-12);
    assert_true(isnan(itemi_quantile(p, 0, 0.5)));
}

static void probabilities(void **state)
{
    (void)state;
    assert_near(itemi_sigmoid(0), 0.5, 0);
    assert_true(itemi_sigmoid(-800) >= 0 && itemi_sigmoid(800) <= 1);
    assert_near(itemi_logit(itemi_sigmoid(-1.75)), -1.75, 1e-12);
    assert_true(isinf(itemi_logit(0)) && isinf(itemi_logit(1)));
    assert_near(itemi_cross_entropy(0.7, 1), -log(itemi_sigmoid(0.7)), 1e-12);
    assert_near(itemi_cross_entropy(900, 0), 900, 1e-9);
    assert_near(itemi_with_prior(1.25, 0.5), itemi_sigmoid(1.25), 1e-15);
    /* even odds of the score, one picture in ten is AI: the probability is the prior */
    assert_near(itemi_with_prior(0, 0.1), 0.1, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_scipy),
        cmocka_unit_test(separable_scores_stay_finite),
        cmocka_unit_test(reversed_scores_say_nothing),
        cmocka_unit_test(refuses_bad_scores),
        cmocka_unit_test(thresholds_match_brute_force),
        cmocka_unit_test(thresholds_at_the_edges),
        cmocka_unit_test(promise_holds_for_new_scores),
        cmocka_unit_test(quantiles_match_numpy),
        cmocka_unit_test(probabilities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
