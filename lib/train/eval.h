/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of scores, and reports of them: shared between eval_*.c and train_*.c. */
#ifndef ITEMI_EVAL_H
#define ITEMI_EVAL_H

#include <jansson.h>

#include "train/data.h"

/* ---- one set of scores, looked at within each source ---- */

typedef enum itemi_measure {
    ITEMI_AUC = 0,
    ITEMI_AP,
    ITEMI_TPR1, /* share of AI pictures found at 1 % false positives */
    ITEMI_TPR5,
    ITEMI_MEASURES
} itemi_measure;

/* Rows of one source, ranked. */
typedef struct itemi_part {
    itemi_ranking ranking; /* of score and label below */
    size_t count;
    uint32_t *row;
    double *score, *weight;
    uint8_t *label;
} itemi_part;

/*
 * One part a source, and a last one of all rows. A panel measures part p into
 * out[p x ITEMI_MEASURES ...]; after the parts comes the mean over the sources that have both
 * labels.
 */
typedef struct itemi_panel {
    size_t parts; /* sources + 1 */
    itemi_part *part;
} itemi_panel;

item_status itemi_panel_make(const itemi_cohort *cohort, const double *score, itemi_panel *out,
                             item_error *err);
void itemi_panel_free(itemi_panel *panel);
size_t itemi_panel_outputs(const itemi_panel *panel);

/* Figures of a panel with their intervals, and of the difference to another. */
typedef struct itemi_figures {
    size_t sources, outputs;
    double *value;
    itemi_interval *interval;
} itemi_figures;

/* Where the mean over paired sources and the figures of all rows stand. */
size_t itemi_figures_mean(const itemi_figures *figures);
size_t itemi_figures_mixed(const itemi_figures *figures);

/* Differences: of panel minus rival when rival is not NULL. */
item_status itemi_figures_make(const itemi_cohort *cohort, const itemi_panel *panel,
                               const itemi_panel *rival, const itemi_draws *draws,
                               itemi_figures *out, item_error *err);
void itemi_figures_free(itemi_figures *figures);

/* ---- what a head said of each row ---- */

typedef struct itemi_answers {
    double *score;
    int32_t *verdict, *reason;
} itemi_answers;

bool itemi_answers_reserve(itemi_answers *answers, size_t rows); /* false: no memory */
void itemi_answers_free(itemi_answers *answers);
/* What a row's verdict rests on, without features. */
void itemi_evidence_of(const item_dataset *data, size_t row, const float *features, size_t count,
                       itemi_evidence *out);

/* ---- the head that a data set is judged by ---- */

/*
 * That of a file (*opened too, which the caller frees), or without one that of ctx;
 * ITEM_E_UNSUPPORTED: there is none. purpose: what it is for, a verb.
 */
item_status itemi_head_given(const char *path, const item_ctx *ctx, const char *purpose,
                             const itemi_head **out, itemi_head **opened, item_error *err);
/* Are the data set's vectors what this head reads? ITEM_E_MISMATCH says why not. */
item_status itemi_data_fits(const item_dataset *data, const itemi_head *head, item_error *err);

/* ---- sections of a report; *report, *controls become NULL where memory is out ---- */

/* Everything that an evaluation is made from. */
typedef struct itemi_evaluation {
    const item_dataset *data;
    const itemi_cohort *cohort;
    const itemi_head *head;
    const itemi_answers *answers;
    itemi_threshold threshold;
    itemi_draws draws;
    size_t bins;
} itemi_evaluation;

/* Adds headline, sources, generators, verdicts, calibration and mixed to `report`. */
item_status itemi_report_figures(const itemi_evaluation *e, json_t **report, item_error *err);
/* One line of the table of controls. */
item_status itemi_report_control(const itemi_evaluation *e, const char *name, const double *score,
                                 json_t **controls, item_error *err);
/* Adds `comparison` with a rival's scores. */
item_status itemi_report_comparison(const itemi_evaluation *e, const char *name,
                                    const double *score, json_t **report, item_error *err);
void itemi_report_warn(json_t **report, const char *line);

/* ---- reports ---- */

/* Takes root (NULL: no memory) and head, also on failure; writes the texts. */
item_status itemi_report_make(json_t *root, itemi_head *head, item_report **out, item_error *err);
char *itemi_report_render(const json_t *root);      /* Markdown; NULL: no memory */
char *itemi_calibration_render(const json_t *root); /* of a calibration */
/* The part on heads that were compared, where a report has one. */
void itemi_candidates_render(const json_t *root, itemi_buf *buf);

#endif
