/* SPDX-License-Identifier: Apache-2.0 */
/* The backend inside of a program: describes a picture in colours, as JSON. */
#include <stdio.h>

#include <item/item.h>

#include "colours.h"

/* After success the configuration owns the three; after a failure it owns those that it took. */
static item_status register_all(item_config *config, item_error *err)
{
    void *self = NULL;
    const item_captioner_ops *captioner = open_captioner(NULL, &self, err);
    if (!captioner || item_config_set_captioner(config, captioner, self, err) != ITEM_OK) {
        close_palette(self);
        return err->code;
    }
    const item_detector_ops *detector = open_detector(NULL, &self, err);
    if (!detector || item_config_set_detector(config, detector, self, err) != ITEM_OK) {
        close_palette(self);
        return err->code;
    }
    const item_embedder_ops *embedder = open_embedder(NULL, &self, err);
    if (!embedder || item_config_set_embedder(config, embedder, self, err) != ITEM_OK) {
        close_palette(self);
        return err->code;
    }
    return ITEM_OK;
}

int main(int argc, char **argv)
{
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    item_ctx *ctx = NULL;
    item_result *result = NULL;
    if (argc != 2) {
        fprintf(stderr, "usage: %s PICTURE\n", argv[0]);
        return 2;
    }
    if (item_config_new(&config, &err) == ITEM_OK && register_all(config, &err) == ITEM_OK &&
        item_ctx_open(NULL, config, &ctx, &err) == ITEM_OK &&
        item_check_file(ctx, argv[1], NULL, &result, &err) == ITEM_OK)
        printf("%s\n", item_result_json(result));
    else
        fprintf(stderr, "%s\n", err.message);
    item_result_unref(result);
    item_ctx_unref(ctx);
    item_config_unref(config);
    return err.code != ITEM_OK;
}
