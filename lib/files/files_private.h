/* SPDX-License-Identifier: Apache-2.0 */
/* Shared between the files of files alone. */
#ifndef ITEMI_FILES_PRIVATE_H
#define ITEMI_FILES_PRIVATE_H

#include <string.h>

#include "common/regular.h"
#include "files/files.h"

/* Writes several pieces one after another, as itemi_file_write() writes one. */
typedef struct itemi_piece {
    const void *data;
    size_t size;
} itemi_piece;
item_status itemi_file_write_pieces(const char *path, const itemi_piece *pieces, size_t count,
                                    item_error *err);

/* False, with errno, where not all could be written. */
bool itemi_write_all(int fd, const uint8_t *data, size_t size);

/* Names as safetensors has them, such as "BF16"; NULL and 0 for what libitem does not read. */
const char *itemi_dtype_name(itemi_dtype dtype);
itemi_dtype itemi_dtype_parse(const char *name);

/* Bytes that a tensor of this kind and shape takes; false when they overflow. */
bool itemi_tensor_bytes(const itemi_tensor *tensor, size_t *bytes);

/* Order of pointers to tensors, for qsort(); and the one of that name in that order, or NULL. */
int itemi_tensor_by_name(const void *a, const void *b);
const itemi_tensor *itemi_tensor_find(const itemi_tensor *const *sorted, size_t count,
                                      const char *name);

#define ITEMI_INDEX_BYTES (UINT64_C(64) << 20) /* of an index of shards, at most */

/*
 * One half-precision number. Normal numbers move their exponent's bias from 15 to 127, those
 * below are multiples of 2^-24, infinities and NaN keep theirs (a signalling NaN turns quiet).
 */
static inline float itemi_half_to_float(uint16_t half)
{
    uint32_t magnitude = half & 0x7fffu, bits;
    if (magnitude >= 0x7c00) {
        bits = magnitude << 13 | 0x7f800000u | (magnitude > 0x7c00 ? 0x00400000u : 0);
    } else if (magnitude >= 0x0400) {
        bits = (magnitude << 13) + ((127u - 15u) << 23);
    } else {
        float small = (float)magnitude * 0x1p-24f;
        memcpy(&bits, &small, sizeof bits);
    }
    bits |= (uint32_t)(half & 0x8000u) << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The header's one entry that is no tensor. */
#define ITEMI_METADATA "__metadata__"

/*
 * Reads CSV record by record (RFC 4180). Start: {.name = for messages, .at = text, .end = its end,
 * .line = 1} and itemi_buf_init(&csv.text, mem). Fields are borrowed until the next record.
 */
#define ITEMI_CSV_FIELDS 64
typedef struct itemi_csv {
    const char *name, *at, *end;
    size_t line;   /* of `at` */
    size_t record; /* line on which the record began */
    itemi_buf text;
    size_t start[ITEMI_CSV_FIELDS]; /* in text */
    size_t fields;                  /* 0 after the last record */
} itemi_csv;
item_status itemi_csv_next(itemi_csv *csv, item_error *err);
const char *itemi_csv_field(const itemi_csv *csv, size_t i);

/* Manifest rows grow one by one; `row` holds borrowed texts, which are copied (NULL: ""). */
typedef struct itemi_row_text {
    const char *path, *label, *generator, *source, *split, *prompt;
} itemi_row_text;
item_status itemi_manifest_add(itemi_manifest *manifest, size_t *capacity,
                               const itemi_row_text *row, item_error *err);

/* Folder and name with one "/" between; NULL when memory is out. */
char *itemi_path_put(const itemi_mem *mem, const char *folder, const char *name);

#endif
