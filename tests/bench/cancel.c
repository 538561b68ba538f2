/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How soon a cancelled call on a published model returns:
 *
 *     bench-cancel FOLDER...
 *
 * A call is timed whole, then cancelled at moments spread over that time. Prints the time of the call
 * and of the slowest return after a cancel.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

#define CANCELS 12
#define EDGE    320 /* of the picture, pixels */

typedef struct side {
    item_ctx *ctx;
    item_image *image;
    item_ctx_info info;
} side;

static void must(item_status status, const item_error *err)
{
    if (status != ITEM_OK)
        bench_die(err);
}

static item_status caption(const side *s, item_cancel *cancel, item_error *err)
{
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_result *result = NULL;
    options.cancel = cancel;
    const item_status status = item_caption_image(s->ctx, s->image, &options, &result, err);
    item_result_unref(result);
    return status;
}

static item_status detect(const side *s, item_cancel *cancel, item_error *err)
{
    static const char *const queries[] = {"a dog"};
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_result *result = NULL;
    options.cancel = cancel;
    const item_status status =
        item_detect_image(s->ctx, s->image, queries, 1, &options, &result, err);
    item_result_unref(result);
    return status;
}

static item_status embed(const side *s, item_cancel *cancel, item_error *err)
{
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_image *images[8];
    options.cancel = cancel;
    float *out = calloc(8 * s->info.width, sizeof *out);
    if (!out)
        exit(1);
    for (int i = 0; i < 8; i++)
        images[i] = s->image;
    const item_status status =
        item_embed_images(s->ctx, images, 8, &options, out, s->info.width, err);
    free(out);
    return status;
}

static item_status call(const side *s, item_cancel *cancel, item_error *err)
{
    if (s->info.has_captioner)
        return caption(s, cancel, err);
    return s->info.has_detector ? detect(s, cancel, err) : embed(s, cancel, err);
}

static void open_side(side *s, const char *folder)
{
    static uint8_t pixels[EDGE * EDGE * 3];
    item_error err = ITEM_ERROR_INIT;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 7 % 251);
    *s = (side){.info = ITEM_CTX_INFO_INIT};
    must(item_ctx_open(folder, NULL, &s->ctx, &err), &err);
    must(item_ctx_get_info(s->ctx, &s->info, &err), &err);
    must(item_image_from_pixels(pixels, ITEM_PIXELS_RGB, EDGE, EDGE, 3 * EDGE, NULL, &s->image,
                                &err),
         &err);
}

typedef struct alarm_clock {
    item_cancel *cancel;
    double after, rang; /* milliseconds; when it rang */
} alarm_clock;

static void *ring(void *arg)
{
    alarm_clock *c = arg;
    const struct timespec rest = {(time_t)(c->after / 1e3), (long)(c->after * 1e6) % 1000000000};
    nanosleep(&rest, NULL);
    c->rang = bench_now();
    item_cancel_set(c->cancel);
    return NULL;
}

/* Milliseconds from the cancel to the return; 0 where the call ended before. */
static double cancel_after(const side *s, double after)
{
    item_error err = ITEM_ERROR_INIT;
    alarm_clock clock = {.after = after};
    pthread_t thread;
    must(item_cancel_new(&clock.cancel, &err), &err);
    if (pthread_create(&thread, NULL, ring, &clock) != 0)
        exit(1);
    const item_status status = call(s, clock.cancel, &err);
    const double end = bench_now();
    pthread_join(thread, NULL);
    item_cancel_unref(clock.cancel);
    if (status != ITEM_OK && status != ITEM_E_CANCELLED)
        bench_die(&err);
    return status == ITEM_E_CANCELLED ? end - clock.rang : 0.0;
}

static void measure(const char *folder)
{
    side s;
    item_error err = ITEM_ERROR_INIT;
    double slowest = 0.0;
    int ended = 0;
    open_side(&s, folder);
    must(call(&s, NULL, &err), &err); /* opens the networks */
    const double start = bench_now();
    must(call(&s, NULL, &err), &err);
    const double whole = bench_now() - start;
    for (int i = 0; i < CANCELS; i++) {
        const double took = cancel_after(&s, whole * (i + 0.5) / CANCELS);
        ended += took > 0.0;
        slowest = took > slowest ? took : slowest;
    }
    const char *name = strrchr(folder, '/');
    printf("    %-16s a call %8.0f ms; %d of %d ended by their cancel, the slowest after %.0f ms\n",
           name ? name + 1 : folder, whole, ended, CANCELS, slowest);
    fflush(stdout);
    item_image_unref(s.image);
    item_ctx_unref(s.ctx);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        measure(argv[i]);
    return argc > 1 ? 0 : 2;
}
