/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Misalignment, MLP, calibration, metrics: plain C, fixed order of sums, the same bytes for
 * the same input on any thread count. Sees common alone; files are read above it.
 */
#ifndef ITEMI_MATH_H
#define ITEMI_MATH_H

#include "common/common.h"

/* ---- misalignment (DESIGN section 1) ---- */

typedef enum itemi_form {
    ITEMI_FORM_DIFFERENCE = 1,
    ITEMI_FORM_PRODUCT,
    ITEMI_FORM_COSINE
} itemi_form;
typedef enum itemi_scope {
    ITEMI_SCOPE_GLOBAL = 1,
    ITEMI_SCOPE_LOCAL,
    ITEMI_SCOPE_BOTH
} itemi_scope;

typedef struct itemi_layout {
    itemi_form form;
    itemi_scope scope;
} itemi_layout;

/* Name such as "difference/both/1"; the last part is the version of the pooling. */
bool itemi_layout_parse(const char *name, itemi_layout *out);
void itemi_layout_name(const itemi_layout *layout, char out[48]);
/* Number of features of a layout for vectors of `width`. */
size_t itemi_layout_size(const itemi_layout *layout, size_t width);

/*
 * Features of one picture. image, text: unit vectors [width]; crops, phrases: n unit vectors
 * each, row-major. Order: global part (form of image and text, then cosine), local part (mean of
 * the forms over objects, then presence, count, mean, min, max, standard deviation of cosines;
 * all zero when n is 0).
 */
void itemi_misalign(const itemi_layout *layout, size_t width, const float *image, const float *text,
                    size_t n, const float *crops, const float *phrases, float *out);
float itemi_dot(const float *a, const float *b, size_t n);
bool itemi_normalise(float *v, size_t n); /* to unit length; false if zero or not finite */

/* ---- head: normalisation, MLP, calibration, thresholds ---- */

typedef struct itemi_mlp {
    const itemi_mem *mem;
    size_t layers;    /* weight matrices; 1 is logistic regression */
    size_t width[5];  /* width[0] inputs, ..., width[layers] == 1 */
    float *weight[4]; /* [width[i+1] x width[i]] */
    float *bias[4];
    float *mean, *scale; /* input normalisation, width[0] each: (x - mean) * scale */
} itemi_mlp;

float itemi_mlp_logit(const itemi_mlp *mlp, const float *features, float *scratch);
size_t itemi_mlp_scratch(const itemi_mlp *mlp); /* floats */
void itemi_mlp_free(itemi_mlp *mlp);

#endif
