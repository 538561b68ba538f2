/* SPDX-License-Identifier: Apache-2.0 */
/* What the tagger sees of a word and its neighbours. Case is not looked at: captions of
 * other styles than the training data write in title case, in capitals or all small. */
#include <string.h>

#include "text/tagger.h"

#define CLASS_KNOWN 0x80u /* highest bit of a class: the word was seen in training */

#define FOLDED 32 /* bytes kept of a word */

static uint32_t hash_text(const char *text, size_t length)
{
    uint32_t value = 0x811c9dc5u;
    for (size_t i = 0; i < length; i++)
        value = (value ^ (unsigned char)text[i]) * 0x01000193u;
    return value;
}

/* Spreads the bits; sums of features would else fall into few buckets. */
static uint32_t mix(uint32_t a, uint32_t b)
{
    uint32_t value = a * 0x9e3779b1u ^ (b + 0x7f4a7c15u) * 0x85ebca77u;
    value ^= value >> 15;
    value *= 0x2c1b3c6du;
    return value ^ value >> 13;
}

/* Class of a word, 0 if it is not in the lexicon. */
static unsigned find(const itemi_tagger *tagger, const char *text, size_t length)
{
    uint32_t hash = hash_text(text, length), low = 0, high = tagger->words;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2,
                 there = itemi_tagger_u32(tagger->hashes + 4 * middle);
        if (there == hash)
            return tagger->classes[middle];
        if (there < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

/* What a stem can be; closed classes have no endings. */
static unsigned open_class(const itemi_tagger *tagger, const char *text, size_t length)
{
    unsigned found = length >= 2 ? find(tagger, text, length) & ~CLASS_KNOWN : 0;
    return found < ITEMI_WORD_CLOSED ? found : 0;
}

/* The same for a stem that may have lost an e, changed y to i, or doubled its last letter. */
static unsigned stem_class(const itemi_tagger *tagger, const char *text, size_t length)
{
    char stem[FOLDED + 1];
    unsigned found = open_class(tagger, text, length);
    memcpy(stem, text, length);
    stem[length] = 'e';
    found |= open_class(tagger, stem, length + 1);
    if (length > 2 && text[length - 1] == 'i') {
        stem[length - 1] = 'y';
        found |= open_class(tagger, stem, length);
    } else if (length > 3 && text[length - 1] == text[length - 2]) {
        found |= open_class(tagger, text, length - 1);
    }
    return found;
}

static bool ends_with(const char *text, size_t length, const char *ending)
{
    size_t size = strlen(ending);
    return length > size + 1 && memcmp(text + length - size, ending, size) == 0;
}

static unsigned from_s(const itemi_tagger *tagger, const char *text, size_t length)
{
    unsigned stem = open_class(tagger, text, length - 1);
    if (ends_with(text, length, "es"))
        stem |= stem_class(tagger, text, length - 2);
    return ((stem & ITEMI_WORD_NOUN) ? ITEMI_WORD_PLURAL : 0u) |
           ((stem & ITEMI_WORD_VERB) ? ITEMI_WORD_THIRD : 0u);
}

static unsigned endings(const itemi_tagger *tagger, const char *text, size_t length)
{
    if (ends_with(text, length, "ing"))
        return stem_class(tagger, text, length - 3) & ITEMI_WORD_VERB ? ITEMI_WORD_ING : 0;
    if (ends_with(text, length, "ed"))
        return stem_class(tagger, text, length - 2) & ITEMI_WORD_VERB ? ITEMI_WORD_PAST : 0;
    if (ends_with(text, length, "er"))
        return stem_class(tagger, text, length - 2) & ITEMI_WORD_ADJECTIVE ? ITEMI_WORD_COMPARED
                                                                           : 0;
    if (ends_with(text, length, "est"))
        return stem_class(tagger, text, length - 3) & ITEMI_WORD_ADJECTIVE ? ITEMI_WORD_COMPARED
                                                                           : 0;
    return ends_with(text, length, "s") ? from_s(tagger, text, length) : 0;
}

/* Lower case, straight apostrophes, no # in front; of a long word the ends. */
static size_t fold(const char *text, size_t length, itemi_token_kind kind, char *out)
{
    size_t count = 0, from = kind == ITEMI_TOKEN_HASHTAG && length > 1 ? 1 : 0;
    for (size_t i = from; i < length; i++) {
        if (count == FOLDED) { /* forget the first half's last byte, keep the end */
            memmove(out + FOLDED / 2, out + FOLDED / 2 + 1, FOLDED / 2 - 1);
            count--;
        }
        char c = text[i];
        if (length - i >= 3 && memcmp(text + i, "\xe2\x80\x99", 3) == 0) {
            c = '\'';
            i += 2;
        }
        out[count++] = c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
    }
    return count;
}

static uint32_t shape_of(const char *text, size_t length, itemi_token_kind kind)
{
    uint32_t letters = 0, other = 0;
    for (size_t i = 0; i < length; i++) {
        letters |= text[i] >= 'a' && text[i] <= 'z';
        other |= (unsigned char)text[i] >= 0x80;
    }
    uint32_t size = length < 4 ? (uint32_t)length : 4;
    return (uint32_t)kind << 8 | letters << 4 | other << 3 | size;
}

static void look_suffixes(const char *text, size_t length, itemi_word *word)
{
    for (size_t i = 0; i < 3; i++) {
        size_t size = 4 - i;
        word->suffixes[i] =
            length > size ? hash_text(text + length - size, size) : hash_text(text, length) + 1;
    }
}

void itemi_tagger_look(const itemi_tagger *tagger, const char *text, size_t length,
                       itemi_token_kind kind, itemi_word *word)
{
    char folded[FOLDED] = {0};
    size_t count = fold(text, length, kind, folded);
    bool spelled = kind == ITEMI_TOKEN_WORD || kind == ITEMI_TOKEN_HASHTAG;
    unsigned found = find(tagger, folded, count);

    word->shape = shape_of(folded, count, kind);
    word->kind = found & ~CLASS_KNOWN;
    if (spelled && word->kind < ITEMI_WORD_CLOSED)
        word->kind |= endings(tagger, folded, count);
    if (!spelled)
        word->kind = 0x100000u + word->shape;
    word->identity = found & CLASS_KNOWN ? hash_text(folded, count) : ITEMI_TAGGER_UNKNOWN(kind);
    look_suffixes(folded, spelled ? count : 0, word);
}

/* The word at a place, or what stands for the sentence's edge. */
static const itemi_word *at(const itemi_word *words, size_t n, size_t i, int offset)
{
    static const itemi_word before = {1, 0x300001u, {1, 1, 1}, 1},
                            after = {2, 0x300002u, {2, 2, 2}, 2};
    if (offset < 0 && i < (size_t)-offset)
        return &before;
    size_t place = i + (size_t)offset;
    return place < n ? &words[place] : &after;
}

void itemi_tagger_features(const itemi_tagger *tagger, const itemi_word *words, size_t n, size_t i,
                           uint32_t buckets[ITEMI_TAGGER_FEATURES])
{
    const itemi_word *w = &words[i], *l = at(words, n, i, -1), *ll = at(words, n, i, -2),
                     *r = at(words, n, i, 1), *rr = at(words, n, i, 2);
    const uint32_t left = mix(l->kind, w->kind), right = mix(w->kind, r->kind);
    const uint32_t values[ITEMI_TAGGER_FEATURES] = {
        w->identity,
        l->identity,
        r->identity,
        ll->identity,
        rr->identity,
        mix(l->identity, w->identity),
        mix(w->identity, r->identity),
        mix(l->identity, r->identity),
        w->kind,
        left,
        right,
        mix(l->kind, right),
        mix(ll->kind, left),
        mix(right, rr->kind),
        mix(l->identity, w->kind),
        mix(w->kind, r->identity),
        mix(l->kind, r->kind),
        w->suffixes[0],
        w->suffixes[1],
        w->suffixes[2],
        mix(w->suffixes[1], w->kind),
        l->suffixes[1],
        r->suffixes[1],
        mix(l->kind, w->suffixes[1]),
        w->shape,
        r->kind,
    };
    for (uint32_t f = 0; f < ITEMI_TAGGER_FEATURES; f++)
        buckets[f] = mix(values[f], f + 1) & (tagger->buckets - 1);
}
