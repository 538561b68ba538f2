/* SPDX-License-Identifier: Apache-2.0 */
/* Figures within each source, their mean, and how sure they are. */
#include <math.h>
#include <string.h>

#include "train/eval.h"

/* ---- parts ---- */

void itemi_part_free(itemi_part *part)
{
    itemi_ranking_free(&part->ranking);
    itemi_free(NULL, part->row);
    itemi_free(NULL, part->score);
    itemi_free(NULL, part->weight);
    itemi_free(NULL, part->label);
    *part = (itemi_part){.count = 0};
}

item_status itemi_part_make(const itemi_cohort *cohort, itemi_rows rows, const double *score,
                            itemi_part *part, item_error *err)
{
    size_t n = rows.count;
    part->row = itemi_alloc_array(NULL, n, sizeof *part->row);
    part->score = itemi_alloc_array(NULL, n, sizeof *part->score);
    part->weight = itemi_alloc_array(NULL, n, sizeof *part->weight);
    part->label = itemi_alloc_array(NULL, n, sizeof *part->label);
    if (!part->row || !part->score || !part->weight || !part->label)
        return itemi_fail_memory(err, "evaluating");
    part->count = n;
    for (size_t i = 0; i < n; i++) {
        part->row[i] = rows.index[i];
        part->score[i] = score[rows.index[i]];
        part->label[i] = cohort->label[rows.index[i]];
    }
    return itemi_rank(NULL, part->score, part->label, n, &part->ranking, err);
}

static void weigh(const itemi_part *part, const double *weight)
{
    for (size_t i = 0; i < part->count; i++)
        part->weight[i] = weight ? weight[part->row[i]] : 1;
}

/* ---- panels ---- */

static bool reserve(itemi_panel *panel, size_t parts, size_t means)
{
    *panel = (itemi_panel){.parts = parts, .means = means};
    panel->part = itemi_alloc_zero(NULL, parts, sizeof *panel->part);
    panel->mean = itemi_alloc_array(NULL, parts, sizeof *panel->mean);
    panel->counted = itemi_alloc_array(NULL, means, sizeof *panel->counted);
    return panel->part && panel->mean && panel->counted;
}

void itemi_panel_free(itemi_panel *panel)
{
    for (size_t p = 0; panel->part && p < panel->parts; p++)
        itemi_part_free(&panel->part[p]);
    itemi_free(NULL, panel->part);
    itemi_free(NULL, panel->mean);
    itemi_free(NULL, panel->counted);
    *panel = (itemi_panel){.parts = 0};
}

itemi_rows itemi_rows_of_source(const itemi_cohort *cohort, size_t source, uint32_t *room)
{
    itemi_rows rows = {room, 0};
    for (size_t i = 0; i < cohort->groups.count; i++) {
        uint32_t own = cohort->source[i];
        if (source == cohort->sources ? !cohort->known[own] : own == source)
            room[rows.count++] = (uint32_t)i;
    }
    return rows;
}

item_status itemi_panel_make(const itemi_cohort *cohort, const double *score, itemi_panel *out,
                             item_error *err)
{
    size_t sources = cohort->sources;
    uint32_t *room = itemi_alloc_array(NULL, cohort->groups.count, sizeof *room);
    bool ok = reserve(out, sources + 1, 1) && room;
    item_status status = ok ? ITEM_OK : itemi_fail_memory(err, "evaluating");
    for (size_t s = 0; status == ITEM_OK && s <= sources; s++) {
        out->mean[s] = s == sources || cohort->known[s] ? ITEMI_NO_GROUP : 0;
        status = itemi_part_make(cohort, itemi_rows_of_source(cohort, s, room), score,
                                 &out->part[s], err);
    }
    itemi_free(NULL, room);
    if (status != ITEM_OK)
        itemi_panel_free(out);
    return status;
}

/* Pictures of one maker in one source, and the photographs of that source. */
static itemi_rows rows_of_maker(const itemi_cohort *cohort, const itemi_makers *makers, size_t cell,
                                uint32_t *room)
{
    itemi_rows rows = {room, 0};
    for (size_t i = 0; i < cohort->groups.count; i++) {
        bool own = makers->of[i] == cell / cohort->sources;
        if (cohort->source[i] == cell % cohort->sources && (own || !cohort->label[i]))
            room[rows.count++] = (uint32_t)i;
    }
    return rows;
}

/* Which maker (cell / sources) has pictures in which source (cell % sources); how many cells do. */
static size_t find_cells(const itemi_cohort *cohort, const itemi_makers *makers, uint8_t *full)
{
    size_t count = 0;
    for (size_t i = 0; i < cohort->groups.count; i++) {
        if (makers->of[i] == ITEMI_NO_GROUP)
            continue;
        uint8_t *cell = &full[makers->of[i] * cohort->sources + cohort->source[i]];
        count += !*cell;
        *cell = 1;
    }
    return count;
}

item_status itemi_panel_of_makers(const itemi_cohort *cohort, const itemi_makers *makers,
                                  const double *score, itemi_panel *out, item_error *err)
{
    size_t cells = 0, part = 0;
    bool ok = !itemi_mul_overflows(makers->count, cohort->sources, &cells);
    uint8_t *full = ok ? itemi_alloc_zero(NULL, cells, 1) : NULL;
    uint32_t *room = itemi_alloc_array(NULL, cohort->groups.count, sizeof *room);
    ok = full && room && reserve(out, find_cells(cohort, makers, full), makers->count);
    item_status status = ok ? ITEM_OK : itemi_fail_memory(err, "evaluating");
    for (size_t c = 0; status == ITEM_OK && c < cells; c++) {
        if (!full[c])
            continue;
        out->mean[part] = (uint32_t)(c / cohort->sources);
        status = itemi_part_make(cohort, rows_of_maker(cohort, makers, c, room), score,
                                 &out->part[part++], err);
    }
    itemi_free(NULL, room);
    itemi_free(NULL, full);
    if (status != ITEM_OK)
        itemi_panel_free(out);
    return status;
}

size_t itemi_panel_outputs(const itemi_panel *panel)
{
    return (panel->parts + panel->means) * ITEMI_MEASURES;
}

/* ---- figures ---- */

static void measure_part(const itemi_part *part, const double *weight, double *out)
{
    weigh(part, weight);
    out[ITEMI_AUC] = itemi_auc(&part->ranking, part->weight);
    out[ITEMI_AP] = itemi_average_precision(&part->ranking, part->weight);
    out[ITEMI_TPR1] = itemi_tpr_at(&part->ranking, part->weight, 0.01);
    out[ITEMI_TPR5] = itemi_tpr_at(&part->ranking, part->weight, 0.05);
}

static void measure(const itemi_panel *panel, const double *weight, double *out)
{
    double *means = out + panel->parts * ITEMI_MEASURES;
    memset(means, 0, panel->means * ITEMI_MEASURES * sizeof *means);
    memset(panel->counted, 0, panel->means * sizeof *panel->counted);
    for (size_t p = 0; p < panel->parts; p++) {
        double *own = out + p * ITEMI_MEASURES;
        uint32_t mean = panel->mean[p];
        measure_part(&panel->part[p], weight, own);
        if (mean == ITEMI_NO_GROUP || isnan(own[ITEMI_AUC]))
            continue;
        panel->counted[mean]++;
        for (size_t m = 0; m < ITEMI_MEASURES; m++)
            means[mean * ITEMI_MEASURES + m] += own[m];
    }
    for (size_t i = 0; i < panel->means * ITEMI_MEASURES; i++) {
        size_t counted = panel->counted[i / ITEMI_MEASURES];
        means[i] = counted ? means[i] / (double)counted : NAN;
    }
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
    out->parts = panel->parts;
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
    *figures = (itemi_figures){.parts = 0};
}

size_t itemi_figures_mixed(const itemi_figures *figures)
{
    return (figures->parts - 1) * ITEMI_MEASURES;
}

size_t itemi_figures_mean(const itemi_figures *figures, size_t mean)
{
    return (figures->parts + mean) * ITEMI_MEASURES;
}
