/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures of coloured shapes, parts of them, phrases and texts: what backends are asked about. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance.h"

enum { OWN = 6, PHRASES = 4 };

static const uint32_t sizes[OWN][2] = {{224, 224}, {300, 200}, {64, 500},
                                       {1, 1},     {17, 3},    {640, 480}};
static const char *const own_phrases[PHRASES] = {"a dog", "the person", "!!!",
                                                 "a thing that nobody has a name for"};

sample_list samples[ALL_SUBJECTS];
static const char *phrases[PHRASES + MOST_GIVEN]; /* the user's, then ours */
static char longest[MOST_TEXT + 1];

/* ---- pictures ---- */

static void paint(uint32_t seed, uint32_t width, uint32_t height, uint8_t *rgb)
{
    static const uint8_t colours[6][3] = {{200, 30, 30},  {40, 80, 200},   {40, 150, 50},
                                          {240, 220, 40}, {240, 240, 240}, {30, 30, 30}};
    const uint8_t *ground = colours[(seed + 4) % 6], *disc = colours[seed % 6],
                  *bar = colours[(seed + 1) % 6];
    double radius = 0.3 * (width < height ? width : height);
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            double dx = x - 0.35 * width, dy = y - 0.4 * height;
            bool in_bar = x >= 0.7 * width && x < 0.9 * width && y >= 0.2 * height;
            const uint8_t *c = dx * dx + dy * dy < radius * radius ? disc : in_bar ? bar : ground;
            uint8_t *pixel = rgb + ((size_t)y * width + x) * 3;
            uint32_t grain = (x * 7919u + y * 104729u + seed * 31u) % 13u;
            for (size_t i = 0; i < 3; i++)
                pixel[i] = (uint8_t)(c[i] < 128 ? c[i] + grain : c[i] - grain);
        }
}

item_image *make_picture(uint32_t seed, uint32_t width, uint32_t height,
                         const item_allocator *allocator)
{
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    options.allocator = allocator;
    uint8_t *rgb = malloc((size_t)width * height * 3);
    item_image *image = NULL;
    if (rgb) {
        paint(seed, width, height, rgb);
        (void)item_image_from_pixels(rgb, ITEM_PIXELS_RGB, width, height, (size_t)width * 3,
                                     &options, &image, NULL);
    }
    free(rgb);
    return image;
}

static item_image *load(const char *path)
{
    item_error err = ITEM_ERROR_INIT;
    item_image *image = NULL;
    if (item_image_from_file(path, NULL, &image, &err) != ITEM_OK)
        fprintf(stderr, "%s\n", err.message);
    return image;
}

/* ---- lists ---- */

static sample *add(subject s)
{
    sample_list *list = &samples[s];
    return &list->items[list->count++];
}

static void add_crop(item_image *image, double x0, double y0, double x1, double y1)
{
    *add(CROPS) = (sample){.image = image, .box = {x0, y0, x1, y1}};
    *add(LAYERS) = samples[CROPS].items[samples[CROPS].count - 1];
}

static void add_picture(item_image *image, size_t count)
{
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    (void)item_image_get_info(image, &info, NULL);
    *add(CAPTIONS) = (sample){.image = image};
    *add(BOXES) = (sample){.image = image, .phrases = phrases, .count = count};
    add_crop(image, 0, 0, info.width, info.height);
}

/* Parts of the largest picture: thinner than a pixel, between pixels, at the edges. */
static void add_parts(item_image *image)
{
    add_crop(image, 100.25, 50.5, 300.75, 400.125);
    add_crop(image, 10.3, 20, 10.4, 460);
    add_crop(image, 320.9, 240.9, 321.1, 241.1);
    add_crop(image, 639.5, 479.5, 640, 480);
    add_crop(image, 0, 0, 1e-6, 1e-6);
}

static void add_texts(void)
{
    for (size_t i = 0; i < MOST_TEXT; i++)
        longest[i] = "dog "[i % 4];
    const char *const texts[] = {"a dog",
                                 "",
                                 "two cats on a sofa",
                                 "\xf0\x9f\x90\xb6 #cute",
                                 "\n\t ",
                                 "\xe7\x8a\xac\xe3\x81\xae",
                                 "a red disc",
                                 longest + MOST_TEXT - 5000,
                                 longest};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        add(TEXTS)->text = texts[i];
}

/* Texts of unlike length, two for each of some pictures. */
static void add_scored(void)
{
    static const char *const texts[] = {
        "a dog on the grass",     "",     "two people in red jackets stand beside a car", "a dog",
        "\xf0\x9f\x90\xb6 #cute", "\n\t "};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const size_t picture = i / 2 % samples[CAPTIONS].count;
        *add(SCORES) = (sample){.image = samples[CAPTIONS].items[picture].image, .text = texts[i]};
    }
}

bool samples_make(const char *const *pictures, size_t n, const char *const *given, size_t count)
{
    if (count)
        memcpy(phrases, given, count * sizeof given[0]);
    memcpy(phrases + count, own_phrases, sizeof own_phrases);
    for (size_t i = 0; i < n + OWN; i++) {
        item_image *image =
            i < n ? load(pictures[i])
                  : make_picture((uint32_t)(i - n), sizes[i - n][0], sizes[i - n][1], NULL);
        if (!image)
            return false;
        add_picture(image, count + PHRASES);
    }
    add_parts(samples[CAPTIONS].items[n + OWN - 1].image);
    add_texts();
    add_scored();
    for (size_t i = 0; i < count; i++)
        add(TEXTS)->text = given[i];
    return true;
}

void samples_free(void)
{
    for (size_t i = 0; i < samples[CAPTIONS].count; i++)
        item_image_unref(samples[CAPTIONS].items[i].image);
}

uint64_t samples_sum(void)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < samples[CAPTIONS].count; i++) {
        item_image_info info = ITEM_IMAGE_INFO_INIT;
        const item_image *image = samples[CAPTIONS].items[i].image;
        (void)item_image_get_info(image, &info, NULL);
        const uint8_t *pixels = item_image_pixels(image);
        for (size_t j = 0; j < (size_t)info.width * info.height * 3; j++)
            sum = sum * 31 + pixels[j];
    }
    return sum;
}
