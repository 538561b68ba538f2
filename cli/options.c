/* SPDX-License-Identifier: Apache-2.0 */
/* Options of all commands: one table parses them and writes their help. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* Where an option's value goes: a member of cli_args. */
typedef enum kind { KIND_NONE, KIND_TEXT, KIND_LIST, KIND_NUMBER, KIND_FLAG } kind;

#define NOTHING             KIND_NONE, 0, 0, 0
#define TEXT(m)             KIND_TEXT, offsetof(cli_args, m), 0, 0
#define LIST(m)             KIND_LIST, offsetof(cli_args, m), 0, 0
#define FLAG(m)             KIND_FLAG, offsetof(cli_args, m), 0, 0
#define NUMBER(m, low, top) KIND_NUMBER, offsetof(cli_args, m), low, top

typedef struct option {
    char letter; /* names it in a command's list; not typed by users */
    const char *name;
    const char *value; /* NULL: takes none */
    const char *help;
    const char *setting; /* name for item_config_set(), which checks the value; or NULL */
    kind kind;
    size_t member;
    uint64_t least, most;
} option;

static const option options[] = {
    {'p', "--pack", "FOLDER", "the pack to use; default: the installed one", NULL, TEXT(pack)},
    {'m', "--model", "FOLDER", "a published model in the place of a pack: its folder", NULL,
     TEXT(pack)},
    {'c', "--caption", "TEXT", "your own caption, for every picture of the call", NULL,
     TEXT(caption)},
    {'t', "--threshold", "NAME", "fpr1 (default), fpr5, or a number between 0 and 1", "threshold",
     TEXT(threshold)},
    {'s', "--threshold", "SCORE", "least score of a box, 0 to 1", "detector_score", NOTHING},
    {'H', "--head", "FILE", "judge with this head; 'none': no verdict", "head", TEXT(head)},
    {'h', "--head", "FILE", "the head to measure; default: the pack's", "head", TEXT(head)},
    {'P', "--prior", "SHARE", "share of AI pictures you expect: moves the probability only",
     "prior", NOTHING},
    {'o', "--max-objects", "N",
     "objects a picture, 0 to 64; default 8, of detect with a published model all", "max_objects",
     NOTHING},
    {'J', "--fast", NULL, "look for no objects where the head judges without them", "fast",
     NOTHING},
    {'B', "--beams", "N", "beams of the captioner, 1 to 8", "beams", NOTHING},
    {'M', "--max-tokens", "N", "most tokens of a caption, 1 to 512; default: the model's",
     "max_tokens", NOTHING},
    {'w', "--prompt", "TEXT", "what the caption begins with, if the model can", "prompt", NOTHING},
    {'z', "--sample", "T",
     "draw the words at temperature T, 0 to 10, if the model can; default 0: none is", "sample",
     NOTHING},
    {'Z', "--seed", "N", "of these draws; default 0", "sample_seed", NOTHING},
    {'q', "--query", "TEXT", "what to look for; may be given many times", NULL, LIST(queries)},
    {'x', "--text", "TEXT", "a text to embed; may be given many times", NULL, LIST(texts)},
    {'K', "--captioner", "FOLDER", "a published model, or a pack, for captions", NULL,
     TEXT(captioner)},
    {'G', "--detector", "FOLDER", "likewise for objects", NULL, TEXT(detector)},
    {'C', "--clip", "FOLDER", "likewise for vectors of pictures and texts", NULL, TEXT(clip)},
    {'g', "--head", "FILE", "the head that judges; without one there is no verdict", NULL,
     TEXT(head)},
    {'y', "--copy", NULL, "copy files, where else they are linked", NULL, FLAG(copy)},
    {'O', "--out", "FILE", "where the head goes", NULL, TEXT(out)},
    {'A', "--out", "FILE", "where the features go (.safetensors)", NULL, TEXT(out)},
    {'A', "-o", "FILE", "the same", NULL, TEXT(out)},
    {'V', "--views", "N", "also vectors of N views (parts) of each picture, 0 to 15", NULL,
     NUMBER(views, 0, 15)},
    {'U', "--cache", "FILE", "keep what is computed in this file, and do not compute it again",
     "cache", TEXT(cache)},
    {'Q', "--cache", "FILE", "keep what is computed here; default: OUT.cache; 'none'", "cache",
     TEXT(cache)},
    {'$', "--cache", "FILE", "keep what is computed here; default: INDEX.cache; 'none'", "cache",
     TEXT(cache)},
    {'^', "--out", "PAGE", "where the page goes (.html)", NULL, TEXT(out)},
    {'@', "--title", "TEXT", "of the page; default: Pictures", NULL, TEXT(title)},
    {'#', "--dry-run", NULL, "write nothing: print what would be written", NULL, FLAG(dry_run)},
    {'I', "--index", "FILE", "the index, an SQLite file", NULL, TEXT(index)},
    {'X', "--hash", NULL, "read every file, whatever its size and time say", NULL, FLAG(hash)},
    {'+', "--import", "FILE",
     "first bring in answers of other machines; '-': standard input; many times", NULL,
     LIST(imports)},
    {'1', "--verdict", "NAME", "real, unsure, ai or none; may be given many times", NULL,
     LIST(verdicts)},
    {'=', "--origin", "CLAIM",
     "the file says of itself: ai, ai_part, capture, or other; many times", NULL, LIST(origins)},
    {'2', "--least", "P", "probability of AI at least P, 0 to 1", NULL, TEXT(least)},
    {'3', "--most", "P", "probability of AI at most P, 0 to 1", NULL, TEXT(most)},
    {'4', "--caption", "WORDS", "the caption has these words, in any order and form", NULL,
     TEXT(caption)},
    {'5', "--object", "WORDS", "likewise the objects that were found", NULL, TEXT(object)},
    {'6', "--folder", "FOLDER", "only what lies below", NULL, TEXT(folder)},
    {'7', "--since", "DAY", "taken on this day or later, such as 2024-07-31", NULL, TEXT(since)},
    {'8', "--until", "DAY", "taken before this day", NULL, TEXT(until)},
    {'9', "--sort", "BY", "path (default), probability or date", NULL, TEXT(sort)},
    {'l', "--limit", "N", "at most N pictures", NULL, NUMBER(limit, 1, INT64_MAX)},
    {'%', "--failed", NULL, "pictures that could not be read or checked", NULL, FLAG(failed)},
    {'&', "--missing", NULL, "pictures that were gone at the last scan", NULL, FLAG(missing)},
    {';', "--csv", NULL, "comma-separated values, with a line of names", NULL, FLAG(csv)},
    {'_', "-0", NULL, "names alone, each ended by NUL", NULL, FLAG(nul_names)},
    {'O', "-o", "FILE", "the same", NULL, TEXT(out)},
    {'S', "--save", "FILE", "keep the vectors too (.safetensors), for another run", NULL,
     TEXT(save)},
    {'R', "--rival", "HEAD", "compare with this head on the same pictures; may be given many times",
     NULL, LIST(rivals)},
    {'W', "--html", "FILE", "the report as one web page too, with plots", NULL, TEXT(html)},
    {'k', "--known-sources", "WHAT",
     "of sources that a head was trained on: keep (shown apart) or drop; default: refuse", NULL,
     TEXT(known_sources)},
    {'i', "--split", "NAME", "rows of this split of the manifest only", NULL, TEXT(split)},
    {'F', "--max-failures", "N", "pictures that may fail before all does; default 100", NULL,
     NUMBER(max_failures, 0, UINT32_MAX)},
    {'L', "--layout", "NAME",
     "form/scope/version of features; default difference/both/1; several: compared", NULL,
     LIST(layouts)},
    {'N', "--hidden", "N[,N]", "units of hidden layers, 0 for none; default 32; several: compared",
     NULL, LIST(hiddens)},
    {'Y', "--penalty", "X", "on squares of weights, where no layer is hidden; default 1", NULL,
     TEXT(penalty)},
    {'u', "--threshold-rule", "R", "promises hold 'pooled' (default), or in the 'worst-source'",
     NULL, TEXT(threshold_rule)},
    {'f', "--confidence", "SHARE", "of the promises, 0.5 to below 1; default 0.95", NULL,
     TEXT(confidence)},
    {'n', "--calibrated-on", "TEXT", "for the head: what photographs", NULL, TEXT(calibrated_on)},
    {'e', "--epochs", "N", "rounds over the pictures, at most; default 60", NULL,
     NUMBER(epochs, 1, 1000000)},
    {'E', "--seed", "N", "of every draw; default 1", NULL, NUMBER(seed, 0, UINT64_MAX)},
    {'D', "--trained-on", "TEXT", "for the head: what pictures, which licence", NULL,
     TEXT(trained_on)},
    {'b', "--batch", "N", "pictures at a time, 1 to 64; default 8", "batch", NUMBER(batch, 1, 64)},
    {'r', "--precision", "P", "fp32 (default), bf16 or auto", "precision", NOTHING},
    {'d', "--device", "D", "cpu (default), cuda, or cuda:N", "device", NOTHING},
    {'T', "--threads", "N", "threads that compute; default: one for each core", NULL,
     NUMBER(threads, 1, 1024)},
    {'a', "--accept-truncated", NULL, "read pictures that end early, with a warning",
     "accept_truncated", NOTHING},
    {'j', "--json", NULL, "one JSON object a line, as soon as it is known", NULL, FLAG(json)},
    {'0', "-0", NULL, "read names from standard input, each ended by NUL", NULL, FLAG(nul_names)},
    {'v', "--verbose", NULL, "what the library logs, on standard error", NULL, FLAG(verbose)},
};

void cli_complain(const cli_args *args, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char *line = cli_format_escaped(format, list);
    va_end(list);
    fprintf(stderr, "item %s: %s\n", args->command, line);
    free(line);
}

int cli_complain_error(const cli_args *args, const item_error *err)
{
    cli_complain(args, "%s", err->message);
    return CLI_USAGE;
}

void cli_print_options(FILE *out, const char *letters)
{
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        const option *o = &options[i];
        if (!strchr(letters, o->letter))
            continue;
        int used = fprintf(out, "  %s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
        fprintf(out, "%*s%s\n", used < 24 ? 24 - used : 1, "", o->help);
    }
    fputs("  --help                this text\n", out);
}

static const option *find(const char *letters, const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        if (strchr(letters, options[i].letter) && strlen(options[i].name) == length &&
            memcmp(options[i].name, name, length) == 0)
            return &options[i];
    return NULL;
}

static void log_line(void *user, int32_t level, const char *text)
{
    static const char *const names[] = {"", "error", "warning", "info", "debug"};
    (void)user;
    fprintf(stderr, "item: %s: %s\n", level >= 1 && level <= 4 ? names[level] : "", text);
}

static bool take_number(const cli_args *args, const option *o, const char *value, uint64_t *out)
{
    char *end = NULL;
    errno = 0;
    uint64_t number = strtoull(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || errno != 0 || number < o->least ||
        number > o->most) {
        cli_complain(args, "%s: give a whole number from %" PRIu64 " to %" PRIu64, o->name,
                     o->least, o->most);
        return false;
    }
    *out = number;
    return true;
}

/* Without "option SETTING: ", where the library says it: the user knows the option's own name. */
static const char *without_setting(const char *message, const char *setting)
{
    char start[64];
    int length = snprintf(start, sizeof(start), "option %s: ", setting);
    return strncmp(message, start, (size_t)length) == 0 ? message + length : message;
}

static bool take(cli_args *args, const option *o, const char *value)
{
    item_error err = ITEM_ERROR_INIT;
    if (o->setting && item_config_set(args->config, o->setting, value, &err) != ITEM_OK) {
        cli_complain(args, "%s: %s", o->name, without_setting(err.message, o->setting));
        return false;
    }
    void *member = (char *)args + o->member;
    switch (o->kind) {
    case KIND_TEXT:
        *(const char **)member = value;
        return true;
    case KIND_LIST:
        cli_list_add(member, value);
        return true;
    case KIND_NUMBER:
        return take_number(args, o, value, member);
    case KIND_FLAG:
        *(bool *)member = true;
        return true;
    case KIND_NONE:
        break;
    }
    return true;
}

/* One option at argv[*at], with its value in the same word or the next one. */
static bool parse_one(cli_args *args, const char *letters, int argc, char **argv, int *at)
{
    const char *word = argv[*at], *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const option *o = find(letters, word, length);
    if (!o) {
        cli_complain(args, "unknown option %.*s; see item %s --help", (int)length, word,
                     args->command);
        return false;
    }
    if (!o->value) {
        if (equals)
            cli_complain(args, "%s takes no value", o->name);
        return !equals && take(args, o, "1");
    }
    const char *value = equals ? equals + 1 : *at + 1 < argc ? argv[++*at] : NULL;
    if (!value) {
        cli_complain(args, "%s needs a value: %s", o->name, o->value);
        return false;
    }
    return take(args, o, value);
}

static bool parse_all(cli_args *args, const char *letters, int argc, char **argv)
{
    bool only_names = false;
    for (int i = 2; i < argc; i++) {
        if (only_names || argv[i][0] != '-' || argv[i][1] == '\0')
            cli_list_add(&args->rest, argv[i]);
        else if (strcmp(argv[i], "--") == 0)
            only_names = true;
        else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            args->help = true;
        else if (!parse_one(args, letters, argc, argv, &i))
            return false;
    }
    if (strchr(letters, '0') && args->nul_names &&
        args->rest.count == 0) /* -0 alone says where the names come from */
        cli_list_add(&args->rest, "-");
    return true;
}

bool cli_args_parse(cli_args *args, const cli_command *command, int argc, char **argv)
{
    item_error err = ITEM_ERROR_INIT;
    *args = (cli_args){.command = command->name, .batch = 8, .max_failures = 100, .seed = 1};
    if (item_config_new(&args->config, &err) != ITEM_OK) {
        cli_complain_error(args, &err);
        return false;
    }
    if (!parse_all(args, command->options, argc, argv))
        return false;
    if (args->verbose && item_config_set_log(args->config, log_line, NULL, &err) != ITEM_OK) {
        cli_complain_error(args, &err);
        return false;
    }
    return true;
}

void cli_args_free(cli_args *args)
{
    item_config_unref(args->config);
    cli_list_free(&args->queries);
    cli_list_free(&args->verdicts);
    cli_list_free(&args->origins);
    cli_list_free(&args->imports);
    cli_list_free(&args->rivals);
    cli_list_free(&args->texts);
    cli_list_free(&args->layouts);
    cli_list_free(&args->hiddens);
    cli_list_free(&args->rest);
}
