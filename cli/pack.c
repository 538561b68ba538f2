/* SPDX-License-Identifier: Apache-2.0 */
/* item pack: what is in a pack, and whether it is whole. */
#include <stdlib.h>
#include <string.h>

#include <item/pack.h>

#include "cli.h"

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && *text ? text : "unknown";
}

static void show_stage(const char *name, const json_t *stage)
{
    cli_print_escaped("  %-10s %s, %s", name, text_of(stage, "family"), text_of(stage, "licence"));
    const char *role = NULL;
    json_t *file = NULL;
    json_object_foreach(json_object_get(stage, "files"), role, file)
    {
        cli_print_escaped("  %-10s   %-10s %-32s %8.2f MB", "", role, text_of(file, "file"),
                          (double)json_integer_value(json_object_get(file, "bytes")) / 1e6);
    }
}

/* What a threshold was calibrated on, without which its promise says little. */
static void show_threshold(const char *name, const json_t *threshold)
{
    long long real = json_integer_value(json_object_get(threshold, "real"));
    double rate = json_number_value(json_object_get(threshold, "rate"));
    const json_t *score = json_object_get(threshold, "score");
    if (json_is_number(score))
        cli_print_escaped("  %-10s at most %.3g %% of photographs are called ai: score %.4g, from "
                          "%lld photographs",
                          name, rate * 100, json_number_value(score), real);
    else
        cli_print_escaped("  %-10s no picture is called ai: %lld photographs are too few", name,
                          real);
}

static void show_head(const json_t *head)
{
    if (!json_is_object(head)) {
        cli_print_escaped("%-12s %s", "head", "none: this pack gives no verdict");
        return;
    }
    const json_t *facts = json_object_get(head, "facts");
    const json_t *thresholds = json_object_get(facts, "thresholds");
    cli_print_escaped("%-12s %s", "head", text_of(head, "file"));
    cli_print_escaped("  %-10s %s", "layout", text_of(facts, "layout"));
    show_threshold("fpr1", json_object_get(thresholds, "fpr1"));
    show_threshold("fpr5", json_object_get(thresholds, "fpr5"));
}

static void show(const item_pack *pack)
{
    static const char *const keys[] = {"name", "version", "path", "licence", "card", "fingerprint"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        cli_print_escaped("%-12s %s", keys[i], item_pack_text(pack, keys[i]));
    json_t *root = json_loads(item_pack_json(pack), 0, NULL);
    const char *name = NULL;
    json_t *stage = NULL;
    puts("stages");
    json_object_foreach(json_object_get(root, "stages"), name, stage)
    {
        show_stage(name, stage);
    }
    show_head(json_object_get(root, "head"));
    json_decref(root);
}

static int run_pack(const cli_args *args)
{
    const char *what = args->rest.count > 0 ? args->rest.items[0] : "";
    bool verify = strcmp(what, "verify") == 0;
    if ((!verify && strcmp(what, "show") != 0) || args->rest.count > 2) {
        cli_complain(args, "usage: item pack show|verify [FOLDER]");
        return CLI_USAGE;
    }
    item_error err = ITEM_ERROR_INIT;
    item_pack *pack = NULL;
    const char *path = args->rest.count > 1 ? args->rest.items[1] : args->pack;
    if (item_pack_open(path, verify ? 2 : 0, &pack, &err) != ITEM_OK) {
        cli_complain(args, "%s", err.message);
        return CLI_FAILED;
    }
    if (args->json)
        puts(item_pack_json(pack));
    else if (verify)
        cli_print_escaped("%s %s in %s: every file is there and has its hash",
                          item_pack_text(pack, "name"), item_pack_text(pack, "version"),
                          item_pack_text(pack, "path"));
    else
        show(pack);
    item_pack_free(pack);
    return CLI_OK;
}

const cli_command cli_pack = {
    .name = "pack",
    .takes = "show|verify [OPTION]... [FOLDER]",
    .options = "pj",
    .line = "shows what is in a pack, or checks every hash",
    .help = "Without a folder: the installed pack.",
    .run = run_pack,
};
