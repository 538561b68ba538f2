/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's preprocessing as a filter, for pixels.py:
 *     parity-pixels crop|squash|square preprocessor_config.json EDGE < pictures > numbers
 * A picture is its width and height (32 bits each) and its RGB bytes; its numbers are floats,
 * 3 x EDGE x EDGE, channel by channel.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/backends/torch/blocks.h"
#include "image/image.h"

static void stop(const char *why)
{
    fprintf(stderr, "parity-pixels: %s\n", why);
    exit(1);
}

/* ---- the host, as far as preprocessing asks for it ---- */

static const json_t *find(const json_t *at, const char *path)
{
    while (at && *path) {
        char name[64];
        const size_t length = strcspn(path, ".");
        snprintf(name, sizeof name, "%.*s", (int)length, path);
        at = json_is_array(at) ? json_array_get(at, (size_t)atoi(name)) : json_object_get(at, name);
        path += length + (path[length] == '.');
    }
    return at;
}

static const char *json_text(void *host, const char *role, const char *path)
{
    (void)role;
    return json_string_value(find(host, path));
}

static double json_number(void *host, const char *role, const char *path)
{
    (void)role;
    const json_t *value = find(host, path);
    if (json_is_boolean(value))
        return json_is_true(value);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static void *allocate(void *host, size_t size)
{
    (void)host;
    return malloc(size);
}

static void release(void *host, void *block)
{
    (void)host;
    free(block);
}

static void drop(void *hold)
{
    (void)hold;
}

static item_image_info info_of(const item_image *image)
{
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    if (item_image_get_info(image, &info, NULL) != ITEM_OK)
        stop("a picture without facts");
    return info;
}

static item_status resize_part(void *host, const item_image *image, const double box[4],
                               int32_t filter, uint32_t width, uint32_t height,
                               const uint32_t part[4], uint8_t *out, item_error *err)
{
    (void)host;
    const item_image_info info = info_of(image);
    return itemi_resize_cut(NULL, item_image_pixels(image), info.width, info.height, box, width,
                            height, (itemi_filter)filter, part, out, err);
}

static item_status resize_square(void *host, const item_image *image, const double box[4],
                                 uint32_t edge, double pad, float *out, item_error *err)
{
    (void)host;
    const item_image_info info = info_of(image);
    return itemi_resize_square(NULL, item_image_pixels(image), info.width, info.height, box, edge,
                               pad, out, err);
}

/* ---- pictures ---- */

static item_image *read_picture(void)
{
    uint32_t size[2];
    if (fread(size, sizeof size, 1, stdin) != 1)
        return NULL;
    const size_t row = (size_t)3 * size[0], bytes = row * size[1];
    uint8_t *pixels = malloc(bytes);
    if (!pixels || fread(pixels, 1, bytes, stdin) != bytes)
        stop("a picture ends early");
    item_image *image = NULL;
    item_error err = ITEM_ERROR_INIT;
    if (item_image_from_pixels(pixels, ITEM_PIXELS_RGB, size[0], size[1], row, NULL, &image, &err))
        stop(err.message);
    free(pixels);
    return image;
}

static const itx_prep_defaults *defaults_of(const char *name)
{
    if (strcmp(name, "crop") == 0)
        return &itx_prep_crop;
    return strcmp(name, "square") == 0 ? &itx_prep_square : &itx_prep_squash;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        stop("crop|squash|square FILE EDGE");
    json_t *config = json_load_file(argv[2], 0, NULL);
    const int edge = atoi(argv[3]);
    const item_services services = {.struct_size = sizeof services,
                                    .host = config,
                                    .allocate = allocate,
                                    .release = release,
                                    .json_text = json_text,
                                    .json_number = json_number,
                                    .weights_drop = drop,
                                    .resize_part = resize_part,
                                    .resize_square = resize_square};
    itx_prep prep;
    item_error err = ITEM_ERROR_INIT;
    /* one patch as large as the picture is laid out channel by channel */
    if (!config || itx_prep_open(&prep, &services, defaults_of(argv[1]), edge, edge, &err))
        stop(config ? err.message : "no configuration");
    const size_t count = itx_prep_count(&prep);
    float *numbers = malloc(count * sizeof *numbers);
    for (item_image *image; numbers && (image = read_picture()) != NULL;) {
        const item_image_info info = info_of(image);
        const double whole[4] = {0.0, 0.0, info.width, info.height};
        if (itx_prep_pixels(&prep, &services, image, whole, numbers, &err) != ITEM_OK)
            stop(err.message);
        fwrite(numbers, sizeof *numbers, count, stdout);
        item_image_unref(image);
    }
    free(numbers);
    json_decref(config);
    return 0;
}
