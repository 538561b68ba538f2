/* SPDX-License-Identifier: Apache-2.0 */
/* Boxes, as HEIC, AVIF and JUMBF have them: a size, four letters, content. */
#ifndef ITEMI_BOXES_H
#define ITEMI_BOXES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is left of a box. Behind its end there is nothing but zeros. */
typedef struct itemi_span {
    const uint8_t *at;
    size_t left;
} itemi_span;

/* A number of so many bytes, the highest first. */
uint64_t itemi_take(itemi_span *s, unsigned bytes);
/* The next box: its type, and its content up to the end of `from` at most. False at the end. */
bool itemi_next_box(itemi_span *from, char type[4], itemi_span *content);

#endif
