/* SPDX-License-Identifier: Apache-2.0 */
/* Captions of some pictures, a word at a time for each beam of those that are not over yet. */
#include "nets.h"

/* What the next step starts from: pictures that go on, rows of their beams, words. */
typedef struct plan {
    size_t active[ITX_BATCH]; /* pictures, as numbered in the run */
    size_t count;
    int64_t which[ITX_BATCH]; /* their places in the step before */
    int64_t rows[ITX_BATCH * ITX_BEAMS], words[ITX_BATCH * ITX_BEAMS];
} plan;

/* A picture's search takes a step; its beams go into the plan unless it is over. A picture with
   fewer beams than others has rows that are computed and not read. */
static void advance(const itx_speaker *s, size_t picture, size_t place, size_t rows, plan *p)
{
    size_t parents[ITX_BEAMS] = {0};
    int32_t words[ITX_BEAMS] = {0};
    const float *logprobs = s->logprobs + place * rows * s->words;
    const size_t live = s->choose(s->job, picture, logprobs, parents, words);
    if (live == 0)
        return;
    for (size_t i = 0; i < s->beams; i++) {
        const size_t from = i < live ? i : 0;
        p->rows[p->count * s->beams + i] = (int64_t)(place * rows + parents[from]);
        p->words[p->count * s->beams + i] = words[from];
    }
    p->which[p->count] = (int64_t)place;
    p->active[p->count++] = picture;
}

void itx_speak(itx_run *run, const itx_speaker *s, itx_past *past)
{
    plan now = {.count = (size_t)past->pictures}, next;
    const int64_t *words = NULL;
    for (size_t i = 0; i < now.count; i++)
        now.active[i] = i;
    while (now.count > 0 && itx->status(run, NULL) == ITEM_OK) {
        const size_t rows = (size_t)past->beams;
        itx_tensor *logprobs = s->step(run, s->job, past, words);
        itx->read(run, logprobs, s->logprobs, now.count * rows * s->words);
        if (itx->status(run, NULL) != ITEM_OK)
            return;
        next.count = 0;
        for (size_t i = 0; i < now.count; i++)
            advance(s, now.active[i], i, rows, &next);
        if (next.count > 0)
            itx_past_select(run, past, next.which, next.count, next.rows, (int64_t)s->beams);
        now = next;
        words = now.words;
    }
}
