/* SPDX-License-Identifier: Apache-2.0 */
/* What the single stages share: one stage of a context, called for what a caller brings. */
#ifndef ITEMI_SINGLE_H
#define ITEMI_SINGLE_H

#include "core/pipeline.h"

#define ITEMI_SINGLE_MOST 64 /* pictures or texts in one call of a stage, at most */

/* What a single stage keeps while it runs. */
typedef struct itemi_single {
    item_ctx *ctx;
    itemi_stage *stage;
    item_check_options options;
    itemi_call call;
    itemi_lines lines;
    double start;
    size_t n; /* pictures of one call of the stage, which share its time and its warnings */
} itemi_single;

/* After success, end() must follow. */
item_status itemi_single_begin(itemi_single *s, item_ctx *ctx, itemi_stage_kind kind,
                               const item_check_options *options, item_error *err);
void itemi_single_end(itemi_single *s);
/* ITEM_E_ARGUMENT for NULL. */
item_status itemi_single_need(const void *pointer, const char *name, item_error *err);

#endif
