/* SPDX-License-Identifier: Apache-2.0 */
/* What surrounds every call of a backend: its lock, what it may ask of the host, its errors. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/common_private.h"
#include "stage/stage_private.h"

#define WAIT_MS 50 /* between two looks at the cancel handle while waiting for a lock */

item_status itemi_lock(pthread_mutex_t *lock, const item_cancel *cancel, item_error *err)
{
    for (;;) {
        if (itemi_cancelled(cancel))
            return itemi_fail_cancelled(err);
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += WAIT_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        int failed = pthread_mutex_timedlock(lock, &until);
        if (failed == 0)
            return ITEM_OK;
        if (failed != ETIMEDOUT)
            return itemi_fail_errno(err, ITEM_E_INTERNAL, failed, "waiting for a lock");
    }
}

/* ---- what a backend may use ---- */

static int32_t host_cancelled(void *host)
{
    const itemi_entry *entry = host;
    return itemi_cancelled(entry->host->cancel);
}

static void host_log(void *host, int32_t level, const char *text)
{
    const itemi_entry *entry = host;
    itemi_logf(entry->host->log, level, "%s %s: %s", itemi_stage_word(entry->stage->kind),
               entry->stage->name, text ? text : "");
}

static void host_warn(void *host, const char *text)
{
    const itemi_entry *entry = host;
    if (!text)
        return;
    if (entry->host->warn)
        entry->host->warn(entry->host->warn_user, text);
    else
        host_log(host, ITEM_LOG_WARNING, text);
}

item_status itemi_entry_begin(itemi_entry *entry, itemi_stage *stage, const itemi_call *host,
                              item_error *err)
{
    *entry = (itemi_entry){.stage = stage, .host = host, .err = ITEM_ERROR_INIT};
    entry->call = (item_call){.struct_size = sizeof entry->call,
                              .host = entry,
                              .cancelled = host_cancelled,
                              .log = host_log,
                              .warn = host_warn};
    if (itemi_cancelled(host->cancel))
        return itemi_fail_cancelled(err);
    return stage->serial ? itemi_lock(&stage->lock, host->cancel, err) : ITEM_OK;
}

/* Statuses that a backend may pass through; others would accuse the caller of something. */
static bool may_pass(const itemi_entry *entry, item_status status, bool cancelled)
{
    return status == ITEM_E_MEMORY || status == ITEM_E_NO_ENGINE || status == ITEM_E_PACK ||
           status == ITEM_E_MISMATCH || status == ITEM_E_FORKED ||
           (status == ITEM_E_LIMIT && entry->long_text) ||
           (status == ITEM_E_CANCELLED && cancelled);
}

item_status itemi_entry_end(itemi_entry *entry, item_status status, item_error *err)
{
    if (entry->stage->serial)
        pthread_mutex_unlock(&entry->stage->lock);
    bool cancelled = itemi_cancelled(entry->host->cancel);
    if (status == ITEM_OK)
        return cancelled ? itemi_fail_cancelled(err) : ITEM_OK;
    if (status == ITEM_E_CANCELLED && cancelled)
        return itemi_fail_cancelled(err);

    /* The message is the backend's own memory: it may have forgotten to end it. */
    entry->err.message[ITEM_ERROR_MESSAGE_SIZE - 1] = '\0';
    const char *why = entry->err.message;
    if (!*why)
        why = status == ITEM_E_CANCELLED ? "said that it was cancelled, and it was not"
                                         : "failed without a reason";
    return itemi_fail(err, may_pass(entry, status, cancelled) ? status : ITEM_E_BACKEND,
                      "%s %s: %s", itemi_stage_word(entry->stage->kind), entry->stage->name, why);
}

item_status itemi_stage_lied(const itemi_stage *stage, item_error *err, const char *format, ...)
{
    char what[ITEM_ERROR_MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    int length = itemi_vformat(what, sizeof what, format, args);
    va_end(args);
    return itemi_fail(err, ITEM_E_BACKEND, "%s %s: %s", itemi_stage_word(stage->kind), stage->name,
                      length < 0 ? "gave a wrong answer" : what);
}
