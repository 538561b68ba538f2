/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The search for a caption as transformers 5 searches (generation/utils.py, _sample and
 * _beam_search): twice as many candidates as beams; those among the first that end go to the
 * finished ones, the best of the others live on; over when no live one can beat the worst
 * finished one at its present length.
 */
#include <math.h>
#include <string.h>

#include "blip.h"

void itx_beams_start(itx_beams *s, size_t beams, const int32_t *prompt, size_t length, size_t most,
                     int32_t end, itx_draw draw)
{
    memset(s, 0, sizeof *s);
    s->beams = beams;
    s->prompt = length;
    s->most = most;
    s->live = 1;
    s->end = end;
    s->draw = draw;
    s->margin = 1e6; /* finite, for a search that never had to choose */
    memcpy(s->now[0].ids, prompt, length * sizeof *prompt);
    s->now[0].length = length;
}

static size_t best_candidates(const itx_beams *s, const float *logprobs, size_t words,
                              itx_candidate *best, size_t room)
{
    size_t count = 0;
    for (size_t row = 0; row < s->live; row++) {
        for (size_t w = 0; w < words; w++) {
            const double noise = itx_draw_noise(&s->draw, s->now[row].length - s->prompt, w);
            const itx_candidate c = {s->now[row].sum + (double)logprobs[row * words + w] + noise,
                                     row, (int32_t)w};
            if (count < room || c.sum > best[room - 1].sum)
                count = itx_insert(best, count, room, &c);
        }
    }
    return count;
}

static void smaller_margin(itx_beams *s, double gap)
{
    s->margin = gap < s->margin ? gap : s->margin;
}

/* `logprob`: of the word, without the noise that may have chosen it. */
static itx_saying follow(const itx_beams *s, const itx_candidate *c, double logprob)
{
    itx_saying said = s->now[c->row];
    said.ids[said.length++] = c->word;
    said.sum += logprob;
    said.score = said.sum / (double)(said.length - s->prompt);
    return said;
}

/* Among the finished ones, in order of their scores; the worst falls out. */
static void finish(itx_beams *s, const itx_saying *said)
{
    size_t at = s->finished;
    while (at > 0 && s->done[at - 1].score < said->score)
        at--;
    if (at == s->beams)
        return;
    s->finished += s->finished < s->beams;
    for (size_t i = s->finished - 1; i > at; i--)
        s->done[i] = s->done[i - 1];
    s->done[at] = *said;
}

/* Can none that lives become better than the worst of as many finished ones as there are beams? */
static bool is_over(const itx_beams *s)
{
    if (s->live == 0)
        return true;
    if (s->beams == 1 || s->finished < s->beams)
        return s->beams == 1 && s->finished > 0;
    return s->now[0].score <= s->done[s->finished - 1].score;
}

void itx_beams_step(itx_beams *s, const float *logprobs, size_t words, size_t parents[ITX_BEAMS],
                    int32_t said[ITX_BEAMS])
{
    itx_candidate best[2 * ITX_BEAMS];
    itx_saying next[ITX_BEAMS];
    const size_t found = best_candidates(s, logprobs, words, best, 2 * s->beams);
    size_t count = 0;
    if (found > s->beams)
        smaller_margin(s, best[s->beams - 1].sum - best[s->beams].sum);
    for (size_t i = 0; i < found; i++) {
        const size_t at = best[i].row * words + (size_t)best[i].word;
        const itx_saying saying = follow(s, &best[i], (double)logprobs[at]);
        const bool ends = best[i].word == s->end || saying.length >= s->most;
        if (ends && i < s->beams)
            finish(s, &saying);
        if (ends || count == s->beams)
            continue;
        parents[count] = best[i].row;
        said[count] = best[i].word;
        next[count++] = saying;
    }
    memcpy(s->now, next, count * sizeof *next);
    s->live = count;
    s->over = is_over(s);
    if (s->over && s->finished > 1)
        smaller_margin(s, s->done[0].score - s->done[1].score);
}

const itx_saying *itx_beams_best(const itx_beams *s)
{
    return &s->done[0];
}
