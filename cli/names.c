/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of pictures, in the order given: arguments, every file below a folder (sorted, hidden
 * ones left out, links to folders not followed, so that no loop ends the run), standard input.
 * What cannot be looked into stays in the list: reading it as a picture tells why.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

struct cli_names {
    const cli_args *args;
    size_t source; /* next argument */
    cli_list ready;
    size_t next; /* in ready */
    size_t total, failed;
    bool reading; /* standard input is the source now */
    bool ended;
    bool any;     /* it held a name */
    char *buffer; /* what was read of it and is not yet used */
    size_t used, room;
};

static void add_below(cli_names *names, const char *folder);

/* Of a folder: files, links to files, and what may be one but cannot be reached. */
static bool may_be_file(const char *path)
{
    struct stat facts;
    if (stat(path, &facts) == 0)
        return S_ISREG(facts.st_mode);
    return errno != ENOENT && errno != ELOOP; /* a link to nothing */
}

/* Sidecars lie among the pictures by design; a person who names one means it. */
static bool is_sidecar(const char *path)
{
    size_t length = strlen(path);
    return length > 4 && strcasecmp(path + length - 4, ".xmp") == 0;
}

/* `given`: by the user, not found in a folder; then links to folders are followed. */
static void add(cli_names *names, const char *path, bool given)
{
    struct stat facts;
    int found = given ? stat(path, &facts) : lstat(path, &facts);
    if (found != 0 || !S_ISDIR(facts.st_mode)) {
        if (given || (!is_sidecar(path) && may_be_file(path)))
            cli_list_add(&names->ready, path);
        return;
    }
    size_t count = names->ready.count, failed = names->failed;
    add_below(names, path);
    if (given && names->ready.count == count && names->failed == failed && cli_run_goes_on())
        cli_complain(names->args, "no pictures in %s", path);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Returns 0, or the errno that ended the list early. */
static int list_folder(DIR *dir, const char *folder, cli_list *out)
{
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    while (true) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry)
            return errno;
        if (entry->d_name[0] == '.')
            continue;
        size_t size = length + strlen(entry->d_name) + 2;
        char *path = cli_resize(NULL, size, 1);
        snprintf(path, size, "%.*s%s%s", (int)length, folder, folder[length - 1] == '/' ? "" : "/",
                 entry->d_name);
        cli_list_add(out, path);
        free(path);
    }
}

static void add_below(cli_names *names, const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        cli_list_add(&names->ready, folder);
        return;
    }
    cli_list found = {NULL, 0, 0};
    int broken = list_folder(dir, folder, &found);
    closedir(dir);
    if (broken != 0) {
        cli_complain(names->args, "%s: cannot read the whole folder: %s", folder, strerror(broken));
        names->failed++;
    }
    if (found.count > 0)
        qsort(found.items, found.count, sizeof(*found.items), compare);
    for (size_t i = 0; i < found.count && cli_run_goes_on(); i++)
        add(names, found.items[i], false);
    cli_list_free(&found);
}

static bool is_stdin(const char *name)
{
    return strcmp(name, "-") == 0;
}

cli_names *cli_names_new(const cli_args *args)
{
    cli_names *names = cli_resize(NULL, 1, sizeof(*names));
    *names = (cli_names){.args = args};
    for (size_t i = 0; i < args->rest.count; i++)
        if (is_stdin(args->rest.items[i]))
            return names;
    for (; names->source < args->rest.count && cli_run_goes_on(); names->source++)
        add(names, args->rest.items[names->source], true);
    names->total = names->ready.count;
    return names;
}

void cli_names_free(cli_names *names)
{
    cli_list_free(&names->ready);
    free(names->buffer);
    free(names);
}

size_t cli_names_total(const cli_names *names)
{
    return names->total;
}

size_t cli_names_failed(const cli_names *names)
{
    return names->failed;
}

/* Moves the first name of the buffer to the ready ones; false when it holds no whole name. */
static bool take_from_buffer(cli_names *names)
{
    char end = names->args->nul_names ? '\0' : '\n';
    char *stop = names->used ? memchr(names->buffer, end, names->used) : NULL;
    if (!stop && !(names->ended && names->used > 0))
        return false;
    size_t length = stop ? (size_t)(stop - names->buffer) : names->used;
    size_t whole = stop ? length + 1 : length;
    names->buffer[length] = '\0';         /* there is always room for one byte more */
    if (strlen(names->buffer) < length) { /* nothing that follows is a name either */
        cli_complain(names->args, "standard input holds no file names (a picture?): give the "
                                  "file's name; names ended by NUL are read with -0");
        names->failed++;
        names->ended = true;
        names->used = 0;
        return true;
    }
    if (length > 0) {
        names->any = true;
        add(names, names->buffer, true);
    }
    names->used -= whole;
    memmove(names->buffer, names->buffer + whole, names->used);
    return true;
}

/* Reads more of standard input; false when that would mean waiting, or at its end. */
static bool read_more(cli_names *names, bool wait)
{
    struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};
    if (names->ended)
        return false;
    /* Also where a name is waited for: read() does not wait where stdin is non-blocking. */
    if (poll(&ready, 1, wait ? -1 : 0) <= 0)
        return wait && cli_run_goes_on(); /* a signal: ours ends the run */
    if (names->room - names->used < 4096) {
        names->room = names->room * 2 + 8192;
        names->buffer = cli_resize(names->buffer, names->room + 1, 1);
    }
    ssize_t got = read(STDIN_FILENO, names->buffer + names->used, names->room - names->used);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return cli_run_goes_on();
    if (got < 0) {
        cli_complain(names->args, "cannot read standard input: %s", strerror(errno));
        names->failed++;
    }
    names->ended = got <= 0;
    names->used += got > 0 ? (size_t)got : 0;
    return true;
}

/* Makes one more name ready; false when there is none (now, or at all). */
static bool refill(cli_names *names, bool wait)
{
    if (names->reading) {
        if (take_from_buffer(names) || read_more(names, wait))
            return true;
        names->reading = !names->ended;
        if (names->ended && !names->any && names->failed == 0)
            cli_complain(names->args, "no names on standard input");
        return names->ended;
    }
    if (names->source >= names->args->rest.count)
        return false;
    const char *name = names->args->rest.items[names->source++];
    if (is_stdin(name))
        names->reading = true;
    else
        add(names, name, true);
    return true;
}

size_t cli_names_take(cli_names *names, size_t most, const char *const **out)
{
    if (names->next == names->ready.count) { /* the last ones are answered: forget them */
        cli_list_clear(&names->ready);
        names->next = 0;
    }
    while (names->ready.count - names->next < most &&
           refill(names, names->ready.count == names->next)) {
    }
    size_t count = names->ready.count - names->next;
    count = count < most ? count : most;
    *out = (const char *const *)names->ready.items + names->next;
    names->next += count;
    return count;
}

static bool each_line(const cli_args *args, bool (*each)(void *user, const char *text), void *user)
{
    char *line = NULL;
    size_t room = 0;
    bool more = true, whole = true;
    int end = args->nul_names ? '\0' : '\n';
    for (ssize_t n; more && (n = getdelim(&line, &room, end, stdin)) >= 0;) {
        if (n > 0 && line[n - 1] == end)
            line[--n] = '\0';
        whole = strlen(line) == (size_t)n;
        if (!whole)
            cli_complain(args, "standard input holds no lines of text; texts ended by NUL are read "
                               "with -0");
        more = whole && each(user, line);
    }
    if (more && ferror(stdin) && errno != EINTR) {
        cli_complain(args, "cannot read standard input: %s", strerror(errno));
        whole = false;
    }
    free(line);
    return whole;
}

bool cli_each_text(const cli_args *args, bool (*each)(void *user, const char *text), void *user)
{
    if (args->rest.count == 1 && is_stdin(args->rest.items[0]))
        return each_line(args, each, user);
    for (size_t i = 0; i < args->rest.count; i++)
        if (!each(user, args->rest.items[i]))
            break;
    return true;
}
