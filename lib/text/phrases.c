/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From base noun phrases to the things that a detector is asked for: without
 * determiners, with count and colour, each thing once, nothing that cannot be
 * seen. Reads the caption sentence by sentence, so time grows with its length
 * and memory with the phrases found, of which there is a most.
 */
#include <stdio.h>
#include <string.h>

#include "text/nouns.h"
#include "text/sentence.h"
#include "text/text.h"

#define MOST_PHRASES 256 /* of one caption; what follows is not read */
#define MOST_TOKENS  12  /* of one phrase; of a longer one the last count */
#define MOST_BYTES   256 /* of a phrase's text; a longer one is no phrase */

/* What merging needs to know of a phrase that was found. */
typedef struct {
    uint64_t head, whole; /* hashes of the head, and of modifiers and head, without the count */
    uint32_t count;
} seen;

typedef struct {
    const itemi_mem *mem;
    const char *caption;
    itemi_phrases *out;
    size_t capacity;
    itemi_tagger tagger;
    itemi_sentence sentence;
    seen before[MOST_PHRASES];
    bool first;      /* no phrase was looked at yet */
    uint32_t amount; /* "a couple of": the count of the phrase that comes next */
    size_t last_end; /* token behind the last phrase of this sentence, and its determiners */
    unsigned last_determiners;
} finder;

/* A phrase while it is looked at. */
typedef struct {
    size_t from, to; /* tokens */
    bool of;         /* "of" follows */
    unsigned determiners;
    unsigned shared; /* determiners of the phrase before: "a man and woman" */
    uint32_t count;
    char text[MOST_BYTES], head[ITEMI_NOUN_MOST];
    size_t length;
    uint64_t whole;
    bool modified; /* has words before its head, numbers apart */
    bool places;   /* and all of them are like "left" or "other" */
    bool plural;
} draft;

/* ---- words ---- */

/* A token in lower case (ASCII letters), without the # of a hashtag; cut when it is too long. */
static void word_of(const finder *f, size_t token, char out[ITEMI_NOUN_MOST])
{
    const itemi_token *t = &f->sentence.tokens[token];
    const char *text = f->caption + t->start;
    size_t length = t->end - t->start, at = 0;
    if (t->kind == ITEMI_TOKEN_HASHTAG) {
        text++;
        length--;
    }
    if (length >= ITEMI_NOUN_MOST)
        length = ITEMI_NOUN_MOST - 1;
    for (; at < length; at++)
        out[at] = text[at] >= 'A' && text[at] <= 'Z' ? (char)(text[at] | 32) : text[at];
    out[at] = '\0';
}

static bool token_is(const finder *f, size_t token, const char *word)
{
    char text[ITEMI_NOUN_MOST];
    if (token >= f->sentence.count)
        return false;
    word_of(f, token, text);
    return strcmp(text, word) == 0;
}

static bool tag_is(const finder *f, size_t token, const char *tag)
{
    return strcmp(itemi_sentence_tag(&f->tagger, &f->sentence, token), tag) == 0;
}

static bool is_noun(const finder *f, size_t token)
{
    uint8_t kind = f->sentence.tokens[token].kind;
    return (kind == ITEMI_TOKEN_WORD || kind == ITEMI_TOKEN_HASHTAG) &&
           (tag_is(f, token, "NN") || tag_is(f, token, "NNS"));
}

static bool is_mark(const finder *f, size_t token)
{
    return f->sentence.tokens[token].kind >= ITEMI_TOKEN_LINK;
}

/* What the lexicon knows of a word: bits of itemi_word.kind, 0 for closed classes and others. */
static uint32_t look_up(const finder *f, size_t token)
{
    const itemi_token *t = &f->sentence.tokens[token];
    itemi_word word;
    itemi_tagger_look(&f->tagger, f->caption + t->start, t->end - t->start,
                      (itemi_token_kind)t->kind, &word);
    bool open = t->kind == ITEMI_TOKEN_WORD && (word.kind & 0xff) < ITEMI_WORD_CLOSED;
    return open ? word.kind : 0;
}

static uint64_t hash_on(uint64_t value, const char *text)
{
    for (; *text; text++)
        value = (value ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return (value ^ ' ') * UINT64_C(0x100000001b3);
}

/* ---- a phrase's parts ---- */

/* Moves `to` behind the head noun; false when there is none. */
static bool find_head(const finder *f, draft *d)
{
    size_t end = d->to;
    while (end > d->from && !is_noun(f, end - 1))
        end--;
    if (end > d->from) {
        d->to = end;
        return true;
    }
    /* "the orange": the tagger took the noun for an adjective */
    return d->to - d->from > 1 && tag_is(f, d->from, "DT") && tag_is(f, d->to - 1, "JJ") &&
           (look_up(f, d->to - 1) & ITEMI_WORD_NOUN);
}

/* Reads numbers at the begin, "two" or "three hundred"; they stay in the text. */
static void read_count(const finder *f, draft *d)
{
    uint32_t count = 0;
    for (size_t i = d->from; i + 1 < d->to; i++) {
        char word[ITEMI_NOUN_MOST];
        word_of(f, i, word);
        uint32_t value = itemi_number_value(word);
        if (value == 0)
            break;
        count = count > 0 && value >= 12 && value > count ? count * value : count + value;
    }
    d->count = count;
}

/* Takes determiners and marks off the begin. */
static void strip_determiners(const finder *f, draft *d)
{
    for (; d->from + 1 < d->to; d->from++) {
        char word[ITEMI_NOUN_MOST];
        word_of(f, d->from, word);
        unsigned found = itemi_determiner(word);
        if (found == ITEMI_DET_NONE && !is_mark(f, d->from))
            break;
        d->determiners |= found;
    }
    if (d->to - d->from > MOST_TOKENS)
        d->from = d->to - MOST_TOKENS;
}

/* Marks that hold words together; others are left out of the text. */
static bool is_joint(const finder *f, size_t token)
{
    const itemi_token *t = &f->sentence.tokens[token];
    return t->end - t->start == 1 && strchr("-&/'", f->caption[t->start]) != NULL;
}

/* Appends a token to the text, after a space if the caption has a gap there. */
static bool append_word(const finder *f, draft *d, size_t token, const char *word)
{
    const itemi_token *t = &f->sentence.tokens[token];
    bool gap = token > d->from && word[0] != '\'' &&
               (t->start > t[-1].end || (is_mark(f, token - 1) && !is_joint(f, token - 1)));
    size_t length = strlen(word);
    if (t->end - t->start > ITEMI_NOUN_MOST - 1 || d->length + gap + length >= sizeof d->text)
        return false;
    if (gap && d->length > 0)
        d->text[d->length++] = ' ';
    memcpy(d->text + d->length, word, length + 1);
    d->length += length;
    return true;
}

/* The tagger's word for it, unless the form or the lexicon knows better (people, mars). */
static bool is_plural(const finder *f, size_t token, const char *word)
{
    if (itemi_noun_irregular_plural(word))
        return true;
    uint32_t look = look_up(f, token);
    bool noun = look & ITEMI_WORD_NOUN, plural = look & ITEMI_WORD_PLURAL;
    if (noun != plural && !itemi_noun_is_invariable(word))
        return plural;
    return tag_is(f, token, "NNS");
}

/* Teddy bears are no bears, and wine glasses no spectacles. */
static void mend_head(const finder *f, draft *d)
{
    char first[ITEMI_NOUN_MOST], second[ITEMI_NOUN_MOST];
    if (d->to - d->from < 2)
        return;
    word_of(f, d->to - 2, first);
    strcpy(second, d->head);
    if (strcmp(second, "glasses") == 0 && itemi_noun_is_drinking_glass(first))
        strcpy(d->head, "glass");
    if (itemi_noun_is_compound(first, second))
        snprintf(d->head, sizeof d->head, "%.30s %.30s", first, second);
}

static bool look_at_head(const finder *f, draft *d, const char *word)
{
    d->plural = is_plural(f, d->to - 1, word);
    if (d->plural)
        itemi_noun_singular(word, d->head);
    else
        strcpy(d->head, word);
    mend_head(f, d);
    return append_word(f, d, d->to - 1, word);
}

/* Builds text, head and hash; false when the phrase is too long to be one. */
static bool build(const finder *f, draft *d)
{
    char word[ITEMI_NOUN_MOST];
    d->places = true;
    d->whole = UINT64_C(0xcbf29ce484222325);
    for (size_t i = d->from; i + 1 < d->to; i++) {
        if (is_mark(f, i) && !is_joint(f, i))
            continue;
        word_of(f, i, word);
        if (!append_word(f, d, i, word))
            return false;
        if (itemi_number_value(word) > 0)
            continue;
        d->whole = hash_on(d->whole, word);
        d->modified = true;
        d->places = d->places && (itemi_noun_hidden(word) & ITEMI_HIDDEN_POSITION);
    }
    word_of(f, d->to - 1, word);
    if (!look_at_head(f, d, word))
        return false;
    d->whole = hash_on(d->whole, d->head);
    return true;
}

/* How many there are: what determiners and plural tell when no number does. */
static uint32_t count_of(const finder *f, const draft *d)
{
    if (d->count > 0 && d->plural)
        return d->count;
    if (f->amount > 0)
        return f->amount == 2 && itemi_noun_is_pair(d->head) ? 1 : f->amount;
    if (d->determiners & ITEMI_DET_TWO)
        return 2;
    if (itemi_noun_is_pair(d->head) || d->plural)
        return 0;
    return (d->determiners | d->shared) & (ITEMI_DET_ONE | ITEMI_DET_DEFINITE) ? 1 : 0;
}

/* ---- what cannot be seen ---- */

/* "a couple of dogs" has no couple in it, but says how many dogs. */
static uint32_t amount_of(const draft *d)
{
    if (!d->of)
        return 0;
    if (strcmp(d->head, "couple") == 0 || strcmp(d->head, "pair") == 0)
        return 2;
    return strcmp(d->head, "trio") == 0 ? 3 : strcmp(d->head, "dozen") == 0 && !d->plural ? 12 : 0;
}

/* "unreal engine", "soft light" */
static bool is_hidden_pair(const finder *f, const draft *d)
{
    char both[2 * ITEMI_NOUN_MOST + 1];
    if (d->to - d->from < 2)
        return false;
    word_of(f, d->to - 2, both);
    size_t length = strlen(both);
    both[length] = ' ';
    strcpy(both + length + 1, d->head);
    return itemi_noun_hidden(both) & ITEMI_HIDDEN_ALWAYS;
}

static bool is_hidden(const finder *f, const draft *d)
{
    unsigned hidden = itemi_noun_hidden(d->head);
    if ((hidden & ITEMI_HIDDEN_ALWAYS) || (d->determiners & ITEMI_DET_NOT) || is_hidden_pair(f, d))
        return true;
    if (itemi_determiner(d->head))
        return true; /* a tagger's slip: "a a" */
    if ((hidden & ITEMI_HIDDEN_OF) && d->of)
        return true;
    if ((hidden & ITEMI_HIDDEN_PLACE) && d->places)
        return true;
    if ((hidden & ITEMI_HIDDEN_PICTURE) && d->of && f->first)
        return true;
    if ((hidden & ITEMI_HIDDEN_ALONE) && !d->modified)
        return true;
    bool bare = d->determiners == 0 && !d->plural && d->count == 0;
    return bare &&
           ((hidden & ITEMI_HIDDEN_COLOUR) || ((hidden & ITEMI_HIDDEN_BARE) && !d->modified));
}

/* ---- one thing once ---- */

/* The same modifiers and head, or "the dog" after "a brown dog"; "two dogs" are not "a dog". */
static bool is_known(const finder *f, const draft *d, uint64_t head)
{
    bool definite = d->determiners & ITEMI_DET_DEFINITE;
    bool mention = definite && !d->modified && !(d->determiners & ITEMI_DET_NEW);
    uint32_t count = count_of(f, d);
    for (size_t i = 0; i < f->out->count; i++) {
        const seen *before = &f->before[i];
        bool other = !definite && count > 0 && before->count > 0 && count != before->count;
        if ((before->whole == d->whole && !other) || (mention && before->head == head))
            return true;
    }
    return false;
}

static bool grow(finder *f)
{
    if (f->out->count < f->capacity)
        return true;
    size_t capacity = f->capacity ? 2 * f->capacity : 8;
    itemi_phrase *items = itemi_resize_array(f->mem, f->out->items, capacity, sizeof *items);
    if (!items)
        return false;
    f->out->items = items;
    f->capacity = capacity;
    return true;
}

static bool keep(finder *f, const draft *d, uint64_t head)
{
    if (!grow(f))
        return false;
    itemi_phrase *phrase = &f->out->items[f->out->count];
    phrase->text = itemi_strdup(f->mem, d->text);
    phrase->head = itemi_strdup(f->mem, d->head);
    phrase->start = f->sentence.tokens[d->from].start;
    phrase->end = f->sentence.tokens[d->to - 1].end;
    phrase->count = count_of(f, d);
    f->before[f->out->count++] = (seen){head, d->whole, phrase->count};
    return phrase->text && phrase->head;
}

/* ---- the way through ---- */

/* What "a man and" lends to the phrase that begins at `from`. */
static unsigned shared_determiners(const finder *f, size_t from)
{
    bool joined = from > 0 && f->last_end > 0 && f->last_end + 1 == from;
    return joined && (token_is(f, from - 1, "and") || token_is(f, from - 1, "or"))
               ? f->last_determiners
               : 0;
}

/* Looks at tokens from..to-1 as one phrase; false when memory is short. */
static bool look_at(finder *f, size_t from, size_t to, unsigned determiners)
{
    draft d = {.from = from, .to = to, .of = token_is(f, to, "of"), .determiners = determiners};
    bool absent = from > 0 && token_is(f, from - 1, "without"), done = true;
    uint32_t amount = 0;
    if (f->out->count < MOST_PHRASES && find_head(f, &d)) {
        strip_determiners(f, &d);
        read_count(f, &d);
        d.shared = d.determiners == 0 && d.count == 0 ? shared_determiners(f, from) : 0;
        if (!absent && build(f, &d)) {
            uint64_t head = hash_on(UINT64_C(0xcbf29ce484222325), d.head);
            amount = amount_of(&d);
            if (!is_hidden(f, &d) && !is_known(f, &d, head))
                done = keep(f, &d, head);
        }
    }
    f->amount = amount;
    f->last_end = to;
    f->last_determiners = d.determiners | d.shared;
    f->first = false;
    return done;
}

/* "the man's hat" names two things, "a children's book" and "women's shoes" one. */
static size_t owner_end(const finder *f, size_t from, size_t to)
{
    char word[ITEMI_NOUN_MOST];
    word_of(f, from, word);
    if (!itemi_determiner(word))
        return from;
    for (size_t i = from + 2; i + 1 < to; i++) {
        bool owner = token_is(f, i, "'s") || token_is(f, i, "\xe2\x80\x99s") ||
                     (tag_is(f, i, "POS") && is_mark(f, i));
        word_of(f, i - 1, word);
        if (owner && !itemi_noun_irregular_plural(word))
            return i;
    }
    return from;
}

static bool look_at_sentence(finder *f)
{
    f->last_end = 0;
    for (size_t from = 0, to; itemi_sentence_chunk(&f->tagger, &f->sentence, &from, &to);
         from = to) {
        size_t owner = owner_end(f, from, to);
        if (owner > from) {
            if (!look_at(f, from, owner, 0) || !look_at(f, owner + 1, to, ITEMI_DET_DEFINITE))
                return false;
        } else if (!look_at(f, from, to, 0)) {
            return false;
        }
    }
    return true;
}

item_status itemi_phrases_find(const itemi_mem *mem, const char *caption, itemi_phrases *out,
                               item_error *err)
{
    size_t length = strlen(caption), valid = itemi_utf8_valid(caption, length);
    *out = (itemi_phrases){.mem = mem};
    if (valid != length)
        return itemi_fail(err, ITEM_E_FORMAT, "caption: byte %zu is not UTF-8", valid);
    if (length > UINT32_MAX)
        return itemi_fail(err, ITEM_E_LIMIT, "caption: longer than 4 GB");

    itemi_caption rest;
    finder f = {.mem = mem, .caption = caption, .out = out, .first = true};
    itemi_tagger_builtin(&f.tagger);
    itemi_caption_start(&rest, caption, length);
    while (out->count < MOST_PHRASES && itemi_sentence_next(&f.tagger, &rest, &f.sentence)) {
        if (!look_at_sentence(&f)) {
            itemi_phrases_free(out);
            return itemi_fail_memory(err, "looking for the phrases of a caption");
        }
    }
    return ITEM_OK;
}

void itemi_phrases_free(itemi_phrases *phrases)
{
    if (!phrases)
        return;
    for (size_t i = 0; i < phrases->count; i++) {
        itemi_free(phrases->mem, phrases->items[i].text);
        itemi_free(phrases->mem, phrases->items[i].head);
    }
    itemi_free(phrases->mem, phrases->items);
    phrases->items = NULL;
    phrases->count = 0;
}
