/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as heads, data sets and reports write it: no infinities, memory of the host's. */
#ifndef ITEMI_TRAIN_JSON_H
#define ITEMI_TRAIN_JSON_H

#include <jansson.h>

#include "common/common.h"
#include "math/math.h"

/* A number; null for NaN and infinities, which JSON does not have. */
json_t *itemi_json_number(double value);
/* A share or the like, rounded to 6 decimals, so that reports stay readable. */
json_t *itemi_json_figure(double value);
/* [low, high], rounded as above. */
json_t *itemi_json_interval(itemi_interval interval);
/* Compact text, 17 digits, keys in the order given; NULL: no memory. itemi_free() it. */
char *itemi_json_text(const itemi_mem *mem, const json_t *value);

#endif
