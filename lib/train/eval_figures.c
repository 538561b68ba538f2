/* SPDX-License-Identifier: Apache-2.0 */
/* Figures within each source, their mean, and how sure they are. */
#include <math.h>
#include <string.h>

#include "train/eval.h"

static void free_part(itemi_part *part)
{
    itemi_ranking_free(&part->ranking);
    itemi_free(NULL, part->row);
    itemi_free(NULL, part->score);
    itemi_free(NULL, part->weight);
    itemi_free(NULL, part->label);
}

static bool belongs(const itemi_cohort *cohort, size_t row, size_t source)
{
    return source == cohort->sources || cohort->source[row] == source;
}

/* Rows of one source, or of all when source is their number. */
static item_status make_part(const itemi_cohort *cohort, const double *score, size_t source,
                             itemi_part *part, item_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < cohort->groups.count; i++)
        n += belongs(cohort, i, source);
    part->row = itemi_alloc_array(NULL, n, sizeof *part->row);
    part->score = itemi_alloc_array(NULL, n, sizeof *part->score);
    part->weight = itemi_alloc_array(NULL, n, sizeof *part->weight);
    part->label = itemi_alloc_array(NULL, n, sizeof *part->label);
    if (!part->row || !part->score || !part->weight || !part->label)
        return itemi_fail_memory(err, "evaluating");
    for (size_t i = 0; i < cohort->groups.count; i++) {
        if (!belongs(cohort, i, source))
            continue;
        part->row[part->count] = (uint32_t)i;
        part->score[part->count] = score[i];
        part->label[part->count++] = cohort->label[i];
    }
    return itemi_rank(NULL, part->score, part->label, n, &part->ranking, err);
}

item_status itemi_panel_make(const itemi_cohort *cohort, const double *score, itemi_panel *out,
                             item_error *err)
{
    out->parts = cohort->sources + 1;
    out->part = itemi_alloc_zero(NULL, out->parts, sizeof *out->part);
    item_status status = out->part ? ITEM_OK : itemi_fail_memory(err, "evaluating");
    for (size_t p = 0; status == ITEM_OK && p < out->parts; p++)
        status = make_part(cohort, score, p, &out->part[p], err);
    if (status != ITEM_OK)
        itemi_panel_free(out);
    return status;
}

void itemi_panel_free(itemi_panel *panel)
{
    for (size_t p = 0; panel->part && p < panel->parts; p++)
        free_part(&panel->part[p]);
    itemi_free(NULL, panel->part);
    *panel = (itemi_panel){.parts = 0};
}

size_t itemi_panel_outputs(const itemi_panel *panel)
{
    return (panel->parts + 1) * ITEMI_MEASURES;
}

static void measure_part(const itemi_part *part, const double *weight, double *out)
{
    for (size_t i = 0; i < part->count; i++)
        part->weight[i] = weight ? weight[part->row[i]] : 1;
    out[ITEMI_AUC] = itemi_auc(&part->ranking, part->weight);
    out[ITEMI_AP] = itemi_average_precision(&part->ranking, part->weight);
    out[ITEMI_TPR1] = itemi_tpr_at(&part->ranking, part->weight, 0.01);
    out[ITEMI_TPR5] = itemi_tpr_at(&part->ranking, part->weight, 0.05);
}

static void measure(const itemi_panel *panel, const double *weight, double *out)
{
    double *mean = out + panel->parts * ITEMI_MEASURES;
    size_t paired = 0;
    memset(mean, 0, ITEMI_MEASURES * sizeof *mean);
    for (size_t p = 0; p < panel->parts; p++) {
        double *own = out + p * ITEMI_MEASURES;
        measure_part(&panel->part[p], weight, own);
        if (p + 1 == panel->parts || isnan(own[ITEMI_AUC]))
            continue;
        paired++;
        for (size_t m = 0; m < ITEMI_MEASURES; m++)
            mean[m] += own[m];
    }
    for (size_t m = 0; m < ITEMI_MEASURES; m++)
        mean[m] = paired ? mean[m] / (double)paired : NAN;
}

typedef struct contest {
    const itemi_panel *panel, *rival;
    double *second; /* figures of the rival */
} contest;

static void measure_contest(void *user, const double *weight, double *out)
{
    const contest *c = user;
    measure(c->panel, weight, out);
    if (!c->rival)
        return;
    measure(c->rival, weight, c->second);
    for (size_t i = 0; i < itemi_panel_outputs(c->panel); i++)
        out[i] -= c->second[i];
}

item_status itemi_figures_make(const itemi_cohort *cohort, const itemi_panel *panel,
                               const itemi_panel *rival, const itemi_draws *draws,
                               itemi_figures *out, item_error *err)
{
    out->sources = panel->parts - 1;
    out->outputs = itemi_panel_outputs(panel);
    out->value = itemi_alloc_array(NULL, out->outputs, sizeof *out->value);
    out->interval = itemi_alloc_array(NULL, out->outputs, sizeof *out->interval);
    contest c = {panel, rival, itemi_alloc_array(NULL, out->outputs, sizeof *c.second)};
    item_status status;
    if (out->value && out->interval && c.second) {
        measure_contest(&c, NULL, out->value);
        status = itemi_bootstrap(NULL, &cohort->groups, draws, measure_contest, &c, out->outputs,
                                 out->interval, err);
    } else {
        status = itemi_fail_memory(err, "evaluating");
    }
    itemi_free(NULL, c.second);
    if (status != ITEM_OK)
        itemi_figures_free(out);
    return status;
}

void itemi_figures_free(itemi_figures *figures)
{
    itemi_free(NULL, figures->value);
    itemi_free(NULL, figures->interval);
    *figures = (itemi_figures){.sources = 0};
}

size_t itemi_figures_mixed(const itemi_figures *figures)
{
    return figures->sources * ITEMI_MEASURES;
}

size_t itemi_figures_mean(const itemi_figures *figures)
{
    return (figures->sources + 1) * ITEMI_MEASURES;
}
