/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics against scikit-learn, binomial intervals against SciPy, the bootstrap against theory. */
#include "math_tests.h"

#include "golden_math.h"

static void match_scikit_learn(void **state)
{
    (void)state;
    itemi_ranking r;
    assert_int_equal(itemi_rank(NULL, golden_p, golden_y, 240, &r, NULL), ITEM_OK);
    for (size_t i = 0; i < 2; i++) {
        const double *w = i ? golden_w : NULL, *golden = golden_metrics + 7 * i;
        assert_near(itemi_auc(&r, w), golden[0], 1e-12);
        assert_near(itemi_average_precision(&r, w), golden[1], 1e-12);
        assert_near(itemi_tpr_at(&r, w, 0.01), golden[2], 1e-12);
        assert_near(itemi_tpr_at(&r, w, 0.05), golden[3], 1e-12);
        assert_near(itemi_tpr_at(&r, w, 0.2), golden[4], 1e-12);
        assert_near(itemi_brier(golden_p, golden_y, w, 240), golden[5], 1e-12);
        assert_near(itemi_ece(&r, w, 10, NULL), golden[6], 1e-12);
    }
    itemi_ranking_free(&r);
}

static void ties_count_half(void **state)
{
    (void)state;
    const double s[4] = {1, 1, 1, 1}, split[4] = {2, 1, 1, 0};
    const uint8_t y[4] = {1, 0, 1, 0};
    itemi_ranking r;
    assert_int_equal(itemi_rank(NULL, s, y, 4, &r, NULL), ITEM_OK);
    assert_near(itemi_auc(&r, NULL), 0.5, 0);
    assert_near(itemi_tpr_at(&r, NULL, 0.5), 0, 0);
    itemi_ranking_free(&r);
    assert_int_equal(itemi_rank(NULL, split, y, 4, &r, NULL), ITEM_OK);
    assert_near(itemi_auc(&r, NULL), 3.5 / 4, 0);
    itemi_ranking_free(&r);
}

static void missing_labels_give_nothing(void **state)
{
    (void)state;
    const double s[2] = {0.1, 0.2}, nothing[2] = {1, 0}, bad[2] = {0, NAN};
    const uint8_t y[2] = {0, 0}, both[2] = {0, 1};
    itemi_ranking r;
    assert_int_equal(itemi_rank(NULL, s, y, 2, &r, NULL), ITEM_OK);
    assert_true(isnan(itemi_auc(&r, NULL)) && isnan(itemi_average_precision(&r, NULL)));
    assert_true(isnan(itemi_tpr_at(&r, NULL, 0.1)));
    itemi_ranking_free(&r);
    assert_int_equal(itemi_rank(NULL, s, both, 2, &r, NULL), ITEM_OK);
    assert_true(isnan(itemi_auc(&r, nothing)));
    itemi_ranking_free(&r);
    assert_int_equal(itemi_rank(NULL, bad, both, 2, &r, NULL), ITEM_E_ARGUMENT);
    assert_null(r.order);
    assert_int_equal(itemi_rank(NULL, NULL, NULL, 0, &r, NULL), ITEM_OK);
    assert_true(isnan(itemi_auc(&r, NULL)) && isnan(itemi_ece(&r, NULL, 5, NULL)));
    itemi_ranking_free(&r);
}

/* The area under the corners is the AUC; corners on a straight line are left out. */
static void roc_corners_span_the_auc(void **state)
{
    (void)state;
    const double s[8] = {9, 8, 7, 6, 6, 5, 4, 3};
    const uint8_t y[8] = {1, 1, 0, 1, 0, 1, 0, 0}, one[8] = {0};
    const double wanted[6][2] = {{0, 0}, {0, 0.5}, {0.25, 0.5}, {0.5, 0.75}, {0.5, 1}, {1, 1}};
    double x[241], t[241], area = 0;
    itemi_ranking r;
    assert_int_equal(itemi_rank(NULL, s, y, 8, &r, NULL), ITEM_OK);
    assert_int_equal(itemi_roc(&r, x, t), 6);
    for (size_t i = 0; i < 6; i++) {
        assert_near(x[i], wanted[i][0], 0);
        assert_near(t[i], wanted[i][1], 0);
    }
    itemi_ranking_free(&r);
    assert_int_equal(itemi_rank(NULL, golden_p, golden_y, 240, &r, NULL), ITEM_OK);
    size_t n = itemi_roc(&r, x, t);
    for (size_t i = 1; i < n; i++)
        area += (x[i] - x[i - 1]) * (t[i] + t[i - 1]) / 2;
    assert_near(area, itemi_auc(&r, NULL), 1e-12);
    assert_near(x[n - 1] + t[n - 1], 2, 0);
    itemi_ranking_free(&r);
    assert_int_equal(itemi_rank(NULL, s, one, 8, &r, NULL), ITEM_OK);
    assert_int_equal(itemi_roc(&r, x, t), 0);
    itemi_ranking_free(&r);
}

static void bins_hold_equal_weight(void **state)
{
    (void)state;
    itemi_ranking r;
    itemi_bin bin[8];
    assert_int_equal(itemi_rank(NULL, golden_p, golden_y, 240, &r, NULL), ITEM_OK);
    itemi_ece(&r, NULL, 8, bin);
    for (size_t b = 0; b < 8; b++) {
        assert_near(bin[b].weight, 30, 0);
        assert_true(b == 0 || bin[b].mean >= bin[b - 1].mean);
    }
    itemi_ranking_free(&r);
}

static void binomial_matches_scipy(void **state)
{
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        const double *row = golden_binomial + 4 * i;
        itemi_interval out = itemi_binomial((uint64_t)row[0], (uint64_t)row[1], 0.95);
        assert_near(out.low, row[2], 1e-10);
        assert_near(out.high, row[3], 1e-10);
    }
    itemi_interval none = itemi_binomial(0, 0, 0.95);
    assert_near(none.low, 0, 0);
    assert_near(none.high, 1, 0);
}

/* Mean of row numbers below 100, and a number that never exists. */
static void mean_statistic(void *user, const double *weight, double *out)
{
    const double *values = user;
    double sum = 0, mass = 0;
    for (size_t i = 0; i < 400; i++) {
        sum += weight[i] * values[i];
        mass += weight[i];
    }
    out[0] = sum / mass;
    out[1] = NAN;
    out[2] = mass;
}

static void bootstrap(uint64_t seed, const uint32_t *scene, itemi_interval out[3])
{
    static double values[400];
    static uint8_t label[400];
    static uint32_t source[400];
    for (uint32_t i = 0; i < 400; i++) {
        values[i] = itemi_rng_uniform(&(itemi_rng){1, 1, i / 10}); /* tens are equal */
        label[i] = i % 2;
        source[i] = i % 4 / 2;
    }
    const itemi_groups groups = {400, label, source, source, scene};
    const itemi_draws draws = {1000, seed, 0.95, NULL};
    assert_int_equal(itemi_bootstrap(NULL, &groups, &draws, mean_statistic, values, 3, out, NULL),
                     ITEM_OK);
}

static void bootstrap_is_stratified_and_repeats(void **state)
{
    (void)state;
    uint32_t loose[400], tens[400], one[400] = {0};
    for (uint32_t i = 0; i < 400; i++) {
        loose[i] = ITEMI_NO_GROUP;
        tens[i] = i / 10;
    }
    itemi_interval a[3], b[3], c[3], by_scene[3], all_alike[3];
    bootstrap(1, loose, a);
    bootstrap(1, loose, b);
    bootstrap(2, loose, c);
    bootstrap(1, tens, by_scene);
    assert_near(a[0].low, b[0].low, 0);
    assert_true(a[0].low != c[0].low);
    assert_true(isnan(a[1].low) && isnan(a[1].high));
    assert_near(a[2].low, 400, 0); /* rows of a stratum stay as many */
    assert_near(a[2].high, 400, 0);

    /* Uniform numbers: deviation of the mean 0.29 / sqrt(400) = 0.0144, 1.96 of it each way. */
    double width = a[0].high - a[0].low;
    assert_near(width, 2 * 1.96 * 0.0144, 0.015);
    /* Scenes of equal values carry less: wider, although each scene is cut by four strata. */
    assert_true(by_scene[0].high - by_scene[0].low > 1.25 * width);
    /* One scene for all says nothing, and must not make an interval without width. */
    bootstrap(1, one, all_alike);
    assert_near(all_alike[0].low, a[0].low, 0);
    assert_near(all_alike[0].high, a[0].high, 0);
}

/* What a statistic that takes long leaves behind when somebody loses patience. */
typedef struct patience {
    item_cancel *cancel;
    int left, draws;
} patience;

static void lose_patience(void *user, const double *weight, double *out)
{
    patience *p = user;
    *out = weight[0];
    p->draws++;
    if (--p->left == 0)
        item_cancel_set(p->cancel);
}

static void bootstrap_ends_when_cancelled(void **state)
{
    (void)state;
    const uint8_t label[2] = {0, 1};
    const uint32_t source[2] = {0, 0}, scene[2] = {ITEMI_NO_GROUP, ITEMI_NO_GROUP};
    const itemi_groups groups = {2, label, source, source, scene};
    patience p = {.left = 3};
    item_error err = ITEM_ERROR_INIT;
    itemi_interval out;
    assert_int_equal(item_cancel_new(&p.cancel, NULL), ITEM_OK);
    const itemi_draws draws = {1000, 1, 0.95, p.cancel};
    assert_int_equal(itemi_bootstrap(NULL, &groups, &draws, lose_patience, &p, 1, &out, &err),
                     ITEM_E_CANCELLED);
    assert_int_equal(err.code, ITEM_E_CANCELLED);
    assert_int_equal(p.draws, 3);
    item_cancel_unref(p.cancel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(match_scikit_learn),
        cmocka_unit_test(ties_count_half),
        cmocka_unit_test(missing_labels_give_nothing),
        cmocka_unit_test(roc_corners_span_the_auc),
        cmocka_unit_test(bins_hold_equal_weight),
        cmocka_unit_test(binomial_matches_scipy),
        cmocka_unit_test(bootstrap_is_stratified_and_repeats),
        cmocka_unit_test(bootstrap_ends_when_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
