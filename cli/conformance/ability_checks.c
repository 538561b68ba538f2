/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of what a backend may be able to: drawn captions, scores of texts, inner layers. */
#include <math.h>
#include <string.h>

#include "conformance.h"

static const asking plain = PLAIN;

/* Answers to each sample alone, kept for comparison; false after a failure. */
static bool ask_alone(bench *b, subject s)
{
    char why[WHY];
    for (size_t i = 0; i < samples[s].count; i++) {
        const sample *input = &samples[s].items[i];
        if (ask(&b->it, s, &input, 1, &plain, &b->alone[s][i], why) != ITEM_OK) {
            fail("%s %zu: %s", subject_word(s), i, why);
            return false;
        }
    }
    return true;
}

/* The same again, by twos, and all twice; and a call that is cancelled from its start ends. */
static void compare_all(bench *b, subject s)
{
    char why[WHY];
    const size_t n = samples[s].count;
    const sample *first = &samples[s].items[0];
    atomic_int cancel = 1;
    asking cancelled = PLAIN;
    cancelled.cancel = &cancel;
    for (size_t i = n; i-- > 0 && !has_failed();)
        (void)compare_with_alone(b, &b->it, s, i, 1, &plain);
    (void)compare_with_alone(b, &b->it, s, n - 1, 2, &plain);
    (void)compare_with_alone(b, &b->it, s, 1, 2 * n, &plain);
    const item_status status = ask(&b->it, s, &first, 1, &cancelled, NULL, why);
    if (status != ITEM_OK && status != ITEM_E_CANCELLED)
        fail("cancelled from its start, a call returned %s", why);
    (void)compare_with_alone(b, &b->it, s, 0, 1, &plain);
}

/* ---- scores ---- */

/* What it said itself, by its own count; some captions were cut, and have no end to be counted. */
static void score_own(const bench *b)
{
    static const double near = 1e-3;
    char why[WHY];
    double nearest = INFINITY;
    for (size_t i = 0; i < samples[CAPTIONS].count && b->known; i++) {
        const answer *said = &b->alone[CAPTIONS][i];
        const sample own = {.image = samples[CAPTIONS].items[i].image, .text = said->text};
        const sample *input = &own;
        answer score;
        if (ask(&b->it, SCORES, &input, 1, &plain, &score, why) != ITEM_OK)
            fail("its own caption \"%.120s\": %s", said->text, why);
        else
            nearest = fmin(nearest, fabs(score.numbers[0] - said->numbers[0]));
        answers_free(&score, 1);
    }
    if (b->known && nearest > near)
        fail("no caption of its own has its logprob as score: the nearest is off by %g", nearest);
}

static void score_long(const bench *b)
{
    char why[WHY];
    const sample *longest = &samples[TEXTS].items[0];
    for (size_t i = 0; i < samples[TEXTS].count; i++)
        if (strlen(samples[TEXTS].items[i].text) > strlen(longest->text))
            longest = &samples[TEXTS].items[i];
    const sample input = {.image = samples[SCORES].items[0].image, .text = longest->text};
    const sample *one = &input;
    const item_status status = ask(&b->it, SCORES, &one, 1, &plain, NULL, why);
    if (status != ITEM_OK && status != ITEM_E_LIMIT)
        fail("a text of %zu bytes: %s", strlen(longest->text), why);
}

void check_scores(bench *b)
{
    if (!b->it.ops.captioner.score) {
        skip("it has no score");
        return;
    }
    if (!ask_alone(b, SCORES))
        return;
    compare_all(b, SCORES);
    score_own(b);
    score_long(b);
}

/* ---- draws ---- */

static bool drawn(const bench *b, const sample *const *inputs, size_t n, uint64_t seed, answer *out)
{
    char why[WHY];
    asking how = PLAIN;
    how.temperature = 1;
    how.seed = seed;
    if (ask(&b->it, CAPTIONS, inputs, n, &how, out, why) == ITEM_OK)
        return true;
    fail("with temperature 1 and seed %u: %s", (unsigned)seed, why);
    return false;
}

/* A captioner may pass over it: then each seed gives the one caption that it has. */
void check_draws(bench *b)
{
    enum { PICTURES = 3 };
    char why[WHY];
    const sample *inputs[PICTURES];
    for (size_t i = 0; i < PICTURES; i++)
        inputs[i] = &samples[CAPTIONS].items[i];
    for (uint64_t seed = 0; seed < 3; seed++) {
        answer together[PICTURES] = {{0}}, alone = {0};
        bool good = drawn(b, inputs, PICTURES, seed, together);
        for (size_t i = PICTURES; i-- > 0 && good;) {
            good = drawn(b, &inputs[i], 1, seed, &alone) &&
                   answers_same(CAPTIONS, &alone, &together[i], why);
            if (!good)
                fail("picture %zu, seed %u, alone and in a batch: %s", i, (unsigned)seed, why);
            answers_free(&alone, 1);
        }
        answers_free(together, PICTURES);
    }
}

/* ---- layers ---- */

void check_layers(bench *b)
{
    const item_embedder_ops *ops = &b->it.ops.embedder;
    if (!ops->embed_layers) {
        skip("it has no embed_layers");
        return;
    }
    if (!ask_alone(b, LAYERS))
        return;
    compare_all(b, LAYERS);
    for (size_t i = 0; i < samples[LAYERS].count && b->known; i++) {
        const answer *both = &b->alone[LAYERS][i], *vector = &b->alone[CROPS][i];
        const double most = vectors_differ(both->numbers, vector->numbers, ops->width);
        if (most > 1e-4)
            fail("%s %zu: its vector is not that of embed_images, by %g", subject_word(LAYERS), i,
                 most);
    }
}
