/* SPDX-License-Identifier: Apache-2.0 */
/* item calibrate: a thin caller of train.h. What is computed and said is the library's. */
#include <stdlib.h>
#include <string.h>

#include "data.h"

static const char *head_of(const cli_args *args)
{
    return args->rest.items[0];
}

/* What stands behind the head: names of pictures, or one file of vectors. */
static cli_args pictures_of(const cli_args *args)
{
    cli_args pictures = *args;
    pictures.rest.items++;
    pictures.rest.count--;
    return pictures;
}

static bool are_vectors(const cli_args *args)
{
    return args->rest.count == 2 && cli_is_dataset(args->rest.items[1]);
}

static item_status extract(cli_run *run, item_ctx *ctx, const cli_list *files, item_dataset **out,
                           item_error *err)
{
    item_extract_options options = ITEM_EXTRACT_OPTIONS_INIT;
    options.max_failures = (uint32_t)run->args->max_failures;
    options.cancel = run->cancel;
    options.progress = cli_run_on_progress;
    options.progress_user = run;
    return item_dataset_extract_files(ctx, (const char *const *)files->items, files->count,
                                      ITEM_LABEL_REAL, &options, out, err);
}

/* A cli_loader: every photograph that is named is one data set. */
static item_status load(cli_run *run, item_ctx *ctx, item_dataset **out, item_error *err)
{
    if (are_vectors(run->args))
        return item_dataset_load(run->args->rest.items[1], out, err);
    const cli_args pictures = pictures_of(run->args);
    const char *const *some = NULL;
    cli_list files = {.count = 0};
    cli_names *names = cli_names_new(&pictures);
    for (size_t n; cli_run_goes_on() && (n = cli_names_take(names, 64, &some)) > 0;)
        for (size_t i = 0; i < n; i++)
            cli_list_add(&files, some[i]);
    run->failed += cli_names_failed(names);
    cli_names_free(names);
    item_status status = extract(run, ctx, &files, out, err);
    cli_list_free(&files);
    return status;
}

static item_status calibrate(cli_run *run, item_ctx *ctx, item_dataset *data, item_error *err)
{
    const cli_args *args = run->args;
    item_calibrate_options options = ITEM_CALIBRATE_OPTIONS_INIT;
    item_report *report = NULL;
    if (args->confidence)
        options.confidence = strtod(args->confidence, NULL);
    options.pictures = args->calibrated_on;
    item_status status =
        item_calibrate(data, ctx ? NULL : head_of(args), ctx, &options, &report, err);
    if (status == ITEM_OK)
        status = cli_write_head(run, report, err);
    item_report_free(report);
    return status;
}

static bool is_confidence(const char *text)
{
    char *end = NULL;
    double value = strtod(text, &end);
    return end != text && !*end && value >= 0.5 && value < 1;
}

static int run_calibrate(const cli_args *args)
{
    item_error err = ITEM_ERROR_INIT;
    const char *wrong = NULL;
    if (args->rest.count < 2)
        wrong = "name a head, and photographs of your own or a folder of them";
    else if (!args->out)
        wrong = "say where the head goes: --out FILE";
    else if (args->confidence && !is_confidence(args->confidence))
        wrong = "--confidence: a number from 0.5 to below 1";
    if (wrong) {
        cli_complain(args, "%s", wrong);
        return CLI_USAGE;
    }
    if (!cli_may_be_written(args, args->out) || !cli_may_be_written(args, args->save))
        return CLI_USAGE;
    /* the head says to which size pictures are brought */
    if (item_config_set(args->config, "head", head_of(args), &err) != ITEM_OK)
        return cli_complain_error(args, &err);
    return cli_with_data(args, !are_vectors(args), load, calibrate);
}

const cli_command cli_calibrate = {
    .name = "calibrate",
    .takes = "--out HEAD [OPTION]... HEAD FILE|FOLDER|-|VECTORS...",
    .options = "pOSFfnbrdTj0v",
    .line = "sets the thresholds of a head by photographs of your own",
    .help =
        "Photographs alone, none of which the head was trained on: of all others of their kind\n"
        "then at most 5 % (1 %) are called ai at fpr5 (fpr1), with 95 % confidence. That needs\n"
        "59 (299) photographs. Vectors are what --save wrote.",
    .run = run_calibrate,
};
