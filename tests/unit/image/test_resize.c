/* SPDX-License-Identifier: Apache-2.0 */
/* Resizing against Pillow's bytes, by digest, and the loops of the processor against plain C. */
#include <math.h>

#include "support.h"

#include "../common/test_mem.h"
#include "image/resize.h"

static itemi_filter filter_of(const char *name)
{
    return strcmp(name, "bilinear") == 0  ? ITEMI_FILTER_BILINEAR
           : strcmp(name, "bicubic") == 0 ? ITEMI_FILTER_BICUBIC
                                          : ITEMI_FILTER_LANCZOS;
}

static uint8_t *make_source(const char *kind, uint32_t seed, size_t size)
{
    uint8_t *data = malloc(size);
    noise(seed, data, size);
    for (size_t i = 0; i < size && strcmp(kind, "edges") == 0; i++)
        data[i] = data[i] > 127 ? 255 : 0;
    return data;
}

static void golden_row(char *line, void *user)
{
    char shown[512];
    snprintf(shown, sizeof shown, "%.400s", line);
    const char *kind = field(&line);
    uint32_t seed = (uint32_t)atoi(field(&line)), w, h, width, height;
    assert_int_equal(sscanf(field(&line), "%u %u", &w, &h), 2);
    assert_int_equal(sscanf(field(&line), "%u %u", &width, &height), 2);
    double box[4];
    bool boxed = sscanf(field(&line), "%lf %lf %lf %lf", box, box + 1, box + 2, box + 3) == 4;
    uint32_t part[4] = {0, 0, width, height};
    sscanf(field(&line), "%u %u %u %u", part, part + 1, part + 2, part + 3);
    itemi_filter filter = filter_of(field(&line));

    uint8_t *src = make_source(kind, seed, (size_t)w * h * 3);
    size_t size = (size_t)(part[2] - part[0]) * (part[3] - part[1]) * 3;
    uint8_t *dst = malloc(size);
    item_error err = ITEM_ERROR_INIT;
    if (itemi_resize_part(NULL, src, w, h, boxed ? box : NULL, width, height, filter, part, dst,
                          &err))
        fail_msg("%s: %s", shown, err.message);
    char hex[SHA256_HEX];
    sha256(dst, size, hex);
    if (strcmp(hex, field(&line)) != 0)
        fail_msg("other bytes: %s", shown);
    free(src);
    free(dst);
    (*(int *)user)++;
}

static void golden_cases(void **state)
{
    (void)state;
    int count = 0;
    each_line(GOLDEN "/resize.tsv", golden_row, &count);
    assert_true(count >= 126);
}

/* Every part of a result, also from a box. */
static void a_part_is_cut_out(void **state)
{
    (void)state;
    enum { WIDTH = 20, HEIGHT = 13 };
    uint8_t src[40 * 60 * 3], all[WIDTH * HEIGHT * 3], part[sizeof all];
    noise(7, src, sizeof src);
    const double boxes[][4] = {{0, 0, 40, 60}, {3.5, 1.25, 39, 17}, {7, 9, 7 + WIDTH, 9 + HEIGHT}};
    for (size_t b = 0; b < ITEMI_COUNT(boxes); b++) {
        assert_int_equal(itemi_resize_rgb(NULL, src, 40, 60, boxes[b], all, WIDTH, HEIGHT,
                                          ITEMI_FILTER_BICUBIC, NULL),
                         ITEM_OK);
        for (uint32_t x = 0; x < WIDTH; x += 3) {
            const uint32_t y = x * HEIGHT / WIDTH, p[4] = {x, y, x + 1 + x % 4, y + 1};
            const uint32_t in[4] = {p[0], p[1], p[2] < WIDTH ? p[2] : WIDTH, p[3]};
            assert_int_equal(itemi_resize_part(NULL, src, 40, 60, boxes[b], WIDTH, HEIGHT,
                                               ITEMI_FILTER_BICUBIC, in, part, NULL),
                             ITEM_OK);
            assert_memory_equal(part, all + ((size_t)y * WIDTH + x) * 3, (in[2] - x) * 3);
        }
    }
}

/* A box that is cut out is a picture of its own: nothing around it counts. */
static void a_cut_is_a_picture_of_its_own(void **state)
{
    (void)state;
    enum { LEFT = 9, TOP = 4, WIDTH = 23, HEIGHT = 31, EDGE = 12 };
    static const uint32_t all[4] = {0, 0, EDGE, EDGE};
    const double cut[4] = {LEFT, TOP, LEFT + WIDTH, TOP + HEIGHT};
    uint8_t src[40 * 60 * 3], alone[WIDTH * HEIGHT * 3], wanted[EDGE * EDGE * 3],
        out[sizeof wanted];
    noise(5, src, sizeof src);
    for (int y = 0; y < HEIGHT; y++)
        memcpy(alone + y * WIDTH * 3, src + ((y + TOP) * 40 + LEFT) * 3, WIDTH * 3);
    for (itemi_filter f = ITEMI_FILTER_BILINEAR; f <= ITEMI_FILTER_LANCZOS; f++) {
        assert_int_equal(
            itemi_resize_rgb(NULL, alone, WIDTH, HEIGHT, NULL, wanted, EDGE, EDGE, f, NULL),
            ITEM_OK);
        assert_int_equal(itemi_resize_cut(NULL, src, 40, 60, cut, EDGE, EDGE, f, all, out, NULL),
                         ITEM_OK);
        assert_memory_equal(out, wanted, sizeof out);
    }
}

static void bad_cuts(void **state)
{
    (void)state;
    const uint8_t src[10 * 10 * 3] = {0};
    static const uint32_t all[4] = {0, 0, 4, 4};
    static const double cuts[][4] = {{0, 0, 11, 4}, {-1, 0, 4, 4}, {3, 3, 3, 4}, {0, 0, NAN, 4}};
    uint8_t dst[4 * 4 * 3];
    for (size_t i = 0; i < ITEMI_COUNT(cuts); i++)
        assert_int_equal(itemi_resize_cut(NULL, src, 10, 10, cuts[i], 4, 4, ITEMI_FILTER_BICUBIC,
                                          all, dst, NULL),
                         ITEM_E_ARGUMENT);
}

static void bad_parts(void **state)
{
    (void)state;
    const uint8_t src[10 * 10 * 3] = {0};
    uint8_t dst[4 * 4 * 3];
    static const uint32_t parts[][4] = {{0, 0, 5, 4}, {0, 0, 4, 5}, {2, 0, 2, 4},
                                        {0, 3, 4, 3}, {3, 0, 2, 4}, {4, 4, 5, 5}};
    for (size_t i = 0; i < ITEMI_COUNT(parts); i++) {
        item_error err = ITEM_ERROR_INIT;
        assert_int_equal(itemi_resize_part(NULL, src, 10, 10, NULL, 4, 4, ITEMI_FILTER_BICUBIC,
                                           parts[i], dst, &err),
                         ITEM_E_ARGUMENT);
        assert_non_null(strstr(err.message, "part"));
    }
}

static void across_is_the_same_everywhere(void **state)
{
    (void)state;
    enum { WIDTH = 333 };
    uint8_t src[ITEMI_LANE_ROWS][3 * WIDTH], plain[ITEMI_LANE_ROWS][3 * 500],
        best[ITEMI_LANE_ROWS][3 * 500];
    noise(11, src[0], sizeof src);
    for (uint32_t count = 7; count <= 500; count += 37) {
        itemi_weights w;
        const itemi_axis axis = {WIDTH, 1.5f, 331.25f, count, 0, count};
        assert_int_equal(
            itemi_weights_make(NULL, &axis, ITEMI_FILTER_LANCZOS, ITEMI_LANE_PIXELS, &w, NULL),
            ITEM_OK);
        assert_true(w.taps <= WIDTH && w.last <= WIDTH);
        assert_int_equal(itemi_weights_triple(&w, NULL), ITEM_OK);
        const uint8_t *from[ITEMI_LANE_ROWS];
        uint8_t *to_plain[ITEMI_LANE_ROWS], *to_best[ITEMI_LANE_ROWS];
        for (int r = 0; r < ITEMI_LANE_ROWS; r++) {
            from[r] = src[r];
            to_plain[r] = plain[r];
            to_best[r] = best[r];
        }
        itemi_kernels_plain.across(&w, from, to_plain);
        itemi_kernels_best()->across(&w, from, to_best);
        for (int r = 0; r < ITEMI_LANE_ROWS; r++)
            assert_memory_equal(plain[r], best[r], 3 * count);
        itemi_weights_free(&w);
    }
}

static void down_is_the_same_everywhere(void **state)
{
    (void)state;
    enum { STRIDE = 301, ROWS = 64 };
    uint8_t src[STRIDE * ROWS], plain[STRIDE], best[STRIDE];
    noise(12, src, sizeof src);
    itemi_weights w;
    const itemi_axis axis = {ROWS, 0.0f, ROWS, 9, 0, 9};
    assert_int_equal(itemi_weights_make(NULL, &axis, ITEMI_FILTER_BICUBIC, 1, &w, NULL), ITEM_OK);
    for (uint32_t i = 0; i < w.count; i++) {
        for (size_t size = 1; size <= STRIDE; size += 23) {
            const uint8_t *from = src + w.start[i] * STRIDE;
            itemi_kernels_plain.down(w.k + i * w.taps, w.taps, from, STRIDE, plain, size);
            itemi_kernels_best()->down(w.k + i * w.taps, w.taps, from, STRIDE, best, size);
            assert_memory_equal(plain, best, size);
        }
    }
    itemi_weights_free(&w);
}

static void bad_arguments(void **state)
{
    (void)state;
    uint8_t src[10 * 10 * 3] = {0}, dst[4 * 4 * 3];
    static const double boxes[][4] = {{0, 0, 11, 10},      {0, 0, 10, 10.5},  {-0.5, 0, 10, 10},
                                      {5, 0, 5, 10},       {6, 0, 5, 10},     {0, 3, 10, 3},
                                      {0.0 / 1, 1, 0, 10}, {0, 0, 1e300, 10}, {0, 0, -1e300, 5}};
    for (size_t i = 0; i < sizeof boxes / sizeof boxes[0]; i++) {
        item_error err = ITEM_ERROR_INIT;
        assert_int_equal(
            itemi_resize_rgb(NULL, src, 10, 10, boxes[i], dst, 4, 4, ITEMI_FILTER_BICUBIC, &err),
            ITEM_E_ARGUMENT);
        assert_non_null(strstr(err.message, "box"));
    }
    double nan_box[4] = {0, 0, strtod("nan", NULL), 10};
    assert_int_equal(
        itemi_resize_rgb(NULL, src, 10, 10, nan_box, dst, 4, 4, ITEMI_FILTER_BICUBIC, NULL),
        ITEM_E_ARGUMENT);
    assert_int_equal(
        itemi_resize_rgb(NULL, src, 10, 10, NULL, dst, 0, 4, ITEMI_FILTER_BICUBIC, NULL),
        ITEM_E_ARGUMENT);
    assert_int_equal(itemi_resize_rgb(NULL, src, 10, 10, NULL, dst, 4, 4, (itemi_filter)9, NULL),
                     ITEM_E_ARGUMENT);
}

static void a_resized_picture(void **state)
{
    (void)state;
    uint8_t pixels[12 * 9 * 3], expected[5 * 4 * 3];
    noise(3, pixels, sizeof pixels);
    item_image *image = NULL, *small = NULL;
    assert_int_equal(item_image_from_pixels(pixels, ITEM_PIXELS_RGB, 12, 9, 36, NULL, &image, NULL),
                     ITEM_OK);
    const double box[4] = {1, 1, 10, 8.5};
    assert_int_equal(
        itemi_image_resized(NULL, image, box, 5, 4, ITEMI_FILTER_LANCZOS, &small, NULL), ITEM_OK);
    item_image_unref(image);
    itemi_resize_rgb(NULL, pixels, 12, 9, box, expected, 5, 4, ITEMI_FILTER_LANCZOS, NULL);
    item_image_info info = info_of(small);
    assert_int_equal(info.width, 5);
    assert_int_equal(info.height, 4);
    assert_string_equal(info.kind, "pixels");
    assert_memory_equal(item_image_pixels(small), expected, sizeof expected);
    item_image_unref(small);
}

static void memory_runs_out(void **state)
{
    (void)state;
    uint8_t src[40 * 5 * 3] = {0}, dst[7 * 3 * 3];
    long calls = 0;
    item_status status = ITEM_E_MEMORY;
    while (status != ITEM_OK) {
        test_mem t;
        test_mem_init(&t, calls++);
        item_error err = ITEM_ERROR_INIT;
        status = itemi_resize_rgb(&t.mem, src, 5, 40, NULL, dst, 3, 7, ITEMI_FILTER_LANCZOS, &err);
        assert_true(status == ITEM_OK || status == ITEM_E_MEMORY);
        assert_int_equal(t.live, 0);
    }
    assert_true(calls > 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_cases),
        cmocka_unit_test(a_part_is_cut_out),
        cmocka_unit_test(a_cut_is_a_picture_of_its_own),
        cmocka_unit_test(bad_cuts),
        cmocka_unit_test(bad_parts),
        cmocka_unit_test(across_is_the_same_everywhere),
        cmocka_unit_test(down_is_the_same_everywhere),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(a_resized_picture),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
