/* SPDX-License-Identifier: Apache-2.0 */
/* What came out of a check: TAP lines, and breaches of rules that are told later. */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "conformance.h"

enum { REASON = 900 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char reason[REASON], skipped[REASON], breaches[STAGES][RULES][REASON];

/* The first one stays. */
static void keep(char *where, const char *format, va_list args)
{
    pthread_mutex_lock(&lock);
    if (!*where) {
        int length = vsnprintf(where, REASON, format, args);
        for (int i = 0; i < length && i < REASON - 1; i++)
            where[i] = (char)((unsigned char)where[i] < ' ' ? ' ' : where[i]);
    }
    pthread_mutex_unlock(&lock);
}

void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    keep(reason, format, args);
    va_end(args);
}

void skip(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    keep(skipped, format, args);
    va_end(args);
}

bool has_failed(void)
{
    pthread_mutex_lock(&lock);
    bool failed = reason[0] != '\0';
    pthread_mutex_unlock(&lock);
    return failed;
}

void breach(stage_id stage, rule_id rule, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    keep(breaches[stage][rule], format, args);
    va_end(args);
}

const char *first_breach(stage_id stage, rule_id rule)
{
    return breaches[stage][rule][0] ? breaches[stage][rule] : NULL;
}

void begin_check(void)
{
    reason[0] = skipped[0] = '\0';
}

bool end_check(int fd, size_t number, const char *name)
{
    if (reason[0])
        dprintf(fd, "not ok %zu - %s\n#   %s\n", number, name, reason);
    else if (skipped[0])
        dprintf(fd, "ok %zu - %s # SKIP %s\n", number, name, skipped);
    else
        dprintf(fd, "ok %zu - %s\n", number, name);
    return !reason[0];
}
