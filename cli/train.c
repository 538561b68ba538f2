/* SPDX-License-Identifier: Apache-2.0 */
/* item train: a thin caller of train.h. What is computed and said is the library's. */
#include <stdlib.h>
#include <string.h>

#include "data.h"

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
        cli_print_report(run, report); /* also known where the head cannot be written */
        status = item_report_write_head(report, args->out, err);
    }
    if (status == ITEM_OK && !args->json)
        printf("\nThe head is in %s.\n", args->out);
    item_report_free(report);
    return status;
}

static int run_train(const cli_args *args)
{
    uint32_t hidden[3];
    if (!cli_has_one_source(args))
        return CLI_USAGE;
    if (!args->out) {
        cli_complain(args, "say where the head goes: --out FILE");
        return CLI_USAGE;
    }
    if (args->hidden && !read_hidden(args->hidden, hidden)) {
        cli_complain(args, "--hidden: up to three numbers, as in 64,16; 0 for no hidden layer");
        return CLI_USAGE;
    }
    if (!cli_may_be_written(args, args->out) || !cli_may_be_written(args, args->save))
        return CLI_USAGE;
    return cli_with_data(args, !cli_is_dataset(args->rest.items[0]), train);
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
