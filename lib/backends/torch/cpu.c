/* SPDX-License-Identifier: Apache-2.0 */
/* The processor: its name, what it multiplies, and how many cores this process may use. */
#include "engine.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint32_t cores = 1;
static char name[128], features[256];
static bool bf16;

/* The sets that matter for products; the kernel leaves out what it does not support. */
static const char *const wanted[] = {
    "sse4_2",   "avx",         "avx2",        "fma",      "f16c",     "avx512f", "avx512bw",
    "avx512vl", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "asimd",   "bf16"};

static bool has_word(const char *line, const char *word)
{
    const size_t length = strlen(word);
    for (const char *at = line; (at = strstr(at, word)) != NULL; at += length)
        if ((at == line || at[-1] == ' ') && strchr(" \n", at[length]))
            return true;
    return false;
}

static void add_feature(const char *word)
{
    const size_t used = strlen(features);
    (void)snprintf(features + used, sizeof features - used, "%s%s", used > 0 ? " " : "", word);
}

static void read_line(const char *line)
{
    const char *colon = strchr(line, ':');
    if (!colon || colon[1] != ' ')
        return;
    const char *value = colon + 2;
    if (name[0] == '\0' && strncmp(line, "model name", 10) == 0)
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(value, "\n"), value);
    if (features[0] != '\0' ||
        (strncmp(line, "flags", 5) != 0 && strncmp(line, "Features", 8) != 0))
        return;
    for (size_t i = 0; i < ITX_COUNT(wanted); i++)
        if (has_word(value, wanted[i]))
            add_feature(wanted[i]);
    bf16 = has_word(value, "avx512_bf16") || has_word(value, "amx_bf16") || has_word(value, "bf16");
}

static void read_cpuinfo(void)
{
    static char line[16384]; /* "flags" is long; under the once */
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file && (name[0] == '\0' || features[0] == '\0') && fgets(line, sizeof line, file))
        read_line(line);
    if (file)
        (void)fclose(file);
    if (name[0] == '\0')
        (void)snprintf(name, sizeof name, "unknown");
}

/* The first processor of those that share a core with this one; itself where unknown. */
static size_t first_sibling(size_t cpu)
{
    char path[96];
    size_t found = cpu;
    (void)snprintf(path, sizeof path,
                   "/sys/devices/system/cpu/cpu%zu/topology/thread_siblings_list", cpu);
    FILE *file = fopen(path, "re");
    if (file && fscanf(file, "%zu", &found) != 1)
        found = cpu;
    if (file)
        (void)fclose(file);
    return found;
}

static void count_cores(void)
{
    cpu_set_t mine, seen;
    CPU_ZERO(&seen);
    if (sched_getaffinity(0, sizeof mine, &mine) != 0)
        return;
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &mine))
            CPU_SET(first_sibling(cpu), &seen);
    const int count = CPU_COUNT(&seen);
    cores = count > 0 ? (uint32_t)count : 1;
}

static void look(void)
{
    read_cpuinfo();
    count_cores();
}

uint32_t itx_physical_cores(void)
{
    (void)pthread_once(&once, look);
    return cores;
}

const char *itx_cpu_name(void)
{
    (void)pthread_once(&once, look);
    return name;
}

const char *itx_cpu_features(void)
{
    (void)pthread_once(&once, look);
    return features;
}

bool itx_cpu_bf16(void)
{
    (void)pthread_once(&once, look);
    return bf16;
}

const char *itx_precision(const char *asked)
{
    const bool wants =
        asked && (strcmp(asked, "bf16") == 0 || (strcmp(asked, "auto") == 0 && itx_cpu_bf16()));
    return wants ? "bf16" : "fp32";
}
