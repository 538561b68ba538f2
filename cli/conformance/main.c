/* SPDX-License-Identifier: Apache-2.0 */
/*
 * item-conformance: does a backend keep to docs/backends.md? The checks run in a child, so that a
 * crash, a hang or an exit() of the backend's is told with the name of the check.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "conformance.h"

enum { USAGE = 2, SKIPPED = 77, TICK_MS = 10 };

static const char usage[] =
    "usage: item-conformance [OPTION...] dummy | pack | MODULE.so\n"
    "\n"
    "Asks a backend all that libitem's page on backends says of one, and prints a line a check\n"
    "(TAP). A module defines the entries of <item/sys/module.h>.\n"
    "\n"
    "  --settings TEXT  handed to the module's entries, such as the folder of a model\n"
    "  --picture FILE   a picture to ask about, beside our own; up to 8 times\n"
    "  --phrase TEXT    a phrase to search for, beside our own; up to 8 times\n"
    "  --seconds N      what a check may take before it counts as hanging; 300\n"
    "  --list           the checks\n"
    "\n"
    "exit code: 0 all passed, 1 some did not, 2 usage, or the module cannot be opened\n";

typedef struct arguments {
    const char *target, *settings;
    const char *pictures[MOST_GIVEN], *phrases[MOST_GIVEN];
    size_t picture_count, phrase_count;
    unsigned seconds;
} arguments;

/* What the child tells its parent while it runs. */
typedef struct progress {
    atomic_uint step; /* counts what was begun */
    char name[80];    /* of the check that runs */
    size_t done, failed;
    atomic_bool finished;
} progress;

static progress *shared;
static bench benches[STAGES];

/* ---- the child ---- */

static bool is_for(const check *c, stage_id s)
{
    return c->stages & FOR(s);
}

static size_t count_checks(void)
{
    size_t n = context_check_count + 2; /* and those of printing and of the end */
    for (stage_id s = CAPTIONER; s < STAGES; s++)
        for (size_t i = 0; i < stage_check_count; i++)
            n += target_has(s) && is_for(&stage_checks[i], s);
    return n;
}

static void name_step(const char *group, const char *name)
{
    snprintf(shared->name, sizeof shared->name, "%s: %s", group, name);
    atomic_fetch_add(&shared->step, 1);
}

static void run_check(int fd, const char *group, const char *name, void (*run)(bench *), bench *b)
{
    name_step(group, name);
    begin_check();
    run(b);
    shared->failed += !end_check(fd, ++shared->done, shared->name);
}

static void run_stage(int fd, stage_id s)
{
    item_error err = ITEM_ERROR_INIT;
    bench *b = &benches[s];
    name_step(stage_word(s), "opening it");
    b->pixels = samples_sum();
    if (target_open(s, target_settings(), &b->it, &err) != ITEM_OK) {
        dprintf(fd, "Bail out! %s: it cannot be opened: %s\n", stage_word(s), err.message);
        fflush(NULL);
        _exit(USAGE);
    }
    b->open = true;
    for (size_t i = 0; i < stage_check_count; i++)
        if (is_for(&stage_checks[i], s))
            run_check(fd, stage_word(s), stage_checks[i].name, stage_checks[i].run, b);
}

static void close_stage(stage_id s)
{
    name_step(stage_word(s), "closing it");
    target_close(&benches[s].it);
    for (subject topic = CAPTIONS; topic < ALL_SUBJECTS; topic++)
        answers_free(benches[s].alone[topic], MOST_SAMPLES);
}

static void check_prints(bench *b)
{
    (void)b;
    struct stat facts;
    fflush(NULL);
    if (fstat(STDOUT_FILENO, &facts) == 0 && facts.st_size > 0)
        fail("%lld bytes were written to stdout or stderr; they stand below",
             (long long)facts.st_size);
}

/* fd: where the lines go; stdout and stderr lead into a file, where anything is one thing wrong. */
static int run_all(int fd)
{
    for (stage_id s = CAPTIONER; s < STAGES; s++)
        if (target_has(s))
            run_stage(fd, s);
    for (size_t i = 0; i < context_check_count; i++)
        run_check(fd, "contexts", context_checks[i].name, context_checks[i].run, benches);
    for (stage_id s = CAPTIONER; s < STAGES; s++)
        if (target_has(s))
            close_stage(s);
    run_check(fd, "process", "prints nothing", check_prints, NULL);
    samples_free();
    host_free();
    name_step("process", "ends well");
    atomic_store(&shared->finished, true);
    return 0;
}

static int child(const arguments *a, int fd, int output)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int code = target_set(a->target, a->settings);
    fflush(NULL);
    if (code)
        return code;
    if (!samples_make(a->pictures, a->picture_count, a->phrases, a->phrase_count))
        return USAGE;
    dprintf(fd, "1..%zu\n", count_checks());
    for (stage_id s = CAPTIONER; s < STAGES; s++)
        if (!target_has(s))
            dprintf(fd, "# there is no %s\n", stage_word(s));
    if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
        return USAGE;
    return run_all(fd);
}

/* ---- the parent ---- */

static void show_output(int output)
{
    char buffer[4096];
    off_t at = 0;
    ssize_t n;
    while ((n = pread(output, buffer, sizeof buffer, at)) > 0 &&
           fwrite(buffer, 1, (size_t)n, stderr) == (size_t)n)
        at += n;
}

/* Waits for the child; false, after killing it, when a check takes too long. */
static bool wait_for(pid_t pid, unsigned seconds, int *status)
{
    const struct timespec tick = {0, TICK_MS * 1000000L};
    unsigned step = 0, waited = 0;
    for (;;) {
        pid_t ended = waitpid(pid, status, WNOHANG);
        if (ended == pid)
            return true;
        unsigned now = atomic_load(&shared->step);
        waited = now == step ? waited + 1 : 0;
        step = now;
        if (waited / (1000 / TICK_MS) >= seconds) {
            kill(pid, SIGKILL);
            waitpid(pid, status, 0);
            return false;
        }
        nanosleep(&tick, NULL);
    }
}

/* The last check is the parent's: how the child ended, leaks that a sanitizer found included. */
static void tell_end(int status)
{
    bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    printf("%sok %zu - %s\n", good ? "" : "not ", ++shared->done, shared->name);
    if (WIFSIGNALED(status))
        printf("#   it was ended by %s\n", strsignal(WTERMSIG(status)));
    else if (!good)
        printf("#   it ended with exit code %d; what it wrote stands below\n", WEXITSTATUS(status));
    shared->failed += !good;
    printf("# %zu checks, %zu failed\n", shared->done, shared->failed);
}

static int judge(bool in_time, int status, unsigned seconds)
{
    if (in_time && !atomic_load(&shared->step)) /* nothing was begun: it said why */
        return WIFEXITED(status) ? WEXITSTATUS(status) : USAGE;
    if (!in_time)
        printf("Bail out! %s: it hangs: nothing came for %u seconds\n", shared->name, seconds);
    else if (atomic_load(&shared->finished))
        tell_end(status);
    else if (WIFSIGNALED(status))
        printf("Bail out! %s: it was ended by %s\n", shared->name, strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != USAGE)
        printf("Bail out! %s: it ended the process, with exit code %d\n", shared->name,
               WEXITSTATUS(status));
    return in_time && atomic_load(&shared->finished) && !shared->failed ? 0 : 1;
}

static int supervise(const arguments *a)
{
    FILE *file = tmpfile();
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int lines = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (!file || shared == MAP_FAILED || lines < 0) {
        perror("item-conformance");
        return USAGE;
    }
    pid_t pid = fork();
    if (pid == 0)
        exit(child(a, lines, fileno(file)));
    if (pid < 0) {
        perror("fork");
        return USAGE;
    }
    int status = 0;
    bool in_time = wait_for(pid, a->seconds, &status);
    int code = judge(in_time, status, a->seconds);
    fflush(stdout);
    show_output(fileno(file));
    return code;
}

/* ---- arguments ---- */

static int list(void)
{
    for (stage_id s = CAPTIONER; s < STAGES; s++)
        for (size_t i = 0; i < stage_check_count; i++)
            if (is_for(&stage_checks[i], s))
                printf("%s: %s - %s\n", stage_word(s), stage_checks[i].name, stage_checks[i].what);
    for (size_t i = 0; i < context_check_count; i++)
        printf("contexts: %s - %s\n", context_checks[i].name, context_checks[i].what);
    puts("process: prints nothing - stdout and stderr stay empty\n"
         "process: ends well - exit code 0, nothing left that a sanitizer finds");
    return 0;
}

static bool keep(const char **list, size_t *count)
{
    if (*count == MOST_GIVEN)
        return false;
    list[(*count)++] = optarg;
    return true;
}

/* -1: go on; else an exit code. */
static int parse(int argc, char **argv, arguments *a)
{
    static const struct option options[] = {{"settings", required_argument, NULL, 's'},
                                            {"picture", required_argument, NULL, 'i'},
                                            {"phrase", required_argument, NULL, 'p'},
                                            {"seconds", required_argument, NULL, 't'},
                                            {"list", no_argument, NULL, 'l'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    bool good = true;
    for (int c; good && (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'l')
            return list();
        if (c == 'h')
            return fputs(usage, stdout) < 0;
        if (c == 's')
            a->settings = optarg;
        else if (c == 't')
            a->seconds = (unsigned)strtoul(optarg, NULL, 10);
        else
            good = c == 'i'   ? keep(a->pictures, &a->picture_count)
                   : c == 'p' ? keep(a->phrases, &a->phrase_count)
                              : false;
    }
    a->target = optind == argc - 1 ? argv[optind] : NULL;
    if (good && a->target && a->seconds)
        return -1;
    fputs(usage, stderr);
    return USAGE;
}

int main(int argc, char **argv)
{
    arguments a = {.seconds = 300};
    int code = parse(argc, argv, &a);
    if (code < 0)
        code = supervise(&a);
    return code == SKIPPED ? 0 : code; /* the line says that it was skipped */
}
