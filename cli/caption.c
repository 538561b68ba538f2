/* SPDX-License-Identifier: Apache-2.0 */
/* item caption: what the captioner says of each picture. */
#include <stdlib.h>

#include "cli.h"

static item_status ask(const cli_args *args, item_ctx *ctx, item_image *const *images, size_t n,
                       const item_check_options *options, item_result **out, item_error *err)
{
    (void)args;
    return item_caption_images(ctx, images, n, options, out, err);
}

static json_t *tokens_of(const item_result *result)
{
    size_t count = 0;
    const int32_t *ids = item_result_tokens(result, &count);
    return cli_json_ids(ids, count);
}

static void tell(cli_run *run, const char *file, const item_result *result)
{
    item_result_summary summary = ITEM_RESULT_SUMMARY_INIT;
    const char *caption = item_result_text(result, ITEM_TEXT_CAPTION);
    if (item_result_get_summary(result, &summary, NULL) != ITEM_OK)
        return;
    if (run->args->json) {
        cli_print_json(run, json_pack("{s:o, s:o, s:o, s:o, s:o}", "file", cli_json_text(file),
                                      "caption", cli_json_text(caption), "caption_logprob",
                                      cli_json_number(summary.caption_logprob), "caption_margin",
                                      cli_json_number(summary.caption_margin), "tokens",
                                      tokens_of(result)));
        return;
    }
    char *name = cli_escaped(file), *text = cli_escaped(caption);
    cli_print_coloured(CLI_BOLD, "%s", name);
    printf(": %s\n", text);
    free(name);
    free(text);
}

static int run_caption(const cli_args *args)
{
    return cli_each_picture(args, ask, tell);
}

const cli_command cli_caption = {
    .name = "caption",
    .takes = "[OPTION]... FILE|FOLDER|-...",
    .options = "pmBwMzZbrdTj0v",
    .line = "says in one sentence what a picture shows",
    .help = "",
    .run = run_caption,
};
