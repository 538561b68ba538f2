/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WordPiece of BERT: the longest piece of the vocabulary that begins a word,
 * then the longest "##" piece that goes on, and [UNK] for a word that cannot be
 * made of pieces. The vocabulary is a sorted array: reading a word byte by byte
 * narrows a range of it, so no input makes a search long.
 */
#include <stdlib.h>
#include <string.h>

#include "text/bert_words.h"
#include "text/text.h"

#define PIECES_MAX 1000000 /* the largest published ones have a quarter of that */

typedef struct {
    const char *text; /* within the copy of the vocabulary */
    uint32_t length;
    int32_t id;
} piece;

enum { UNK, CLS, SEP, PAD, MASK, SPECIALS };
static const char *const special_names[SPECIALS] = {"[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"};

struct itemi_wordpiece {
    const itemi_mem *mem;
    char *text;
    piece *pieces; /* sorted by bytes; of equal ones the last line alone is kept */
    size_t count;
    int32_t special[SPECIALS]; /* -1: not in the vocabulary */
};

/* ---- vocabulary ---- */

static int compare_pieces(const void *left, const void *right)
{
    const piece *a = left, *b = right;
    size_t shorter = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->text, b->text, shorter);
    if (order == 0)
        order = (a->length > b->length) - (a->length < b->length);
    if (order == 0)
        order = (a->id > b->id) - (a->id < b->id);
    return order;
}

static bool same_text(const piece *a, const piece *b)
{
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

/* The reference's reader drops white space at the end of a line. */
static uint32_t trimmed(const char *line, size_t length)
{
    while (length > 0 &&
           (line[length - 1] == ' ' || (line[length - 1] >= '\t' && line[length - 1] <= '\r')))
        length--;
    return (uint32_t)length;
}

static size_t count_lines(const char *text, size_t length)
{
    size_t lines = 0;
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    return lines + (length > 0 && text[length - 1] != '\n');
}

static void split_lines(itemi_wordpiece *wp, size_t length)
{
    const char *line = wp->text, *end = wp->text + length;
    for (size_t i = 0; i < wp->count; i++) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        if (!stop)
            stop = end;
        wp->pieces[i] = (piece){line, trimmed(line, (size_t)(stop - line)), (int32_t)i};
        line = stop + 1;
    }
}

static void sort_pieces(itemi_wordpiece *wp)
{
    size_t kept = 0;
    qsort(wp->pieces, wp->count, sizeof *wp->pieces, compare_pieces);
    for (size_t i = 0; i < wp->count; i++) {
        if (i + 1 == wp->count || !same_text(&wp->pieces[i], &wp->pieces[i + 1]))
            wp->pieces[kept++] = wp->pieces[i];
    }
    wp->count = kept;
}

/* The pieces low..high-1 share `depth` bytes; narrows them to those that go on with `byte`. */
static void narrow(const itemi_wordpiece *wp, size_t depth, unsigned char byte, size_t *low,
                   size_t *high)
{
    size_t bounds[2];
    for (int upper = 0; upper < 2; upper++) {
        size_t from = *low, to = *high;
        while (from < to) {
            size_t middle = from + (to - from) / 2;
            const piece *p = &wp->pieces[middle];
            int next = p->length > depth ? (unsigned char)p->text[depth] : -1;
            if (upper ? next <= byte : next < byte)
                from = middle + 1;
            else
                to = middle;
        }
        bounds[upper] = from;
    }
    *low = bounds[0];
    *high = bounds[1];
}

/* Id of the longest piece that begins prefix + text, -1 if none; *used counts bytes of text. */
static int32_t longest(const itemi_wordpiece *wp, const char *prefix, const char *text,
                       size_t length, size_t *used)
{
    size_t low = 0, high = wp->count, head = strlen(prefix);
    int32_t id = -1;
    for (size_t depth = 0; depth < head + length && low < high; depth++) {
        narrow(wp, depth, (unsigned char)(depth < head ? prefix[depth] : text[depth - head]), &low,
               &high);
        if (low < high && wp->pieces[low].length == depth + 1 && depth >= head) {
            id = wp->pieces[low].id;
            *used = depth + 1 - head;
        }
    }
    return id;
}

static item_status find_specials(itemi_wordpiece *wp, item_error *err)
{
    for (int i = 0; i < SPECIALS; i++) {
        size_t used = 0, length = strlen(special_names[i]);
        int32_t id = longest(wp, "", special_names[i], length, &used);
        wp->special[i] = used == length ? id : -1;
        if (wp->special[i] < 0 && i <= SEP)
            return itemi_fail(err, ITEM_E_FORMAT, "vocabulary: the piece %s is missing",
                              special_names[i]);
    }
    return ITEM_OK;
}

static item_status read_vocabulary(itemi_wordpiece *wp, const char *vocab, size_t length,
                                   item_error *err)
{
    size_t valid = itemi_utf8_valid(vocab, length);
    if (valid != length)
        return itemi_fail(err, ITEM_E_FORMAT, "vocabulary: byte %zu is not UTF-8", valid);
    if (length == 0)
        return itemi_fail(err, ITEM_E_FORMAT, "vocabulary: empty");
    const char *nul = memchr(vocab, '\0', length);
    if (nul)
        return itemi_fail(err, ITEM_E_FORMAT, "vocabulary: byte %zu is NUL", (size_t)(nul - vocab));
    wp->count = count_lines(vocab, length);
    if (wp->count > PIECES_MAX)
        return itemi_fail(err, ITEM_E_LIMIT, "vocabulary: %zu pieces, the limit is %d", wp->count,
                          PIECES_MAX);
    wp->text = itemi_strndup(wp->mem, vocab, length);
    wp->pieces = itemi_alloc_array(wp->mem, wp->count, sizeof *wp->pieces);
    if (!wp->text || !wp->pieces)
        return itemi_fail_memory(err, "reading a vocabulary");
    split_lines(wp, length);
    sort_pieces(wp);
    return find_specials(wp, err);
}

item_status itemi_wordpiece_open(const itemi_mem *mem, const char *vocab, size_t length,
                                 itemi_wordpiece **out, item_error *err)
{
    *out = NULL;
    itemi_wordpiece *wp = itemi_alloc_zero(mem, 1, sizeof *wp);
    if (!wp)
        return itemi_fail_memory(err, "reading a vocabulary");
    wp->mem = mem;
    item_status status = read_vocabulary(wp, vocab, length, err);
    if (status != ITEM_OK)
        itemi_wordpiece_free(wp);
    else
        *out = wp;
    return status;
}

void itemi_wordpiece_free(itemi_wordpiece *wp)
{
    if (!wp)
        return;
    itemi_free(wp->mem, wp->pieces);
    itemi_free(wp->mem, wp->text);
    itemi_free(wp->mem, wp);
}

/* ---- encoding ---- */

typedef struct {
    int32_t *ids;
    size_t capacity, count, limit;
} sink;

static void put(sink *out, int32_t id)
{
    if (out->count < out->limit) {
        if (out->count < out->capacity)
            out->ids[out->count] = id;
        out->count++;
    }
}

static void encode_word(const itemi_wordpiece *wp, const itemi_bert_words *word, sink *out)
{
    int32_t ids[ITEMI_BERT_WORD_CHARS];
    size_t count = 0, at = 0;
    while (!word->too_long && at < word->length) {
        size_t used = 0;
        ids[count] = longest(wp, at ? "##" : "", word->text + at, word->length - at, &used);
        if (ids[count] < 0)
            break;
        count++;
        at += used;
    }
    if (word->too_long || at < word->length) {
        put(out, wp->special[UNK]);
        return;
    }
    for (size_t i = 0; i < count; i++)
        put(out, ids[i]);
}

static void encode_plain(const itemi_wordpiece *wp, const char *text, size_t length, sink *out)
{
    itemi_bert_words words;
    itemi_bert_words_start(&words, text, length);
    while (out->count < out->limit && itemi_bert_words_next(&words))
        encode_word(wp, &words, out);
}

/* Id of the special token that the text begins with, -1 if none. */
static int32_t special_at(const itemi_wordpiece *wp, const char *text, size_t *length)
{
    for (int i = 0; i < SPECIALS; i++) {
        *length = strlen(special_names[i]);
        if (wp->special[i] >= 0 && strncmp(text, special_names[i], *length) == 0)
            return wp->special[i];
    }
    return -1;
}

/* Special tokens written out in the text count as such, as in the reference. */
static void encode_text(const itemi_wordpiece *wp, const char *text, size_t length, sink *out)
{
    const char *start = text, *end = text + length, *at = text;
    while (out->count < out->limit && (at = memchr(at, '[', (size_t)(end - at))) != NULL) {
        size_t skip;
        int32_t id = special_at(wp, at, &skip);
        if (id < 0) {
            at++;
            continue;
        }
        encode_plain(wp, start, (size_t)(at - start), out);
        put(out, id);
        start = at += skip;
    }
    encode_plain(wp, start, (size_t)(end - start), out);
}

item_status itemi_wordpiece_encode(const itemi_wordpiece *wp, const char *text, size_t limit,
                                   int32_t *ids, size_t capacity, size_t *count, item_error *err)
{
    *count = 0;
    if (limit < 2)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "a limit of %zu ids leaves no room for [CLS] and [SEP]", limit);
    size_t length = strlen(text), valid = itemi_utf8_valid(text, length);
    if (valid != length)
        return itemi_fail(err, ITEM_E_FORMAT, "text: byte %zu is not UTF-8", valid);

    sink out = {.ids = ids, .capacity = capacity, .limit = limit - 1};
    put(&out, wp->special[CLS]);
    encode_text(wp, text, length, &out);
    out.limit = limit;
    put(&out, wp->special[SEP]);
    *count = out.count;
    return ITEM_OK;
}
