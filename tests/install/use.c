/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an application does with an installed libitem: it checks a picture with the dummy
 * backends. Compiled as C and as C++, linked with the shared and with the static library.
 * Arguments are asked for in turn: "engine" loads the installed engine, "linked" uses the one
 * that the program was linked with.
 */
#include <stdio.h>
#include <string.h>

#include <item/item.h>
#include <item/sys/backend.h>
#ifdef WITH_TORCH
#include <item/torch.h>
#endif

static int check_pixels(item_error *err)
{
    unsigned char pixels[64 * 48 * 3];
    item_config *config = NULL;
    item_ctx *ctx = NULL;
    item_image *image = NULL;
    item_result *result = NULL;
    memset(pixels, 90, sizeof(pixels));
    int good = item_config_new(&config, err) == ITEM_OK &&
               item_config_set_captioner(config, item_dummy_captioner(), NULL, err) == ITEM_OK &&
               item_config_set_detector(config, item_dummy_detector(), NULL, err) == ITEM_OK &&
               item_config_set_embedder(config, item_dummy_embedder(), NULL, err) == ITEM_OK &&
               item_ctx_open(NULL, config, &ctx, err) == ITEM_OK &&
               item_image_from_pixels(pixels, ITEM_PIXELS_RGB, 64, 48, 64 * 3, NULL, &image, err) ==
                   ITEM_OK &&
               item_check_image(ctx, image, NULL, &result, err) == ITEM_OK;
    if (good)
        printf("%s: %s\n", item_version(), item_result_json(result));
    item_result_unref(result);
    item_image_unref(image);
    item_ctx_unref(ctx);
    item_config_unref(config);
    return good;
}

static int ask_engine(const char *how, item_error *err)
{
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    item_config *config = NULL;
    int good = item_config_new(&config, err) == ITEM_OK;
#ifdef WITH_TORCH
    if (good && strcmp(how, "linked") == 0)
        good = item_config_set_engine(config, item_torch_engine(), NULL, err) == ITEM_OK;
#endif
    good = good && item_engine_get_info(config, 0, &info, err) == ITEM_OK;
    if (good)
        printf("engine %s: %s %s, %s\n", how, info.name, info.version, info.path);
    item_config_unref(config);
    return good;
}

int main(int argc, char **argv)
{
    item_error err = ITEM_ERROR_INIT;
    int good = check_pixels(&err);
    for (int i = 1; good && i < argc; i++)
        good = ask_engine(argv[i], &err);
    if (!good)
        fprintf(stderr, "%s\n", err.message);
    return !good;
}
