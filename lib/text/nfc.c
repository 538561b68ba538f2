/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical decomposition, order and composition (UAX 15), with the tables of the reference. */
#include "text/nfc.h"

#include <string.h>

#include "text/clip_tables.h"
#include "text/unicode.h"

/* Hangul syllables are computed from their first, middle and last parts; none need be taken apart
 * to be composed again. */
enum {
    S_FIRST = 0xac00,
    L_FIRST = 0x1100,
    V_FIRST = 0x1161,
    T_BEFORE = 0x11a7, /* no last part counts as one */
    L_COUNT = 19,
    V_COUNT = 21,
    T_COUNT = 28,
    S_COUNT = L_COUNT * V_COUNT * T_COUNT
};

void itemi_cluster_init(itemi_cluster *cluster, const itemi_mem *mem)
{
    *cluster = (itemi_cluster){.mem = mem};
}

void itemi_cluster_free(itemi_cluster *cluster)
{
    itemi_free(cluster->mem, cluster->codes);
    itemi_free(cluster->mem, cluster->classes);
}

/* ---- decomposition ---- */

static unsigned char class_of(uint32_t code)
{
    uint32_t low = 0, high = itemi_nfc_mark_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        const uint32_t *row = itemi_nfc_marks + (size_t)middle * 3;
        if (code < row[0])
            high = middle;
        else if (code > row[1])
            low = middle + 1;
        else
            return (unsigned char)row[2];
    }
    return 0;
}

static bool grow(itemi_cluster *c)
{
    size_t capacity = c->capacity ? c->capacity * 2 : 16;
    uint32_t *codes = itemi_resize_array(c->mem, c->codes, capacity, sizeof *codes);
    if (!codes)
        return false;
    c->codes = codes;
    unsigned char *classes = itemi_resize_array(c->mem, c->classes, capacity, sizeof *classes);
    if (!classes)
        return false;
    c->classes = classes;
    c->capacity = capacity;
    return true;
}

static bool put(itemi_cluster *c, uint32_t code, unsigned char class)
{
    if (c->count == c->capacity && !grow(c))
        return false;
    c->codes[c->count] = code;
    c->classes[c->count++] = class;
    return true;
}

bool itemi_cluster_add(itemi_cluster *cluster, uint32_t code)
{
    if (!(itemi_unicode_nibble(itemi_clip_index, itemi_clip_blocks, code) & ITEMI_CLIP_NORMAL))
        return put(cluster, code, 0);
    const itemi_unicode_mapping nfd = {itemi_nfd_keys, itemi_nfd_starts, itemi_nfd_pool,
                                       itemi_nfd_count};
    const uint32_t *parts;
    unsigned count = itemi_unicode_find(&nfd, code, &parts);
    if (count == 0)
        return put(cluster, code, class_of(code));
    for (unsigned i = 0; i < count; i++) {
        if (!put(cluster, parts[i], class_of(parts[i])))
            return false;
    }
    return true;
}

/* ---- order ---- */

/*
 * Sorts marks by class, equal ones in the order given: one pass for each class that there is, so
 * that a million marks on one letter take no longer than on many.
 */
static bool sort_marks(itemi_cluster *c, size_t from, size_t to)
{
    size_t count = to - from, done = 0;
    uint32_t *codes = itemi_alloc_array(c->mem, count, sizeof *codes);
    unsigned char *classes = itemi_alloc_array(c->mem, count, sizeof *classes);
    bool room = codes && classes;
    for (unsigned wanted = 1; room && done < count; wanted++) {
        for (size_t i = from; i < to; i++) {
            if (c->classes[i] == wanted) {
                codes[done] = c->codes[i];
                classes[done++] = c->classes[i];
            }
        }
    }
    if (room) {
        memcpy(c->codes + from, codes, count * sizeof *codes);
        memcpy(c->classes + from, classes, count);
    }
    itemi_free(c->mem, codes);
    itemi_free(c->mem, classes);
    return room;
}

static bool order(itemi_cluster *c)
{
    for (size_t from = 0, to; from < c->count; from = to + 1) {
        bool sorted = true;
        for (to = from; to < c->count && c->classes[to]; to++)
            sorted &= to == from || c->classes[to - 1] <= c->classes[to];
        if (!sorted && !sort_marks(c, from, to))
            return false;
    }
    return true;
}

/* ---- composition ---- */

/* 0: the two do not compose. */
static uint32_t composite(uint32_t first, uint32_t second)
{
    if (first - L_FIRST < L_COUNT && second - V_FIRST < V_COUNT)
        return S_FIRST + ((first - L_FIRST) * V_COUNT + second - V_FIRST) * T_COUNT;
    if (first - S_FIRST < S_COUNT && (first - S_FIRST) % T_COUNT == 0 && second > T_BEFORE &&
        second < T_BEFORE + T_COUNT)
        return first + second - T_BEFORE;
    uint32_t low = 0, high = itemi_nfc_pair_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        const uint32_t *row = itemi_nfc_pairs + (size_t)middle * 3;
        if (row[0] == first && row[1] == second)
            return row[2];
        if (row[0] < first || (row[0] == first && row[1] < second))
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

bool itemi_cluster_compose(itemi_cluster *cluster)
{
    if (!order(cluster))
        return false;
    size_t kept = 0, starter = SIZE_MAX;
    unsigned last = 0; /* class of the code point before, if that is no starter */
    for (size_t i = 0; i < cluster->count; i++) {
        const uint32_t code = cluster->codes[i];
        const unsigned char class = cluster->classes[i];
        uint32_t joined = 0;
        if (starter != SIZE_MAX && (last == 0 || last < class))
            joined = composite(cluster->codes[starter], code);
        if (joined) {
            cluster->codes[starter] = joined;
            continue;
        }
        if (class == 0)
            starter = kept;
        last = class;
        cluster->codes[kept] = code;
        cluster->classes[kept++] = class;
    }
    cluster->count = kept;
    return true;
}
