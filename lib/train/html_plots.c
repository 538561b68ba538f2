/* SPDX-License-Identifier: Apache-2.0 */
/* Plots of a report's web page, as SVG inside of it. Its colours are those of the page. */
#include <math.h>

#include "train/html.h"
#include "train/markdown.h"

/* A frame on the drawing, and the values at its edges. */
typedef struct frame {
    double x, y, width, height; /* pixels */
    double low, high;           /* of the horizontal axis */
    double bottom, top;         /* of the vertical axis */
} frame;

static double across(const frame *f, double value)
{
    return f->x + f->width * (value - f->low) / (f->high - f->low);
}

static double up(const frame *f, double value)
{
    return f->y + f->height * (f->top - value) / (f->top - f->bottom);
}

static void open_plot(itemi_buf *buf, const char *what, double width, double height)
{
    itemi_buf_printf(buf,
                     "<figure class=\"%s\"><svg width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f"
                     " %.0f\" role=\"img\" aria-label=\"%s\">\n",
                     what, width, height, width, height, what);
}

static void put_frame(itemi_buf *buf, const frame *f)
{
    itemi_buf_printf(
        buf, "<rect class=\"frame\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n", f->x,
        f->y, f->width, f->height);
}

static void put_segment(itemi_buf *buf, const char *class, double x1, double y1, double x2,
                        double y2)
{
    itemi_buf_printf(buf, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
                     class, x1, y1, x2, y2);
}

/* anchor: start, middle or end. */
static void put_label(itemi_buf *buf, double x, double y, const char *anchor, const char *text)
{
    itemi_buf_printf(buf, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y,
                     anchor, text);
}

/* 0 and 1 at both axes of shares. */
static void put_unit_axes(itemi_buf *buf, const frame *f, const char *horizontal,
                          const char *vertical)
{
    put_segment(buf, "guide", f->x, f->y + f->height, f->x + f->width, f->y);
    put_label(buf, f->x, f->y + f->height + 12, "middle", "0");
    put_label(buf, f->x + f->width, f->y + f->height + 12, "middle", "1");
    put_label(buf, f->x + f->width / 2, f->y + f->height + 12, "middle", horizontal);
    put_label(buf, f->x - 4, f->y + f->height, "end", "0");
    put_label(buf, f->x - 4, f->y + 8, "end", "1");
    double x = f->x - 8, y = f->y + f->height / 2;
    itemi_buf_printf(buf,
                     "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\""
                     " transform=\"rotate(-90 %.1f %.1f)\">%s</text>\n",
                     x, y, x, y, vertical);
}

static void put_point(itemi_buf *buf, const frame *f, double x, double y)
{
    itemi_buf_printf(buf, "%.2f,%.2f ", across(f, x), up(f, y));
}

/* ---- curves ---- */

/* The row of a source, of which the curve's legend tells the area. */
static const json_t *row_of(const json_t *root, const json_t *source)
{
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(root, "sources"), i, row)
    {
        if (json_equal(json_object_get(row, "source"), source))
            return row;
    }
    return NULL;
}

static void put_curve(itemi_buf *buf, const json_t *root, const json_t *curve)
{
    const frame f = {20, 6, 160, 160, 0, 1, 0, 1};
    const json_t *row = row_of(root, json_object_get(curve, "source")), *point;
    size_t i;
    open_plot(buf, "curve", 190, 184);
    put_frame(buf, &f);
    put_unit_axes(buf, &f, "photographs", "AI pictures");
    itemi_buf_puts(buf, "<polyline class=\"value\" points=\"");
    json_array_foreach(json_object_get(curve, "points"), i, point)
    {
        put_point(buf, &f, json_number_value(json_array_get(point, 0)),
                  json_number_value(json_array_get(point, 1)));
    }
    itemi_buf_puts(buf, "\"/>\n</svg><figcaption>");
    itemi_html_name(buf, curve, "source");
    if (json_is_true(json_object_get(curve, "known")))
        itemi_buf_puts(buf, " <span class=\"mark\">known</span>");
    itemi_buf_puts(buf, "<br>AUC ");
    itemi_html_figure(buf, row, "auc", "");
    itemi_buf_puts(buf, "</figcaption></figure>\n");
}

void itemi_html_curves(itemi_buf *buf, const json_t *root)
{
    size_t i;
    const json_t *curve, *curves = json_object_get(root, "curves");
    if (json_array_size(curves) == 0)
        return;
    itemi_buf_puts(buf, "<section><h2>Curves of the sources that have both labels</h2>\n"
                        "<p>Share of AI pictures at or above each score, over the share of"
                        " photographs. The dashed line is guessing.</p>\n<div class=\"plots\">\n");
    json_array_foreach(curves, i, curve)
    {
        put_curve(buf, root, curve);
    }
    itemi_buf_puts(buf, "</div></section>\n");
}

/* ---- reliability ---- */

void itemi_html_reliability(itemi_buf *buf, const json_t *root)
{
    const frame f = {28, 8, 240, 240, 0, 1, 0, 1};
    const json_t *c = json_object_get(root, "calibration"), *bin;
    size_t i;
    open_plot(buf, "reliability", 284, 272);
    put_frame(buf, &f);
    put_unit_axes(buf, &f, "probability", "share of AI pictures");
    json_array_foreach(json_object_get(c, "bins"), i, bin)
    {
        double mean = itemi_md_number(bin, "mean"), share = itemi_md_number(bin, "ai_share");
        if (!isnan(mean) && !isnan(share))
            itemi_buf_printf(buf, "<circle class=\"value\" cx=\"%.2f\" cy=\"%.2f\" r=\"4\"/>\n",
                             across(&f, mean), up(&f, share));
    }
    itemi_buf_puts(buf, "</svg><figcaption>Probability and share of AI pictures, in bins of equal"
                        " weight. On the dashed line a probability is what it says. Calibration"
                        " error ");
    itemi_html_figure(buf, c, "ece", "");
    itemi_buf_puts(buf, "</figcaption></figure>\n");
}

/* ---- scores ---- */

static double most_of(const json_t *counts)
{
    size_t i;
    const json_t *count;
    double most = 1;
    json_array_foreach(counts, i, count)
    {
        most = fmax(most, json_number_value(count));
    }
    return most;
}

/* Counts of one label as columns: up from the middle, or down from it. */
static void put_columns(itemi_buf *buf, const frame *f, const json_t *counts, double sign,
                        const char *class)
{
    size_t i, n = json_array_size(counts);
    const json_t *count;
    json_array_foreach(counts, i, count)
    {
        double from = up(f, 0), to = up(f, sign * json_number_value(count));
        itemi_buf_printf(
            buf, "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>\n",
            class, f->x + f->width * (double)i / (double)n + 1, fmin(from, to),
            f->width / (double)n - 2, fabs(to - from));
    }
}

/* A score with a meaning, where it lies on the axis. */
static void put_mark(itemi_buf *buf, const frame *f, double score, const char *text, double y)
{
    if (isnan(score) || score < f->low || score > f->high)
        return;
    put_segment(buf, "promise", across(f, score), f->y, across(f, score), f->y + f->height);
    bool near_end = across(f, score) > f->x + 0.8 * f->width;
    put_label(buf, across(f, score) + (near_end ? -3 : 3), y, near_end ? "end" : "start", text);
}

void itemi_html_scores(itemi_buf *buf, const json_t *root)
{
    const json_t *scores = json_object_get(root, "scores");
    const json_t *verdicts = json_object_get(root, "verdicts");
    const json_t *real = json_object_get(scores, "photographs"),
                 *ai = json_object_get(scores, "ai");
    double low = itemi_md_number(scores, "low"), high = itemi_md_number(scores, "high");
    double most = fmax(most_of(real), most_of(ai));
    char text[32];
    if (isnan(low) || isnan(high))
        return;
    const frame f = {8, 16, 504, 220, low, high > low ? high : low + 1, -most, most};
    open_plot(buf, "scores", 520, 272);
    put_columns(buf, &f, real, 1, "real");
    put_columns(buf, &f, ai, -1, "ai");
    put_segment(buf, "axis", f.x, up(&f, 0), f.x + f.width, up(&f, 0));
    put_mark(buf, &f, itemi_md_number(verdicts, "real_below"), "real below", 12);
    put_mark(buf, &f, itemi_md_number(verdicts, "threshold_score"), "ai from here", 250);
    itemi_format(text, sizeof text, "%.2f", f.low);
    put_label(buf, f.x, 266, "start", text);
    itemi_format(text, sizeof text, "%.2f", f.high);
    put_label(buf, f.x + f.width, 266, "end", text);
    itemi_buf_printf(buf,
                     "</svg><figcaption>Scores: <span class=\"key real\"></span> photographs above"
                     " the line, <span class=\"key ai\"></span> AI pictures below it; the tallest"
                     " column stands for %.0f pictures.</figcaption></figure>\n",
                     most);
}
