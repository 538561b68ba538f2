/* SPDX-License-Identifier: Apache-2.0 */
/* The way of OWLv2 to a square picture, against numbers of the reference (make_square.py). */
#include "support.h"

#include <math.h>

#include "../common/test_mem.h"
#include "image/image.h"

#define BOUND 1e-5

/* Rows of square.tsv and the numbers of square.f32, from one to the next. */
typedef struct golden {
    bytes numbers;
    size_t used;
    int rows;
} golden;

static void golden_row(char *line, void *user)
{
    golden *g = user;
    uint32_t seed, w, h, edge, step;
    double pad;
    assert_int_equal(sscanf(line, "%u\t%u\t%u\t%u\t%lf\t%u", &seed, &w, &h, &edge, &pad, &step), 6);
    uint8_t *src = malloc((size_t)w * h * 3);
    noise(seed, src, (size_t)w * h * 3);
    size_t count = (size_t)edge * edge * 3;
    float *out = malloc(count * sizeof *out), worst = 0.0f;
    item_error err = ITEM_ERROR_INIT;
    if (itemi_resize_square(NULL, src, w, h, NULL, edge, pad, out, &err))
        fail_msg("%s: %s", line, err.message);
    for (size_t i = 0; i < count; i += step) {
        float expected;
        assert_true(g->used + sizeof expected <= g->numbers.size);
        memcpy(&expected, g->numbers.data + g->used, sizeof expected);
        g->used += sizeof expected;
        worst = fmaxf(worst, fabsf(expected - out[i]));
    }
    if (!((double)worst <= BOUND))
        fail_msg("%s: %g off", line, (double)worst);
    free(src);
    free(out);
    g->rows++;
}

static void golden_cases(void **state)
{
    (void)state;
    golden g = {.numbers = read_bytes(GOLDEN "/square.f32")};
    each_line(GOLDEN "/square.tsv", golden_row, &g);
    assert_true(g.rows >= 15);
    assert_int_equal(g.used, g.numbers.size);
    free(g.numbers.data);
}

/* A box gives what its pixels give alone. */
static void a_box_is_a_picture(void **state)
{
    (void)state;
    enum { WIDTH = 31, HEIGHT = 23, X = 4, Y = 9, W = 17, H = 11, EDGE = 9 };
    uint8_t all[WIDTH * HEIGHT * 3], cut[W * H * 3];
    noise(5, all, sizeof all);
    for (int y = 0; y < H; y++)
        memcpy(cut + (size_t)y * W * 3, all + ((size_t)(Y + y) * WIDTH + X) * 3, (size_t)W * 3);
    const double box[4] = {X, Y, X + W, Y + H};
    float boxed[EDGE * EDGE * 3], alone[EDGE * EDGE * 3];
    assert_int_equal(itemi_resize_square(NULL, all, WIDTH, HEIGHT, box, EDGE, 0.25, boxed, NULL),
                     ITEM_OK);
    assert_int_equal(itemi_resize_square(NULL, cut, W, H, NULL, EDGE, 0.25, alone, NULL), ITEM_OK);
    assert_memory_equal(boxed, alone, sizeof boxed);
}

static void refuses(const double *box, uint32_t edge, double pad)
{
    const uint8_t src[10 * 8 * 3] = {0};
    float out[4 * 4 * 3];
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_resize_square(NULL, src, 10, 8, box, edge, pad, out, &err),
                     ITEM_E_ARGUMENT);
    assert_non_null(strstr(err.message, "a square of"));
}

static void bad_arguments(void **state)
{
    (void)state;
    const double nan = strtod("nan", NULL);
    const double boxes[][4] = {{0, 0, 11, 8},  {0, 0, 10, 9},   {-1, 0, 10, 8},  {5, 0, 5, 8},
                               {0.5, 0, 5, 8}, {0, 0, 10, 7.5}, {0, nan, 10, 8}, {0, 0, 1e300, 8}};
    for (size_t i = 0; i < ITEMI_COUNT(boxes); i++)
        refuses(boxes[i], 4, 0.0);
    refuses(NULL, 0, 0.0);
    refuses(NULL, 4, -0.1);
    refuses(NULL, 4, 1.5);
    refuses(NULL, 4, nan);
}

static void memory_runs_out(void **state)
{
    (void)state;
    uint8_t src[40 * 5 * 3] = {0};
    float out[8 * 8 * 3];
    long calls = 0;
    item_status status = ITEM_E_MEMORY;
    while (status != ITEM_OK) {
        test_mem t;
        test_mem_init(&t, calls++);
        item_error err = ITEM_ERROR_INIT;
        status = itemi_resize_square(&t.mem, src, 5, 40, NULL, 8, 0.0, out, &err);
        assert_true(status == ITEM_OK || status == ITEM_E_MEMORY);
        assert_int_equal(t.live, 0);
    }
    assert_true(calls > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_cases),
        cmocka_unit_test(a_box_is_a_picture),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
