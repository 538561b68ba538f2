/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first answer of a new process, against bare loading of the engine in another one: of the
 * operations module, that is, which brings libtorch with it.
 */
#include <dlfcn.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "bench.h"

#define ROUNDS 5

extern char **environ;

static int load_engine(const char *module)
{
    char path[4096];
    const char *slash = strrchr(module, '/');
    int folder = slash ? (int)(slash - module) : 0;
    snprintf(path, sizeof(path), "%.*s/libitem-torch-ops.so", folder, module);
    return dlopen(path, RTLD_NOW | RTLD_LOCAL) == NULL;
}

/* "load" with the engine's file, or "check" with a picture; run in a process of its own. */
int bench_start_child(const char *what, const char *pack, const char *file)
{
    if (strcmp(what, "load") == 0)
        _Exit(load_engine(file));
    item_error err = ITEM_ERROR_INIT;
    item_ctx *ctx = NULL;
    item_result *result = NULL;
    if (item_ctx_open(pack, NULL, &ctx, &err) != ITEM_OK ||
        item_check_file(ctx, file, NULL, &result, &err) != ITEM_OK)
        bench_die(&err);
    /* the answer is there: no destructors, here and above */
    _Exit(0);
}

static double run_child(const char *self, const char *what, const char *pack, const char *file)
{
    char *const argv[] = {(char *)(size_t)self, (char *)(size_t) "--child", (char *)(size_t)what,
                          (char *)(size_t)pack, (char *)(size_t)file,       NULL};
    pid_t child;
    int state = 0;
    double start = bench_now();
    if (posix_spawn(&child, self, NULL, NULL, argv, environ) != 0 ||
        waitpid(child, &state, 0) != child || state != 0) {
        fprintf(stderr, "bench: the child process '%s' failed\n", what);
        exit(1);
    }
    return bench_now() - start;
}

void bench_start(const bench *b, const char *self)
{
    item_error err = ITEM_ERROR_INIT;
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    double load[ROUNDS], check[ROUNDS], above[ROUNDS];
    const char *pack = b->pack ? b->pack : "";
    if (item_engine_get_info(NULL, 0, &info, &err) != ITEM_OK)
        bench_die(&err);
    for (int i = -1; i < ROUNDS; i++) { /* the first round fills the file cache */
        double bare = run_child(self, "load", "", info.path);
        double whole = run_child(self, "check", pack, b->files[0]);
        if (i < 0)
            continue;
        load[i] = bare;
        check[i] = whole;
        above[i] = whole - bare;
    }
    printf("\nnew process, file cache warm, ms\n  bare loading of the engine %8.1f\n"
           "  first answer               %8.1f\n  above loading              %8.1f (aim 700)\n",
           bench_median(load, ROUNDS), bench_median(check, ROUNDS), bench_median(above, ROUNDS));
}
