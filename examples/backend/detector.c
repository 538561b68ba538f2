/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A detector of areas of the colour that a phrase names. The picture is read on a grid; cells of
 * the colour that touch are one area, and its score is the share of the box that they fill.
 */
#include "colours.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GRID = 48, CELLS = GRID * GRID, BOXES = 10 };

static const double default_score = 0.4;

typedef struct grid {
    uint32_t width, height;
    uint8_t colour[CELLS]; /* COLOURS: taken by an area */
} grid;

typedef struct found {
    double box[4], score;
} found;

static void read_grid(const palette *p, const view *v, grid *g)
{
    g->width = v->width < GRID ? v->width : GRID;
    g->height = v->height < GRID ? v->height : GRID;
    for (uint32_t y = 0; y < g->height; y++)
        for (uint32_t x = 0; x < g->width; x++) {
            uint32_t px = (uint32_t)((2 * (uint64_t)x + 1) * v->width / (2 * g->width));
            uint32_t py = (uint32_t)((2 * (uint64_t)y + 1) * v->height / (2 * g->height));
            g->colour[y * GRID + x] = (uint8_t)colour_of_pixel(p, v, px, py);
        }
}

/* Takes the area that holds a cell off the grid. Returns how many cells it has. */
static size_t take_area(grid *g, uint32_t start, area *bounds)
{
    uint32_t todo[CELLS];
    uint8_t colour = g->colour[start];
    size_t waiting = 0, cells = 0;
    *bounds = (area){GRID, GRID, 0, 0};
    g->colour[start] = COLOURS;
    todo[waiting++] = start;
    while (waiting) {
        uint32_t cell = todo[--waiting], x = cell % GRID, y = cell / GRID;
        const uint32_t next[4] = {cell - 1, cell + 1, cell - GRID, cell + GRID};
        const int inside[4] = {x > 0, x + 1 < g->width, y > 0, y + 1 < g->height};
        cells++;
        bounds->x0 = x < bounds->x0 ? x : bounds->x0;
        bounds->y0 = y < bounds->y0 ? y : bounds->y0;
        bounds->x1 = x + 1 > bounds->x1 ? x + 1 : bounds->x1;
        bounds->y1 = y + 1 > bounds->y1 ? y + 1 : bounds->y1;
        for (size_t i = 0; i < 4; i++)
            if (inside[i] && g->colour[next[i]] == colour) {
                g->colour[next[i]] = COLOURS; /* each cell waits once */
                todo[waiting++] = next[i];
            }
    }
    return cells;
}

static found in_pixels(const grid *g, const view *v, const area *a, size_t cells)
{
    double w = (double)v->width / g->width, h = (double)v->height / g->height;
    double box_cells = (double)(a->x1 - a->x0) * (double)(a->y1 - a->y0);
    return (found){{a->x0 * w, a->y0 * h, a->x1 * w, a->y1 * h}, (double)cells / box_cells};
}

/* Better: a higher score, then a larger box. */
static int by_score(const void *a, const void *b)
{
    const found *x = a, *y = b;
    double p = (x->box[2] - x->box[0]) * (x->box[3] - x->box[1]);
    double q = (y->box[2] - y->box[0]) * (y->box[3] - y->box[1]);
    return x->score != y->score ? (x->score < y->score ? 1 : -1) : (p < q) - (p > q);
}

static item_status find(grid g, const view *v, size_t colour, size_t phrase,
                        const item_detect_options *options, const item_box_sink *sink)
{
    double least = isnan(options->least_score) ? default_score : options->least_score;
    size_t most = options->max_boxes ? options->max_boxes : BOXES, count = 0;
    found all[CELLS];
    for (uint32_t cell = 0; cell < CELLS; cell++) {
        area bounds;
        if (cell % GRID >= g.width || cell / GRID >= g.height || g.colour[cell] != colour)
            continue;
        size_t cells = take_area(&g, cell, &bounds);
        all[count] = in_pixels(&g, v, &bounds, cells);
        count += all[count].score >= least;
    }
    qsort(all, count, sizeof all[0], by_score);
    for (size_t i = 0; i < count && i < most; i++) {
        item_status status = sink->add(sink->host, phrase, all[i].box, all[i].score);
        if (status != ITEM_OK)
            return status;
    }
    return ITEM_OK;
}

static size_t colour_of_phrase(const char *phrase)
{
    size_t colour = COLOURS, length;
    const char *word;
    while (colour == COLOURS && (length = next_word(&phrase, &word)) > 0)
        colour = colour_of_word(word, length);
    return colour;
}

static item_status detect(void *self, const item_call *call, const item_image *const *images,
                          size_t n, const char *const *const *phrases,
                          const char *const *const *heads, const size_t *counts,
                          const item_detect_options *options, const item_box_sink *const *sinks,
                          item_error *err)
{
    (void)heads; /* an area has its colour, whatever the noun */
    for (size_t i = 0; i < n; i++) {
        view v;
        grid g;
        item_status status = look_at(images[i], &v, err);
        if (status == ITEM_OK)
            read_grid(self, &v, &g);
        for (size_t j = 0; j < counts[i] && status == ITEM_OK; j++) {
            size_t colour = colour_of_phrase(phrases[i][j]);
            if (call->cancelled(call->host))
                status = ITEM_E_CANCELLED;
            else if (colour < COLOURS)
                status = find(g, &v, colour, j, options, sinks[i]);
        }
        if (status != ITEM_OK)
            return status;
    }
    return ITEM_OK;
}

const item_detector_ops *open_detector(const char *settings, void **self, item_error *err)
{
    static const item_detector_ops ops = {
        .struct_size = sizeof ops,
        .version = ITEM_BACKEND_VERSION,
        .name = "colours",
        .id = "1",
        .detect = detect,
        .close = close_palette,
    };
    *self = open_palette(settings, err);
    return *self ? &ops : NULL;
}
