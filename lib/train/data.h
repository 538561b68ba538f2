/* SPDX-License-Identifier: Apache-2.0 */
/* Data sets from the inside; what training and evaluation compute from them. */
#ifndef ITEMI_TRAIN_DATA_H
#define ITEMI_TRAIN_DATA_H

#include <item/train.h>

#include "common/common.h"
#include "core/core.h"
#include "core/head.h"
#include "math/math.h"

/* ---- texts, each kept once ---- */

/* Text 0 is "": not known. */
typedef struct itemi_texts {
    char **text;
    size_t count, room;
    uint32_t *table; /* open addressing: text + 1, 0 is free; its size is a power of two */
    size_t slots;
} itemi_texts;

bool itemi_texts_add(itemi_texts *texts, const char *text, uint32_t *id); /* false: no memory */
/* The id of a text, or UINT32_MAX. */
uint32_t itemi_texts_find(const itemi_texts *texts, const char *text);
void itemi_texts_free(itemi_texts *texts);

/* ---- data sets ---- */

/* What is known of a picture beside its vectors. */
typedef struct itemi_record {
    uint8_t label, flags;
    uint32_t objects, first; /* its objects stand at first.. in crops and phrases */
    uint32_t picture_width, picture_height;
    uint64_t file_bytes;
    double caption_logprob;
    uint32_t name, source, generator, scene, caption; /* texts */
    uint32_t named, first_named;                      /* its phrases in the set's `named` */
    double caption_prior;                             /* NaN: not known */
    uint8_t picture[ITEM_PICTURE_HASH];               /* zeros: not known */
    float plain[ITEM_PLAIN_NUMBERS];                  /* NaN: not known */
} itemi_record;

struct item_dataset {
    size_t width;
    uint32_t working_size;
    bool callers_captions;
    char embedder[256];
    char pipeline[ITEMI_PIPELINE_MAX]; /* "": not known */
    char working_filter[ITEMI_NAME_MAX];

    size_t count, room;
    itemi_record *record;
    float *image, *text; /* [room x width] */
    size_t objects, object_room;
    float *crops, *phrases; /* [object_room x width] */
    size_t names, name_room;
    float *named; /* [name_room x width] */
    size_t view_count, layer_count;
    float *views, *layers; /* [room x view_count x width], [room x layer_count] */
    itemi_texts texts;

    char **warning; /* pictures that were left out */
    size_t warnings;
    char **notice; /* what else should be known of them */
    size_t notices;
};

/* Reserves rows, objects and phrases that are to come; false: no memory. */
bool itemi_dataset_reserve(item_dataset *data, size_t rows, size_t objects, size_t names);
itemi_widths itemi_dataset_widths(const item_dataset *data);
bool itemi_dataset_warn(item_dataset *data, const char *line);   /* false: no memory */
bool itemi_dataset_notify(item_dataset *data, const char *line); /* likewise */
bool itemi_record_has_picture(const itemi_record *record);       /* is its hash known? */
/* A short side of a picture, 0 when not known. */
uint32_t itemi_record_short_side(const itemi_record *record);

/* ---- groups ---- */

/*
 * Rows as the mathematics wants them: labels and dense ids. The generator "unknown" is no group.
 */
typedef struct itemi_cohort {
    itemi_groups groups;
    uint8_t *label;
    uint32_t *source, *generator, *scene; /* what groups points to */
    uint32_t *all;                        /* 0, 1, ...: every row */
    uint32_t *source_text;                /* text of each source */
    size_t sources;                       /* a source that is not named counts as one */
    bool *known; /* by source: a head was trained on it. Shown in tables, counted in no sum */
} itemi_cohort;

item_status itemi_cohort_make(const item_dataset *data, itemi_cohort *out, item_error *err);
void itemi_cohort_free(itemi_cohort *cohort);

/* ---- features ---- */

typedef enum itemi_design {
    ITEMI_DESIGN_LAYOUT = 0, /* what the head reads */
    ITEMI_DESIGN_SHUFFLED,   /* the same, with captions and phrases shuffled within the source */
    ITEMI_DESIGN_PICTURE,    /* vector of the picture alone */
    ITEMI_DESIGN_CAPTION,    /* vector of the caption alone */
    ITEMI_DESIGN_COUNTS,     /* number of objects, log-probability of the caption */
    ITEMI_DESIGN_SHAPE,      /* width, height, bytes of the file */
    ITEMI_DESIGNS
} itemi_design;

const char *itemi_design_name(itemi_design design);
size_t itemi_design_width(const item_dataset *data, itemi_design design,
                          const itemi_layout *layout);
/* Features of every row [count x width]; NULL: no memory. The seed is that of the shuffling. */
float *itemi_design_make(const item_dataset *data, itemi_design design, const itemi_layout *layout,
                         const itemi_cohort *cohort, uint64_t seed);

#define ITEMI_DRAWS_MAX 100000 /* of the bootstrap: each draw keeps its figures until the end */

/* ---- fitting ---- */

/* How often training reported, and whether it may go on. */
typedef struct itemi_pace {
    item_cancel *cancel;
    item_progress_fn progress;
    void *user;
    uint64_t done, total; /* epochs */
} itemi_pace;

typedef struct itemi_fit_options {
    itemi_train_options network;
    double validation; /* share of scenes for early stopping */
} itemi_fit_options;

/* Which rows are held out together. */
typedef struct itemi_fold_plan {
    uint32_t *fold; /* [count] */
    size_t folds;
    itemi_fold_unit unit;
} itemi_fold_plan;

/*
 * The strictest folds that leave both labels to train on; ITEM_E_ARGUMENT when there are none.
 * itemi_free(NULL, fold) it.
 */
item_status itemi_fold_plan_make(const itemi_cohort *cohort, size_t most, itemi_fold_plan *out,
                                 item_error *err);

/* Scores of each row by a network that knew nothing of its fold. */
typedef struct itemi_held_out {
    double *logit;    /* [count] */
    double *distance; /* [count], of the normalised features */
    double epochs;    /* mean of the epochs kept */
} itemi_held_out;

void itemi_held_out_free(itemi_held_out *held_out);
/* What is fitted, and how. */
typedef struct itemi_task {
    const itemi_cohort *cohort;
    const float *features; /* [count x width] */
    size_t width;
    const itemi_fit_options *options;
    itemi_pace *pace;
} itemi_task;

/* Trains on some rows; their scenes are split for early stopping. */
item_status itemi_fit(const itemi_task *task, itemi_rows rows, itemi_mlp *out, itemi_train_log *log,
                      item_error *err);
/* One fit for each fold. */
item_status itemi_cross_fit(const itemi_task *task, const itemi_fold_plan *plan,
                            itemi_held_out *out, item_error *err);

#endif
