/* SPDX-License-Identifier: Apache-2.0 */
/* The search for captions and the choice among boxes, on numbers written by hand. */
#include <math.h>
#include <string.h>

#include "backends/torch/nets.h"

#include "cmocka_all.h"

#define WORDS 8 /* 0 to 3 are special, 2 is the end */

static const itx_draw none = {0};

static void fill(float *row, float rest)
{
    for (int i = 0; i < WORDS; i++)
        row[i] = rest;
}

static void greedy_takes_the_best_word(void **state)
{
    itx_search s;
    float p[WORDS];
    size_t parents[ITX_BEAMS];
    int32_t words[ITX_BEAMS];
    (void)state;
    itx_search_start(&s, 1, 20, 0.7, none);
    fill(p, -5.0f);
    p[0] = p[1] = p[3] = 0.0f; /* never said */
    p[2] = -0.1f;              /* not before a word */
    p[5] = -1.0f;
    p[6] = -1.5f;
    itx_search_step(&s, p, WORDS, parents, words);
    assert_false(s.over);
    assert_int_equal(s.live, 1);
    assert_int_equal(words[0], 5);
    assert_true(fabs(s.margin - 0.5) < 1e-6);
    itx_search_step(&s, p, WORDS, parents, words); /* now the end is allowed */
    assert_true(s.over);
    assert_int_equal(s.best.length, 1);
    assert_int_equal(s.best.words[0], 5);
    assert_int_equal(s.best_tokens, 2);
    assert_true(fabs(s.best.sum + 1.1) < 1e-6);
    assert_true(fabs(s.best_score + 1.1 / pow(2.0, 0.7)) < 1e-6);
}

static void ties_go_to_the_lower(void **state)
{
    itx_search s;
    float p[3 * WORDS];
    size_t parents[ITX_BEAMS];
    int32_t words[ITX_BEAMS];
    (void)state;
    itx_search_start(&s, 3, 20, 0.0, none);
    fill(p, -1.0f);
    itx_search_step(&s, p, WORDS, parents, words); /* one live beam, all words alike */
    assert_int_equal(s.live, 3);
    assert_int_equal(words[0], 4);
    assert_int_equal(words[1], 5);
    assert_int_equal(words[2], 6);
    assert_true(s.margin == 0.0);
    for (int i = 0; i < 3; i++)
        fill(p + i * WORDS, -1.0f);
    p[2] = p[WORDS + 2] = p[2 * WORDS + 2] = -9.0f;
    itx_search_step(&s, p, WORDS, parents, words);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(parents[i], 0);
        assert_int_equal(words[i], 4 + i);
        assert_int_equal(s.now[i].words[0], 4);
    }
}

static void ended_captions_leave_the_beam(void **state)
{
    itx_search s;
    float p[2 * WORDS];
    size_t parents[ITX_BEAMS];
    int32_t words[ITX_BEAMS];
    (void)state;
    itx_search_start(&s, 2, 3, 1.0, none);
    fill(p, -9.0f);
    p[4] = -1.0f;
    p[7] = -2.0f;
    itx_search_step(&s, p, WORDS, parents, words); /* 4: -1, 7: -2 */
    fill(p, -9.0f);
    fill(p + WORDS, -9.0f);
    p[2] = -0.5f;         /* "4" ends: -1.5 */
    p[WORDS + 5] = -0.1f; /* "7 5": -2.1 */
    itx_search_step(&s, p, WORDS, parents, words);
    assert_int_equal(s.finished, 1);
    assert_int_equal(s.live, 1);
    assert_int_equal(parents[0], 1);
    assert_int_equal(words[0], 5);
    assert_true(fabs(s.best_score + 0.75) < 1e-6); /* two tokens, alpha 1 */
    fill(p, -9.0f);
    p[6] = -0.01f; /* "7 5 6": -2.11, the third word is the last: three tokens */
    itx_search_step(&s, p, WORDS, parents, words);
    assert_true(s.over);
    assert_int_equal(s.best.length, 3);
    assert_int_equal(s.best.words[2], 6);
    assert_int_equal(s.best_tokens, 3);
    assert_true(fabs(s.best_score + 2.11 / 3.0) < 1e-6);
    assert_true(s.margin <= 0.75 - 2.11 / 3.0 + 1e-6); /* between the two that ended */
}

static void words_that_are_not_numbers_are_not_said(void **state)
{
    itx_search s;
    float p[WORDS];
    size_t parents[ITX_BEAMS];
    int32_t words[ITX_BEAMS];
    (void)state;
    itx_search_start(&s, 2, 20, 0.0, none);
    for (int i = 0; i < WORDS; i++)
        p[i] = NAN;
    itx_search_step(&s, p, WORDS, parents, words);
    assert_true(s.over);
    assert_int_equal(s.best.length, 0);
}

/* ---- words that are drawn ---- */

/* Of many seeds as many draw each word as softmax(logits / temperature) says. */
static void draws_follow_the_temperature(void **state)
{
    enum { SEEDS = 20000 };
    static const float p[WORDS] = {-20, -20, -20, -20, -0.2f, -1.2f, -2.2f, -4.2f};
    static const double temperatures[] = {0.5, 1.0, 2.0};
    (void)state;
    for (size_t t = 0; t < 3; t++) {
        double share[WORDS] = {0}, total = 0.0;
        size_t seen[WORDS] = {0};
        for (int i = 4; i < WORDS; i++)
            total += share[i] = exp((double)p[i] / temperatures[t]);
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            const itx_draw draw = {temperatures[t], seed};
            itx_search s;
            size_t parents[ITX_BEAMS];
            int32_t words[ITX_BEAMS];
            itx_search_start(&s, 1, 20, 0.0, draw);
            itx_search_step(&s, p, WORDS, parents, words);
            assert_true(s.now[0].sum == (double)p[words[0]]); /* without the noise */
            seen[words[0]]++;
        }
        for (int i = 4; i < WORDS; i++) {
            const double wanted = share[i] / total, got = (double)seen[i] / SEEDS;
            const double deviation = sqrt(wanted * (1.0 - wanted) / SEEDS);
            assert_true(fabs(got - wanted) < 4.0 * deviation);
        }
    }
}

/* Pictures and places have draws of their own; nothing is drawn where it is not asked for. */
static void draws_are_told_apart(void **state)
{
    static const float a[2] = {0.25f, -1.0f}, b[2] = {-1.0f, 0.25f};
    const itx_draw asked = {1.5, 7};
    const itx_draw one = itx_draw_for(&asked, a, 2), two = itx_draw_for(&asked, b, 2);
    (void)state;
    assert_true(itx_draw_noise(&one, 0, 5) == itx_draw_noise(&one, 0, 5));
    assert_true(itx_draw_noise(&one, 0, 5) != itx_draw_noise(&two, 0, 5));
    assert_true(itx_draw_noise(&one, 0, 5) != itx_draw_noise(&one, 1, 5));
    assert_true(itx_draw_noise(&one, 0, 5) != itx_draw_noise(&one, 0, 6));
    assert_true(itx_draw_noise(&none, 0, 5) == 0.0);
    item_caption_options options = {.struct_size = sizeof options, .temperature = 2.0, .seed = 3};
    assert_true(itx_draw_of(&options).temperature == 2.0 && itx_draw_of(&options).seed == 3);
    options.struct_size = offsetof(item_caption_options, temperature); /* of an earlier host */
    assert_true(itx_draw_of(&options).temperature == 0.0);
    assert_true(itx_draw_of(NULL).temperature == 0.0);
}

/* ---- boxes ---- */

#define CLASSES 2
#define BINS    4
#define EACH    (CLASSES + 4 * BINS)

typedef struct grid {
    itx_nanodet d;
    float level[ITX_LEVELS][64 * EACH];
    const float *raw[ITX_LEVELS];
} grid;

/* A picture of 64 x 64: 8 x 8, 4 x 4 and 2 x 2 cells that hold nothing. */
static void grid_init(grid *g)
{
    memset(g, 0, sizeof *g);
    g->d.pixels.edge = 64;
    g->d.classes = CLASSES;
    g->d.bins = BINS;
    g->d.nms_iou = 0.6;
    for (int l = 0; l < ITX_LEVELS; l++) {
        g->raw[l] = g->level[l];
        for (int c = 0; c < 64; c++)
            for (int k = 0; k < CLASSES; k++)
                g->level[l][c * EACH + k] = -20.0f;
    }
}

/* A cell of a level sees class 0; its sides are `bin` strides long. */
static void put(grid *g, int level, int cell, float logit, int bin)
{
    float *n = g->level[level] + cell * EACH;
    n[0] = logit;
    for (int side = 0; side < 4; side++)
        n[CLASSES + side * BINS + bin] = 50.0f;
}

static void boxes_are_decoded(void **state)
{
    grid g;
    itx_box out[84];
    (void)state;
    grid_init(&g);
    put(&g, 0, 3 * 8 + 4, 2.0f, 2); /* row 3, column 4: centre 36, 28; sides 16 */
    assert_int_equal(itx_boxes_of_class(&g.d, g.raw, 0, 0.35, 84, out), 1);
    assert_true(fabs(out[0].score - 1.0 / (1.0 + exp(-2.0))) < 1e-6);
    const double wanted[4] = {20.0, 12.0, 52.0, 44.0};
    for (int i = 0; i < 4; i++)
        assert_true(fabs(out[0].corners[i] - wanted[i]) < 1e-6);
    assert_int_equal(itx_boxes_of_class(&g.d, g.raw, 1, 0.35, 84, out), 0);
    assert_int_equal(itx_boxes_of_class(&g.d, g.raw, 0, 0.9, 84, out), 0);
}

static void boxes_are_clipped_and_suppressed(void **state)
{
    grid g;
    itx_box out[84];
    (void)state;
    grid_init(&g);
    put(&g, 2, 0, 3.0f, 1);         /* stride 32: centre 16, 16, sides 32: clipped at 0 */
    put(&g, 1, 0 * 4 + 1, 1.0f, 2); /* stride 16: centre 24, 8, sides 32: 0 to 56, 0 to 40 */
    put(&g, 0, 63, 0.0f, 1);        /* far away: 52 to 64 */
    const size_t n = itx_boxes_of_class(&g.d, g.raw, 0, 0.35, 84, out);
    assert_int_equal(n, 2); /* 48 x 48 and 56 x 40 overlap by 0.74 */
    assert_true(out[0].score > out[1].score);
    assert_true(out[0].corners[0] == 0.0 && fabs(out[0].corners[2] - 48.0) < 1e-6);
    assert_true(fabs(out[1].corners[2] - 64.0) < 1e-6);
    assert_int_equal(itx_boxes_of_class(&g.d, g.raw, 0, 0.35, 1, out), 1);
    assert_true(fabs(out[0].corners[2] - 48.0) < 1e-6);
    g.d.nms_iou = 0.8;
    assert_int_equal(itx_boxes_of_class(&g.d, g.raw, 0, 0.35, 84, out), 3);
}

static void boxes_without_area_are_left_out(void **state)
{
    grid g;
    itx_box out[84];
    (void)state;
    grid_init(&g);
    put(&g, 0, 0, 3.0f, 0); /* sides of 0 */
    assert_int_equal(itx_boxes_of_class(&g.d, g.raw, 0, 0.35, 84, out), 0);
    g.level[0][EACH] = NAN;
    assert_int_equal(itx_boxes_of_class(&g.d, g.raw, 0, 0.35, 84, out), 0);
}

/* ---- numbers in metadata ---- */

static void numbers_do_not_ask_the_locale(void **state)
{
    double n[4];
    (void)state;
    assert_int_equal(itx_numbers("[0.485, -2, 1e-12]", n, 4), 3);
    assert_true(n[0] == 0.485 && n[1] == -2.0 && n[2] == 1e-12);
    assert_int_equal(itx_numbers("7", n, 4), 1);
    assert_int_equal(itx_numbers("none - at . all", n, 4), 0);
    assert_int_equal(itx_numbers("", n, 4), 0);
    assert_int_equal(itx_numbers("1 2 3 4 5", n, 4), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greedy_takes_the_best_word),
        cmocka_unit_test(ties_go_to_the_lower),
        cmocka_unit_test(ended_captions_leave_the_beam),
        cmocka_unit_test(words_that_are_not_numbers_are_not_said),
        cmocka_unit_test(draws_follow_the_temperature),
        cmocka_unit_test(draws_are_told_apart),
        cmocka_unit_test(boxes_are_decoded),
        cmocka_unit_test(boxes_are_clipped_and_suppressed),
        cmocka_unit_test(boxes_without_area_are_left_out),
        cmocka_unit_test(numbers_do_not_ask_the_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
