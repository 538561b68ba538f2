/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each bomb runs in a process of its own, with the installed defaults: it must end with the right
 * answer or a clear line, and within 200 MB. `--table` prints time and memory of each; a name
 * runs one alone.
 */
#include "bombs.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../temp.h"

#define MOST_MB       200
#define MOST_CPU      20  /* seconds: ten times what is promised, for slow machines */
#define MOST_CANCELED 0.5 /* seconds of work after a cancel */
#define GUARD_S       120 /* a hang */

/* What a child tells. */
typedef struct outcome {
    int32_t status;
    char message[ITEM_ERROR_MESSAGE_SIZE];
    double cpu, wall, mb;
    long long bytes; /* of the file */
} outcome;

static outcome now_running;
static double start_cpu, start_wall, start_mb;

void *need(size_t bytes)
{
    void *block = calloc(bytes ? bytes : 1, 1);
    if (!block)
        abort();
    return block;
}

void put(FILE *file, const void *bytes, size_t size)
{
    if (size && fwrite(bytes, size, 1, file) != 1)
        abort();
}

void put_text(FILE *file, const char *text)
{
    put(file, text, strlen(text));
}

/* An empty text stands for a byte 0. */
void put_times(FILE *file, const char *text, size_t times)
{
    size_t size = *text ? strlen(text) : 1;
    for (size_t i = 0; i < times; i++)
        put(file, text, size);
}

void put16(FILE *file, unsigned value)
{
    put(file, (unsigned char[]){(unsigned char)(value >> 8), (unsigned char)value}, 2);
}

void put32(FILE *file, uint32_t value)
{
    put16(file, value >> 16);
    put16(file, value & 0xffff);
}

item_status wrong(item_error *err, const char *what)
{
    err->code = ITEM_E_INTERNAL;
    snprintf(err->message, sizeof err->message, "%s", what);
    return ITEM_E_INTERNAL;
}

/* ---- measuring ---- */

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* VmRSS or VmHWM of this process, in MB. getrusage() would count the parent's too. */
static double memory(const char *name)
{
    char line[256];
    unsigned long kilobytes = 0;
    size_t length = strlen(name);
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, name, length) == 0)
            kilobytes = strtoul(line + length + 1, NULL, 10);
    }
    if (file)
        fclose(file);
    return (double)kilobytes * 1024 / 1e6;
}

void measure_start(void)
{
    malloc_trim(0);
    FILE *file = fopen("/proc/self/clear_refs", "w"); /* the peak begins anew */
    if (file) {
        fputs("5", file);
        fclose(file);
    }
    start_mb = memory("VmRSS");
    start_wall = seconds(CLOCK_MONOTONIC);
    start_cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
}

void measure_stop(void)
{
    now_running.cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - start_cpu;
    now_running.wall = seconds(CLOCK_MONOTONIC) - start_wall;
    now_running.mb = memory("VmHWM") - start_mb;
}

/* ---- one bomb ---- */

static void make(const bomb *b, const char *path)
{
    FILE *file = fopen(path, "wb");
    struct stat facts;
    if (!file)
        abort();
    b->make(file);
    if (fclose(file) != 0 || stat(path, &facts) != 0)
        abort();
    now_running.bytes = (long long)facts.st_size;
}

static void run_here(const bomb *b, const char *path, int out)
{
    item_error err = ITEM_ERROR_INIT;
    alarm(GUARD_S);
    if (b->make)
        make(b, path);
    measure_start();
    double before = now_running.cpu;
    now_running.status = b->run(path, &err);
    if (now_running.cpu == before)
        measure_stop();
    memcpy(now_running.message, err.message, sizeof err.message);
    if (write(out, &now_running, sizeof now_running) != sizeof now_running)
        abort();
}

/* False when the child died. */
static int run(const bomb *b, const char *folder, outcome *o)
{
    char path[512];
    int ends[2], state;
    snprintf(path, sizeof path, "%s/%s", folder, b->name);
    memset(o, 0, sizeof *o);
    if (pipe(ends) != 0)
        abort();
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        run_here(b, path, ends[1]);
        _exit(0);
    }
    close(ends[1]);
    ssize_t got = read(ends[0], o, sizeof *o);
    close(ends[0]);
    waitpid(child, &state, 0);
    (void)unlink(path);
    return got == sizeof *o && state == 0;
}

/* NULL, or what is wrong. */
static const char *judge(const bomb *b, const outcome *o)
{
    if (o->status != b->wanted)
        return "another status";
    if ((o->status == ITEM_OK) != (o->message[0] == '\0') || strchr(o->message, '\n'))
        return "no clear line";
    if (b->part && !strstr(o->message, b->part))
        return "another message";
#ifndef HOSTILE_SANITIZED
    if (o->mb > MOST_MB)
        return "too much memory";
    if (o->cpu > (o->status == ITEM_E_CANCELLED ? MOST_CANCELED : MOST_CPU))
        return "too much time";
#endif
    return NULL;
}

static void show(const bomb *b, const outcome *o, const char *folder, int table)
{
    const char *line = strstr(o->message, folder); /* the folder says nothing */
    line = line ? line + strlen(folder) + 1 : o->message;
    if (table)
        printf("| %s | %.1f kB | %.2f s | %.1f MB | %s |\n", b->what, (double)o->bytes / 1e3,
               o->cpu, o->mb, o->status == ITEM_OK ? "answered" : line);
}

/* How many of the bombs failed. */
static unsigned run_all(const bomb *bombs, size_t count, const char *folder, const char *name,
                        int table)
{
    unsigned failed = 0;
    for (size_t i = 0; i < count; i++) {
        outcome o;
        if (name && strcmp(name, bombs[i].name) != 0)
            continue;
        int lived = run(&bombs[i], folder, &o);
        const char *why = lived ? judge(&bombs[i], &o) : "the process died";
        show(&bombs[i], &o, folder, table);
        if (why)
            printf("%s: %s: %s, %s, %.2f s, %.1f MB\n", bombs[i].name, why,
                   item_status_name(o.status), o.message, o.cpu, o.mb);
        failed += why != NULL;
    }
    return failed;
}

int main(int argc, char **argv)
{
    char folder[512];
    int table = argc > 1;
    const char *name = table && strcmp(argv[1], "--table") != 0 ? argv[1] : NULL;
    if (!temp_make("bombs", folder, sizeof folder))
        return 1;
    if (table)
        printf("| bomb | file | time | memory | end |\n|---|---|---|---|---|\n");
    unsigned failed = run_all(picture_bombs, picture_bombs_count, folder, name, table) +
                      run_all(file_bombs, file_bombs_count, folder, name, table) +
                      run_all(call_bombs, call_bombs_count, folder, name, table);
    (void)temp_remove(folder);
    printf("%u failed\n", failed);
    return failed > 0;
}
