/* SPDX-License-Identifier: Apache-2.0 */
/* Data sets of pictures: what the stages of a context make of each. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "train/extract.h"

static item_status read_manifest(const char *path, itemi_manifest *out, item_error *err)
{
    struct stat facts;
    if (stat(path, &facts) != 0)
        return itemi_fail_errno(err, ITEM_E_IO, errno, "%s", path);
    return S_ISDIR(facts.st_mode) ? itemi_manifest_scan(NULL, path, out, err)
                                  : itemi_manifest_load(NULL, path, out, err);
}

/* Moves the rows of the split to the front, and checks their labels. */
static item_status choose_rows(itemi_extraction *x, const char *manifest, item_error *err)
{
    const char *split = x->options->split;
    itemi_manifest_row *rows = x->manifest.rows;
    for (size_t i = 0; i < x->manifest.count; i++) {
        if (split && strcmp(rows[i].split, split) != 0)
            continue;
        if (strcmp(rows[i].label, "ai") != 0 && strcmp(rows[i].label, "real") != 0)
            return itemi_fail(err, ITEM_E_FORMAT, "%s: label `%.40s` of %s is not ai or real",
                              manifest, rows[i].label, rows[i].path);
        itemi_manifest_row chosen = rows[i];
        rows[i] = rows[x->rows];
        rows[x->rows++] = chosen;
    }
    if (x->rows == 0)
        return itemi_fail(err, ITEM_E_ARGUMENT, "%s: there are no pictures%s%.40s", manifest,
                          split ? " of the split " : "", split ? split : "");
    return ITEM_OK;
}

/* The embedder is opened first, as only then the width is known for certain. */
static item_status make_data(itemi_extraction *x, item_error *err)
{
    static const char *const filters[] = {[ITEMI_FILTER_BILINEAR] = "bilinear",
                                          [ITEMI_FILTER_BICUBIC] = "bicubic",
                                          [ITEMI_FILTER_LANCZOS] = "lanczos"};
    itemi_stage *embedder = NULL;
    item_status status =
        itemi_ctx_stage(x->ctx, ITEMI_EMBEDDER, x->options->cancel, &embedder, err);
    if (status != ITEM_OK)
        return status;
    const item_check_options plain = ITEM_CHECK_OPTIONS_INIT; /* as the pictures are looked at */
    char pipeline[ITEMI_PIPELINE_MAX];
    itemi_pipeline_name(x->ctx, &plain, pipeline);
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    info.pipeline = pipeline;
    info.width = itemi_ctx_width(x->ctx);
    info.embedder = x->ctx->slot[ITEMI_EMBEDDER].identity;
    info.working_size = x->ctx->working_size;
    info.working_filter = filters[x->ctx->filter];
    info.views = x->wanted.views;
    info.layers = x->wanted.layers ? itemi_stage_layers_width(embedder) : 0;
    return item_dataset_new(&info, &x->data, err);
}

/* Vectors of a result's objects, one after another; they are there when the picture did not fail. */
static void copy_objects(const item_result *result, int32_t which, uint32_t n, size_t width,
                         float *out)
{
    for (uint32_t i = 0; i < n; i++)
        memcpy(out + i * width, item_result_values(result, which, i, NULL), width * sizeof *out);
}

static item_status add_result(itemi_extraction *x, const itemi_manifest_row *from,
                              const item_result *result, item_error *err)
{
    item_result_summary summary = ITEM_RESULT_SUMMARY_INIT;
    item_status status = item_result_get_summary(result, &summary, err);
    if (status != ITEM_OK)
        return status;
    size_t width = x->data->width, numbers = summary.objects * width;
    float *objects = itemi_alloc_array(NULL, 2 * numbers, sizeof *objects);
    if (!objects)
        return itemi_fail_memory(err, "extracting features");
    copy_objects(result, ITEM_VALUES_CROP_VECTOR, summary.objects, width, objects);
    copy_objects(result, ITEM_VALUES_PHRASE_VECTOR, summary.objects, width, objects + numbers);

    const char *caption = item_result_text(result, ITEM_TEXT_CAPTION);
    item_row row = ITEM_ROW_INIT;
    row.label = strcmp(from->label, "ai") == 0 ? ITEM_LABEL_AI : ITEM_LABEL_REAL;
    row.flags = (itemi_caption_is_empty(caption) ? ITEM_ROW_CAPTION_EMPTY : 0) |
                (itemi_caption_loops(caption) ? ITEM_ROW_CAPTION_LOOPING : 0);
    row.objects = summary.objects;
    row.picture_width = summary.width;
    row.picture_height = summary.height;
    row.file_bytes = itemi_file_bytes(from->path);
    row.caption_logprob = summary.caption_logprob;
    row.image = item_result_values(result, ITEM_VALUES_IMAGE_VECTOR, 0, NULL);
    row.text = item_result_values(result, ITEM_VALUES_TEXT_VECTOR, 0, NULL);
    row.plain = item_result_values(result, ITEM_VALUES_PLAIN, 0, NULL);
    row.crops = objects;
    row.phrases = objects + numbers;
    row.name = from->path;
    row.source = from->source;
    row.generator = from->generator;
    row.scene = from->prompt;
    row.caption = caption;
    row.picture = result->extra.picture;
    row.named = result->extra.named ? (uint32_t)result->extra.names : 0;
    row.named_phrases = result->extra.named;
    row.views = result->extra.views;
    row.layers = result->extra.layers;
    row.caption_prior = result->extra.prior;
    status = item_dataset_add(x->data, &row, err);
    if (status == ITEM_OK)
        x->from[x->data->count - 1] = from;
    itemi_free(NULL, objects);
    return status;
}

/* Want of memory is none of the picture: left out, the data would hang on the machine's load. */
static item_status note_failure(itemi_extraction *x, const item_error *why, item_error *err)
{
    if (why->code == ITEM_E_MEMORY)
        return itemi_fail_as(err, why);
    if (!itemi_dataset_warn(x->data, why->message))
        return itemi_fail_memory(err, "extracting features");
    if (x->data->warnings > x->options->max_failures)
        return itemi_fail(err, ITEM_E_LIMIT, "more than %u pictures failed, the last: %s",
                          (unsigned)x->options->max_failures, why->message);
    return ITEM_OK;
}

static item_status add_results(itemi_extraction *x, size_t start, size_t n,
                               item_result *const *results, item_error *err)
{
    item_status status = ITEM_OK;
    for (size_t i = 0; status == ITEM_OK && i < n; i++) {
        const itemi_manifest_row *from = &x->manifest.rows[start + i];
        item_error why = ITEM_ERROR_INIT;
        if (item_result_status(results[i], &why) == ITEM_OK)
            status = add_result(x, from, results[i], err);
        else
            status = note_failure(x, &why, err);
    }
    return status;
}

static item_status run_batch(itemi_extraction *x, size_t start, size_t n, const char **paths,
                             item_result **results, item_error *err)
{
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    options.cancel = x->options->cancel;
    for (size_t i = 0; i < n; i++) {
        paths[i] = x->manifest.rows[start + i].path;
        results[i] = NULL;
    }
    item_status status = itemi_check_files(x->ctx, paths, n, &options, &x->wanted, results, err);
    if (status == ITEM_OK)
        status = add_results(x, start, n, results, err);
    for (size_t i = 0; i < n; i++)
        item_result_unref(results[i]);
    if (status == ITEM_OK && x->options->progress)
        x->options->progress(x->options->progress_user, start + n, x->rows);
    return status;
}

static item_status run(itemi_extraction *x, item_error *err)
{
    size_t batch = x->ctx->settings.batch;
    const char **paths = itemi_alloc_array(NULL, batch, sizeof *paths);
    item_result **results = itemi_alloc_array(NULL, batch, sizeof *results);
    x->from = itemi_alloc_array(NULL, x->rows, sizeof(itemi_manifest_row *));
    item_status status =
        paths && results && x->from && itemi_dataset_reserve(x->data, x->rows, 0, 0)
            ? ITEM_OK
            : itemi_fail_memory(err, "extracting features");
    for (size_t start = 0; status == ITEM_OK && start < x->rows; start += batch) {
        size_t left = x->rows - start, n = left < batch ? left : batch;
        status = itemi_cancelled(x->options->cancel) ? itemi_fail_cancelled(err)
                                                     : run_batch(x, start, n, paths, results, err);
    }
    itemi_free(NULL, paths);
    itemi_free(NULL, results);
    return status;
}

static item_status make(itemi_extraction *x, const char *name, item_error *err)
{
    const uint32_t columns = x->options->columns;
    x->wanted = (itemi_wanted){.named = columns & ITEM_EXTRACT_NAMED,
                               .prior = columns & ITEM_EXTRACT_PRIOR,
                               .layers = columns & ITEM_EXTRACT_LAYERS,
                               .views = x->options->views};
    item_status status = choose_rows(x, name, err);
    if (status == ITEM_OK)
        status = make_data(x, err);
    if (status == ITEM_OK)
        status = itemi_check_manifest(x, name, err);
    if (status == ITEM_OK)
        status = run(x, err);
    return status == ITEM_OK ? itemi_check_pictures(x, name, err) : status;
}

/* Rows of a manifest (taken), by the options of a caller; `name` is for messages. */
static item_status extract(item_ctx *ctx, itemi_manifest *manifest, const char *name,
                           const item_extract_options *options, item_dataset **out, item_error *err)
{
    itemi_extraction x = {.ctx = ctx, .options = options, .manifest = *manifest};
    item_status status = make(&x, name, err);
    itemi_manifest_free(&x.manifest);
    itemi_free(NULL, x.from);
    if (status == ITEM_OK)
        *out = x.data;
    else
        item_dataset_free(x.data);
    return status;
}

static item_status take_options(const item_ctx *ctx, const item_extract_options *theirs,
                                item_extract_options *ours, item_error *err)
{
    const item_extract_options plain = ITEM_EXTRACT_OPTIONS_INIT;
    item_status status = itemi_ctx_check(ctx, err);
    if (status == ITEM_OK)
        status =
            itemi_struct_in(ours, sizeof *ours, ITEMI_SIZE_TO(item_extract_options, progress_user),
                            theirs ? theirs : &plain, "item_extract_options", err);
    if (status == ITEM_OK && ours->columns & ~ITEM_EXTRACT_ALL)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_extract_options: columns %#x are not known",
                          (unsigned)ours->columns);
    if (status == ITEM_OK && ours->views > ITEM_VIEWS_MAX)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_extract_options: views are 0 to %d, not %u",
                          ITEM_VIEWS_MAX, (unsigned)ours->views);
    return status;
}

item_status item_dataset_extract(item_ctx *ctx, const char *manifest,
                                 const item_extract_options *options, item_dataset **out,
                                 item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    item_extract_options ours;
    itemi_manifest rows;
    if (!manifest || !out)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_dataset_extract: manifest or out is NULL");
    *out = NULL;
    item_status status = take_options(ctx, options, &ours, err);
    if (status == ITEM_OK)
        status = read_manifest(manifest, &rows, err);
    return status == ITEM_OK ? extract(ctx, &rows, manifest, &ours, out, err) : status;
}

item_status item_dataset_extract_files(item_ctx *ctx, const char *const *paths, size_t count,
                                       uint32_t label, const item_extract_options *options,
                                       item_dataset **out, item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    item_extract_options ours;
    itemi_manifest rows;
    if (!paths || !count || !out || label > ITEM_LABEL_AI)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "item_dataset_extract_files: paths, a label and out are needed");
    *out = NULL;
    item_status status = take_options(ctx, options, &ours, err);
    if (status == ITEM_OK)
        status = itemi_manifest_list(NULL, paths, count, label == ITEM_LABEL_AI ? "ai" : "real",
                                     &rows, err);
    return status == ITEM_OK ? extract(ctx, &rows, "the files", &ours, out, err) : status;
}
