/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte-pair encoding. A word begins as one symbol a byte; of all neighbours the pair whose merge
 * stands first in the list becomes one, the leftmost of equals first, until none is left. The
 * candidates lie in a heap, so the time for a word grows with n log n.
 */
#include "text/bpe.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    uint64_t pair; /* two ids */
    uint32_t rank;
    int32_t id; /* what they become */
} merge;

struct itemi_bpe {
    const itemi_mem *mem;
    int32_t bytes[2][256]; /* id of a byte within a word, and of one that ends it; -1: no piece */
    int32_t unknown;
    merge *merges; /* sorted by pair; of equal pairs the one with the highest rank alone */
    size_t count;
};

typedef struct itemi_bpe_symbol {
    int32_t id;          /* -1: became part of a symbol before it */
    uint32_t prev, next; /* places; NOWHERE at the ends */
} symbol;

typedef struct itemi_bpe_merge {
    uint32_t rank, place;
    int32_t id;
} candidate;

#define NOWHERE UINT32_MAX

/* ---- opening ---- */

uint32_t itemi_byte_character(unsigned char b)
{
    if (b > 32 && b < 127)
        return b;
    if (b > 160)
        return b == 173 ? 256 + 67 : b;
    return b <= 32 ? 256u + b : 256u + 33u + (b - 127u);
}

static void find_bytes(itemi_bpe *bpe, const itemi_pieces *vocabulary)
{
    for (unsigned b = 0; b < 256; b++) {
        char text[4 + sizeof ITEMI_BPE_END];
        size_t length = itemi_utf8_put(text, itemi_byte_character((unsigned char)b));
        bpe->bytes[0][b] = itemi_pieces_find(vocabulary, text, length);
        memcpy(text + length, ITEMI_BPE_END, strlen(ITEMI_BPE_END));
        bpe->bytes[1][b] = itemi_pieces_find(vocabulary, text, length + strlen(ITEMI_BPE_END));
    }
}

static uint64_t pair_of(int32_t left, int32_t right)
{
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

static int32_t find_piece(const itemi_pieces *vocabulary, const itemi_token_text *text,
                          const char *name, size_t line, item_error *err)
{
    int32_t id = itemi_pieces_find(vocabulary, text->bytes, text->length);
    if (id < 0)
        itemi_fail(err, ITEM_E_FORMAT,
                   "%s: merge %zu names \"%.*s\", which is not in the vocabulary", name, line,
                   text->length < 40 ? (int)text->length : 40, text->bytes);
    return id;
}

/* The piece that a merge makes, looked up through `joined`. */
static item_status find_merge(const itemi_pieces *vocabulary, const itemi_token_text *two,
                              const char *name, size_t line, itemi_buf *joined, merge *out,
                              item_error *err)
{
    joined->length = 0;
    itemi_buf_add(joined, two[0].bytes, two[0].length);
    itemi_buf_add(joined, two[1].bytes, two[1].length);
    if (joined->failed)
        return itemi_fail_memory(err, "reading merges");
    int32_t left = find_piece(vocabulary, &two[0], name, line, err);
    int32_t right = left < 0 ? -1 : find_piece(vocabulary, &two[1], name, line, err);
    const itemi_token_text both = {joined->data ? joined->data : "", joined->length};
    out->id = right < 0 ? -1 : find_piece(vocabulary, &both, name, line, err);
    out->pair = pair_of(left, right);
    out->rank = (uint32_t)(line - 1);
    return out->id < 0 ? ITEM_E_FORMAT : ITEM_OK;
}

static int compare_merges(const void *left, const void *right)
{
    const merge *a = left, *b = right;
    if (a->pair != b->pair)
        return a->pair < b->pair ? -1 : 1;
    return (a->rank > b->rank) - (a->rank < b->rank);
}

static item_status read_merges(itemi_bpe *bpe, const itemi_pieces *vocabulary,
                               const itemi_tokenizer_parts *parts, item_error *err)
{
    const size_t count = parts->merge_count;
    bpe->merges = itemi_alloc_array(bpe->mem, count ? count : 1, sizeof *bpe->merges);
    if (!bpe->merges)
        return itemi_fail_memory(err, "reading merges");
    itemi_buf joined;
    itemi_buf_init(&joined, bpe->mem);
    item_status status = ITEM_OK;
    for (size_t i = 0; i < count && status == ITEM_OK; i++)
        status = find_merge(vocabulary, parts->merges + 2 * i, parts->merges_name, i + 1, &joined,
                            &bpe->merges[i], err);
    itemi_buf_free(&joined);
    if (status != ITEM_OK)
        return status;
    qsort(bpe->merges, count, sizeof *bpe->merges, compare_merges);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count || bpe->merges[i].pair != bpe->merges[i + 1].pair)
            bpe->merges[bpe->count++] = bpe->merges[i];
    }
    return ITEM_OK;
}

item_status itemi_bpe_open(const itemi_mem *mem, const itemi_pieces *vocabulary,
                           const itemi_tokenizer_parts *parts, int32_t unknown, itemi_bpe **out,
                           item_error *err)
{
    *out = NULL;
    itemi_bpe *bpe = itemi_alloc_zero(mem, 1, sizeof *bpe);
    if (!bpe)
        return itemi_fail_memory(err, "reading merges");
    bpe->mem = mem;
    bpe->unknown = unknown;
    find_bytes(bpe, vocabulary);
    item_status status = read_merges(bpe, vocabulary, parts, err);
    if (status != ITEM_OK)
        itemi_bpe_free(bpe);
    else
        *out = bpe;
    return status;
}

void itemi_bpe_free(itemi_bpe *bpe)
{
    if (!bpe)
        return;
    itemi_free(bpe->mem, bpe->merges);
    itemi_free(bpe->mem, bpe);
}

/* ---- a heap of candidates: the lowest rank first, of equals the leftmost ---- */

static bool before(const candidate *a, const candidate *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->place < b->place;
}

static void push(itemi_bpe_scratch *s, candidate c)
{
    size_t at = s->heap_count++;
    for (; at > 0 && before(&c, &s->heap[(at - 1) / 2]); at = (at - 1) / 2)
        s->heap[at] = s->heap[(at - 1) / 2];
    s->heap[at] = c;
}

static candidate pop(itemi_bpe_scratch *s)
{
    const candidate top = s->heap[0], last = s->heap[--s->heap_count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < s->heap_count; at = child) {
        if (child + 1 < s->heap_count && before(&s->heap[child + 1], &s->heap[child]))
            child++;
        if (!before(&s->heap[child], &last))
            break;
        s->heap[at] = s->heap[child];
    }
    s->heap[at] = last;
    return top;
}

/* ---- a word ---- */

void itemi_bpe_scratch_free(itemi_bpe_scratch *scratch)
{
    itemi_free(scratch->mem, scratch->symbols);
    itemi_free(scratch->mem, scratch->heap);
}

static bool reserve(itemi_bpe_scratch *s, size_t length)
{
    if (length <= s->capacity)
        return true;
    if (length >= NOWHERE / 3)
        return false;
    const size_t capacity = length < 64 ? 64 : length;
    itemi_bpe_scratch_free(s);
    s->capacity = 0;
    s->symbols = itemi_alloc_array(s->mem, capacity, sizeof *s->symbols);
    /* each neighbour at first, and two more for each merge */
    s->heap = itemi_alloc_array(s->mem, capacity * 3, sizeof *s->heap);
    if (!s->symbols || !s->heap)
        return false;
    s->capacity = capacity;
    return true;
}

static const merge *find(const itemi_bpe *bpe, int32_t left, int32_t right)
{
    const uint64_t pair = pair_of(left, right);
    size_t low = 0, high = bpe->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (bpe->merges[middle].pair == pair)
            return &bpe->merges[middle];
        if (bpe->merges[middle].pair < pair)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Adds the merge of a symbol and the next one, if there is any. */
static void consider(const itemi_bpe *bpe, itemi_bpe_scratch *s, uint32_t place)
{
    if (place == NOWHERE || s->symbols[place].next == NOWHERE)
        return;
    const merge *m = find(bpe, s->symbols[place].id, s->symbols[s->symbols[place].next].id);
    if (m)
        push(s, (candidate){m->rank, place, m->id});
}

static void merge_at(const itemi_bpe *bpe, itemi_bpe_scratch *s, const candidate *c)
{
    symbol *left = &s->symbols[c->place];
    if (left->id < 0 || left->next == NOWHERE)
        return;
    symbol *right = &s->symbols[left->next];
    const merge *m = find(bpe, left->id, right->id);
    if (!m || m->id != c->id) /* one of the two is another symbol by now */
        return;
    left->id = c->id;
    left->next = right->next;
    right->id = -1;
    if (left->next != NOWHERE)
        s->symbols[left->next].prev = c->place;
    consider(bpe, s, left->prev);
    consider(bpe, s, c->place);
}

bool itemi_bpe_word(const itemi_bpe *bpe, const char *word, size_t length,
                    itemi_bpe_scratch *scratch, void (*put)(void *user, int32_t id), void *user)
{
    if (!reserve(scratch, length))
        return false;
    const uint32_t count = (uint32_t)length;
    for (uint32_t i = 0; i < count; i++) {
        const int32_t id = bpe->bytes[i + 1 == count][(unsigned char)word[i]];
        scratch->symbols[i] = (symbol){id < 0 ? bpe->unknown : id, i ? i - 1 : NOWHERE,
                                       i + 1 < count ? i + 1 : NOWHERE};
    }
    scratch->heap_count = 0;
    for (uint32_t i = 0; i < count; i++)
        consider(bpe, scratch, i);
    while (scratch->heap_count) {
        const candidate c = pop(scratch);
        merge_at(bpe, scratch, &c);
    }
    for (uint32_t i = 0; i != NOWHERE; i = scratch->symbols[i].next)
        put(user, scratch->symbols[i].id);
    return true;
}
