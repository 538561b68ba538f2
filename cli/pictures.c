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

/* A picture that was read, or why it was not. */
typedef struct reading {
    const char *file;
    item_image *image;
    item_result *result;
    item_error err;
} reading;

static void answer(cli_run *run, cli_tell tell, reading *r)
{
    run->done++;
    if (r->err.code == ITEM_OK && r->result) {
        cli_run_hide_progress(run);
        tell(run, r->file, r->result);
        cli_flush();
    } else if (r->err.code != ITEM_E_CANCELLED) {
        cli_print_failure(run, "file", r->file, &r->err);
    }
    item_result_unref(r->result);
    item_image_unref(r->image);
}

/* All in one call; where that fails one by one, so that a bad picture spares the others. */
static void ask_some(cli_run *run, item_ctx *ctx, cli_ask ask, reading *readings, size_t n)
{
    item_image *images[CLI_BATCH];
    item_result *results[CLI_BATCH];
    item_error err = ITEM_ERROR_INIT;
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    size_t good = 0;
    options.cancel = run->cancel;
    for (size_t i = 0; i < n; i++)
        if (readings[i].image)
            images[good++] = readings[i].image;
    item_status status =
        good ? ask(run->args, ctx, images, good, &options, results, &err) : ITEM_OK;
    size_t next = 0;
    for (size_t i = 0; i < n; i++) {
        reading *r = &readings[i];
        if (!r->image)
            continue;
        if (status == ITEM_OK)
            r->result = results[next++];
        else if (good == 1 || status == ITEM_E_CANCELLED)
            r->err = err;
        else
            ask(run->args, ctx, &r->image, 1, &options, &r->result, &r->err);
    }
}

static void read_and_ask(cli_run *run, item_ctx *ctx, const char *const *files, size_t n,
                         cli_ask ask, cli_tell tell)
{
    reading readings[CLI_BATCH];
    for (size_t i = 0; i < n; i++) {
        readings[i] = (reading){.file = files[i], .err = ITEM_ERROR_INIT};
        cli_read_picture(run, files[i], &readings[i].image, &readings[i].err);
    }
    ask_some(run, ctx, ask, readings, n);
    for (size_t i = 0; i < n; i++)
        answer(run, tell, &readings[i]);
}

static int ask_all(const cli_args *args, item_ctx *ctx, cli_ask ask, cli_tell tell)
{
    cli_run run;
    if (!cli_run_start(&run, args))
        return CLI_FAILED;
    cli_names *names = cli_names_new(args);
    run.total = cli_names_total(names);
    const char *const *files = NULL;
    for (size_t n; cli_run_goes_on() && (n = cli_names_take(names, args->batch, &files)) > 0;) {
        cli_run_progress(&run);
        read_and_ask(&run, ctx, files, n, ask, tell);
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
