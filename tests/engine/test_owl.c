/* SPDX-License-Identifier: Apache-2.0 */
/* Boxes of OWL-ViT from raw numbers written by hand. */
#include <math.h>
#include <string.h>

#include "backends/torch/owl.h"

#include "cmocka_all.h"

enum { PLACES = 4, QUERIES = 3 };

/* A grid of 2 x 2; every place is sure of nothing. */
typedef struct world {
    float cosines[PLACES * QUERIES], shift_scale[PLACES * 2], boxes[PLACES * 4], bias[PLACES * 4];
    itx_owl_raw raw;
    itx_owl_box found[PLACES];
} world;

static void make(world *w)
{
    memset(w, 0, sizeof *w);
    itx_owl_bias(w->bias, 2);
    w->raw = (itx_owl_raw){.places = PLACES,
                           .queries = QUERIES,
                           .cosines = w->cosines,
                           .shift_scale = w->shift_scale,
                           .boxes = w->boxes,
                           .bias = w->bias,
                           .scale = {200.0f, 100.0f}};
}

static void near(double a, double b, double bound)
{
    if (!(fabs(a - b) <= bound))
        fail_msg("%g, not %g", a, b);
}

static void boxes_begin_at_their_places(void **state)
{
    world w;
    bool finite = false;
    (void)state;
    make(&w);
    assert_int_equal(itx_owl_boxes(&w.raw, 0.0, w.found, &finite), PLACES);
    assert_true(finite);
    /* the middle of a place is its lower right corner, and a place is half of the picture wide */
    const double corners[PLACES][4] = {
        {50, 25, 150, 75}, {150, 25, 250, 75}, {50, 75, 150, 125}, {150, 75, 250, 125}};
    for (int p = 0; p < PLACES; p++) {
        for (int i = 0; i < 4; i++)
            near(w.found[p].corners[i], corners[p][i], 0.05);
        near((double)w.found[p].score, 0.5, 1e-7);
        assert_int_equal(w.found[p].query, 0); /* the first of equal ones */
    }
}

/* (cosine + shift) x (elu(scale) + 1) */
static void scores_are_shifted_and_scaled(void **state)
{
    world w;
    bool finite = false;
    (void)state;
    make(&w);
    w.cosines[0 * QUERIES + 2] = 0.5f;
    w.shift_scale[0] = 0.25f;
    w.shift_scale[1] = 3.0f; /* 0.75 x 4 */
    w.cosines[1 * QUERIES + 1] = 0.5f;
    w.shift_scale[3] = -1.0f; /* 0.5 x exp(-1) */
    w.shift_scale[4] = w.shift_scale[6] = -9.0f;
    assert_int_equal(itx_owl_boxes(&w.raw, 0.5, w.found, &finite), 2);
    assert_int_equal(w.found[0].query, 2);
    assert_int_equal(w.found[1].query, 1);
    near((double)w.found[0].score, 1.0 / (1.0 + exp(-3.0)), 1e-6);
    near((double)w.found[1].score, 1.0 / (1.0 + exp(-0.5 * exp(-1.0))), 1e-6);
    /* one that lies at the threshold is not above it */
    assert_int_equal(itx_owl_boxes(&w.raw, (double)w.found[1].score, w.found, &finite), 1);
}

static void numbers_must_be_finite(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        world w;
        bool finite = true;
        make(&w);
        (i == 0 ? w.cosines : i == 1 ? w.shift_scale : w.boxes)[i] = i == 1 ? -INFINITY : NAN;
        assert_int_equal(itx_owl_boxes(&w.raw, 0.1, w.found, &finite), 0);
        assert_false(finite);
    }
}

static void the_best_are_sorted_and_cut(void **state)
{
    itx_owl_box boxes[] = {
        {1, {-10, 10, 20, 30}, 0.2f}, {0, {5, 5, 300, 30}, 0.6f},    {1, {1, 1, 9, 9}, 0.7f},
        {1, {2, 2, 9, 9}, 0.65f},     {0, {210, 10, 220, 20}, 0.9f}, {2, {1, 1, 1, 1}, 0.8f},
    };
    const double size[2] = {200, 100};
    (void)state;
    assert_int_equal(itx_owl_best(boxes, 6, 2, size), 3);
    near((double)boxes[0].score, 0.7, 1e-6);
    near((double)boxes[1].score, 0.65, 1e-6);
    near((double)boxes[2].score, 0.6, 1e-6);
    assert_int_equal(boxes[2].query, 0);
    near(boxes[2].corners[2], 200, 0);
    assert_int_equal(itx_owl_best(boxes, 0, 2, size), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_begin_at_their_places),
        cmocka_unit_test(scores_are_shifted_and_scaled),
        cmocka_unit_test(numbers_must_be_finite),
        cmocka_unit_test(the_best_are_sorted_and_cut),
    };
    return cmocka_run_group_tests_name("engine: boxes of OWL-ViT", tests, NULL, NULL);
}
