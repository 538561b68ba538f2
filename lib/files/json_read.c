/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads JSON (RFC 8259) into jansson's values. jansson's own reader, up to 2.15, does not look
 * whether its text buffer could grow: where memory ends there, it drops a character and goes on,
 * writes behind a block or ends the process (akheron/jansson issue 362).
 */
#include <stdlib.h>

#include "files/files_private.h"

#define DEPTH_MAX  256 /* far above any file of a pack; calls of each level take some 200 bytes */
#define VALUES_MAX 400000 /* likewise; an empty object of 2 bytes takes some 240 in memory */
#define NEAR_MAX   20     /* bytes of the text that a message shows */

typedef struct reader {
    const char *name, *start, *at, *end;
    itemi_buf text; /* keys of the objects that are open, and the string that is read */
    unsigned depth;
    size_t values; /* read so far */
    item_status status;
    item_error *err;
} reader;

static json_t *read_value(reader *r);

/* ---- failures ---- */

static bool fail_memory(reader *r)
{
    r->status = itemi_fail(r->err, ITEM_E_MEMORY, "%s: out of memory while reading JSON", r->name);
    return false;
}

/* Line and column of a place; columns count characters, that at the place included. */
static void locate(const reader *r, const char *place, size_t *line, size_t *column)
{
    *line = 1;
    *column = 0;
    for (const char *p = r->start; p < r->end && p <= place; p++) {
        if (*p == '\n') {
            (*line)++;
            *column = 0;
        } else if ((*p & 0xc0) != 0x80) {
            (*column)++;
        }
    }
}

/* `what` is wrong at `place`; always false. */
static bool fail(reader *r, const char *place, const char *what)
{
    size_t line, column;
    locate(r, place, &line, &column);
    r->status = itemi_fail(r->err, ITEM_E_FORMAT, "%s: line %zu, column %zu: %s", r->name, line,
                           column, what);
    return false;
}

/* The same, with the text that stands there. */
static bool fail_near(reader *r, const char *place, const char *what)
{
    char text[128];
    size_t length = 0;
    while (place + length < r->end && length < NEAR_MAX &&
           (length == 0 || !strchr(" \t\r\n,:[]{}", place[length])))
        length++;
    if (length)
        itemi_format(text, sizeof text, "%s near '%.*s'", what, (int)length, place);
    else
        itemi_format(text, sizeof text, "%s near end of file", what);
    return fail(r, place, text);
}

static bool fail_byte(reader *r, const char *place, const char *what)
{
    char text[64];
    itemi_format(text, sizeof text, "%s 0x%x", what, (unsigned)(unsigned char)*place);
    return fail(r, place, text);
}

/* ---- tokens ---- */

/* The next character that is no blank; -1 at the end. */
static int peek(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
    return r->at < r->end ? (unsigned char)*r->at : -1;
}

static bool take(reader *r, char wanted)
{
    if (peek(r) != (unsigned char)wanted)
        return false;
    r->at++;
    return true;
}

/* ---- strings: decoded behind what stands in r->text ---- */

static bool hex4(const reader *r, const char *at, uint32_t *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *digit = at + i < r->end && at[i] ? strchr(digits, at[i]) : NULL;
        if (!digit)
            return false;
        const uint32_t value = (uint32_t)(digit - digits);
        *code = *code << 4 | (value < 16 ? value : value - 6);
    }
    return true;
}

/* What follows \u: one unit of UTF-16, or two with another \u between. */
static bool read_unicode(reader *r, const char *escape)
{
    uint32_t code, low;
    if (!hex4(r, r->at, &code))
        return fail(r, escape, "invalid escape");
    r->at += 4;
    if (code >= 0xd800 && code < 0xdc00) {
        if (r->end - r->at < 6 || r->at[0] != '\\' || r->at[1] != 'u' ||
            !hex4(r, r->at + 2, &low) || low < 0xdc00 || low > 0xdfff)
            return fail(r, escape, "invalid Unicode: half of a pair");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        r->at += 6;
    } else if (code >= 0xdc00 && code <= 0xdfff) {
        return fail(r, escape, "invalid Unicode: half of a pair");
    }
    if (code == 0)
        return fail(r, escape, "\\u0000 is not allowed");
    char bytes[4];
    itemi_buf_add(&r->text, bytes, itemi_utf8_put(bytes, code));
    return true;
}

static bool read_escape(reader *r)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const char *escape = r->at++;
    const char letter = r->at < r->end ? *r->at++ : '\0';
    const char *known = letter ? strchr(letters, letter) : NULL;
    if (known)
        itemi_buf_add(&r->text, &meant[known - letters], 1);
    else if (letter == 'u')
        return read_unicode(r, escape);
    else
        return fail(r, escape, "invalid escape");
    return true;
}

/* Bytes up to the next quote, backslash or control character. */
static bool read_plain(reader *r)
{
    const char *p = r->at;
    while (p < r->end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
        p++;
    const size_t length = (size_t)(p - r->at), valid = itemi_utf8_valid(r->at, length);
    if (valid < length)
        return fail_byte(r, r->at + valid, "unable to decode byte");
    itemi_buf_add(&r->text, r->at, length);
    r->at = p;
    return true;
}

/* *start receives where the string begins in r->text. */
static bool read_string(reader *r, size_t *start)
{
    *start = r->text.length;
    r->at++;
    while (read_plain(r)) {
        if (r->text.failed)
            return fail_memory(r);
        if (r->at == r->end)
            return fail(r, r->at, "premature end of input");
        if (*r->at == '"') {
            r->at++;
            return true;
        }
        if (*r->at == '\n')
            return fail(r, r->at, "unexpected newline");
        if (*r->at != '\\')
            return fail_byte(r, r->at, "control character");
        if (!read_escape(r))
            return false;
    }
    return false;
}

/* ---- values ---- */

static json_t *made(reader *r, json_t *value)
{
    if (!value)
        fail_memory(r);
    return value;
}

static json_t *read_text(reader *r)
{
    size_t start;
    if (!read_string(r, &start))
        return NULL;
    const size_t length = r->text.length - start;
    const char *text = length ? r->text.data + start : "";
    json_t *value = made(r, json_stringn_nocheck(text, length));
    r->text.length = start;
    return value;
}

static json_t *read_word(reader *r)
{
    static const char *const words[] = {"true", "false", "null"};
    const char *from = r->at;
    while (r->at < r->end && ((*r->at >= 'a' && *r->at <= 'z') || (*r->at >= 'A' && *r->at <= 'Z')))
        r->at++;
    const size_t length = (size_t)(r->at - from);
    for (size_t i = 0; i < ITEMI_COUNT(words); i++) {
        if (length == strlen(words[i]) && memcmp(from, words[i], length) == 0)
            return i == 0 ? json_true() : i == 1 ? json_false() : json_null();
    }
    fail(r, length ? r->at - 1 : from, length ? "invalid token" : "unexpected token");
    return NULL;
}

static bool digits(reader *r)
{
    const char *from = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return r->at > from;
}

/* Passes over a number; *real: it has a fraction or an exponent. */
static bool scan_number(reader *r, bool *real)
{
    const char *from = r->at;
    *real = false;
    r->at += *r->at == '-';
    if (r->at < r->end && *r->at == '0')
        r->at++;
    else if (!digits(r))
        return fail_near(r, from, "invalid token");
    if (r->at < r->end && *r->at == '.') {
        *real = true;
        r->at++;
        if (!digits(r))
            return fail_near(r, from, "invalid token");
    }
    if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
        *real = true;
        r->at++;
        r->at += r->at < r->end && (*r->at == '+' || *r->at == '-');
        if (!digits(r))
            return fail_near(r, from, "invalid token");
    }
    return true;
}

/* False: it does not fit. */
static bool parse_integer(const reader *r, const char *from, json_int_t *value)
{
    const bool negative = *from == '-';
    *value = 0;
    for (const char *p = from + negative; p < r->at; p++) {
        const json_int_t digit = negative ? '0' - *p : *p - '0';
        if (__builtin_mul_overflow(*value, 10, value) ||
            __builtin_add_overflow(*value, digit, value))
            return false;
    }
    return true;
}

static json_t *read_real(reader *r, const char *from)
{
    const size_t start = r->text.length;
    double value = 0;
    itemi_buf_add(&r->text, from, (size_t)(r->at - from));
    if (r->text.failed)
        return made(r, NULL);
    const bool finite = itemi_parse_double(r->text.data + start, &value);
    r->text.length = start;
    if (finite)
        return made(r, json_real(value));
    fail_near(r, from, "real number overflow");
    return NULL;
}

static json_t *read_number(reader *r)
{
    const char *from = r->at;
    json_int_t value;
    bool real;
    if (!scan_number(r, &real))
        return NULL;
    /* "No limit" is written as 10^30 in published settings: what is no integer here is a real. */
    return real || !parse_integer(r, from, &value) ? read_real(r, from)
                                                   : made(r, json_integer(value));
}

/* One member; its key stands in r->text while the value is read. */
static bool read_member(reader *r, json_t *object)
{
    size_t start;
    if (peek(r) != '"')
        return fail_near(r, r->at, "string or '}' expected");
    const char *key = r->at;
    if (!read_string(r, &start))
        return false;
    itemi_buf_add(&r->text, "", 1);
    if (r->text.failed)
        return fail_memory(r);
    if (json_object_get(object, r->text.data + start))
        return fail_near(r, key, "duplicate object key");
    if (!take(r, ':'))
        return fail_near(r, r->at, "':' expected");
    json_t *value = read_value(r);
    if (!value)
        return false;
    if (json_object_set_new_nocheck(object, r->text.data + start, value) != 0)
        return fail_memory(r);
    r->text.length = start;
    return true;
}

static bool read_members(reader *r, json_t *object)
{
    if (take(r, '}'))
        return true;
    do {
        if (!read_member(r, object))
            return false;
    } while (take(r, ','));
    return take(r, '}') || fail_near(r, r->at, "'}' expected");
}

static bool read_items(reader *r, json_t *array)
{
    if (take(r, ']'))
        return true;
    do {
        json_t *value = read_value(r);
        if (!value)
            return false;
        if (json_array_append_new(array, value) != 0)
            return fail_memory(r);
    } while (take(r, ','));
    return take(r, ']') || fail_near(r, r->at, "']' expected");
}

static json_t *read_nested(reader *r)
{
    const bool object = *r->at == '{';
    if (r->depth == DEPTH_MAX) {
        fail_near(r, r->at, "maximum parsing depth reached");
        return NULL;
    }
    json_t *value = made(r, object ? json_object() : json_array());
    r->at++;
    r->depth++;
    if (value && !(object ? read_members(r, value) : read_items(r, value))) {
        json_decref(value);
        value = NULL;
    }
    r->depth--;
    return value;
}

static json_t *read_value(reader *r)
{
    const int c = peek(r);
    if (c < 0) {
        fail_near(r, r->at, "unexpected token");
        return NULL;
    }
    if (r->values++ == VALUES_MAX) {
        r->status = itemi_fail(r->err, ITEM_E_LIMIT, "%s: JSON of more than %d values", r->name,
                               VALUES_MAX);
        return NULL;
    }
    if (c == '{' || c == '[')
        return read_nested(r);
    if (c == '"')
        return read_text(r);
    return c == '-' || (c >= '0' && c <= '9') ? read_number(r) : read_word(r);
}

item_status itemi_json_parse(const char *text, size_t length, const char *name, json_t **out,
                             item_error *err)
{
    reader r = {.name = name, .start = text, .at = text, .end = text + length, .err = err};
    itemi_buf_init(&r.text, NULL);
    const int c = peek(&r);
    *out = NULL;
    if (c == '{' || c == '[')
        *out = read_nested(&r);
    else
        fail_near(&r, r.at, "'[' or '{' expected");
    if (*out && peek(&r) >= 0) {
        fail_near(&r, r.at, "end of file expected");
        json_decref(*out);
        *out = NULL;
    }
    itemi_buf_free(&r.text);
    return r.status;
}
