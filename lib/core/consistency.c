/* SPDX-License-Identifier: Apache-2.0 */
/* Does a caller's caption speak of the picture at all? A warning; the verdict stays as it is. */
#include <stdio.h>

#include "core/pipeline.h"

void itemi_warn_inconsistent(itemi_batch *batch, itemi_work *work, double similarity)
{
    const item_ctx *ctx = batch->ctx;
    const itemi_reading *shown = itemi_work_shown(work);
    if (!ctx->pack || ctx->slot[ITEMI_EMBEDDER].registered || /* the limit is of the pack's one */
        shown != &work->readings[ITEMI_CALLER])
        return;
    double least = ctx->pack->stage[ITEMI_EMBEDDER].least_similarity;
    if (!(similarity < least)) /* NaN: nothing is known of this embedder */
        return;
    char line[160];
    snprintf(line, sizeof line,
             "inconsistent: picture and caption agree by %.3f, nearly all true captions by %.3f or"
             " more",
             similarity, least);
    itemi_lines_add(batch->call.mem, &work->warnings, line);
}
