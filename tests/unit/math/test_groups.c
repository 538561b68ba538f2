/* SPDX-License-Identifier: Apache-2.0 */
/* Weights by source and label; folds that never split a source, a generator or a scene. */
#include "math_tests.h"

#define NO ITEMI_NO_GROUP

/* Two paired sources, a third of photographs alone, a fourth of AI pictures of generator 0. */
static const uint8_t label[12] = {1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0};
static const uint32_t source[12] = {0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, NO};
static const uint32_t generator[12] = {0, 1, 2, 2, 2, 3, 2, 2, 2, 0, 4, 2};
static const uint32_t scene[12] = {5, 5, NO, 6, 6, NO, NO, 7, 7, NO, 8, NO};
static const itemi_groups groups = {12, label, source, generator, scene};

static void weights_are_equal_by_source(void **state)
{
    (void)state;
    uint32_t rows[12];
    double weight[12];
    for (uint32_t i = 0; i < 12; i++)
        rows[i] = i;
    assert_int_equal(itemi_balance(NULL, &groups, (itemi_rows){rows, 12}, weight, NULL), ITEM_OK);
    double cell[2][5] = {{0}}, total = 0;
    for (size_t i = 0; i < 12; i++) {
        cell[label[i]][source[i] == NO ? 4 : source[i]] += weight[i];
        total += weight[i];
    }
    assert_near(total, 12, 1e-12);
    for (size_t s = 0; s < 5; s++) {
        assert_near(cell[0][s], s == 3 ? 0 : 1.5, 1e-12);         /* 4 sources share 6 */
        assert_near(cell[1][s], s == 2 || s == 4 ? 0 : 2, 1e-12); /* 3 sources share 6 */
    }

    weight[0] = -7;
    assert_int_equal(itemi_balance(NULL, &groups, (itemi_rows){rows + 2, 3}, weight, NULL),
                     ITEM_OK);
    assert_near(weight[0], -7, 0); /* rows that were not named */
    assert_near(weight[3], 1, 1e-12);
}

static void check_whole(itemi_fold_unit unit, size_t most, size_t expected)
{
    uint32_t fold[12];
    size_t folds;
    assert_int_equal(itemi_folds(NULL, &groups, unit, most, fold, &folds, NULL), ITEM_OK);
    assert_int_equal(folds, expected);
    size_t seen = 0;
    for (size_t i = 0; i < 12; i++) {
        assert_true(fold[i] < folds);
        seen |= (size_t)1 << fold[i];
        for (size_t j = 0; j < 12; j++) {
            bool same = scene[i] == scene[j] && scene[i] != NO;
            if (unit != ITEMI_FOLD_SCENE)
                same |= label[i] && label[j] && generator[i] == generator[j];
            if (unit == ITEMI_FOLD_SOURCE)
                same |= source[i] == source[j] && source[i] != NO;
            assert_true(!same || fold[i] == fold[j]);
        }
    }
    assert_int_equal(seen, ((size_t)1 << folds) - 1); /* none is empty */
}

static void folds_keep_groups_whole(void **state)
{
    (void)state;
    /* generator 0 joins sources 0 and 3: {0, 3}, {1}, {2} and the row without source */
    check_whole(ITEMI_FOLD_SOURCE, 10, 4);
    check_whole(ITEMI_FOLD_SOURCE, 2, 2);
    /* {0, 1, 9}, {2}, {3, 4}, {5}, {6}, {7, 8}, {10}, {11} */
    check_whole(ITEMI_FOLD_GENERATOR, 10, 8);
    check_whole(ITEMI_FOLD_GENERATOR, 5, 5);
    check_whole(ITEMI_FOLD_SCENE, 99, 9);
    check_whole(ITEMI_FOLD_SCENE, 1, 1);
}

static void folds_are_even(void **state)
{
    (void)state;
    enum { N = 400 };
    uint8_t labels[N];
    uint32_t unknown[N], fold[N];
    size_t folds, of[4][2] = {{0}};
    for (size_t i = 0; i < N; i++) {
        labels[i] = i < 100;
        unknown[i] = NO;
    }
    const itemi_groups loose = {N, labels, unknown, unknown, unknown};
    assert_int_equal(itemi_folds(NULL, &loose, ITEMI_FOLD_SOURCE, 4, fold, &folds, NULL), ITEM_OK);
    for (size_t i = 0; i < N; i++)
        of[fold[i]][labels[i]]++;
    for (size_t f = 0; f < 4; f++) {
        assert_int_equal(of[f][0], 75);
        assert_int_equal(of[f][1], 25);
    }
    assert_int_equal(itemi_folds(NULL, &loose, ITEMI_FOLD_SOURCE, 0, fold, &folds, NULL),
                     ITEM_E_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_equal_by_source),
        cmocka_unit_test(folds_keep_groups_whole),
        cmocka_unit_test(folds_are_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
