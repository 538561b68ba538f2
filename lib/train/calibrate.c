/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds of a head by photographs of a user's own, with a promise that has a confidence. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/head_private.h"
#include "core/json_make.h"
#include "train/eval.h"

#define OWN_PHOTOGRAPHS "own photographs"

/* What one calibration holds. */
typedef struct session {
    const item_dataset *data;
    const itemi_head *head; /* as it was */
    double confidence;
    uint32_t *row; /* of the photographs that count */
    size_t count, copies, unknown;
    double *sorted; /* their scores */
    itemi_head_facts facts;
    itemi_head *made;
    json_t *report;
} session;

/* ---- which photographs count ---- */

/* A row by its picture: copies of one stand together when sorted. */
typedef struct key {
    uint8_t picture[ITEM_PICTURE_HASH];
    uint32_t row;
    bool known;
} key;

static int by_picture(const void *left, const void *right)
{
    const key *a = left, *b = right;
    int order = memcmp(a->picture, b->picture, sizeof a->picture);
    return order ? order : (a->row > b->row) - (a->row < b->row);
}

static int by_row(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* Nothing that the head has seen, and no AI picture: both would make a threshold of nothing. */
static item_status refuse_rows(const session *s, item_error *err)
{
    size_t ai = 0, trained = 0, first = 0;
    for (size_t i = 0; i < s->data->count; i++) {
        const itemi_record *r = &s->data->record[i];
        bool met = itemi_record_has_picture(r) && itemi_head_knows_picture(s->head, r->picture);
        ai += r->label == ITEM_LABEL_AI;
        first = met && !trained ? i : first;
        trained += met;
    }
    if (ai)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "calibration: photographs alone are wanted, and %zu of %zu pictures have"
                          " the label ai",
                          ai, s->data->count);
    if (trained)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "calibration: the head was trained on %zu of these pictures, such as %s",
                          trained, s->data->texts.text[s->data->record[first].name]);
    return ITEM_OK;
}

/* The first of each picture's copies; what is not known by its hash counts as a picture. */
static item_status choose_rows(session *s, item_error *err)
{
    size_t n = s->data->count;
    item_status status = refuse_rows(s, err);
    if (status != ITEM_OK)
        return status;
    key *keys = itemi_alloc_array(NULL, n, sizeof *keys);
    s->row = itemi_alloc_array(NULL, n, sizeof *s->row);
    s->sorted = itemi_alloc_array(NULL, n, sizeof *s->sorted);
    if (!keys || !s->row || !s->sorted) {
        itemi_free(NULL, keys);
        return itemi_fail_memory(err, "calibrating a head");
    }
    for (size_t i = 0; i < n; i++) {
        const itemi_record *r = &s->data->record[i];
        keys[i] = (key){.row = (uint32_t)i, .known = itemi_record_has_picture(r)};
        memcpy(keys[i].picture, r->picture, sizeof keys[i].picture);
    }
    qsort(keys, n, sizeof *keys, by_picture);
    for (size_t i = 0; i < n; i++) {
        bool copy = i && keys[i].known &&
                    memcmp(keys[i].picture, keys[i - 1].picture, sizeof keys[i].picture) == 0;
        s->copies += copy;
        s->unknown += !keys[i].known;
        if (!copy)
            s->row[s->count++] = keys[i].row;
    }
    itemi_free(NULL, keys);
    qsort(s->row, s->count, sizeof *s->row, by_row);
    return ITEM_OK;
}

static item_status check_count(const session *s, item_error *err)
{
    const itemi_head_facts *f = itemi_head_get_facts(s->head);
    uint64_t k;
    if (itemi_allowed(s->count, f->fpr5.rate, s->confidence, &k))
        return ITEM_OK;
    return itemi_fail(err, ITEM_E_ARGUMENT,
                      "calibration: %zu different photographs are too few: a promise of %.3g %%"
                      " with confidence %.4g %% needs %llu, one of %.3g %% needs %llu",
                      s->count, 100 * f->fpr5.rate, 100 * s->confidence,
                      (unsigned long long)itemi_needed(f->fpr5.rate, s->confidence),
                      100 * f->fpr1.rate,
                      (unsigned long long)itemi_needed(f->fpr1.rate, s->confidence));
}

/* ---- thresholds ---- */

static itemi_promise promise(const session *s, double rate)
{
    itemi_promise p = {.score = HUGE_VAL, .rate = rate, .confidence = s->confidence};
    size_t above = 0;
    p.real = s->count;
    if (itemi_allowed(s->count, rate, s->confidence, &p.allowed))
        p.score = itemi_threshold_above(s->sorted, s->count, (size_t)p.allowed, &above);
    p.above = above;
    return p;
}

/* Judges one of the photographs that count. */
static item_status judge(const session *s, const itemi_head *head, const float *features, size_t i,
                         const char *threshold, itemi_judgement *out, item_error *err)
{
    size_t width = itemi_head_get_facts(head)->features, row = s->row[i];
    itemi_threshold t;
    itemi_evidence evidence;
    item_error why = ITEM_ERROR_INIT;
    itemi_evidence_of(s->data, row, features + row * width, width, &evidence);
    item_status status = itemi_head_threshold(head, threshold, &t, &why);
    if (status == ITEM_OK)
        status = itemi_head_judge(head, &evidence, &t, out, &why);
    if (status != ITEM_OK)
        itemi_error_prefix(&why, s->data->texts.text[s->data->record[row].name]);
    return status == ITEM_OK ? ITEM_OK : itemi_fail_as(err, &why);
}

static item_status set_thresholds(session *s, const float *features, const char *pictures,
                                  item_error *err)
{
    item_status status = ITEM_OK;
    for (size_t i = 0; status == ITEM_OK && i < s->count; i++) {
        itemi_judgement j;
        status = judge(s, s->head, features, i, NULL, &j, err);
        s->sorted[i] = j.score;
    }
    if (status != ITEM_OK)
        return status;
    itemi_sort(s->sorted, s->count);
    s->facts = *itemi_head_get_facts(s->head);
    s->facts.fpr1 = promise(s, s->facts.fpr1.rate);
    s->facts.fpr5 = promise(s, s->facts.fpr5.rate);
    memcpy(s->facts.threshold_rule, ITEMI_RULE_CALIBRATED, sizeof ITEMI_RULE_CALIBRATED);
    memcpy(s->facts.calibrated_on, pictures, strlen(pictures) + 1);
    return itemi_head_make(NULL, &s->facts, &s->head->mlp, &s->made, err);
}

/* ---- report ---- */

/* How many photographs are called what. */
static item_status count_called(const session *s, const itemi_head *head, const float *features,
                                const char *threshold, json_t **out, uint64_t *ai, item_error *err)
{
    uint64_t called[ITEM_VERDICT_AI + 1] = {0};
    for (size_t i = 0; i < s->count; i++) {
        itemi_judgement j;
        item_status status = judge(s, head, features, i, threshold, &j, err);
        if (status != ITEM_OK)
            return status;
        called[j.verdict]++;
    }
    *ai = called[ITEM_VERDICT_AI];
    *out = json_pack("{s:I, s:I, s:I}", "real", (json_int_t)called[ITEM_VERDICT_REAL], "unsure",
                     (json_int_t)called[ITEM_VERDICT_UNSURE], "ai", (json_int_t)*ai);
    return ITEM_OK;
}

/* One threshold: what is promised, on what, and what becomes of these photographs. */
static item_status add_threshold(session *s, const char *name, const itemi_promise *was,
                                 const itemi_promise *now, const float *features, json_t **table,
                                 item_error *err)
{
    uint64_t ai[2] = {0, 0};
    json_t *called[2] = {NULL, NULL};
    item_status status = count_called(s, s->head, features, name, &called[0], &ai[0], err);
    if (status == ITEM_OK)
        status = count_called(s, s->made, features, name, &called[1], &ai[1], err);
    if (status != ITEM_OK) {
        json_decref(called[0]);
        json_decref(called[1]);
        return status;
    }
    double n = (double)s->count;
    json_t *row = json_pack(
        "{s:s, s:f, s:o, s:I, s:I, s:o, s:o}", "threshold", name, "promised", now->rate, "allowed",
        isinf(now->score) ? json_null() : json_integer((json_int_t)now->allowed), "above",
        (json_int_t)now->above, "needed", (json_int_t)itemi_needed(now->rate, s->confidence),
        "score_before", itemi_json_number(was->score), "score", itemi_json_number(now->score));
    itemi_json_put(&row, "called_before", called[0]);
    itemi_json_put(&row, "called", called[1]);
    itemi_json_put(&row, "false_positive_rate_before", itemi_json_figure((double)ai[0] / n));
    itemi_json_put(&row, "false_positive_rate_before_interval",
                   itemi_json_interval(itemi_binomial(ai[0], s->count, s->confidence)));
    itemi_json_put(&row, "false_positive_rate", itemi_json_figure((double)ai[1] / n));
    itemi_json_append(table, row);
    return ITEM_OK;
}

static void warn(session *s)
{
    const itemi_head_facts *f = &s->facts;
    char line[240];
    uint64_t needed = itemi_needed(f->fpr1.rate, s->confidence);
    if (isinf(f->fpr1.score)) {
        itemi_format(line, sizeof line,
                     "%zu photographs are too few for a promise of %.3g %%: with fpr1 no picture is"
                     " called `ai`. %llu are needed, %llu more.",
                     s->count, 100 * f->fpr1.rate, (unsigned long long)needed,
                     (unsigned long long)needed - s->count);
        itemi_report_warn(&s->report, line);
    }
    if (s->unknown) {
        itemi_format(line, sizeof line,
                     "The vectors of %zu pictures do not say of which pictures they are: copies"
                     " among them, and pictures that the head was trained on, are not found.",
                     s->unknown);
        itemi_report_warn(&s->report, line);
    }
    if (f->trained_count == 0)
        itemi_report_warn(&s->report, "The head does not remember the pictures that it was trained"
                                      " on: whether some are among these is not known.");
}

static item_status make_report(session *s, const float *features, item_error *err)
{
    const itemi_head_facts *was = itemi_head_get_facts(s->head), *now = &s->facts;
    json_t *table = json_array();
    item_status status = add_threshold(s, "fpr1", &was->fpr1, &now->fpr1, features, &table, err);
    if (status == ITEM_OK)
        status = add_threshold(s, "fpr5", &was->fpr5, &now->fpr5, features, &table, err);
    if (status != ITEM_OK) {
        json_decref(table);
        return status;
    }
    s->report = json_pack("{s:s, s:o, s:{s:I, s:I, s:I, s:I}, s:f}", "kind", "calibration", "head",
                          itemi_head_facts_dump(itemi_head_get_facts(s->made)), "data", "rows",
                          (json_int_t)s->data->count, "photographs", (json_int_t)s->count, "copies",
                          (json_int_t)s->copies, "failed", (json_int_t)s->data->warnings,
                          "confidence", s->confidence);
    itemi_json_put(&s->report, "thresholds", table);
    warn(s);
    return ITEM_OK;
}

/* ---- the whole ---- */

/* With other settings every picture is `unsure` for the head: such a calibration helps nobody. */
static item_status check_fit(const session *s, item_error *err)
{
    const char *of_head = itemi_head_get_facts(s->head)->pipeline, *of_data = s->data->pipeline;
    item_status status = itemi_data_fits(s->data, s->head, err);
    if (status == ITEM_OK && *of_head && *of_data && strcmp(of_head, of_data) != 0)
        status = itemi_fail(err, ITEM_E_MISMATCH,
                            "calibration: the head was made with %.300s, these pictures were looked"
                            " at with %.300s",
                            of_head, of_data);
    return status;
}

static item_status run(session *s, const char *pictures, item_error *err)
{
    item_status status = check_fit(s, err);
    if (status == ITEM_OK)
        status = choose_rows(s, err);
    if (status == ITEM_OK)
        status = check_count(s, err);
    if (status != ITEM_OK)
        return status;
    itemi_cohort cohort; /* a layout's own features need no groups, but are made as in training */
    status = itemi_cohort_make(s->data, &cohort, err);
    if (status != ITEM_OK)
        return status;
    float *features = itemi_design_make(s->data, ITEMI_DESIGN_LAYOUT,
                                        &itemi_head_get_facts(s->head)->layout, &cohort, 0);
    status = features ? set_thresholds(s, features, pictures, err)
                      : itemi_fail_memory(err, "calibrating a head");
    if (status == ITEM_OK)
        status = make_report(s, features, err);
    itemi_free(NULL, features);
    itemi_cohort_free(&cohort);
    return status;
}

static item_status calibrate(const item_dataset *data, const itemi_head *head,
                             const item_calibrate_options *options, item_report **out,
                             item_error *err)
{
    session s = {.data = data, .head = head, .confidence = options->confidence};
    item_status status = run(&s, options->pictures ? options->pictures : OWN_PHOTOGRAPHS, err);
    if (status == ITEM_OK) {
        status = itemi_report_make(s.report, s.made, out, err);
        s.report = NULL;
        s.made = NULL;
    }
    json_decref(s.report);
    itemi_head_free(s.made);
    itemi_free(NULL, s.row);
    itemi_free(NULL, s.sorted);
    return status;
}

static item_status check_options(const item_calibrate_options *o, item_error *err)
{
    const itemi_head_facts *f = NULL;
    if (o->reserved)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_calibrate_options: reserved is not 0");
    if (!(o->confidence >= 0.5 && o->confidence < 1))
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "calibration: the confidence lies between 0.5 and 1");
    size_t length = o->pictures ? strlen(o->pictures) : 0;
    if (length >= sizeof f->calibrated_on || itemi_utf8_valid(o->pictures, length) != length)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "calibration: the text on the photographs is UTF-8 of %zu bytes at most",
                          sizeof f->calibrated_on - 1);
    return ITEM_OK;
}

item_status item_calibrate(const item_dataset *data, const char *head, const item_ctx *ctx,
                           const item_calibrate_options *options, item_report **out,
                           item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    const item_calibrate_options plain = ITEM_CALIBRATE_OPTIONS_INIT;
    item_calibrate_options ours;
    if (!data || !out || (!head && !ctx))
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "item_calibrate: a data set, a head or a context, and out are needed");
    *out = NULL;
    item_status status =
        itemi_struct_in(&ours, sizeof ours, ITEMI_SIZE_TO(item_calibrate_options, pictures),
                        options ? options : &plain, "item_calibrate_options", err);
    if (status == ITEM_OK)
        status = check_options(&ours, err);
    if (status == ITEM_OK && data->count == 0)
        status = itemi_fail(err, ITEM_E_ARGUMENT, "item_calibrate: the data set is empty");
    if (status != ITEM_OK)
        return status;

    itemi_head *opened = NULL;
    const itemi_head *used = NULL;
    status = itemi_head_given(head, ctx, "calibrate", &used, &opened, err);
    if (status == ITEM_OK)
        status = calibrate(data, used, &ours, out, err);
    itemi_head_free(opened);
    return status;
}
