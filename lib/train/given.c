/* SPDX-License-Identifier: Apache-2.0 */
/* The head that a data set is judged by: which one it is, and whether it fits. */
#include <string.h>

#include "train/eval.h"

/* Of "No verdict: there is no head." what follows the colon. */
static const char *reason_of(const char *no_verdict)
{
    const char *colon = strstr(no_verdict, ": ");
    return colon ? colon + 2 : no_verdict;
}

item_status itemi_head_given(const char *path, const item_ctx *ctx, const char *purpose,
                             const itemi_head **out, itemi_head **opened, item_error *err)
{
    *opened = NULL;
    *out = NULL;
    if (!path && !ctx->head)
        return itemi_fail(err, ITEM_E_UNSUPPORTED, "there is nothing to %s: %s", purpose,
                          reason_of(ctx->no_verdict));
    item_status status = path ? itemi_head_open(NULL, path, opened, err) : ITEM_OK;
    *out = path ? *opened : ctx->head;
    return status;
}

item_status itemi_data_fits(const item_dataset *data, const itemi_head *head, item_error *err)
{
    const itemi_head_facts *f = itemi_head_get_facts(head);
    item_status status = itemi_head_fits(head, data->width, data->embedder, err);
    if (status != ITEM_OK)
        return status;
    if (f->layers_width && f->layers_width != data->layer_count)
        return itemi_fail(err, ITEM_E_MISMATCH,
                          "the head reads %zu numbers of inner layers, the data set holds %zu",
                          f->layers_width, data->layer_count);
    if (data->callers_captions != f->callers_captions)
        return itemi_fail(err, ITEM_E_MISMATCH,
                          "the head was calibrated with %s captions, the data set holds %s",
                          f->callers_captions ? "callers'" : "the captioner's",
                          data->callers_captions ? "callers'" : "the captioner's");
    if (data->working_size != f->working_size ||
        strcmp(data->working_filter, f->working_filter) != 0)
        return itemi_fail(err, ITEM_E_MISMATCH,
                          "the head wants pictures at %u pixels (%s), the data set holds %u (%s)",
                          (unsigned)f->working_size, f->working_filter,
                          (unsigned)data->working_size, data->working_filter);
    return ITEM_OK;
}
