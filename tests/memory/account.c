/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of this process by the kernel's own account: smaps, its sums, and the peak of status. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

static FILE *ask(const char *path, const char *mode)
{
    FILE *file = fopen(path, mode);
    if (file)
        return file;
    fprintf(stderr, "memory: this system has no %s: skipped\n", path);
    exit(77);
}

static double mb(double kb)
{
    return kb * 1024 / 1e6;
}

static int is_weights(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (strcmp(dot, ".safetensors\n") == 0 || strcmp(dot, ".bin\n") == 0);
}

/* Pages of weights alone: those of libtorch are shared with whatever else runs at that moment. */
static void read_weights(account *a)
{
    char line[4096 + 256];
    double kb;
    int weights = 0;
    FILE *file = ask("/proc/self/smaps", "r");
    while (fgets(line, sizeof line, file)) {
        if (strchr("0123456789abcdef", line[0])) /* "7f00-7f80 r--p 00000000 fe:00 42  PATH" */
            weights = is_weights(line);
        else if (weights && sscanf(line, "Rss: %lf", &kb) == 1)
            a->weights += mb(kb);
        else if (weights && sscanf(line, "Pss: %lf", &kb) == 1)
            a->share += mb(kb);
    }
    fclose(file);
}

account account_read(void)
{
    account a = {0};
    char line[256];
    double kb;
    FILE *file = ask("/proc/self/smaps_rollup", "r");
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "Rss: %lf", &kb) == 1)
            a.resident = mb(kb);
        else if (sscanf(line, "Anonymous: %lf", &kb) == 1)
            a.anonymous = mb(kb);
    }
    fclose(file);
    read_weights(&a);
    return a;
}

void account_reset_peak(void)
{
    FILE *file = ask("/proc/self/clear_refs", "w");
    if (fputs("5", file) == EOF || fclose(file) != 0) {
        fprintf(stderr, "memory: this system does not forget a peak: skipped\n");
        exit(77);
    }
}

double account_peak(void)
{
    char line[256];
    double kb = 0;
    FILE *file = ask("/proc/self/status", "r");
    while (fgets(line, sizeof line, file) && sscanf(line, "VmHWM: %lf", &kb) != 1)
        ;
    fclose(file);
    return mb(kb);
}
