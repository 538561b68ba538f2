/* SPDX-License-Identifier: Apache-2.0 */
/* item report: what a query finds in an index, as one web page. */
#include "index.h"

static int report(const cli_args *args, item_index *index)
{
    cli_run run;
    item_error err = ITEM_ERROR_INIT;
    item_index_query query = ITEM_INDEX_QUERY_INIT;
    item_page_options options = ITEM_PAGE_OPTIONS_INIT;
    if (!cli_read_query(args, &query))
        return CLI_USAGE;
    if (!cli_run_start(&run, args))
        return CLI_FAILED;
    options.title = args->title;
    options.cancel = run.cancel;
    options.progress = cli_run_on_progress;
    options.progress_user = &run;
    item_status status = item_index_write_html(index, &query, &options, args->out, &err);
    cli_run_hide_progress(&run);
    if (status == ITEM_OK)
        printf("%zu picture%s: %s\n", run.done, run.done == 1 ? "" : "s", args->out);
    else if (status != ITEM_E_CANCELLED)
        cli_complain_error(args, &err);
    run.failed = status != ITEM_OK;
    return cli_run_end(&run);
}

static int run_report(const cli_args *args)
{
    if (!args->index || !args->out) {
        cli_complain(args, "say which index, and where the page goes: --index FILE --out PAGE");
        return CLI_USAGE;
    }
    if (args->rest.count > 0) {
        cli_complain(args, "unexpected argument %s", args->rest.items[0]);
        return CLI_USAGE;
    }
    item_index *index = cli_open_index(args, 0);
    int code = index ? report(args, index) : CLI_USAGE;
    item_index_free(index);
    return code;
}

const cli_command cli_report = {
    .name = "report",
    .takes = "--index FILE --out PAGE [OPTION]...",
    .options = "I^@1=23456789l%&",
    .line = "shows pictures of an index as one web page",
    .help =
        "Small pictures, verdicts with their reasons, captions, boxes. The page loads nothing and\n"
        "can be sent on by itself; a picture takes some 10 kB. Questions as for item find.",
    .run = run_report,
};
