/* SPDX-License-Identifier: Apache-2.0 */
/* item eval: a thin caller of train.h. What is computed and said is the library's. */
#include <string.h>

#include "data.h"

/* ITEM_KNOWN_...; REFUSE for a word that is none. */
static uint32_t known_sources(const char *word)
{
    return strcmp(word, "keep") == 0   ? ITEM_KNOWN_KEEP
           : strcmp(word, "drop") == 0 ? ITEM_KNOWN_DROP
                                       : ITEM_KNOWN_REFUSE;
}

static item_status evaluate(cli_run *run, item_ctx *ctx, item_dataset *data, item_error *err)
{
    const cli_args *args = run->args;
    item_eval_options options = ITEM_EVAL_OPTIONS_INIT;
    item_report *report = NULL;
    options.threshold = args->threshold;
    options.rivals = (const char *const *)args->rivals.items;
    options.rival_count = (uint32_t)args->rivals.count;
    options.known_sources = args->known_sources ? known_sources(args->known_sources) : 0;
    options.cancel = run->cancel;
    options.seed = args->seed;
    item_status status = item_evaluate(data, ctx ? NULL : args->head, ctx, &options, &report, err);
    if (status == ITEM_OK) {
        cli_print_report(run, report);
        if (args->html && !cli_write_text(args, args->html, item_report_html(report)))
            run->failed++;
    }
    item_report_free(report);
    return status;
}

static int run_eval(const cli_args *args)
{
    if (!cli_has_one_source(args) || !cli_may_be_written(args, args->save) ||
        !cli_may_be_written(args, args->html))
        return CLI_USAGE;
    if (args->head && strcmp(args->head, "none") == 0) {
        cli_complain(args, "--head none: there is nothing to measure without a head");
        return CLI_USAGE;
    }
    if (args->known_sources && known_sources(args->known_sources) == ITEM_KNOWN_REFUSE) {
        cli_complain(args, "--known-sources: keep or drop");
        return CLI_USAGE;
    }
    return cli_with_data(args, !cli_is_dataset(args->rest.items[0]) || !args->head,
                         cli_load_labelled, evaluate);
}

const cli_command cli_eval = {
    .name = "eval",
    .takes = "[OPTION]... MANIFEST|FOLDER|VECTORS",
    .options = "phtRWkSiFEbrdTUjv",
    .line = "measures a head on pictures that it was not trained on",
    .help = "Areas under the curve are taken within each source, then averaged; true positives\n"
            "are told at 1 % and 5 % false positives. Input as for item train.",
    .run = run_eval,
};
