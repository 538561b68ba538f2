/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What published models take, by the kernel's own account, as a table:
 *
 *     memory MODEL...                 each in fp32 and in bf16; their files hold fp32
 *     memory --make FOLDER TOKENS     the same of models that it makes in FOLDER and removes, with
 *                                     the words of the model in TOKENS; and one of fp16 in fp32
 *
 * Two processes have a model open at once; then the first opens it again in a second context. MB
 * are those above a process that has the engine loaded and no model. Ends with 1 where
 * - a process ever holds more, while it opens the model or after a call, than the files and 50 MB
 *   where weights are used as they lie in them, or else 1.3 times the weights that were converted;
 * - weights are used as they lie, and more than 50 MB are a process's own before the first call, or
 *   the two do not share the pages of the file;
 * - the second context adds more than 50 MB, which are tables of words and what calls keep.
 *
 * A processor that does not multiply bf16 takes minutes for a call of a large model, so there models
 * of others are opened in bf16 and not asked.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"

typedef struct row {
    const char *model, *precision;
    double weights;  /* MB of the files */
    double running;  /* the same in the precision that computes */
    int as_they_lie; /* computed with where they lie in the file */
    int ask;         /* calls are made */
} row;

typedef struct figures {
    account engine, open, both; /* with the engine alone; with the model open; after a call, while
                                   the other one is as far */
    double peak, second;        /* until it was open; what a second context adds */
} figures;

/* ---- the two processes ---- */

/* Waits until the other one is as far. */
static void meet(int parent)
{
    char byte = 0;
    if (write(parent, &byte, 1) != 1 || read(parent, &byte, 1) != 1)
        _exit(2);
}

static void load_engine(void)
{
    item_error err = ITEM_ERROR_INIT;
    item_engine_info engine = ITEM_ENGINE_INFO_INIT;
    if (item_engine_get_info(NULL, 0, &engine, &err) == ITEM_OK)
        return;
    fprintf(stderr, "memory: %s\n", err.message);
    _exit(2);
}

/* What the call has freed and malloc keeps for the next one is not the model's. */
static void call(item_ctx *ctx)
{
    model_use(ctx);
    (void)malloc_trim(0);
}

static item_ctx *use(const row *r)
{
    item_ctx *ctx = model_open(r->model, r->precision);
    if (r->ask)
        call(ctx);
    return ctx;
}

static void child(const row *r, int parent, int first)
{
    figures f = {.second = 0};
    model_disown();
    load_engine();
    meet(parent);
    f.engine = account_read();
    meet(parent);
    account_reset_peak();
    item_ctx *ctx = model_open(r->model, r->precision);
    f.open = account_read();
    f.peak = account_peak();
    if (r->ask)
        call(ctx);
    meet(parent);
    f.both = account_read();
    meet(parent);
    if (first) {
        item_ctx *second = use(r);
        f.second = account_read().resident - f.both.resident;
        item_ctx_unref(second);
    }
    item_ctx_unref(ctx);
    _exit(write(parent, &f, sizeof f) == sizeof f ? 0 : 2);
}

/* ---- the parent ---- */

static void start(const row *r, int to[2])
{
    int pair[2];
    for (int i = 0; i < 2; i++) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
            exit(2);
        const pid_t pid = fork();
        if (pid < 0)
            exit(2);
        if (pid == 0)
            child(r, pair[1], i == 0);
        close(pair[1]);
        to[i] = pair[0];
    }
}

/* False where one of them ended early. */
static int lead(const int to[2], figures f[2])
{
    char byte;
    for (int meeting = 0; meeting < 4; meeting++) {
        for (int i = 0; i < 2; i++)
            if (read(to[i], &byte, 1) != 1)
                return 0;
        for (int i = 0; i < 2; i++)
            if (send(to[i], &byte, 1, MSG_NOSIGNAL) != 1)
                return 0;
    }
    for (int i = 0; i < 2; i++)
        if (recv(to[i], &f[i], sizeof f[i], MSG_WAITALL) != sizeof f[i])
            return 0;
    return 1;
}

/* The worst exit status of both. */
static int end(const int to[2])
{
    int status, worst = 0;
    for (int i = 0; i < 2; i++)
        close(to[i]);
    while (wait(&status) > 0 || errno == EINTR) {
        const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 2;
        worst = code > worst ? code : worst;
    }
    return worst;
}

/* ---- the table ---- */

static int complain(const char *what, double is, double most)
{
    if (is > most)
        printf("    %s: %.0f MB, at most %.0f\n", what, is, most);
    return is > most;
}

/* How many bounds one process broke. */
static int judge(const row *r, const figures *f)
{
    const double limit = r->as_they_lie ? r->weights + 50 : 1.3 * r->running;
    const double resident = f->both.resident - f->engine.resident;
    int broken = complain("peak while opening", f->peak - f->engine.resident, limit);
    broken += complain("resident", resident, limit);
    if (r->as_they_lie) {
        broken += complain("its own when open", f->open.anonymous - f->engine.anonymous, 50);
        broken += complain("its share of the weights", f->both.share,
                           0.6 * f->both.weights); /* half of the pages, and a little */
    }
    return broken + complain("second context", f->second, 50);
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void print_row(const row *r, const figures *f, int first)
{
    printf("| %s | %s | %.0f | %.0f | %.0f | %.0f | %.0f | ", last_part(r->model), r->precision,
           r->weights, f->peak - f->engine.resident, f->both.resident - f->engine.resident,
           f->both.anonymous - f->engine.anonymous, f->both.share);
    if (first)
        printf("%.0f ", f->second);
    printf("| %.0f |%s\n", f->both.resident, r->ask ? "" : " not asked");
}

static int measure(const row *r)
{
    int to[2], broken = 0;
    figures f[2];
    start(r, to);
    const int done = lead(to, f), code = end(to);
    if (!done || code != 0)
        exit(code == 77 ? 77 : 2);
    for (int i = 0; i < 2; i++) {
        print_row(r, &f[i], i == 0);
        broken += judge(r, &f[i]);
    }
    fflush(stdout);
    return broken;
}

static int measure_model(const char *model, int ask_bf16)
{
    const double weights = model_weights(model);
    return measure(&(row){model, "fp32", weights, weights, 1, 1}) +
           measure(&(row){model, "bf16", weights, weights / 2, 0, ask_bf16});
}

static int measure_made(const char *place, const char *tokens)
{
    const char *full = model_make(place, tokens, 0);
    const char *half = model_make(place, tokens, 1);
    const double weights = model_weights(half);
    return measure_model(full, 1) + measure(&(row){half, "fp32", weights, 2 * weights, 0, 1});
}

/* Does the processor multiply bf16 itself? */
static int native_bf16(void)
{
    char line[8192];
    int found = 0;
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && !found && fgets(line, sizeof line, file))
        found = strstr(line, "avx512_bf16") || strstr(line, "amx_bf16") || strstr(line, " bf16");
    if (file)
        fclose(file);
    return found;
}

int main(int argc, char **argv)
{
    int broken = 0;
    const int make = argc == 4 && strcmp(argv[1], "--make") == 0;
    if (argc < 2 || (argv[1][0] == '-' && !make)) {
        fprintf(stderr, "usage: memory MODEL... | memory --make FOLDER TOKENS\n");
        return 2;
    }
    printf("| model | precision | files | peak while opening | resident | of it own | its share of "
           "the weights | "
           "second context | whole process |\n|---|---|---|---|---|---|---|---|---|\n");
    fflush(stdout);
    if (make)
        broken = measure_made(argv[2], argv[3]);
    for (int i = 1; i < argc && !make; i++)
        broken += measure_model(argv[i], native_bf16());
    printf("%d bounds broken\n", broken);
    return broken > 0;
}
