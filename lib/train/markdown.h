/* SPDX-License-Identifier: Apache-2.0 */
/* Cells and lines of a report's Markdown; what a report lacks is written as "-". */
#ifndef ITEMI_TRAIN_MARKDOWN_H
#define ITEMI_TRAIN_MARKDOWN_H

#include <jansson.h>

#include "common/common.h"

double itemi_md_number(const json_t *object, const char *key); /* NaN: there is none */
long long itemi_md_whole(const json_t *object, const char *key);
/* A name in a table: what would end the cell or the line is replaced, HTML is made plain. */
void itemi_md_name(itemi_buf *buf, const json_t *object, const char *key);
/* format: "%", or "" for three decimals. */
void itemi_md_figure(itemi_buf *buf, double value, const char *format);
/* " value (low to high) |" */
void itemi_md_cell(itemi_buf *buf, const json_t *object, const char *key, const char *format);
/* " real/unsure/ai |" */
void itemi_md_called(itemi_buf *buf, const json_t *object, const char *key);
/* "1 picture", "2 pictures" */
void itemi_md_count(itemi_buf *buf, long long count, const char *noun);
/* The lines of `warnings`. */
void itemi_md_warnings(itemi_buf *buf, const json_t *root);

#endif
