/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network while it is trained: one vector of doubles for all parameters, its gradient, and
 * what one sample needs on the way through. Private to lib/math and its tests.
 */
#ifndef ITEMI_NET_H
#define ITEMI_NET_H

#include "math/math.h"

typedef struct itemi_net {
    const itemi_mem *mem;
    size_t layers;
    size_t width[ITEMI_MLP_LAYERS + 1];
    size_t weight[ITEMI_MLP_LAYERS]; /* where a layer's weights begin in params */
    size_t bias[ITEMI_MLP_LAYERS];   /* and its biases */
    size_t count;                    /* parameters */
    double *params, *grad;
    double *active[ITEMI_MLP_LAYERS + 1]; /* of one sample: inputs, then each layer's outputs */
    double *gate[ITEMI_MLP_LAYERS + 1];   /* d active / d sum: 0, or 1 / (1 - dropout) */
    double *delta[ITEMI_MLP_LAYERS + 1];  /* d loss / d active */
} itemi_net;

/* Zeros; layers and widths are given. false: no memory (itemi_net_free() still does no harm). */
bool itemi_net_init(const itemi_mem *mem, size_t layers, const size_t *width, itemi_net *net);
void itemi_net_free(itemi_net *net);
/* Uniform in +-sqrt(6 / inputs) for ReLU layers, smaller for the output; biases 0. */
void itemi_net_randomise(itemi_net *net, uint64_t seed);

/* Logit of the sample in active[0]. rng NULL: no dropout. */
double itemi_net_forward(itemi_net *net, double dropout, itemi_rng *rng);
/* Adds scale x d logit / d parameters of the sample that went forward last to grad. */
void itemi_net_backward(itemi_net *net, double scale);

/* One step of Adam; moments has 2 x count numbers, zero at first, step counts from 1. */
void itemi_net_adam(itemi_net *net, double *moments, uint64_t step, double rate, double decay);

/* Weights and bias of a network of one layer, whose normalisation is there. */
item_status itemi_logistic_fit(const itemi_mem *mem, const itemi_samples *samples, itemi_rows rows,
                               const itemi_train_options *options, itemi_mlp *mlp,
                               itemi_train_log *log, item_error *err);

#endif
