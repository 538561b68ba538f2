/* SPDX-License-Identifier: Apache-2.0 */
/* item train and item eval: thin callers of train.h. What is computed and said is the library's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <item/train.h>

#include "cli.h"

static bool is_dataset_file(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && strcmp(dot, ".safetensors") == 0;
}

static item_status extract(cli_run *run, item_ctx *ctx, const char *path, item_dataset **out,
                           item_error *err)
{
    item_extract_options options = ITEM_EXTRACT_OPTIONS_INIT;
    options.split = run->args->split;
    options.max_failures = (uint32_t)run->args->max_failures;
    options.cancel = run->cancel;
    options.progress = cli_run_on_progress;
    options.progress_user = run;
    return item_dataset_extract(ctx, path, &options, out, err);
}

/* Vectors of an earlier run, or pictures; says which of these were left out. */
static item_status load(cli_run *run, item_ctx *ctx, item_dataset **out, item_error *err)
{
    const char *path = run->args->rest.items[0];
    item_status status = is_dataset_file(path) ? item_dataset_load(path, out, err)
                                               : extract(run, ctx, path, out, err);
    cli_run_hide_progress(run);
    if (status != ITEM_OK)
        return status;
    const char *warning = NULL;
    for (uint32_t i = 0; (warning = item_dataset_warning(*out, i)); i++) {
        cli_complain(run->args, "left out: %s", warning);
        run->failed++;
    }
    return run->args->save ? item_dataset_save(*out, run->args->save, err) : ITEM_OK;
}

static void print_report(const cli_run *run, const item_report *report)
{
    if (run->args->json)
        puts(item_report_json(report));
    else
        fputs(item_report_markdown(report), stdout);
}

/* "32", "64,16", or "0" for logistic regression; false when it is something else. */
static bool read_hidden(const char *text, uint32_t hidden[3])
{
    memset(hidden, 0, 3 * sizeof(*hidden));
    for (size_t i = 0; i < 3; i++) {
        char *end = NULL;
        unsigned long units = strtoul(text, &end, 10);
        if (*text < '0' || *text > '9' || units > 65536 || (*end && *end != ','))
            return false;
        hidden[i] = (uint32_t)units;
        if (!*end)
            return true;
        text = end + 1;
    }
    return false;
}

static item_status train(cli_run *run, item_ctx *ctx, item_dataset *data, item_error *err)
{
    (void)ctx;
    const cli_args *args = run->args;
    item_train_options options = ITEM_TRAIN_OPTIONS_INIT;
    item_report *report = NULL;
    if (args->hidden)
        read_hidden(args->hidden, options.hidden);
    if (args->epochs > 0)
        options.epochs = (uint32_t)args->epochs;
    options.seed = args->seed;
    options.layout = args->layout;
    options.trained_on = args->trained_on;
    options.cancel = run->cancel;
    options.progress = cli_run_on_progress;
    options.progress_user = run;
    run->started = cli_now();
    item_status status = item_train(data, &options, &report, err);
    cli_run_hide_progress(run);
    if (status == ITEM_OK) {
        print_report(run, report); /* also known where the head cannot be written */
        status = item_report_write_head(report, args->out, err);
    }
    if (status == ITEM_OK && !args->json)
        printf("\nThe head is in %s.\n", args->out);
    item_report_free(report);
    return status;
}

static item_status evaluate(cli_run *run, item_ctx *ctx, item_dataset *data, item_error *err)
{
    const cli_args *args = run->args;
    item_eval_options options = ITEM_EVAL_OPTIONS_INIT;
    item_report *report = NULL;
    options.threshold = args->threshold;
    options.rival = args->rival;
    options.cancel = run->cancel;
    options.seed = args->seed;
    item_status status = item_evaluate(data, ctx ? NULL : args->head, ctx, &options, &report, err);
    if (status == ITEM_OK)
        print_report(run, report);
    item_report_free(report);
    return status;
}

typedef item_status (*job)(cli_run *run, item_ctx *ctx, item_dataset *data, item_error *err);

static int run_job(const cli_args *args, item_ctx *ctx, job do_job)
{
    cli_run run;
    item_error err = ITEM_ERROR_INIT;
    item_dataset *data = NULL;
    if (!cli_run_start(&run, args))
        return CLI_FAILED;
    item_status status = load(&run, ctx, &data, &err);
    if (status == ITEM_OK)
        status = do_job(&run, ctx, data, &err);
    item_dataset_free(data);
    run.failed += status != ITEM_OK;
    if (status != ITEM_OK && status != ITEM_E_CANCELLED)
        cli_complain(args, "%s", err.message);
    return cli_run_end(&run);
}

/* A pack is opened where pictures must be looked at, or where its head is asked for. */
static int with_context(const cli_args *args, bool wanted, job do_job)
{
    if (!wanted)
        return run_job(args, NULL, do_job);
    item_ctx *ctx = cli_open_context(args);
    int code = ctx ? run_job(args, ctx, do_job) : CLI_USAGE;
    item_ctx_unref(ctx);
    return code;
}

static bool has_one_source(const cli_args *args)
{
    if (args->rest.count != 1) {
        cli_complain(args, "name one manifest, folder with ai/ and real/, or file of vectors");
        return false;
    }
    const char *source = args->rest.items[0];
    bool good = !args->split || !is_dataset_file(source);
    if (!good)
        cli_complain(args, "--split works on manifests, and %s holds vectors", source);
    return good;
}

/* Hours of work end in this file: what can be known of it is said before. NULL is no file. */
static bool may_be_written(const cli_args *args, const char *path)
{
    struct stat facts;
    if (!path)
        return true;
    if (stat(path, &facts) == 0 && !S_ISREG(facts.st_mode)) {
        cli_complain(args, "%s: is no regular file, and is not replaced", path);
        return false;
    }
    char *folder = cli_copy(path), *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0'; /* "/" stays */
    bool good = access(slash ? folder : ".", W_OK | X_OK) == 0;
    if (!good)
        cli_complain(args, "%s: cannot be written: %s", path, strerror(errno));
    free(folder);
    return good;
}

static int run_train(const cli_args *args)
{
    uint32_t hidden[3];
    if (!has_one_source(args))
        return CLI_USAGE;
    if (!args->out) {
        cli_complain(args, "say where the head goes: --out FILE");
        return CLI_USAGE;
    }
    if (args->hidden && !read_hidden(args->hidden, hidden)) {
        cli_complain(args, "--hidden: up to three numbers, as in 64,16; 0 for no hidden layer");
        return CLI_USAGE;
    }
    if (!may_be_written(args, args->out) || !may_be_written(args, args->save))
        return CLI_USAGE;
    return with_context(args, !is_dataset_file(args->rest.items[0]), train);
}

static int run_eval(const cli_args *args)
{
    if (!has_one_source(args) || !may_be_written(args, args->save))
        return CLI_USAGE;
    if (args->head && strcmp(args->head, "none") == 0) {
        cli_complain(args, "--head none: there is nothing to measure without a head");
        return CLI_USAGE;
    }
    return with_context(args, !is_dataset_file(args->rest.items[0]) || !args->head, evaluate);
}

const cli_command cli_train = {
    .name = "train",
    .takes = "--out HEAD [OPTION]... MANIFEST|FOLDER|VECTORS",
    .options = "pOSiFLNeEDbrdTjv",
    .line = "makes a head from pictures that are labelled ai and real",
    .help = "A manifest is a CSV file with the columns path, label (ai, real) and, if known,\n"
            "generator, source, split and prompt. A folder has ai/ and real/ in it, whose\n"
            "subfolders are sources. Vectors are what --save wrote. Name the sources: a head\n"
            "that merely knows them looks good until it meets a new one.",
    .run = run_train,
};

const cli_command cli_eval = {
    .name = "eval",
    .takes = "[OPTION]... MANIFEST|FOLDER|VECTORS",
    .options = "phtRSiFEbrdTjv",
    .line = "measures a head on pictures that it was not trained on",
    .help = "Areas under the curve are taken within each source, then averaged; true positives\n"
            "are told at 1 % and 5 % false positives. Input as for item train.",
    .run = run_eval,
};
