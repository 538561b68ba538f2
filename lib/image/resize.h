/* SPDX-License-Identifier: Apache-2.0 */
/* Shared between the files of resizing alone: weights and the loops over pixels. */
#ifndef ITEMI_IMAGE_RESIZE_H
#define ITEMI_IMAGE_RESIZE_H

#include "image/image.h"

/* Bits behind the point: a weight times 255, summed over a window, stays within 32 bits. */
#define ITEMI_WEIGHT_BITS 22

/* The horizontal loop takes so many pixels of so many rows at a time. */
#define ITEMI_LANE_PIXELS 8
#define ITEMI_LANE_ROWS   4

/*
 * Weights along one axis: output i is the sum over t < taps of k[i * taps + t] x input
 * start[i] + t. Windows are made equally long with zeros, and lie within the inputs wherever
 * there are as many inputs as taps.
 */
typedef struct itemi_weights {
    const itemi_mem *mem;
    uint32_t count, taps;
    uint32_t first, last; /* inputs that are used: first to last - 1 */
    uint32_t *start;
    int32_t *k;
} itemi_weights;

/* One axis: inputs from `from` to `to` become `outputs`, of which `begin` to `end` - 1 are asked. */
typedef struct itemi_axis {
    uint32_t inputs;
    float from, to;
    uint32_t outputs, begin, end;
} itemi_axis;

/* The weights of an axis; taps is made a multiple of `step`. */
item_status itemi_weights_make(const itemi_mem *mem, const itemi_axis *axis, itemi_filter filter,
                               uint32_t step, itemi_weights *out, item_error *err);
/* Each weight three times, for the three samples of a pixel. */
item_status itemi_weights_triple(itemi_weights *weights, item_error *err);
void itemi_weights_free(itemi_weights *weights);

/* The loops, for the processor that runs. Integers: each set gives the same bytes. */
typedef struct itemi_kernels {
    /*
     * Rows of RGB to shorter or longer rows of RGB, ITEMI_LANE_ROWS at a time. Weights tripled,
     * taps a multiple of ITEMI_LANE_PIXELS.
     */
    void (*across)(const itemi_weights *weights, const uint8_t *const src[ITEMI_LANE_ROWS],
                   uint8_t *const dst[ITEMI_LANE_ROWS]);
    /* One row of `bytes` samples: the sum over rows src + t * stride, each times k[t]. */
    void (*down)(const int32_t *k, uint32_t taps, const uint8_t *src, size_t stride, uint8_t *dst,
                 size_t bytes);
} itemi_kernels;

extern const itemi_kernels itemi_kernels_plain;
const itemi_kernels *itemi_kernels_best(void);

#endif
