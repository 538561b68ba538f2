/* SPDX-License-Identifier: Apache-2.0 */
/* The name of all that makes features beside the embedder, for heads and data sets. */
#include <math.h>

#include "core/core.h"

static const char *identity(const item_ctx *ctx, itemi_stage_kind kind)
{
    const itemi_slot *slot = &ctx->slot[kind];
    return slot->possible ? slot->identity : "none";
}

/* A setting that is left to the pack is told as that: the stages' identities fix its value. */
void itemi_pipeline_name(const item_ctx *ctx, uint32_t max_objects, char out[ITEMI_PIPELINE_MAX])
{
    const itemi_settings *s = &ctx->settings;
    char beams[16] = "pack", score[32] = "pack";
    if (s->beams)
        itemi_format(beams, sizeof beams, "%u", (unsigned)s->beams);
    if (!isnan(s->detector_score))
        itemi_format(score, sizeof score, "%.17g", s->detector_score);
    itemi_format(out, ITEMI_PIPELINE_MAX,
                 "captioner %s, detector %s, beams %s, max_objects %u, detector_score %s",
                 identity(ctx, ITEMI_CAPTIONER), identity(ctx, ITEMI_DETECTOR), beams,
                 (unsigned)max_objects, score);
}
