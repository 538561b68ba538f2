/* SPDX-License-Identifier: Apache-2.0 */
/* A small head and a small world of pictures, for the tests of heads and training. */
#ifndef TRAIN_TESTS_H
#define TRAIN_TESTS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <item/train.h>

#include "core/head_private.h"
#include "files/files.h"

#include "../files/test_dir.h"

#define WIDTH 6

#define assert_near(a, b, within)                                                                  \
    do {                                                                                           \
        double near_a = (double)(a), near_b = (double)(b);                                         \
        if (!(fabs(near_a - near_b) <= (within)))                                                  \
            fail_msg("%s is %.17g, not %.17g", #a, near_a, near_b);                                \
    } while (0)

#define assert_message(err, part)                                                                  \
    do {                                                                                           \
        if (!strstr((err).message, part))                                                          \
            fail_msg("message \"%s\" lacks \"%s\"", (err).message, part);                          \
    } while (0)

static inline itemi_head_facts test_facts(void)
{
    itemi_head_facts f = {.layout = {1, {{ITEMI_FORM_COSINE, ITEMI_SCOPE_BOTH}}},
                          .layout_name = "cosine/both/1",
                          .vector_width = WIDTH,
                          .embedder = "dummy 1",
                          .pipeline = "captioner a, detector b",
                          .working_size = 224,
                          .working_filter = "bicubic",
                          .size_min = 100,
                          .size_max = 5000,
                          .temperature = 2,
                          .bias = 0.5,
                          .fpr1 = {1.5, 0.01, 300, 3, 0, 0},
                          .fpr5 = {0.75, 0.05, 300, 15, 0, 0},
                          .real_below = -1,
                          .real_share = 0.1,
                          .ai = 200,
                          .scope_limit = 5,
                          .scope_quantile = 0.999,
                          .plain_limit = NAN,
                          .plain_quantile = 0.99,
                          .caption_least = -3,
                          .caption_quantile = 0.01,
                          .trained_on = "a test, \"quoted\" \xc3\xa9",
                          .library = "0.1.0"};
    return f;
}

/* Logit 4 x cosine + objects' mean cosine, every feature in its own unit. */
static inline itemi_head *test_head(const itemi_mem *mem, const itemi_head_facts *facts)
{
    itemi_mlp mlp = {.layers = 1,
                     .width = {itemi_layout_size(&facts->layout, itemi_head_widths(facts)), 1}};
    itemi_head *head = NULL;
    assert_true(itemi_mlp_reserve(NULL, &mlp));
    for (size_t i = 0; i < mlp.width[0]; i++)
        mlp.scale[i] = 1;
    mlp.weight[0][0] = 4;
    if (mlp.width[0] > 3)
        mlp.weight[0][3] = 1;
    (void)itemi_head_make(mem, facts, &mlp, &head, NULL);
    itemi_mlp_free(&mlp);
    return head;
}

/* ---- pictures ---- */

typedef struct test_world {
    uint64_t seed;
    size_t each;     /* pictures of each source and label */
    size_t sources;  /* with both labels */
    double strength; /* how far AI pictures agree less with their captions */
    bool paired;     /* false: even sources are photographs, odd ones AI pictures */
    size_t first;    /* number in the name of the first source */
} test_world;

static inline double test_normal(itemi_rng *rng)
{
    double u = itemi_rng_uniform(rng) + 1e-12, v = itemi_rng_uniform(rng);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

/* A unit vector; near another by `pull` of its length when that is given. */
static inline void test_unit(itemi_rng *rng, const float *near_to, double pull, float *out)
{
    for (size_t i = 0; i < WIDTH; i++)
        out[i] = (float)(test_normal(rng) + (near_to ? pull * (double)near_to[i] : 0));
    assert_true(itemi_normalise(out, WIDTH));
}

static inline item_dataset *test_dataset(void)
{
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    item_dataset *data = NULL;
    info.width = WIDTH;
    info.working_size = 224;
    info.embedder = "dummy 1";
    info.pipeline = "captioner a, detector b";
    info.working_filter = "bicubic";
    assert_int_equal(item_dataset_new(&info, &data, NULL), ITEM_OK);
    return data;
}

static inline void test_add(item_dataset *data, itemi_rng *rng, const test_world *world,
                            size_t source, uint32_t label, size_t number)
{
    float image[WIDTH], text[WIDTH], crops[3 * WIDTH], phrases[3 * WIDTH];
    char names[4][40];
    uint64_t picture[2]; /* no two pictures of two worlds are the same */
    itemi_rng pixels = {world->seed, ((2 * source + label) << 20) + number, 0};
    double pull = label ? 3 - world->strength : 3;
    item_row row = ITEM_ROW_INIT;
    row.label = label;
    row.objects = (uint32_t)itemi_rng_below(rng, 4);
    test_unit(rng, NULL, 0, image);
    test_unit(rng, image, pull, text);
    for (size_t i = 0; i < row.objects; i++) {
        test_unit(rng, NULL, 0, crops + i * WIDTH);
        test_unit(rng, crops + i * WIDTH, pull, phrases + i * WIDTH);
    }
    row.picture_width = 224;
    row.picture_height = 224 + (uint32_t)itemi_rng_below(rng, 100);
    row.file_bytes = 10000 + itemi_rng_below(rng, 5000);
    row.caption_logprob = -1 - itemi_rng_uniform(rng);
    row.image = image;
    row.text = text;
    row.crops = crops;
    row.phrases = phrases;
    snprintf(names[0], sizeof names[0], "%zu/%u/%zu.jpg", source, (unsigned)label, number);
    snprintf(names[1], sizeof names[1], "source %zu", source);
    snprintf(names[2], sizeof names[2], "generator %zu", source);
    snprintf(names[3], sizeof names[3], "scene %zu %zu", source, number / 2);
    row.name = names[0];
    row.source = names[1];
    row.generator = label ? names[2] : "photo";
    row.scene = names[3];
    picture[0] = itemi_rng_next(&pixels);
    picture[1] = itemi_rng_next(&pixels);
    row.picture = (const uint8_t *)picture;
    assert_int_equal(item_dataset_add(data, &row, NULL), ITEM_OK);
}

static inline item_dataset *test_pictures(const test_world *world)
{
    item_dataset *data = test_dataset();
    itemi_rng rng = {world->seed, 77, 0};
    for (size_t s = 0; s < world->sources; s++) {
        for (uint32_t label = 0; label < 2; label++) {
            for (size_t i = 0; i < world->each; i++) {
                if (world->paired || s % 2 == label)
                    test_add(data, &rng, world, world->first + s, label, i);
            }
        }
    }
    return data;
}

#endif
