/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about nouns and the words around them; all words in lower case. */
#ifndef ITEMI_TEXT_NOUNS_H
#define ITEMI_TEXT_NOUNS_H

#include "common/common.h"

#define ITEMI_NOUN_MOST 64 /* bytes of the longest word that is looked up or changed */

/* When a phrase with this head cannot be seen (hidden_nouns.c tells why). */
enum {
    ITEMI_HIDDEN_ALWAYS = 1,    /* front, background, photo, it, Monday */
    ITEMI_HIDDEN_OF = 2,        /* before "of": a bunch of, a piece of */
    ITEMI_HIDDEN_PLACE = 4,     /* alone or with "left", "other": the top, the left side */
    ITEMI_HIDDEN_PICTURE = 8,   /* before "of" at the begin: a painting of a house */
    ITEMI_HIDDEN_BARE = 16,     /* without determiner and modifier: at home */
    ITEMI_HIDDEN_COLOUR = 32,   /* the same, also "in dark blue" */
    ITEMI_HIDDEN_ALONE = 64,    /* without a modifier: 32 oz, but not a parking meter */
    ITEMI_HIDDEN_POSITION = 128 /* no head, but leaves ITEMI_HIDDEN_PLACE alone: left, far */
};
/* `word` is a singular head, or "modifier head" for the few pairs of words. */
unsigned itemi_noun_hidden(const char *word);

/* Is this a plural that no rule makes (men, people)? */
bool itemi_noun_irregular_plural(const char *word);
/* Is it its own plural (sheep, aircraft)? */
bool itemi_noun_is_invariable(const char *word);
/* Writes the singular of a plural noun; a word that has none stays. */
void itemi_noun_singular(const char *plural, char out[ITEMI_NOUN_MOST]);
/* scissors, trousers: "a pair of" them is one thing. */
bool itemi_noun_is_pair(const char *word);

/* Before "glasses": several glasses and no pair of spectacles. */
bool itemi_noun_is_drinking_glass(const char *first);
/* Names of two words that are no kind of their second: teddy bear, hot dog. */
bool itemi_noun_is_compound(const char *first, const char *second);

/* "two", "12", "1,000", "hundred": their value; 0 for other words. */
uint32_t itemi_number_value(const char *word);

/* What a word in front of a noun phrase tells; such words are not part of the phrase's text. */
enum {
    ITEMI_DET_NONE = 0,
    ITEMI_DET_ONE = 1,      /* a, each: one thing */
    ITEMI_DET_TWO = 2,      /* both */
    ITEMI_DET_DEFINITE = 4, /* the, this, his: known already, perhaps */
    ITEMI_DET_NEW = 8,      /* another, other: not the one named before */
    ITEMI_DET_NOT = 16,     /* no: not there at all */
    ITEMI_DET_OTHER = 32    /* some, many, about: tells nothing that is kept */
};
unsigned itemi_determiner(const char *word);

#endif
