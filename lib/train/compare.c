/* SPDX-License-Identifier: Apache-2.0 */
/* Heads that a training may make: trained in the same folds, compared, and one of them chosen. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/markdown.h"
#include "train/session.h"

#define UNITS_MAX 65536 /* of a hidden layer; what is too much for a file is told by its size */

/* ---- candidates ---- */

static item_status read_layout(const char *name, itemi_candidate *c, item_error *err)
{
    if (itemi_layout_parse(name, &c->layout)) {
        itemi_layout_name(&c->layout, c->layout_name);
        return ITEM_OK;
    }
    return itemi_fail(err, ITEM_E_ARGUMENT,
                      "training: there are no features `%.60s`: form (difference, product,"
                      " cosine), scope (global, local, both) and version are wanted, such as"
                      " difference/both/1, or picture/1, caption/1 or layers/1, or several"
                      " joined by +",
                      name);
}

/* "32", "64,16", or "0" for no hidden layer; false when it is something else. */
static bool read_units(const char *text, itemi_train_options *network)
{
    char *end = NULL;
    for (network->hidden = 0; network->hidden < ITEMI_MLP_LAYERS - 1; text = end + 1) {
        unsigned long units = strtoul(text, &end, 10);
        bool number = *text >= '0' && *text <= '9' && units <= UNITS_MAX;
        if (!number || (*end && *end != ','))
            return false;
        if (units == 0)
            return !*end;
        network->hidden_width[network->hidden++] = units;
        if (!*end)
            return true;
    }
    return false;
}

/* What follows the layout: " UNITS" or " UNITS PENALTY". The text is cut up. */
static bool read_network(char *words, itemi_train_options *network)
{
    char *penalty = strchr(words, ' ');
    if (penalty)
        *penalty++ = '\0';
    return read_units(words, network) &&
           (!penalty || itemi_parse_double(penalty, &network->penalty));
}

/* "LAYOUT", with the network of the options, or with one of its own behind it. */
static item_status read_candidate(const char *text, itemi_candidate *c, item_error *err)
{
    char *name = itemi_strdup(NULL, text ? text : "");
    if (!name)
        return itemi_fail_memory(err, "reading candidates");
    char *space = strchr(name, ' ');
    if (space)
        *space = '\0';
    bool good = text && (!space || read_network(space + 1, &c->fit.network));
    item_status status =
        good ? read_layout(name, c, err)
             : itemi_fail(err, ITEM_E_ARGUMENT,
                          "training: candidate `%.80s`: a layout is wanted and, if not those of the"
                          " options, the units of up to three hidden layers, such as"
                          " difference/both/1 64,16, or 0 and the penalty, such as picture/1 0 3",
                          text ? text : "NULL");
    itemi_free(NULL, name);
    return status;
}

static itemi_fit_options fit_of(const item_train_options *o)
{
    itemi_fit_options fit = {.validation = o->validation};
    itemi_train_options *network = &fit.network;
    for (size_t l = 0; l < ITEMI_COUNT(o->hidden) && o->hidden[l]; l++)
        network->hidden_width[network->hidden++] = o->hidden[l];
    network->epochs = o->epochs;
    network->batch = o->batch;
    network->patience = o->patience;
    network->learning_rate = o->learning_rate;
    network->weight_decay = o->weight_decay;
    network->dropout = o->dropout;
    network->penalty = o->penalty;
    network->seed = o->seed;
    return fit;
}

/* What cannot be read again is refused before it is trained for hours, not after. */
static item_status check_size(itemi_candidate *c, const item_dataset *data, item_error *err)
{
    if (itemi_layout_reads_layers(&c->layout) && data->layer_count == 0)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "training: the data set holds no inner layers for `%s`", c->layout_name);

    static const double most = ITEMI_HEAD_BYTES / sizeof(float) - (1 << 18); /* and its texts */
    const itemi_train_options *n = &c->fit.network;
    size_t inputs = itemi_layout_size(&c->layout, itemi_dataset_widths(data));
    double width = (double)inputs, parameters = 0;
    for (size_t l = 0; l <= n->hidden; l++) {
        double units = l < n->hidden ? (double)n->hidden_width[l] : 1;
        parameters += (width + 1) * units;
        width = units;
    }
    if (parameters + 2 * (double)inputs > most)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "training: a head of %.0f numbers, at most %.0f are read",
                          parameters + 2 * (double)inputs, most);
    c->parameters = (size_t)parameters;
    return ITEM_OK;
}

item_status itemi_candidates_read(itemi_session *s, item_error *err)
{
    const item_train_options *o = s->options;
    if (o->candidate_count > ITEMI_CANDIDATES_MAX || (o->candidate_count && !o->candidates))
        return itemi_fail(err, ITEM_E_ARGUMENT, "training: up to %d candidates are compared",
                          ITEMI_CANDIDATES_MAX);
    s->candidates = o->candidate_count ? o->candidate_count : 1;
    s->candidate = itemi_alloc_zero(NULL, s->candidates, sizeof *s->candidate);
    item_status status = s->candidate ? ITEM_OK : itemi_fail_memory(err, "reading candidates");
    for (size_t i = 0; status == ITEM_OK && i < s->candidates; i++) {
        itemi_candidate *c = &s->candidate[i];
        c->fit = fit_of(o);
        if (o->candidate_count)
            status = read_candidate(o->candidates[i], c, err);
        else
            status = read_layout(o->layout ? o->layout : ITEMI_DEFAULT_LAYOUT, c, err);
        if (status == ITEM_OK)
            status = check_size(c, s->data, err);
    }
    return status;
}

void itemi_candidates_free(itemi_session *s)
{
    for (size_t i = 0; s->candidate && i < s->candidates; i++)
        itemi_held_out_free(&s->candidate[i].held_out);
    itemi_free(NULL, s->candidate);
}

/* ---- comparison ---- */

/* One figure of each candidate, and of its difference to the best one. */
typedef struct table {
    itemi_panel panel[ITEMI_CANDIDATES_MAX];
    double auc[ITEMI_CANDIDATES_MAX], difference[ITEMI_CANDIDATES_MAX];
    itemi_interval auc_interval[ITEMI_CANDIDATES_MAX], difference_interval[ITEMI_CANDIDATES_MAX];
    size_t sources; /* that have both labels; 0: the figure is of all pictures together */
    size_t best, chosen;
} table;

static size_t count_paired(const itemi_cohort *cohort)
{
    size_t paired = 0;
    for (uint32_t source = 0; source < cohort->sources; source++) {
        bool seen[2] = {false, false};
        for (size_t i = 0; i < cohort->groups.count; i++)
            seen[cohort->label[i]] |= cohort->source[i] == source;
        paired += seen[0] && seen[1];
    }
    return paired;
}

/* The AUC of one candidate, or its difference to a rival. */
static item_status measure(const itemi_session *s, const table *t, size_t which,
                           const itemi_panel *rival, double *value, itemi_interval *interval,
                           item_error *err)
{
    const item_train_options *o = s->options;
    const itemi_draws draws = {o->draws, o->seed, ITEMI_LEVEL, o->cancel};
    itemi_figures f = {.parts = 0};
    item_status status = itemi_figures_make(&s->cohort, &t->panel[which], rival, &draws, &f, err);
    if (status != ITEM_OK)
        return status;
    size_t at = (t->sources ? itemi_figures_mean(&f, 0) : itemi_figures_mixed(&f)) + ITEMI_AUC;
    *value = f.value[at];
    *interval = f.interval[at];
    itemi_figures_free(&f);
    return ITEM_OK;
}

static bool smaller(const itemi_session *s, const table *t, size_t a, size_t b)
{
    size_t left = s->candidate[a].parameters, right = s->candidate[b].parameters;
    return left < right || (left == right && t->auc[a] > t->auc[b]);
}

/* The fewest parameters of those that the pictures cannot tell from the best. */
static void choose(const itemi_session *s, table *t)
{
    t->chosen = t->best;
    for (size_t i = 0; i < s->candidates; i++) {
        bool as_good = t->difference_interval[i].high >= 0;
        if (as_good && smaller(s, t, i, t->chosen))
            t->chosen = i;
    }
}

static item_status fill_table(const itemi_session *s, table *t, item_error *err)
{
    item_status status = ITEM_OK;
    t->sources = count_paired(&s->cohort);
    for (size_t i = 0; status == ITEM_OK && i < s->candidates; i++) {
        status = itemi_panel_make(&s->cohort, s->candidate[i].held_out.logit, &t->panel[i], err);
        if (status == ITEM_OK)
            status = measure(s, t, i, NULL, &t->auc[i], &t->auc_interval[i], err);
        if (status == ITEM_OK && t->auc[i] > t->auc[t->best])
            t->best = i;
    }
    for (size_t i = 0; status == ITEM_OK && i < s->candidates; i++)
        status = measure(s, t, i, &t->panel[t->best], &t->difference[i], &t->difference_interval[i],
                         err);
    if (status == ITEM_OK)
        choose(s, t);
    return status;
}

json_t *itemi_hidden_json(const itemi_train_options *network)
{
    json_t *hidden = json_array();
    for (size_t l = 0; l < network->hidden; l++)
        itemi_json_append(&hidden, json_integer((json_int_t)network->hidden_width[l]));
    return hidden;
}

json_t *itemi_penalty_json(const itemi_train_options *network)
{
    return network->hidden ? json_null() : json_real(network->penalty);
}

static json_t *table_json(const itemi_session *s, const table *t)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < s->candidates; i++) {
        const itemi_candidate *c = &s->candidate[i];
        itemi_json_append(
            &rows, json_pack("{s:s, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:b, s:b}", "layout",
                             c->layout_name, "hidden", itemi_hidden_json(&c->fit.network),
                             "penalty", itemi_penalty_json(&c->fit.network), "parameters",
                             (json_int_t)c->parameters, "auc", itemi_json_figure(t->auc[i]),
                             "auc_interval", itemi_json_interval(t->auc_interval[i]), "difference",
                             itemi_json_figure(t->difference[i]), "difference_interval",
                             itemi_json_interval(t->difference_interval[i]), "best", i == t->best,
                             "chosen", i == t->chosen));
    }
    return json_pack("{s:s, s:I, s:o}", "figure", t->sources ? "within sources" : "all pictures",
                     "sources", (json_int_t)t->sources, "table", rows);
}

static item_status cross_fit(itemi_session *s, itemi_candidate *c, item_error *err)
{
    float *features =
        itemi_design_make(s->data, ITEMI_DESIGN_LAYOUT, &c->layout, &s->cohort, s->options->seed);
    const itemi_task task = {&s->cohort, features,
                             itemi_layout_size(&c->layout, itemi_dataset_widths(s->data)), &c->fit,
                             &s->pace};
    item_status status = features ? itemi_cross_fit(&task, &s->plan, &c->held_out, err)
                                  : itemi_fail_memory(err, "training");
    itemi_free(NULL, features);
    return status;
}

item_status itemi_candidates_compare(itemi_session *s, item_error *err)
{
    item_status status = ITEM_OK;
    for (size_t i = 0; status == ITEM_OK && i < s->candidates; i++)
        status = cross_fit(s, &s->candidate[i], err);
    s->chosen = s->candidate;
    if (status != ITEM_OK || s->candidates == 1)
        return status;

    table *t = itemi_alloc_zero(NULL, 1, sizeof *t);
    status = t ? fill_table(s, t, err) : itemi_fail_memory(err, "comparing heads");
    if (status == ITEM_OK) {
        s->chosen = &s->candidate[t->chosen];
        s->compared = table_json(s, t);
        if (!s->compared)
            status = itemi_fail_memory(err, "comparing heads");
    }
    for (size_t i = 0; t && i < s->candidates; i++)
        itemi_panel_free(&t->panel[i]);
    itemi_free(NULL, t);
    return status;
}

/* ---- as Markdown ---- */

static void put_row(itemi_buf *buf, const json_t *row)
{
    size_t l;
    const json_t *units, *hidden = json_object_get(row, "hidden");
    itemi_buf_puts(buf, "| ");
    itemi_md_name(buf, row, "layout");
    itemi_buf_puts(buf, " | ");
    if (json_array_size(hidden) == 0)
        itemi_buf_puts(buf, "none");
    json_array_foreach(hidden, l, units)
    {
        itemi_buf_printf(buf, "%s%lld", l ? ", " : "", (long long)json_integer_value(units));
    }
    itemi_buf_printf(buf, " | %lld |", itemi_md_whole(row, "parameters"));
    itemi_md_cell(buf, row, "auc", "");
    itemi_md_cell(buf, row, "difference", "");
    itemi_buf_printf(buf, "%s |\n", json_is_true(json_object_get(row, "chosen")) ? " chosen" : "");
}

void itemi_candidates_render(const json_t *root, itemi_buf *buf)
{
    const json_t *compared = json_object_get(root, "candidates"), *row;
    long long sources = itemi_md_whole(compared, "sources");
    size_t i;
    if (!compared)
        return;
    itemi_buf_puts(buf, "## Heads that were compared\n\n");
    if (sources == 0)
        itemi_buf_puts(buf, "No source has both labels: AUC over all pictures together, which also"
                            " rewards knowing the source. ");
    else if (sources == 1)
        itemi_buf_puts(buf, "AUC within the one source that has both labels, so the choice rests on"
                            " that source alone. ");
    else
        itemi_buf_printf(buf, "AUC: mean within the %lld sources that have both labels. ", sources);
    itemi_buf_puts(buf, "Chosen: the fewest parameters among those whose difference to the best"
                        " has an interval that reaches 0.\n\n"
                        "| layout | hidden units | parameters | AUC | difference to the best | |\n"
                        "|---|---|---|---|---|---|\n");
    json_array_foreach(json_object_get(compared, "table"), i, row)
    {
        put_row(buf, row);
    }
    itemi_buf_puts(buf, "\n");
}
