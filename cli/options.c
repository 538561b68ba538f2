/* SPDX-License-Identifier: Apache-2.0 */
/* Options of all commands: one table parses them and writes their help. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

typedef struct option {
    char letter; /* names it in a command's list; not typed by users */
    const char *name;
    const char *value; /* NULL: takes none */
    const char *help;
    const char *setting; /* name for item_config_set(), or NULL */
} option;

static const option options[] = {
    {'p', "--pack", "FOLDER", "the pack to use; default: the installed one", NULL},
    {'c', "--caption", "TEXT", "your own caption, for every picture of the call", NULL},
    {'t', "--threshold", "NAME", "fpr1 (default), fpr5, or a score between 0 and 1", "threshold"},
    {'s', "--threshold", "SCORE", "least score of a box, 0 to 1", "detector_score"},
    {'H', "--head", "FILE", "judge with this head; 'none': no verdict", "head"},
    {'P', "--prior", "SHARE", "share of AI pictures you expect: moves the probability only",
     "prior"},
    {'o', "--max-objects", "N", "objects a picture, 0 to 64; default 8", "max_objects"},
    {'B', "--beams", "N", "beams of the captioner, 1 to 8", "beams"},
    {'q', "--query", "TEXT", "what to look for; may be given many times", NULL},
    {'x', "--text", "TEXT", "a text to embed; may be given many times", NULL},
    {'b', "--batch", "N", "pictures at a time, 1 to 64; default 8", "batch"},
    {'r', "--precision", "P", "fp32 (default), bf16 or auto", "precision"},
    {'d', "--device", "D", "cpu (default), cuda:0, ...", "device"},
    {'T', "--threads", "N", "threads that compute; default: one for each core", NULL},
    {'a', "--accept-truncated", NULL, "read pictures that end early, with a warning",
     "accept_truncated"},
    {'j', "--json", NULL, "one JSON object a line, as soon as it is known", NULL},
    {'0', "-0", NULL, "names on standard input end with NUL, not newline", NULL},
    {'v', "--verbose", NULL, "what the library logs, on standard error", NULL},
};

void cli_complain(const cli_args *args, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "item %s: ", args->command);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
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

/* "--batch" counts for the command too, so that it hands over as many names at a time. */
static bool apply(cli_args *args, const option *o, const char *value)
{
    item_error err = ITEM_ERROR_INIT;
    if (o->setting && item_config_set(args->config, o->setting, value, &err) != ITEM_OK) {
        cli_complain(args, "%s: %s", o->name, err.message);
        return false;
    }
    switch (o->letter) {
    case 'p':
        args->pack = value;
        break;
    case 'c':
        args->caption = value;
        break;
    case 'q':
        cli_list_add(&args->queries, value);
        break;
    case 'x':
        cli_list_add(&args->texts, value);
        break;
    case 'b':
        args->batch = strtoul(value, NULL, 10);
        break;
    case 'T':
        args->threads = (uint32_t)strtoul(value, NULL, 10);
        if (args->threads == 0 || args->threads > 1024) {
            cli_complain(args, "--threads: give a number from 1 to 1024");
            return false;
        }
        break;
    case 'j':
        args->json = true;
        break;
    case '0':
        args->nul_names = true;
        break;
    case 'v':
        return item_config_set_log(args->config, log_line, NULL, &err) == ITEM_OK;
    default:
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
        return !equals && apply(args, o, "1");
    }
    const char *value = equals ? equals + 1 : *at + 1 < argc ? argv[++*at] : NULL;
    if (!value) {
        cli_complain(args, "%s needs a value: %s", o->name, o->value);
        return false;
    }
    return apply(args, o, value);
}

bool cli_args_parse(cli_args *args, const cli_command *command, int argc, char **argv)
{
    item_error err = ITEM_ERROR_INIT;
    *args = (cli_args){.command = command->name, .batch = 8};
    if (item_config_new(&args->config, &err) != ITEM_OK) {
        cli_complain_error(args, &err);
        return false;
    }
    bool only_names = false;
    for (int i = 2; i < argc; i++) {
        if (only_names || argv[i][0] != '-' || argv[i][1] == '\0')
            cli_list_add(&args->rest, argv[i]);
        else if (strcmp(argv[i], "--") == 0)
            only_names = true;
        else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            args->help = true;
        else if (!parse_one(args, command->options, argc, argv, &i))
            return false;
    }
    return true;
}

void cli_args_free(cli_args *args)
{
    item_config_unref(args->config);
    cli_list_free(&args->queries);
    cli_list_free(&args->texts);
    cli_list_free(&args->rest);
}
