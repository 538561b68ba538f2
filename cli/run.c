/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a command: signals, counts, output that may be closed, the progress line. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

static item_cancel *the_cancel;             /* what the signal handler sets */
static volatile sig_atomic_t caught_signal; /* 0: none */

static void on_signal(int number)
{
    caught_signal = number;
    item_cancel_set(the_cancel);
}

/* The first signal ends the run in order; a second one ends the process at once. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

double cli_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

bool cli_run_start(cli_run *run, const cli_args *args)
{
    item_error err = ITEM_ERROR_INIT;
    *run = (cli_run){.args = args, .started = cli_now(), .progress = isatty(STDERR_FILENO)};
    if (item_cancel_new(&run->cancel, &err) != ITEM_OK) {
        cli_complain_error(args, &err);
        return false;
    }
    the_cancel = run->cancel;
    catch_signals();
    return true;
}

bool cli_run_goes_on(void)
{
    return caught_signal == 0 && cli_flush() == 0;
}

int cli_flush(void)
{
    static int broken;
    if (broken == 0 && (fflush(stdout) != 0 || ferror(stdout)))
        broken = errno ? errno : EIO;
    return broken;
}

int cli_run_end(cli_run *run)
{
    cli_run_hide_progress(run);
    signal(SIGINT, SIG_DFL); /* the handle that the handler sets goes now */
    signal(SIGTERM, SIG_DFL);
    the_cancel = NULL;
    item_cancel_unref(run->cancel);
    run->cancel = NULL;
    if (caught_signal != 0)
        return 128 + (int)caught_signal;
    return run->failed > 0 ? CLI_FAILED : CLI_OK;
}

void cli_run_hide_progress(cli_run *run)
{
    if (run->shown)
        fputs("\r\033[K", stderr);
    run->shown = false;
}

static void draw(const cli_run *run, double seconds)
{
    double rate = (double)run->done / seconds;
    fprintf(stderr, "\r\033[K%zu", run->done);
    if (run->total > 0)
        fprintf(stderr, " of %zu", run->total);
    fprintf(stderr, "  %.1f/s", rate);
    if (run->total > run->done && run->done > 0) {
        double left = (double)(run->total - run->done) / rate;
        fprintf(stderr, left < 120 ? "  %.0f s left" : "  %.0f min left",
                left < 120 ? left : left / 60);
    }
    if (run->failed > 0)
        fprintf(stderr, "  %zu failed", run->failed);
}

void cli_run_progress(cli_run *run)
{
    static double last;
    double now = cli_now();
    /* short work needs no line */
    if (!run->progress || now - run->started < 1.0 || now - last < 0.1)
        return;
    last = now;
    draw(run, now - run->started);
    run->shown = true;
}

void cli_run_on_progress(void *user, uint64_t done, uint64_t total)
{
    cli_run *run = user;
    run->done = (size_t)done;
    run->total = (size_t)total;
    cli_run_progress(run);
}

bool cli_cache_beside(const cli_args *args, const char *file)
{
    item_error err = ITEM_ERROR_INIT;
    if (args->cache)
        return true;
    char *path = malloc(strlen(file) + sizeof ".cache");
    if (!path)
        cli_out_of_memory();
    sprintf(path, "%s.cache", file);
    item_status status = item_config_set(args->config, "cache", path, &err);
    free(path);
    if (status != ITEM_OK)
        cli_complain_error(args, &err);
    return status == ITEM_OK;
}

item_ctx *cli_open_context(const cli_args *args)
{
    item_error err = ITEM_ERROR_INIT;
    item_ctx *ctx = NULL;
    item_engine_settings settings = ITEM_ENGINE_SETTINGS_INIT;
    settings.threads = (uint32_t)args->threads;
    if ((args->threads > 0 && item_engine_setup(args->config, &settings, &err) != ITEM_OK) ||
        item_ctx_open(args->pack, args->config, &ctx, &err) != ITEM_OK)
        cli_complain_error(args, &err);
    return ctx;
}

void cli_print_json(cli_run *run, json_t *object)
{
    char *line = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    json_decref(object);
    if (!line)
        cli_out_of_memory();
    cli_run_hide_progress(run);
    puts(line);
    free(line);
    cli_flush();
}

void cli_print_failure(cli_run *run, const char *kind, const char *name, const item_error *err)
{
    run->failed++;
    if (run->args->json) {
        cli_print_json(run, json_pack("{s:o, s:{s:s, s:o}}", kind, cli_json_text(name), "error",
                                      "code", item_status_name(err->code), "message",
                                      cli_json_text(err->message)));
        return;
    }
    cli_run_hide_progress(run);
    cli_show_failure(name, err->message);
    cli_flush();
}
