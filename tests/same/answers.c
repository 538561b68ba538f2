/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers pictures in one setting of the process, for recipes/measure/same.py, which compares
 * settings: one answer as JSON for each file, in order.
 *
 *     same-answers [NAME=VALUE]... -- FILE...
 *
 * NAME is lanes, threads, callers, pack, or an option of item_config_set(). Each caller hands over
 * as many files at a time as batch=N says.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <item/item.h>

#define CALLERS_MAX 64

typedef struct settings {
    item_config *config;
    item_engine_settings engine;
    const char *pack;
    size_t callers, batch;
} settings;

typedef struct job {
    item_ctx *ctx;
    const char **files;
    item_result **results;
    size_t count, batch;
    atomic_size_t next; /* first file that no caller has taken */
} job;

/* ---- arguments ---- */

static item_status set(settings *s, const char *argument, item_error *err)
{
    char name[32];
    const size_t length = strcspn(argument, "=");
    const char *value = argument + length + (argument[length] == '=');
    const unsigned long number = strtoul(value, NULL, 10);
    snprintf(name, sizeof name, "%.*s", (int)length, argument);
    if (strcmp(name, "batch") == 0 && number > 0)
        s->batch = number; /* and an option of the context */
    if (strcmp(name, "pack") == 0)
        s->pack = value;
    else if (strcmp(name, "lanes") == 0)
        s->engine.lanes = (uint32_t)number;
    else if (strcmp(name, "threads") == 0)
        s->engine.threads = (uint32_t)number;
    else if (strcmp(name, "callers") == 0)
        s->callers = number;
    else
        return item_config_set(s->config, name, value, err);
    return ITEM_OK;
}

/* Returns the place of the first file; 0 after a failure. */
static int read_settings(settings *s, int argc, char **argv, item_error *err)
{
    int i = 1;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (set(s, argv[i], err) != ITEM_OK)
            return 0;
    if (i < argc && s->callers >= 1 && s->callers <= CALLERS_MAX)
        return i + 1;
    snprintf(err->message, sizeof err->message, "[NAME=VALUE]... -- FILE..., with 1 to %d callers",
             CALLERS_MAX);
    return 0;
}

/* ---- answers ---- */

/* A picture that cannot be read has a result that says so. */
static void *call(void *argument)
{
    job *j = argument;
    for (size_t i; (i = atomic_fetch_add(&j->next, j->batch)) < j->count;) {
        const size_t left = j->count - i, n = left < j->batch ? left : j->batch;
        item_error err = ITEM_ERROR_INIT;
        if (item_check_files(j->ctx, j->files + i, n, NULL, j->results + i, &err) != ITEM_OK)
            fprintf(stderr, "same-answers: %s\n", err.message);
    }
    return NULL;
}

static void run(job *j, size_t callers)
{
    pthread_t threads[CALLERS_MAX];
    size_t started = 0;
    while (started < callers && pthread_create(&threads[started], NULL, call, j) == 0)
        started++;
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

/* False: there are pictures that no result tells about. */
static bool print(const job *j)
{
    bool whole = true;
    for (size_t i = 0; i < j->count; i++) {
        const char *line = item_result_json(j->results[i]);
        whole = whole && line;
        puts(line ? line : "{}");
        item_result_unref(j->results[i]);
    }
    return whole;
}

static bool answer(const settings *s, const char **files, size_t count, item_error *err)
{
    job j = {.files = files, .count = count, .batch = s->batch};
    if (item_engine_setup(s->config, &s->engine, err) != ITEM_OK ||
        item_ctx_open(s->pack, s->config, &j.ctx, err) != ITEM_OK)
        return false;
    j.results = calloc(count + 1, sizeof(item_result *));
    if (j.results)
        run(&j, s->callers);
    const bool whole = j.results && print(&j);
    free(j.results);
    item_ctx_unref(j.ctx);
    return whole;
}

int main(int argc, char **argv)
{
    settings s = {.engine = ITEM_ENGINE_SETTINGS_INIT, .callers = 1, .batch = 8};
    item_error err = ITEM_ERROR_INIT;
    bool whole = false;
    if (item_config_new(&s.config, &err) == ITEM_OK) {
        const int first = read_settings(&s, argc, argv, &err);
        if (first > 0)
            whole = answer(&s, (const char **)argv + first, (size_t)(argc - first), &err);
    }
    if (!whole)
        fprintf(stderr, "same-answers: %s\n", err.message);
    item_config_unref(s.config);
    return whole ? 0 : 1;
}
