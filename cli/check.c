/* SPDX-License-Identifier: Apache-2.0 */
/* item check: verdicts with their reasons. */
#include <stdlib.h>

#include "cli.h"

/* One picture's answer: a line of JSON or a block for people. */
static void print_result(cli_run *run, const item_result *result, const char *file)
{
    item_error err = ITEM_ERROR_INIT;
    run->done++;
    bool failed = item_result_status(result, &err) != ITEM_OK;
    if (failed && !run->args->json) {
        cli_print_failure(run, "file", file, &err);
        return;
    }
    run->failed += failed;
    cli_run_hide_progress(run);
    const char *json = run->args->json ? item_result_json(result) : NULL;
    if (json)
        puts(json);
    else if (run->args->json)
        cli_out_of_memory();
    else
        cli_show_result(result, file);
    cli_flush();
}

static bool check_some(cli_run *run, item_ctx *ctx, cli_answered tell, const char *const *files,
                       size_t n)
{
    item_error err = ITEM_ERROR_INIT;
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_result **results = cli_resize(NULL, n, sizeof(item_result *));
    options.caption = run->args->caption;
    options.cancel = run->cancel;
    item_status status = item_check_files(ctx, files, n, &options, results, &err);
    for (size_t i = 0; status == ITEM_OK && i < n; i++) {
        if (cli_run_goes_on())
            tell(run, results[i], files[i]);
        item_result_unref(results[i]);
    }
    free(results);
    if (status == ITEM_OK || status == ITEM_E_CANCELLED)
        return cli_run_goes_on();
    cli_complain(run->args, "%s", err.message);
    run->failed += n;
    return false;
}

static int check_all(const cli_args *args, item_ctx *ctx, void (*head)(void), cli_answered tell)
{
    cli_run run;
    if (!cli_run_start(&run, args))
        return CLI_FAILED;
    cli_names *names = cli_names_new(args);
    run.total = cli_names_total(names);
    const char *const *files = NULL;
    for (size_t n; (n = cli_names_take(names, args->batch, &files)) > 0;) {
        if (head)
            head();
        head = NULL;
        cli_run_progress(&run);
        if (!check_some(&run, ctx, tell, files, n))
            break;
    }
    run.failed += cli_names_failed(names);
    cli_names_free(names);
    return cli_run_end(&run);
}

int cli_check_each(const cli_args *args, void (*head)(void), cli_answered tell)
{
    if (args->rest.count == 0) {
        cli_complain(args, "name a picture, a folder, or - for names on standard input");
        return CLI_USAGE;
    }
    item_ctx *ctx = cli_open_context(args);
    int code = ctx ? check_all(args, ctx, head, tell) : CLI_USAGE;
    item_ctx_unref(ctx);
    return code;
}

static int run_check(const cli_args *args)
{
    return cli_check_each(args, args->json ? NULL : cli_show_check_header, print_result);
}

const cli_command cli_check = {
    .name = "check",
    .takes = "[OPTION]... FILE|FOLDER|-...",
    .options = "pctHPoJBbrdTaUj0v",
    .line = "checks pictures: caption, objects, probability, verdict and reason",
    .help = "Folders are read with all below them, sorted. Verdicts are real, unsure and ai; the\n"
            "probability is calibrated. A caption of your own changes the similarities that are\n"
            "shown; the verdict rests on the model's own one.",
    .run = run_check,
};
