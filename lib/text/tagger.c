/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the tagger's weights and finds the best labels of a sentence (Viterbi). */
#include "text/tagger.h"

#include <string.h>

#include "text/tagger_data.h"

#define MAGIC "ITEMTAG1"

/* Header: magic, labels, buckets, words; then names, hashes, classes, steps, weights. */
static size_t place_parts(itemi_tagger *tagger, const unsigned char *data)
{
    const size_t labels = tagger->labels = itemi_tagger_u32(data + 8);
    const size_t buckets = tagger->buckets = itemi_tagger_u32(data + 12);
    const size_t words = tagger->words = itemi_tagger_u32(data + 16);
    const unsigned char *at = data + 20;
    tagger->names = (const char *)at;
    at += labels * 8;
    tagger->hashes = at;
    at += words * 4;
    tagger->classes = at;
    at += words;
    tagger->steps = at;
    at += (labels + 2) * labels * 2;
    tagger->weights = (const int8_t *)at;
    return 20 + labels * 8 + words * 5 + (labels + 2) * labels * 2 + buckets * labels;
}

item_status itemi_tagger_read(itemi_tagger *tagger, const void *data, size_t length,
                              item_error *err)
{
    if (length < 20 || memcmp(data, MAGIC, 8) != 0)
        return itemi_fail(err, ITEM_E_FORMAT, "tagger: not a file of weights");
    size_t size = place_parts(tagger, data);
    bool power = tagger->buckets > 0 && (tagger->buckets & (tagger->buckets - 1)) == 0;
    if (tagger->labels == 0 || tagger->labels > ITEMI_TAGGER_LABELS || !power || size != length)
        return itemi_fail(err, ITEM_E_FORMAT, "tagger: the sizes in the header do not fit");
    return ITEM_OK;
}

void itemi_tagger_builtin(itemi_tagger *tagger)
{
    place_parts(tagger, (const unsigned char *)itemi_tagger_data);
}

static int32_t step(const itemi_tagger *tagger, size_t from, size_t to)
{
    const unsigned char *bytes = tagger->steps + 2 * (from * tagger->labels + to);
    return (int16_t)(bytes[0] | bytes[1] << 8);
}

/* Score of each label at word i, from the features alone. */
static void emissions(const itemi_tagger *tagger, const itemi_word *words, size_t n, size_t i,
                      int32_t *scores)
{
    uint32_t buckets[ITEMI_TAGGER_FEATURES];
    itemi_tagger_features(tagger, words, n, i, buckets);
    memset(scores, 0, tagger->labels * sizeof *scores);
    for (size_t f = 0; f < ITEMI_TAGGER_FEATURES; f++) {
        const int8_t *row = tagger->weights + (size_t)buckets[f] * tagger->labels;
        for (size_t k = 0; k < tagger->labels; k++)
            scores[k] += row[k];
    }
}

/* Adds the best way into each label; from[k] receives the label it comes from. */
static void advance(const itemi_tagger *tagger, const int32_t *before, int32_t *scores,
                    uint8_t *from)
{
    for (size_t k = 0; k < tagger->labels; k++) {
        int32_t best = INT32_MIN;
        for (size_t j = 0; j < tagger->labels; j++) {
            int32_t score = before[j] + step(tagger, j, k);
            if (score > best) {
                best = score;
                from[k] = (uint8_t)j;
            }
        }
        scores[k] += best;
    }
}

static uint8_t best_end(const itemi_tagger *tagger, const int32_t *scores)
{
    uint8_t best = 0;
    int32_t most = INT32_MIN;
    for (size_t k = 0; k < tagger->labels; k++) {
        int32_t score = scores[k] + step(tagger, tagger->labels + 1, k);
        if (score > most) {
            most = score;
            best = (uint8_t)k;
        }
    }
    return best;
}

void itemi_tagger_run(const itemi_tagger *tagger, const itemi_word *words, size_t n,
                      uint8_t *labels)
{
    int32_t scores[2][ITEMI_TAGGER_LABELS];
    uint8_t from[ITEMI_TAGGER_WORDS][ITEMI_TAGGER_LABELS];
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        int32_t *now = scores[i & 1];
        emissions(tagger, words, n, i, now);
        if (i > 0)
            advance(tagger, scores[~i & 1], now, from[i]);
        for (size_t k = 0; i == 0 && k < tagger->labels; k++)
            now[k] += step(tagger, tagger->labels, k);
    }
    labels[n - 1] = best_end(tagger, scores[(n - 1) & 1]);
    for (size_t i = n - 1; i > 0; i--)
        labels[i - 1] = from[i][labels[i]];
}
