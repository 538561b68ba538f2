/* SPDX-License-Identifier: Apache-2.0 */
/* Small decisions of the pipeline, each a function of its arguments alone. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"

#define OBJECTS_DEFAULT 8

#define SAME_OBJECT 0.5 /* intersection over union from which two boxes are one object */

/* ---- working size ---- */

static uint32_t scaled(uint32_t side, double scale, uint32_t most)
{
    double value = floor((double)side * scale + 0.5);
    return value < 1 ? 1 : value > most ? most : (uint32_t)value;
}

void itemi_working_size(uint32_t width, uint32_t height, uint32_t short_side, uint32_t *out_width,
                        uint32_t *out_height)
{
    *out_width = width;
    *out_height = height;
    uint32_t least = width < height ? width : height;
    if (short_side == 0 || least == 0)
        return;
    /* Smaller pictures are enlarged, so that every picture means the same; beyond the largest
       aspect the long side is squashed, so that a line of pixels does not become gigabytes. */
    double scale = (double)short_side / (double)least;
    *out_width = scaled(width, scale, short_side * ITEMI_ASPECT_MAX);
    *out_height = scaled(height, scale, short_side * ITEMI_ASPECT_MAX);
}

/* ---- captions ---- */

typedef struct word {
    const char *text;
    size_t length;
} word;

#define WORDS_MAX 512 /* of a caption that are looked at */

static size_t split(const char *caption, word *words)
{
    size_t count = 0;
    for (const char *at = caption + strspn(caption, " \t\r\n"); *at && count < WORDS_MAX;) {
        size_t length = strcspn(at, " \t\r\n");
        words[count++] = (word){at, length};
        at += length;
        at += strspn(at, " \t\r\n");
    }
    return count;
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool same(const word *a, const word *b)
{
    if (a->length != b->length)
        return false;
    for (size_t i = 0; i < a->length; i++) {
        if (lower(a->text[i]) != lower(b->text[i]))
            return false;
    }
    return true;
}

/* How often the `n` words from `at` on stand in all of it. */
static size_t occurrences(const word *words, size_t count, size_t at, size_t n)
{
    size_t found = 0;
    for (size_t i = 0; i + n <= count; i++) {
        size_t j = 0;
        while (j < n && same(&words[i + j], &words[at + j]))
            j++;
        found += j == n;
    }
    return found;
}

bool itemi_caption_loops(const char *caption)
{
    word words[WORDS_MAX];
    size_t count = split(caption, words);
    for (size_t i = 0; i < count; i++) {
        if (count >= 6 && 2 * occurrences(words, count, i, 1) > count)
            return true;
        if (i + 3 <= count && occurrences(words, count, i, 3) >= 3)
            return true;
    }
    return false;
}

bool itemi_caption_is_empty(const char *caption)
{
    return caption[strspn(caption, " \t\r\n")] == '\0';
}

/* ---- objects ---- */

uint32_t itemi_objects_asked(const item_ctx *ctx, const item_check_options *options)
{
    if (options->max_objects)
        return options->max_objects;
    if (ctx->settings.fast && ctx->head && !itemi_layout_reads_objects(&ctx->layout))
        return 0;
    const uint32_t set = ctx->settings.max_objects;
    return set == ITEMI_OBJECTS_UNSET ? OBJECTS_DEFAULT : set;
}

static double overlap(const double a[4], const double b[4])
{
    double width = fmin(a[2], b[2]) - fmax(a[0], b[0]);
    double height = fmin(a[3], b[3]) - fmax(a[1], b[1]);
    if (width <= 0 || height <= 0)
        return 0;
    double both = width * height;
    double all = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both;
    return both / all;
}

/* Best score first; then the order of mention, then from top left to bottom right. */
static bool before(const itemi_box *a, const itemi_box *b)
{
    if (a->score != b->score)
        return a->score > b->score;
    if (a->phrase != b->phrase)
        return a->phrase < b->phrase;
    for (size_t i = 0; i < 4; i++) {
        size_t side = i ^ 1; /* y0 before x0, y1 before x1 */
        if (a->box[side] != b->box[side])
            return a->box[side] < b->box[side];
    }
    return false;
}

static int compare(const void *a, const void *b)
{
    return before(a, b) ? -1 : before(b, a) ? 1 : 0;
}

/* Whether a box is one more object of its phrase, beside those chosen. */
static bool adds(const itemi_box *chosen, size_t count, const itemi_box *box,
                 const uint32_t *counts)
{
    size_t of_phrase = 0, most = counts[box->phrase] > 1 ? counts[box->phrase] : 1;
    for (size_t i = 0; i < count; i++) {
        if (chosen[i].phrase != box->phrase)
            continue;
        if (overlap(chosen[i].box, box->box) > SAME_OBJECT)
            return false;
        of_phrase++;
    }
    return of_phrase < most;
}

size_t itemi_choose_objects(itemi_box *boxes, size_t n, const uint32_t *counts, size_t most)
{
    if (n > 1)
        qsort(boxes, n, sizeof *boxes, compare);
    size_t chosen = 0;
    for (size_t i = 0; i < n && chosen < most; i++) {
        if (!counts || adds(boxes, chosen, &boxes[i], counts))
            boxes[chosen++] = boxes[i];
    }
    return chosen;
}

/* ---- texts ---- */

item_status itemi_text_check(const char *text, const char *what, item_error *err)
{
    if (!text)
        return itemi_fail(err, ITEM_E_ARGUMENT, "%s is NULL", what);
    size_t length = strnlen(text, ITEMI_TEXT_MAX + 1);
    if (length > ITEMI_TEXT_MAX)
        return itemi_fail(err, ITEM_E_LIMIT, "%s is longer than %d bytes", what, ITEMI_TEXT_MAX);
    size_t valid = itemi_utf8_valid(text, length);
    if (valid != length)
        return itemi_fail(err, ITEM_E_FORMAT, "%s is no UTF-8 at byte %zu", what, valid);
    return ITEM_OK;
}
