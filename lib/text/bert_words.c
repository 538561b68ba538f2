/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Normalises and splits text as BertNormalizer and BertPreTokenizer of the
 * reference do: controls removed, accents stripped after canonical
 * decomposition, lower case, spaces dropped, each punctuation mark and Chinese
 * character a word of its own.
 */
#include "text/bert_words.h"

#include "text/unicode.h"

void itemi_bert_words_start(itemi_bert_words *words, const char *text, size_t length)
{
    words->at = text;
    words->end = text + length;
    words->pending_count = 0;
    words->held = false;
}

static void decompose_hangul(itemi_bert_words *words, uint32_t code)
{
    uint32_t index = code - 0xac00;
    words->jamo[0] = 0x1100 + index / 588;
    words->jamo[1] = 0x1161 + index % 588 / 28;
    words->jamo[2] = 0x11a7 + index % 28;
    words->pending = words->jamo;
    words->pending_count = index % 28 ? 3 : 2;
}

/* What a mapping gives is final: only its spaces, punctuation and marks count. */
static unsigned class_of_mapped(uint32_t code)
{
    unsigned kind = itemi_unicode_class(code);
    bool counts = kind == ITEMI_UC_SPACE || kind == ITEMI_UC_PUNCT || kind >= ITEMI_UC_MARK;
    return counts ? kind : ITEMI_UC_KEEP;
}

/* Reads one code point of the normalised text; false at the end. */
static bool next_code(itemi_bert_words *words, uint32_t *code, unsigned *kind)
{
    if (words->held) {
        words->held = false;
        *code = words->held_code;
        *kind = words->held_kind;
        return true;
    }
    while (words->pending_count == 0) {
        if (words->at == words->end)
            return false;
        words->at += itemi_utf8_next(words->at, code);
        *kind = itemi_unicode_class(*code);
        if (*kind == ITEMI_UC_MAP)
            words->pending_count = itemi_unicode_map(*code, &words->pending);
        else if (*kind == ITEMI_UC_HANGUL)
            decompose_hangul(words, *code);
        else
            return true;
    }
    *code = *words->pending++;
    words->pending_count--;
    *kind = class_of_mapped(*code);
    return true;
}

/* Appends a code point; a mark goes before those of a higher combining class. */
static void append(itemi_bert_words *words, uint32_t code, unsigned rank)
{
    size_t at = words->count;
    if (at == ITEMI_BERT_WORD_CHARS) {
        words->too_long = true;
        return;
    }
    for (; rank && at > words->floor && words->ranks[at - 1] > rank; at--) {
        words->codes[at] = words->codes[at - 1];
        words->ranks[at] = words->ranks[at - 1];
    }
    words->codes[at] = code;
    words->ranks[at] = (unsigned char)rank;
    words->count++;
    if (rank == 0)
        words->floor = words->count;
}

static bool finish(itemi_bert_words *words)
{
    words->length = 0;
    for (size_t i = 0; i < words->count; i++)
        words->length += itemi_utf8_put(words->text + words->length, words->codes[i]);
    return words->count > 0;
}

/* Punctuation and Chinese characters stand alone. */
static bool stands_alone(unsigned kind)
{
    return kind == ITEMI_UC_PUNCT || kind == ITEMI_UC_CJK;
}

/* Ends a word before `code`, which the next call reads again. */
static bool finish_before(itemi_bert_words *words, uint32_t code, unsigned kind)
{
    words->held = true;
    words->held_code = code;
    words->held_kind = kind;
    return finish(words);
}

bool itemi_bert_words_next(itemi_bert_words *words)
{
    uint32_t code;
    unsigned kind;

    words->count = words->floor = 0;
    words->too_long = false;
    while (next_code(words, &code, &kind)) {
        if (kind == ITEMI_UC_SPACE) {
            if (words->count > 0)
                return finish(words);
        } else if (stands_alone(kind)) {
            if (words->count > 0)
                return finish_before(words, code, kind);
            append(words, code, 0);
            return finish(words);
        } else if (kind == ITEMI_UC_DROP_STARTER) {
            words->floor = words->count;
        } else if (kind != ITEMI_UC_DROP) {
            append(words, code, kind >= ITEMI_UC_MARK ? kind - ITEMI_UC_MARK + 1 : 0);
        }
    }
    return finish(words);
}
