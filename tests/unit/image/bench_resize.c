/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time of reducing 12 megapixels, on one thread: `meson test --benchmark image-resize -v`.
 * The smallest of the runs is shown, as the machine may be busy with other things.
 */
#include <stdio.h>
#include <stdlib.h>

#include "image/image.h"

#define WIDTH  4000
#define HEIGHT 3000
#define RUNS   15

static double best_of_runs(const uint8_t *src, uint8_t *dst, uint32_t width, uint32_t height,
                           itemi_filter filter)
{
    double best = 1e9;
    for (int i = 0; i < RUNS; i++) {
        double start = itemi_now_ms();
        if (itemi_resize_rgb(NULL, src, WIDTH, HEIGHT, NULL, dst, width, height, filter, NULL))
            exit(1);
        double took = itemi_now_ms() - start;
        best = took < best ? took : best;
    }
    return best;
}

static double best_square(const uint8_t *src, float *dst, uint32_t edge)
{
    double best = 1e9;
    for (int i = 0; i < RUNS; i++) {
        double start = itemi_now_ms();
        if (itemi_resize_square(NULL, src, WIDTH, HEIGHT, NULL, edge, 0.0, dst, NULL))
            exit(1);
        double took = itemi_now_ms() - start;
        best = took < best ? took : best;
    }
    return best;
}

int main(void)
{
    static const char *const names[] = {"", "bilinear", "bicubic", "lanczos"};
    static const uint32_t sizes[][2] = {{299, 224}, {512, 384}, {1024, 768}};
    size_t bytes = (size_t)WIDTH * HEIGHT * 3;
    uint8_t *src = malloc(bytes), *dst = malloc(bytes);
    float *square = malloc(sizeof *square * 960 * 960 * 3);
    if (!src || !dst || !square)
        return 1;
    for (size_t i = 0; i < bytes; i++)
        src[i] = (uint8_t)(i * 2654435761u >> 13);
    for (size_t s = 0; s < ITEMI_COUNT(sizes); s++) {
        for (int f = ITEMI_FILTER_BILINEAR; f <= ITEMI_FILTER_LANCZOS; f++)
            printf("%d x %d to %u x %u, %s: %.1f ms\n", WIDTH, HEIGHT, sizes[s][0], sizes[s][1],
                   names[f], best_of_runs(src, dst, sizes[s][0], sizes[s][1], (itemi_filter)f));
    }
    printf("%d x %d to a square of 960: %.1f ms\n", WIDTH, HEIGHT, best_square(src, square, 960));
    free(src);
    free(dst);
    free(square);
    return 0;
}
