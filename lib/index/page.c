/* SPDX-License-Identifier: Apache-2.0 */
/* The pictures of an index as a web page: one card each. */
#include "index/page.h"

#include <math.h>
#include <string.h>

void itemi_page_top(itemi_buf *page, const char *title)
{
    itemi_buf_puts(page,
                   "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                   "img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                   "<title>");
    itemi_html_text(page, title);
    itemi_buf_puts(page, "</title>\n<style>\n");
    itemi_buf_puts(page, itemi_page_style);
    itemi_buf_puts(page, "</style></head><body>\n<header><h1>");
    itemi_html_text(page, title);
    itemi_buf_puts(
        page,
        "</h1>\n<p>What libitem says of each picture, and why. A verdict is a statement about "
        "many pictures with a promised error, never a proof about one; what a file says of its "
        "own origin was not verified.</p>\n<p>Point at a picture, or focus it, to see the objects "
        "that were found. Keys: arrows move, / searches.</p></header>\n<form>");
    static const char *const verdicts[] = {"ai", "unsure", "real", "none", "failed"};
    for (size_t i = 0; i < ITEMI_COUNT(verdicts); i++)
        itemi_buf_printf(page, "<label><input type=\"checkbox\" value=\"%s\" checked> %s</label> ",
                         verdicts[i], verdicts[i]);
    itemi_buf_puts(page, "<label>words <input type=\"search\" id=\"search\"></label>"
                         "<span id=\"count\" aria-live=\"polite\"></span></form>\n<main>\n");
}

void itemi_page_end(itemi_buf *page)
{
    itemi_buf_puts(page, "</main>\n<script>\n");
    itemi_buf_puts(page, itemi_page_script);
    itemi_buf_puts(page, "</script></body></html>\n");
}

/* ---- a card ---- */

static void add_base64(itemi_buf *page, const itemi_buf *bytes)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *at = (const uint8_t *)bytes->data;
    for (size_t i = 0; i < bytes->length; i += 3) {
        const size_t left = bytes->length - i;
        const uint32_t three = (uint32_t)at[i] << 16 | (left > 1 ? (uint32_t)at[i + 1] << 8 : 0) |
                               (left > 2 ? at[i + 2] : 0);
        const char four[4] = {letters[three >> 18], letters[three >> 12 & 63],
                              left > 1 ? letters[three >> 6 & 63] : '=',
                              left > 2 ? letters[three & 63] : '='};
        itemi_buf_add(page, four, sizeof four);
    }
}

static double within(double value, double most)
{
    return value < 0 ? 0 : value > most ? most : value;
}

/* A frame in percent of the picture, with its phrase. */
static void add_box(itemi_buf *page, const json_t *object, const item_index_row *row)
{
    const json_t *box = json_object_get(object, "box");
    const double x0 = within(json_number_value(json_array_get(box, 0)) * 100 / row->width, 100);
    const double y0 = within(json_number_value(json_array_get(box, 1)) * 100 / row->height, 100);
    const double x1 = within(json_number_value(json_array_get(box, 2)) * 100 / row->width, 100);
    const double y1 = within(json_number_value(json_array_get(box, 3)) * 100 / row->height, 100);
    itemi_buf_printf(page, "<i style=\"left:%.1f%%;top:%.1f%%;width:%.1f%%;height:%.1f%%\"><span>",
                     x0, y0, x1 - x0, y1 - y0);
    itemi_html_text(page, itemi_text_at(object, "phrase"));
    itemi_buf_puts(page, "</span></i>");
}

static void add_picture(itemi_buf *page, const item_index_row *row, const json_t *answer,
                        const itemi_buf *thumbnail, const char *why)
{
    if (thumbnail->length == 0) {
        itemi_buf_puts(page, "<div class=\"none\">no preview: ");
        itemi_html_text(page, why);
        itemi_buf_puts(page, "</div>");
        return;
    }
    itemi_buf_puts(page, "<div class=\"p\"><img loading=\"lazy\" decoding=\"async\" alt=\"");
    itemi_html_text(page, row->caption);
    itemi_buf_puts(page, "\" src=\"data:image/jpeg;base64,");
    add_base64(page, thumbnail);
    itemi_buf_puts(page, "\">");
    const json_t *objects = json_object_get(answer, "objects");
    for (size_t i = 0; row->width && row->height && i < json_array_size(objects); i++)
        add_box(page, json_array_get(objects, i), row);
    itemi_buf_puts(page, "</div>");
}

static void add_line(itemi_buf *page, const char *kind, const char *before, const char *text,
                     const char *after)
{
    if (!*text)
        return;
    itemi_buf_printf(page, "<p%s>%s", kind, before);
    itemi_html_text(page, text);
    itemi_buf_printf(page, "%s</p>", after);
}

static void add_objects(itemi_buf *page, const json_t *answer)
{
    const json_t *objects = json_object_get(answer, "objects");
    for (size_t i = 0; i < json_array_size(objects); i++) {
        const json_t *object = json_array_get(objects, i);
        itemi_buf_puts(page, i ? ", " : "<p class=\"dim\">objects: ");
        itemi_html_text(page, itemi_text_at(object, "phrase"));
        itemi_buf_printf(page, " (%.0f&nbsp;%%)",
                         json_number_value(json_object_get(object, "score")) * 100);
    }
    if (json_array_size(objects))
        itemi_buf_puts(page, "</p>");
}

static const char *verdict_of(const item_index_row *row)
{
    return row->error ? "failed" : itemi_verdict_name(row->verdict);
}

static void add_verdict(itemi_buf *page, const item_index_row *row)
{
    const char *verdict = verdict_of(row);
    itemi_buf_printf(page, "<p><span class=\"v v-%s\">%s</span>", verdict, verdict);
    if (!isnan(row->probability))
        itemi_buf_printf(page, ", probability of AI %.0f&nbsp;%%", row->probability * 100);
    if (row->state & ITEM_STATE_STALE)
        itemi_buf_puts(page, " <span class=\"dim\">(of older settings)</span>");
    if (row->state & ITEM_STATE_MISSING)
        itemi_buf_puts(page, " <span class=\"dim\">(the file is gone)</span>");
    itemi_buf_puts(page, "</p>");
}

/* What the file says of its own origin: a line each. */
static void add_provenance(itemi_buf *page, const json_t *answer)
{
    const json_t *list = json_object_get(answer, "provenance");
    for (size_t i = 0; i < json_array_size(list); i++)
        add_line(page, " class=\"dim\"",
                 "the file says: ", itemi_text_at(json_array_get(list, i), "text"), "");
}

void itemi_page_card(itemi_buf *page, const item_index_row *row, const itemi_buf *thumbnail,
                     const char *why)
{
    const char *slash = strrchr(row->path, '/');
    json_t *answer = json_loads(row->json, 0, NULL); /* NULL: damaged, then without */
    char name[1024];
    itemi_escape(name, sizeof name, slash ? slash + 1 : row->path);
    itemi_buf_printf(page, "<article tabindex=\"0\" data-v=\"%s\">", verdict_of(row));
    add_picture(page, row, answer, thumbnail, why);
    itemi_buf_puts(page, "<h2><bdi>");
    itemi_html_text(page, name);
    itemi_buf_puts(page, "</bdi></h2>");
    add_verdict(page, row);
    add_line(page, "", "&ldquo;", row->caption, "&rdquo;");
    add_line(page, " class=\"dim\"", "", itemi_text_at(json_object_get(answer, "reason"), "text"),
             "");
    add_objects(page, answer);
    add_provenance(page, answer);
    itemi_escape(name, sizeof name, row->error ? row->message : row->path);
    add_line(page, " class=\"dim\"", "<bdi>", name, "</bdi>");
    itemi_buf_puts(page, "</article>\n");
    json_decref(answer);
}
