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

#define SCORES     131072 /* numbers of a block: half a MB */
#define ROWS_LEAST 16     /* below that a product is slow */

/* ---- softmax ---- */

#define VECTOR(directive) _Pragma(directive)

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

/* A row's own: `hidden` is added to it, or NULL. A number that is none stays none. */
#define SOFTMAX(name, target)                                                                      \
    target static void name(float *s, const float *hidden, size_t n)                               \
    {                                                                                              \
        for (size_t i = 0; hidden && i < n; i++)                                                   \
            s[i] += hidden[i];                                                                     \
        float most = s[0], sum = 0.0f;                                                             \
        VECTOR("omp simd reduction(max : most)")                                                   \
        for (size_t i = 0; i < n; i++)                                                             \
            most = s[i] > most ? s[i] : most;                                                      \
        VECTOR("omp simd reduction(+ : sum)")                                                      \
        for (size_t i = 0; i < n; i++) {                                                           \
            s[i] = exp_below(s[i] - most);                                                         \
            sum += s[i];                                                                           \
        }                                                                                          \
        const float scale = 1.0f / sum;                                                            \
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
