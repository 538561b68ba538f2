/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of heads, data sets and reports, beside what json.c has for answers. */
#ifndef ITEMI_JSON_MAKE_H
#define ITEMI_JSON_MAKE_H

#include "core/core.h"

/* A share or the like, rounded to 6 decimals, so that reports stay readable. */
json_t *itemi_json_figure(double value);
/*
 * Put a member into *object, an item behind *array; both take `value`. Where memory is out, or was
 * when the value was made, what would lack something is freed and becomes NULL, and stays so:
 * callers look once, at the whole.
 */
void itemi_json_put(json_t **object, const char *name, json_t *value);
void itemi_json_append(json_t **array, json_t *value);
/* [low, high], rounded as above. */
json_t *itemi_json_interval(itemi_interval interval);
#define ITEMI_DIGITS_EXACT  17 /* read as written, as heads need it */
#define ITEMI_DIGITS_REPORT 9

/*
 * Compact text with so many significant digits. Borrows value; NULL when that is NULL or memory
 * ran out. itemi_free() it.
 */
char *itemi_json_dump(const itemi_mem *mem, const json_t *value, size_t digits);
char *itemi_json_dump_lines(const itemi_mem *mem, const json_t *value); /* for people to read */

#endif
