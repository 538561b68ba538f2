/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a zip whose entries are stored as they are, as torch writes it. A reader of our own,
 * because tensors are used where they lie in the mapped file: what is needed of the zip is the
 * place of each entry, which libraries for packed archives do not tell. Checksums are not looked
 * at: a pack's SHA-256 covers the file.
 */
#include <stdlib.h>

#include "files/torchfile.h"

#define END_BYTES     22
#define END64_BYTES   56
#define LOCATOR_BYTES 20
#define ENTRY_BYTES   46
#define LOCAL_BYTES   30
#define COMMENT_MAX   65535
#define ENTRIES_MAX   100000 /* 40,000 tensors are many */
#define SOUGHT_MAX    512    /* bytes of a name that is looked for */

#define END_MAGIC     0x06054b50u
#define END64_MAGIC   0x06064b50u
#define LOCATOR_MAGIC 0x07064b50u
#define ENTRY_MAGIC   0x02014b50u
#define LOCAL_MAGIC   0x04034b50u

#define FLAG_ENCRYPTED 0x2041u /* by a password, by a certificate, with a hidden directory */
#define WIDE_16        UINT64_C(0xffff)
#define WIDE_32        UINT64_C(0xffffffff) /* "stands in the zip64 part" */
#define EXTRA_ZIP64    1

typedef struct zip_file {
    const uint8_t *data;
    size_t size;
    const char *name;
    uint64_t directory, directory_size, count;
    item_error *err;
} zip_file;

/* A name from the file in a message. */
#define SHOWN(entry) (int)((entry)->length < 80 ? (entry)->length : 80), (entry)->name

static item_status fail(const zip_file *z, const char *what)
{
    return itemi_fail(z->err, ITEM_E_FORMAT, "%s: broken zip: %s", z->name, what);
}

static item_status fail_entry(const zip_file *z, const itemi_zip_entry *entry, const char *what)
{
    return itemi_fail(z->err, ITEM_E_FORMAT, "%s: broken zip: entry \"%.*s\" %s", z->name,
                      SHOWN(entry), what);
}

static item_status refuse_entry(const zip_file *z, const itemi_zip_entry *entry, const char *what)
{
    return itemi_fail(z->err, ITEM_E_UNSUPPORTED, "%s: entry \"%.*s\" of the zip is %s", z->name,
                      SHOWN(entry), what);
}

/* ---- the end of the file tells where the directory lies ---- */

/* The record is the last thing in the file, but for a comment whose length it states. */
static bool find_end(const zip_file *z, size_t *end)
{
    if (z->size < END_BYTES)
        return false;
    size_t last = z->size - END_BYTES, least = last > COMMENT_MAX ? last - COMMENT_MAX : 0;
    for (size_t at = last + 1; at-- > least;) {
        const uint8_t *p = z->data + at;
        if (itemi_le(p, 4) == END_MAGIC && itemi_le(p + 20, 2) == last - at) {
            *end = at;
            return true;
        }
    }
    return false;
}

/* The 64-bit form of the end record, where there is one; *end becomes its place. */
static item_status read_end64(zip_file *z, size_t *end, uint64_t *disks)
{
    if (*end < LOCATOR_BYTES || itemi_le(z->data + *end - LOCATOR_BYTES, 4) != LOCATOR_MAGIC)
        return ITEM_OK;
    size_t locator = *end - LOCATOR_BYTES;
    uint64_t at = itemi_le(z->data + locator + 8, 8);
    if (locator < END64_BYTES || at > locator - END64_BYTES ||
        itemi_le(z->data + at, 4) != END64_MAGIC)
        return fail(z, "its zip64 record is not where it should be");
    const uint8_t *p = z->data + at;
    *disks |= itemi_le(p + 16, 4) | itemi_le(p + 20, 4);
    z->count = itemi_le(p + 32, 8);
    z->directory_size = itemi_le(p + 40, 8);
    z->directory = itemi_le(p + 48, 8);
    *end = (size_t)at;
    return ITEM_OK;
}

static item_status read_end(zip_file *z)
{
    size_t end;
    if (!find_end(z, &end))
        return fail(z, "its directory is missing: is the file cut short?");
    const uint8_t *p = z->data + end;
    uint64_t disks = itemi_le(p + 4, 2) | itemi_le(p + 6, 2);
    z->count = itemi_le(p + 10, 2);
    z->directory_size = itemi_le(p + 12, 4);
    z->directory = itemi_le(p + 16, 4);
    if (disks == WIDE_16)
        disks = 0; /* the 64-bit form tells */
    item_status status = read_end64(z, &end, &disks);
    if (status != ITEM_OK)
        return status;
    if (disks != 0)
        return fail(z, "it is one of several parts");
    if (z->directory > end || z->directory_size > end - z->directory)
        return fail(z, "its directory lies outside of the file");
    if (z->count > ENTRIES_MAX)
        return itemi_fail(z->err, ITEM_E_LIMIT, "%s: a zip of more than %d entries", z->name,
                          ENTRIES_MAX);
    if (z->count > z->directory_size / ENTRY_BYTES)
        return fail(z, "its directory is too short");
    return ITEM_OK;
}

/* ---- entries ---- */

/* Numbers that do not fit into 32 bits stand in an extra field, in this order. */
static bool read_wide(const uint8_t *extra, size_t length, uint64_t *const wide[3])
{
    size_t needed = 0;
    for (size_t i = 0; i < 3; i++)
        needed += *wide[i] == WIDE_32 ? 8 : 0;
    while (needed && length >= 4) {
        size_t size = (size_t)itemi_le(extra + 2, 2);
        if (size > length - 4)
            return false;
        if (itemi_le(extra, 2) == EXTRA_ZIP64) {
            const uint8_t *p = extra + 4;
            for (size_t i = 0; i < 3 && size >= needed; i++) {
                if (*wide[i] == WIDE_32) {
                    *wide[i] = itemi_le(p, 8);
                    p += 8;
                }
            }
            return size >= needed;
        }
        extra += 4 + size;
        length -= 4 + size;
    }
    return needed == 0;
}

/* The entry's own header stands before its data, and has a length of its own. */
static item_status find_data(const zip_file *z, uint64_t at, uint64_t size, itemi_zip_entry *entry)
{
    uint64_t limit = z->directory;
    if (limit < LOCAL_BYTES || at > limit - LOCAL_BYTES || itemi_le(z->data + at, 4) != LOCAL_MAGIC)
        return fail_entry(z, entry, "has no header");
    const uint8_t *p = z->data + at;
    size_t header = LOCAL_BYTES + (size_t)itemi_le(p + 26, 2) + (size_t)itemi_le(p + 28, 2);
    if (header > limit - at || size > limit - at - header)
        return fail_entry(z, entry, "lies outside of the file");
    if (itemi_le(p + 26, 2) != entry->length ||
        memcmp(p + LOCAL_BYTES, entry->name, entry->length) != 0)
        return fail_entry(z, entry, "has another name in its header");
    if (itemi_le(p + 6, 2) & FLAG_ENCRYPTED)
        return refuse_entry(z, entry, "encrypted");
    if (itemi_le(p + 8, 2) != 0)
        return refuse_entry(z, entry, "compressed");
    entry->at = (size_t)at;
    entry->data = p + header;
    entry->size = (size_t)size;
    return ITEM_OK;
}

/* One entry of the directory, which begins at *at; *at moves behind it. */
static item_status read_entry(const zip_file *z, uint64_t *at, itemi_zip_entry *entry)
{
    uint64_t left = z->directory + z->directory_size - *at;
    const uint8_t *p = z->data + *at;
    if (left < ENTRY_BYTES || itemi_le(p, 4) != ENTRY_MAGIC)
        return fail(z, "its directory ends early");
    size_t name = (size_t)itemi_le(p + 28, 2), extra = (size_t)itemi_le(p + 30, 2);
    size_t whole = ENTRY_BYTES + name + extra + (size_t)itemi_le(p + 32, 2);
    if (left < whole)
        return fail(z, "its directory ends early");
    *at += whole;
    entry->name = (const char *)p + ENTRY_BYTES;
    entry->length = name;

    if (itemi_le(p + 8, 2) & FLAG_ENCRYPTED)
        return refuse_entry(z, entry, "encrypted");
    if (itemi_le(p + 10, 2) != 0)
        return refuse_entry(z, entry, "compressed");
    uint64_t packed = itemi_le(p + 20, 4), size = itemi_le(p + 24, 4), place = itemi_le(p + 42, 4);
    if (!read_wide(p + ENTRY_BYTES + name, extra, (uint64_t *const[]){&size, &packed, &place}))
        return fail_entry(z, entry, "has a broken zip64 part");
    if (packed != size)
        return fail_entry(z, entry, "is stored, and has two sizes");
    return find_data(z, place, size, entry);
}

static int by_place(const void *a, const void *b)
{
    const itemi_zip_entry *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

static int by_name(const void *a, const void *b)
{
    const itemi_zip_entry *x = a, *y = b;
    size_t shorter = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->name, y->name, shorter);
    return order ? order : (x->length > y->length) - (x->length < y->length);
}

/* No two in one place, no two of one name; leaves them in the order of names. */
static item_status check_entries(const zip_file *z, const itemi_zip *zip)
{
    qsort(zip->entries, zip->count, sizeof *zip->entries, by_place);
    for (size_t i = 1; i < zip->count; i++) {
        const itemi_zip_entry *before = &zip->entries[i - 1], *entry = &zip->entries[i];
        if (z->data + entry->at < before->data + before->size)
            return itemi_fail(z->err, ITEM_E_FORMAT,
                              "%s: broken zip: entries \"%.*s\" and \"%.*s\" overlap", z->name,
                              SHOWN(before), SHOWN(entry));
    }
    qsort(zip->entries, zip->count, sizeof *zip->entries, by_name);
    for (size_t i = 1; i < zip->count; i++) {
        if (by_name(&zip->entries[i - 1], &zip->entries[i]) == 0)
            return fail_entry(z, &zip->entries[i], "is there twice");
    }
    return ITEM_OK;
}

static item_status read_directory(const zip_file *z, itemi_zip *zip)
{
    uint64_t at = z->directory;
    item_status status = ITEM_OK;
    while (status == ITEM_OK && zip->count < z->count) {
        status = read_entry(z, &at, &zip->entries[zip->count]);
        zip->count++;
    }
    return status == ITEM_OK ? check_entries(z, zip) : status;
}

item_status itemi_zip_open(const itemi_mem *mem, const uint8_t *data, size_t size, const char *name,
                           itemi_zip *out, item_error *err)
{
    zip_file z = {.data = data, .size = size, .name = name, .err = err};
    *out = (itemi_zip){.mem = mem};
    item_status status = read_end(&z);
    if (status != ITEM_OK)
        return status;
    itemi_zip zip = {.mem = mem};
    zip.entries = itemi_alloc_zero(mem, (size_t)z.count + 1, sizeof *zip.entries);
    if (!zip.entries)
        return itemi_fail(err, ITEM_E_MEMORY, "%s: out of memory", name);
    status = read_directory(&z, &zip);
    if (status == ITEM_OK)
        *out = zip;
    else
        itemi_zip_close(&zip);
    return status;
}

void itemi_zip_close(itemi_zip *zip)
{
    itemi_free(zip->mem, zip->entries);
    *zip = (itemi_zip){.mem = zip->mem};
}

const itemi_zip_entry *itemi_zip_find(const itemi_zip *zip, const char *folder,
                                      size_t folder_length, const char *name, size_t length)
{
    char whole[SOUGHT_MAX];
    if (folder_length >= sizeof whole || length > sizeof whole - folder_length - 1)
        return NULL;
    memcpy(whole, folder, folder_length);
    whole[folder_length] = '/';
    memcpy(whole + folder_length + 1, name, length);
    itemi_zip_entry wanted = {.name = whole, .length = folder_length + 1 + length};
    return bsearch(&wanted, zip->entries, zip->count, sizeof wanted, by_name);
}
