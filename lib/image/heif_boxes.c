/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boxes of a HEIC or AVIF: where a C2PA manifest stands, and what libheif must not be given. libheif
 * 1.15 follows items that are parts of themselves until the stack ends, ends the process where a part
 * is no picture, decodes a part as often as it is named, and reads metadata that overlap as often as
 * they do, so that a small file could take any time and memory.
 */
#include <inttypes.h>
#include <string.h>

#include "image/boxes.h"
#include "image/decode.h"

#define BOXES_MAX 1000 /* beside each other; at the top a picture has about five */

/* Whole picture, its grid, a tile, the tile's alpha plane; and one more. */
#define LEVELS_MAX 5
/* Parts that are named again. A grid names each tile once; an odd file may have a few. */
#define AGAIN_MAX 4
/* Tiles that are equal may lie in the file but once: some hundred bytes for each. */
#define OVERLAP_MAX (UINT64_C(256) << 10)

/* ---- C2PA ---- */

/*
 * A box of its own at the top: UUID, version and flags, purpose, an offset, the store. Where a
 * manifest was updated there are two, of which the first, the original, tells of the picture.
 */
static void take_uuid(itemi_metadata *m, itemi_span box)
{
    static const uint8_t uuid[] = {0xd8, 0xfe, 0xc3, 0xd6, 0x1b, 0x0e, 0x48, 0x3c,
                                   0x92, 0x97, 0x58, 0x28, 0x87, 0x7e, 0xc4, 0x81};
    static const char *const purposes[] = {"manifest", "original", "update"};
    if (box.left < sizeof uuid + 4 || memcmp(box.at, uuid, sizeof uuid) != 0)
        return;
    box = (itemi_span){box.at + sizeof uuid + 4, box.left - sizeof uuid - 4};
    for (size_t i = 0; i < ITEMI_COUNT(purposes); i++) {
        const size_t length = strlen(purposes[i]) + 1, head = length + 8;
        if (box.left > head && memcmp(box.at, purposes[i], length) == 0)
            itemi_metadata_c2pa(m, "HEIF uuid", box.at + head, box.left - head);
    }
}

void itemi_heif_metadata(itemi_metadata *metadata, const uint8_t *bytes, size_t size)
{
    *metadata = (itemi_metadata){0};
    itemi_span file = {bytes, size}, box;
    char type[4];
    for (int boxes = 0; boxes < BOXES_MAX && itemi_next_box(&file, type, &box); boxes++) {
        if (memcmp(type, "uuid", 4) == 0)
            take_uuid(metadata, box);
    }
}

/* ---- items ---- */

/* Items by number; numbers beyond 65,535 share the places of others, which may refuse too much. */
typedef struct items {
    uint8_t bits[65536 / 8];
} items;

static bool has(const items *set, uint64_t item)
{
    return set->bits[(item & 0xffff) / 8] & 1u << (item & 7);
}

static void add(items *set, uint64_t item)
{
    set->bits[(item & 0xffff) / 8] |= (uint8_t)(1u << (item & 7));
}

/* What the table of where items lie says. */
typedef struct places {
    uint64_t total; /* bytes of all items together */
    bool odd;       /* libheif would read another table than this */
    bool cut;       /* the file ends before an item does */
} places;

static void add_place(places *p, uint64_t at, uint64_t length, size_t size)
{
    p->cut |= at > size || length > size - at;
    p->odd |= __builtin_add_overflow(p->total, length, &p->total);
}

static places read_places(itemi_span table, size_t size)
{
    places p = {0};
    const uint64_t version = itemi_take(&table, 4) >> 24, sizes = itemi_take(&table, 2);
    const unsigned offset = sizes >> 12 & 15, length = sizes >> 8 & 15, base = sizes >> 4 & 15;
    const unsigned index = version > 0 ? sizes & 15 : 0, number = version < 2 ? 2 : 4;
    /* libheif takes a number of any other size for none */
    p.odd =
        ((offset | length | base | index) & 3) || offset > 8 || length > 8 || base > 8 || index > 8;
    for (uint64_t count = itemi_take(&table, number); count && table.left && !p.odd; count--) {
        (void)itemi_take(&table, number);
        const bool in_file = version == 0 || (itemi_take(&table, 2) & 15) == 0;
        (void)itemi_take(&table, 2);
        const uint64_t from = itemi_take(&table, base);
        uint64_t parts = itemi_take(&table, 2);
        for (; length && parts && table.left; parts--) {
            (void)itemi_take(&table, index);
            const uint64_t at = itemi_take(&table, offset);
            add_place(&p, in_file ? from + at : 0, itemi_take(&table, length), size);
        }
    }
    return p;
}

/* Notes which items are pictures, by what this libheif takes for one, and which are something else. */
static void find_pictures(itemi_span table, items *pictures, items *others)
{
    static const char kinds[] = "hvc1av01gridideniovl";
    const uint64_t wide = itemi_take(&table, 4) >> 24;
    uint64_t count = itemi_take(&table, wide ? 4 : 2);
    char type[4];
    for (itemi_span entry; count && itemi_next_box(&table, type, &entry); count--) {
        if (memcmp(type, "infe", 4) != 0)
            continue;
        const uint64_t version = itemi_take(&entry, 4) >> 24,
                       item = itemi_take(&entry, version < 3 ? 2 : 4);
        (void)itemi_take(&entry, 2); /* protection */
        bool picture = false;
        for (const char *kind = kinds; version >= 2 && entry.left >= 4 && *kind; kind += 4)
            picture |= memcmp(entry.at, kind, 4) == 0;
        add(picture ? pictures : others, item);
    }
}

/* The walk through references of which one pass asks. */
typedef struct parts {
    const items *pictures, *others;
    const items *above; /* of which parts are asked for; NULL: of all items */
    items *found;
    size_t count, again;
    bool strange; /* a part is no picture */
} parts;

static void part_of(parts *p, uint64_t whole, uint64_t part, bool counts)
{
    if (p->above && !has(p->above, whole))
        return;
    p->strange |= !has(p->pictures, part) || has(p->others, part);
    p->count++;
    p->again += counts && has(p->found, part);
    add(p->found, part);
}

/*
 * Notes the parts that a table of references names: of what is put together of others those, and of
 * a picture its planes beside the colours. false: lengths in it contradict each other, and libheif
 * might read other references than these.
 */
static bool find_parts(itemi_span table, parts *p)
{
    const unsigned number = itemi_take(&table, 4) >> 24 == 0 ? 2 : 4;
    while (table.left >= 8) {
        const uint64_t length = itemi_take(&table, 4), type = itemi_take(&table, 4);
        const uint64_t from = itemi_take(&table, number), count = itemi_take(&table, 2);
        if (type == 0x75756964 || /* uuid: libheif takes 16 bytes more for its head */
            length != 8 + number + 2 + count * number || count * number > table.left)
            return false;
        for (uint64_t i = 0; i < count; i++) {
            const uint64_t to = itemi_take(&table, number);
            if (type == 0x64696d67) /* dimg */
                part_of(p, from, to, true);
            else if (type ==
                     0x6175786c) /* auxl; a plane may belong to several, as phones have it */
                part_of(p, to, from, i == 0);
        }
    }
    return true;
}

static item_status check_references(itemi_decode *d, itemi_span table, const items *pictures,
                                    const items *others)
{
    items sets[2];
    size_t found = 1;
    for (int level = 0; found; level++) {
        parts p = {.pictures = pictures,
                   .others = others,
                   .above = level ? &sets[(level + 1) % 2] : NULL,
                   .found = &sets[level % 2]};
        memset(p.found, 0, sizeof *p.found);
        if (!find_parts(table, &p) || p.strange)
            return itemi_fail(d->err, ITEM_E_FORMAT, "broken HEIC or AVIF: its references");
        if (p.again > AGAIN_MAX)
            return itemi_fail(d->err, ITEM_E_LIMIT,
                              "a HEIC or AVIF that names one part again and again");
        if (level == LEVELS_MAX)
            return itemi_fail(d->err, ITEM_E_LIMIT,
                              "a HEIC or AVIF with parts of parts of parts without end");
        found = p.count;
    }
    return ITEM_OK;
}

static item_status check_bytes(itemi_decode *d, itemi_span table, size_t size)
{
    const places p = read_places(table, size);
    if (p.odd)
        return itemi_fail(d->err, ITEM_E_FORMAT, "broken HEIC or AVIF: where its items lie");
    if (p.total <= size + OVERLAP_MAX)
        return ITEM_OK;
    if (p.cut)
        return itemi_fail(d->err, ITEM_E_FORMAT, "truncated HEIC or AVIF: the file ends early");
    return itemi_fail(d->err, ITEM_E_LIMIT,
                      "a HEIC or AVIF with items of %" PRIu64 " bytes in a file of %zu", p.total,
                      size);
}

/* The tables of a file; references come last, wherever they stand. */
static item_status check_tables(itemi_decode *d, itemi_span tables, size_t size)
{
    items pictures = {{0}}, others = {{0}};
    item_status status = ITEM_OK;
    itemi_span all = tables, table;
    char type[4];
    while (status == ITEM_OK && itemi_next_box(&all, type, &table)) {
        if (memcmp(type, "iloc", 4) == 0)
            status = check_bytes(d, table, size);
        else if (memcmp(type, "iinf", 4) == 0)
            find_pictures(table, &pictures, &others);
    }
    all = tables;
    while (status == ITEM_OK && itemi_next_box(&all, type, &table)) {
        if (memcmp(type, "iref", 4) == 0)
            status = check_references(d, table, &pictures, &others);
    }
    return status;
}

item_status itemi_heif_check(itemi_decode *d, const uint8_t *bytes, size_t size)
{
    itemi_span file = {bytes, size}, box;
    char type[4];
    item_status status = ITEM_OK;
    while (status == ITEM_OK && itemi_next_box(&file, type, &box)) {
        if (memcmp(type, "meta", 4) != 0)
            continue;
        (void)itemi_take(&box, 4); /* version and flags */
        status = check_tables(d, box, size);
    }
    return status;
}
