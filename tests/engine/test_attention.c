/* SPDX-License-Identifier: Apache-2.0 */
/* Attention and linear layers by oneDNN against sums in double precision. */
#include <math.h>
#include <stdlib.h>

#include "backends/torch/onednn.h"

#include "cmocka_all.h"

#define HEADS 3
#define EACH  8
#define WIDTH (HEADS * EACH)

static float *numbers(size_t n, unsigned seed)
{
    float *out = malloc(n * sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        out[i] = (float)(seed >> 8) / (float)(1u << 23) - 1.0f;
    }
    return out;
}

/* One number of one row: the weighted mean of a column of the values. */
static double wanted(const itx_attention_job *j, int64_t n, int64_t row, int64_t column)
{
    const int64_t at = column / EACH * EACH;
    double sum = 0.0, mean = 0.0, most = -INFINITY;
    double *scores = malloc((size_t)j->b * sizeof *scores);
    assert_non_null(scores);
    for (int64_t b = 0; b < j->b; b++) {
        double dot = 0.0;
        for (int64_t e = at; e < at + EACH; e++)
            dot += (double)j->q.data[n * j->q.batch + row * j->q.row + e] *
                   (double)j->k.data[n * j->k.batch + b * j->k.row + e];
        scores[b] = dot / sqrt(EACH) + (j->mask ? (double)j->mask[row * j->b + b] : 0.0);
        most = fmax(most, scores[b]);
    }
    for (int64_t b = 0; b < j->b; b++) {
        sum += exp(scores[b] - most);
        mean += exp(scores[b] - most) * (double)j->v.data[n * j->v.batch + b * j->v.row + column];
    }
    free(scores);
    return mean / sum;
}

static itx_attention_job make(int64_t n, int64_t a, int64_t b)
{
    itx_attention_job j = {.n = n, .a = a, .b = b, .heads = HEADS, .each = EACH};
    j.q = (itx_heads){numbers((size_t)(n * a * WIDTH), 1), WIDTH, a * WIDTH};
    j.k = (itx_heads){numbers((size_t)(n * b * WIDTH), 2), WIDTH, b * WIDTH};
    j.v = (itx_heads){numbers((size_t)(n * b * WIDTH), 3), WIDTH, b * WIDTH};
    j.y = numbers((size_t)(n * a * WIDTH), 4);
    return j;
}

static void drop(itx_attention_job *j)
{
    free((void *)(uintptr_t)j->q.data);
    free((void *)(uintptr_t)j->k.data);
    free((void *)(uintptr_t)j->v.data);
    free(j->y);
}

static void expect_right(const itx_attention_job *j)
{
    assert_true(itx_onednn_attention(j));
    for (int64_t i = 0; i < j->n * j->a; i++)
        for (int64_t c = 0; c < WIDTH; c++)
            assert_true(fabs((double)j->y[i * WIDTH + c] - wanted(j, i / j->a, i % j->a, c)) <
                        2e-6);
}

static void lengths_of_all_kinds(void **state)
{
    static const int64_t lengths[][3] = {
        {1, 1, 1}, {2, 1, 7}, {3, 50, 50}, {1, 17, 33}, {1, 9, 5000}};
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        itx_attention_job j = make(lengths[i][0], lengths[i][1], lengths[i][2]);
        expect_right(&j);
        drop(&j);
    }
}

/* What a mask hides counts for nothing, however large its score is. */
static void hidden_places_do_not_count(void **state)
{
    itx_attention_job j = make(1, 6, 6);
    float *k = (float *)(uintptr_t)j.k.data, mask[36];
    (void)state;
    for (int e = 0; e < WIDTH; e++)
        k[e] *= 1000.0f;
    for (int i = 0; i < 36; i++)
        mask[i] = i % 6 == 0 || i % 6 > i / 6 + 1 ? -INFINITY : 0.0f;
    j.mask = mask;
    expect_right(&j);
    drop(&j);
}

static void not_a_number_stays_none(void **state)
{
    itx_attention_job j = make(1, 4, 40);
    (void)state;
    ((float *)(uintptr_t)j.k.data)[39 * WIDTH] = NAN;
    assert_true(itx_onednn_attention(&j));
    for (int e = 0; e < EACH; e++)
        assert_true(isnan(j.y[e]) && !isnan(j.y[EACH + e]));
    drop(&j);
}

static void linear_layers_with_and_without_bias(void **state)
{
    float *x = numbers(5 * 12, 5), *w = numbers(7 * 12, 6), *b = numbers(7, 7), y[5 * 7];
    (void)state;
    for (int with = 0; with < 2; with++) {
        const itx_onednn_job job = {x, w, with ? b : NULL, y, 5, 12, 7, with ? ITX_GELU : ITX_NONE};
        assert_true(itx_onednn_linear(&job));
        for (int i = 0; i < 5 * 7; i++) {
            double sum = with ? (double)b[i % 7] : 0.0;
            for (int e = 0; e < 12; e++)
                sum += (double)x[i / 7 * 12 + e] * (double)w[i % 7 * 12 + e];
            const double right = with ? sum * 0.5 * (1.0 + erf(sum / sqrt(2.0))) : sum;
            assert_true(fabs((double)y[i] - right) < 2e-6);
        }
    }
    free(x);
    free(w);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_of_all_kinds),
        cmocka_unit_test(hidden_places_do_not_count),
        cmocka_unit_test(not_a_number_stays_none),
        cmocka_unit_test(linear_layers_with_and_without_bias),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
