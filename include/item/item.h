/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @mainpage libitem
 * libitem tells AI-generated pictures from photographs by image-text misalignment.
 *
 *     item_error err = ITEM_ERROR_INIT;
 *     item_ctx *ctx = NULL;
 *     item_result *res = NULL;
 *     if (item_ctx_open(NULL, NULL, &ctx, &err) == ITEM_OK &&
 *         item_check_file(ctx, "photo.jpg", NULL, &res, &err) == ITEM_OK)
 *         printf("%s %.2f\n", item_result_text(res, ITEM_TEXT_VERDICT),
 *                item_result_probability(res));
 *     else
 *         fprintf(stderr, "%s\n", err.message);
 *     item_result_unref(res);
 *     item_ctx_unref(ctx);
 *
 * - Statuses, errors, cancel handles, and rules that hold everywhere: item/base.h
 * - Contexts and their options: item/context.h
 * - Pictures: item/picture.h
 * - Checking, and reading results: item/result.h
 * - Single stages: item/stages.h
 * - What files say of their origin: item/provenance.h
 * - Data sets of pictures: item/dataset.h
 * - Training and evaluation: item/train.h
 * - Packs: item/pack.h
 * - For writers of backends and engines: item/sys/backend.h, item/sys/engine.h
 */
#ifndef ITEM_ITEM_H
#define ITEM_ITEM_H

#include <item/base.h>
#include <item/context.h>
#include <item/picture.h>
#include <item/result.h>
#include <item/stages.h>

#endif
