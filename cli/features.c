/* SPDX-License-Identifier: Apache-2.0 */
/* item features: a thin caller of train.h. What is computed is the library's. */
#include <stdio.h>

#include "data.h"

static item_status tell(cli_run *run, item_ctx *ctx, item_dataset *data, item_error *err)
{
    (void)ctx;
    item_dataset_info info = ITEM_DATASET_INFO_INIT;
    item_status status = item_dataset_get_info(data, &info, err);
    if (status == ITEM_OK)
        printf("%llu pictures, %llu ai and %llu real, of %llu sources, are in %s.\n",
               (unsigned long long)info.rows, (unsigned long long)info.ai,
               (unsigned long long)info.real, (unsigned long long)info.sources, run->args->out);
    return status;
}

static int run_features(const cli_args *args)
{
    cli_args ours = *args;
    if (args->rest.count != 1) {
        cli_complain(args, "name one manifest, or folder with ai/ and real/");
        return CLI_USAGE;
    }
    if (cli_is_dataset(args->rest.items[0])) {
        cli_complain(args, "%s holds features already", args->rest.items[0]);
        return CLI_USAGE;
    }
    if (!args->out || !cli_is_dataset(args->out)) {
        cli_complain(args, "say where the features go: --out FILE.safetensors");
        return CLI_USAGE;
    }
    if (!cli_may_be_written(args, args->out) || !cli_cache_beside(args, args->out))
        return CLI_USAGE;
    ours.save = args->out;
    ours.all_columns = true;
    return cli_with_data(&ours, true, cli_load_labelled, tell);
}

const cli_command cli_features = {
    .name = "features",
    .takes = "--out FILE [OPTION]... MANIFEST|FOLDER",
    .options = "pAViQFbrdTv",
    .line = "keeps everything that heads may read of labelled pictures, in one file",
    .help = "Manifest and folder as for item train, which takes the file that is written here.\n"
            "What is computed is kept in a cache: ended in any way, the same command goes on\n"
            "where it was, and one that wants more views computes these alone.",
    .run = run_features,
};
