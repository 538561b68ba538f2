/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time and memory of a pack on this machine, through the public functions alone.
 *
 *     bench [--pack FOLDER] FILE...                the tables of `make bench`
 *     bench [--pack FOLDER] --steady N FILE...     memory while N pictures are checked
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static void print_machine(void)
{
    item_error err = ITEM_ERROR_INIT;
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    if (item_engine_get_info(NULL, 1, &info, &err) != ITEM_OK)
        bench_die(&err);
    printf("libitem %s, engine %s %s\n", item_version(), info.name, info.version);
    printf("processor  %s (%s)\n", info.cpu, info.cpu_features);
    printf("BLAS       %s, %.0f GFLOP/s\n", info.blas, info.gflops);
    printf("threads    %u lane(s) of %u\n", info.lanes, info.threads);
}

/* Medians over all pictures, each checked alone, after one round that warms everything up. */
void bench_stages(const bench *b)
{
    static const char *const names[] = {"decode", "resize", "caption", "phrases",
                                        "detect", "embed",  "judge",   "total"};
    enum { STAGES = 8, ROUNDS = 4 };
    double *times = calloc(b->count * (ROUNDS - 1) * STAGES, sizeof(*times));
    size_t n = b->count * (ROUNDS - 1), at = 0;
    for (int round = 0; times && round < ROUNDS; round++)
        for (size_t i = 0; i < b->count; i++) {
            item_error err = ITEM_ERROR_INIT;
            item_timings t = ITEM_TIMINGS_INIT;
            item_result *result = NULL;
            if (item_check_file(b->ctx, b->files[i], NULL, &result, &err) != ITEM_OK ||
                item_result_get_timings(result, &t, &err) != ITEM_OK)
                bench_die(&err);
            item_result_unref(result);
            const double stages[STAGES] = {t.decode, t.resize, t.caption, t.phrases,
                                           t.detect, t.embed,  t.judge,   t.total};
            for (int s = 0; round > 0 && s < STAGES; s++)
                times[(size_t)s * n + at] = stages[s];
            at += round > 0;
        }
    printf("\none picture, warm: median of %zu checks, ms\n", n);
    for (int s = 0; times && s < STAGES; s++)
        printf("  %-8s %8.1f\n", names[s], bench_median(times + (size_t)s * n, n));
    free(times);
}

static item_ctx *open_pack(const char *pack)
{
    item_error err = ITEM_ERROR_INIT;
    item_ctx *ctx = NULL;
    if (item_ctx_open(pack, NULL, &ctx, &err) != ITEM_OK)
        bench_die(&err);
    return ctx;
}

static void run_all(bench *b, const char *self)
{
    print_machine();
    b->ctx = open_pack(b->pack);
    bench_stages(b);
    bench_throughput(b);
    printf("\npeak memory so far: %.0f MB resident\n", bench_peak_rss_mb());
    bench_big_picture(b);
    bench_start(b, self);
    printf("\npeak memory in all: %.0f MB resident\n", bench_peak_rss_mb());
}

int main(int argc, char **argv)
{
    bench b = {NULL, NULL, NULL, 0};
    size_t steady = 0;
    int at = 1;
    if (argc == 5 && strcmp(argv[1], "--child") == 0)
        return bench_start_child(argv[2], *argv[3] ? argv[3] : NULL, argv[4]);
    for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
        if (strcmp(argv[at], "--pack") == 0)
            b.pack = argv[at + 1];
        else if (strcmp(argv[at], "--steady") == 0)
            steady = strtoul(argv[at + 1], NULL, 10);
    }
    if (at >= argc) {
        fprintf(stderr, "usage: %s [--pack FOLDER] [--steady N] FILE...\n", argv[0]);
        return 2;
    }
    b.files = (const char *const *)argv + at;
    b.count = (size_t)(argc - at);
    if (steady > 0) {
        b.ctx = open_pack(b.pack);
        bench_steady(&b, steady);
    } else {
        run_all(&b, argv[0]);
    }
    item_ctx_unref(b.ctx);
    return 0;
}
