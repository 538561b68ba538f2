/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loops of resizing: in plain C, and with AVX2 where the processor has it. Sums of integers
 * are exact in any order, so both give the same bytes.
 */
#include <string.h>

#include "image/resize.h"

#define HALF (1 << (ITEMI_WEIGHT_BITS - 1))

/* Takes away the bits behind the point (the sum began with one half) and limits to a byte. */
static inline uint8_t to_byte(int32_t sum)
{
    sum >>= ITEMI_WEIGHT_BITS;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

static void across_row(const itemi_weights *weights, const uint8_t *src, uint8_t *dst)
{
    const int32_t *k = weights->k;
    for (uint32_t i = 0; i < weights->count; i++, dst += 3) {
        const uint8_t *pixel = src + (size_t)3 * weights->start[i];
        int32_t red = HALF, green = HALF, blue = HALF;
        for (uint32_t t = 0; t < weights->taps; t++, k += 3, pixel += 3) {
            red += pixel[0] * k[0];
            green += pixel[1] * k[1];
            blue += pixel[2] * k[2];
        }
        dst[0] = to_byte(red);
        dst[1] = to_byte(green);
        dst[2] = to_byte(blue);
    }
}

static void across_plain(const itemi_weights *weights, const uint8_t *const src[ITEMI_LANE_ROWS],
                         uint8_t *const dst[ITEMI_LANE_ROWS])
{
    for (int r = 0; r < ITEMI_LANE_ROWS; r++)
        across_row(weights, src[r], dst[r]);
}

static void down_plain(const int32_t *k, uint32_t taps, const uint8_t *src, size_t stride,
                       uint8_t *dst, size_t bytes)
{
    for (size_t x = 0; x < bytes; x++) {
        int32_t sum = HALF;
        for (uint32_t t = 0; t < taps; t++)
            sum += src[t * stride + x] * k[t];
        dst[x] = to_byte(sum);
    }
}

const itemi_kernels itemi_kernels_plain = {across_plain, down_plain};

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX2     __attribute__((target("avx2")))
#define INLINE2  AVX2 static inline __attribute__((always_inline))
#define UNROLLED _Pragma("GCC unroll 4")

INLINE2 __m256i load8(const uint8_t *samples)
{
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)samples));
}

/* The four sums as bytes in the low 32 bits. */
INLINE2 uint32_t to_bytes4(__m128i sums)
{
    __m128i shifted = _mm_srai_epi32(sums, ITEMI_WEIGHT_BITS);
    __m128i words = _mm_packs_epi32(shifted, shifted);
    return (uint32_t)_mm_cvtsi128_si32(_mm_packus_epi16(words, words));
}

/*
 * Sums by channel. The lanes of three vectors are the samples of 8 pixels, R G B R G B ...; what
 * stands 12 samples apart is of one channel, then what stands 3, 6 and 9 apart.
 */
INLINE2 __m128i sum_channels(const __m256i lanes[3])
{
    __m128i a =
        _mm_add_epi32(_mm256_castsi256_si128(lanes[0]), _mm256_extracti128_si256(lanes[1], 1));
    __m128i b =
        _mm_add_epi32(_mm256_extracti128_si256(lanes[0], 1), _mm256_castsi256_si128(lanes[2]));
    __m128i c =
        _mm_add_epi32(_mm256_castsi256_si128(lanes[1]), _mm256_extracti128_si256(lanes[2], 1));
    __m128i by3 = _mm_alignr_epi8(b, a, 12), by6 = _mm_alignr_epi8(c, b, 8);
    __m128i by9 = _mm_srli_si128(c, 4);
    __m128i low = _mm_add_epi32(a, by3), high = _mm_add_epi32(by6, by9);
    return _mm_add_epi32(_mm_add_epi32(low, high), _mm_set1_epi32(HALF));
}

/* One pixel of each of the rows: the window from byte `at` on, weights of 8 pixels a group. */
INLINE2 void across_pixel(const int32_t *k, uint32_t groups, size_t at,
                          const uint8_t *const src[ITEMI_LANE_ROWS],
                          uint32_t pixel[ITEMI_LANE_ROWS])
{
    __m256i acc[ITEMI_LANE_ROWS][3];
    memset(acc, 0, sizeof acc);
    for (uint32_t g = 0; g < groups; g++, k += 24, at += 24) {
        UNROLLED for (int v = 0; v < 3; v++)
        {
            __m256i w = _mm256_loadu_si256((const __m256i *)(k + 8 * v));
            UNROLLED for (int r = 0; r < ITEMI_LANE_ROWS; r++)
            {
                __m256i product = _mm256_mullo_epi32(load8(src[r] + at + 8 * v), w);
                acc[r][v] = _mm256_add_epi32(acc[r][v], product);
            }
        }
    }
    UNROLLED for (int r = 0; r < ITEMI_LANE_ROWS; r++)
    {
        pixel[r] = to_bytes4(sum_channels(acc[r]));
    }
}

AVX2 static void across_avx2(const itemi_weights *weights,
                             const uint8_t *const src[ITEMI_LANE_ROWS],
                             uint8_t *const dst[ITEMI_LANE_ROWS])
{
    uint32_t groups = weights->taps / ITEMI_LANE_PIXELS;
    const int32_t *k = weights->k;
    for (uint32_t i = 0; i < weights->count; i++, k += (size_t)24 * groups) {
        uint32_t pixel[ITEMI_LANE_ROWS];
        across_pixel(k, groups, (size_t)3 * weights->start[i], src, pixel);
        for (int r = 0; r < ITEMI_LANE_ROWS; r++)
            memcpy(dst[r] + (size_t)3 * i, &pixel[r], 3);
    }
}

/* 32 samples of a row. */
INLINE2 void down_block(const int32_t *k, uint32_t taps, const uint8_t *src, size_t stride,
                        uint8_t *dst)
{
    __m256i acc[4];
    UNROLLED for (int v = 0; v < 4; v++)
    {
        acc[v] = _mm256_set1_epi32(HALF);
    }
    for (uint32_t t = 0; t < taps; t++, src += stride) {
        __m256i w = _mm256_set1_epi32(k[t]);
        UNROLLED for (int v = 0; v < 4; v++)
        {
            acc[v] = _mm256_add_epi32(acc[v], _mm256_mullo_epi32(load8(src + 8 * v), w));
        }
    }
    UNROLLED for (int v = 0; v < 4; v++)
    {
        uint32_t low = to_bytes4(_mm256_castsi256_si128(acc[v]));
        uint32_t high = to_bytes4(_mm256_extracti128_si256(acc[v], 1));
        memcpy(dst + 8 * v, &low, 4);
        memcpy(dst + 8 * v + 4, &high, 4);
    }
}

AVX2 static void down_avx2(const int32_t *k, uint32_t taps, const uint8_t *src, size_t stride,
                           uint8_t *dst, size_t bytes)
{
    size_t x = 0;
    for (; x + 32 <= bytes; x += 32)
        down_block(k, taps, src + x, stride, dst + x);
    down_plain(k, taps, src + x, stride, dst + x, bytes - x);
}

static const itemi_kernels kernels_avx2 = {across_avx2, down_avx2};

const itemi_kernels *itemi_kernels_best(void)
{
    return __builtin_cpu_supports("avx2") ? &kernels_avx2 : &itemi_kernels_plain;
}

#else

const itemi_kernels *itemi_kernels_best(void)
{
    return &itemi_kernels_plain;
}

#endif
