/* SPDX-License-Identifier: Apache-2.0 */
/* One training from the inside: shared between the files that item_train() is made of. */
#ifndef ITEMI_TRAIN_SESSION_H
#define ITEMI_TRAIN_SESSION_H

#include "core/head_private.h"
#include "core/json_make.h"
#include "train/eval.h"

#define ITEMI_CANDIDATES_MAX 64
#define ITEMI_LEVEL          0.95 /* of the intervals of a training's report */

/* A head that may be made: what it reads, its network, and how it does in the folds. */
typedef struct itemi_candidate {
    itemi_layout layout;
    char layout_name[ITEMI_LAYOUT_NAME_MAX];
    itemi_fit_options fit;
    size_t parameters; /* weights and biases */
    itemi_held_out held_out;
} itemi_candidate;

/* What one training holds. */
typedef struct itemi_session {
    const item_dataset *data;
    const item_train_options *options;
    itemi_candidate *candidate;
    size_t candidates;
    const itemi_candidate *chosen;
    itemi_cohort cohort;
    itemi_fold_plan plan;
    itemi_pace pace;
    float *features; /* of the one that was chosen */
    double *score;   /* calibrated, of held-out rows */
    double *weight;  /* equal by label and source */
    itemi_calibration calibration;
    itemi_head_facts facts;
    itemi_train_log log; /* of the head's own network */
    itemi_head *head;
    itemi_answers answers;
    json_t *compared; /* the table of candidates, or NULL */
    json_t *report;
} itemi_session;

/* Candidates from the options, checked; their networks are not trained yet. */
item_status itemi_candidates_read(itemi_session *s, item_error *err);
/* Trains each in the same folds, and chooses one. */
item_status itemi_candidates_compare(itemi_session *s, item_error *err);
void itemi_candidates_free(itemi_session *s);
json_t *itemi_hidden_json(const itemi_train_options *network);
json_t *itemi_penalty_json(const itemi_train_options *network); /* null with hidden layers */

/* Temperature, bias, thresholds and rules, from what was held out. */
item_status itemi_session_calibrate(itemi_session *s, item_error *err);
/* The rule on plain statistics; there is none where too few photographs have them. */
item_status itemi_session_plain(itemi_session *s, item_error *err);
item_status itemi_session_report(itemi_session *s, item_error *err);

#endif
