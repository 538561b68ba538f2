/* SPDX-License-Identifier: Apache-2.0 */
/* item embed: unit vectors of texts and pictures, texts first. */
#include <stdlib.h>

#include "cli.h"

#define TEXTS_AT_ONCE 64

static void print_vector(cli_run *run, const char *kind, const char *name, const float *vector,
                         size_t width)
{
    if (run->args->json) {
        json_t *numbers = json_array();
        for (size_t i = 0; i < width; i++)
            json_array_append_new(numbers, json_real((double)vector[i]));
        cli_print_json(run,
                       json_pack("{s:o, s:o}", kind, cli_json_text(name), "embedding", numbers));
        return;
    }
    char *shown = cli_escaped(name);
    cli_run_hide_progress(run);
    cli_print_coloured(CLI_BOLD, "%s", shown);
    printf(":");
    for (size_t i = 0; i < width; i++)
        printf(" %.5f", (double)vector[i]);
    putchar('\n');
    free(shown);
    cli_flush();
}

/* Some texts in one call; where that fails one by one, so that a bad text spares the others. */
static void embed_span(cli_run *run, item_ctx *ctx, const char *const *texts, size_t n,
                       size_t width)
{
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_error err = ITEM_ERROR_INIT;
    options.cancel = run->cancel;
    float *vectors = cli_resize(NULL, n * width, sizeof(*vectors));
    item_status status = item_embed_texts(ctx, texts, n, &options, vectors, width, &err);
    for (size_t i = 0; i < n && status != ITEM_E_CANCELLED && cli_run_goes_on(); i++) {
        if (status == ITEM_OK)
            print_vector(run, "text", texts[i], vectors + i * width, width);
        else if (n > 1)
            embed_span(run, ctx, &texts[i], 1, width);
        else
            cli_print_failure(run, "text", texts[i], &err);
    }
    free(vectors);
}

static void embed_texts(cli_run *run, item_ctx *ctx, size_t width)
{
    const cli_list *texts = &run->args->texts;
    for (size_t i = 0; i < texts->count && cli_run_goes_on(); i += TEXTS_AT_ONCE) {
        size_t left = texts->count - i, n = left < TEXTS_AT_ONCE ? left : TEXTS_AT_ONCE;
        embed_span(run, ctx, (const char *const *)texts->items + i, n, width);
        run->done += n;
    }
}

/* Some pictures in one call; those that cannot be read are left out of it. */
static void embed_some(cli_run *run, item_ctx *ctx, const char *const *files, size_t n,
                       size_t width)
{
    item_image *images[64] = {NULL};
    item_error errs[64], err = ITEM_ERROR_INIT;
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    float *vectors = cli_resize(NULL, n * width, sizeof(*vectors));
    size_t good = 0, next = 0;
    for (size_t i = 0; i < n; i++) {
        errs[i] = (item_error)ITEM_ERROR_INIT;
        good += cli_read_picture(run, files[i], &images[good], &errs[i]) == ITEM_OK;
    }
    options.cancel = run->cancel;
    if (good > 0)
        item_embed_images(ctx, images, good, &options, vectors, width, &err);
    for (size_t i = 0; i < n && err.code != ITEM_E_CANCELLED && cli_run_goes_on(); i++) {
        run->done++;
        const item_error *why = errs[i].code != ITEM_OK ? &errs[i] : &err;
        if (why->code == ITEM_OK)
            print_vector(run, "file", files[i], vectors + next++ * width, width);
        else
            cli_print_failure(run, "file", files[i], why);
    }
    for (size_t i = 0; i < good; i++)
        item_image_unref(images[i]);
    free(vectors);
}

static int embed_all(const cli_args *args, item_ctx *ctx, size_t width)
{
    cli_run run;
    if (!cli_run_start(&run, args))
        return CLI_FAILED;
    embed_texts(&run, ctx, width);
    cli_names *names = cli_names_new(args);
    run.total = cli_names_total(names);
    if (run.total > 0)
        run.total += args->texts.count;
    const char *const *files = NULL;
    size_t n = 0;
    while (cli_run_goes_on() && (n = cli_names_take(names, args->batch, &files)) > 0) {
        embed_some(&run, ctx, files, n, width);
        cli_run_progress(&run);
    }
    run.failed += cli_names_failed(names);
    cli_names_free(names);
    return cli_run_end(&run);
}

static int run_embed(const cli_args *args)
{
    if (args->rest.count == 0 && args->texts.count == 0) {
        cli_complain(args, "name a picture, or give --text TEXT");
        return CLI_USAGE;
    }
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    item_ctx *ctx = cli_open_context(args);
    int code = CLI_USAGE;
    if (ctx && item_ctx_get_info(ctx, &info, NULL) == ITEM_OK && info.width > 0)
        code = embed_all(args, ctx, info.width);
    else if (ctx)
        cli_complain(args, "%s has no embedder, or does not state the width of its vectors",
                     args->pack ? args->pack : "the pack");
    item_ctx_unref(ctx);
    return code;
}

const cli_command cli_embed = {
    .name = "embed",
    .takes = "[OPTION]... [--text TEXT]... [FILE|FOLDER|-]...",
    .options = "pmxbrdTj0v",
    .line = "gives the unit vectors of pictures and texts",
    .help = "",
    .run = run_embed,
};
