/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers from a counter: number i of a stream depends on seed, stream and i alone, so
 * training repeats to the byte and no part can disturb the numbers of another.
 */
#include "math/math.h"

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014; public domain constants). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint64_t itemi_rng_next(itemi_rng *rng)
{
    const uint64_t golden = 0x9e3779b97f4a7c15u;
    uint64_t key = mix(mix(rng->seed + golden) ^ (rng->stream * 0xd6e8feb86659fd93u));
    return mix(key + golden * ++rng->counter);
}

double itemi_rng_uniform(itemi_rng *rng)
{
    return (double)(itemi_rng_next(rng) >> 11) * 0x1p-53;
}

size_t itemi_rng_below(itemi_rng *rng, size_t n)
{
    uint64_t range = n;
    uint64_t excess = (UINT64_MAX % range + 1) % range; /* numbers beyond a whole multiple */
    uint64_t value;
    do
        value = itemi_rng_next(rng);
    while (excess && value > UINT64_MAX - excess);
    return (size_t)(value % range);
}

void itemi_rng_shuffle(itemi_rng *rng, uint32_t *items, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = itemi_rng_below(rng, i);
        uint32_t swapped = items[i - 1];
        items[i - 1] = items[j];
        items[j] = swapped;
    }
}
