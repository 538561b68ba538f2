/* SPDX-License-Identifier: Apache-2.0 */
/* Training and calibrating a head. */
#include <string.h>

#include "train/session.h"

#define FOLDS_MAX 1000

/* ---- settings ---- */

static bool share(double x)
{
    return x >= 0 && x < 1;
}

static item_status check_options(const item_train_options *o, item_error *err)
{
    const char *rule = o->threshold_rule;
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
    if (rule && strcmp(rule, ITEMI_RULE_POOLED) != 0 && strcmp(rule, ITEMI_RULE_WORST) != 0)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "training: the rule of thresholds is " ITEMI_RULE_POOLED
                          " or " ITEMI_RULE_WORST ", not `%.60s`",
                          rule);
    if (o->reserved)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_train_options: reserved is not 0");
    return ITEM_OK;
}

/* "dcsan (0 real, 1489 ai), ..." */
static char *name_sources(const itemi_session *s)
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
static json_t *list_sources(const itemi_session *s)
{
    json_t *names = json_array();
    for (uint32_t source = 0; source < s->cohort.sources; source++) {
        const char *name = s->data->texts.text[s->cohort.source_text[source]];
        if (*name)
            itemi_json_append(&names, itemi_json_text(name));
    }
    return names;
}

/* Hashes of the pictures, as far as they are known; NULL: no memory. */
static uint8_t *list_pictures(const itemi_session *s, size_t *count)
{
    uint8_t *list = itemi_alloc_array(NULL, s->data->count, ITEM_PICTURE_HASH);
    *count = 0;
    for (size_t i = 0; list && i < s->data->count; i++) {
        const itemi_record *r = &s->data->record[i];
        if (itemi_record_has_picture(r))
            memcpy(list + (*count)++ * ITEM_PICTURE_HASH, r->picture, ITEM_PICTURE_HASH);
    }
    return list;
}

/* The network of the head knows everything; what it is worth, the folds have told. */
static item_status fit_head(itemi_session *s, itemi_mlp *mlp, item_error *err)
{
    const itemi_candidate *c = s->chosen;
    const itemi_task task = {&s->cohort, s->features,
                             itemi_layout_size(&c->layout, itemi_dataset_widths(s->data)), &c->fit,
                             &s->pace};
    const itemi_rows all = {s->cohort.all, s->data->count};
    return itemi_fit(&task, all, mlp, &s->log, err);
}

static item_status make_head(itemi_session *s, item_error *err)
{
    itemi_head_facts *f = &s->facts;
    const char *version = item_version();
    itemi_mlp mlp = {.mem = NULL};
    f->layout = s->chosen->layout;
    f->vector_width = s->data->width;
    f->layers_width = itemi_layout_reads_layers(&f->layout) ? s->data->layer_count : 0;
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
    uint8_t *pictures = list_pictures(s, &f->trained_count);
    f->trained_pictures = pictures;
    bool ok = text && f->trained_sources && pictures;
    item_status status = ok ? ITEM_OK : itemi_fail_memory(err, "training");
    if (status == ITEM_OK)
        status = fit_head(s, &mlp, err);
    if (status == ITEM_OK)
        status = itemi_head_make(NULL, f, &mlp, &s->head, err);
    itemi_mlp_free(&mlp);
    itemi_free(NULL, sources);
    itemi_free(NULL, pictures);
    json_decref(text);
    json_decref(f->trained_sources);
    return status;
}

/* ---- the whole ---- */

static item_status prepare(itemi_session *s, item_error *err)
{
    size_t n = s->data->count;
    item_status status = itemi_cohort_make(s->data, &s->cohort, err);
    if (status == ITEM_OK)
        status = itemi_fold_plan_make(&s->cohort, s->options->folds, &s->plan, err);
    if (status != ITEM_OK)
        return status;
    const item_train_options *o = s->options;
    uint64_t fits = s->candidates * s->plan.folds + 1;
    if (o->controls)
        fits += s->plan.folds * (ITEMI_DESIGNS - 1);
    s->pace = (itemi_pace){.cancel = o->cancel,
                           .progress = o->progress,
                           .user = o->progress_user,
                           .total = fits * o->epochs};
    s->score = itemi_alloc_array(NULL, n, sizeof *s->score);
    s->weight = itemi_alloc_array(NULL, n, sizeof *s->weight);
    bool ok = s->score && s->weight && itemi_answers_reserve(&s->answers, n);
    return ok ? ITEM_OK : itemi_fail_memory(err, "training");
}

static item_status run(itemi_session *s, item_error *err)
{
    item_status status = prepare(s, err);
    if (status == ITEM_OK)
        status = itemi_candidates_compare(s, err);
    if (status == ITEM_OK)
        status = itemi_session_calibrate(s, err);
    if (status != ITEM_OK)
        return status;
    s->features = itemi_design_make(s->data, ITEMI_DESIGN_LAYOUT, &s->chosen->layout, &s->cohort,
                                    s->options->seed);
    status = s->features ? make_head(s, err) : itemi_fail_memory(err, "training");
    return status == ITEM_OK ? itemi_session_report(s, err) : status;
}

static void release(itemi_session *s)
{
    json_decref(s->report);
    json_decref(s->compared);
    itemi_head_free(s->head);
    itemi_answers_free(&s->answers);
    itemi_candidates_free(s);
    itemi_cohort_free(&s->cohort);
    itemi_free(NULL, s->plan.fold);
    itemi_free(NULL, s->features);
    itemi_free(NULL, s->score);
    itemi_free(NULL, s->weight);
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
    itemi_session s = {.data = data, .options = &ours};
    item_status status =
        itemi_struct_in(&ours, sizeof ours, ITEMI_SIZE_TO(item_train_options, progress_user),
                        options ? options : &plain, "item_train_options", err);
    if (status == ITEM_OK)
        status = check_options(&ours, err);
    if (status == ITEM_OK && data->count == 0)
        status = itemi_fail(err, ITEM_E_ARGUMENT, "item_train: the data set is empty");
    if (status == ITEM_OK)
        status = itemi_candidates_read(&s, err);
    if (status == ITEM_OK)
        status = run(&s, err);
    if (status == ITEM_OK) {
        status = itemi_report_make(s.report, s.head, out, err);
        s.report = NULL;
        s.head = NULL;
    }
    release(&s);
    return status;
}
