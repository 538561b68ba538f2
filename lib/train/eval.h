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

/* Some rows, ranked. */
typedef struct itemi_part {
    itemi_ranking ranking; /* of score and label below */
    size_t count;
    uint32_t *row;
    double *score, *weight; /* weight: room for a measurement */
    uint8_t *label;
} itemi_part;

item_status itemi_part_make(const itemi_cohort *cohort, itemi_rows rows, const double *score,
                            itemi_part *part, item_error *err);
void itemi_part_free(itemi_part *part);
/* Rows of a source, or of all that are not known to a head when source is their number. */
itemi_rows itemi_rows_of_source(const itemi_cohort *cohort, size_t source, uint32_t *room);

/*
 * Parts, each measured by itself, and means over parts that have both labels. A panel of sources
 * has one part a source, a last one of all rows, and one mean; known sources are in neither.
 */
typedef struct itemi_panel {
    size_t parts, means;
    itemi_part *part;
    uint32_t *mean;  /* of each part: in which mean it counts; ITEMI_NO_GROUP: none */
    size_t *counted; /* room, by mean */
} itemi_panel;

item_status itemi_panel_make(const itemi_cohort *cohort, const double *score, itemi_panel *out,
                             item_error *err);
void itemi_panel_free(itemi_panel *panel);
size_t itemi_panel_outputs(const itemi_panel *panel);

/* Generators of AI pictures, "unknown" and not named among them. */
typedef struct itemi_makers {
    size_t count;
    uint32_t *text; /* by maker */
    bool *known;    /* by maker: all of its pictures are in known sources, else none counts here */
    uint32_t *of;   /* by row; ITEMI_NO_GROUP: a photograph, or it does not count */
} itemi_makers;

bool itemi_makers_make(const item_dataset *data, const itemi_cohort *cohort, itemi_makers *makers);
void itemi_makers_free(itemi_makers *makers);
/* A part for each maker and source that it has pictures in, with photographs; a mean a maker. */
item_status itemi_panel_of_makers(const itemi_cohort *cohort, const itemi_makers *makers,
                                  const double *score, itemi_panel *out, item_error *err);

/* Figures of a panel with their intervals, or of its difference to another: parts, then means. */
typedef struct itemi_figures {
    size_t parts, outputs;
    double *value;
    itemi_interval *interval;
} itemi_figures;

/* Where a mean stands, and in a panel of sources the figures of all rows. */
size_t itemi_figures_mean(const itemi_figures *figures, size_t mean);
size_t itemi_figures_mixed(const itemi_figures *figures);

/* Differences: of panel minus rival when rival is not NULL. */
item_status itemi_figures_make(const itemi_cohort *cohort, const itemi_panel *panel,
                               const itemi_panel *rival, const itemi_draws *draws,
                               itemi_figures *out, item_error *err);
void itemi_figures_free(itemi_figures *figures);

/* ---- heads, and what they know already ---- */

#define ITEMI_RIVALS_MAX 64

/* The head that is measured, and its rivals. */
typedef struct itemi_contenders {
    size_t count;
    const char *name[ITEMI_RIVALS_MAX + 2];
    const itemi_head *head[ITEMI_RIVALS_MAX + 2];
    itemi_head *opened[ITEMI_RIVALS_MAX + 2]; /* NULL: is the context's */
} itemi_contenders;

/* Sources of a data set that any of the heads was trained on. */
typedef struct itemi_overlap {
    const item_dataset *data;
    bool *known;          /* by text */
    bool *asked;          /* by text: is a source */
    size_t sources, rows; /* known ones, and their pictures */
    bool dropped;         /* what is measured is the rest */
} itemi_overlap;

/* Free it also after a failure. */
item_status itemi_overlap_make(const item_dataset *data, const itemi_contenders *all,
                               itemi_overlap *out, item_error *err);
void itemi_overlap_free(itemi_overlap *o);
item_status itemi_overlap_refuse(const itemi_overlap *o, item_error *err);
/* A copy of the data set without them. */
item_status itemi_overlap_drop(itemi_overlap *o, item_dataset **out, item_error *err);
void itemi_overlap_mark(const itemi_overlap *o, itemi_cohort *cohort);
item_status itemi_overlap_warn(const itemi_overlap *o, const itemi_contenders *all, json_t **report,
                               item_error *err);
/* Of pictures that a head was trained on nothing is to be learnt. */
item_status itemi_overlap_refuse_pictures(const item_dataset *data, const itemi_contenders *all,
                                          item_error *err);

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

/* ---- what an evaluation is made from ---- */

typedef struct itemi_evaluation {
    const item_dataset *data;
    const itemi_cohort *cohort;
    const itemi_head *head;
    const itemi_answers *answers;
    itemi_threshold threshold;
    itemi_draws draws;
    size_t bins;
} itemi_evaluation;

item_status itemi_figures_of(const itemi_evaluation *e, const double *score, const double *rival,
                             itemi_figures *out, item_error *err);
void itemi_put_measures(const itemi_figures *f, size_t at, json_t **object);
const char *itemi_source_name(const itemi_evaluation *e, size_t source);
json_t *itemi_source_row(const itemi_evaluation *e, size_t source); /* its name; is it known? */

/* ---- verdicts ---- */

typedef struct itemi_tally {
    double rows[2], called[2][ITEM_VERDICT_AI + 1]; /* [0] photographs, [1] AI pictures */
} itemi_tally;

typedef enum itemi_share {
    ITEMI_FALSE_POSITIVES = 0, /* photographs called `ai` */
    ITEMI_RECALL,              /* AI pictures called `ai` */
    ITEMI_UNSURE,
    ITEMI_RIGHT, /* of what was called `real` or `ai` */
    ITEMI_WRONG, /* of all */
    ITEMI_SHARES
} itemi_share;

/* Groups of rows: sources, then the ones below, and reasons. */
typedef struct itemi_tallies {
    const itemi_evaluation *e;
    const itemi_makers *makers;
    size_t sources, groups;
    itemi_tally *tally;       /* by group */
    bool *paired;             /* by source: has both labels */
    itemi_interval *interval; /* of shares by group, then of reasons */
} itemi_tallies;

size_t itemi_group_paired(const itemi_tallies *t); /* sources with both labels, none known */
size_t itemi_group_all(const itemi_tallies *t);    /* sources that are not known */
size_t itemi_group_maker(const itemi_tallies *t, size_t maker);

item_status itemi_tallies_make(const itemi_evaluation *e, const itemi_makers *makers,
                               itemi_tallies *out, item_error *err);
void itemi_tallies_free(itemi_tallies *t);
void itemi_put_verdicts(const itemi_tallies *t, size_t group, json_t **object);
void itemi_put_maker(const itemi_tallies *t, size_t maker, json_t **object);
void itemi_put_share(const itemi_tallies *t, size_t group, itemi_share share, const char *name,
                     json_t **object);
void itemi_put_reasons(const itemi_tallies *t, json_t **section);

/* ---- calibration ---- */

typedef struct itemi_calibrated itemi_calibrated;

/* Free it also after a failure. */
item_status itemi_calibrated_make(const itemi_evaluation *e, itemi_calibrated **out,
                                  item_error *err);
void itemi_calibrated_free(itemi_calibrated *c);
void itemi_put_calibrated(const itemi_calibrated *c, size_t source, json_t **object);
json_t *itemi_calibration_section(const itemi_calibrated *c);

/* ---- sections of a report; what is put into becomes NULL where memory is out ---- */

/* All that is said of a head's answers: headline, sources, generators, verdicts, ... */
item_status itemi_report_figures(const itemi_evaluation *e, json_t **report, item_error *err);
item_status itemi_report_worst(const itemi_evaluation *e, const itemi_tallies *t, json_t **report,
                               item_error *err);
item_status itemi_report_plots(const itemi_evaluation *e, json_t **report, item_error *err);
/* One line of the table of controls. */
item_status itemi_report_control(const itemi_evaluation *e, const char *name, const double *score,
                                 json_t **controls, item_error *err);
/* The scores of a head, or of a head on a design of features. */
item_status itemi_score_design(const itemi_evaluation *e, const itemi_head *head,
                               itemi_design design, double *score, item_error *err);
/* Adds `controls`; trains some on `from` unless that is NULL. score: room, by row. */
item_status itemi_report_controls(const itemi_evaluation *e, const item_dataset *from,
                                  item_cancel *cancel, double *score, json_t **report,
                                  item_error *err);
/* One comparison with a rival's scores. */
item_status itemi_report_comparison(const itemi_evaluation *e, const char *name,
                                    const double *score, json_t **comparisons, item_error *err);
void itemi_report_warn(json_t **report, const char *line);

/* ---- reports ---- */

/* Takes root (NULL: no memory) and head, also on failure; writes the texts. */
item_status itemi_report_make(json_t *root, itemi_head *head, item_report **out, item_error *err);
char *itemi_report_render(const json_t *root);      /* Markdown; NULL: no memory */
char *itemi_calibration_render(const json_t *root); /* of a calibration */
/* The part on heads that were compared, where a report has one. */
void itemi_candidates_render(const json_t *root, itemi_buf *buf);

#endif
