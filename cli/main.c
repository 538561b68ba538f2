/* SPDX-License-Identifier: Apache-2.0 */
/* The program `item`: finds the command, shows help, and leaves the rest to libitem. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const cli_command *const commands[] = {
    &cli_check,     &cli_scan,  &cli_find,     &cli_report,  &cli_tag,      &cli_caption,
    &cli_detect,    &cli_embed, &cli_tokenize, &cli_phrases, &cli_features, &cli_train,
    &cli_calibrate, &cli_eval,  &cli_pack,     &cli_doctor,
};

static void print_help(FILE *out)
{
    fputs("item tells AI-generated pictures from photographs, and shows why.\n\n"
          "usage: item COMMAND [OPTION]... [ARGUMENT]...\n\n",
          out);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->line);
    fputs("\n'item COMMAND --help' tells more; 'item --version' the version.\n"
          "Exit code: 0 all answered, 1 some failed, 2 wrong use.\n",
          out);
}

static void print_command_help(const cli_command *command)
{
    printf("%s\n\nusage: item %s %s\n\n", command->line, command->name, command->takes);
    cli_print_options(stdout, command->options);
    if (*command->help)
        printf("\n%s\n", command->help);
}

static const cli_command *find(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int fail_unknown(const char *name)
{
    char *shown = cli_escaped(name);
    fprintf(stderr, "item: no command '%s'; 'item --help' lists them\n", shown);
    free(shown);
    return CLI_USAGE;
}

static int run(const cli_command *command, int argc, char **argv)
{
    cli_args args;
    int code = CLI_USAGE;
    if (cli_args_parse(&args, command, argc, argv)) {
        if (args.help) {
            print_command_help(command);
            code = CLI_OK;
        } else {
            code = command->run(&args);
        }
    }
    cli_args_free(&args);
    return code;
}

/*
 * Threads of OpenMP that wait in a loop take the processor from everybody else: on a busy machine
 * a check took twenty times longer, on an idle one nothing is lost. A program may say so before
 * the engine is loaded; what the user has set stays.
 */
static void let_threads_sleep(void)
{
    setenv("OMP_WAIT_POLICY", "passive", 0);
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        (strcmp(argv[1], "help") == 0 && argc == 2)) {
        print_help(stdout);
        return CLI_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("item %s\n", item_version());
        return CLI_OK;
    }
    bool help = strcmp(argv[1], "help") == 0;
    const char *name = argv[help ? 2 : 1];
    const cli_command *command = find(name);
    if (!command)
        return fail_unknown(name);
    if (!help)
        return run(command, argc, argv);
    print_command_help(command);
    return CLI_OK;
}

/* What was printed counts only once it is written. */
static int end(int code)
{
    int broken = cli_flush();
    if (broken == 0 || code > 128)
        return code;
    fprintf(stderr, "item: cannot write: %s\n", strerror(broken));
    return broken == EPIPE ? 128 + SIGPIPE : CLI_FAILED; /* as programs end that do not catch it */
}

int main(int argc, char **argv)
{
    let_threads_sleep();
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is seen at the write */
    return end(dispatch(argc, argv));
}
