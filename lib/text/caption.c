/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens of captions. Hyphens and the endings of contractions ("'s", "n't")
 * are tokens of their own, because the tagger's training data has them so.
 */
#include "text/caption.h"

#include <string.h>

#include "text/unicode.h"

typedef enum { END, SPACE, LINE, LETTER, DIGIT, APOSTROPHE, MARK, SYMBOL, JOINER } char_kind;

/* Pictures and signs that the tables count as letters because they are not punctuation. */
static bool is_symbol(uint32_t code)
{
    return (code >= 0x2100 && code <= 0x214f) || (code >= 0x2190 && code <= 0x2bff) ||
           (code >= 0x1f000 && code <= 0x1faff) || (code >= 0xa2 && code <= 0xb6) ||
           code == 0x20ac || code == 0xd7 || code == 0xf7;
}

static char_kind kind_of_ascii(unsigned char byte)
{
    if (byte >= '0' && byte <= '9')
        return DIGIT;
    if ((byte | 32) >= 'a' && (byte | 32) <= 'z')
        return LETTER;
    if (byte == '\n' || byte == '\r')
        return LINE;
    if (byte <= ' ' || byte == 0x7f)
        return SPACE;
    return byte == '\'' ? APOSTROPHE : byte == '_' ? LETTER : MARK;
}

static char_kind kind_of_code(uint32_t code)
{
    if (code == 0x2019)
        return APOSTROPHE;
    if (is_symbol(code))
        return SYMBOL;
    switch (itemi_unicode_class(code)) {
    case ITEMI_UC_SPACE:
        return SPACE;
    case ITEMI_UC_PUNCT:
        return MARK;
    case ITEMI_UC_DROP:
    case ITEMI_UC_DROP_STARTER:
        return JOINER; /* accents, joiners, emoji variants: part of what stands before */
    default:
        return LETTER;
    }
}

/* Kind of the character at a place; *next receives the place after it. */
static char_kind look(const itemi_caption *caption, size_t at, size_t *next)
{
    uint32_t code;
    if (at >= caption->length) {
        *next = at;
        return END;
    }
    unsigned char byte = (unsigned char)caption->text[at];
    if (byte < 0x80) {
        *next = at + 1;
        return kind_of_ascii(byte);
    }
    *next = at + itemi_utf8_next(caption->text + at, &code);
    return kind_of_code(code);
}

static bool is_word(char_kind kind)
{
    return kind == LETTER || kind == DIGIT || kind == JOINER;
}

void itemi_caption_start(itemi_caption *caption, const char *text, size_t length)
{
    *caption = (itemi_caption){.text = text, .length = length};
}

/* Does the caption go on with this (lower-case) text, whatever its case? */
static bool goes_on(const itemi_caption *caption, size_t at, const char *text)
{
    for (; *text; text++, at++) {
        if (at >= caption->length)
            return false;
        unsigned char byte = (unsigned char)caption->text[at];
        if (byte >= 'A' && byte <= 'Z')
            byte |= 32;
        if (byte != (unsigned char)*text)
            return false;
    }
    return true;
}

/* End of a contraction's ending that begins with the apostrophe at `at`, or `at` if it is none. */
static size_t ending(const itemi_caption *caption, size_t at)
{
    static const char *const endings[] = {"s", "re", "ve", "ll", "d", "m"};
    size_t letters, next;
    if (look(caption, at, &letters) != APOSTROPHE)
        return at;
    for (size_t i = 0; i < ITEMI_COUNT(endings); i++) {
        size_t end = letters + strlen(endings[i]);
        if (goes_on(caption, letters, endings[i]) && !is_word(look(caption, end, &next)))
            return end;
    }
    return at;
}

/* Is this the "n" of "n't" at the end of a word? */
static bool is_negation(const itemi_caption *caption, size_t at)
{
    size_t next, after;
    if ((caption->text[at] | 32) != 'n' || look(caption, at + 1, &next) != APOSTROPHE)
        return false;
    return goes_on(caption, next, "t") && !is_word(look(caption, next + 1, &after));
}

/* Does the full stop at `at` belong to a word (U.S., example.org)? `letters` counts what stands
 * before it since the word's start or its last full stop. */
static bool is_inner_stop(const itemi_caption *caption, size_t at, size_t letters, bool dotted)
{
    size_t after;
    char_kind kind = look(caption, at + 1, &after);
    bool capital = kind == LETTER && caption->text[at + 1] >= 'A' && caption->text[at + 1] <= 'Z';
    if (kind == LETTER)
        return !capital || letters == 1;
    return dotted && letters == 1;
}

/* May the mark at `at` stand inside of a word? */
static bool is_inner_mark(const itemi_caption *caption, size_t at, size_t letters, bool digit,
                          bool dotted)
{
    size_t after;
    char mark = caption->text[at];
    if (digit && memchr(".,:", mark, 3) && look(caption, at + 1, &after) == DIGIT)
        return true;
    return mark == '.' && is_inner_stop(caption, at, letters, dotted);
}

/* End of a word or number; apostrophes, separators of digits and full stops may stand inside. */
static size_t word_end(const itemi_caption *caption, size_t at)
{
    size_t start = at, next, after, letters = 0;
    bool digit = false, dotted = false;
    for (;; at = next) {
        char_kind kind = look(caption, at, &next);
        if (is_word(kind)) {
            if (at > start && is_negation(caption, at))
                return at;
            digit = kind == DIGIT || (kind == JOINER && digit);
            letters++;
        } else if (kind == APOSTROPHE) {
            if (ending(caption, at) > at || !is_word(look(caption, next, &after)))
                return at;
            digit = false;
            letters = 2;
        } else if (kind == MARK && is_inner_mark(caption, at, letters, digit, dotted)) {
            dotted = true;
            letters = 0;
        } else {
            return at;
        }
    }
}

static size_t run_end(const itemi_caption *caption, size_t at, bool (*belongs)(char_kind))
{
    size_t next;
    while (belongs(look(caption, at, &next)))
        at = next;
    return at;
}

static bool is_visible(char_kind kind)
{
    return kind != END && kind != SPACE && kind != LINE;
}

static bool is_picture(char_kind kind)
{
    return kind == SYMBOL || kind == JOINER;
}

static bool is_link(const itemi_caption *caption, size_t at)
{
    return goes_on(caption, at, "http://") || goes_on(caption, at, "https://") ||
           goes_on(caption, at, "www.");
}

static void read_word(const itemi_caption *caption, itemi_token *token, char_kind kind)
{
    if (is_link(caption, token->start)) {
        token->kind = ITEMI_TOKEN_LINK;
        token->end = (uint32_t)run_end(caption, token->start, is_visible);
        return;
    }
    token->kind = kind == DIGIT ? ITEMI_TOKEN_NUMBER : ITEMI_TOKEN_WORD;
    token->end = (uint32_t)word_end(caption, token->start);
}

/* Does a space stand on both sides? Such a dash or bar parts a title: "Bed Sheets - Queen Size". */
static bool is_separator(const itemi_caption *caption, size_t at, size_t next)
{
    size_t after;
    return at > 0 && caption->text[at - 1] == ' ' && look(caption, next, &after) == SPACE &&
           (next - at > 1 || memchr("-|/~", caption->text[at], 4));
}

static void read_mark(const itemi_caption *caption, itemi_token *token, size_t next)
{
    const char *mark = caption->text + token->start;
    size_t size = next - token->start, after;
    bool tag = size == 1 && (*mark == '#' || *mark == '@');
    if (tag && is_word(look(caption, next, &after))) {
        token->kind = *mark == '#' ? ITEMI_TOKEN_HASHTAG : ITEMI_TOKEN_MENTION;
        token->end = (uint32_t)run_end(caption, next, is_word);
        return;
    }
    while (caption->length - next >= size && memcmp(caption->text + next, mark, size) == 0)
        next += size;
    bool stop =
        (size == 1 && memchr(".!?;", *mark, 4)) || is_separator(caption, token->start, next);
    token->kind = stop ? ITEMI_TOKEN_STOP : ITEMI_TOKEN_PUNCT;
    token->end = (uint32_t)next;
}

bool itemi_caption_next(itemi_caption *caption, itemi_token *token)
{
    size_t next, at = caption->at;
    char_kind kind;
    while ((kind = look(caption, at, &next)) == SPACE || kind == JOINER)
        at = next;
    token->start = token->end = (uint32_t)at;
    switch (kind) {
    case END:
        caption->at = at;
        return false;
    case LINE:
        token->kind = ITEMI_TOKEN_STOP;
        token->end = (uint32_t)next;
        break;
    case SYMBOL:
        token->kind = ITEMI_TOKEN_SYMBOL;
        token->end = (uint32_t)run_end(caption, next, is_picture);
        break;
    case APOSTROPHE:
        token->kind = ITEMI_TOKEN_PUNCT;
        if (at > 0 && ending(caption, at) > at) {
            token->kind = ITEMI_TOKEN_WORD;
            next = ending(caption, at);
        }
        token->end = (uint32_t)next;
        break;
    case MARK:
        read_mark(caption, token, next);
        break;
    default:
        read_word(caption, token, kind);
    }
    caption->at = token->end;
    return true;
}
