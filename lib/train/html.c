/* SPDX-License-Identifier: Apache-2.0 */
/* Text and tables of a report's web page. */
#include "train/html.h"

#include <math.h>
#include <string.h>

#include "train/markdown.h"

/* ---- text ---- */

void itemi_html_name(itemi_buf *buf, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    itemi_buf_puts(buf, "<bdi>");
    itemi_html_text(buf, text && *text ? text : "(not named)");
    itemi_buf_puts(buf, "</bdi>");
}

/* ---- figures ---- */

/* Ends of an interval; false where there is none. */
static bool interval_of(const json_t *object, const char *key, double *low, double *high)
{
    char name[64];
    itemi_format(name, sizeof name, "%s_interval", key);
    const json_t *interval = json_object_get(object, name);
    *low = json_number_value(json_array_get(interval, 0));
    *high = json_number_value(json_array_get(interval, 1));
    return json_array_size(interval) == 2;
}

void itemi_html_figure(itemi_buf *buf, const json_t *object, const char *key, const char *format)
{
    double low, high;
    itemi_md_figure(buf, itemi_md_number(object, key), format);
    if (!interval_of(object, key, &low, &high))
        return;
    itemi_buf_puts(buf, " <span class=\"interval\">(");
    itemi_md_figure(buf, low, format);
    itemi_buf_puts(buf, " to ");
    itemi_md_figure(buf, high, format);
    itemi_buf_puts(buf, ")</span>");
}

/* ---- bars ---- */

#define BAR_WIDTH 160.0

typedef struct scale {
    double low, high;
} scale;

static double place(scale s, double value)
{
    double at = s.high > s.low ? (value - s.low) / (s.high - s.low) : 0;
    return BAR_WIDTH * fmin(fmax(at, 0), 1);
}

/* Where a column does not say where its scale ends: at the largest value or end of an interval. */
static scale scale_of(const itemi_column *column, const json_t *rows)
{
    size_t i;
    const json_t *row;
    scale s = {column->low, column->high};
    double most = 0;
    json_array_foreach(rows, i, row)
    {
        double low = 0, high = 0;
        interval_of(row, column->key, &low, &high);
        most =
            fmax(most, fmax(fabs(low), fmax(fabs(high), fabs(itemi_md_number(row, column->key)))));
    }
    if (isnan(s.high))
        s.high = fmax(most, isnan(column->at) ? 0 : column->at);
    if (isnan(s.low))
        s.low = -s.high;
    return s;
}

static void put_line(itemi_buf *buf, const char *class, double x, double from, double to)
{
    itemi_buf_printf(buf, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
                     class, x, from, x, to);
}

static void put_bar(itemi_buf *buf, const itemi_column *column, const json_t *row, scale s)
{
    double value = itemi_md_number(row, column->key), low, high;
    double origin = place(s, fmax(s.low, 0)), end = place(s, value);
    if (isnan(value)) {
        itemi_buf_puts(buf, "<td></td>");
        return;
    }
    itemi_buf_puts(buf, "<td><svg class=\"bar\" width=\"168\" height=\"16\" viewBox=\"-4 0 168 16\""
                        " aria-hidden=\"true\">");
    itemi_buf_printf(buf, "<rect class=\"value\" x=\"%.1f\" y=\"4\" width=\"%.1f\" height=\"8\"/>",
                     fmin(origin, end), fabs(end - origin));
    put_line(buf, "axis", origin, 1, 15);
    if (!isnan(column->at))
        put_line(buf, "promise", place(s, column->at), 0, 16);
    if (interval_of(row, column->key, &low, &high)) {
        itemi_buf_printf(buf, "<line class=\"whisker\" x1=\"%.1f\" y1=\"8\" x2=\"%.1f\" y2=\"8\"/>",
                         place(s, low), place(s, high));
        put_line(buf, "whisker", place(s, low), 5, 11);
        put_line(buf, "whisker", place(s, high), 5, 11);
    }
    itemi_buf_puts(buf, "</svg></td>");
}

/* ---- cells ---- */

static void put_name(itemi_buf *buf, const json_t *row, const char *key)
{
    itemi_buf_puts(buf, "<th scope=\"row\">");
    itemi_html_name(buf, row, key);
    if (json_is_true(json_object_get(row, "known")))
        itemi_buf_puts(buf, " <span class=\"mark\">known</span>");
    itemi_buf_puts(buf, "</th>");
}

static void put_text(itemi_buf *buf, const json_t *row, const char *key)
{
    const json_t *text = json_object_get(row, key);
    itemi_buf_puts(buf, "<td>");
    if (json_is_string(text) && json_string_length(text))
        itemi_html_name(buf, row, key);
    else
        itemi_buf_puts(buf, "-");
    itemi_buf_puts(buf, "</td>");
}

static void put_called(itemi_buf *buf, const json_t *called)
{
    itemi_buf_printf(buf, "<td class=\"n\">%lld / %lld / %lld</td>", itemi_md_whole(called, "real"),
                     itemi_md_whole(called, "unsure"), itemi_md_whole(called, "ai"));
}

static void put_cell(itemi_buf *buf, const itemi_column *c, const json_t *row, scale s)
{
    const json_t *value = json_object_get(row, c->key);
    switch (c->cell) {
    case ITEMI_CELL_NAME:
        put_name(buf, row, c->key);
        break;
    case ITEMI_CELL_TEXT:
        put_text(buf, row, c->key);
        break;
    case ITEMI_CELL_CODE:
        itemi_buf_printf(buf, "<td><code>%s</code></td>", json_string_value(value));
        break;
    case ITEMI_CELL_COUNT:
        itemi_buf_printf(buf, "<td class=\"n\">%lld</td>", itemi_md_whole(row, c->key));
        break;
    case ITEMI_CELL_FIGURE:
    case ITEMI_CELL_SHARE:
        itemi_buf_puts(buf, "<td class=\"n\">");
        itemi_html_figure(buf, row, c->key, c->cell == ITEMI_CELL_SHARE ? "%" : "");
        itemi_buf_puts(buf, "</td>");
        break;
    case ITEMI_CELL_CALLED:
        put_called(buf, value);
        break;
    case ITEMI_CELL_BAR:
        put_bar(buf, c, row, s);
        break;
    case ITEMI_CELL_FLAG:
        itemi_buf_printf(buf, "<td>%s%s%s</td>",
                         json_is_true(value) ? "<span class=\"alert\">" : "",
                         json_is_true(value) ? c->mark : "", json_is_true(value) ? "</span>" : "");
        break;
    }
}

void itemi_html_table(itemi_buf *buf, const char *caption, const json_t *rows, const char *only,
                      const itemi_column *columns, size_t count)
{
    size_t i;
    const json_t *row;
    scale scales[ITEMI_COLUMNS_MAX];
    if (json_array_size(rows) == 0)
        return;
    itemi_buf_printf(buf, "<div class=\"wide\"><table><caption>%s</caption>\n<thead><tr>", caption);
    for (size_t c = 0; c < count; c++) {
        scales[c] = scale_of(&columns[c], rows);
        itemi_buf_printf(buf, "<th scope=\"col\">%s</th>", columns[c].title);
    }
    itemi_buf_puts(buf, "</tr></thead>\n<tbody>\n");
    json_array_foreach(rows, i, row)
    {
        if (only && isnan(itemi_md_number(row, only)))
            continue;
        itemi_buf_puts(buf, "<tr>");
        for (size_t c = 0; c < count; c++)
            put_cell(buf, &columns[c], row, scales[c]);
        itemi_buf_puts(buf, "</tr>\n");
    }
    itemi_buf_puts(buf, "</tbody></table></div>\n");
}
