/* SPDX-License-Identifier: Apache-2.0 */
/* Bombs: small inputs that ask for much time or memory. */
#ifndef TEST_HOSTILE_BOMBS_H
#define TEST_HOSTILE_BOMBS_H

#include <item/item.h>
#include <stdio.h>

typedef struct bomb {
    const char *name; /* of its file, too */
    const char *what; /* for the table */
    void (*make)(FILE *file);
    item_status (*run)(const char *path, item_error *err); /* ITEM_OK: the answer is right */
    item_status wanted;
    const char *part; /* of the message, or NULL */
} bomb;

extern const bomb picture_bombs[], file_bombs[], call_bombs[];
extern const size_t picture_bombs_count, file_bombs_count, call_bombs_count;

/* Time and memory count between these two; without them the whole run counts. */
void measure_start(void);
void measure_stop(void);

/* ---- for makers: a failure ends the program ---- */

void *need(size_t bytes); /* zeroed */
void put(FILE *file, const void *bytes, size_t size);
void put_text(FILE *file, const char *text);
void put_times(FILE *file, const char *text, size_t times);
void put16(FILE *file, unsigned value); /* big endian */
void put32(FILE *file, uint32_t value);

/* ---- for runs ---- */

/* Ends a run with ITEM_E_INTERNAL: the answer was wrong. */
item_status wrong(item_error *err, const char *what);
/* Decodes a picture and cancels that in its midst. */
item_status run_cancelled(const char *path, item_error *err);

#endif
