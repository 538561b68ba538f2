/* SPDX-License-Identifier: Apache-2.0 */
/* Names of statuses, the version, the clock, and numbers that do not ask the host's locale. */
#include "common/common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/common_private.h"

const char *item_status_name(item_status status)
{
    static const char *const names[] = {
        [ITEM_OK] = "ITEM_OK",
        [ITEM_E_ARGUMENT] = "ITEM_E_ARGUMENT",
        [ITEM_E_MEMORY] = "ITEM_E_MEMORY",
        [ITEM_E_IO] = "ITEM_E_IO",
        [ITEM_E_FORMAT] = "ITEM_E_FORMAT",
        [ITEM_E_UNSUPPORTED] = "ITEM_E_UNSUPPORTED",
        [ITEM_E_LIMIT] = "ITEM_E_LIMIT",
        [ITEM_E_CANCELLED] = "ITEM_E_CANCELLED",
        [ITEM_E_BACKEND] = "ITEM_E_BACKEND",
        [ITEM_E_NO_ENGINE] = "ITEM_E_NO_ENGINE",
        [ITEM_E_PACK] = "ITEM_E_PACK",
        [ITEM_E_MISMATCH] = "ITEM_E_MISMATCH",
        [ITEM_E_FORKED] = "ITEM_E_FORKED",
        [ITEM_E_INTERNAL] = "ITEM_E_INTERNAL",
    };
    bool known = status >= 0 && (size_t)status < ITEMI_COUNT(names);
    return known ? names[status] : "ITEM_E_?";
}

#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)

const char *item_version(void)
{
    return TEXT(ITEM_VERSION_MAJOR) "." TEXT(ITEM_VERSION_MINOR) "." TEXT(ITEM_VERSION_PATCH);
}

double itemi_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

locale_t itemi_c_locale(void)
{
    return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

int itemi_vformat(char *out, size_t room, const char *format, va_list args)
{
    locale_t before = uselocale(itemi_c_locale()); /* of this thread alone */
    int length = vsnprintf(out, room, format, args);
    uselocale(before);
    return length;
}

int itemi_format(char *out, size_t room, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = itemi_vformat(out, room, format, args);
    va_end(args);
    return length;
}

bool itemi_parse_double(const char *text, double *out)
{
    /* Hexadecimal, "inf", "nan" and leading blanks, which strtod takes, hold other letters. */
    size_t length = strlen(text);
    if (length == 0 || strspn(text, "0123456789+-.eE") != length)
        return false;
    char *end;
    double value = strtod_l(text, &end, itemi_c_locale());
    if (end != text + length || !__builtin_isfinite(value))
        return false;
    *out = value;
    return true;
}
