/* SPDX-License-Identifier: Apache-2.0 */
/* Training and calibrating a head. */
#include <math.h>
#include <string.h>

#include "core/head_private.h"
#include "core/json_make.h"
#include "train/eval.h"

#define FOLDS_MAX 1000
#define BINS      10
#define LEVEL     0.95

/* What one training holds. */
typedef struct session {
    const item_dataset *data;
    const item_train_options *options;
    itemi_layout layout;
    itemi_cohort cohort;
    itemi_fold_plan plan;
    itemi_fit_options fit;
    itemi_pace pace;
    float *features;
    itemi_held_out held_out;
    double *score;  /* calibrated, of held-out rows */
    double *weight; /* equal by label and source */
    itemi_calibration calibration;
    itemi_head_facts facts;
    itemi_train_log log; /* of the head's own network */
    itemi_head *head;
    itemi_answers answers;
    json_t *report;
} session;

/* ---- settings ---- */

static bool share(double x)
{
    return x >= 0 && x < 1;
}

static item_status check_options(const item_train_options *o, itemi_layout *layout, item_error *err)
{
    const char *name = o->layout ? o->layout : ITEMI_DEFAULT_LAYOUT;
    if (!itemi_layout_parse(name, layout))
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "training: there are no features `%.60s`: form (difference, product,"
                          " cosine), scope (global, local, both) and version are wanted, such as"
                          " difference/both/1, or picture/1 or caption/1, or several joined by +",
                          name);
    if (o->folds < 2 || o->folds > FOLDS_MAX || o->draws < 1 || o->draws > ITEMI_DRAWS_MAX)
        return itemi_fail(err, ITEM_E_ARGUMENT, "training: 2 to %d folds and 1 to %d draws",
                          FOLDS_MAX, ITEMI_DRAWS_MAX);
    if (!share(o->validation) || o->validation > 0.5)
        return itemi_fail(err, ITEM_E_ARGUMENT, "training: validation must be 0 to 0.5");
    if (!share(o->real_share) || o->real_share <= 0 || !share(o->scope_quantile) ||
        !share(o->caption_quantile))
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "training: real_share, scope_quantile and caption_quantile must be below"
                          " 1, real_share above 0");
    if (o->size_max && o->size_max < o->size_min)
        return itemi_fail(err, ITEM_E_ARGUMENT, "training: size_max is below size_min");
    return ITEM_OK;
}

/* What cannot be read again is refused before it is trained for hours, not after. */
static item_status check_size(const session *s, item_error *err)
{
    static const double most = ITEMI_HEAD_BYTES / sizeof(float) - (1 << 18); /* and its texts */
    const uint32_t *hidden = s->options->hidden;
    double width = (double)itemi_layout_size(&s->layout, s->data->width), numbers = 2 * width;
    for (size_t l = 0; l < ITEMI_COUNT(s->options->hidden) && hidden[l]; l++) {
        numbers += (width + 1) * hidden[l];
        width = hidden[l];
    }
    numbers += width + 1;
    return numbers <= most ? ITEM_OK
                           : itemi_fail(err, ITEM_E_ARGUMENT,
                                        "training: a head of %.0f numbers, at most %.0f are read",
                                        numbers, most);
}

static void set_fit(session *s)
{
    const item_train_options *o = s->options;
    itemi_train_options *network = &s->fit.network;
    for (size_t l = 0; l < ITEMI_COUNT(o->hidden) && o->hidden[l]; l++)
        network->hidden_width[network->hidden++] = o->hidden[l];
    network->epochs = o->epochs;
    network->batch = o->batch;
    network->patience = o->patience;
    network->learning_rate = o->learning_rate;
    network->weight_decay = o->weight_decay;
    network->dropout = o->dropout;
    network->seed = o->seed;
    s->fit.validation = o->validation;

    uint64_t fits = s->plan.folds + 1;
    if (o->controls)
        fits += s->plan.folds * (ITEMI_DESIGNS - 1);
    s->pace = (itemi_pace){.cancel = o->cancel,
                           .progress = o->progress,
                           .user = o->progress_user,
                           .total = fits * o->epochs};
}

/* ---- calibration on what was held out ---- */

/* Scores of one label, sorted; their number. */
static size_t scores_of(const session *s, uint8_t label, double *out)
{
    size_t n = 0;
    for (size_t i = 0; i < s->data->count; i++) {
        if (s->cohort.label[i] == label)
            out[n++] = s->score[i];
    }
    itemi_sort(out, n);
    return n;
}

static itemi_promise promise(const double *sorted, size_t n, double rate)
{
    size_t above;
    double score = itemi_threshold_for(sorted, n, rate, &above);
    return (itemi_promise){.score = score, .rate = rate, .real = n, .above = above};
}

static item_status calibrate(session *s, item_error *err)
{
    size_t n = s->data->count;
    const itemi_rows all = {s->cohort.all, n};
    item_status status = itemi_balance(NULL, &s->cohort.groups, all, s->weight, err);
    if (status == ITEM_OK)
        status =
            itemi_calibrate(s->held_out.logit, s->cohort.label, s->weight, n, &s->calibration, err);
    if (status != ITEM_OK)
        return status;
    s->facts.temperature = s->calibration.temperature;
    s->facts.bias = s->calibration.bias;
    for (size_t i = 0; i < n; i++)
        s->score[i] = (s->held_out.logit[i] + s->facts.bias) / s->facts.temperature;

    double *sorted = s->weight; /* not needed any more */
    size_t real = scores_of(s, 0, sorted);
    memcpy(s->facts.threshold_rule, ITEMI_RULE_POOLED, sizeof ITEMI_RULE_POOLED);
    s->facts.fpr1 = promise(sorted, real, 0.01);
    s->facts.fpr5 = promise(sorted, real, 0.05);
    s->facts.ai = scores_of(s, 1, sorted);
    s->facts.real_share = s->options->real_share;
    s->facts.real_below = itemi_real_point(sorted, (size_t)s->facts.ai, s->options->real_share);
    return ITEM_OK;
}

/* Rules for "unsure": sizes, captions and features like those of the calibration. */
static void set_rules(session *s)
{
    const item_train_options *o = s->options;
    itemi_head_facts *f = &s->facts;
    double *sorted = s->weight;
    size_t n = s->data->count, known = 0;

    memcpy(sorted, s->held_out.distance, n * sizeof *sorted);
    itemi_sort(sorted, n);
    f->scope_quantile = o->scope_quantile > 0 ? o->scope_quantile : 0.5;
    f->scope_limit = o->scope_quantile > 0 ? itemi_quantile(sorted, n, o->scope_quantile) : NAN;

    for (size_t i = 0; i < n; i++) {
        if (!isnan(s->data->record[i].caption_logprob))
            sorted[known++] = s->data->record[i].caption_logprob;
    }
    itemi_sort(sorted, known);
    f->caption_quantile = o->caption_quantile > 0 ? o->caption_quantile : 0.5;
    f->caption_least =
        o->caption_quantile > 0 ? itemi_quantile(sorted, known, o->caption_quantile) : NAN;

    f->size_min = o->size_min;
    f->size_max = o->size_max;
    for (size_t i = 0; i < n && !o->size_min; i++) {
        uint32_t side = itemi_record_short_side(&s->data->record[i]);
        if (side && (!f->size_min || side < f->size_min))
            f->size_min = side;
    }
}

/* "dcsan (0 real, 1489 ai), ..." */
static char *name_sources(const session *s)
{
    itemi_buf buf;
    itemi_buf_init(&buf, NULL);
    for (uint32_t source = 0; source < s->cohort.sources; source++) {
        size_t count[2] = {0, 0};
        for (size_t i = 0; i < s->data->count; i++)
            count[s->cohort.label[i]] += s->cohort.source[i] == source;
        const char *name = s->data->texts.text[s->cohort.source_text[source]];
        itemi_buf_printf(&buf, "%s%s (%zu real, %zu ai)", source ? ", " : "",
                         *name ? name : "not named", count[0], count[1]);
    }
    return itemi_buf_take(&buf);
}

/* What is not named cannot be met again under its name. */
static json_t *list_sources(const session *s)
{
    json_t *names = json_array();
    for (uint32_t source = 0; source < s->cohort.sources; source++) {
        const char *name = s->data->texts.text[s->cohort.source_text[source]];
        if (*name)
            itemi_json_append(&names, itemi_json_text(name));
    }
    return names;
}

static itemi_task head_task(session *s)
{
    return (itemi_task){&s->cohort, s->features, itemi_layout_size(&s->layout, s->data->width),
                        &s->fit, &s->pace};
}

/* The network of the head knows everything; what it is worth, the folds have told. */
static item_status fit_head(session *s, itemi_mlp *mlp, item_error *err)
{
    const itemi_task task = head_task(s);
    const itemi_rows all = {s->cohort.all, s->data->count};
    return itemi_fit(&task, all, mlp, &s->log, err);
}

static item_status make_head(session *s, item_error *err)
{
    itemi_head_facts *f = &s->facts;
    const char *version = item_version();
    itemi_mlp mlp = {.mem = NULL};
    f->layout = s->layout;
    f->vector_width = s->data->width;
    memcpy(f->embedder, s->data->embedder, sizeof f->embedder);
    memcpy(f->pipeline, s->data->pipeline, sizeof f->pipeline);
    f->working_size = s->data->working_size;
    memcpy(f->working_filter, s->data->working_filter, sizeof f->working_filter);
    f->callers_captions = s->data->callers_captions;
    memcpy(f->library, version, strlen(version) + 1);

    char *sources = name_sources(s);
    json_t *text = sources
                       ? itemi_json_text(s->options->trained_on ? s->options->trained_on : sources)
                       : NULL; /* valid UTF-8, whatever the names are */
    f->trained_on = json_string_value(text);
    f->trained_sources = list_sources(s);
    item_status status = text && f->trained_sources ? ITEM_OK : itemi_fail_memory(err, "training");
    if (status == ITEM_OK)
        status = fit_head(s, &mlp, err);
    if (status == ITEM_OK)
        status = itemi_head_make(NULL, f, &mlp, &s->head, err);
    itemi_mlp_free(&mlp);
    itemi_free(NULL, sources);
    json_decref(text);
    json_decref(f->trained_sources);
    f->trained_sources = NULL;
    return status;
}

/* ---- report ---- */

static void answer_held_out(session *s, const itemi_threshold *threshold)
{
    size_t width = itemi_layout_size(&s->layout, s->data->width);
    for (size_t i = 0; i < s->data->count; i++) {
        itemi_evidence evidence;
        itemi_judgement j = {
            .score = s->score[i], .threshold = threshold->score, .real_below = s->facts.real_below};
        itemi_evidence_of(s->data, i, s->features + i * width, width, &evidence);
        itemi_head_decide(s->head, &evidence, s->held_out.distance[i], &j);
        s->answers.score[i] = j.score;
        s->answers.verdict[i] = j.verdict;
        s->answers.reason[i] = j.reason;
    }
}

static void warn(session *s)
{
    const itemi_head_facts *f = &s->facts;
    if (s->plan.unit != ITEMI_FOLD_SOURCE)
        itemi_report_warn(&s->report, "There are too few sources to hold some out, so calibration"
                                      " and figures are of sources that were trained on. They say"
                                      " nothing of new sources.");
    if (s->calibration.clamped)
        itemi_report_warn(&s->report, "The held-out scores do not tell the labels apart: the head"
                                      " knows next to nothing.");
    if (isinf(f->fpr1.score))
        itemi_report_warn(&s->report, "There are fewer than 100 photographs, too few for a"
                                      " threshold at 1 %: with fpr1 no picture is called `ai`.");
    if (isinf(f->real_below))
        itemi_report_warn(&s->report, "There are too few AI pictures for a point below which few of"
                                      " them lie: no picture is called `real`.");
    if (f->real_below >= f->fpr1.score)
        itemi_report_warn(&s->report, "Photographs and AI pictures overlap so far that with fpr1 no"
                                      " picture is called `real`.");
    if (isnan(f->caption_least) && s->options->caption_quantile > 0)
        itemi_report_warn(&s->report, "The captions' likelihoods are not known, so there is no rule"
                                      " for improbable captions.");
}

/* Sources with one label: what a head can learn instead of the question. */
static void warn_of_single_labels(session *s)
{
    size_t single = 0;
    for (uint32_t source = 0; source < s->cohort.sources; source++) {
        bool seen[2] = {false, false};
        for (size_t i = 0; i < s->data->count; i++)
            seen[s->cohort.label[i]] |= s->cohort.source[i] == source;
        single += !(seen[0] && seen[1]);
    }
    if (!single)
        return;
    char line[160];
    itemi_format(line, sizeof line,
                 "%zu of %zu sources have one label alone: a head can learn to know them instead"
                 " of the pictures.",
                 single, s->cohort.sources);
    itemi_report_warn(&s->report, line);
}

static json_t *network_section(const session *s)
{
    static const char *const units[] = {[ITEMI_FOLD_SOURCE] = "source",
                                        [ITEMI_FOLD_GENERATOR] = "generator",
                                        [ITEMI_FOLD_SCENE] = "scene"};
    const itemi_train_options *n = &s->fit.network;
    json_t *hidden = json_array();
    for (size_t l = 0; l < n->hidden; l++)
        itemi_json_append(&hidden, json_integer((json_int_t)n->hidden_width[l]));
    return json_pack(
        "{s:o, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:s, s:I, s:o, s:I, s:o, s:o, s:o}", "hidden",
        hidden, "epochs", (json_int_t)n->epochs, "batch", (json_int_t)n->batch, "seed",
        (json_int_t)n->seed, "learning_rate", n->learning_rate, "weight_decay", n->weight_decay,
        "dropout", n->dropout, "validation", s->fit.validation, "folds_by", units[s->plan.unit],
        "folds", (json_int_t)s->plan.folds, "held_out_epochs_kept",
        itemi_json_figure(s->held_out.epochs), "epochs_kept", (json_int_t)s->log.best_epoch,
        "first_loss", itemi_json_figure(s->log.first_loss), "loss", itemi_json_figure(s->log.loss),
        "validation_loss", itemi_json_figure(s->log.valid_loss));
}

static item_status put_controls(session *s, const itemi_evaluation *e, item_error *err)
{
    json_t *controls = json_array();
    item_status status = ITEM_OK;
    for (itemi_design d = ITEMI_DESIGN_SHUFFLED; status == ITEM_OK && d < ITEMI_DESIGNS; d++) {
        itemi_held_out held_out = {.logit = NULL};
        float *features = itemi_design_make(s->data, d, &s->layout, &s->cohort, s->options->seed);
        const itemi_task task = {&s->cohort, features, itemi_design_width(s->data, d, &s->layout),
                                 &s->fit, &s->pace};
        status = features ? itemi_cross_fit(&task, &s->plan, &held_out, err)
                          : itemi_fail_memory(err, "training");
        if (status == ITEM_OK)
            status = itemi_report_control(e, itemi_design_name(d), held_out.logit, &controls, err);
        itemi_free(NULL, features);
        itemi_held_out_free(&held_out);
    }
    itemi_json_put(&s->report, "controls", controls);
    return status;
}

static item_status make_report(session *s, item_error *err)
{
    itemi_evaluation e = {.data = s->data,
                          .cohort = &s->cohort,
                          .head = s->head,
                          .answers = &s->answers,
                          .draws = {s->options->draws, s->options->seed, LEVEL, s->options->cancel},
                          .bins = BINS};
    item_status status = itemi_head_threshold(s->head, NULL, &e.threshold, err);
    if (status != ITEM_OK)
        return status;
    answer_held_out(s, &e.threshold);
    s->report = json_pack("{s:s, s:o, s:o}", "kind", "training", "head",
                          itemi_head_facts_dump(itemi_head_get_facts(s->head)), "network",
                          network_section(s));
    if (!s->report)
        return itemi_fail_memory(err, "writing a report");
    status = itemi_report_figures(&e, &s->report, err);
    if (status == ITEM_OK && s->options->controls)
        status = put_controls(s, &e, err);
    warn(s);
    warn_of_single_labels(s);
    return status;
}

/* ---- the whole ---- */

static item_status prepare(session *s, item_error *err)
{
    size_t n = s->data->count;
    item_status status = itemi_cohort_make(s->data, &s->cohort, err);
    if (status == ITEM_OK)
        status = itemi_fold_plan_make(&s->cohort, s->options->folds, &s->plan, err);
    if (status != ITEM_OK)
        return status;
    set_fit(s);
    s->features =
        itemi_design_make(s->data, ITEMI_DESIGN_LAYOUT, &s->layout, &s->cohort, s->options->seed);
    s->score = itemi_alloc_array(NULL, n, sizeof *s->score);
    s->weight = itemi_alloc_array(NULL, n, sizeof *s->weight);
    bool ok = s->features && s->score && s->weight && itemi_answers_reserve(&s->answers, n);
    return ok ? ITEM_OK : itemi_fail_memory(err, "training");
}

static item_status run(session *s, item_error *err)
{
    item_status status = prepare(s, err);
    if (status == ITEM_OK) {
        const itemi_task task = head_task(s);
        status = itemi_cross_fit(&task, &s->plan, &s->held_out, err);
    }
    if (status == ITEM_OK)
        status = calibrate(s, err);
    if (status == ITEM_OK) {
        set_rules(s);
        status = make_head(s, err);
    }
    return status == ITEM_OK ? make_report(s, err) : status;
}

item_status item_train(const item_dataset *data, const item_train_options *options,
                       item_report **out, item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    const item_train_options plain = ITEM_TRAIN_OPTIONS_INIT;
    item_train_options ours;
    if (!data || !out)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_train: data or out is NULL");
    *out = NULL;
    session s = {.data = data, .options = &ours};
    item_status status =
        itemi_struct_in(&ours, sizeof ours, ITEMI_SIZE_TO(item_train_options, progress_user),
                        options ? options : &plain, "item_train_options", err);
    if (status == ITEM_OK)
        status = check_options(&ours, &s.layout, err);
    if (status == ITEM_OK && data->count == 0)
        status = itemi_fail(err, ITEM_E_ARGUMENT, "item_train: the data set is empty");
    if (status == ITEM_OK)
        status = check_size(&s, err);
    if (status != ITEM_OK)
        return status;

    status = run(&s, err);
    if (status == ITEM_OK) {
        status = itemi_report_make(s.report, s.head, out, err);
        s.report = NULL;
        s.head = NULL;
    }
    json_decref(s.report);
    itemi_head_free(s.head);
    itemi_answers_free(&s.answers);
    itemi_held_out_free(&s.held_out);
    itemi_cohort_free(&s.cohort);
    itemi_free(NULL, s.plan.fold);
    itemi_free(NULL, s.features);
    itemi_free(NULL, s.score);
    itemi_free(NULL, s.weight);
    return status;
}
