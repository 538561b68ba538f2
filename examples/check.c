/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shortest use of libitem: checks one picture with the installed pack.
 *
 *     cc check.c $(pkg-config --cflags --libs item) -o check && ./check photo.jpg
 */
#include <stdio.h>

#include <item/item.h>

int main(int argc, char **argv)
{
    item_error err = ITEM_ERROR_INIT;
    item_ctx *ctx = NULL;
    item_result *res = NULL;
    if (argc < 2) {
        fprintf(stderr, "usage: %s PICTURE [PACK]\n", argv[0]);
        return 2;
    }
    if (item_ctx_open(argc > 2 ? argv[2] : NULL, NULL, &ctx, &err) == ITEM_OK &&
        item_check_file(ctx, argv[1], NULL, &res, &err) == ITEM_OK)
        printf("%s, probability of AI %.2f: %s\n", item_result_text(res, ITEM_TEXT_VERDICT),
               item_result_probability(res), item_result_text(res, ITEM_TEXT_REASON_LINE));
    else
        fprintf(stderr, "%s\n", err.message);
    item_result_unref(res);
    item_ctx_unref(ctx);
    return err.code != ITEM_OK;
}
