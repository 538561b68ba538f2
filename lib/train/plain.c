/* SPDX-License-Identifier: Apache-2.0 */
/* Learns what photographs look like by their plain statistics: the rule `out_of_scope`. */
#include <math.h>
#include <string.h>

#include "train/session.h"

#define QUANTILE 0.99 /* of photographs whose source was left out, within the limit */
#define ENOUGH   100  /* photographs; of fewer there is no such quantile */

/* The photographs with known statistics. */
typedef struct photographs {
    float *plain;     /* [count x ITEM_PLAIN_NUMBERS] */
    double *weight;   /* each source weighs the same */
    uint32_t *source; /* or, where there is one source alone, one of two halves */
    size_t count;
    uint32_t groups;
    double *distance;
} photographs;

static bool reserve(photographs *p, size_t rows)
{
    p->plain = itemi_alloc_array(NULL, rows, ITEM_PLAIN_NUMBERS * sizeof *p->plain);
    p->weight = itemi_alloc_array(NULL, rows, sizeof *p->weight);
    p->source = itemi_alloc_array(NULL, rows, sizeof *p->source);
    p->distance = itemi_alloc_array(NULL, rows, sizeof *p->distance);
    return p->plain && p->weight && p->source && p->distance;
}

static void release(photographs *p)
{
    itemi_free(NULL, p->plain);
    itemi_free(NULL, p->weight);
    itemi_free(NULL, p->source);
    itemi_free(NULL, p->distance);
}

static bool is_known(const itemi_record *r)
{
    bool known = true;
    for (size_t i = 0; i < ITEM_PLAIN_NUMBERS; i++)
        known &= isfinite(r->plain[i]) != 0;
    return known;
}

static void collect(const itemi_session *s, photographs *p)
{
    for (size_t i = 0; i < s->data->count; i++) {
        const itemi_record *r = &s->data->record[i];
        if (s->cohort.label[i] || !is_known(r))
            continue;
        memcpy(p->plain + p->count * ITEM_PLAIN_NUMBERS, r->plain, sizeof r->plain);
        p->source[p->count++] = s->cohort.source[i];
    }
    p->groups = (uint32_t)s->cohort.sources;
    size_t first = 0;
    for (size_t i = 0; i < p->count; i++)
        first += p->source[i] == p->source[0];
    for (size_t i = 0; first == p->count && i < p->count; i++)
        p->source[i] = i % 2; /* one source alone: halves */
    if (first == p->count)
        p->groups = 2;
}

/* Weights of all but one group (UINT32_MAX: of all). */
static void weigh(const photographs *p, uint32_t left_out, double *weight)
{
    for (uint32_t group = 0; group < p->groups; group++) {
        size_t own = 0;
        for (size_t i = 0; i < p->count; i++)
            own += p->source[i] == group;
        for (size_t i = 0; i < p->count; i++) {
            if (p->source[i] == group)
                weight[i] = group == left_out ? 0 : 1 / (double)own;
        }
    }
}

/* Distances of each group from what the others look like. */
static void hold_out(photographs *p)
{
    for (uint32_t group = 0; group < p->groups; group++) {
        itemi_plain others;
        size_t own = 0;
        for (size_t i = 0; i < p->count; i++)
            own += p->source[i] == group;
        if (own == 0)
            continue;
        weigh(p, group, p->weight);
        itemi_plain_fit(p->plain, p->weight, p->count, &others);
        for (size_t i = 0; i < p->count; i++) {
            if (p->source[i] == group)
                p->distance[i] = itemi_plain_distance(&others, p->plain + i * ITEM_PLAIN_NUMBERS);
        }
    }
}

/* The least distance within which a share of the weight lies. */
static double weighted_quantile(const photographs *p, double share)
{
    double all = 0, limit = HUGE_VAL;
    for (size_t i = 0; i < p->count; i++)
        all += p->weight[i];
    for (size_t i = 0; i < p->count; i++) { /* rows are some thousands at most, and this is rare */
        double within = 0;
        for (size_t j = 0; p->distance[i] < limit && j < p->count; j++)
            within += p->distance[j] <= p->distance[i] ? p->weight[j] : 0;
        if (p->distance[i] < limit && within >= share * all)
            limit = p->distance[i];
    }
    return limit;
}

item_status itemi_session_plain(itemi_session *s, item_error *err)
{
    photographs p = {.count = 0};
    s->facts.plain_limit = NAN;
    s->facts.plain_quantile = QUANTILE;
    if (s->options->scope_quantile <= 0) /* no such rules are wanted */
        return ITEM_OK;
    item_status status = reserve(&p, s->data->count) ? ITEM_OK : itemi_fail_memory(err, "training");
    if (status == ITEM_OK)
        collect(s, &p);
    if (status == ITEM_OK && p.count >= ENOUGH) {
        hold_out(&p);
        weigh(&p, UINT32_MAX, p.weight);
        s->facts.plain_limit = weighted_quantile(&p, QUANTILE);
        itemi_plain_fit(p.plain, p.weight, p.count, &s->facts.plain);
    }
    release(&p);
    return status;
}
