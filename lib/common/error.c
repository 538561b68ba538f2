/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the caller's item_error: one line of valid UTF-8, whatever went into it. */
#include "common/common.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "common/common_private.h"

/* Size of item_error in its first version; a smaller one is nothing that we know how to fill. */
#define LEAST_ERROR_SIZE 512
_Static_assert(sizeof(item_error) >= LEAST_ERROR_SIZE, "item_error only grows");

/* Between the two ends of a message that was too long, and bytes of the second one. */
#define GAP    "..."
#define ENDING 120

static const char digits[] = "0123456789abcdef";

/* Writes c as \n or \x01 at most 4 bytes; returns their number. */
static size_t escape_byte(char out[4], unsigned char c)
{
    const char *known = "\nn\rr\tt";
    out[0] = '\\';
    for (const char *k = known; *k; k += 2) {
        if (c == (unsigned char)k[0]) {
            out[1] = k[1];
            return 2;
        }
    }
    out[1] = 'x';
    out[2] = digits[c >> 4];
    out[3] = digits[c & 15];
    return 4;
}

/* Number of bytes of the printable character at text; 0 when its first byte must be escaped. */
static size_t printable(const char *text, size_t left)
{
    size_t most = left < 4 ? left : 4;
    if (itemi_utf8_valid(text, most) == 0)
        return 0;
    uint32_t code;
    size_t bytes = itemi_utf8_next(text, &code);
    bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    bool breaks_line = code == 0x2028 || code == 0x2029;
    return control || breaks_line ? 0 : bytes;
}

/* As itemi_escape(); *rest receives what did not fit. */
static size_t escape(char *out, size_t room, const char *text, const char **rest)
{
    size_t used = 0, left = strlen(text);
    while (left) {
        char escaped[4];
        size_t in = printable(text, left), bytes = in;
        const char *from = text;
        if (in == 0) {
            in = 1;
            bytes = escape_byte(escaped, (unsigned char)*text);
            from = escaped;
        }
        if (used + bytes >= room)
            break;
        memcpy(out + used, from, bytes);
        used += bytes;
        text += in;
        left -= in;
    }
    if (room)
        out[used] = '\0';
    *rest = text;
    return used;
}

size_t itemi_escape(char *out, size_t room, const char *text)
{
    const char *rest;
    return escape(out, room, text, &rest);
}

/*
 * The same, but what is too long loses its middle: a long file name stands in front, and the
 * reason, which matters more, behind it.
 */
static size_t escape_ends(char *out, size_t room, const char *text)
{
    const char *rest;
    size_t used = escape(out, room, text, &rest);
    if (!*rest)
        return used;

    size_t length = strlen(text), begin = length > ENDING ? length - ENDING : 0;
    while ((text[begin] & 0xc0) == 0x80) /* not amid a character */
        begin++;
    char end[sizeof GAP + 4 * ENDING] = GAP;
    const size_t gap = sizeof GAP - 1;
    size_t ending = gap + itemi_escape(end + gap, sizeof end - gap, text + begin);
    if (ending >= room)
        return used;
    used = itemi_escape(out, room - ending, text);
    memcpy(out + used, end, ending + 1);
    return used + ending;
}

static bool writable(const item_error *err)
{
    return err && err->struct_size >= LEAST_ERROR_SIZE && err->code == ITEM_OK;
}

/* The message, then ": reason" (NULL: none), for which room is kept. */
__attribute__((format(printf, 5, 0))) static void set(item_error *err, item_status code, int system,
                                                      const char *reason, const char *format,
                                                      va_list args)
{
    if (!writable(err))
        return;
    char raw[PATH_MAX + ITEM_ERROR_MESSAGE_SIZE];
    if (itemi_vformat(raw, sizeof raw, format, args) < 0)
        raw[0] = '\0';

    char why[128] = "";
    size_t why_length = reason ? itemi_escape(why, sizeof why, reason) + 2 : 0;
    size_t used = escape_ends(err->message, sizeof err->message - why_length, raw);
    if (reason) {
        memcpy(err->message + used, ": ", 2);
        memcpy(err->message + used + 2, why, why_length - 1);
    }
    err->code = code;
    err->system = system;
}

item_status itemi_fail(item_error *err, item_status code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(err, code, 0, NULL, format, args);
    va_end(args);
    return code;
}

item_status itemi_fail_errno(item_error *err, item_status code, int system, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (system == ENOMEM) /* whatever else could have gone wrong there */
        code = ITEM_E_MEMORY;
    set(err, code, system, strerror_l(system, itemi_c_locale()), format, args);
    va_end(args);
    return code;
}

item_status itemi_fail_memory(item_error *err, const char *doing)
{
    return itemi_fail(err, ITEM_E_MEMORY, "out of memory while %s", doing);
}

item_status itemi_fail_as(item_error *err, const item_error *why)
{
    if (writable(err)) {
        err->code = why->code;
        err->system = why->system;
        memcpy(err->message, why->message, sizeof err->message);
    }
    return why->code;
}

void itemi_error_prefix(item_error *err, const char *prefix)
{
    if (!err || err->struct_size < LEAST_ERROR_SIZE || err->code == ITEM_OK)
        return;
    char old[ITEM_ERROR_MESSAGE_SIZE];
    memcpy(old, err->message, sizeof old);

    /* The reason matters more than where: it keeps its room, up to half of the message. */
    size_t keep = strlen(old), half = sizeof old / 2;
    keep = keep < half ? keep : half;
    size_t used = itemi_escape(err->message, sizeof old - keep - 2, prefix);
    memcpy(err->message + used, ": ", 2);
    escape_ends(err->message + used + 2, sizeof old - used - 2, old);
}

void itemi_error_reset(item_error *err)
{
    if (!err || err->struct_size < LEAST_ERROR_SIZE)
        return;
    err->code = ITEM_OK;
    err->system = 0;
    err->message[0] = '\0';
}
