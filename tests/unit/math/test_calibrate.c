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

static void promises_match_scipy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof golden_at_most / sizeof *golden_at_most; i += 4) {
        const double *row = golden_at_most + i;
        assert_near(itemi_binomial_at_most((uint64_t)row[0], (uint64_t)row[1], row[2]), row[3],
                    1e-10);
    }
    for (size_t i = 0; i < sizeof golden_allowed / sizeof *golden_allowed; i += 4) {
        const double *row = golden_allowed + i;
        uint64_t k;
        bool enough = itemi_allowed((uint64_t)row[0], row[1], row[2], &k);
        assert_int_equal(enough ? (long)k : -1, (long)row[3]);
        assert_int_equal(enough, (uint64_t)row[0] >= itemi_needed(row[1], row[2]));
    }
    assert_int_equal(itemi_needed(0.05, 0.95), 59);
    assert_int_equal(itemi_needed(0.01, 0.95), 299);
    uint64_t k;
    assert_false(itemi_allowed(0, 0.05, 0.95, &k));
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

    /* with confidence: k of n are let in, of ties all or none */
    t = itemi_threshold_above(s, 200, 5, &above);
    assert_true(t > 1 && t < 1 + 1e-12 && above == 0);
    for (size_t i = 0; i < 200; i++)
        s[i] = (double)(i / 2);
    t = itemi_threshold_above(s, 200, 5, &above);
    assert_true(t > 97 && t < 97 + 1e-9);
    assert_int_equal(above, 4);
    t = itemi_threshold_above(s, 200, 4, &above);
    assert_true(t > 97 && t < 97 + 1e-9);
    assert_int_equal(above, 4);
    t = itemi_threshold_above(s, 200, 0, &above);
    assert_true(t > 99 && t < 99 + 1e-9);
    assert_int_equal(above, 0);
}

/* `real` needs as many AI pictures as its promise: ten for one in ten. */
static void few_pictures_make_no_point_for_real(void **state)
{
    (void)state;
    const double s[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    assert_true(isinf(itemi_real_point(s, 9, 0.1)) && itemi_real_point(s, 9, 0.1) < 0);
    double point = itemi_real_point(s, 12, 0.1);
    assert_true(point > 0 && point < 1e-300); /* above the lowest, and no further */
    itemi_rng rng = {5, 5, 0};
    double below = 0;
    for (size_t round = 0; round < 2000; round++) {
        double u[15];
        for (size_t i = 0; i < 15; i++)
            u[i] = itemi_rng_uniform(&rng);
        itemi_sort(u, 15);
        below += itemi_real_point(u, 15, 0.1) / 2000; /* uniform: the share below */
    }
    assert_near(below, 1.0 / 16, 0.006); /* one of 15, and the new one among 16 */
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

/*
 * Calibrated anew many times, on scores with ties and without: the true rate of the threshold, which
 * is known here, exceeds the promised one at most as often as the confidence says.
 */
static void promise_with_confidence_holds(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        double rate, confidence, steps; /* steps: scores are rounded up to 1 / steps; 0: not */
    } cases[] = {{59, 0.05, 0.95, 0},   {300, 0.05, 0.95, 0}, {299, 0.01, 0.95, 0},
                 {300, 0.05, 0.95, 25}, {500, 0.01, 0.8, 0},  {93, 0.05, 0.95, 1000}};
    const size_t rounds = 4000;
    itemi_rng rng = {6, 6, 0};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        size_t broken = 0;
        for (size_t round = 0; round < rounds; round++) {
            double s[500], steps = cases[c].steps;
            for (size_t i = 0; i < cases[c].n; i++) {
                double u = itemi_rng_uniform(&rng);
                s[i] = steps > 0 ? ceil(u * steps) / steps : u;
            }
            itemi_sort(s, cases[c].n);
            uint64_t k;
            size_t above;
            assert_true(itemi_allowed(cases[c].n, cases[c].rate, cases[c].confidence, &k));
            double t = itemi_threshold_above(s, cases[c].n, (size_t)k, &above);
            assert_true(above <= k);
            /* a threshold lies just above a step: what is rounded up to the next one reaches it */
            double rate = 1 - (steps > 0 ? floor(t * steps + 1e-9) / steps : t);
            broken += rate > cases[c].rate + 1e-9;
        }
        double share = (double)broken / (double)rounds, risk = 1 - cases[c].confidence;
        assert_true(share <= risk + 3 * sqrt(risk * (1 - risk) / (double)rounds));
        if (cases[c].steps == 0)
            assert_true(share > 0.3 * risk); /* and no more is given away than n forces */
    }
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
        cmocka_unit_test(promises_match_scipy),
        cmocka_unit_test(few_pictures_make_no_point_for_real),
        cmocka_unit_test(promise_with_confidence_holds),
        cmocka_unit_test(quantiles_match_numpy),
        cmocka_unit_test(probabilities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
