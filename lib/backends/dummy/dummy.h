/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the three dummy backends, which see public headers alone. */
#ifndef ITEM_DUMMY_H
#define ITEM_DUMMY_H

#include <item/sys/backend.h>

#define ITEMI_DUMMY_ID "1" /* raise it when an answer changes */

/* A number that depends on every byte (FNV-1a, 64 bits, mixed at the end). */
uint64_t itemi_dummy_hash(const void *bytes, size_t size, uint64_t seed);
/* Next of a series; uniform in [0, 1). */
double itemi_dummy_next(uint64_t *state);

/* Pixels of a picture with its size; ITEM_E_ARGUMENT when there is none. */
typedef struct itemi_dummy_pixels {
    const uint8_t *rgb;
    uint32_t width, height;
} itemi_dummy_pixels;
item_status itemi_dummy_look(const item_image *image, itemi_dummy_pixels *out, item_error *err);

#endif
