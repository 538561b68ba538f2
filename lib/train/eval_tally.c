/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts counted by source, maker and reason, and how sure their shares are. */
#include <math.h>
#include <string.h>

#include "core/json_make.h"
#include "train/eval.h"

/* ---- who made AI pictures ---- */

/* Were all pictures of a generator, which is a text, in sources that a head knows? */
static void mark_known(const item_dataset *data, const itemi_cohort *cohort, bool *only_known)
{
    for (size_t i = 0; i < data->count; i++) {
        if (cohort->label[i] && !cohort->known[cohort->source[i]])
            only_known[data->record[i].generator] = false;
    }
}

static void number_makers(const item_dataset *data, const itemi_cohort *cohort,
                          const bool *only_known, uint32_t *number, itemi_makers *makers)
{
    memset(number, 0xff, data->texts.count * sizeof *number);
    for (size_t i = 0; i < data->count; i++) {
        uint32_t text = data->record[i].generator;
        makers->of[i] = ITEMI_NO_GROUP;
        if (!cohort->label[i] || cohort->known[cohort->source[i]] != only_known[text])
            continue;
        if (number[text] == UINT32_MAX) {
            number[text] = (uint32_t)makers->count;
            makers->known[makers->count] = only_known[text];
            makers->text[makers->count++] = text;
        }
        makers->of[i] = number[text];
    }
}

bool itemi_makers_make(const item_dataset *data, const itemi_cohort *cohort, itemi_makers *makers)
{
    size_t texts = data->texts.count;
    uint32_t *number = itemi_alloc_array(NULL, texts, sizeof *number);
    bool *only_known = itemi_alloc_array(NULL, texts, sizeof *only_known);
    *makers = (itemi_makers){.of = itemi_alloc_array(NULL, data->count, sizeof *makers->of),
                             .text = itemi_alloc_array(NULL, texts, sizeof *makers->text),
                             .known = itemi_alloc_array(NULL, texts, sizeof *makers->known)};
    bool ok = number && only_known && makers->of && makers->text && makers->known;
    if (ok) {
        memset(only_known, true, texts * sizeof *only_known);
        mark_known(data, cohort, only_known);
        number_makers(data, cohort, only_known, number, makers);
    }
    itemi_free(NULL, number);
    itemi_free(NULL, only_known);
    return ok;
}

void itemi_makers_free(itemi_makers *makers)
{
    itemi_free(NULL, makers->of);
    itemi_free(NULL, makers->text);
    itemi_free(NULL, makers->known);
    *makers = (itemi_makers){.count = 0};
}

/* ---- tallies ---- */

/* Groups: sources, those with both labels, all, reasons, makers. */
size_t itemi_group_paired(const itemi_tallies *t)
{
    return t->sources;
}

size_t itemi_group_all(const itemi_tallies *t)
{
    return t->sources + 1;
}

static size_t of_reason(const itemi_tallies *t, int32_t reason)
{
    return t->sources + 2 + (size_t)reason;
}

size_t itemi_group_maker(const itemi_tallies *t, size_t maker)
{
    return t->sources + 2 + ITEMI_REASON_LAST + 1 + maker;
}

static void count_row(const itemi_tallies *t, size_t group, size_t row, double weight)
{
    size_t label = t->e->cohort->label[row];
    t->tally[group].rows[label] += weight;
    t->tally[group].called[label][t->e->answers->verdict[row]] += weight;
}

/* Sources stand in every table by themselves; sums are of those that no head knows. */
static void count_all(const itemi_tallies *t, const double *weights)
{
    const itemi_cohort *cohort = t->e->cohort;
    memset(t->tally, 0, t->groups * sizeof *t->tally);
    for (size_t i = 0; i < cohort->groups.count; i++) {
        double weight = weights ? weights[i] : 1;
        count_row(t, cohort->source[i], i, weight);
        if (t->makers->of[i] != ITEMI_NO_GROUP)
            count_row(t, itemi_group_maker(t, t->makers->of[i]), i, weight);
        if (cohort->known[cohort->source[i]])
            continue;
        count_row(t, itemi_group_all(t), i, weight);
        count_row(t, of_reason(t, t->e->answers->reason[i]), i, weight);
        if (t->paired[cohort->source[i]])
            count_row(t, itemi_group_paired(t), i, weight);
    }
}

typedef struct fraction {
    double part, whole;
} fraction;

static fraction share_of(const itemi_tally *t, itemi_share share)
{
    double wrong = t->called[0][ITEM_VERDICT_AI] + t->called[1][ITEM_VERDICT_REAL];
    double right = t->called[0][ITEM_VERDICT_REAL] + t->called[1][ITEM_VERDICT_AI];
    double rows = t->rows[0] + t->rows[1];
    switch (share) {
    case ITEMI_FALSE_POSITIVES:
        return (fraction){t->called[0][ITEM_VERDICT_AI], t->rows[0]};
    case ITEMI_RECALL:
        return (fraction){t->called[1][ITEM_VERDICT_AI], t->rows[1]};
    case ITEMI_UNSURE:
        return (fraction){rows - right - wrong, rows};
    case ITEMI_RIGHT:
        return (fraction){right, right + wrong};
    case ITEMI_WRONG:
    case ITEMI_SHARES:
        break;
    }
    return (fraction){wrong, rows};
}

/* Of all pictures, those with a reason. */
static fraction reason_share(const itemi_tallies *t, int32_t reason)
{
    const itemi_tally *all = &t->tally[itemi_group_all(t)], *own = &t->tally[of_reason(t, reason)];
    return (fraction){own->rows[0] + own->rows[1], all->rows[0] + all->rows[1]};
}

static double ratio(fraction f)
{
    return f.whole > 0 ? f.part / f.whole : NAN;
}

static size_t outputs(const itemi_tallies *t)
{
    return t->groups * ITEMI_SHARES + ITEMI_REASON_LAST + 1;
}

static void measure(void *user, const double *weights, double *out)
{
    const itemi_tallies *t = user;
    count_all(t, weights);
    for (size_t i = 0; i < t->groups * ITEMI_SHARES; i++)
        out[i] = ratio(share_of(&t->tally[i / ITEMI_SHARES], (itemi_share)(i % ITEMI_SHARES)));
    out += t->groups * ITEMI_SHARES;
    for (int32_t r = 0; r <= ITEMI_REASON_LAST; r++)
        out[r] = ratio(reason_share(t, r));
}

static bool reserve(itemi_tallies *t, const itemi_evaluation *e, const itemi_makers *makers)
{
    *t = (itemi_tallies){.e = e, .makers = makers, .sources = e->cohort->sources};
    t->groups = itemi_group_maker(t, makers->count);
    t->tally = itemi_alloc_array(NULL, t->groups, sizeof *t->tally);
    t->paired = itemi_alloc_zero(NULL, t->sources, sizeof *t->paired);
    t->interval = itemi_alloc_array(NULL, outputs(t), sizeof *t->interval);
    return t->tally && t->paired && t->interval;
}

item_status itemi_tallies_make(const itemi_evaluation *e, const itemi_makers *makers,
                               itemi_tallies *out, item_error *err)
{
    if (!reserve(out, e, makers))
        return itemi_fail_memory(err, "evaluating");
    count_all(out, NULL);
    for (size_t s = 0; s < out->sources; s++)
        out->paired[s] = out->tally[s].rows[0] > 0 && out->tally[s].rows[1] > 0;
    item_status status = itemi_bootstrap(NULL, &e->cohort->groups, &e->draws, measure, out,
                                         outputs(out), out->interval, err);
    count_all(out, NULL); /* the last draw stood there */
    return status;
}

void itemi_tallies_free(itemi_tallies *t)
{
    itemi_free(NULL, t->tally);
    itemi_free(NULL, t->paired);
    itemi_free(NULL, t->interval);
    *t = (itemi_tallies){.groups = 0};
}

/* ---- as JSON ---- */

/*
 * name, and name_interval: of the bootstrap, but exact (binomial) where photographs are called
 * `ai`, as those are promised picture by picture, and where it is none or all: no draw would
 * differ then.
 */
static void put_fraction(const itemi_tallies *t, json_t **object, const char *name, fraction f,
                         itemi_interval drawn, bool exact)
{
    char interval[64];
    itemi_interval binomial =
        itemi_binomial((uint64_t)f.part, (uint64_t)f.whole, t->e->draws.level);
    exact = exact || f.part <= 0 || f.part >= f.whole;
    itemi_format(interval, sizeof interval, "%s_interval", name);
    itemi_json_put(object, name, itemi_json_figure(ratio(f)));
    itemi_json_put(object, interval,
                   f.whole > 0 ? itemi_json_interval(exact ? binomial : drawn) : json_null());
}

void itemi_put_share(const itemi_tallies *t, size_t group, itemi_share share, const char *name,
                     json_t **object)
{
    put_fraction(t, object, name, share_of(&t->tally[group], share),
                 t->interval[group * ITEMI_SHARES + share], share == ITEMI_FALSE_POSITIVES);
}

static json_t *called(const double of[ITEM_VERDICT_AI + 1])
{
    return json_pack("{s:I, s:I, s:I}", "real", (json_int_t)of[ITEM_VERDICT_REAL], "unsure",
                     (json_int_t)of[ITEM_VERDICT_UNSURE], "ai", (json_int_t)of[ITEM_VERDICT_AI]);
}

void itemi_put_verdicts(const itemi_tallies *t, size_t group, json_t **object)
{
    static const char *const names[ITEMI_SHARES] = {"false_positive_rate", "recall", "unsure",
                                                    "right_when_decided", "wrong"};
    itemi_json_put(object, "photographs_called", called(t->tally[group].called[0]));
    itemi_json_put(object, "ai_called", called(t->tally[group].called[1]));
    for (size_t s = 0; s < ITEMI_SHARES; s++)
        itemi_put_share(t, group, (itemi_share)s, names[s], object);
}

void itemi_put_maker(const itemi_tallies *t, size_t maker, json_t **object)
{
    size_t group = itemi_group_maker(t, maker);
    itemi_json_put(object, "ai_called", called(t->tally[group].called[1]));
    itemi_put_share(t, group, ITEMI_RECALL, "recall", object);
    itemi_put_share(t, group, ITEMI_UNSURE, "unsure", object);
    itemi_put_share(t, group, ITEMI_WRONG, "wrong", object);
}

void itemi_put_reasons(const itemi_tallies *t, json_t **section)
{
    json_t *counts = json_object(), *table = json_array();
    for (int32_t r = ITEM_REASON_ABOVE_THRESHOLD; r <= ITEMI_REASON_LAST; r++) {
        size_t group = of_reason(t, r);
        const itemi_tally *own = &t->tally[group];
        json_t *row = json_pack("{s:s, s:I, s:I}", "reason", itemi_reason_code(r), "real",
                                (json_int_t)own->rows[0], "ai", (json_int_t)own->rows[1]);
        itemi_json_put(&counts, itemi_reason_code(r),
                       json_integer((json_int_t)(own->rows[0] + own->rows[1])));
        put_fraction(t, &row, "share", reason_share(t, r),
                     t->interval[t->groups * ITEMI_SHARES + (size_t)r], false);
        itemi_put_share(t, group, ITEMI_WRONG, "wrong", &row);
        itemi_json_append(&table, row);
    }
    itemi_json_put(section, "reasons", counts);
    itemi_json_put(section, "by_reason", table);
}
