/* SPDX-License-Identifier: Apache-2.0 */
/* item_check_...: pictures are taken in groups, each group through every stage. */
#include <math.h>
#include <string.h>

#include "core/pipeline.h"

/* What a call was asked to do. */
typedef struct request {
    item_ctx *ctx;
    item_image *const *images; /* or NULL: then paths */
    const char *const *paths;
    size_t n;
    item_check_options options;
    const itemi_wanted *wanted; /* or NULL */
} request;

item_status itemi_options_in(const item_check_options *options, item_check_options *out,
                             item_error *err)
{
    const item_check_options defaults = ITEM_CHECK_OPTIONS_INIT;
    item_status status =
        itemi_struct_in(out, sizeof *out, ITEMI_SIZE_TO(item_check_options, progress_user),
                        options ? options : &defaults, "item_check_options", err);
    if (status == ITEM_OK && out->max_objects > ITEMI_OBJECTS_MAX)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_check_options: max_objects is %u, at most %d",
                          (unsigned)out->max_objects, ITEMI_OBJECTS_MAX);
    if (status == ITEM_OK && !(out->sample >= 0 && out->sample <= ITEMI_SAMPLE_MAX)) /* NaN too */
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_check_options: sample is %g, not 0 to %d",
                          out->sample, ITEMI_SAMPLE_MAX);
    return status;
}

static void keep_warning(void *user, const char *text)
{
    itemi_batch *batch = user;
    itemi_lines_add(batch->call.mem, &batch->lines, text);
}

static void init_works(const request *r, size_t first, itemi_batch *batch)
{
    for (size_t i = 0; i < batch->n; i++) {
        itemi_work *work = &batch->works[i];
        work->err = (item_error)ITEM_ERROR_INIT;
        work->times = (item_timings)ITEM_TIMINGS_INIT;
        work->file = r->paths ? r->paths[first + i] : NULL;
        work->extra.prior = NAN;
        work->caller = r->options.captions ? r->options.captions[first + i] : NULL;
        if (!work->caller)
            work->caller = r->options.caption;
    }
}

static item_status finish_all(itemi_batch *batch, item_result **out, item_error *err)
{
    item_status status = ITEM_OK;
    for (size_t i = 0; i < batch->n && status == ITEM_OK; i++)
        status = itemi_work_finish(batch, &batch->works[i], &out[i], err);
    return status;
}

/* The stages, one after another, over n pictures from `first` on. */
static item_status check_group(const request *r, size_t first, itemi_batch *batch,
                               item_result **out, item_error *err)
{
    init_works(r, first, batch);
    item_status status = itemi_batch_read(batch, r->images ? r->images + first : NULL, err);
    if (status == ITEM_OK)
        status = itemi_batch_caption(batch, err);
    if (status == ITEM_OK)
        status = itemi_batch_detect(batch, err);
    if (status == ITEM_OK)
        status = itemi_batch_layers(batch, err);
    if (status == ITEM_OK)
        status = itemi_batch_embed(batch, err);
    if (status == ITEM_OK)
        status = itemi_batch_extras(batch, err);
    if (status == ITEM_OK)
        status = finish_all(batch, out + first, err);
    for (size_t i = 0; i < batch->n; i++)
        itemi_work_free(batch->call.mem, &batch->works[i]);
    itemi_lines_free(batch->call.mem, &batch->lines);
    return status;
}

static item_status check_groups(const request *r, itemi_work *works, size_t most, item_result **out,
                                item_error *err)
{
    item_ctx *ctx = r->ctx;
    for (size_t first = 0; first < r->n; first += most) {
        size_t n = r->n - first < most ? r->n - first : most;
        itemi_batch batch = {.ctx = ctx, .cancel = r->options.cancel, .works = works, .n = n};
        batch.options = &r->options;
        batch.wanted = r->wanted;
        batch.max_objects = itemi_objects_asked(ctx, &r->options);
        itemi_pipeline_name(ctx, &r->options, batch.pipeline);
        batch.call = (itemi_call){&ctx->mem, &ctx->log, r->options.cancel, keep_warning, &batch};
        memset(works, 0, n * sizeof *works);
        item_status status = check_group(r, first, &batch, out, err);
        if (status != ITEM_OK)
            return status;
        if (r->options.progress)
            r->options.progress(r->options.progress_user, first + n, r->n);
    }
    return ITEM_OK;
}

static item_status check_all(const request *r, item_result **out, item_error *err)
{
    item_ctx *ctx = r->ctx;
    size_t most = r->n < ctx->settings.batch ? r->n : ctx->settings.batch;
    itemi_work *works = itemi_alloc_array(&ctx->mem, most, sizeof *works);
    if (!works)
        return itemi_fail_memory(err, "checking pictures");
    item_cancel *cancel = itemi_cancel_ref(r->options.cancel);
    item_status status = check_groups(r, works, most, out, err);
    item_cancel_unref(cancel);
    itemi_free(&ctx->mem, works);
    for (size_t i = 0; i < r->n && status != ITEM_OK; i++) {
        item_result_unref(out[i]);
        out[i] = NULL;
    }
    return status;
}

static item_status check(request *r, const item_check_options *options, item_result **out,
                         item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (r->n && !out)
        return itemi_fail(err, ITEM_E_ARGUMENT, "out is NULL");
    for (size_t i = 0; i < r->n; i++)
        out[i] = NULL;
    item_status status = itemi_ctx_check(r->ctx, err);
    if (status == ITEM_OK)
        status = itemi_options_in(options, &r->options, err);
    if (status == ITEM_OK && r->n && !r->images && !r->paths)
        status = itemi_fail(err, ITEM_E_ARGUMENT, "the list of pictures is NULL");
    return status == ITEM_OK && r->n ? check_all(r, out, err) : status;
}

/* One picture: its own error is the error of the call. */
static item_status check_one(request *r, const item_check_options *options, item_result **out,
                             item_error *err)
{
    item_status status = check(r, options, out, err);
    if (status != ITEM_OK)
        return status;
    status = item_result_status(*out, err);
    if (status != ITEM_OK) {
        item_result_unref(*out);
        *out = NULL;
    }
    return status;
}

item_status item_check_image(item_ctx *ctx, item_image *image, const item_check_options *options,
                             item_result **out, item_error *err)
{
    request r = {.ctx = ctx, .images = &image, .n = 1};
    return check_one(&r, options, out, err);
}

item_status item_check_file(item_ctx *ctx, const char *path, const item_check_options *options,
                            item_result **out, item_error *err)
{
    request r = {.ctx = ctx, .paths = &path, .n = 1};
    return check_one(&r, options, out, err);
}

item_status item_check_images(item_ctx *ctx, item_image *const *images, size_t n,
                              const item_check_options *options, item_result **out, item_error *err)
{
    request r = {.ctx = ctx, .images = images, .n = n};
    return check(&r, options, out, err);
}

item_status item_check_files(item_ctx *ctx, const char *const *paths, size_t n,
                             const item_check_options *options, item_result **out, item_error *err)
{
    return itemi_check_files(ctx, paths, n, options, NULL, out, err);
}

item_status itemi_check_files(item_ctx *ctx, const char *const *paths, size_t n,
                              const item_check_options *options, const itemi_wanted *wanted,
                              item_result **out, item_error *err)
{
    request r = {.ctx = ctx, .paths = paths, .n = n, .wanted = wanted};
    return check(&r, options, out, err);
}
