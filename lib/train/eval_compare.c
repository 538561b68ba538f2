/* SPDX-License-Identifier: Apache-2.0 */
/* Other scores beside those of the head: controls, and rivals on the same pictures. */
#include "core/json_make.h"
#include "train/eval.h"

item_status itemi_report_control(const itemi_evaluation *e, const char *name, const double *score,
                                 json_t **controls, item_error *err)
{
    itemi_figures f = {.parts = 0};
    item_status status = itemi_figures_of(e, score, NULL, &f, err);
    if (status != ITEM_OK)
        return status;
    json_t *row = json_pack("{s:s}", "control", name);
    itemi_put_measures(&f, itemi_figures_mean(&f, 0), &row);
    itemi_json_put(&row, "mixed_auc", itemi_json_figure(f.value[itemi_figures_mixed(&f)]));
    itemi_json_append(controls, row);
    itemi_figures_free(&f);
    return ITEM_OK;
}

/* A figure of each source. */
static json_t *by_source(const itemi_evaluation *e, const itemi_figures *f)
{
    json_t *table = json_array();
    for (size_t s = 0; s < e->cohort->sources; s++) {
        json_t *row = itemi_source_row(e, s);
        itemi_put_measures(f, s * ITEMI_MEASURES, &row);
        itemi_json_append(&table, row);
    }
    return table;
}

item_status itemi_report_comparison(const itemi_evaluation *e, const char *name,
                                    const double *score, json_t **comparisons, item_error *err)
{
    itemi_figures rival = {.parts = 0}, away = {.parts = 0};
    item_status status = itemi_figures_of(e, score, NULL, &rival, err);
    if (status == ITEM_OK)
        status = itemi_figures_of(e, e->answers->score, score, &away, err);
    if (status == ITEM_OK) {
        json_t *theirs = json_object(), *difference = json_object();
        itemi_put_measures(&rival, itemi_figures_mean(&rival, 0), &theirs);
        itemi_put_measures(&away, itemi_figures_mean(&away, 0), &difference);
        itemi_json_append(comparisons,
                          json_pack("{s:o, s:o, s:o, s:o, s:o}", "rival", itemi_json_text(name),
                                    "rival_figures", theirs, "rival_by_source",
                                    by_source(e, &rival), "difference", difference,
                                    "difference_by_source", by_source(e, &away)));
    }
    itemi_figures_free(&rival);
    itemi_figures_free(&away);
    return status;
}
