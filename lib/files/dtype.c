/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of numbers in a tensor and their way to float32; the data may lie at any address. */
#include "files/files_private.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#include <immintrin.h>
#define HAS_F16C_CODE 1
#endif

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors are read as they lie");

static const struct {
    const char *name;
    size_t size;
} kinds[] = {
    [ITEMI_F64] = {"F64", 8},   [ITEMI_F32] = {"F32", 4}, [ITEMI_F16] = {"F16", 2},
    [ITEMI_BF16] = {"BF16", 2}, [ITEMI_I64] = {"I64", 8}, [ITEMI_I32] = {"I32", 4},
    [ITEMI_I8] = {"I8", 1},     [ITEMI_U8] = {"U8", 1},   [ITEMI_BOOL] = {"BOOL", 1},
};

static bool known(itemi_dtype dtype)
{
    return (size_t)dtype < ITEMI_COUNT(kinds) && kinds[dtype].name;
}

size_t itemi_dtype_size(itemi_dtype dtype)
{
    return known(dtype) ? kinds[dtype].size : 0;
}

const char *itemi_dtype_name(itemi_dtype dtype)
{
    return known(dtype) ? kinds[dtype].name : NULL;
}

itemi_dtype itemi_dtype_parse(const char *name)
{
    for (size_t i = 1; i < ITEMI_COUNT(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return (itemi_dtype)i;
    }
    return (itemi_dtype)0;
}

/* Elements of all dimensions; a zero anywhere makes it 0, also where the others overflow. */
static bool count_elements(const itemi_tensor *tensor, size_t *count)
{
    size_t product = 1;
    bool overflow = false;
    for (uint32_t i = 0; i < tensor->dims; i++) {
        if (tensor->shape[i] == 0) {
            *count = 0;
            return true;
        }
        overflow |= __builtin_mul_overflow(product, tensor->shape[i], &product);
    }
    *count = product;
    return !overflow;
}

bool itemi_tensor_bytes(const itemi_tensor *tensor, size_t *bytes)
{
    size_t count;
    return count_elements(tensor, &count) &&
           !itemi_mul_overflows(count, itemi_dtype_size(tensor->dtype), bytes);
}

#ifdef HAS_F16C_CODE
/* clang 14 does not know "f16c" in __builtin_cpu_supports; "avx" there asks the system as well. */
static bool has_f16c(void)
{
    unsigned a, b, c, d;
    return __builtin_cpu_supports("avx") && __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

/* Converts in eights and returns how many are done. Exact, so equal to the plain way. */
__attribute__((target("avx,f16c"))) static size_t halves_by_eight(const uint8_t *in, size_t count,
                                                                  float *out)
{
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        __m128i eight = _mm_loadu_si128((const __m128i *)(const void *)(in + 2 * i));
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(eight));
    }
    return i;
}
#endif

static void from_f16(const uint8_t *in, size_t count, float *out)
{
    size_t i = 0;
#ifdef HAS_F16C_CODE
    if (has_f16c())
        i = halves_by_eight(in, count, out);
#endif
    for (; i < count; i++) {
        uint16_t half;
        memcpy(&half, in + 2 * i, sizeof half);
        out[i] = itemi_half_to_float(half);
    }
}

static void from_bf16(const uint8_t *in, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t upper;
        memcpy(&upper, in + 2 * i, sizeof upper);
        uint32_t bits = (uint32_t)upper << 16;
        memcpy(out + i, &bits, sizeof bits);
    }
}

static void from_bool(const uint8_t *in, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = in[i] ? 1.0f : 0.0f;
}

/* The kinds that a C type holds differ in nothing but that type. */
#define FROM(name, type)                                                                           \
    static void name(const uint8_t *in, size_t count, float *out)                                  \
    {                                                                                              \
        for (size_t i = 0; i < count; i++) {                                                       \
            type value;                                                                            \
            memcpy(&value, in + i * sizeof value, sizeof value);                                   \
            out[i] = (float)value;                                                                 \
        }                                                                                          \
    }
FROM(from_f64, double)
FROM(from_i64, int64_t)
FROM(from_i32, int32_t)
FROM(from_i8, int8_t)
FROM(from_u8, uint8_t)

static void from_f32(const uint8_t *in, size_t count, float *out)
{
    memcpy(out, in, count * sizeof *out);
}

void itemi_to_f32(const itemi_tensor *tensor, float *out)
{
    static void (*const from[])(const uint8_t *, size_t, float *) = {
        [ITEMI_F64] = from_f64,   [ITEMI_F32] = from_f32, [ITEMI_F16] = from_f16,
        [ITEMI_BF16] = from_bf16, [ITEMI_I64] = from_i64, [ITEMI_I32] = from_i32,
        [ITEMI_I8] = from_i8,     [ITEMI_U8] = from_u8,   [ITEMI_BOOL] = from_bool,
    };
    size_t size = itemi_dtype_size(tensor->dtype);
    if (size && tensor->bytes)
        from[tensor->dtype](tensor->data, tensor->bytes / size, out);
}
