/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The search for a caption: beams over words; greedy is one beam. Ties go to the lower beam, then
 * to the lower word, so that the answer depends on the numbers alone.
 */
#include "nets.h"

#include <math.h>
#include <string.h>

void itx_search_start(itx_search *s, size_t beams, size_t max_words, double alpha, itx_draw draw)
{
    memset(s, 0, sizeof *s);
    s->beams = beams;
    s->max_words = max_words;
    s->alpha = alpha;
    s->draw = draw;
    s->live = 1;
    s->margin = 1e6; /* finite, for a search that never had to choose */
    s->best_score = -INFINITY;
}

static void smaller_margin(itx_search *s, double gap)
{
    s->margin = gap < s->margin ? gap : s->margin;
}

size_t itx_insert(itx_candidate *best, size_t count, size_t room, const itx_candidate *c)
{
    size_t at = count;
    while (at > 0 && best[at - 1].sum < c->sum)
        at--;
    if (at == room)
        return count;
    count += count < room;
    for (size_t i = count - 1; i > at; i--)
        best[i] = best[i - 1];
    best[at] = *c;
    return count;
}

/* <pad>, <bos> and <unk> are never said, and something is said before the end. */
static bool allowed(int32_t word, size_t length)
{
    return word > 3 || (word == ITX_WORD_EOS && length > 0);
}

static size_t best_candidates(const itx_search *s, const float *logprobs, size_t vocabulary,
                              itx_candidate *best, size_t room)
{
    size_t count = 0;
    for (size_t row = 0; row < s->live; row++) {
        const float *p = logprobs + row * vocabulary;
        const double sum = s->now[row].sum;
        for (size_t w = 0; w < vocabulary; w++) {
            const double noise = itx_draw_noise(&s->draw, s->now[row].length, w);
            const itx_candidate c = {sum + (double)p[w] + noise, row, (int32_t)w};
            if (count == room && !(c.sum > best[room - 1].sum))
                continue;
            if (allowed(c.word, s->now[row].length) && isfinite(c.sum))
                count = itx_insert(best, count, room, &c);
        }
    }
    return count;
}

static void finish(itx_search *s, const itx_said *said, size_t tokens)
{
    const double score = said->sum / pow((double)(tokens ? tokens : 1), s->alpha);
    s->finished++;
    if (s->best_tokens > 0)
        smaller_margin(s, fabs(score - s->best_score));
    if (score <= s->best_score)
        return;
    s->best_score = score;
    s->best_tokens = tokens ? tokens : 1;
    s->best = *said;
}

/* A candidate ends its caption, or becomes a beam of the next step. */
static void follow(itx_search *s, const itx_candidate *c, itx_said *next, size_t *count,
                   size_t *parents, int32_t *words)
{
    itx_said said = s->now[c->row];
    said.sum = c->sum;
    if (c->word == ITX_WORD_EOS) {
        finish(s, &said, said.length + 1);
        return;
    }
    said.words[said.length++] = c->word;
    parents[*count] = c->row;
    words[*count] = c->word;
    next[(*count)++] = said;
}

void itx_search_step(itx_search *s, const float *logprobs, size_t vocabulary,
                     size_t parents[ITX_BEAMS], int32_t words[ITX_BEAMS])
{
    itx_candidate best[ITX_BEAMS + 1]; /* one more, to see what was not taken */
    itx_said next[ITX_BEAMS];
    const size_t wanted = s->beams - s->finished;
    const size_t found = best_candidates(s, logprobs, vocabulary, best, wanted + 1);
    const size_t taken = found < wanted ? found : wanted;
    if (found > wanted)
        smaller_margin(s, best[wanted - 1].sum - best[wanted].sum);
    size_t count = 0;
    for (size_t i = 0; i < taken; i++) {
        const itx_candidate *c = &best[i]; /* without the noise that chose it */
        best[i].sum = s->now[c->row].sum + (double)logprobs[c->row * vocabulary + (size_t)c->word];
        follow(s, c, next, &count, parents, words);
    }
    memcpy(s->now, next, count * sizeof *next);
    s->live = count;
    s->over = s->finished == s->beams || count == 0;
    for (size_t i = 0; !s->over && s->now[0].length == s->max_words && i < count; i++)
        finish(s, &s->now[i], s->now[i].length);
    s->over = s->over || s->now[0].length == s->max_words;
}
