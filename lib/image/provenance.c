/* SPDX-License-Identifier: Apache-2.0 */
/* What a picture's file says of its origin: from its metadata to a list of entries. */
#include "image/provenance.h"

#include <inttypes.h>
#include <string.h>

#include "image/exif.h"
#include "image/image.h"

/* Size of item_provenance_entry in its first version. */
#define LEAST_ENTRY_SIZE (offsetof(item_provenance_entry, text) + sizeof(const char *))

/* ---- a list that is being made ---- */

/* U+0080 to U+009F, of two bytes, command terminals as those below U+0020 do. */
static void blank_controls(char *text)
{
    for (char *c = text; *c; c++) {
        if (((unsigned char)*c < ' ' && *c != '\n' && *c != '\t') || *c == 0x7f)
            *c = ' ';
        else if (*c == '\xc2' && (unsigned char)c[1] < 0xa0)
            c[0] = c[1] = ' ';
    }
}

/*
 * Adds a text and its NUL: UTF-8, U+FFFD for each byte that is none, control characters made blanks
 * but for line breaks and tabs. Of more than `most` bytes the beginning, and "...".
 */
static size_t keep_text(itemi_findings *f, const char *text, size_t most)
{
    static const char bad[] = "\xef\xbf\xbd";
    const size_t start = f->texts.length;
    size_t left = strlen(text), room = most;
    while (left) {
        const size_t good = itemi_utf8_valid(text, left < room ? left : room);
        itemi_buf_add(&f->texts, text, good);
        text += good;
        left -= good;
        room -= good;
        if (left == 0 || room < 4) /* a character may be cut here, not broken */
            break;
        itemi_buf_puts(&f->texts, bad);
        room -= sizeof bad - 1;
        text++;
        left--;
    }
    if (left)
        itemi_buf_puts(&f->texts, "...");
    itemi_buf_add(&f->texts, "", 1);
    if (!f->texts.failed)
        blank_controls(f->texts.data + start);
    return start;
}

/* A person shall not take what an edit added for the whole picture. */
static const char *of_what(const char *where)
{
    static const struct {
        const char *where, *what;
    } list[] = {{ITEMI_C2PA_EDITED, " of an edit"},
                {ITEMI_C2PA_PARENT_CREATED, " of what it was made from"},
                {ITEMI_C2PA_PARENT_EDITED, " of an edit before"}};
    for (size_t i = 0; i < ITEMI_COUNT(list); i++) {
        if (strcmp(where, list[i].where) == 0)
            return list[i].what;
    }
    return "";
}

/* The entry in a few words. */
static size_t keep_summary(itemi_findings *f, int32_t kind, const char *where, const char *name,
                           const char *value)
{
    char line[300], detail[200];
    itemi_escape(detail, sizeof detail, kind == ITEM_PROVENANCE_UNREADABLE ? value : name);
    switch (kind) {
    case ITEM_PROVENANCE_C2PA:
        itemi_format(line, sizeof line, "unverified C2PA manifest%s%s", *detail ? " by " : "",
                     detail);
        break;
    case ITEM_PROVENANCE_SOURCE_TYPE:
        itemi_format(line, sizeof line, "digital source type %s%s", detail, of_what(where));
        break;
    case ITEM_PROVENANCE_GENERATOR:
        itemi_format(line, sizeof line, "data as %s writes them", detail);
        break;
    default:
        itemi_format(line, sizeof line, "metadata that cannot be read: %s", detail);
        break;
    }
    return keep_text(f, line, sizeof line);
}

void itemi_findings_add(itemi_findings *f, int32_t kind, int32_t claim, const char *where,
                        const char *name, const char *value)
{
    if (f->count == ITEMI_ENTRIES_MAX)
        return;
    itemi_entry *entry = &f->entries[f->count++];
    entry->kind = kind;
    entry->claim = claim;
    entry->where = keep_text(f, where, ITEMI_VALUE_MAX);
    entry->name = keep_text(f, name, ITEMI_VALUE_MAX);
    entry->value = keep_text(f, value, ITEMI_VALUE_MAX);
    entry->text = keep_summary(f, kind, where, name, value);
}

void itemi_findings_unreadable(itemi_findings *f, const char *where, const char *why)
{
    char line[200];
    itemi_format(line, sizeof line, "%s: %s", where, why);
    itemi_findings_add(f, ITEM_PROVENANCE_UNREADABLE, ITEM_CLAIM_NONE, where, "", line);
}

/* ---- what a file holds ---- */

static void find_exif(itemi_findings *f, const itemi_metadata *m)
{
    static const struct {
        uint32_t tag;
        const char *field;
    } fields[] = {
        {ITEMI_EXIF_SOFTWARE, "Software"},
        {ITEMI_EXIF_COMMENT, "UserComment"},
        {ITEMI_EXIF_DESCRIPTION, "ImageDescription"},
        {ITEMI_EXIF_MAKE, "Make"},
        {ITEMI_EXIF_MODEL, "Model"},
    };
    itemi_exif exif;
    if (!itemi_exif_open(&exif, m->exif, m->exif_size)) {
        itemi_findings_unreadable(f, "EXIF", "its header is broken");
        return;
    }
    for (size_t i = 0; i < ITEMI_COUNT(fields); i++) {
        itemi_exif_entry entry;
        bool found = itemi_exif_find(&exif, exif.folder, fields[i].tag, &entry) ||
                     (exif.more && itemi_exif_find(&exif, exif.more, fields[i].tag, &entry));
        itemi_buf text;
        itemi_buf_init(&text, f->texts.mem);
        if (found)
            itemi_exif_text(&exif, &entry, ITEMI_TEXT_MAX, &text);
        f->texts.failed |= text.failed;
        if (text.data && !text.failed)
            itemi_findings_judge(f, "EXIF", fields[i].field, text.data);
        itemi_buf_free(&text);
    }
}

static void find_all(itemi_findings *f, const itemi_metadata *m)
{
    if (m->c2pa)
        itemi_findings_c2pa(f, m->c2pa, m->manifest, m->manifest_size);
    if (m->xmp)
        itemi_findings_xmp(f, m->xmp, m->xmp_size);
    for (uint32_t i = 0; i < m->texts; i++)
        itemi_findings_png_text(f, &m->text[i]);
    if (m->exif)
        find_exif(f, m);
}

/* Entries by kind; within a kind as they were found. */
static item_provenance *finish(const itemi_findings *f, const itemi_mem *mem)
{
    item_provenance *list = itemi_alloc_zero(mem, 1, sizeof *list + f->texts.length);
    if (!list)
        return NULL;
    list->mem = *mem;
    list->size = f->texts.length;
    if (f->texts.length)
        memcpy(list->texts, f->texts.data, f->texts.length);
    for (int32_t kind = ITEM_PROVENANCE_C2PA; kind <= ITEM_PROVENANCE_UNREADABLE; kind++) {
        for (uint32_t i = 0; i < f->count; i++) {
            if (f->entries[i].kind == kind)
                list->entries[list->count++] = f->entries[i];
        }
    }
    return list;
}

/* The blocks of a HEIC or AVIF lie in pieces: libheif finds and joins them. */
static void find_heif(itemi_findings *f, itemi_decode *d, const uint8_t *bytes, size_t size)
{
#ifdef ITEMI_WITH_HEIF
    itemi_buf exif, xmp;
    itemi_buf_init(&exif, &d->mem);
    itemi_buf_init(&xmp, &d->mem);
    itemi_heif_blocks(d, bytes, size, f, &exif, &xmp);
    f->texts.failed |= exif.failed || xmp.failed;
    const itemi_metadata metadata = {.exif = (uint8_t *)exif.data,
                                     .exif_size = exif.length,
                                     .xmp = (uint8_t *)xmp.data,
                                     .xmp_size = xmp.length};
    if (!f->texts.failed)
        find_all(f, &metadata);
    itemi_buf_free(&exif);
    itemi_buf_free(&xmp);
#else
    (void)f;
    (void)d;
    (void)bytes;
    (void)size;
#endif
}

/* A JPEG has a store of more than 64 KiB in pieces. NULL where the first one is all, or enough. */
static uint8_t *join_manifest(itemi_findings *f, const uint8_t *bytes, size_t size,
                              itemi_metadata *m)
{
    const size_t whole = m->c2pa ? itemi_jpeg_manifest_size(m) : 0;
    if (whole <= m->manifest_size || whole > size || whole > ITEMI_STORE_MAX)
        return NULL;
    uint8_t *joined = itemi_alloc(f->texts.mem, whole);
    f->texts.failed |= !joined;
    if (!joined)
        return NULL;
    m->manifest_size = itemi_jpeg_manifest(m, bytes + size, joined, whole);
    m->manifest = joined;
    return joined;
}

item_status itemi_provenance_list(itemi_decode *d, itemi_kind kind, const uint8_t *bytes,
                                  size_t size, item_provenance **out)
{
    itemi_metadata metadata;
    itemi_findings f = {0};
    itemi_buf_init(&f.texts, &d->mem);
    itemi_metadata_of(kind, bytes, size, &metadata);
    uint8_t *joined = kind == ITEMI_KIND_JPEG ? join_manifest(&f, bytes, size, &metadata) : NULL;
    if (!f.texts.failed)
        find_all(&f, &metadata);
    itemi_free(&d->mem, joined);
    if (!f.texts.failed && (kind == ITEMI_KIND_HEIC || kind == ITEMI_KIND_AVIF))
        find_heif(&f, d, bytes, size);
    *out = f.texts.failed ? NULL : finish(&f, &d->mem);
    itemi_buf_free(&f.texts);
    return *out ? ITEM_OK : itemi_fail_memory(d->err, "reading metadata");
}

item_status itemi_provenance_read(itemi_decode *d, itemi_kind kind, const uint8_t *bytes,
                                  size_t size, item_provenance **out)
{
    item_status status = itemi_provenance_list(d, kind, bytes, size, out);
    if (status == ITEM_OK && (*out)->count == 0) {
        item_provenance_free(*out);
        *out = NULL;
    }
    return status;
}

/* ---- the handle ---- */

bool itemi_provenance_copy(const itemi_mem *mem, const item_provenance *from, item_provenance **out)
{
    *out = NULL;
    if (!from)
        return true;
    item_provenance *copy = itemi_alloc(mem, sizeof *copy + from->size);
    if (!copy)
        return false;
    memcpy(copy, from, sizeof *copy + from->size);
    copy->mem = mem ? *mem : (itemi_mem){0};
    *out = copy;
    return true;
}

const item_provenance *itemi_image_provenance(const item_image *image)
{
    return image->provenance;
}

void item_provenance_free(item_provenance *provenance)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!provenance)
        return;
    itemi_mem mem = provenance->mem;
    itemi_free(&mem, provenance);
}

uint32_t item_provenance_count(const item_provenance *provenance)
{
    return provenance ? provenance->count : 0;
}

item_status item_provenance_get(const item_provenance *provenance, uint32_t index,
                                item_provenance_entry *entry, item_error *err)
{
    if (!provenance)
        return itemi_fail(err, ITEM_E_ARGUMENT, "provenance is NULL");
    if (index >= provenance->count)
        return itemi_fail(err, ITEM_E_ARGUMENT, "no entry %" PRIu32 ": the list has %" PRIu32,
                          index, provenance->count);
    const itemi_entry *from = &provenance->entries[index];
    item_provenance_entry ours = ITEM_PROVENANCE_ENTRY_INIT;
    ours.kind = from->kind;
    ours.claim = from->claim;
    ours.where = provenance->texts + from->where;
    ours.name = provenance->texts + from->name;
    ours.value = provenance->texts + from->value;
    ours.text = provenance->texts + from->text;
    return itemi_struct_out(entry, LEAST_ENTRY_SIZE, &ours, sizeof ours, "item_provenance_entry",
                            err);
}
