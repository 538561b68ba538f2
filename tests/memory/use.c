/* SPDX-License-Identifier: Apache-2.0 */
/* Published models of any family, opened and used as a program does. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "memory.h"

#define EDGE 300 /* of the picture that is asked about, pixels */

static void must(item_status status, const item_error *err)
{
    if (status == ITEM_OK)
        return;
    fprintf(stderr, "memory: %s\n", err->message);
    exit(2);
}

static const char *const queries[] = {"a dog", "two cars"};

/* Stages are opened by the first call; one of no pictures does nothing else. */
static void open_stages(item_ctx *ctx)
{
    item_error err = ITEM_ERROR_INIT;
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    item_image *const images[1] = {NULL};
    item_result *results[1];
    must(item_ctx_get_info(ctx, &info, &err), &err);
    if (info.has_embedder)
        must(item_embed_images(ctx, NULL, 0, NULL, NULL, info.width, &err), &err);
    if (info.has_captioner)
        must(item_caption_images(ctx, images, 0, NULL, results, &err), &err);
    if (info.has_detector)
        must(item_detect_images(ctx, images, 0, queries, 2, NULL, results, &err), &err);
}

item_ctx *model_open(const char *folder, const char *precision)
{
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    item_ctx *ctx = NULL;
    must(item_config_new(&config, &err), &err);
    must(item_config_set(config, "precision", precision, &err), &err);
    must(item_config_set(config, "max_tokens", "20", &err), &err);
    must(item_ctx_open(folder, config, &ctx, &err), &err);
    item_config_unref(config);
    open_stages(ctx);
    return ctx;
}

static void embed(item_ctx *ctx, item_image *image, uint32_t width)
{
    static float vector[8192];
    const char *text = "a dog";
    item_error err = ITEM_ERROR_INIT;
    must(item_embed_images(ctx, &image, 1, NULL, vector, width, &err), &err);
    must(item_embed_texts(ctx, &text, 1, NULL, vector, width, &err), &err);
}

static void caption(item_ctx *ctx, item_image *image)
{
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    must(item_caption_image(ctx, image, NULL, &result, &err), &err);
    item_result_unref(result);
}

static void detect(item_ctx *ctx, item_image *image)
{
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    must(item_detect_image(ctx, image, queries, 2, NULL, &result, &err), &err);
    item_result_unref(result);
}

void model_use(item_ctx *ctx)
{
    static const uint8_t pixels[EDGE * EDGE * 3];
    item_error err = ITEM_ERROR_INIT;
    item_image *image = NULL;
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    must(item_ctx_get_info(ctx, &info, &err), &err);
    must(item_image_from_pixels(pixels, ITEM_PIXELS_RGB, EDGE, EDGE, 3 * EDGE, NULL, &image, &err),
         &err);
    if (info.has_embedder)
        embed(ctx, image, info.width);
    if (info.has_captioner)
        caption(ctx, image);
    if (info.has_detector)
        detect(ctx, image);
    item_image_unref(image);
}

double model_weights(const char *folder)
{
    double sum = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[4096];
        struct stat facts;
        const char *dot = strrchr(entry->d_name, '.');
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (dot && (strcmp(dot, ".bin") == 0 || strcmp(dot, ".safetensors") == 0) &&
            stat(path, &facts) == 0)
            sum += (double)facts.st_size / 1e6;
    }
    if (dir)
        closedir(dir);
    return sum;
}
