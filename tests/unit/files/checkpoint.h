/* SPDX-License-Identifier: Apache-2.0 */
/* Makes zips and torch checkpoints for tests, sound ones and lying ones. */
#ifndef ITEM_TEST_CHECKPOINT_H
#define ITEM_TEST_CHECKPOINT_H

#include <stdlib.h>
#include <string.h>

#include "files/files.h"

/* Pieces of pickles, as literals: they hold NULs. */
#define P_TEXT(length, text) "X" length "\0\0\0" text
#define P_STORAGE_OF(class, key, count)                                                            \
    "(" P_TEXT("\7", "storage") "ctorch\n" class "\n" key P_TEXT("\3", "cpu") count "tQ"
#define P_STORAGE P_STORAGE_OF("FloatStorage", P_TEXT("\1", "0"), "K\6")
#define P_TENSOR_OF(storage, offset, shape, strides)                                               \
    "ctorch._utils\n_rebuild_tensor_v2\n(" storage offset shape strides "\x89)tR"
#define P_TENSOR P_TENSOR_OF(P_STORAGE, "K\0", "K\2K\3\x86", "K\3K\1\x86")
#define P_NAME   P_TEXT("\1", "w")
/* A state dict of one tensor "w". */
#define P_STATE(tensor) "\x80\2}" P_NAME tensor "s."

typedef struct zip_part {
    const char *name;
    const void *data;
    size_t size;
    unsigned method, flags; /* 0, unless it lies */
    unsigned local_method;
    bool wide;        /* numbers in a zip64 part */
    int64_t at, more; /* lies: place and further bytes */
} zip_part;

static inline void zip_number(itemi_buf *out, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        itemi_buf_add(out, &(uint8_t){(uint8_t)number}, 1);
        number >>= 8;
    }
}

static inline void zip_local(itemi_buf *out, const zip_part *p)
{
    zip_number(out, 0x04034b50, 4);
    zip_number(out, 0, 2);
    zip_number(out, p->flags, 2);
    zip_number(out, p->local_method, 2);
    zip_number(out, 0, 16); /* time, checksum, sizes: as torch writes them */
    zip_number(out, strlen(p->name), 2);
    zip_number(out, 3, 2);
    itemi_buf_puts(out, p->name);
    itemi_buf_puts(out, "pad");
    itemi_buf_add(out, p->data, p->size);
}

static inline void zip_entry(itemi_buf *out, const zip_part *p, size_t place)
{
    uint64_t size = p->size + (uint64_t)p->more, at = place + (uint64_t)p->at;
    zip_number(out, 0x02014b50, 4);
    zip_number(out, 0, 4);
    zip_number(out, p->flags, 2);
    zip_number(out, p->method, 2);
    zip_number(out, 0, 8);
    zip_number(out, p->wide ? 0xffffffff : size, 4);
    zip_number(out, p->wide ? 0xffffffff : size, 4);
    zip_number(out, strlen(p->name), 2);
    zip_number(out, p->wide ? 34 : 0, 2);
    zip_number(out, 0, 10);
    zip_number(out, p->wide ? 0xffffffff : at, 4);
    itemi_buf_puts(out, p->name);
    if (p->wide) {
        zip_number(out, 0x2020, 2); /* another extra field first */
        zip_number(out, 2, 2);
        zip_number(out, 0, 2);
        zip_number(out, 1, 2);
        zip_number(out, 24, 2);
        zip_number(out, size, 8);
        zip_number(out, size, 8);
        zip_number(out, at, 8);
    }
}

/* The end of a zip whose directory begins at `start`. */
static inline void zip_end(itemi_buf *out, size_t start, size_t count, bool wide)
{
    size_t size = out->length - start;
    if (wide) {
        size_t at = out->length;
        zip_number(out, 0x06064b50, 4);
        zip_number(out, 44, 8);
        zip_number(out, 0, 4);
        zip_number(out, 0, 8);
        zip_number(out, count, 8);
        zip_number(out, count, 8);
        zip_number(out, size, 8);
        zip_number(out, start, 8);
        zip_number(out, 0x07064b50, 4);
        zip_number(out, 0, 4);
        zip_number(out, at, 8);
        zip_number(out, 1, 4);
    }
    zip_number(out, 0x06054b50, 4);
    zip_number(out, 0, 4);
    zip_number(out, wide ? 0xffff : count, 2);
    zip_number(out, wide ? 0xffff : count, 2);
    zip_number(out, wide ? 0xffffffff : size, 4);
    zip_number(out, wide ? 0xffffffff : start, 4);
    zip_number(out, 0, 2);
}

/* Free out->data when it is no longer needed. */
static inline void zip_make(itemi_buf *out, const zip_part *parts, size_t count, bool wide)
{
    size_t places[16];
    itemi_buf_init(out, NULL);
    for (size_t i = 0; i < count; i++) {
        places[i] = out->length;
        zip_local(out, &parts[i]);
    }
    size_t start = out->length;
    for (size_t i = 0; i < count; i++)
        zip_entry(out, &parts[i], places[i]);
    zip_end(out, start, count, wide);
}

/* A checkpoint with this pickle and a storage "0" of the floats 0 to 5. */
static inline void checkpoint_make(itemi_buf *out, const char *pickle, size_t length)
{
    static const float floats[] = {0, 1, 2, 3, 4, 5};
    const zip_part parts[] = {{.name = "m/data.pkl", .data = pickle, .size = length},
                              {.name = "m/byteorder", .data = "little", .size = 6},
                              {.name = "m/data/0", .data = floats, .size = sizeof floats}};
    zip_make(out, parts, ITEMI_COUNT(parts), false);
}

#endif
