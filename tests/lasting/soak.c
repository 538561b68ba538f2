/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak MINUTES: eight threads open contexts of the small pack, look at pictures, are cancelled and
 * close again, for as long as asked. All stand still for each row of figures, so that what the
 * process holds then must stay the same. Ends with 1 where something failed, answered otherwise,
 * or grew.
 */
#include "lasting.h"

#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS    8
#define PICTURES   4
#define ROWS_LEAST 8 /* of figures: one each minute, in a short run more */
#define ROWS_MOST  10000
#define JUDGED     10 /* minutes: below, malloc's arenas still fill */

/* The last quarter may hold so much more than the second: malloc's arenas are never quite empty. */
#define GROWTH    0.05
#define GROWTH_KB 8192

typedef struct person {
    pthread_t thread;
    uint32_t state;
    pthread_mutex_t lock;  /* of the two below */
    item_cancel *cancel;   /* of the call that runs; NULL: none that may be cancelled */
    _Atomic double set_at; /* when it was set; 0: it was not */
} person;

static struct {
    person people[THREADS];
    item_ctx *shared;
    item_image *images[PICTURES];
    char paths[PICTURES][512];
    char answers[PICTURES][512];
    pthread_rwlock_t gate; /* held for reading by whoever works */
    atomic_bool end;
    atomic_ulong opens, checks, stages, cancels, errors;
    pthread_mutex_t latency_lock;
    double latency; /* longest time from a cancel to the call's return, ms */
} s;

static void failed(const char *what, const item_error *err)
{
    atomic_fetch_add(&s.errors, 1);
    printf("failed: %s: %s\n", what, err ? err->message : "");
    fflush(stdout);
}

/* ---- cancelling ---- */

static item_cancel *may_be_cancelled(person *p)
{
    item_error err = ITEM_ERROR_INIT;
    item_cancel *cancel = NULL;
    if (item_cancel_new(&cancel, &err) != ITEM_OK)
        failed("item_cancel_new", &err);
    atomic_store(&p->set_at, 0);
    pthread_mutex_lock(&p->lock);
    p->cancel = cancel;
    pthread_mutex_unlock(&p->lock);
    return cancel;
}

static void call_is_over(person *p, item_status status)
{
    const double now = now_ms();
    pthread_mutex_lock(&p->lock);
    item_cancel_unref(p->cancel);
    p->cancel = NULL;
    pthread_mutex_unlock(&p->lock);
    const double set_at = atomic_load(&p->set_at);
    if (set_at == 0 || status != ITEM_E_CANCELLED)
        return;
    atomic_fetch_add(&s.cancels, 1);
    pthread_mutex_lock(&s.latency_lock);
    s.latency = now - set_at > s.latency ? now - set_at : s.latency;
    pthread_mutex_unlock(&s.latency_lock);
}

/* Ends calls of anybody, at random. */
static void *cancel_at_random(void *ignored)
{
    (void)ignored;
    uint32_t state = 77;
    while (!atomic_load(&s.end)) {
        person *p = &s.people[chance(&state, THREADS)];
        pthread_mutex_lock(&p->lock);
        if (p->cancel && atomic_load(&p->set_at) == 0) {
            atomic_store(&p->set_at, now_ms());
            item_cancel_set(p->cancel);
        }
        pthread_mutex_unlock(&p->lock);
        sleep_ms(20 + chance(&state, 400));
    }
    return NULL;
}

/* ---- what they do ---- */

static void compare(const item_result *result, uint32_t picture)
{
    char answer[512];
    answer_text(result, answer, sizeof answer);
    if (!same_answer(answer, s.answers[picture]))
        failed("another answer", NULL);
    if (!item_result_json(result))
        failed("no JSON", NULL);
}

static void check(person *p, item_ctx *ctx)
{
    item_error err = ITEM_ERROR_INIT;
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_result *result = NULL;
    const uint32_t picture = chance(&p->state, PICTURES);
    options.cancel = may_be_cancelled(p);
    const item_status status =
        chance(&p->state, 2) ? item_check_image(ctx, s.images[picture], &options, &result, &err)
                             : item_check_file(ctx, s.paths[picture], &options, &result, &err);
    call_is_over(p, status);
    if (status == ITEM_OK)
        compare(result, picture);
    else if (status != ITEM_E_CANCELLED)
        failed("check", &err);
    item_result_unref(result);
    atomic_fetch_add(&s.checks, 1);
}

static void check_batch(person *p, item_ctx *ctx)
{
    item_error err = ITEM_ERROR_INIT;
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_result *results[PICTURES];
    const char *paths[PICTURES];
    for (uint32_t i = 0; i < PICTURES; i++)
        paths[i] = s.paths[i];
    options.cancel = may_be_cancelled(p);
    const item_status status = item_check_files(ctx, paths, PICTURES, &options, results, &err);
    call_is_over(p, status);
    for (uint32_t i = 0; i < PICTURES; i++) {
        if (status == ITEM_OK && item_result_status(results[i], &err) != ITEM_OK)
            failed("a picture of a batch", &err);
        else if (status == ITEM_OK)
            compare(results[i], i);
        item_result_unref(results[i]);
    }
    if (status != ITEM_OK && status != ITEM_E_CANCELLED)
        failed("batch", &err);
    atomic_fetch_add(&s.checks, PICTURES);
}

static void one_stage(person *p, item_ctx *ctx)
{
    static const char *const phrases[] = {"a dog", "two people"};
    item_error err = ITEM_ERROR_INIT;
    item_check_options options = ITEM_CHECK_OPTIONS_INIT;
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    item_result *result = NULL;
    item_image *image = s.images[chance(&p->state, PICTURES)];
    (void)item_ctx_get_info(ctx, &info, NULL);
    float *out = malloc(2 * sizeof *out * info.width);
    const uint32_t which = chance(&p->state, 4);
    options.cancel = may_be_cancelled(p);
    const item_status status =
        which == 0   ? item_caption_image(ctx, image, &options, &result, &err)
        : which == 1 ? item_detect_image(ctx, image, phrases, 2, &options, &result, &err)
        : which == 2 ? item_embed_images(ctx, &image, 1, &options, out, info.width, &err)
                     : item_embed_texts(ctx, phrases, 2, &options, out, info.width, &err);
    call_is_over(p, status);
    if (status != ITEM_OK && status != ITEM_E_CANCELLED)
        failed("a stage", &err);
    item_result_unref(result);
    free(out);
    atomic_fetch_add(&s.stages, 1);
}

/* Networks are opened by the first check, and shared with contexts that are open. */
static void open_and_close(person *p)
{
    static const char *const options[][5] = {{"map_files", "0", "verify", "none", NULL},
                                             {"map_files", "1", "verify", "none", NULL},
                                             {"verify", "small", NULL},
                                             {"precision", "auto", "head", "none", NULL}};
    const uint32_t which = chance(&p->state, 4);
    item_ctx *ctx = open_pack_with(options[which]);
    if (which < 3)
        check(p, ctx);
    else
        one_stage(p, ctx);
    item_ctx_unref(ctx);
    atomic_fetch_add(&s.opens, 1);
}

static void *live(void *user)
{
    person *p = user;
    while (!atomic_load(&s.end)) {
        pthread_rwlock_rdlock(&s.gate);
        switch (chance(&p->state, 8)) {
        case 0:
        case 1:
            open_and_close(p);
            break;
        case 2:
            check_batch(p, s.shared);
            break;
        case 3:
            one_stage(p, s.shared);
            break;
        default:
            check(p, s.shared);
        }
        pthread_rwlock_unlock(&s.gate);
    }
    return NULL;
}

/* ---- figures ---- */

static void print_row(double minutes, const holdings *h)
{
    printf("%7.1f %9lu %7lu %5lu %8lu %8lu %8lu %7lu %7lu %6lu %8.0f\n", minutes, h->resident_kb,
           h->threads, h->files, h->mappings, atomic_load(&s.opens), atomic_load(&s.checks),
           atomic_load(&s.stages), atomic_load(&s.cancels), atomic_load(&s.errors), s.latency);
    fflush(stdout);
}

/* Everybody stands still, and the shared context is opened anew: no other is open then, so that all
   networks are, too. */
static holdings take_row(double minutes)
{
    pthread_rwlock_wrlock(&s.gate);
    (void)malloc_trim(0); /* what was freed is not held, or arenas would hide a slow growth */
    const holdings h = holdings_now();
    print_row(minutes, &h);
    item_ctx_unref(s.shared);
    s.shared = open_pack_with(NULL);
    pthread_rwlock_unlock(&s.gate);
    return h;
}

static double mean_resident(const holdings *rows, unsigned from, unsigned to)
{
    double sum = 0;
    for (unsigned i = from; i < to; i++)
        sum += (double)rows[i].resident_kb;
    return sum / (to - from);
}

static bool grew(const holdings *rows, unsigned n)
{
    const double second = mean_resident(rows, n / 4, n / 2),
                 last = mean_resident(rows, n - n / 4, n);
    const holdings *before = &rows[n / 4], *after = &rows[n - 1];
    printf("resident: %.0f kB in the second quarter, %.0f kB in the last\n", second, last);
    return last > second * (1 + GROWTH) + GROWTH_KB || after->threads != before->threads ||
           after->files != before->files || after->mappings > before->mappings + 64;
}

/* Rows until the time is over; how many. */
static unsigned take_rows(double minutes, holdings *rows)
{
    const double step = fmin(60e3, minutes * 60e3 / ROWS_LEAST), start = now_ms();
    unsigned n = 0;
    printf("minutes  resident threads files mappings    opens   checks  stages cancels errors "
           "longest ms\n");
    while (now_ms() < start + minutes * 60e3 && n < ROWS_MOST) {
        sleep_ms(fmax(0, start + (n + 1) * step - now_ms()));
        rows[n++] = take_row((now_ms() - start) / 60e3);
    }
    return n;
}

static bool run(double minutes)
{
    static holdings rows[ROWS_MOST];
    pthread_t canceller;
    for (unsigned i = 0; i < THREADS; i++)
        pthread_create(&s.people[i].thread, NULL, live, &s.people[i]);
    pthread_create(&canceller, NULL, cancel_at_random, NULL);
    const unsigned n = take_rows(minutes, rows);
    atomic_store(&s.end, true);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(s.people[i].thread, NULL);
    pthread_join(canceller, NULL);
    const bool bad = (minutes >= JUDGED && grew(rows, n)) || atomic_load(&s.errors) > 0;
    return !bad;
}

static void prepare(void)
{
    static const char *const names[PICTURES] = {"chelsea", "coffee", "rocket", "surfing_dog"};
    item_error err = ITEM_ERROR_INIT;
    pthread_rwlockattr_t fair;
    pthread_rwlockattr_init(&fair);
    pthread_rwlockattr_setkind_np(&fair, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&s.gate, &fair);
    pthread_mutex_init(&s.latency_lock, NULL);
    s.shared = open_pack_with(NULL);
    for (uint32_t i = 0; i < PICTURES; i++) {
        item_result *result = NULL;
        snprintf(s.paths[i], sizeof s.paths[i], PHOTOGRAPHS "/%s.jpg", names[i]);
        assert_ok(item_image_from_file(s.paths[i], NULL, &s.images[i], &err), &err);
        assert_ok(item_check_image(s.shared, s.images[i], NULL, &result, &err), &err);
        answer_text(result, s.answers[i], sizeof s.answers[i]);
        item_result_unref(result);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        s.people[i].state = i + 1;
        pthread_mutex_init(&s.people[i].lock, NULL);
    }
}

int main(int count, char **arguments)
{
    const double minutes = count > 1 ? strtod(arguments[1], NULL) : 60;
    if (!(minutes > 0)) {
        fprintf(stderr, "usage: soak MINUTES\n");
        return 2;
    }
    if (!pack_is_there())
        return SKIPPED;
    prepare();
    const bool good = run(minutes);
    item_ctx_unref(s.shared);
    for (uint32_t i = 0; i < PICTURES; i++) {
        item_image_unref(s.images[i]);
    }
    printf("%s\n", good ? "nothing failed, nothing grew" : "FAILED");
    return !good;
}
