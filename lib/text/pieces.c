/* SPDX-License-Identifier: Apache-2.0 */
/* Sorted strings: exact search, and search for the longest beginning. */
#include "text/pieces.h"

#include <stdlib.h>
#include <string.h>

static int compare_entries(const void *left, const void *right)
{
    const itemi_piece_entry *a = left, *b = right;
    size_t shorter = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->text, b->text, shorter);
    if (order == 0)
        order = (a->length > b->length) - (a->length < b->length);
    if (order == 0)
        order = (a->id > b->id) - (a->id < b->id);
    return order;
}

static bool same_text(const itemi_piece_entry *a, const itemi_piece_entry *b)
{
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

static void sort_entries(itemi_pieces *pieces)
{
    size_t kept = 0;
    itemi_piece_entry *e = pieces->entries;
    qsort(e, pieces->count, sizeof *e, compare_entries);
    for (size_t i = 0; i < pieces->count; i++) {
        if (i + 1 == pieces->count || !same_text(&e[i], &e[i + 1]))
            e[kept++] = e[i];
    }
    pieces->count = kept;
}

bool itemi_pieces_make(itemi_pieces *pieces, const itemi_mem *mem, const itemi_token_text *texts,
                       size_t count)
{
    size_t bytes = 1;
    for (size_t i = 0; i < count; i++)
        bytes += texts[i].length;
    *pieces = (itemi_pieces){.mem = mem, .count = count};
    pieces->text = itemi_alloc(mem, bytes);
    pieces->entries = itemi_alloc_array(mem, count ? count : 1, sizeof *pieces->entries);
    if (!pieces->text || !pieces->entries)
        return false;
    char *at = pieces->text;
    for (size_t i = 0; i < count; i++) {
        memcpy(at, texts[i].bytes, texts[i].length);
        pieces->entries[i] = (itemi_piece_entry){at, (uint32_t)texts[i].length, (int32_t)i};
        at += texts[i].length;
    }
    sort_entries(pieces);
    return true;
}

void itemi_pieces_free(itemi_pieces *pieces)
{
    itemi_free(pieces->mem, pieces->entries);
    itemi_free(pieces->mem, pieces->text);
}

/* The entries low..high-1 share `depth` bytes; narrows them to those that go on with `byte`. */
static void narrow(const itemi_pieces *pieces, size_t depth, unsigned char byte, size_t *low,
                   size_t *high)
{
    size_t bounds[2];
    for (int upper = 0; upper < 2; upper++) {
        size_t from = *low, to = *high;
        while (from < to) {
            size_t middle = from + (to - from) / 2;
            const itemi_piece_entry *e = &pieces->entries[middle];
            int next = e->length > depth ? (unsigned char)e->text[depth] : -1;
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

int32_t itemi_pieces_longest(const itemi_pieces *pieces, const char *prefix, const char *text,
                             size_t length, size_t *used)
{
    size_t low = 0, high = pieces->count, head = strlen(prefix);
    int32_t id = -1;
    for (size_t depth = 0; depth < head + length && low < high; depth++) {
        narrow(pieces, depth, (unsigned char)(depth < head ? prefix[depth] : text[depth - head]),
               &low, &high);
        if (low < high && pieces->entries[low].length == depth + 1 && depth >= head) {
            id = pieces->entries[low].id;
            *used = depth + 1 - head;
        }
    }
    return id;
}

int32_t itemi_pieces_find(const itemi_pieces *pieces, const char *text, size_t length)
{
    if (length > UINT32_MAX)
        return -1;
    const itemi_piece_entry wanted = {text, (uint32_t)length, INT32_MAX};
    size_t low = 0, high = pieces->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_entries(&pieces->entries[middle], &wanted) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low && same_text(&pieces->entries[low - 1], &wanted) ? pieces->entries[low - 1].id : -1;
}
