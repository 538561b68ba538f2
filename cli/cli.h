/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the program `item` share. It is a user of libitem like any other. */
#ifndef CLI_H
#define CLI_H

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <item/item.h>
#include <item/pack.h>
#include <item/provenance.h>

#define CLI_OK     0 /* everything was answered */
#define CLI_FAILED 1 /* something was not */
#define CLI_USAGE  2 /* wrong use, or nothing to work with: no command, option, pack */

/* ---- memory and lists: the program ends with a line when memory runs out ---- */

_Noreturn void cli_out_of_memory(void);
void *cli_resize(void *block, size_t count, size_t size);
char *cli_copy(const char *text);

typedef struct cli_list {
    char **items;
    size_t count, room;
} cli_list;

void cli_list_add(cli_list *list, const char *text);
void cli_list_clear(cli_list *list);
void cli_list_free(cli_list *list);

/* ---- what the command line asks for ---- */

typedef struct cli_args {
    const char *command;
    const char *pack, *caption, *threshold, *head;
    const char *out, *save, *cache, *split, *trained_on; /* features, train and eval */
    const char *html, *known_sources;                    /* eval */
    const char *threshold_rule, *penalty;                /* train */
    const char *confidence, *calibrated_on;              /* calibrate */
    const char *captioner, *detector, *clip;             /* pack create */
    const char *index, *object, *folder, *least, *most, *since, *until, *sort,
        *title; /* scan, find, report */
    cli_list verdicts, origins, imports;
    uint64_t limit; /* 0: all */
    bool hash, csv, failed, missing;
    bool json, nul_names, verbose, help, copy;
    bool dry_run;     /* tag */
    bool all_columns; /* not typed: features wants every column */
    uint64_t batch, threads, max_failures, views, epochs, seed; /* epochs, threads 0: not given */
    cli_list queries, texts, rivals, layouts, hiddens, rest;
    item_config *config; /* options that are settings of a context end here */
} cli_args;

typedef struct cli_command {
    const char *name;
    const char *takes;   /* what follows the options, for the help */
    const char *options; /* letters of the options of cli/options.c that it knows */
    const char *line;    /* in the list of commands */
    const char *help;
    int (*run)(const cli_args *args);
} cli_command;

/* Reads argv[2..]; false after a line on stderr. `args` is released by cli_args_free anyway. */
bool cli_args_parse(cli_args *args, const cli_command *command, int argc, char **argv);
void cli_args_free(cli_args *args);
void cli_print_options(FILE *out, const char *letters);

/* A line on stderr: "item COMMAND: ...", escaped; the error form gives the library's reason. */
void cli_complain(const cli_args *args, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int cli_complain_error(const cli_args *args, const item_error *err); /* CLI_USAGE */

/* ---- names of pictures: arguments, folders, standard input ---- */

typedef struct cli_names cli_names;

cli_names *cli_names_new(const cli_args *args);
void cli_names_free(cli_names *names);
size_t cli_names_total(const cli_names *names);  /* 0: not known, names come from stdin */
size_t cli_names_failed(const cli_names *names); /* names that were lost, for reasons told */
/*
 * Up to `most` names; waits for the first one only, so that a caller who writes a name and waits
 * for its answer gets it. Returns how many; 0 is the end. They live until the next call.
 */
size_t cli_names_take(cli_names *names, size_t most, const char *const **out);

/*
 * Texts of the command line, or lines of standard input where the only one is "-", until `each`
 * returns false. False when some of the input was not read; the reason is told.
 */
bool cli_each_text(const cli_args *args, bool (*each)(void *user, const char *text), void *user);

/* ---- one run: cancel, counts, output ---- */

typedef struct cli_run {
    const cli_args *args;
    item_cancel *cancel; /* set by Ctrl-C and SIGTERM */
    size_t total, done, failed;
    double started;
    bool progress; /* stderr is a terminal: keep a line there */
    bool shown;    /* the line is on the screen now */
} cli_run;

bool cli_run_start(cli_run *run, const cli_args *args);
bool cli_run_goes_on(void);               /* neither cancelled nor is the output closed */
int cli_run_end(cli_run *run);            /* the exit code */
int cli_flush(void);                      /* 0, or errno of the first failed write to stdout */
void cli_run_progress(cli_run *run);      /* draws the progress line, at most ten times a second */
void cli_run_hide_progress(cli_run *run); /* before a line goes to the terminal */
void cli_run_on_progress(void *user, uint64_t done, uint64_t total); /* an item_progress_fn */
double cli_now(void);                                                /* seconds, monotonic */

/* Work of hours is kept beside a file, in FILE.cache, unless another place or none was named. */
bool cli_cache_beside(const cli_args *args, const char *file);
/* Opens the context that the arguments name; says why not and returns NULL. */
item_ctx *cli_open_context(const cli_args *args);

/* ---- one picture after another ---- */

#define CLI_BATCH 64 /* the most that --batch takes */
typedef item_status (*cli_ask)(const cli_args *args, item_ctx *ctx, item_image *const *images,
                               size_t n, const item_check_options *options, item_result **out,
                               item_error *err);
typedef void (*cli_tell)(cli_run *run, const char *file, const item_result *result);

int cli_each_picture(const cli_args *args, cli_ask ask, cli_tell tell);
item_status cli_read_picture(const cli_run *run, const char *file, item_image **out,
                             item_error *err);

/* Checks what the arguments name, batch by batch; `head`, if any, before the first answer. */
typedef void (*cli_answered)(cli_run *run, const item_result *result, const char *file);
int cli_check_each(const cli_args *args, void (*head)(void), cli_answered tell);

/* ---- text for terminals and for JSON ---- */

/* UTF-8 in which nothing moves the cursor or reorders: controls and bad bytes are shown escaped. */
char *cli_escaped(const char *text);
/* The same of a text that is made here. */
char *cli_format_escaped(const char *format, va_list list) __attribute__((format(printf, 1, 0)));
void cli_print_escaped(const char *format, ...) __attribute__((format(printf, 1, 2))); /* a line */
/* Prints at most `width` columns a line (0: no limit), later lines after `indent` blanks. */
void cli_print_wrapped(FILE *out, const char *text, size_t indent, size_t width);
size_t cli_width(void); /* columns of the terminal at stdout; 0 when it is none */

#define CLI_RED    "31"
#define CLI_GREEN  "32"
#define CLI_YELLOW "33"
#define CLI_BOLD   "1"
#define CLI_DIM    "2"
/* The text between colour codes where stdout is a terminal and NO_COLOR is not set. */
void cli_print_coloured(const char *colour, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A JSON string; bytes that are no UTF-8 become U+FFFD, as in the library's JSON. */
json_t *cli_json_text(const char *text);
json_t *cli_json_number(double value); /* null where it is not finite */
json_t *cli_json_ids(const int32_t *ids, size_t count);
/* Prints one line and releases the object. */
void cli_print_json(cli_run *run, json_t *object);
/* {KIND: name, "error": {"code", "message"}}, or the same for people; kind: "file" or "text". */
void cli_print_failure(cli_run *run, const char *kind, const char *name, const item_error *err);

/* ---- answers for people ---- */

void cli_show_result(const item_result *result, const char *file);
void cli_show_check_header(void);
void cli_show_failure(const char *file, const char *message);

/* What is known of a pack that was verified. */
const char *cli_pack_state(const item_pack *pack);
/* Prints what the head of a pack promises, and what it never says. */
void cli_show_head(const item_pack *pack);

extern const cli_command cli_check, cli_scan, cli_tag, cli_find, cli_report, cli_caption,
    cli_detect, cli_embed, cli_tokenize, cli_phrases, cli_features, cli_train, cli_calibrate,
    cli_eval, cli_pack, cli_doctor;

#endif
