/* SPDX-License-Identifier: Apache-2.0 */
/* Writing into an index, for scans and imports alike. Within a transaction of the caller's. */
#ifndef ITEMI_INDEX_WRITE_H
#define ITEMI_INDEX_WRITE_H

#include "index/index.h"

/* What came of some bytes. Texts are borrowed; NULL is "". */
typedef struct itemi_content {
    const uint8_t *hash;
    const char *fingerprint; /* with what it was asked */
    int32_t error;           /* ITEM_OK: the rest holds an answer */
    const char *message;
    const char *json; /* begins with {"file":"" */
    int32_t verdict;
    const char *reason;
    double probability; /* NaN: none */
    uint32_t width, height;
    int64_t taken; /* INT64_MIN: not known */
    const char *caption, *objects;
    uint32_t claims;
} itemi_content;

/* A name, and what it stands for. */
typedef struct itemi_written {
    const char *path;
    int64_t bytes, mtime, read, scan;
    const uint8_t *hash; /* NULL: no picture, or it was not read */
    int32_t error;       /* of its own, when it does not lie in the bytes */
    const char *message;
} itemi_written;

item_status itemi_writer_open(itemi_writer *writer, const itemi_database *base, item_error *err);
void itemi_writer_close(itemi_writer *writer); /* also after a failure */
item_status itemi_write_content(const itemi_writer *writer, const itemi_content *content,
                                item_error *err);
/* After the content that it points to. */
item_status itemi_write_file(const itemi_writer *writer, const itemi_written *file,
                             item_error *err);
/* Failures that lie in the bytes: the same bytes fail in the same way. */
bool itemi_fails_by_bytes(int32_t code);

#endif
