/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a report's web page: text, tables, plots; each from the report's JSON. */
#ifndef ITEMI_TRAIN_HTML_H
#define ITEMI_TRAIN_HTML_H

#include <jansson.h>

#include "common/common.h"

/* The same of a member, kept from changing the direction of what stands around it. */
void itemi_html_name(itemi_buf *buf, const json_t *object, const char *key);

/* ---- tables ---- */

typedef enum itemi_cell {
    ITEMI_CELL_NAME,   /* head of the row, with a mark where `known` is true */
    ITEMI_CELL_TEXT,   /* likewise a name, but no head */
    ITEMI_CELL_CODE,   /* a word of ours */
    ITEMI_CELL_COUNT,  /* a whole number */
    ITEMI_CELL_FIGURE, /* three decimals and the interval */
    ITEMI_CELL_SHARE,  /* the same in per cent */
    ITEMI_CELL_CALLED, /* real/unsure/ai */
    ITEMI_CELL_BAR,    /* a figure with its interval, drawn on a scale */
    ITEMI_CELL_FLAG    /* the column's `mark` where the member is true */
} itemi_cell;

#define ITEMI_COLUMNS_MAX 12 /* of a table */

typedef struct itemi_column {
    const char *title, *key;
    itemi_cell cell;
    const char *mark;     /* of a flag */
    double low, high, at; /* of a bar: ends of its scale and a line to compare with; NaN: none */
} itemi_column;

/* At least one row, or nothing is written. only: rows where this figure is known; NULL: all. */
void itemi_html_table(itemi_buf *buf, const char *caption, const json_t *rows, const char *only,
                      const itemi_column *columns, size_t count);
/* "0.731 (0.652 to 0.804)"; format: "%" or "". */
void itemi_html_figure(itemi_buf *buf, const json_t *object, const char *key, const char *format);

/* ---- plots ---- */

void itemi_html_curves(itemi_buf *buf, const json_t *root);      /* one of each source */
void itemi_html_reliability(itemi_buf *buf, const json_t *root); /* probability and share */
void itemi_html_scores(itemi_buf *buf, const json_t *root);      /* counts of scores by label */

/* ---- the page ---- */

/* markdown: what is shown of a report that has no figures of a head. NULL: no memory. */
char *itemi_report_page(const json_t *root, const char *markdown);

#endif
