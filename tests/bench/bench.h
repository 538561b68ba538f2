/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the bench program: each measures one thing within one run. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>

#include <item/item.h>

typedef struct bench {
    item_ctx *ctx;
    const char *pack; /* NULL: the installed one */
    const char *const *files;
    size_t count;
} bench;

double bench_now(void); /* milliseconds */
double bench_median(double *values, size_t n);
double bench_rss_mb(void);      /* resident now */
double bench_peak_rss_mb(void); /* the most so far */
void bench_die(const item_error *err);

void bench_stages(const bench *b);
void bench_throughput(const bench *b);
void bench_big_picture(const bench *b);
void bench_start(const bench *b, const char *self);
int bench_start_child(const char *what, const char *pack, const char *file);
void bench_steady(const bench *b, size_t pictures);

#endif
