/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host of a call: what is lent, so that a change or a late use shows, and what must be as it
 * was when the backend returns.
 */
#include <fenv.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "conformance.h"

enum { ARENA = 48 << 20, TAIL = 48, GUARD = 64, MOST_STRUCTS = 4096, SIGNALS = 9 };
static const unsigned char tail_byte = 0xa5; /* of members that this release does not know */

/* ---- memory ---- */

static pthread_mutex_t arenas_lock = PTHREAD_MUTEX_INITIALIZER;
static arena *arenas;

arena *arena_new(void)
{
    arena *a = calloc(1, sizeof *a);
    void *base = mmap(NULL, ARENA, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!a || base == MAP_FAILED) {
        fprintf(stderr, "no memory\n");
        abort();
    }
    a->base = base;
    pthread_mutex_lock(&arenas_lock);
    a->next = arenas;
    arenas = a;
    pthread_mutex_unlock(&arenas_lock);
    return a;
}

void arenas_hide(void)
{
    for (arena *a = arenas; a; a = a->next)
        if (mprotect(a->base, ARENA, PROT_NONE) != 0)
            perror("mprotect");
}

void *arena_take(arena *a, size_t size)
{
    size_t start = (a->used + 15) / 16 * 16;
    if (size > ARENA - start) {
        fprintf(stderr, "one call lends more than %d bytes\n", ARENA);
        abort();
    }
    a->used = start + size;
    return memset(a->base + start, 0, size);
}

/* ---- the thread and the process ---- */

static const int signals[SIGNALS] = {SIGINT,  SIGTERM, SIGSEGV, SIGBUS, SIGFPE,
                                     SIGABRT, SIGPIPE, SIGCHLD, SIGALRM};

typedef struct surroundings {
    int rounding;
    bool denormals;
    char locale[128];
    locale_t own;
    sigset_t mask;
    void (*handlers[SIGNALS])(int);
} surroundings;

static void look_around(surroundings *out)
{
    volatile float small = FLT_MIN;
    small = small / 2;
    out->denormals = small > 0;
    out->rounding = fegetround();
    snprintf(out->locale, sizeof out->locale, "%s", setlocale(LC_ALL, NULL));
    out->own = uselocale((locale_t)0);
    pthread_sigmask(SIG_SETMASK, NULL, &out->mask);
    for (size_t i = 0; i < SIGNALS; i++) {
        struct sigaction action;
        sigaction(signals[i], NULL, &action);
        out->handlers[i] = action.sa_handler;
    }
}

static void compare_surroundings(stage_id stage, const surroundings *before)
{
    surroundings now;
    look_around(&now);
    if (now.rounding != before->rounding)
        breach(stage, THREAD, "the rounding mode was changed");
    if (now.denormals != before->denormals)
        breach(stage, THREAD, "denormal numbers were switched %s", now.denormals ? "on" : "off");
    if (strcmp(now.locale, before->locale) != 0 || now.own != before->own)
        breach(stage, THREAD, "the locale was changed from %s to %s", before->locale, now.locale);
    for (int i = 1; i < SIGRTMIN; i++)
        if (sigismember(&now.mask, i) != sigismember(&before->mask, i))
            breach(stage, THREAD, "signal %d was blocked or let through", i);
    for (size_t i = 0; i < SIGNALS; i++)
        if (now.handlers[i] != before->handlers[i])
            breach(stage, THREAD, "the handler of signal %d was changed", signals[i]);
}

/* ---- a call ---- */

typedef struct lent { /* a struct that the backend may write to, as it was */
    unsigned char *tail;
    uint32_t *struct_size;
    uint32_t size;
} lent;

/* What call->host is: kept until the end, since a backend may use it when it must not. */
typedef struct host {
    struct host *next;
    stage_id stage;
    pthread_t thread;
    atomic_bool over;
    atomic_int *cancel;
    atomic_uint *polls;
} host;

struct frame {
    asking how;
    arena *memory;
    host *host;
    item_call *call;
    item_error *err;
    unsigned char *sealed; /* what was lent, as it was */
    size_t sealed_size;
    unsigned char *guards[2]; /* before and after the answers */
    lent *lent;
    size_t lents;
    surroundings before;
};

static host *hosts;

static bool may(host *h, const char *what)
{
    if (atomic_load(&h->over)) {
        breach(h->stage, HOST, "%s was called after the return", what);
        return false;
    }
    if (!pthread_equal(pthread_self(), h->thread)) {
        breach(h->stage, HOST, "%s was called from another thread than the calling one", what);
        return false;
    }
    return true;
}

static int32_t cancelled(void *user)
{
    host *h = user;
    if (atomic_load(&h->over))
        breach(h->stage, HOST, "cancelled was called after the return");
    else if (h->polls)
        atomic_fetch_add(h->polls, 1);
    return h->cancel && atomic_load(h->cancel) != 0;
}

static void take_line(host *h, const char *what, const char *text)
{
    if (may(h, what) && (!text || !*text || strchr(text, '\n')))
        breach(h->stage, HOST, "%s was given no line of text, or more than one", what);
}

static void log_line(void *user, int32_t level, const char *text)
{
    host *h = user;
    take_line(h, "log", text);
    if (level < ITEM_LOG_ERROR || level > ITEM_LOG_DEBUG)
        breach(h->stage, HOST, "log was given the level %d", (int)level);
}

static void warn_line(void *user, const char *text)
{
    take_line(user, "warn", text);
}

bool frame_may_add(frame *f)
{
    return may(f->host, "add");
}

static host *host_new(const backend *b, const asking *how)
{
    host *h = calloc(1, sizeof *h);
    if (!h)
        abort();
    h->stage = b->stage;
    h->thread = pthread_self();
    h->cancel = how->cancel;
    h->polls = how->polls;
    pthread_mutex_lock(&arenas_lock);
    h->next = hosts;
    hosts = h;
    pthread_mutex_unlock(&arenas_lock);
    return h;
}

frame *frame_begin(const backend *b, const asking *how)
{
    frame *f = calloc(1, sizeof *f);
    lent *room = calloc(MOST_STRUCTS, sizeof *room);
    if (!f || !room)
        abort();
    f->how = *how;
    f->lent = room;
    f->memory = how->memory ? how->memory : arena_new();
    f->host = host_new(b, how);
    const item_call call = {sizeof call, 0, f->host, cancelled, log_line, warn_line};
    f->call = frame_lend_struct(f, &call, sizeof call);
    return f;
}

void *frame_lend(frame *f, const void *bytes, size_t size)
{
    void *at = arena_take(f->memory, size);
    return size ? memcpy(at, bytes, size) : at;
}

/* A newer struct has members behind, which are not 0. */
void *frame_lend_struct(frame *f, const void *known, size_t size)
{
    size_t all = f->how.newer ? size + TAIL : size;
    unsigned char *at = arena_take(f->memory, all);
    memset(at, tail_byte, all);
    memcpy(at, known, size);
    const uint32_t told = (uint32_t)all;
    memcpy(at, &told, sizeof told);
    return at;
}

void *frame_answer_struct(frame *f, const void *known, size_t size)
{
    unsigned char *at = frame_lend_struct(f, known, size);
    if (f->lents < MOST_STRUCTS)
        f->lent[f->lents++] = (lent){f->how.newer ? at + size : NULL, (uint32_t *)(void *)at,
                                     (uint32_t)(f->how.newer ? size + TAIL : size)};
    return at;
}

void frame_seal(frame *f)
{
    const item_error fresh = ITEM_ERROR_INIT;
    f->sealed_size = f->memory->used;
    f->sealed = malloc(f->sealed_size);
    if (!f->sealed)
        abort();
    memcpy(f->sealed, f->memory->base, f->sealed_size);
    f->err = frame_answer_struct(f, &fresh, sizeof fresh);
    look_around(&f->before);
}

static unsigned char *guard(frame *f)
{
    return memset(arena_take(f->memory, GUARD), tail_byte, GUARD);
}

void *frame_answers(frame *f, size_t size)
{
    f->guards[0] = guard(f);
    void *at = arena_take(f->memory, size);
    f->memory->used = (size_t)((unsigned char *)at + size - f->memory->base);
    f->guards[1] = f->memory->base + f->memory->used; /* without a gap */
    f->memory->used += GUARD;
    memset(f->guards[1], tail_byte, GUARD);
    return at;
}

const item_call *frame_call(frame *f)
{
    return f->call;
}

item_error *frame_err(frame *f)
{
    return f->err;
}

const asking *frame_how(const frame *f)
{
    return &f->how;
}

static bool is_filled(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; bytes && i < size; i++)
        if (bytes[i] != tail_byte)
            return false;
    return true;
}

static void check_writes(const frame *f, stage_id stage)
{
    if (memcmp(f->sealed, f->memory->base, f->sealed_size) != 0)
        breach(stage, WRITES, "something that was lent to be read was changed");
    if (!is_filled(f->guards[0], GUARD) || !is_filled(f->guards[1], GUARD))
        breach(stage, WRITES, "bytes before or after the answers were written to");
    for (size_t i = 0; i < f->lents; i++) {
        if (!is_filled(f->lent[i].tail, TAIL))
            breach(stage, WRITES, "members were written that this release does not know");
        if (*f->lent[i].struct_size != f->lent[i].size)
            breach(stage, WRITES, "struct_size was changed");
    }
}

static void check_error(const frame *f, stage_id stage, item_status status)
{
    const char *text = f->err->message;
    const char *name = item_status_name(status);
    if (!memchr(text, '\0', sizeof f->err->message))
        breach(stage, ERRORS, "the line of an error has no end");
    else if (strchr(text, '\n'))
        breach(stage, ERRORS, "the reason of %s has more than one line", name);
    else if (strcmp(name, "ITEM_E_?") == 0)
        breach(stage, ERRORS, "status %d is none", (int)status);
    else if (status != ITEM_E_CANCELLED && !f->how.refuse_at && (!*text || f->err->code != status))
        breach(stage, ERRORS, "%s was returned, err has code %d and the line \"%s\"", name,
               (int)f->err->code, text);
}

item_status frame_end(frame *f, item_status status, char *why, size_t room)
{
    stage_id stage = f->host->stage;
    atomic_store(&f->host->over, true);
    compare_surroundings(stage, &f->before);
    check_writes(f, stage);
    if (status != ITEM_OK)
        check_error(f, stage, status);
    f->err->message[sizeof f->err->message - 1] = '\0';
    if (why)
        snprintf(why, room, "%s%s%s", item_status_name(status), *f->err->message ? ": " : "",
                 f->err->message);
    free(f->sealed);
    free(f->lent);
    free(f);
    return status;
}

void host_free(void)
{
    while (hosts) {
        host *h = hosts;
        hosts = h->next;
        free(h);
    }
    while (arenas) {
        arena *a = arenas;
        arenas = a->next;
        munmap(a->base, ARENA);
        free(a);
    }
}
