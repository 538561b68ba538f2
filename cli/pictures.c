/* SPDX-License-Identifier: Apache-2.0 */
/* The loop that `caption` and `detect` share: open, read one picture after another, ask. */
#include "cli.h"

item_status cli_read_picture(const cli_run *run, const char *file, item_image **out,
                             item_error *err)
{
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    options.cancel = run->cancel;
    return item_image_from_file(file, &options, out, err);
}

static void ask_one(cli_run *run, item_ctx *ctx, const char *file, cli_ask ask, cli_tell tell)
{
    item_error err = ITEM_ERROR_INIT;
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_image *image = NULL;
    item_result *result = NULL;
    options.cancel = run->cancel;
    item_status status = cli_read_picture(run, file, &image, &err);
    if (status == ITEM_OK)
        status = ask(run->args, ctx, image, &options, &result, &err);
    run->done++;
    if (status == ITEM_OK) {
        cli_run_hide_progress(run);
        tell(run, file, result);
        cli_flush();
    } else if (status != ITEM_E_CANCELLED) {
        cli_print_failure(run, "file", file, &err);
    }
    item_result_unref(result);
    item_image_unref(image);
}

static int ask_all(const cli_args *args, item_ctx *ctx, cli_ask ask, cli_tell tell)
{
    cli_run run;
    if (!cli_run_start(&run, args))
        return CLI_FAILED;
    cli_names *names = cli_names_new(args);
    run.total = cli_names_total(names);
    const char *const *files = NULL;
    while (cli_run_goes_on() && cli_names_take(names, 1, &files) > 0) {
        cli_run_progress(&run);
        ask_one(&run, ctx, files[0], ask, tell);
    }
    run.failed += cli_names_failed(names);
    cli_names_free(names);
    return cli_run_end(&run);
}

int cli_each_picture(const cli_args *args, cli_ask ask, cli_tell tell)
{
    if (args->rest.count == 0) {
        cli_complain(args, "name a picture, a folder, or - for names on standard input");
        return CLI_USAGE;
    }
    item_ctx *ctx = cli_open_context(args);
    int code = ctx ? ask_all(args, ctx, ask, tell) : CLI_USAGE;
    item_ctx_unref(ctx);
    return code;
}
