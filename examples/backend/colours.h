/* SPDX-License-Identifier: Apache-2.0 */
/* A backend that knows colours and nothing else: what its three stages share. */
#ifndef COLOURS_H
#define COLOURS_H

#include <item/sys/backend.h>

enum { COLOURS = 11, LEVELS = 16 };

/* The `self` of each stage: the colour of every pixel, at 16 levels a channel. Never changed. */
typedef struct palette {
    uint8_t nearest[LEVELS * LEVELS * LEVELS];
} palette;

/* Pixels of a picture; a part of it, x1 and y1 excluded. */
typedef struct view {
    const uint8_t *rgb;
    uint32_t width, height;
} view;

typedef struct area {
    uint32_t x0, y0, x1, y1;
} area;

const char *colour_name(size_t colour);
/* Which colour a word of `length` bytes names; COLOURS when none. */
size_t colour_of_word(const char *word, size_t length);
/* The next word of a text, from *at on; 0: there are no more. */
size_t next_word(const char **at, const char **word);

item_status look_at(const item_image *image, view *out, item_error *err);
size_t colour_of_pixel(const palette *p, const view *v, uint32_t x, uint32_t y);
/* How many pixels of an area have each colour; ITEM_E_CANCELLED when the host wants an end. */
item_status count_colours(const palette *p, const item_call *call, const view *v, area a,
                          uint64_t counts[COLOURS]);

/* Writes the reason of a failure and returns the status. */
item_status fail(item_error *err, item_status status, const char *reason);

/* One more instance of each stage: its table, and `self` for it. NULL: err says why. */
const item_captioner_ops *open_captioner(const char *settings, void **self, item_error *err);
const item_detector_ops *open_detector(const char *settings, void **self, item_error *err);
const item_embedder_ops *open_embedder(const char *settings, void **self, item_error *err);

/* What the three have in common. */
palette *open_palette(const char *settings, item_error *err);
void close_palette(void *self);

#endif
