/* SPDX-License-Identifier: Apache-2.0 */
/* item train: a thin caller of train.h. What is computed and said is the library's. */
#include <stdlib.h>
#include <string.h>

#include "data.h"

/* "32", "64,16", "0": what the library would refuse is refused before hours of work. */
static bool is_hidden(const char *text)
{
    for (size_t i = 0; i < 3; i++) {
        char *end = NULL;
        unsigned long units = strtoul(text, &end, 10);
        if (*text < '0' || *text > '9' || units > 65536 || (*end && *end != ','))
            return false;
        if (!*end)
            return true;
        text = end + 1;
    }
    return false;
}

/* Each layout with each network, where there is a choice: the library compares them. */
static void list_candidates(const cli_args *args, cli_list *out)
{
    const cli_list *layouts = &args->layouts, *hiddens = &args->hiddens;
    for (size_t l = 0; l < layouts->count || l == 0; l++) {
        const char *layout = layouts->count > 0 ? layouts->items[l] : "difference/both/1";
        for (size_t h = 0; h < hiddens->count || h == 0; h++) {
            const char *hidden = hiddens->count > 0 ? hiddens->items[h] : "32";
            const char *penalty = args->penalty ? args->penalty : "1";
            size_t size = strlen(layout) + strlen(hidden) + strlen(penalty) + 3;
            char *candidate = cli_resize(NULL, size, 1);
            snprintf(candidate, size, "%s %s %s", layout, hidden, penalty);
            cli_list_add(out, candidate);
            free(candidate);
        }
    }
}

static item_status train(cli_run *run, item_ctx *ctx, item_dataset *data, item_error *err)
{
    (void)ctx;
    const cli_args *args = run->args;
    item_train_options options = ITEM_TRAIN_OPTIONS_INIT;
    item_report *report = NULL;
    cli_list candidates = {.count = 0};
    list_candidates(args, &candidates);
    options.candidates = (const char *const *)candidates.items;
    options.candidate_count = (uint32_t)candidates.count;
    if (args->epochs > 0)
        options.epochs = (uint32_t)args->epochs;
    options.seed = args->seed;
    options.trained_on = args->trained_on;
    options.threshold_rule = args->threshold_rule;
    options.cancel = run->cancel;
    options.progress = cli_run_on_progress;
    options.progress_user = run;
    run->started = cli_now();
    item_status status = item_train(data, &options, &report, err);
    cli_run_hide_progress(run);
    if (status == ITEM_OK)
        status = cli_write_head(run, report, err);
    item_report_free(report);
    cli_list_free(&candidates);
    return status;
}

static int run_train(const cli_args *args)
{
    if (!cli_has_one_source(args))
        return CLI_USAGE;
    if (!args->out) {
        cli_complain(args, "say where the head goes: --out FILE");
        return CLI_USAGE;
    }
    for (size_t i = 0; i < args->hiddens.count; i++) {
        if (!is_hidden(args->hiddens.items[i])) {
            cli_complain(args, "--hidden: up to three numbers, as in 64,16; 0 for no hidden layer");
            return CLI_USAGE;
        }
    }
    if (!cli_may_be_written(args, args->out) || !cli_may_be_written(args, args->save))
        return CLI_USAGE;
    return cli_with_data(args, !cli_is_dataset(args->rest.items[0]), cli_load_labelled, train);
}

const cli_command cli_train = {
    .name = "train",
    .takes = "--out HEAD [OPTION]... MANIFEST|FOLDER|VECTORS",
    .options = "pOSiFLNYeEuDbrdTUjv",
    .line = "makes a head from pictures that are labelled ai and real",
    .help = "A manifest is a CSV file with the columns path, label (ai, real) and, if known,\n"
            "generator, source, split and prompt. A folder has ai/ and real/ in it, whose\n"
            "subfolders are sources. Vectors are what --save wrote. Name the sources: a head\n"
            "that merely knows them looks good until it meets a new one.",
    .run = run_train,
};
