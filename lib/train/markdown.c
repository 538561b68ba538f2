/* SPDX-License-Identifier: Apache-2.0 */
/* Cells and lines of a report's Markdown, each from its JSON. */
#include "train/markdown.h"

#include <math.h>
#include <string.h>

double itemi_md_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

long long itemi_md_whole(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

/*
 * Text of others, such as names and captions: begins no element, link or picture where the Markdown
 * is shown, nor takes the meaning from what stands behind it.
 */
static void put_text(itemi_buf *buf, const char *text, const char *breaks)
{
    for (; *text; text++) {
        bool blank = strchr(breaks, *text) || (unsigned char)*text < 0x20;
        if (strchr("\\<[", *text))
            itemi_buf_puts(buf, "\\");
        itemi_buf_add(buf, blank ? " " : text, 1);
    }
}

void itemi_md_name(itemi_buf *buf, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    put_text(buf, text && *text ? text : "(not named)", "|");
}

void itemi_md_figure(itemi_buf *buf, double value, const char *format)
{
    if (isnan(value))
        itemi_buf_puts(buf, "-");
    else if (strcmp(format, "%") == 0)
        itemi_buf_printf(buf, "%.1f %%", 100 * value);
    else
        itemi_buf_printf(buf, "%.3f", value);
}

void itemi_md_cell(itemi_buf *buf, const json_t *object, const char *key, const char *format)
{
    char name[64];
    const json_t *interval;
    size_t length = strlen(key);
    memcpy(name, key, length);
    memcpy(name + length, "_interval", sizeof "_interval");
    interval = json_object_get(object, name);
    itemi_buf_puts(buf, " ");
    itemi_md_figure(buf, itemi_md_number(object, key), format);
    if (json_array_size(interval) == 2) {
        itemi_buf_puts(buf, " (");
        itemi_md_figure(buf, json_number_value(json_array_get(interval, 0)), format);
        itemi_buf_puts(buf, " to ");
        itemi_md_figure(buf, json_number_value(json_array_get(interval, 1)), format);
        itemi_buf_puts(buf, ")");
    }
    itemi_buf_puts(buf, " |");
}

void itemi_md_called(itemi_buf *buf, const json_t *object, const char *key)
{
    const json_t *called = json_object_get(object, key);
    itemi_buf_printf(buf, " %lld/%lld/%lld |", itemi_md_whole(called, "real"),
                     itemi_md_whole(called, "unsure"), itemi_md_whole(called, "ai"));
}

void itemi_md_count(itemi_buf *buf, long long count, const char *noun)
{
    itemi_buf_printf(buf, "%lld %s%s", count, noun, count == 1 ? "" : "s");
}

void itemi_md_warnings(itemi_buf *buf, const json_t *root)
{
    size_t i;
    const json_t *line;
    json_array_foreach(json_object_get(root, "warnings"), i, line)
    {
        itemi_buf_puts(buf, i ? "- Warning: " : "\n- Warning: ");
        put_text(buf, json_string_value(line), "");
        itemi_buf_puts(buf, "\n");
    }
}
