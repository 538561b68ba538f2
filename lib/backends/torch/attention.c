/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attention in one pass over blocks of rows, where oneDNN is: scores of a block stay in the
 * processor's cache, nothing is laid out anew, and what lies between is not written to memory.
 */
#include "onednn.h"

#include <dnnl.h>
#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SCORES     65536 /* numbers of a block: a quarter of a MB */
#define ROWS_LEAST 16    /* below that a product is slow */

/* ---- softmax ---- */

/*
 * exp(x) for x <= 0 within 2e-7 of it: 2^n times a polynomial, as in Cephes' expf. Written so that
 * a compiler makes vectors of it, which the library's function does not allow.
 */
static inline float exp_below(float x)
{
    x = x < -87.0f ? -87.0f : x;
    const float n = rintf(x * 1.44269504f);
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    const uint32_t bits = (uint32_t)((int32_t)n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return (p * r * r + r + 1.0f) * power;
}

#define LANES 16 /* sums that go side by side, so that they are vectors too */

/* A row's own: `hidden` is added to it, or NULL. A number that is none stays none. */
#define SOFTMAX(name, target)                                                                      \
    target static void name(float *s, const float *hidden, size_t n)                               \
    {                                                                                              \
        float most[LANES], sum[LANES] = {0.0f};                                                    \
        for (size_t i = 0; hidden && i < n; i++)                                                   \
            s[i] += hidden[i];                                                                     \
        for (size_t l = 0; l < LANES; l++)                                                         \
            most[l] = s[0];                                                                        \
        size_t whole = n - n % LANES;                                                              \
        for (size_t i = 0; i < whole; i += LANES)                                                  \
            for (size_t l = 0; l < LANES; l++)                                                     \
                most[l] = s[i + l] > most[l] ? s[i + l] : most[l];                                 \
        for (size_t i = whole; i < n; i++)                                                         \
            most[0] = s[i] > most[0] ? s[i] : most[0];                                             \
        for (size_t l = 1; l < LANES; l++)                                                         \
            most[0] = most[l] > most[0] ? most[l] : most[0];                                       \
        for (size_t i = 0; i < whole; i += LANES)                                                  \
            for (size_t l = 0; l < LANES; l++)                                                     \
                sum[l] += s[i + l] = exp_below(s[i + l] - most[0]);                                \
        for (size_t i = whole; i < n; i++)                                                         \
            sum[0] += s[i] = exp_below(s[i] - most[0]);                                            \
        for (size_t l = 1; l < LANES; l++)                                                         \
            sum[0] += sum[l];                                                                      \
        const float scale = 1.0f / sum[0];                                                         \
        for (size_t i = 0; i < n; i++)                                                             \
            s[i] *= scale;                                                                         \
    }

typedef void softmax(float *s, const float *hidden, size_t n);

SOFTMAX(softmax_plain, )
#ifdef __x86_64__
SOFTMAX(softmax_avx2, __attribute__((target("avx2,fma"))))
SOFTMAX(softmax_avx512, __attribute__((target("avx512f,avx512dq"))))
#endif

static softmax *best_softmax(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
        return softmax_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return softmax_avx2;
#endif
    return softmax_plain;
}

/* ---- blocks ---- */

/* Rows from..to of one head of one member of the batch. */
static int block(const itx_attention_job *j, int64_t unit, int64_t from, int64_t rows,
                 softmax *normalise, float *scores)
{
    const int64_t n = unit / j->heads, at = unit % j->heads * j->each;
    const float *q = j->q.data + n * j->q.batch + from * j->q.row + at;
    const float *k = j->k.data + n * j->k.batch + at, *v = j->v.data + n * j->v.batch + at;
    float *y = j->y + (n * j->a + from) * j->heads * j->each + at;
    const float scale = 1.0f / sqrtf((float)j->each);
    if (dnnl_sgemm('N', 'T', rows, j->b, j->each, scale, q, j->q.row, k, j->k.row, 0.0f, scores,
                   j->b) != dnnl_success)
        return 0;
    for (int64_t r = 0; r < rows; r++)
        normalise(scores + r * j->b, j->mask ? j->mask + (from + r) * j->b : NULL, (size_t)j->b);
    return dnnl_sgemm('N', 'N', rows, j->each, j->b, 1.0f, scores, j->b, v, j->v.row, 0.0f, y,
                      j->heads * j->each) == dnnl_success;
}

int itx_onednn_attention(const itx_attention_job *j)
{
    int64_t rows = SCORES / (j->b > 0 ? j->b : 1);
    rows = rows < ROWS_LEAST ? ROWS_LEAST : rows;
    rows = rows < j->a ? rows : j->a;
    if (rows <= 0 || j->b <= 0)
        return 0;
    softmax *const normalise = best_softmax();
    const int64_t blocks = (j->a + rows - 1) / rows, units = j->n * j->heads * blocks;
    const int threads = omp_get_max_threads();
    float *scores = malloc((size_t)threads * (size_t)(rows * j->b) * sizeof *scores);
    int good = scores != NULL;
#pragma omp parallel for num_threads(threads) reduction(&& : good) if (units > 1 && good)
    for (int64_t i = 0; i < units; i++) {
        const int64_t from = i % blocks * rows, left = j->a - from;
        good = good && block(j, i / blocks, from, left < rows ? left : rows, normalise,
                             scores + (int64_t)omp_get_thread_num() * rows * j->b);
    }
    free(scores);
    return good;
}
