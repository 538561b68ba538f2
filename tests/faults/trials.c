/* SPDX-License-Identifier: Apache-2.0 */
/* Trying calls with faults; see trials.h. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "outputs.h"

#ifdef FAULTS_SANITIZED
#define SLOWER 3
#else
#define SLOWER 1
#endif
#define PATIENCE 60 /* seconds for a call that needs milliseconds: beyond, a lock is held */

const item_allocator *the_allocator;
unsigned long faults_failed, faults_absorbed;
unsigned complaints;

/* One way to fail, and how a try of it went. */
typedef struct fault {
    const char *name;
    fault_kind kind; /* FAULT_NONE: the host's allocator */
    int error;
    long nth;
    bool for_ever, harmless;
} fault;

typedef struct
try {
    item_status status;
    item_error err;
    long failed;
    bool kept;     /* the handles are as they were */
    bool told;     /* one of the results tells of the fault */
    uint64_t look; /* of the answer */
}
try;

bool faults_all(void)
{
    const char *wish = getenv("ITEM_TEST_FAULTS");
    return wish && strcmp(wish, "all") == 0;
}

static void complain(const phase *p, const fault *f, const char *what, const item_error *err)
{
    fprintf(stderr, "%s: %s %ld%s: %s%s%s%s%s\n", p->name, f->name, f->nth,
            f->for_ever ? " and on" : "", what, err ? ": " : "",
            err ? item_status_name(err->code) : "", err ? ": " : "", err ? err->message : "");
    complaints++;
}

static void arm(const fault *f)
{
    if (f->kind == FAULT_NONE)
        faults_host_arm(f->nth, f->for_ever);
    else
        faults_arm(f->kind, f->nth, f->for_ever, f->error);
}

static long disarm(const fault *f)
{
    return f->kind == FAULT_NONE ? faults_host_disarm() : faults_disarm();
}

static long live(const fault *f)
{
    if (f->kind == FAULT_MALLOC_IN)
        return faults_live_in();
    return f->kind == FAULT_NONE ? faults_host_live() : faults_live();
}

/* Makes the call once, looks at what it made, and frees it. */
static try attempt(const phase *p, const fault *f)
{
    try t = {.err = ITEM_ERROR_INIT};
    if (p->before)
        p->before();
    const outputs had = out;
    arm(f);
    t.status = p->call(&t.err);
    t.failed = disarm(f);
    t.kept = memcmp(&had, &out, offsetof(outputs, file)) == 0;
    t.told = outputs_tell();
    t.look = t.status == ITEM_OK ? outputs_look() : 0;
    if (p->after)
        p->after(t.status);
    outputs_free();
    return t;
}

/* ---- the same call afterwards, in another thread ---- */

typedef struct second {
    const phase *p;
    try t;
} second;

static void *run_second(void *user)
{
    second *s = user;
    const fault none = {.kind = FAULT_MALLOC, .nth = -1};
    s->t = attempt(s->p, &none);
    return NULL;
}

static void try_again(const phase *p, const fault *f, uint64_t wanted)
{
    second s = {.p = p};
    pthread_t thread;
    struct timespec until;
    assert_int_equal(pthread_create(&thread, NULL, run_second, &s), 0);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE;
    if (pthread_timedjoin_np(thread, NULL, &until) != 0) {
        complain(p, f, "the next call does not come back", NULL);
        abort();
    }
    if (s.t.status != ITEM_OK)
        complain(p, f, "the next call fails", &s.t.err);
    else if (s.t.look != wanted)
        complain(p, f, "the next call answers something else", NULL);
}

/* ---- one fault ---- */

static bool well_told(const try *t)
{
    const char *line = t->err.message;
    return t->err.code == t->status && *line && !strchr(line, '\n') &&
           line[strlen(line) - 1] != ' ' && line[strlen(line) - 1] != ':';
}

static void judge(const phase *p, const fault *f, const try *t, uint64_t wanted)
{
    const bool memory = f->kind <= FAULT_MALLOC_IN;
    if (t->status == ITEM_OK && t->look != wanted && !t->told)
        complain(p, f, "an answer, but another one", NULL);
    if (t->status == ITEM_OK) {
        faults_absorbed += (unsigned long)t->failed;
        return;
    }
    if (!well_told(t))
        complain(p, f, "the error is not told", &t->err);
    if (memory && t->status != ITEM_E_MEMORY)
        complain(p, f, "not ITEM_E_MEMORY", &t->err);
    if (!memory && t->status != ITEM_E_IO && t->status != ITEM_E_PACK)
        complain(p, f, "neither ITEM_E_IO nor ITEM_E_PACK", &t->err);
    if (!t->kept)
        complain(p, f, "an output is not NULL", NULL);
    if (f->harmless)
        complain(p, f, "fails", &t->err);
}

/* A library may keep something after its first failure, such as an error queue; never more. */
static bool grows(const phase *p, const fault *f)
{
    long before = live(f);
    for (int i = 0; i < 3; i++) {
        (void)attempt(p, f);
        const long after = live(f);
        if (after <= before)
            return false;
        before = after;
    }
    return true;
}

/* False when there is no nth call. */
static bool try_fault(const phase *p, const fault *f, uint64_t wanted)
{
    const long before = live(f);
    if (getenv("ITEM_TEST_FAULTS_SHOW"))
        fprintf(stderr, "%s: %s %ld%s\n", p->name, f->name, f->nth, f->for_ever ? " and on" : "");
    const try t = attempt(p, f);
    if (t.failed == 0)
        return false;
    faults_failed += (unsigned long)t.failed;
    const long after = live(f);
    if (after > before && (f->kind == FAULT_NONE || grows(p, f)))
        complain(p, f, "memory is left", NULL);
    judge(p, f, &t, wanted);
    try_again(p, f, wanted);
    return true;
}

/* Every place of failure, each once alone and once for good. */
static void try_places(const phase *p, fault f, bool once, uint64_t wanted)
{
    const long step = faults_all() || p->stride == 0 ? 1 : (long)p->stride * SLOWER;
    bool there = true;
    for (f.nth = 1; there; f.nth += step) {
        f.for_ever = false;
        there = try_fault(p, &f, wanted);
        f.for_ever = true;
        if (there && !once)
            (void)try_fault(p, &f, wanted);
    }
}

/* The answer without faults; twice, so that whatever is kept for ever is there. */
static uint64_t usual(const phase *p)
{
    const fault none = {.kind = FAULT_MALLOC, .nth = -1};
    try t = attempt(p, &none);
    t = attempt(p, &none);
    if (t.status != ITEM_OK)
        fail_msg("%s: %s: %s", p->name, item_status_name(t.status), t.err.message);
    return t.look;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void try_memory(const phase *phases, size_t count, memory_kind kind)
{
    static const fault faults[] = {
        [MEMORY_HOST] = {.name = "host", .kind = FAULT_NONE},
        [MEMORY_MALLOC] = {.name = "malloc", .kind = FAULT_MALLOC, .error = ENOMEM},
        [MEMORY_WATCHED] = {.name = "engine", .kind = FAULT_MALLOC_IN, .error = ENOMEM}};
    const fault f = faults[kind];
    the_allocator = kind == MEMORY_HOST ? faults_host() : NULL;
    for (size_t i = 0; i < count; i++) {
        const unsigned long failed = faults_failed, absorbed = faults_absorbed;
        const double start = now();
        try_places(&phases[i], f, false, usual(&phases[i]));
        printf("%-28s %-6s %7lu failed, %5lu without harm, %.1f s\n", phases[i].name, f.name,
               faults_failed - failed, faults_absorbed - absorbed, now() - start);
    }
    the_allocator = NULL;
}

void try_system(const phase *phases, size_t count, const trouble *t)
{
    const unsigned long failed = faults_failed, absorbed = faults_absorbed;
    fault f = {.name = t->name, .kind = t->kind, .error = t->error, .harmless = t->harmless};
    for (size_t i = 0; i < count; i++) {
        const uint64_t wanted = usual(&phases[i]);
        if (t->always) {
            f.nth = 1;
            f.for_ever = true;
            (void)try_fault(&phases[i], &f, wanted);
        } else {
            try_places(&phases[i], f, t->once, wanted);
        }
    }
    printf("%-28s %7lu failed, %5lu without harm\n", t->name, faults_failed - failed,
           faults_absorbed - absorbed);
    if (faults_failed == failed)
        fail_msg("%s: nothing asked the system for this", t->name);
}
