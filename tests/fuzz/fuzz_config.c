/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input: options of a configuration, a line "name=value" each; a context is opened with them and
 * checks a small picture by the dummies.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <item/sys/backend.h>

#include "fuzz.h"

#define SIDE 224 /* the working size: no time goes into resizing */

static void set_options(item_config *config, char *lines)
{
    for (char *line = lines; line;) {
        char *next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        char *value = strchr(line, '=');
        if (value)
            *value++ = '\0';
        item_error err = ITEM_ERROR_INIT;
        item_status status = item_config_set(config, line, value, &err);
        fuzz_outcome(status, status == ITEM_OK ? config : NULL, &err);
        line = next;
    }
}

static void check_picture(item_ctx *ctx)
{
    static const uint8_t pixels[SIDE * SIDE * 3] = {200, 10, 40, 7, 77, 250};
    item_error err = ITEM_ERROR_INIT;
    item_image *image = NULL;
    item_result *result = NULL;
    item_status status =
        item_image_from_pixels(pixels, ITEM_PIXELS_RGB, SIDE, SIDE, SIDE * 3, NULL, &image, &err);
    fuzz_outcome(status, image, &err);
    status = item_check_image(ctx, image, NULL, &result, &err);
    fuzz_outcome(status, result, &err);
    if (status == ITEM_OK) {
        const char *text = item_result_json(result);
        fuzz_text(text);
        json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
        EXPECT(json_is_object(object));
        json_decref(object);
    }
    item_result_unref(result);
    item_image_unref(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *lines = fuzz_string(data, size);
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    EXPECT(item_config_new(&config, &err) == ITEM_OK);
    set_options(config, lines);
    free(lines);
    EXPECT(item_config_set_captioner(config, item_dummy_captioner(), NULL, &err) == ITEM_OK);
    EXPECT(item_config_set_detector(config, item_dummy_detector(), NULL, &err) == ITEM_OK);
    EXPECT(item_config_set_embedder(config, item_dummy_embedder(), NULL, &err) == ITEM_OK);
    item_ctx *ctx = NULL;
    item_status status = item_ctx_open(NULL, config, &ctx, &err);
    fuzz_outcome(status, ctx, &err);
    item_config_unref(config);
    if (status == ITEM_OK)
        check_picture(ctx);
    item_ctx_unref(ctx);
    return 0;
}
