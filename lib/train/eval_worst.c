/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong, the worst first: photographs called `ai` by source, and single pictures. */
#include <math.h>
#include <stdlib.h>

#include "core/json_make.h"
#include "train/eval.h"

#define MISTAKES 10 /* of each label */

typedef struct ranked {
    double badness;
    uint32_t what;
} ranked;

static int worst_first(const void *left, const void *right)
{
    const ranked *a = left, *b = right;
    if (a->badness != b->badness)
        return a->badness > b->badness ? -1 : 1;
    return a->what < b->what ? -1 : 1;
}

/* ---- sources ---- */

static json_t *false_positive_row(const itemi_evaluation *e, const itemi_tallies *t,
                                  uint32_t source, bool *above)
{
    const itemi_tally *own = &t->tally[source];
    double called = own->called[0][ITEM_VERDICT_AI], rows = own->rows[0];
    itemi_interval exact = itemi_binomial((uint64_t)called, (uint64_t)rows, e->draws.level);
    *above = exact.low > e->threshold.promised; /* of a number nothing is promised: NaN */
    json_t *row = itemi_source_row(e, source);
    itemi_json_put(&row, "real", json_integer((json_int_t)rows));
    itemi_json_put(&row, "called_ai", json_integer((json_int_t)called));
    itemi_put_share(t, source, ITEMI_FALSE_POSITIVES, "rate", &row);
    itemi_json_put(&row, "promised", itemi_json_number(e->threshold.promised));
    itemi_json_put(&row, "above_promise", json_boolean(*above));
    return row;
}

static void warn_of_broken(size_t broken, size_t sources, json_t **report)
{
    char line[160];
    itemi_format(line, sizeof line,
                 "In %zu of %zu sources more photographs are called `ai` than promised, and chance"
                 " does not explain it.",
                 broken, sources);
    if (broken)
        itemi_report_warn(report, line);
}

static item_status put_false_positives(const itemi_evaluation *e, const itemi_tallies *t,
                                       json_t **report, item_error *err)
{
    size_t n = 0, broken = 0;
    ranked *list = itemi_alloc_array(NULL, e->cohort->sources, sizeof *list);
    if (!list)
        return itemi_fail_memory(err, "evaluating");
    for (uint32_t s = 0; s < e->cohort->sources; s++) {
        const itemi_tally *own = &t->tally[s];
        if (own->rows[0] > 0)
            list[n++] = (ranked){own->called[0][ITEM_VERDICT_AI] / own->rows[0], s};
    }
    if (n)
        qsort(list, n, sizeof *list, worst_first);
    json_t *table = json_array();
    for (size_t i = 0; i < n; i++) {
        bool above = false;
        itemi_json_append(&table, false_positive_row(e, t, list[i].what, &above));
        broken += above;
    }
    itemi_json_put(report, "false_positives", table);
    warn_of_broken(broken, n, report);
    itemi_free(NULL, list);
    return ITEM_OK;
}

/* ---- pictures ---- */

static json_t *text_of(const itemi_evaluation *e, uint32_t text)
{
    return itemi_json_text(e->data->texts.text[text]);
}

/* Told by name and caption: pictures are other people's. */
static json_t *mistake(const itemi_evaluation *e, uint32_t row)
{
    const itemi_record *r = &e->data->record[row];
    const itemi_answers *a = e->answers;
    json_t *out = json_pack("{s:o, s:o, s:o, s:b}", "name", text_of(e, r->name), "source",
                            text_of(e, r->source), "generator", text_of(e, r->generator), "known",
                            e->cohort->known[e->cohort->source[row]]);
    itemi_json_put(&out, "caption", r->caption ? text_of(e, r->caption) : json_null());
    itemi_json_put(&out, "score", itemi_json_figure(a->score[row]));
    itemi_json_put(&out, "probability", itemi_json_figure(itemi_sigmoid(a->score[row])));
    itemi_json_put(&out, "verdict", json_string(itemi_verdict_name(a->verdict[row])));
    itemi_json_put(&out, "reason", json_string(itemi_reason_code(a->reason[row])));
    return out;
}

static json_t *worst_of(const itemi_evaluation *e, uint8_t label, ranked *room)
{
    size_t n = 0;
    json_t *list = json_array();
    for (size_t i = 0; i < e->data->count; i++) {
        double score = e->answers->score[i];
        if (e->cohort->label[i] == label)
            room[n++] = (ranked){label ? -score : score, (uint32_t)i};
    }
    if (n)
        qsort(room, n, sizeof *room, worst_first);
    for (size_t i = 0; i < n && i < MISTAKES; i++)
        itemi_json_append(&list, mistake(e, room[i].what));
    return list;
}

static item_status put_mistakes(const itemi_evaluation *e, json_t **report, item_error *err)
{
    ranked *room = itemi_alloc_array(NULL, e->data->count, sizeof *room);
    if (!room)
        return itemi_fail_memory(err, "evaluating");
    json_t *real = worst_of(e, 0, room), *ai = worst_of(e, 1, room);
    itemi_json_put(report, "mistakes", json_pack("{s:o, s:o}", "photographs", real, "ai", ai));
    itemi_free(NULL, room);
    return ITEM_OK;
}

item_status itemi_report_worst(const itemi_evaluation *e, const itemi_tallies *t, json_t **report,
                               item_error *err)
{
    item_status status = put_false_positives(e, t, report, err);
    return status == ITEM_OK ? put_mistakes(e, report, err) : status;
}
