/* SPDX-License-Identifier: Apache-2.0 */
/* The network and its training: gradients, XOR, logistic regression, the same bytes again. */
#include "math_tests.h"

#include "golden_math.h"
#include "math/net.h"

#define ROWS 200

static uint32_t all_rows[ROWS];
static const itemi_rows none = {NULL, 0};

static itemi_rows first_rows(size_t count)
{
    for (size_t i = 0; i < ROWS; i++)
        all_rows[i] = (uint32_t)i;
    return (itemi_rows){all_rows, count};
}

static void gradients_match_differences(void **state)
{
    (void)state;
    const size_t widths[][5] = {{5, 1}, {5, 4, 1}, {6, 5, 4, 1}, {7, 6, 5, 3, 1}};
    for (size_t layers = 1; layers <= 4; layers++) {
        itemi_net net;
        assert_true(itemi_net_init(NULL, layers, widths[layers - 1], &net));
        itemi_rng rng = {layers, 7, 0};
        for (size_t i = 0; i < net.count; i++)
            net.params[i] = itemi_rng_uniform(&rng) - 0.4;
        for (size_t i = 0; i < net.width[0]; i++)
            net.active[0][i] = 2 * itemi_rng_uniform(&rng) - 1;

        const itemi_rng dropped = {3, 8, 0};
        itemi_rng mask = dropped;
        itemi_net_forward(&net, 0.3, &mask);
        itemi_net_backward(&net, 1.0);
        double largest = 0;
        for (size_t i = 0; i < net.count; i++) {
            const double step = 1e-6;
            double kept = net.params[i];
            net.params[i] = kept + step;
            mask = dropped;
            double up = itemi_net_forward(&net, 0.3, &mask);
            net.params[i] = kept - step;
            mask = dropped;
            double down = itemi_net_forward(&net, 0.3, &mask);
            net.params[i] = kept;
            assert_near(net.grad[i], (up - down) / (2 * step), 1e-7);
            largest = fmax(largest, fabs(net.grad[i]));
        }
        assert_true(largest > 1e-3); /* not everything was switched off */
        itemi_net_free(&net);
    }
}

static itemi_train_options plain_options(void)
{
    return (itemi_train_options){
        .epochs = 200, .batch = 20, .learning_rate = 0.05, .penalty = 1e-9, .seed = 1};
}

static void makes_logistic_regression(void **state)
{
    (void)state;
    const itemi_samples samples = {200, 5, golden_lr_x, golden_lr_y, golden_lr_w};
    itemi_train_options options = plain_options();
    itemi_mlp mlp;
    itemi_train_log log;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(
        itemi_mlp_train(NULL, &samples, first_rows(200), none, &options, &mlp, &log, &err),
        ITEM_OK);
    assert_int_equal(mlp.layers, 1);
    for (size_t i = 0; i < 5; i++) {
        assert_near(mlp.mean[i], golden_lr[i], 1e-6);
        assert_near(mlp.scale[i] / golden_lr[5 + i], 1, 1e-6);
        assert_near(mlp.weight[0][i], golden_lr[10 + i], 1e-5);
    }
    assert_near(mlp.bias[0][0], golden_lr[15], 1e-5);
    assert_true(log.loss < 0.8 * log.first_loss);
    itemi_mlp_free(&mlp);
}

/* At the answer the penalty balances the loss: each weight is what the gradient says. */
static void penalty_shrinks_weights(void **state)
{
    (void)state;
    const itemi_samples samples = {200, 5, golden_lr_x, golden_lr_y, golden_lr_w};
    itemi_train_options options = plain_options();
    double total = 0, last = HUGE_VAL;
    for (size_t r = 0; r < 200; r++)
        total += golden_lr_w[r];
    for (double penalty = 1e-3; penalty < 2000; penalty *= 10) {
        options.penalty = penalty;
        itemi_mlp mlp;
        itemi_train_log log;
        assert_int_equal(
            itemi_mlp_train(NULL, &samples, first_rows(200), none, &options, &mlp, &log, NULL),
            ITEM_OK);
        double gradient[6] = {0}, norm = 0;
        float scratch[16];
        for (size_t r = 0; r < 200; r++) {
            const float *x = golden_lr_x + 5 * r;
            double p = itemi_sigmoid((double)itemi_mlp_logit(&mlp, x, scratch));
            double wrong = golden_lr_w[r] / total * (p - golden_lr_y[r]);
            for (size_t f = 0; f < 5; f++)
                gradient[f] += wrong * ((double)x[f] - (double)mlp.mean[f]) * (double)mlp.scale[f];
            gradient[5] += wrong;
        }
        for (size_t f = 0; f < 5; f++) {
            assert_near(gradient[f] + penalty * (double)mlp.weight[0][f], 0, 1e-6);
            norm += (double)mlp.weight[0][f] * (double)mlp.weight[0][f];
        }
        assert_near(gradient[5], 0, 1e-6); /* the bias is free */
        assert_true(norm < last && norm > 0);
        last = norm;
        itemi_mlp_free(&mlp);
    }
}

static void learns_xor(void **state)
{
    (void)state;
    float x[ROWS * 2];
    uint8_t y[ROWS];
    double w[ROWS];
    itemi_rng rng = {5, 5, 0};
    for (size_t i = 0; i < ROWS; i++) {
        x[2 * i] = (float)itemi_rng_uniform(&rng) - 0.5f;
        x[2 * i + 1] = (float)itemi_rng_uniform(&rng) - 0.5f;
        y[i] = (x[2 * i] > 0) != (x[2 * i + 1] > 0);
        w[i] = 1;
    }
    const itemi_samples samples = {ROWS, 2, x, y, w};
    itemi_train_options options = plain_options();
    options.hidden = 1;
    options.hidden_width[0] = 16;
    itemi_mlp mlp;
    itemi_train_log log;
    assert_int_equal(
        itemi_mlp_train(NULL, &samples, first_rows(ROWS), none, &options, &mlp, &log, NULL),
        ITEM_OK);
    assert_true(log.loss < 0.5 * log.first_loss);
    float scratch[64];
    assert_true(itemi_mlp_scratch(&mlp) <= 64);
    size_t right = 0;
    for (size_t i = 0; i < ROWS; i++)
        right += (itemi_mlp_logit(&mlp, x + 2 * i, scratch) > 0) == (y[i] == 1);
    assert_true(right >= ROWS * 97 / 100);
    itemi_mlp_free(&mlp);
}

/* Bytes of a network trained with dropout, early stopping and a seed. */
static size_t train_bytes(uint64_t seed, float bytes[400], itemi_train_log *log)
{
    const itemi_samples samples = {200, 5, golden_lr_x, golden_lr_y, golden_lr_w};
    itemi_train_options options = plain_options();
    options.hidden = 2;
    options.hidden_width[0] = 12;
    options.hidden_width[1] = 6;
    options.dropout = 0.3;
    options.weight_decay = 0.01;
    options.patience = 5;
    options.seed = seed;
    itemi_rows rows = first_rows(ROWS);
    itemi_mlp mlp;
    assert_int_equal(itemi_mlp_train(NULL, &samples, (itemi_rows){rows.index, 150},
                                     (itemi_rows){rows.index + 150, 50}, &options, &mlp, log, NULL),
                     ITEM_OK);
    size_t count = (size_t)(mlp.bias[2] + 1 - mlp.mean);
    assert_true(count <= 400);
    memcpy(bytes, mlp.mean, count * sizeof *bytes);
    itemi_mlp_free(&mlp);
    return count;
}

static void same_seed_same_bytes(void **state)
{
    (void)state;
    float a[400], b[400], c[400];
    itemi_train_log log, again;
    size_t count = train_bytes(11, a, &log);
    assert_int_equal(train_bytes(11, b, &again), count);
    assert_memory_equal(a, b, count * sizeof *a);
    assert_memory_equal(&log, &again, sizeof log);
    train_bytes(12, c, &again);
    assert_memory_not_equal(a, c, count * sizeof *a);
}

static void stops_early_and_keeps_the_best(void **state)
{
    (void)state;
    float bytes[400];
    itemi_train_log log;
    train_bytes(11, bytes, &log);
    assert_true(log.epochs < 200);
    assert_int_equal(log.epochs, log.best_epoch + 5);
    assert_true(isfinite(log.valid_loss));
}

static void decay_shrinks_weights(void **state)
{
    (void)state;
    const itemi_samples samples = {200, 5, golden_lr_x, golden_lr_y, golden_lr_w};
    itemi_train_options options = plain_options();
    options.hidden = 1;
    options.hidden_width[0] = 4;
    double norm[2] = {0, 0};
    for (size_t i = 0; i < 2; i++) {
        options.weight_decay = i ? 1.0 : 0.0;
        itemi_mlp mlp;
        itemi_train_log log;
        assert_int_equal(
            itemi_mlp_train(NULL, &samples, first_rows(200), none, &options, &mlp, &log, NULL),
            ITEM_OK);
        for (size_t j = 0; j < 20; j++)
            norm[i] += (double)mlp.weight[0][j] * (double)mlp.weight[0][j];
        itemi_mlp_free(&mlp);
    }
    assert_true(norm[1] < 0.8 * norm[0]);
}

static void constant_features_are_ignored(void **state)
{
    (void)state;
    const float x[8] = {0.3f, 1, 0.3f, 2, 0.3f, 3, 0.3f, 4};
    const uint8_t y[4] = {0, 0, 1, 1};
    const double w[4] = {1, 1, 1, 1};
    const itemi_samples samples = {4, 2, x, y, w};
    itemi_train_options options = plain_options();
    itemi_mlp mlp;
    itemi_train_log log;
    assert_int_equal(
        itemi_mlp_train(NULL, &samples, first_rows(4), none, &options, &mlp, &log, NULL), ITEM_OK);
    assert_true(mlp.scale[0] == 0);
    const float far[2] = {99, 2.5f}, away[2] = {0.3f, 2.5f + 10 * 1.1180340f};
    assert_near(itemi_mlp_distance(&mlp, far), 0, 1e-6);
    assert_near(itemi_mlp_distance(&mlp, away), 10, 1e-4);
    itemi_mlp_free(&mlp);
}

static bool stop_at_third(void *user)
{
    return ++*(size_t *)user < 3;
}

static void refuses_what_makes_no_sense(void **state)
{
    (void)state;
    float x[ROWS * 5];
    memcpy(x, golden_lr_x, sizeof x);
    const itemi_samples samples = {ROWS, 5, x, golden_lr_y, golden_lr_w};
    itemi_train_options good = plain_options(), bad[9];
    for (size_t i = 0; i < 9; i++)
        bad[i] = good;
    bad[0].hidden = 4;
    bad[1].hidden = 1; /* of no units */
    bad[2].epochs = 0;
    bad[3].batch = 0;
    bad[4].learning_rate = NAN;
    bad[5].dropout = 1;
    bad[6].weight_decay = -1;
    bad[7].penalty = 0;
    bad[8].penalty = NAN;
    itemi_mlp mlp;
    itemi_train_log log;
    for (size_t i = 0; i < 9; i++) {
        item_error err = ITEM_ERROR_INIT;
        assert_int_equal(
            itemi_mlp_train(NULL, &samples, first_rows(ROWS), none, &bad[i], &mlp, &log, &err),
            ITEM_E_ARGUMENT);
        assert_true(strlen(err.message) > 10);
        assert_null(mlp.mean);
    }

    size_t asked = 0;
    good.go_on = stop_at_third;
    good.user = &asked;
    assert_int_equal(
        itemi_mlp_train(NULL, &samples, first_rows(ROWS), none, &good, &mlp, &log, NULL),
        ITEM_E_CANCELLED);
    assert_int_equal(asked, 3);

    item_error err = ITEM_ERROR_INIT;
    x[7] = NAN;
    assert_int_equal(
        itemi_mlp_train(NULL, &samples, first_rows(ROWS), none, &good, &mlp, &log, &err),
        ITEM_E_ARGUMENT);
    assert_non_null(strstr(err.message, "row 1 "));

    const uint8_t real[4] = {0, 0, 0, 0};
    const itemi_samples one = {4, 1, golden_lr_x, real, golden_lr_w};
    err = (item_error)ITEM_ERROR_INIT;
    assert_int_equal(itemi_mlp_train(NULL, &one, first_rows(4), none, &good, &mlp, &log, &err),
                     ITEM_E_ARGUMENT);
    assert_non_null(strstr(err.message, "`ai` is missing"));
}

static void forward_by_hand(void **state)
{
    (void)state;
    itemi_mlp mlp = {.layers = 2, .width = {2, 2, 1}};
    assert_true(itemi_mlp_reserve(NULL, &mlp));
    const float mean[2] = {1, 2}, scale[2] = {2, 0.5f}, weight[4] = {1, -1, 0.5f, 2};
    memcpy(mlp.mean, mean, sizeof mean);
    memcpy(mlp.scale, scale, sizeof scale);
    memcpy(mlp.weight[0], weight, sizeof weight);
    mlp.bias[0][0] = -3;
    mlp.bias[0][1] = 1;
    mlp.weight[1][0] = 100;
    mlp.weight[1][1] = 3;
    mlp.bias[1][0] = -0.25f;
    /* (2, 6) becomes (2, 2): units 2 - 2 - 3 < 0 and 1 + 4 + 1 = 6; 3 x 6 - 0.25 */
    const float x[2] = {2, 6}, unknown[2] = {NAN, 0};
    float scratch[8];
    assert_near(itemi_mlp_logit(&mlp, x, scratch), 17.75, 0);
    assert_true(isnan(itemi_mlp_logit(&mlp, unknown, scratch)));
    itemi_mlp copy;
    assert_true(itemi_mlp_copy(NULL, &mlp, &copy));
    itemi_mlp_free(&mlp);
    assert_near(itemi_mlp_logit(&copy, x, scratch), 17.75, 0);
    itemi_mlp_free(&copy);
    itemi_mlp_free(&copy);
}

static void random_numbers(void **state)
{
    (void)state;
    itemi_rng a = {1, 2, 0}, b = {1, 2, 0}, c = {1, 3, 0}, d = {2, 2, 0};
    double sum = 0;
    size_t seen[7] = {0};
    for (size_t i = 0; i < 7000; i++) {
        uint64_t value = itemi_rng_next(&a);
        assert_true(value == itemi_rng_next(&b));
        assert_true(value != itemi_rng_next(&c) && value != itemi_rng_next(&d));
        seen[itemi_rng_below(&b, 7)]++;
        a.counter = b.counter;
        c.counter = d.counter = b.counter;
        double u = itemi_rng_uniform(&(itemi_rng){9, 9, i});
        assert_true(u >= 0 && u < 1);
        sum += u;
    }
    assert_near(sum / 7000, 0.5, 0.02);
    for (size_t i = 0; i < 7; i++)
        assert_near(seen[i], 1000, 150);

    uint32_t items[50];
    bool found[50] = {false};
    for (uint32_t i = 0; i < 50; i++)
        items[i] = i;
    itemi_rng_shuffle(&a, items, 50);
    size_t fixed = 0;
    for (uint32_t i = 0; i < 50; i++) {
        assert_false(found[items[i]]);
        found[items[i]] = true;
        fixed += items[i] == i;
    }
    assert_true(fixed < 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_match_differences),
        cmocka_unit_test(makes_logistic_regression),
        cmocka_unit_test(penalty_shrinks_weights),
        cmocka_unit_test(learns_xor),
        cmocka_unit_test(same_seed_same_bytes),
        cmocka_unit_test(stops_early_and_keeps_the_best),
        cmocka_unit_test(decay_shrinks_weights),
        cmocka_unit_test(constant_features_are_ignored),
        cmocka_unit_test(refuses_what_makes_no_sense),
        cmocka_unit_test(forward_by_hand),
        cmocka_unit_test(random_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
