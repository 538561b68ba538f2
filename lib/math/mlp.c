/* SPDX-License-Identifier: Apache-2.0 */
/* The network as it is used: normalisation, ReLU layers, one logit; in fixed order. */
#include <math.h>
#include <string.h>

#include "math/math.h"

/* Numbers of the whole network, or 0 when that overflows. */
static size_t parameters(const itemi_mlp *mlp)
{
    size_t total, product;
    if (itemi_mul_overflows(mlp->width[0], 2, &total))
        return 0;
    for (size_t l = 0; l < mlp->layers; l++) {
        if (itemi_mul_overflows(mlp->width[l] + 1, mlp->width[l + 1], &product) ||
            product > SIZE_MAX - total)
            return 0;
        total += product;
    }
    return total;
}

bool itemi_mlp_reserve(const itemi_mem *mem, itemi_mlp *mlp)
{
    size_t total = parameters(mlp);
    float *block = total ? itemi_alloc_zero(mem, total, sizeof *block) : NULL;
    mlp->mem = mem;
    mlp->mean = block; /* all arrays are one block, which begins here */
    if (!block)
        return false;
    mlp->scale = block + mlp->width[0];
    block = mlp->scale + mlp->width[0];
    for (size_t l = 0; l < mlp->layers; l++) {
        mlp->weight[l] = block;
        mlp->bias[l] = block + mlp->width[l] * mlp->width[l + 1];
        block = mlp->bias[l] + mlp->width[l + 1];
    }
    return true;
}

bool itemi_mlp_copy(const itemi_mem *mem, const itemi_mlp *from, itemi_mlp *to)
{
    *to = (itemi_mlp){.layers = from->layers};
    memcpy(to->width, from->width, sizeof to->width);
    if (!itemi_mlp_reserve(mem, to))
        return false;
    memcpy(to->mean, from->mean, from->width[0] * sizeof *to->mean);
    memcpy(to->scale, from->scale, from->width[0] * sizeof *to->scale);
    for (size_t l = 0; l < from->layers; l++) {
        size_t weights = from->width[l] * from->width[l + 1];
        memcpy(to->weight[l], from->weight[l], weights * sizeof *to->weight[l]);
        memcpy(to->bias[l], from->bias[l], from->width[l + 1] * sizeof *to->bias[l]);
    }
    return true;
}

void itemi_mlp_free(itemi_mlp *mlp)
{
    itemi_free(mlp->mem, mlp->mean);
    *mlp = (itemi_mlp){.mem = mlp->mem};
}

static size_t widest(const itemi_mlp *mlp)
{
    size_t width = mlp->width[0];
    for (size_t l = 1; l < mlp->layers; l++)
        width = mlp->width[l] > width ? mlp->width[l] : width;
    return width;
}

size_t itemi_mlp_scratch(const itemi_mlp *mlp)
{
    return 2 * widest(mlp);
}

float itemi_mlp_logit(const itemi_mlp *mlp, const float *features, float *scratch)
{
    float *in = scratch, *out = scratch + widest(mlp);
    for (size_t i = 0; i < mlp->width[0]; i++)
        in[i] = (features[i] - mlp->mean[i]) * mlp->scale[i];

    for (size_t l = 0; l < mlp->layers; l++) {
        size_t width = mlp->width[l];
        for (size_t o = 0; o < mlp->width[l + 1]; o++) {
            float sum = itemi_dot(mlp->weight[l] + o * width, in, width) + mlp->bias[l][o];
            out[o] = l + 1 < mlp->layers && sum < 0 ? 0 : sum; /* NaN stays NaN */
        }
        float *swapped = in;
        in = out;
        out = swapped;
    }
    return in[0];
}

double itemi_mlp_distance(const itemi_mlp *mlp, const float *features)
{
    double square = 0;
    size_t counted = 0;
    for (size_t i = 0; i < mlp->width[0]; i++) {
        double z = ((double)features[i] - (double)mlp->mean[i]) * (double)mlp->scale[i];
        square += z * z;
        counted += mlp->scale[i] > 0;
    }
    return counted ? sqrt(square / (double)counted) : 0;
}
