/* SPDX-License-Identifier: Apache-2.0 */
/* Whether two answers are the same, and the comparison that most checks end in. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance.h"

/* Sums in another order differ a little; an answer to another question differs a lot. */
static const double same = 1e-4, tie = 1e-3, pixels = 0.05;

const char *subject_word(subject s)
{
    static const char *const words[ALL_SUBJECTS] = {
        [CAPTIONS] = "picture",          [BOXES] = "picture",
        [CROPS] = "part of a picture",   [TEXTS] = "text",
        [SCORES] = "text for a picture", [LAYERS] = "inner layers of a part"};
    return words[s];
}

bool subject_of(stage_id stage, subject s)
{
    return stage == (s == CAPTIONS ? CAPTIONER : s == BOXES ? DETECTOR : EMBEDDER);
}

void answers_free(answer *answers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(answers[i].text);
        free(answers[i].numbers);
        answers[i] = (answer){0};
    }
}

double vectors_differ(const double *a, const double *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        if (a[i] == b[i] || (isnan(a[i]) && isnan(b[i]))) /* NaN: told by the rule of answers */
            continue;
        double d = fabs(a[i] - b[i]);
        most = isnan(d) ? (double)INFINITY : fmax(most, d);
    }
    return most;
}

/* Where the margin is tiny, rounding decides between captions, and nothing is promised. */
static bool captions_same(const answer *a, const answer *b, char *why)
{
    snprintf(why, WHY, "\"%.120s\" (logprob %g, margin %g) and \"%.120s\" (%g, %g)", a->text,
             a->numbers[0], a->numbers[1], b->text, b->numbers[0], b->numbers[1]);
    if (a->numbers[1] < tie || b->numbers[1] < tie)
        return a->numbers[1] < tie + same && b->numbers[1] < tie + same;
    return strcmp(a->text, b->text) == 0 && !(fabs(a->numbers[0] - b->numbers[0]) > same);
}

static bool boxes_same(const answer *a, const answer *b, char *why)
{
    snprintf(why, WHY, "%zu boxes and %zu", a->count / PER_BOX, b->count / PER_BOX);
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const double x = a->numbers[i], y = b->numbers[i];
        size_t member = i % PER_BOX;
        double allowed = member == 0 ? 0 : member == PER_BOX - 1 ? same : pixels;
        if (fabs(x - y) <= allowed)
            continue;
        snprintf(why, WHY, "%s %zu: %.9g and %.9g", member ? "a number of box" : "phrase of box",
                 i / PER_BOX, x, y);
        return false;
    }
    return true;
}

bool answers_same(subject s, const answer *a, const answer *b, char why[WHY])
{
    if (s == CAPTIONS)
        return captions_same(a, b, why);
    if (s == BOXES)
        return boxes_same(a, b, why);
    double most = vectors_differ(a->numbers, b->numbers, a->count), scale = 1;
    for (size_t i = 0; s == LAYERS && i < a->count; i++)
        scale = fmax(scale, fabs(a->numbers[i]));
    snprintf(why, WHY, "the largest difference of two numbers is %g", most);
    return !(most > same * scale);
}

bool compare_with_alone(const bench *b, const backend *it, subject s, size_t first, size_t n,
                        const asking *how)
{
    char why[WHY];
    const sample **inputs = calloc(n, sizeof(sample *));
    answer *answers = calloc(n, sizeof *answers);
    size_t all = samples[s].count;
    bool good = inputs && answers;
    for (size_t i = 0; good && i < n; i++)
        inputs[i] = &samples[s].items[(first + i) % all];
    if (good && ask(it, s, inputs, n, how, answers, why) != ITEM_OK) {
        fail("%zu of them from %s %zu on: %s", n, subject_word(s), first % all, why);
        good = false;
    }
    for (size_t i = 0; good && i < n; i++) {
        size_t which = (first + i) % all;
        good = answers_same(s, &b->alone[s][which], &answers[i], why);
        if (!good)
            fail("%s %zu, number %zu of %zu: alone and here: %s", subject_word(s), which, i + 1, n,
                 why);
    }
    if (answers)
        answers_free(answers, n);
    free(answers);
    free(inputs);
    return good;
}
