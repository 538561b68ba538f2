/* SPDX-License-Identifier: Apache-2.0 */
/* item detect: where the things are that the queries name. */
#include <stdlib.h>

#include "cli.h"

static item_status ask(const cli_args *args, item_ctx *ctx, item_image *const *images, size_t n,
                       const item_check_options *options, item_result **out, item_error *err)
{
    return item_detect_images(ctx, images, n, (const char *const *)args->queries.items,
                              args->queries.count, options, out, err);
}

static void tell_json(cli_run *run, const char *file, const item_result *result, uint32_t count)
{
    json_t *objects = json_array();
    for (uint32_t i = 0; i < count; i++) {
        item_object o = ITEM_OBJECT_INIT;
        if (item_result_get_object(result, i, &o, NULL) == ITEM_OK)
            json_array_append_new(objects,
                                  json_pack("{s:o, s:[f, f, f, f], s:f}", "query",
                                            cli_json_text(o.phrase), "box", o.box[0], o.box[1],
                                            o.box[2], o.box[3], "score", o.score));
    }
    cli_print_json(run, json_pack("{s:o, s:o}", "file", cli_json_text(file), "objects", objects));
}

static void tell(cli_run *run, const char *file, const item_result *result)
{
    item_result_summary summary = ITEM_RESULT_SUMMARY_INIT;
    if (item_result_get_summary(result, &summary, NULL) != ITEM_OK)
        return;
    if (run->args->json) {
        tell_json(run, file, result, summary.objects);
        return;
    }
    char *name = cli_escaped(file);
    cli_print_coloured(CLI_BOLD, "%s", name);
    puts(summary.objects == 0 ? ": nothing found" : "");
    free(name);
    for (uint32_t i = 0; i < summary.objects; i++) {
        item_object o = ITEM_OBJECT_INIT;
        if (item_result_get_object(result, i, &o, NULL) != ITEM_OK)
            continue;
        char *phrase = cli_escaped(o.phrase);
        printf("  %3.0f %%  %-20s  %.0f,%.0f - %.0f,%.0f\n", o.score * 100, phrase, o.box[0],
               o.box[1], o.box[2], o.box[3]);
        free(phrase);
    }
}

static int run_detect(const cli_args *args)
{
    if (args->queries.count == 0) {
        cli_complain(args, "say what to look for: --query TEXT");
        return CLI_USAGE;
    }
    return cli_each_picture(args, ask, tell);
}

const cli_command cli_detect = {
    .name = "detect",
    .takes = "--query TEXT... [OPTION]... FILE|FOLDER|-...",
    .options = "pmqsobrdTj0v",
    .line = "finds what you name in pictures, with boxes",
    .help = "Boxes are x0,y0 - x1,y1 in pixels of the upright picture.",
    .run = run_detect,
};
