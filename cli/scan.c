/* SPDX-License-Identifier: Apache-2.0 */
/* item scan: brings an index of folders up to date; a thin caller of index.h. */
#include <inttypes.h>
#include <stdio.h>

#include "index.h"

static void on_trouble(void *user, const char *path, const item_error *why)
{
    cli_run *run = user;
    const size_t failed = run->failed;
    cli_print_failure(run, "file", path, why);
    run->failed = failed; /* counted below, with what failed before */
}

static void print_count(uint64_t count, const char *what)
{
    if (count > 0)
        printf(", %" PRIu64 " %s", count, what);
}

static void print_counts(cli_run *run, const item_scan_counts *met)
{
    const uint64_t there = met->unchanged + met->answered + met->copies;
    if (run->args->json) {
        cli_print_json(run,
                       json_pack("{s:{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}}", "scan", "unchanged",
                                 (json_int_t)met->unchanged, "answered", (json_int_t)met->answered,
                                 "copies", (json_int_t)met->copies, "moved", (json_int_t)met->moved,
                                 "failed", (json_int_t)met->failed, "other", (json_int_t)met->other,
                                 "missing", (json_int_t)met->missing, "unreadable",
                                 (json_int_t)met->unreadable));
        return;
    }
    printf("%" PRIu64 " picture%s: %" PRIu64 " unchanged, %" PRIu64 " checked", there,
           there == 1 ? "" : "s", met->unchanged, met->answered);
    print_count(met->copies, "copies");
    print_count(met->moved, "of them moved");
    print_count(met->failed, "failed");
    print_count(met->missing, "missing");
    print_count(met->other, "other files");
    print_count(met->unreadable, "folders that cannot be read");
    printf(".\n");
    if (met->failed)
        printf("item find --failed tells what failed.\n");
}

static int scan(const cli_args *args, item_ctx *ctx, item_index *index)
{
    cli_run run;
    item_error err = ITEM_ERROR_INIT;
    item_scan_counts met = ITEM_SCAN_COUNTS_INIT;
    item_scan_options options = ITEM_SCAN_OPTIONS_INIT;
    if (!cli_run_start(&run, args))
        return CLI_FAILED;
    options.flags = args->hash ? ITEM_SCAN_HASH : 0;
    options.cancel = run.cancel;
    options.progress = cli_run_on_progress;
    options.trouble = on_trouble;
    options.user = &run;
    item_status status = item_index_scan(index, ctx, (const char *const *)args->rest.items,
                                         args->rest.count, &options, &met, &err);
    cli_run_hide_progress(&run);
    if (status == ITEM_OK || status == ITEM_E_CANCELLED)
        print_counts(&run, &met);
    else
        cli_complain_error(args, &err);
    if (status == ITEM_E_CANCELLED && !args->json)
        printf("Cancelled: the next scan goes on from here.\n");
    run.failed = (size_t)(met.failed + met.unreadable) + (status != ITEM_OK);
    int code = cli_run_end(&run);
    return status == ITEM_E_ARGUMENT ? CLI_USAGE : code;
}

static int run_scan(const cli_args *args)
{
    if (!args->index) {
        cli_complain(args, "say which index: --index FILE");
        return CLI_USAGE;
    }
    if (!cli_cache_beside(args, args->index))
        return CLI_USAGE;
    /* the index first: an error of the command line is told before a pack is opened */
    item_index *index = cli_open_index(args, ITEM_INDEX_CREATE);
    item_ctx *ctx = index ? cli_open_context(args) : NULL;
    int code = ctx ? scan(args, ctx, index) : CLI_USAGE;
    item_ctx_unref(ctx);
    item_index_free(index);
    return code;
}

const cli_command cli_scan = {
    .name = "scan",
    .takes = "--index FILE [OPTION]... [FOLDER]...",
    .options = "IXptHPoJBbrdTa$jv",
    .line = "checks whole folders, and keeps the answers in an index",
    .help = "What has not changed since the last scan is not read again, and copies are answered\n"
            "once. A scan that was ended in any way is gone on with by the next one. Without a\n"
            "folder, those that were scanned before are. Ask the index with item find.",
    .run = run_scan,
};
