/* SPDX-License-Identifier: Apache-2.0 */
/* Defects that a backend of any stage may have. */
#include "wrong.h"

#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const known[] = {"none",
                                    "unwritten",
                                    "length",
                                    "infinity",
                                    "batch",
                                    "again",
                                    "constant",
                                    "beyond",
                                    "lent",
                                    "pointer",
                                    "address",
                                    "stride",
                                    "tail",
                                    "struct_size",
                                    "no cancel",
                                    "broken by cancel",
                                    "always cancelled",
                                    "no reason",
                                    "two lines",
                                    "no status",
                                    "prints",
                                    "exits",
                                    "aborts",
                                    "crashes",
                                    "hangs",
                                    "static scratch",
                                    "shared scratch",
                                    "logs elsewhere",
                                    "asks late",
                                    "log lines",
                                    "locale",
                                    "rounding",
                                    "signals",
                                    "blank name",
                                    "version",
                                    "once",
                                    "bare refusal",
                                    "end",
                                    "no end",
                                    "no UTF-8",
                                    "logprob",
                                    "margin",
                                    "capacity",
                                    "beams",
                                    "tokens",
                                    "token",
                                    "token room",
                                    "prompt",
                                    "place",
                                    "other score",
                                    "positive score",
                                    "cut score",
                                    "long text",
                                    "other vector",
                                    "layer",
                                    "half a table",
                                    "score",
                                    "outside",
                                    "swallows",
                                    "needs boxes",
                                    "needs phrases",
                                    "order",
                                    "max_boxes",
                                    "least_score",
                                    "phrase",
                                    "refused",
                                    "heads",
                                    "no phrases",
                                    "leaves",
                                    "pixels",
                                    "working size",
                                    "new size",
                                    "close breaks"};

static const char *defect = "none";
static bool cancelled_once, opened_once, closed_once;

bool defect_is(const char *name)
{
    return strcmp(defect, name) == 0;
}

/* ---- host ---- */

static item_call kept;

static void *log_elsewhere(void *call)
{
    const item_call *c = call;
    c->log(c->host, ITEM_LOG_INFO, "from a thread of its own");
    return NULL;
}

static void *ask_late(void *unused)
{
    usleep(20000);
    (void)kept.cancelled(kept.host);
    return unused;
}

static void misuse_host(const item_call *call)
{
    pthread_t id;
    if (defect_is("log lines"))
        call->log(call->host, ITEM_LOG_INFO, "one line\nand another");
    if (defect_is("logs elsewhere") &&
        pthread_create(&id, NULL, log_elsewhere, (void *)(uintptr_t)call) == 0)
        pthread_join(id, NULL);
}

void after_answer(const item_call *call)
{
    static bool asked;
    pthread_t id;
    if (!defect_is("asks late") || asked)
        return;
    asked = true;
    kept = *call;
    if (pthread_create(&id, NULL, ask_late, NULL) == 0)
        pthread_detach(id);
}

static int32_t never(void *host)
{
    (void)host;
    return 0;
}

item_call deafened(const item_call *call)
{
    item_call same = *call;
    if (defect_is("no cancel"))
        same.cancelled = never;
    return same;
}

/* ---- process and thread ---- */

static void take_handler(int number)
{
    (void)number;
}

static void misuse_process(void)
{
    if (defect_is("prints"))
        puts("loading the model");
    if (defect_is("exits"))
        exit(3);
    if (defect_is("aborts"))
        abort();
    if (defect_is("crashes"))
        raise(SIGSEGV);
    while (defect_is("hangs"))
        pause();
    if (defect_is("locale"))
        setlocale(LC_NUMERIC, "C.UTF-8");
    if (defect_is("rounding"))
        fesetround(FE_UPWARD);
    if (defect_is("signals"))
        signal(SIGTERM, take_handler);
}

/* ---- errors and cancelling ---- */

static item_status wrong_status(const item_call *call, item_error *err)
{
    if (defect_is("no reason"))
        return ITEM_E_BACKEND;
    if (defect_is("two lines")) {
        err->code = ITEM_E_BACKEND;
        snprintf(err->message, sizeof err->message, "one line\nand another");
        return ITEM_E_BACKEND;
    }
    if (defect_is("no status"))
        return -77;
    if (defect_is("always cancelled"))
        return ITEM_E_CANCELLED;
    if (defect_is("broken by cancel")) {
        cancelled_once |= call->cancelled(call->host);
        if (cancelled_once)
            return ITEM_E_CANCELLED;
    }
    if (defect_is("close breaks") && closed_once) {
        err->code = ITEM_E_BACKEND;
        snprintf(err->message, sizeof err->message, "the model is gone");
        return ITEM_E_BACKEND;
    }
    return ITEM_OK;
}

item_status misbehave(const item_call *call, size_t n, item_error *err)
{
    misuse_host(call);
    misuse_process();
    if (defect_is("no cancel"))
        usleep((useconds_t)(3000 * n));
    return wrong_status(call, err);
}

/* ---- opening ---- */

static void leave(void)
{
    _exit(9);
}

bool open_wrong(const char *settings, void **self, item_error *err)
{
    size_t i = 0, count = sizeof known / sizeof known[0];
    while (i < count && strcmp(known[i], settings ? settings : "none") != 0)
        i++;
    if (i == count || (strcmp(known[i], "once") == 0 && opened_once)) {
        if (!defect_is("bare refusal")) {
            err->code = ITEM_E_ARGUMENT;
            snprintf(err->message, sizeof err->message, "there is no such defect");
        }
        return false;
    }
    if (strcmp(known[i], "end") == 0 && !opened_once)
        atexit(leave);
    opened_once = true;
    defect = known[i];
    *self = malloc(1);
    return *self != NULL;
}

void close_wrong(void *self)
{
    closed_once = true;
    if (!defect_is("leaves"))
        free(self);
}
