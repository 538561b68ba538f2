/* SPDX-License-Identifier: Apache-2.0 */
/* item pack: what is in a pack, and whether it is whole. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && *text ? text : "unknown";
}

static void show_stage(const char *name, const json_t *stage)
{
    const char *licence = text_of(stage, "licence");
    cli_print_escaped("  %-10s %s, licence %s", name, text_of(stage, "family"), licence);
    const char *role = NULL;
    json_t *file = NULL;
    json_object_foreach(json_object_get(stage, "files"), role, file)
    {
        cli_print_escaped("  %-10s   %-18s %-32s %11.3f MB", "", role, text_of(file, "file"),
                          (double)json_integer_value(json_object_get(file, "bytes")) / 1e6);
    }
}

/* A verdict that a head never gives: it has met too few pictures for the share, or was no good. */
static void show_silence(const char *name, const char *verdict, const char *whose, long long count,
                         double share)
{
    if ((double)count * share < 1)
        cli_print_escaped("  %-10s no picture is called %s: %lld %s are too few", name, verdict,
                          count, whose);
    else
        cli_print_escaped("  %-10s no picture is called %s: in training the scores did not bear it"
                          " out (%lld %s)",
                          name, verdict, count, whose);
}

/* What a threshold was calibrated on, without which its promise says little. */
static void show_threshold(const char *name, const json_t *threshold)
{
    long long real = json_integer_value(json_object_get(threshold, "real"));
    double rate = json_number_value(json_object_get(threshold, "rate"));
    const json_t *score = json_object_get(threshold, "score");
    const json_t *confidence = json_object_get(threshold, "confidence");
    char sure[48] = "";
    if (json_is_number(confidence))
        snprintf(sure, sizeof(sure), ", with confidence %.4g %%",
                 json_number_value(confidence) * 100);
    if (json_is_number(score))
        cli_print_escaped("  %-10s at most %.3g %% of photographs are called ai%s: score %.4g, from"
                          " %lld photographs",
                          name, rate * 100, sure, json_number_value(score), real);
    else /* a calibration lacks nothing but photographs */
        show_silence(name, "ai", "photographs", real, *sure ? 0 : rate);
}

static void show_real_point(const json_t *facts)
{
    long long ai = json_integer_value(json_object_get(facts, "ai"));
    double share = json_number_value(json_object_get(facts, "real_share"));
    const json_t *below = json_object_get(facts, "real_below");
    if (json_is_number(below))
        cli_print_escaped("  %-10s at most %.3g %% of AI pictures are called real: below score"
                          " %.4g, from %lld AI pictures",
                          "real", share * 100, json_number_value(below), ai);
    else
        show_silence("real", "real", "AI pictures", ai, share);
}

/* "Always unsure" is an answer, and this is why. */
static void show_muteness(const json_t *facts, const json_t *thresholds)
{
    const json_t *scores[] = {json_object_get(json_object_get(thresholds, "fpr1"), "score"),
                              json_object_get(json_object_get(thresholds, "fpr5"), "score"),
                              json_object_get(facts, "real_below")};
    for (size_t i = 0; i < sizeof(scores) / sizeof(scores[0]); i++)
        if (json_is_number(scores[i]))
            return;
    cli_print_escaped("  %-10s always unsure with this head; a probability is shown all the same",
                      "verdicts");
}

/* Whose photographs the thresholds were set by. */
static void show_basis(const json_t *thresholds)
{
    const char *rule = text_of(thresholds, "rule");
    if (strcmp(rule, "calibrated") == 0)
        cli_print_escaped("  %-10s calibrated on: %s", "thresholds",
                          text_of(thresholds, "calibrated_on"));
    else if (strcmp(rule, "worst-source") == 0)
        cli_print_escaped("  %-10s hold within each source of 100 held-out photographs or more",
                          "thresholds");
    else
        cli_print_escaped("  %-10s hold over all photographs that training held out", "thresholds");
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
    show_real_point(facts);
    show_basis(thresholds);
    show_muteness(facts, thresholds);
}

void cli_show_head(const item_pack *pack)
{
    json_t *root = json_loads(item_pack_json(pack), 0, NULL);
    show_head(json_object_get(root, "head"));
    json_decref(root);
}

static void show_stages(const item_pack *pack)
{
    json_t *root = json_loads(item_pack_json(pack), 0, NULL);
    const char *name = NULL;
    json_t *stage = NULL;
    puts("stages");
    json_object_foreach(json_object_get(root, "stages"), name, stage)
    {
        show_stage(name, stage);
    }
    json_decref(root);
}

static void show(const item_pack *pack)
{
    static const char *const keys[] = {"name", "version", "path", "licence", "card", "fingerprint"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        cli_print_escaped("%-12s %s", keys[i], item_pack_text(pack, keys[i]));
    show_stages(pack);
    cli_show_head(pack);
}

/* Opens a pack for `show` and `verify`; says why not. */
static item_pack *open_pack(const cli_args *args, const char *path, bool verify)
{
    item_error err = ITEM_ERROR_INIT;
    item_pack *pack = NULL;
    if (item_pack_open(path, verify ? 2 : 0, &pack, &err) != ITEM_OK)
        cli_complain(args, "%s", err.message);
    return pack;
}

const char *cli_pack_state(const item_pack *pack)
{
    return strcmp(item_pack_text(pack, "version"), "as published") == 0
               ? "every file is there and the weights can be read; their publisher states no hash"
               : "every file is there and has its hash";
}

static int look_into(const cli_args *args, const char *path, bool verify)
{
    item_pack *pack = open_pack(args, path, verify);
    if (!pack)
        return CLI_FAILED;
    if (args->json)
        puts(item_pack_json(pack));
    else if (verify)
        cli_print_escaped("%s %s in %s: %s", item_pack_text(pack, "name"),
                          item_pack_text(pack, "version"), item_pack_text(pack, "path"),
                          cli_pack_state(pack));
    else
        show(pack);
    item_pack_free(pack);
    return CLI_OK;
}

static void tell_made(const cli_args *args, const char *path)
{
    cli_print_escaped("%s is made; say in %s/card.md what it is for and how good it is", path,
                      path);
    if (!args->head)
        cli_print_escaped("It gives no verdict, as it has no head: item train --pack %s --out "
                          "head.safetensors PICTURES makes one, --head puts it into a pack",
                          path);
}

static int create(const cli_args *args, const char *path)
{
    item_error err = ITEM_ERROR_INIT;
    cli_run run;
    if (!cli_run_start(&run, args))
        return CLI_FAILED;
    item_pack_parts parts = ITEM_PACK_PARTS_INIT;
    parts.flags = args->copy ? ITEM_PACK_COPY : 0;
    parts.captioner = args->captioner;
    parts.detector = args->detector;
    parts.embedder = args->clip;
    parts.head = args->head;
    parts.cancel = run.cancel;
    item_status status = item_pack_create(&parts, path, &err);
    run.failed += status != ITEM_OK;
    if (status != ITEM_OK && status != ITEM_E_CANCELLED)
        cli_complain(args, "%s", err.message);
    int code = cli_run_end(&run);
    if (status != ITEM_OK)
        return code;
    if (args->json)
        return look_into(args, path, false);
    tell_made(args, path);
    return code;
}

static int run_pack(const cli_args *args)
{
    const char *what = args->rest.count > 0 ? args->rest.items[0] : "";
    const char *path = args->rest.count > 1 ? args->rest.items[1] : NULL;
    bool parts = args->captioner || args->detector || args->clip;
    bool verify = strcmp(what, "verify") == 0, make = strcmp(what, "create") == 0;
    if (make && parts && path && !args->pack && args->rest.count == 2)
        return create(args, path);
    if (make) {
        cli_complain(args, "usage: item pack create [--captioner FOLDER] [--detector FOLDER] "
                           "[--clip FOLDER] [--head FILE] [--copy] FOLDER");
        return CLI_USAGE;
    }
    if ((!verify && strcmp(what, "show") != 0) || args->rest.count > 2 || parts || args->head ||
        args->copy) {
        cli_complain(args, "usage: item pack show|verify [FOLDER], or item pack create ...");
        return CLI_USAGE;
    }
    return look_into(args, path ? path : args->pack, verify);
}

const cli_command cli_pack = {
    .name = "pack",
    .takes = "show|verify|create [OPTION]... [FOLDER]",
    .options = "pKGCgyj",
    .line = "shows what is in a pack, checks every hash, or makes one",
    .help = "Without a folder, show and verify take the installed pack. create makes FOLDER of\n"
            "models as they are published and of stages of other packs; files are linked where\n"
            "the file system makes hard links, else copied.",
    .run = run_pack,
};
