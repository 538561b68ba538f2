/* SPDX-License-Identifier: Apache-2.0 */
/* Text for terminals and for JSON: names of files may hold any byte. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"

/* Decodes a code point; returns its bytes, or 0 where the bytes are no UTF-8 (RFC 3629). */
static size_t utf8_next(const char *text, uint32_t *code)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80) {
        *code = s[0];
        return 1;
    }
    size_t length = s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
    if (length == 0 || s[0] >= 0xf5)
        return 0;
    uint32_t value = s[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (s[i] & 0x3fu);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return 0;
    *code = value;
    return length;
}

/* Controls of both sets, and the marks that reorder a line (a name must not look like another). */
static bool is_hidden(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x061c || code == 0x200e ||
           code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

char *cli_escaped(const char *text)
{
    char *out = cli_resize(NULL, strlen(text) * 6 + 1, 1), *to = out;
    uint32_t code = 0;
    while (*text) {
        size_t length = utf8_next(text, &code);
        if (length == 0)
            to += sprintf(to, "\\x%02x", (unsigned char)*text);
        else if (code == '\n' || code == '\r' || code == '\t')
            to += sprintf(to, "\\%c", code == '\n' ? 'n' : code == '\r' ? 'r' : 't');
        else if (is_hidden(code))
            to += sprintf(to, code < 0x100 ? "\\x%02x" : "\\u%04x", code);
        else
            to = (char *)memcpy(to, text, length) + length;
        text += length ? length : 1;
    }
    *to = '\0';
    return out;
}

char *cli_format_escaped(const char *format, va_list list)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out || vfprintf(out, format, list) < 0 || fclose(out) != 0)
        cli_out_of_memory();
    char *clean = cli_escaped(text);
    free(text);
    return clean;
}

void cli_print_escaped(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char *line = cli_format_escaped(format, list);
    va_end(list);
    puts(line);
    free(line);
}

static size_t columns(const char *text, size_t bytes)
{
    size_t n = 0;
    for (size_t i = 0; i < bytes; i++)
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

void cli_print_wrapped(FILE *out, const char *text, size_t indent, size_t width)
{
    size_t room = width > indent + 20 ? width - indent : SIZE_MAX, used = 0;
    while (*text) {
        size_t bytes = strcspn(text, " "), word = columns(text, bytes);
        if (used > 0 && used + 1 + word > room) {
            fprintf(out, "\n%*s", (int)indent, "");
            used = 0;
        }
        fprintf(out, "%s%.*s", used > 0 ? " " : "", (int)bytes, text);
        used += word + (used > 0);
        text += bytes;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

size_t cli_width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO))
        return 0;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void cli_print_coloured(const char *colour, const char *format, ...)
{
    const char *no_color = getenv("NO_COLOR");
    bool coloured = isatty(STDOUT_FILENO) && (!no_color || !*no_color);
    va_list args;
    va_start(args, format);
    if (coloured)
        printf("\033[%sm", colour);
    vprintf(format, args);
    if (coloured)
        fputs("\033[0m", stdout);
    va_end(args);
}

json_t *cli_json_text(const char *text)
{
    char *clean = cli_resize(NULL, strlen(text) * 3 + 1, 1), *to = clean;
    uint32_t code = 0;
    while (*text) {
        size_t length = utf8_next(text, &code);
        if (length == 0)
            to = (char *)memcpy(to, "\xef\xbf\xbd", 3) + 3;
        else
            to = (char *)memcpy(to, text, length) + length;
        text += length ? length : 1;
    }
    *to = '\0';
    json_t *string = json_string(clean);
    free(clean);
    return string;
}

json_t *cli_json_ids(const int32_t *ids, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_integer(ids[i]));
    return list;
}

json_t *cli_json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}
