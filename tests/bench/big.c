/* SPDX-License-Identifier: Apache-2.0 */
/* A picture of 12 megapixels: what the check costs above bare decoding by libjpeg. */
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "bench.h"

#define WIDTH  4000u
#define HEIGHT 3000u
#define ROUNDS 7

/* The first picture, enlarged by repeating pixels: decoding does not care for beauty. */
static unsigned char *encode(const item_image *image, unsigned long *size)
{
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    item_image_get_info(image, &info, NULL);
    const uint8_t *pixels = item_image_pixels(image);
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL, *row = malloc((size_t)WIDTH * 3);
    if (!row)
        exit(1);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, size);
    jpeg.image_width = WIDTH;
    jpeg.image_height = HEIGHT;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 90, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    for (size_t y = 0; y < HEIGHT; y++) {
        const uint8_t *from = pixels + y * info.height / HEIGHT * info.width * 3;
        for (size_t x = 0; x < WIDTH; x++)
            for (size_t c = 0; c < 3; c++)
                row[x * 3 + c] = from[x * info.width / WIDTH * 3 + c];
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    free(row);
    return bytes;
}

static double bare_decode(const unsigned char *bytes, unsigned long size, unsigned char *out)
{
    double start = bench_now();
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, bytes, size);
    jpeg_read_header(&jpeg, TRUE);
    jpeg.out_color_space = JCS_RGB;
    jpeg_start_decompress(&jpeg);
    while (jpeg.output_scanline < jpeg.output_height) {
        unsigned char *row = out + (size_t)jpeg.output_scanline * WIDTH * 3;
        jpeg_read_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_decompress(&jpeg);
    jpeg_destroy_decompress(&jpeg);
    return bench_now() - start;
}

static double whole_check(const bench *b, const unsigned char *bytes, unsigned long size)
{
    item_error err = ITEM_ERROR_INIT;
    item_image *image = NULL;
    item_result *result = NULL;
    double start = bench_now();
    if (item_image_from_memory(bytes, size, NULL, &image, &err) != ITEM_OK ||
        item_check_image(b->ctx, image, NULL, &result, &err) != ITEM_OK)
        bench_die(&err);
    double took = bench_now() - start;
    item_result_unref(result);
    item_image_unref(image);
    return took;
}

void bench_big_picture(const bench *b)
{
    item_error err = ITEM_ERROR_INIT;
    item_image *image = NULL;
    unsigned long size = 0;
    if (item_image_from_file(b->files[0], NULL, &image, &err) != ITEM_OK)
        bench_die(&err);
    unsigned char *bytes = encode(image, &size), *out = malloc((size_t)WIDTH * HEIGHT * 3);
    item_image_unref(image);
    double bare[ROUNDS], check[ROUNDS], above[ROUNDS];
    for (int i = -1; out && i < ROUNDS; i++) { /* the first round warms up */
        double decode = bare_decode(bytes, size, out), whole = whole_check(b, bytes, size);
        if (i < 0)
            continue;
        bare[i] = decode;
        check[i] = whole;
        above[i] = whole - decode;
    }
    if (out)
        printf(
            "\nJPEG of 12 megapixels, warm, ms\n  bare decoding   %8.1f\n  whole check     %8.1f\n"
            "  above decoding  %8.1f (aim 300)\n",
            bench_median(bare, ROUNDS), bench_median(check, ROUNDS), bench_median(above, ROUNDS));
    free(out);
    free(bytes);
}
