/* SPDX-License-Identifier: Apache-2.0 */
/* Clock, chance, and what a process holds; see lasting.h. */
#include "lasting.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

void sleep_ms(double ms)
{
    const struct timespec t = {(time_t)(ms / 1e3), (long)(ms * 1e6) % 1000000000L};
    nanosleep(&t, NULL);
}

uint32_t chance(uint32_t *state, uint32_t below)
{
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)*state * below >> 32);
}

/* ---- the process ---- */

static unsigned long number_after(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at ? strtoul(at + strlen(key), NULL, 10) : 0;
}

static unsigned long lines_of(const char *path)
{
    unsigned long lines = 0;
    FILE *file = fopen(path, "r");
    for (int c; file && (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    if (file)
        fclose(file);
    return lines;
}

static unsigned long entries_of(const char *path)
{
    unsigned long entries = 0;
    DIR *folder = opendir(path);
    while (folder && readdir(folder))
        entries++;
    if (folder)
        closedir(folder);
    return entries;
}

holdings holdings_now(void)
{
    char text[4096];
    FILE *file = fopen("/proc/self/status", "r");
    const size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    text[size] = '\0';
    return (holdings){.resident_kb = number_after(text, "VmRSS:"),
                      .threads = number_after(text, "Threads:"),
                      .files = entries_of("/proc/self/fd") - 3, /* ".", ".." and its own */
                      .mappings = lines_of("/proc/self/maps")};
}

/* ---- the pack ---- */

bool pack_is_there(void)
{
    item_error err = ITEM_ERROR_INIT;
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    item_pack *pack = NULL;
    const bool there = item_pack_open(NULL, 0, &pack, &err) == ITEM_OK &&
                       item_engine_get_info(NULL, 0, &info, &err) == ITEM_OK;
    item_pack_free(pack);
    if (!there)
        printf("skipped: %s\n", err.message);
    return there;
}

item_ctx *open_pack_with(const char *const *options)
{
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    item_ctx *ctx = NULL;
    assert_ok(item_config_new(&config, &err), &err);
    for (; options && options[0]; options += 2)
        set_option(config, options[0], options[1]);
    assert_ok(item_ctx_open(NULL, config, &ctx, &err), &err);
    item_config_unref(config);
    return ctx;
}

void answer_text(const item_result *result, char *out, size_t room)
{
    item_result_summary s = ITEM_RESULT_SUMMARY_INIT;
    out[0] = '\0';
    if (item_result_get_summary(result, &s, NULL) == ITEM_OK && s.caption_margin >= 1e-3)
        snprintf(out, room, "%s|%u|%d", item_result_text(result, ITEM_TEXT_CAPTION),
                 (unsigned)s.objects, (int)s.verdict);
}

bool same_answer(const char *a, const char *b)
{
    return !a[0] || !b[0] || strcmp(a, b) == 0;
}
