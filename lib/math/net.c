/* SPDX-License-Identifier: Apache-2.0 */
/* Forward, backward and Adam for one sample at a time: every sum has one fixed order. */
#include <math.h>
#include <string.h>

#include "math/net.h"

#define STREAM_INIT 0x1001

bool itemi_net_init(const itemi_mem *mem, size_t layers, const size_t *width, itemi_net *net)
{
    *net = (itemi_net){.mem = mem, .layers = layers};
    size_t units = 0;
    for (size_t l = 0; l < layers; l++) {
        net->weight[l] = net->count;
        net->bias[l] = net->count + width[l] * width[l + 1];
        net->count = net->bias[l] + width[l + 1];
    }
    for (size_t l = 0; l <= layers; l++) {
        net->width[l] = width[l];
        units += width[l];
    }

    net->params = itemi_alloc_zero(mem, 2 * net->count + 3 * units, sizeof *net->params);
    if (!net->params)
        return false;
    net->grad = net->params + net->count;
    double *next = net->grad + net->count;
    for (size_t l = 0; l <= layers; l++) {
        net->active[l] = next;
        net->gate[l] = next + width[l];
        net->delta[l] = next + 2 * width[l];
        next += 3 * width[l];
    }
    return true;
}

void itemi_net_free(itemi_net *net)
{
    itemi_free(net->mem, net->params);
    *net = (itemi_net){.mem = net->mem};
}

void itemi_net_randomise(itemi_net *net, uint64_t seed)
{
    itemi_rng rng = {seed, STREAM_INIT, 0};
    if (net->layers == 1)
        return; /* convex: zero is as good a start as any, and the same for every seed */
    for (size_t l = 0; l < net->layers; l++) {
        double reach = sqrt((l + 1 < net->layers ? 6.0 : 1.0) / (double)net->width[l]);
        for (size_t i = net->weight[l]; i < net->bias[l]; i++)
            net->params[i] = (2 * itemi_rng_uniform(&rng) - 1) * reach;
    }
}

/* Four sums side by side, which compilers turn into vectors without changing any order. */
static double dot(const double *restrict a, const double *restrict b, size_t n)
{
    double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        s0 += a[i] * b[i];
        s1 += a[i + 1] * b[i + 1];
        s2 += a[i + 2] * b[i + 2];
        s3 += a[i + 3] * b[i + 3];
    }
    for (; i < n; i++)
        s0 += a[i] * b[i];
    return (s0 + s1) + (s2 + s3);
}

static void add_scaled(double scale, const double *restrict x, double *restrict y, size_t n)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        y[i] += scale * x[i];
        y[i + 1] += scale * x[i + 1];
        y[i + 2] += scale * x[i + 2];
        y[i + 3] += scale * x[i + 3];
    }
    for (; i < n; i++)
        y[i] += scale * x[i];
}

/* ReLU and dropout of layer l's sums; kept units grow, so that nothing changes on average. */
static void activate(itemi_net *net, size_t l, double dropout, itemi_rng *rng)
{
    double kept = rng ? 1 / (1 - dropout) : 1;
    for (size_t i = 0; i < net->width[l]; i++) {
        bool out = rng && itemi_rng_uniform(rng) < dropout;
        net->gate[l][i] = net->active[l][i] > 0 && !out ? kept : 0;
        net->active[l][i] *= net->gate[l][i];
    }
}

double itemi_net_forward(itemi_net *net, double dropout, itemi_rng *rng)
{
    for (size_t l = 0; l < net->layers; l++) {
        const double *weight = net->params + net->weight[l], *bias = net->params + net->bias[l];
        for (size_t o = 0; o < net->width[l + 1]; o++)
            net->active[l + 1][o] =
                bias[o] + dot(weight + o * net->width[l], net->active[l], net->width[l]);
        if (l + 1 < net->layers)
            activate(net, l + 1, dropout, dropout > 0 ? rng : NULL);
    }
    return net->active[net->layers][0];
}

void itemi_net_backward(itemi_net *net, double scale)
{
    net->delta[net->layers][0] = scale;
    for (size_t l = net->layers; l-- > 0;) {
        size_t width = net->width[l];
        const double *weight = net->params + net->weight[l];
        double *grad = net->grad + net->weight[l], *below = net->delta[l];
        memset(below, 0, width * sizeof *below);
        for (size_t o = 0; o < net->width[l + 1]; o++) {
            double delta = net->delta[l + 1][o];
            if (delta == 0)
                continue; /* a unit that was off */
            add_scaled(delta, net->active[l], grad + o * width, width);
            net->grad[net->bias[l] + o] += delta;
            if (l > 0)
                add_scaled(delta, weight + o * width, below, width);
        }
        for (size_t i = 0; l > 0 && i < width; i++)
            below[i] *= net->gate[l][i];
    }
}

void itemi_net_adam(itemi_net *net, double *moments, uint64_t step, double rate, double decay)
{
    const double keep1 = 0.9, keep2 = 0.999, least = 1e-8;
    double *first = moments, *second = moments + net->count;
    double correct1 = 1 - pow(keep1, (double)step), correct2 = 1 - pow(keep2, (double)step);
    for (size_t l = 0; l < net->layers; l++) {
        size_t end = net->bias[l] + net->width[l + 1];
        for (size_t i = net->weight[l]; i < end; i++) {
            double grad = net->grad[i];
            first[i] = keep1 * first[i] + (1 - keep1) * grad;
            second[i] = keep2 * second[i] + (1 - keep2) * grad * grad;
            double towards = first[i] / correct1 / (sqrt(second[i] / correct2) + least);
            double shrink = i < net->bias[l] ? decay * net->params[i] : 0;
            net->params[i] -= rate * (towards + shrink);
        }
    }
}
