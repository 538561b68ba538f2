/* SPDX-License-Identifier: Apache-2.0 */
/* Sections of a report as JSON. */
#include "train/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/json_make.h"

/* Verdicts by label: [0] photographs, [1] AI pictures. */
typedef struct tally {
    uint64_t rows[2], called[2][ITEM_VERDICT_AI + 1];
} tally;

static void count_row(const itemi_evaluation *e, size_t row, tally *t)
{
    size_t label = e->cohort->label[row];
    t->rows[label]++;
    t->called[label][e->answers->verdict[row]]++;
}

static void add_tally(tally *sum, const tally *t)
{
    for (size_t label = 0; label < 2; label++) {
        sum->rows[label] += t->rows[label];
        for (size_t v = 0; v <= ITEM_VERDICT_AI; v++)
            sum->called[label][v] += t->called[label][v];
    }
}

/* What the sections share. */
typedef struct counts {
    tally *source;     /* by source */
    tally *generator;  /* by text, AI pictures alone: "unknown" is one of them */
    tally all, paired; /* paired: within sources that have both labels, the clean part of a test */
    double *weight;    /* room, by row */
} counts;

static bool count_all(const itemi_evaluation *e, counts *c)
{
    c->source = itemi_alloc_zero(NULL, e->cohort->sources, sizeof *c->source);
    c->generator = itemi_alloc_zero(NULL, e->data->texts.count, sizeof *c->generator);
    c->weight = itemi_alloc_array(NULL, e->data->count, sizeof *c->weight);
    if (!c->source || !c->generator || !c->weight)
        return false;
    for (size_t i = 0; i < e->data->count; i++) {
        count_row(e, i, &c->source[e->cohort->source[i]]);
        if (e->cohort->label[i])
            count_row(e, i, &c->generator[e->data->record[i].generator]);
    }
    for (size_t s = 0; s < e->cohort->sources; s++) {
        add_tally(&c->all, &c->source[s]);
        if (c->source[s].rows[0] && c->source[s].rows[1])
            add_tally(&c->paired, &c->source[s]);
    }
    return true;
}

static void free_counts(counts *c)
{
    itemi_free(NULL, c->source);
    itemi_free(NULL, c->generator);
    itemi_free(NULL, c->weight);
}

static double ratio(uint64_t k, uint64_t n)
{
    return n ? (double)k / (double)n : NAN;
}

/* Adds name, and name_interval (exact, binomial). */
static void put_share(const itemi_evaluation *e, json_t **object, const char *name, uint64_t k,
                      uint64_t n)
{
    char interval[64];
    size_t length = strlen(name);
    memcpy(interval, name, length);
    memcpy(interval + length, "_interval", sizeof "_interval");
    itemi_json_put(object, name, itemi_json_figure(ratio(k, n)));
    itemi_json_put(object, interval,
                   n ? itemi_json_interval(itemi_binomial(k, n, e->draws.level)) : json_null());
}

static json_t *called(const uint64_t of[ITEM_VERDICT_AI + 1])
{
    return json_pack("{s:I, s:I, s:I}", "real", (json_int_t)of[ITEM_VERDICT_REAL], "unsure",
                     (json_int_t)of[ITEM_VERDICT_UNSURE], "ai", (json_int_t)of[ITEM_VERDICT_AI]);
}

static void put_verdicts(const itemi_evaluation *e, const tally *t, json_t **object)
{
    uint64_t wrong = t->called[0][ITEM_VERDICT_AI] + t->called[1][ITEM_VERDICT_REAL];
    uint64_t right = t->called[0][ITEM_VERDICT_REAL] + t->called[1][ITEM_VERDICT_AI];
    uint64_t rows = t->rows[0] + t->rows[1];
    itemi_json_put(object, "photographs_called", called(t->called[0]));
    itemi_json_put(object, "ai_called", called(t->called[1]));
    put_share(e, object, "false_positive_rate", t->called[0][ITEM_VERDICT_AI], t->rows[0]);
    put_share(e, object, "recall", t->called[1][ITEM_VERDICT_AI], t->rows[1]);
    put_share(e, object, "unsure", rows - right - wrong, rows);
    put_share(e, object, "right_when_decided", right, right + wrong);
}

/* ---- figures of ranks ---- */

static const char *const measure_names[ITEMI_MEASURES] = {"auc", "ap", "tpr1", "tpr5"};
static const char *const interval_names[ITEMI_MEASURES] = {"auc_interval", "ap_interval",
                                                           "tpr1_interval", "tpr5_interval"};

static void put_measures(const itemi_figures *f, size_t at, json_t **object)
{
    for (size_t m = 0; m < ITEMI_MEASURES; m++) {
        bool known = !isnan(f->value[at + m]);
        itemi_json_put(object, measure_names[m], itemi_json_figure(f->value[at + m]));
        itemi_json_put(object, interval_names[m],
                       known ? itemi_json_interval(f->interval[at + m]) : json_null());
    }
}

static const char *source_name(const itemi_evaluation *e, uint32_t source)
{
    return e->data->texts.text[e->cohort->source_text[source]];
}

static json_t *source_table(const itemi_evaluation *e, const counts *c, const itemi_figures *f)
{
    json_t *table = json_array();
    for (uint32_t s = 0; s < e->cohort->sources; s++) {
        const tally *t = &c->source[s];
        json_t *row = json_pack("{s:o, s:I, s:I}", "source", itemi_json_text(source_name(e, s)),
                                "real", (json_int_t)t->rows[0], "ai", (json_int_t)t->rows[1]);
        put_measures(f, s * ITEMI_MEASURES, &row);
        put_verdicts(e, t, &row);
        itemi_json_append(&table, row);
    }
    return table;
}

typedef struct worst {
    double rate;
    uint32_t source;
} worst;

static int worst_first(const void *left, const void *right)
{
    const worst *a = left, *b = right;
    if (a->rate != b->rate)
        return a->rate > b->rate ? -1 : 1;
    return a->source < b->source ? -1 : 1;
}

/* Photographs called `ai`, by source, the worst first. */
static item_status false_positives(const itemi_evaluation *e, const counts *c, json_t **out,
                                   item_error *err)
{
    size_t n = 0;
    worst *list = itemi_alloc_array(NULL, e->cohort->sources, sizeof *list);
    if (!list)
        return itemi_fail_memory(err, "evaluating");
    for (uint32_t s = 0; s < e->cohort->sources; s++) {
        const tally *t = &c->source[s];
        if (t->rows[0])
            list[n++] = (worst){ratio(t->called[0][ITEM_VERDICT_AI], t->rows[0]), s};
    }
    if (n)
        qsort(list, n, sizeof *list, worst_first);
    *out = json_array();
    for (size_t i = 0; i < n; i++) {
        const tally *t = &c->source[list[i].source];
        json_t *row = json_pack(
            "{s:o, s:I, s:I}", "source", itemi_json_text(source_name(e, list[i].source)), "real",
            (json_int_t)t->rows[0], "called_ai", (json_int_t)t->called[0][ITEM_VERDICT_AI]);
        put_share(e, &row, "rate", t->called[0][ITEM_VERDICT_AI], t->rows[0]);
        itemi_json_append(out, row);
    }
    itemi_free(NULL, list);
    return ITEM_OK;
}

/* AUC of a generator's pictures against the photographs of its sources, mean over these. */
static double generator_auc(const itemi_evaluation *e, const counts *c, uint32_t generator,
                            const itemi_ranking *ranking)
{
    double sum = 0;
    size_t sources = 0;
    for (uint32_t s = 0; s < e->cohort->sources; s++) {
        if (!c->source[s].rows[0] || !c->source[s].rows[1])
            continue;
        for (size_t i = 0; i < e->data->count; i++) {
            bool other = e->cohort->label[i] && e->data->record[i].generator != generator;
            c->weight[i] = e->cohort->source[i] == s && !other ? 1 : 0;
        }
        double auc = itemi_auc(ranking, c->weight);
        if (!isnan(auc)) {
            sum += auc;
            sources++;
        }
    }
    return sources ? sum / (double)sources : NAN;
}

static item_status generator_table(const itemi_evaluation *e, const counts *c, json_t **out,
                                   item_error *err)
{
    itemi_ranking ranking;
    item_status status =
        itemi_rank(NULL, e->answers->score, e->cohort->label, e->data->count, &ranking, err);
    if (status != ITEM_OK)
        return status;
    *out = json_array();
    for (uint32_t g = 0; g < e->data->texts.count; g++) {
        const tally *t = &c->generator[g];
        if (t->rows[1] == 0)
            continue;
        json_t *row = json_pack(
            "{s:o, s:I, s:o, s:o}", "generator", itemi_json_text(e->data->texts.text[g]), "ai",
            (json_int_t)t->rows[1], "auc", itemi_json_figure(generator_auc(e, c, g, &ranking)),
            "ai_called", called(t->called[1]));
        put_share(e, &row, "recall", t->called[1][ITEM_VERDICT_AI], t->rows[1]);
        itemi_json_append(out, row);
    }
    itemi_ranking_free(&ranking);
    return ITEM_OK;
}

/* ---- verdicts and calibration ---- */

static json_t *verdict_section(const itemi_evaluation *e, const counts *c)
{
    json_t *section = json_pack("{s:s, s:o, s:o, s:o}", "threshold", e->threshold.name,
                                "threshold_score", itemi_json_number(e->threshold.score),
                                "promised", itemi_json_number(e->threshold.promised), "real_below",
                                itemi_json_number(itemi_head_get_facts(e->head)->real_below));
    put_verdicts(e, &c->all, &section);
    uint64_t reasons[ITEMI_REASON_LAST + 1] = {0};
    for (size_t i = 0; i < e->data->count; i++)
        reasons[e->answers->reason[i]]++;
    json_t *by_reason = json_object();
    for (int32_t r = ITEM_REASON_ABOVE_THRESHOLD; r <= ITEMI_REASON_LAST; r++)
        itemi_json_put(&by_reason, itemi_reason_code(r), json_integer((json_int_t)reasons[r]));
    itemi_json_put(&section, "reasons", by_reason);
    return section;
}

static item_status calibration_section(const itemi_evaluation *e, double *weight, json_t **out,
                                       item_error *err)
{
    size_t n = e->data->count;
    itemi_ranking ranking = {.count = 0};
    double *p = itemi_alloc_array(NULL, n, sizeof *p);
    itemi_bin *bin = itemi_alloc_array(NULL, e->bins, sizeof *bin);
    item_status status = p && bin ? itemi_balance(NULL, &e->cohort->groups,
                                                  (itemi_rows){e->cohort->all, n}, weight, err)
                                  : itemi_fail_memory(err, "evaluating");
    for (size_t i = 0; status == ITEM_OK && i < n; i++)
        p[i] = itemi_sigmoid(e->answers->score[i]);
    if (status == ITEM_OK)
        status = itemi_rank(NULL, p, e->cohort->label, n, &ranking, err);
    if (status == ITEM_OK) {
        double ece = itemi_ece(&ranking, weight, e->bins, bin);
        double brier = itemi_brier(p, e->cohort->label, weight, n);
        json_t *bins = json_array();
        for (size_t b = 0; b < e->bins; b++)
            itemi_json_append(&bins, json_pack("{s:o, s:o}", "mean", itemi_json_figure(bin[b].mean),
                                               "ai_share", itemi_json_figure(bin[b].share)));
        *out = json_pack("{s:s, s:o, s:o, s:o}", "weights", "equal by label and source", "ece",
                         itemi_json_figure(ece), "brier", itemi_json_figure(brier), "bins", bins);
    }
    itemi_ranking_free(&ranking);
    itemi_free(NULL, p);
    itemi_free(NULL, bin);
    return status;
}

/* ---- the whole ---- */

static json_t *headline(const itemi_evaluation *e, const counts *c, const itemi_figures *f)
{
    json_int_t paired = 0;
    for (size_t s = 0; s < f->sources; s++)
        paired += c->source[s].rows[0] && c->source[s].rows[1];
    json_t *section = json_pack("{s:I}", "sources", paired);
    put_measures(f, itemi_figures_mean(f), &section);
    put_verdicts(e, &c->paired, &section);
    return section;
}

static json_t *data_section(const itemi_evaluation *e, const counts *c)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "rows", (json_int_t)e->data->count, "ai",
                     (json_int_t)c->all.rows[1], "real", (json_int_t)c->all.rows[0], "sources",
                     (json_int_t)e->cohort->sources, "failed", (json_int_t)e->data->warnings);
}

static item_status figures_of(const itemi_evaluation *e, const double *score, const double *rival,
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

item_status itemi_report_figures(const itemi_evaluation *e, json_t **report, item_error *err)
{
    itemi_figures f = {.sources = 0};
    counts c = {.source = NULL};
    json_t *calibration = NULL, *generators = NULL, *wrong = NULL;
    item_status status = count_all(e, &c) ? figures_of(e, e->answers->score, NULL, &f, err)
                                          : itemi_fail_memory(err, "evaluating");
    if (status == ITEM_OK)
        status = generator_table(e, &c, &generators, err);
    if (status == ITEM_OK)
        status = false_positives(e, &c, &wrong, err);
    if (status == ITEM_OK)
        status = calibration_section(e, c.weight, &calibration, err);
    if (status == ITEM_OK) {
        json_t *mixed = json_object();
        put_measures(&f, itemi_figures_mixed(&f), &mixed);
        itemi_json_put(report, "data", data_section(e, &c));
        itemi_json_put(report, "headline", headline(e, &c, &f));
        itemi_json_put(report, "sources", source_table(e, &c, &f));
        itemi_json_put(report, "generators", json_incref(generators));
        itemi_json_put(report, "false_positives", json_incref(wrong));
        itemi_json_put(report, "verdicts", verdict_section(e, &c));
        itemi_json_put(report, "calibration", json_incref(calibration));
        itemi_json_put(report, "mixed", mixed);
        itemi_json_put(report, "level", json_real(e->draws.level));
        itemi_json_put(report, "draws", json_integer((json_int_t)e->draws.count));
    }
    json_decref(generators);
    json_decref(wrong);
    json_decref(calibration);
    itemi_figures_free(&f);
    free_counts(&c);
    return status;
}

item_status itemi_report_control(const itemi_evaluation *e, const char *name, const double *score,
                                 json_t **controls, item_error *err)
{
    itemi_figures f = {.sources = 0};
    item_status status = figures_of(e, score, NULL, &f, err);
    if (status != ITEM_OK)
        return status;
    json_t *row = json_pack("{s:s}", "control", name);
    put_measures(&f, itemi_figures_mean(&f), &row);
    itemi_json_put(&row, "mixed_auc", itemi_json_figure(f.value[itemi_figures_mixed(&f)]));
    itemi_json_append(controls, row);
    itemi_figures_free(&f);
    return ITEM_OK;
}

item_status itemi_report_comparison(const itemi_evaluation *e, const char *name,
                                    const double *score, json_t **report, item_error *err)
{
    itemi_figures rival = {.sources = 0}, away = {.sources = 0};
    item_status status = figures_of(e, score, NULL, &rival, err);
    if (status == ITEM_OK)
        status = figures_of(e, e->answers->score, score, &away, err);
    if (status == ITEM_OK) {
        json_t *theirs = json_object(), *difference = json_object(), *sources = json_array();
        put_measures(&rival, itemi_figures_mean(&rival), &theirs);
        put_measures(&away, itemi_figures_mean(&away), &difference);
        for (uint32_t s = 0; s < e->cohort->sources; s++) {
            json_t *row = json_pack("{s:o}", "source", itemi_json_text(source_name(e, s)));
            put_measures(&away, s * ITEMI_MEASURES, &row);
            itemi_json_append(&sources, row);
        }
        itemi_json_put(report, "comparison",
                       json_pack("{s:o, s:o, s:o, s:o}", "rival", itemi_json_text(name),
                                 "rival_figures", theirs, "difference", difference,
                                 "difference_by_source", sources));
    }
    itemi_figures_free(&rival);
    itemi_figures_free(&away);
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
