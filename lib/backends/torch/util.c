/* SPDX-License-Identifier: Apache-2.0 */
/* Errors, memory of the host, and numbers in texts, without a line of libitem. */
#include "engine.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define POLL_MS 100

item_status itx_fail(item_error *err, item_status code, const char *format, ...)
{
    if (!err || err->struct_size < sizeof *err || err->code != ITEM_OK)
        return code;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    err->code = code;
    err->system = 0;
    return code;
}

item_status itx_fail_memory(item_error *err, const char *doing)
{
    return itx_fail(err, ITEM_E_MEMORY, "out of memory while %s", doing);
}

void *itx_host_alloc(const item_services *s, size_t size)
{
    void *block = s->allocate(s->host, size);
    if (block)
        memset(block, 0, size);
    return block;
}

void itx_host_free(const item_services *s, void *block)
{
    if (block)
        s->release(s->host, block);
}

/* One decimal number; strtod would read it as the locale says. */
static const char *number(const char *text, double *out)
{
    const bool negative = *text == '-';
    double value = 0.0, scale = 1.0;
    int exponent = 0;
    text += negative;
    for (; *text >= '0' && *text <= '9'; text++)
        value = value * 10.0 + (*text - '0');
    if (*text == '.')
        for (text++; *text >= '0' && *text <= '9'; text++, scale *= 10.0)
            value = value * 10.0 + (*text - '0');
    if (*text == 'e' || *text == 'E') {
        const bool down = text[1] == '-';
        text += text[1] == '-' || text[1] == '+' ? 2 : 1;
        for (; *text >= '0' && *text <= '9' && exponent < 400; text++)
            exponent = exponent * 10 + (*text - '0');
        exponent = down ? -exponent : exponent;
    }
    *out = (negative ? -value : value) / scale;
    if (exponent < 0)
        *out /= pow(10.0, -exponent);
    else if (exponent > 0)
        *out *= pow(10.0, exponent);
    return text;
}

static bool starts_number(const char *text)
{
    text += *text == '-';
    text += *text == '.';
    return *text >= '0' && *text <= '9';
}

size_t itx_numbers(const char *text, double *out, size_t count)
{
    size_t found = 0;
    while (found < count && *text != '\0') {
        if (starts_number(text))
            text = number(text, &out[found++]);
        else
            text++;
    }
    return found;
}

double itx_config(const item_services *s, const char *key, double fallback)
{
    const double value = s->config_number(s->host, key);
    return isnan(value) ? fallback : value;
}

bool itx_cancelled(const item_call *call)
{
    return call && call->cancelled && call->cancelled(call->host);
}

bool itx_opening_cancelled(const item_services *s)
{
    return s->cancelled && s->cancelled(s->host);
}

struct timespec itx_soon(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += POLL_MS * 1000000L;
    t.tv_sec += t.tv_nsec / 1000000000L;
    t.tv_nsec %= 1000000000L;
    return t;
}
