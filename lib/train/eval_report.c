/* SPDX-License-Identifier: Apache-2.0 */
/* Sections of a report as JSON: headline, sources, generators, verdicts. */
#include "train/eval.h"

#include <math.h>

#include "core/json_make.h"

/* What the sections share. */
typedef struct sections {
    const itemi_evaluation *e;
    itemi_figures figures, of_makers;
    itemi_makers makers;
    itemi_tallies tallies;
    itemi_calibrated *calibrated;
} sections;

void itemi_put_measures(const itemi_figures *f, size_t at, json_t **object)
{
    static const char *const names[ITEMI_MEASURES] = {"auc", "ap", "tpr1", "tpr5"};
    static const char *const intervals[ITEMI_MEASURES] = {"auc_interval", "ap_interval",
                                                          "tpr1_interval", "tpr5_interval"};
    for (size_t m = 0; m < ITEMI_MEASURES; m++) {
        bool known = !isnan(f->value[at + m]);
        itemi_json_put(object, names[m], itemi_json_figure(f->value[at + m]));
        itemi_json_put(object, intervals[m],
                       known ? itemi_json_interval(f->interval[at + m]) : json_null());
    }
}

const char *itemi_source_name(const itemi_evaluation *e, size_t source)
{
    return e->data->texts.text[e->cohort->source_text[source]];
}

json_t *itemi_source_row(const itemi_evaluation *e, size_t source)
{
    return json_pack("{s:o, s:b}", "source", itemi_json_text(itemi_source_name(e, source)), "known",
                     e->cohort->known[source]);
}

static json_t *source_table(const sections *s)
{
    json_t *table = json_array();
    for (size_t i = 0; i < s->e->cohort->sources; i++) {
        const itemi_tally *t = &s->tallies.tally[i];
        json_t *row = itemi_source_row(s->e, i);
        itemi_json_put(&row, "real", json_integer((json_int_t)t->rows[0]));
        itemi_json_put(&row, "ai", json_integer((json_int_t)t->rows[1]));
        itemi_put_measures(&s->figures, i * ITEMI_MEASURES, &row);
        itemi_put_verdicts(&s->tallies, i, &row);
        itemi_put_calibrated(s->calibrated, i, &row);
        itemi_json_append(&table, row);
    }
    return table;
}

/* Each against the photographs of its sources, mean over these. */
static json_t *generator_table(const sections *s)
{
    json_t *table = json_array();
    for (size_t g = 0; g < s->makers.count; g++) {
        const itemi_tally *t = &s->tallies.tally[itemi_group_maker(&s->tallies, g)];
        json_t *row = json_pack("{s:o, s:b, s:I}", "generator",
                                itemi_json_text(s->e->data->texts.text[s->makers.text[g]]), "known",
                                s->makers.known[g], "ai", (json_int_t)t->rows[1]);
        itemi_put_measures(&s->of_makers, itemi_figures_mean(&s->of_makers, g), &row);
        itemi_put_maker(&s->tallies, g, &row);
        itemi_json_append(&table, row);
    }
    return table;
}

static json_t *verdict_section(const sections *s)
{
    const itemi_threshold *t = &s->e->threshold;
    json_t *section =
        json_pack("{s:s, s:o, s:o, s:o}", "threshold", t->name, "threshold_score",
                  itemi_json_number(t->score), "promised", itemi_json_number(t->promised),
                  "real_below", itemi_json_number(itemi_head_get_facts(s->e->head)->real_below));
    itemi_put_verdicts(&s->tallies, itemi_group_all(&s->tallies), &section);
    itemi_put_reasons(&s->tallies, &section);
    return section;
}

static json_t *headline(const sections *s)
{
    json_int_t paired = 0;
    for (size_t i = 0; i < s->e->cohort->sources; i++)
        paired += s->tallies.paired[i] && !s->e->cohort->known[i];
    json_t *section = json_pack("{s:I}", "sources", paired);
    itemi_put_measures(&s->figures, itemi_figures_mean(&s->figures, 0), &section);
    itemi_put_verdicts(&s->tallies, itemi_group_paired(&s->tallies), &section);
    return section;
}

static json_t *mixed(const sections *s)
{
    json_t *section = json_object();
    itemi_put_measures(&s->figures, itemi_figures_mixed(&s->figures), &section);
    return section;
}

/* Pictures of every source, also of those that a head knows: how many are of these stands beside. */
static json_t *data_section(const sections *s)
{
    json_int_t rows[2] = {0, 0}, known_sources = 0, known_rows = 0;
    for (size_t i = 0; i < s->e->cohort->sources; i++) {
        const itemi_tally *t = &s->tallies.tally[i];
        for (size_t label = 0; label < 2; label++) {
            rows[label] += (json_int_t)t->rows[label];
            known_rows += s->e->cohort->known[i] ? (json_int_t)t->rows[label] : 0;
        }
        known_sources += s->e->cohort->known[i];
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "rows", (json_int_t)s->e->data->count,
                     "ai", rows[1], "real", rows[0], "sources", (json_int_t)s->e->cohort->sources,
                     "failed", (json_int_t)s->e->data->warnings, "known_sources", known_sources,
                     "known_rows", known_rows);
}

item_status itemi_figures_of(const itemi_evaluation *e, const double *score, const double *rival,
                             itemi_figures *out, item_error *err)
{
    itemi_panel panel = {.parts = 0}, other = {.parts = 0};
    item_status status = itemi_panel_make(e->cohort, score, &panel, err);
    if (status == ITEM_OK && rival)
        status = itemi_panel_make(e->cohort, rival, &other, err);
    if (status == ITEM_OK)
        status = itemi_figures_make(e->cohort, &panel, rival ? &other : NULL, &e->draws, out, err);
    itemi_panel_free(&panel);
    itemi_panel_free(&other);
    return status;
}

static item_status figures_of_makers(sections *s, item_error *err)
{
    itemi_panel panel = {.parts = 0};
    item_status status =
        itemi_panel_of_makers(s->e->cohort, &s->makers, s->e->answers->score, &panel, err);
    if (status == ITEM_OK)
        status = itemi_figures_make(s->e->cohort, &panel, NULL, &s->e->draws, &s->of_makers, err);
    itemi_panel_free(&panel);
    return status;
}

static item_status compute(sections *s, item_error *err)
{
    item_status status = itemi_figures_of(s->e, s->e->answers->score, NULL, &s->figures, err);
    if (status == ITEM_OK && !itemi_makers_make(s->e->data, s->e->cohort, &s->makers))
        status = itemi_fail_memory(err, "evaluating");
    if (status == ITEM_OK)
        status = figures_of_makers(s, err);
    if (status == ITEM_OK)
        status = itemi_tallies_make(s->e, &s->makers, &s->tallies, err);
    if (status == ITEM_OK)
        status = itemi_calibrated_make(s->e, &s->calibrated, err);
    return status;
}

item_status itemi_report_figures(const itemi_evaluation *e, json_t **report, item_error *err)
{
    sections s = {.e = e};
    item_status status = compute(&s, err);
    if (status == ITEM_OK) {
        itemi_json_put(report, "data", data_section(&s));
        itemi_json_put(report, "headline", headline(&s));
        itemi_json_put(report, "sources", source_table(&s));
        itemi_json_put(report, "generators", generator_table(&s));
        itemi_json_put(report, "verdicts", verdict_section(&s));
        itemi_json_put(report, "calibration", itemi_calibration_section(s.calibrated));
        itemi_json_put(report, "mixed", mixed(&s));
        itemi_json_put(report, "level", json_real(e->draws.level));
        itemi_json_put(report, "draws", json_integer((json_int_t)e->draws.count));
        status = itemi_report_worst(e, &s.tallies, report, err);
    }
    if (status == ITEM_OK)
        status = itemi_report_plots(e, report, err);
    itemi_calibrated_free(s.calibrated);
    itemi_tallies_free(&s.tallies);
    itemi_makers_free(&s.makers);
    itemi_figures_free(&s.of_makers);
    itemi_figures_free(&s.figures);
    return status;
}

void itemi_report_warn(json_t **report, const char *line)
{
    json_t *warnings = json_object_get(*report, "warnings");
    if (!warnings)
        itemi_json_put(report, "warnings", json_pack("[o]", itemi_json_text(line)));
    else if (json_array_append_new(warnings, itemi_json_text(line)) != 0)
        itemi_json_put(report, "warnings", NULL);
}
