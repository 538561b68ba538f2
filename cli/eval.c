/* SPDX-License-Identifier: Apache-2.0 */
/* item eval: a thin caller of train.h. What is computed and said is the library's. */
#include <string.h>

#include "data.h"

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
        cli_print_report(run, report);
    item_report_free(report);
    return status;
}

static int run_eval(const cli_args *args)
{
    if (!cli_has_one_source(args) || !cli_may_be_written(args, args->save))
        return CLI_USAGE;
    if (args->head && strcmp(args->head, "none") == 0) {
        cli_complain(args, "--head none: there is nothing to measure without a head");
        return CLI_USAGE;
    }
    return cli_with_data(args, !cli_is_dataset(args->rest.items[0]) || !args->head, evaluate);
}

const cli_command cli_eval = {
    .name = "eval",
    .takes = "[OPTION]... MANIFEST|FOLDER|VECTORS",
    .options = "phtRSiFEbrdTjv",
    .line = "measures a head on pictures that it was not trained on",
    .help = "Areas under the curve are taken within each source, then averaged; true positives\n"
            "are told at 1 % and 5 % false positives. Input as for item train.",
    .run = run_eval,
};
