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
    ITEMI_FORM_COSINE,
    ITEMI_FORM_PICTURE, /* no comparison: the picture's vector, for heads to be compared with */
    ITEMI_FORM_CAPTION, /* likewise the caption's */
    ITEMI_FORM_LAYERS,  /* numbers of the picture network's inner layers */
    ITEMI_FORM_LAST = ITEMI_FORM_LAYERS
} itemi_form;
typedef enum itemi_scope {
    ITEMI_SCOPE_GLOBAL = 1,
    ITEMI_SCOPE_LOCAL,
    ITEMI_SCOPE_BOTH
} itemi_scope;

/* Features that belong together: first those of the whole picture, then those of its objects. */
typedef struct itemi_term {
    itemi_form form;
    itemi_scope scope;
} itemi_term;

#define ITEMI_TERMS_MAX       8
#define ITEMI_TERM_NAME_MAX   24
#define ITEMI_LAYOUT_NAME_MAX (ITEMI_TERMS_MAX * ITEMI_TERM_NAME_MAX)
#define ITEMI_POOLED          6 /* presence, count, mean, min, max, standard deviation of cosines */

typedef struct itemi_layout {
    size_t terms;
    itemi_term term[ITEMI_TERMS_MAX];
} itemi_layout;

/* Terms joined by '+', such as "picture/1+difference/both/1"; the last part is their version. */
bool itemi_layout_parse(const char *name, itemi_layout *out);
void itemi_layout_name(const itemi_layout *layout, char out[ITEMI_LAYOUT_NAME_MAX]);

#define ITEMI_LAYERS_MAX 262144 /* numbers of a picture's inner layers */

/* What sizes rest on: numbers of a vector, and of a picture's inner layers (0: there are none). */
typedef struct itemi_widths {
    size_t vector, layers;
} itemi_widths;

/* Number of features: of a layout, of a term, of a form's vector. */
size_t itemi_layout_size(const itemi_layout *layout, itemi_widths widths);
size_t itemi_term_whole(const itemi_term *term, itemi_widths widths);
size_t itemi_term_objects(const itemi_term *term, itemi_widths widths);
size_t itemi_form_size(itemi_form form, size_t width);
bool itemi_layout_reads_objects(const itemi_layout *layout);
bool itemi_layout_reads_whole(const itemi_layout *layout);
bool itemi_layout_reads_layers(const itemi_layout *layout);
/* Puts the means in the place of all features that come of the whole picture. */
void itemi_layout_blank_whole(const itemi_layout *layout, itemi_widths widths, const float *mean,
                              float *features);

/* What features of one picture are made of: unit vectors [width], of n objects [n x width]. */
typedef struct itemi_vectors {
    size_t width;
    const float *image, *text;
    size_t n;
    const float *crops, *phrases;
    size_t layer_count; /* 0: not known, and no layout may ask for them */
    const float *layers;
} itemi_vectors;

/*
 * Features of one picture, term after term. A term's order: global part (form of image and text,
 * then cosine), local part (mean of the forms over objects, then presence, count, mean, min, max,
 * standard deviation of cosines; all zero when n is 0).
 */
void itemi_misalign(const itemi_layout *layout, const itemi_vectors *v, float *out);
float itemi_dot(const float *a, const float *b, size_t n);
bool itemi_normalise(float *v, size_t n); /* to unit length; false if zero or not finite */

/* ---- random numbers: a function of seed, stream and counter alone ---- */

typedef struct itemi_rng {
    uint64_t seed, stream, counter;
} itemi_rng;

uint64_t itemi_rng_next(itemi_rng *rng);
double itemi_rng_uniform(itemi_rng *rng);         /* 0 <= u < 1, 53 bits */
size_t itemi_rng_below(itemi_rng *rng, size_t n); /* 0..n-1, each equally likely; n > 0 */
void itemi_rng_shuffle(itemi_rng *rng, uint32_t *items, size_t n);

/* ---- network: normalisation and MLP ---- */

#define ITEMI_MLP_LAYERS 4 /* at most: three hidden ones and the output */

typedef struct itemi_mlp {
    const itemi_mem *mem;
    size_t layers;                      /* weight matrices; 1 is logistic regression */
    size_t width[ITEMI_MLP_LAYERS + 1]; /* width[0] inputs, ..., width[layers] == 1 */
    float *weight[ITEMI_MLP_LAYERS];    /* [width[i+1] x width[i]] */
    float *bias[ITEMI_MLP_LAYERS];
    float *mean, *scale; /* input normalisation, width[0] each: (x - mean) * scale */
} itemi_mlp;

/* Reserves a network of zeros with the layers and widths set in *mlp; false: no memory. */
bool itemi_mlp_reserve(const itemi_mem *mem, itemi_mlp *mlp);
bool itemi_mlp_copy(const itemi_mem *mem, const itemi_mlp *from, itemi_mlp *to);
void itemi_mlp_free(itemi_mlp *mlp);
float itemi_mlp_logit(const itemi_mlp *mlp, const float *features, float *scratch);
size_t itemi_mlp_scratch(const itemi_mlp *mlp); /* floats */
/* Root mean square of the normalised features; features that never varied do not count. */
double itemi_mlp_distance(const itemi_mlp *mlp, const float *features);

/* ---- what photographs look like, by a few numbers each ---- */

#define ITEMI_PLAIN_NUMBERS 7

/* Mean and deviation of each number, and the inverse of how they vary together. */
typedef struct itemi_plain {
    float mean[ITEMI_PLAIN_NUMBERS], scale[ITEMI_PLAIN_NUMBERS]; /* (x - mean) * scale */
    float inverse[ITEMI_PLAIN_NUMBERS * ITEMI_PLAIN_NUMBERS];
} itemi_plain;

/*
 * Learns from rows [count x ITEMI_PLAIN_NUMBERS] with weights that are not all 0. A tenth of the
 * correlations is given up, so that few rows or a number that never varies do no harm.
 */
void itemi_plain_fit(const float *rows, const double *weight, size_t count, itemi_plain *out);
/* Mahalanobis distance, divided by the root of the number of numbers; NaN if one of them is. */
double itemi_plain_distance(const itemi_plain *plain, const float *row);

/* ---- training ---- */

typedef struct itemi_samples {
    size_t count, width;
    const float *features; /* [count x width] */
    const uint8_t *label;  /* 1: AI, 0: photograph */
    const double *weight;
} itemi_samples;

typedef struct itemi_rows { /* some rows of the samples */
    const uint32_t *index;
    size_t count;
} itemi_rows;

typedef struct itemi_train_options {
    size_t hidden;                             /* hidden layers, 0 to 3 */
    size_t hidden_width[ITEMI_MLP_LAYERS - 1]; /* units of each */
    size_t epochs, batch;
    size_t patience;      /* epochs without a better validation loss before the end */
    double learning_rate; /* of the first step; falls to 0 as a half cosine */
    double weight_decay;  /* decoupled: weights shrink by rate x decay a step, biases do not */
    double dropout;       /* share of hidden units, 0 to below 1 */
    double penalty; /* without hidden layers, above 0: half of it times the weights' squares is
                       added to the mean loss, and nothing else above counts */
    uint64_t seed;
    bool (*go_on)(void *user); /* asked once a minibatch or step; NULL: always */
    void *user;
} itemi_train_options;

typedef struct itemi_train_log {
    size_t epochs, best_epoch; /* run, and kept (from 1); steps where no layer is hidden */
    double first_loss, loss;   /* weighted mean on the training rows, first and last epoch */
    double valid_loss;         /* of the epoch kept; NaN without validation rows */
} itemi_train_log;

/*
 * Trains a network with Adam on binary cross-entropy; normalisation is learnt on the training
 * rows, with their weights. Without validation rows the last epoch counts. Without hidden layers
 * it is logistic regression, solved to its end: validation rows count for nothing. The same input gives
 * the same bytes. ITEM_E_ARGUMENT: options out of range, a label missing, numbers that are none;
 * ITEM_E_CANCELLED: go_on said no. *out holds nothing after a failure.
 */
item_status itemi_mlp_train(const itemi_mem *mem, const itemi_samples *samples, itemi_rows train,
                            itemi_rows valid, const itemi_train_options *options, itemi_mlp *out,
                            itemi_train_log *log, item_error *err);

/* ---- groups: weights, folds ---- */

#define ITEMI_NO_GROUP UINT32_MAX

/*
 * What rows belong to; ids below `count` of rows, ITEMI_NO_GROUP where not known.
 * The generator counts for AI pictures only.
 */
typedef struct itemi_groups {
    size_t count;
    const uint8_t *label;
    const uint32_t *source, *generator, *scene;
} itemi_groups;

/*
 * Weights for some rows (others are left alone): each label has half of the weight, each source
 * of a label an equal part of it; the mean over the rows is 1.
 */
item_status itemi_balance(const itemi_mem *mem, const itemi_groups *groups, itemi_rows rows,
                          double *weight, item_error *err);

typedef enum itemi_fold_unit {
    ITEMI_FOLD_SOURCE = 1, /* nothing of a source, a generator or a scene is in two folds */
    ITEMI_FOLD_GENERATOR,  /* nothing of a generator or a scene is */
    ITEMI_FOLD_SCENE       /* nothing of a scene is */
} itemi_fold_unit;

/*
 * Puts whole units into at most `most` folds of even weight; fold[i] receives the fold of row i,
 * *folds their number (fewer than `most` when there are fewer units).
 */
item_status itemi_folds(const itemi_mem *mem, const itemi_groups *groups, itemi_fold_unit unit,
                        size_t most, uint32_t *fold, size_t *folds, item_error *err);

/* ---- calibration ---- */

typedef struct itemi_calibration {
    double temperature, bias; /* p = sigmoid((logit + bias) / temperature) */
    bool clamped; /* the scores do not order the labels: no temperature would be finite */
} itemi_calibration;

double itemi_sigmoid(double x);
double itemi_logit(double p);                        /* -infinity for 0, infinity for 1 */
double itemi_cross_entropy(double x, double target); /* of sigmoid(x) */
double itemi_with_prior(double score, double prior); /* probability for a share of AI pictures */

/*
 * Fits by Newton's method on weighted cross-entropy, with Platt's targets (a little inside of 0
 * and 1, so that scores that separate everything stay finite). weight NULL: 1 each.
 */
item_status itemi_calibrate(const double *logit, const uint8_t *label, const double *weight,
                            size_t n, itemi_calibration *out, item_error *err);

/*
 * The least score that at most floor(rate x n) of n photographs reach, ties counted in full:
 * a new photograph of the same kind reaches it with a probability of at most `rate`. +infinity
 * when n is too small to promise. scores: of photographs, sorted ascending.
 */
double itemi_threshold_for(const double *scores, size_t n, double rate, size_t *above);
/*
 * The largest point below which at most floor(share x n) of n AI pictures lie, ties counted in
 * full: a new one of the same kind lies below it with a probability of at most `share`. -infinity
 * when n is too small to promise. Sorted ascending.
 */
double itemi_real_point(const double *scores, size_t n, double share);

/*
 * A promise with confidence: of n photographs the largest number that may reach a threshold, so
 * that the exact upper limit (Clopper-Pearson, one-sided) of its rate is at most `rate`. A
 * threshold that no more of them reach breaks the promise with a probability of at most
 * 1 - confidence. False: n is too small for any.
 */
bool itemi_allowed(uint64_t n, double rate, double confidence, uint64_t *k);
/* The least n that is enough for itemi_allowed(): 59 for 5 %, 299 for 1 %, with 95 %. */
uint64_t itemi_needed(double rate, double confidence);
/* The least score that at most k of n reach, ties counted in full. Sorted ascending; k < n. */
double itemi_threshold_above(const double *scores, size_t n, size_t k, size_t *above);
void itemi_sort(double *values, size_t n); /* ascending; no NaN */
/* Quantile by linear interpolation of sorted values; NaN when n is 0. */
double itemi_quantile(const double *sorted, size_t n, double q);

/* ---- metrics ---- */

/* Rows by falling score; made once, used with many weights. */
typedef struct itemi_ranking {
    const itemi_mem *mem;
    size_t count;
    const double *score;
    const uint8_t *label;
    uint32_t *order;
} itemi_ranking;

/* Borrows score and label. Scores must be finite. */
item_status itemi_rank(const itemi_mem *mem, const double *score, const uint8_t *label, size_t n,
                       itemi_ranking *out, item_error *err);
void itemi_ranking_free(itemi_ranking *ranking);

/* weight: by row, NULL for 1 each. NaN where a label has no weight. */
double itemi_auc(const itemi_ranking *ranking, const double *weight);
double itemi_average_precision(const itemi_ranking *ranking, const double *weight);
/* Largest share of AI pictures at or above a threshold that at most `rate` of the real ones reach. */
double itemi_tpr_at(const itemi_ranking *ranking, const double *weight, double rate);

/*
 * Corners of the ROC curve, from (0, 0) to (1, 1): shares of photographs and of AI pictures at or
 * above each score, without those on a straight line between others. x, y: room for count + 1.
 * Returns how many; 0 where a label is missing.
 */
size_t itemi_roc(const itemi_ranking *ranking, double *x, double *y);

double itemi_brier(const double *p, const uint8_t *label, const double *weight, size_t n);

typedef struct itemi_bin {
    double weight, mean, share; /* mean probability, share of AI pictures */
} itemi_bin;
/*
 * Calibration error: mean distance of probability and share over `bins` bins of equal weight.
 * The ranking must be of the probabilities. bin: receives them, lowest first; may be NULL.
 */
double itemi_ece(const itemi_ranking *ranking, const double *weight, size_t bins, itemi_bin *bin);

/* ---- intervals ---- */

typedef struct itemi_interval {
    double low, high;
} itemi_interval;

/* Exact (Clopper-Pearson) two-sided interval of a share k of n; 0..1 when n is 0. */
itemi_interval itemi_binomial(uint64_t k, uint64_t n, double level);
/* Probability that at most k of n happen, each of which does with probability p. */
double itemi_binomial_at_most(uint64_t k, uint64_t n, double p);

/* Computes `outputs` numbers under weights by row; NaN where one does not exist. */
typedef void (*itemi_statistic)(void *user, const double *weight, double *out);

/* How a bootstrap draws. */
typedef struct itemi_draws {
    size_t count;
    uint64_t seed;
    double level;              /* of the intervals */
    const item_cancel *cancel; /* polled before each draw; NULL: cannot be cancelled */
} itemi_draws;

/*
 * Percentile intervals of `outputs` numbers: scenes are drawn with replacement within each source
 * and label (a row without scene is a scene of its own, and so is each row where one scene is all
 * that a source has of a label). Numbers that do not exist (NaN) in a
 * draw are left out. ITEM_E_MEMORY, ITEM_E_CANCELLED.
 */
item_status itemi_bootstrap(const itemi_mem *mem, const itemi_groups *groups,
                            const itemi_draws *draws, itemi_statistic statistic, void *user,
                            size_t outputs, itemi_interval *out, item_error *err);

#endif
