/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words that are drawn. The most probable one after Gumbel noise was added to all is a draw from
 * softmax(logits / temperature) (Gumbel 1954), and as the temperature falls it becomes the most
 * probable one: so a search draws by looking for the best as ever. The noise of a word at a place
 * depends on the seed, the picture, the place and the word: not on who stands beside it.
 */
#include "nets.h"

#include <math.h>
#include <string.h>

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014; public domain constants). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

itx_draw itx_draw_of(const item_caption_options *options)
{
    const size_t known = offsetof(item_caption_options, seed) + sizeof options->seed;
    if (!options || options->struct_size < known || !(options->temperature > 0.0))
        return (itx_draw){.temperature = 0.0};
    return (itx_draw){options->temperature, options->seed};
}

itx_draw itx_draw_for(const itx_draw *d, const float *pixels, size_t count)
{
    itx_draw own = *d;
    for (size_t i = 0; own.temperature > 0.0 && i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &pixels[i], sizeof bits);
        own.seed = (own.seed ^ bits) * UINT64_C(0x100000001b3); /* as FNV-1a, a number at a time */
    }
    return own;
}

double itx_draw_noise(const itx_draw *d, size_t place, size_t word)
{
    if (!(d->temperature > 0.0))
        return 0.0;
    const uint64_t key = mix(mix(d->seed + GOLDEN) ^ (place * UINT64_C(0xd6e8feb86659fd93)));
    const uint64_t bits = mix(key + GOLDEN * (word + 1)) >> 11;
    const double uniform = ((double)bits + 0.5) * 0x1p-53; /* 0 and 1 do not come */
    return d->temperature * -log(-log(uniform));
}
