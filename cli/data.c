/* SPDX-License-Identifier: Apache-2.0 */
/* Labelled pictures or their vectors as input, reports as output: for the callers of train.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data.h"

bool cli_is_dataset(const char *path)
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
    /* layers come with the vectors; what takes time is for files that are asked many questions */
    options.columns = run->args->all_columns ? ITEM_EXTRACT_ALL : ITEM_EXTRACT_LAYERS;
    options.views = (uint32_t)run->args->views;
    return item_dataset_extract(ctx, path, &options, out, err);
}

item_status cli_load_labelled(cli_run *run, item_ctx *ctx, item_dataset **out, item_error *err)
{
    const char *path = run->args->rest.items[0];
    return cli_is_dataset(path) ? item_dataset_load(path, out, err)
                                : extract(run, ctx, path, out, err);
}

/* Says which pictures were left out, and keeps the vectors. */
static item_status keep(cli_run *run, const item_dataset *data, item_error *err)
{
    const char *warning = NULL;
    for (uint32_t i = 0; (warning = item_dataset_warning(data, i)); i++) {
        cli_complain(run->args, "left out: %s", warning);
        run->failed++;
    }
    for (uint32_t i = 0; (warning = item_dataset_notice(data, i)); i++)
        cli_complain(run->args, "note: %s", warning);
    return run->args->save ? item_dataset_save(data, run->args->save, err) : ITEM_OK;
}

void cli_print_report(const cli_run *run, const item_report *report)
{
    if (run->args->json)
        puts(item_report_json(report));
    else
        fputs(item_report_markdown(report), stdout);
}

bool cli_write_text(const cli_args *args, const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    bool written = file && fputs(text, file) >= 0 && fflush(file) == 0;
    int why = errno;
    if (file && fclose(file) != 0 && written) {
        written = false;
        why = errno;
    }
    if (!written)
        cli_complain(args, "%s: cannot be written: %s", path, strerror(why));
    return written;
}

item_status cli_write_head(const cli_run *run, const item_report *report, item_error *err)
{
    const cli_args *args = run->args;
    cli_print_report(run, report);
    item_status status = item_report_write_head(report, args->out, err);
    if (status == ITEM_OK && !args->json)
        printf("\nThe head is in %s.\n", args->out);
    return status;
}

static int run_job(const cli_args *args, item_ctx *ctx, cli_loader load, cli_job do_job)
{
    cli_run run;
    item_error err = ITEM_ERROR_INIT;
    item_dataset *data = NULL;
    if (!cli_run_start(&run, args))
        return CLI_FAILED;
    item_status status = load(&run, ctx, &data, &err);
    cli_run_hide_progress(&run);
    if (status == ITEM_OK)
        status = keep(&run, data, &err);
    if (status == ITEM_OK)
        status = do_job(&run, ctx, data, &err);
    item_dataset_free(data);
    run.failed += status != ITEM_OK;
    if (status != ITEM_OK && status != ITEM_E_CANCELLED)
        cli_complain(args, "%s", err.message);
    return cli_run_end(&run);
}

int cli_with_data(const cli_args *args, bool wanted, cli_loader load, cli_job do_job)
{
    if (!wanted)
        return run_job(args, NULL, load, do_job);
    item_ctx *ctx = cli_open_context(args);
    int code = ctx ? run_job(args, ctx, load, do_job) : CLI_USAGE;
    item_ctx_unref(ctx);
    return code;
}

bool cli_has_one_source(const cli_args *args)
{
    if (args->rest.count != 1) {
        cli_complain(args, "name one manifest, folder with ai/ and real/, or file of vectors");
        return false;
    }
    const char *source = args->rest.items[0];
    bool good = !args->split || !cli_is_dataset(source);
    if (!good)
        cli_complain(args, "--split works on manifests, and %s holds vectors", source);
    return good;
}

bool cli_may_be_written(const cli_args *args, const char *path)
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
