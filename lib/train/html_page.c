/* SPDX-License-Identifier: Apache-2.0 */
/* A report as one web page: it loads nothing, runs nothing and shows no picture. */
#include <math.h>
#include <string.h>

#include "train/html.h"
#include "train/markdown.h"

static const char style[] =
    ":root{color-scheme:light dark;--page:#fcfcfb;--ink:#1d1d1b;--quiet:#5f5e59;--line:#d9d8d3;"
    "--value:#2a6fc9;--real:#2a6fc9;--ai:#d65a22;--alert:#a8201a;--tint:#fbeee9}\n"
    "@media(prefers-color-scheme:dark){:root{--page:#191918;--ink:#ecebe6;--quiet:#a8a69e;"
    "--line:#3d3c39;--value:#5c9df0;--real:#5c9df0;--ai:#e8814f;--alert:#f08c80;--tint:#33231f}}\n"
    "body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}\n"
    "main{max-width:72rem;margin:0 auto;padding:1rem}\n"
    "h1{font-size:1.6rem;margin:.5rem 0}h2{font-size:1.2rem;margin:2rem 0 .5rem}\n"
    "p{max-width:46rem}.quiet,.interval,figcaption{color:var(--quiet)}\n"
    ".warnings{background:var(--tint);border-left:4px solid var(--alert);padding:.25rem 1rem}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;margin:.5rem 0 1.5rem}\n"
    "caption{text-align:left;font-weight:600;padding:.25rem .5rem}\n"
    "th,td{padding:.25rem .5rem;border-bottom:1px solid var(--line);text-align:left;"
    "vertical-align:top}\n"
    "thead th{color:var(--quiet);font-weight:500}tbody th{font-weight:500;overflow-wrap:anywhere;"
    "min-width:8rem}\n"
    "td.n{font-variant-numeric:tabular-nums;white-space:nowrap}td bdi{overflow-wrap:anywhere}\n"
    ".mark{border:1px solid var(--line);border-radius:3px;padding:0 .3rem;font-size:.8em;"
    "color:var(--quiet)}.alert{color:var(--alert);font-weight:600}\n"
    ".tiles{display:flex;flex-wrap:wrap;gap:.5rem 2.5rem;margin:1rem 0}.tiles div{min-width:9rem}\n"
    ".tiles dt{color:var(--quiet)}.tiles dd{margin:0;font-size:1.35rem}"
    ".tiles .interval{font-size:.9rem;display:block}\n"
    ".plots{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0;max-width:100%}"
    "figure.curve{max-width:12rem}figure.reliability{max-width:18rem}figure.scores{max-width:33rem}"
    "\n"
    "figure svg{max-width:100%;height:auto}\n"
    "svg text{fill:var(--quiet);font:11px system-ui,sans-serif}\n"
    ".frame{fill:none;stroke:var(--line)}.guide{stroke:var(--quiet);stroke-dasharray:3 3}\n"
    "rect.value,circle.value{fill:var(--value)}polyline.value{fill:none;stroke:var(--value);"
    "stroke-width:2}\n"
    ".axis{stroke:var(--quiet)}.promise{stroke:var(--alert);stroke-dasharray:3 2}"
    ".whisker{stroke:var(--ink);stroke-width:1.5}\n"
    "rect.real{fill:var(--real)}rect.ai{fill:var(--ai)}.bar{vertical-align:middle}\n"
    ".key{display:inline-block;width:.8em;height:.8em;border-radius:2px}"
    ".key.real{background:var(--real)}.key.ai{background:var(--ai)}\n"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere}\n";

#define TABLE(buf, caption, rows, only, columns)                                                   \
    itemi_html_table(buf, caption, rows, only, columns, ITEMI_COUNT(columns))
#define BAR(title, key, low, high, at)                                                             \
    {                                                                                              \
        title, key, ITEMI_CELL_BAR, NULL, low, high, at                                            \
    }

static void open_section(itemi_buf *buf, const char *title)
{
    itemi_buf_printf(buf, "<section><h2>%s</h2>\n", title);
}

static void close_section(itemi_buf *buf)
{
    itemi_buf_puts(buf, "</section>\n");
}

/* ---- what comes first ---- */

static void put_warnings(itemi_buf *buf, const json_t *root)
{
    const json_t *warnings = json_object_get(root, "warnings"), *line;
    size_t i;
    if (json_array_size(warnings) == 0)
        return;
    itemi_buf_puts(buf, "<section class=\"warnings\"><h2>Warnings</h2>\n<ul>\n");
    json_array_foreach(warnings, i, line)
    {
        itemi_buf_puts(buf, "<li>");
        itemi_html_text(buf, json_string_value(line));
        itemi_buf_puts(buf, "</li>\n");
    }
    itemi_buf_puts(buf, "</ul></section>\n");
}

static void put_counts(itemi_buf *buf, const json_t *root)
{
    const json_t *data = json_object_get(root, "data");
    itemi_buf_puts(buf, "<p>");
    itemi_md_count(buf, itemi_md_whole(data, "rows"), "picture");
    itemi_buf_printf(buf, ": %lld AI, ", itemi_md_whole(data, "ai"));
    itemi_md_count(buf, itemi_md_whole(data, "real"), "photograph");
    itemi_buf_puts(buf, ", of ");
    itemi_md_count(buf, itemi_md_whole(data, "sources"), "source");
    itemi_buf_printf(buf, "; %lld left out.", itemi_md_whole(data, "failed"));
    if (json_object_get(root, "network"))
        itemi_buf_puts(buf, " All figures are of pictures that the scoring network had not seen"
                            " (held-out folds).");
    itemi_buf_puts(buf, "</p>\n");
}

static void put_tile(itemi_buf *buf, const char *title, const json_t *object, const char *key,
                     const char *format)
{
    itemi_buf_printf(buf, "<div><dt>%s</dt><dd>", title);
    itemi_html_figure(buf, object, key, format);
    itemi_buf_puts(buf, "</dd></div>\n");
}

static void put_headline(itemi_buf *buf, const json_t *root)
{
    const json_t *head = json_object_get(root, "headline");
    long long sources = itemi_md_whole(head, "sources");
    if (sources == 0) {
        itemi_buf_puts(buf, "<p>No source has both labels, so nothing can be said within a"
                            " source.</p>\n");
        return;
    }
    itemi_buf_printf(buf, "<p>Mean over the sources that have both labels (%lld):</p>\n", sources);
    itemi_buf_puts(buf, "<dl class=\"tiles\">\n");
    put_tile(buf, "AUC", head, "auc", "");
    put_tile(buf, "average precision", head, "ap", "");
    put_tile(buf, "found at 1 % false positives", head, "tpr1", "%");
    put_tile(buf, "found at 5 %", head, "tpr5", "%");
    put_tile(buf, "<code>unsure</code>", head, "unsure", "%");
    put_tile(buf, "wrong verdicts", head, "wrong", "%");
    put_tile(buf, "right when decided", head, "right_when_decided", "%");
    itemi_buf_puts(buf, "</dl>\n");
}

/* ---- tables ---- */

static void put_sources(itemi_buf *buf, const json_t *root)
{
    static const itemi_column ranks[] = {
        {"source", "source", ITEMI_CELL_NAME, NULL, 0, 0, 0},
        {"photographs", "real", ITEMI_CELL_COUNT, NULL, 0, 0, 0},
        {"AI", "ai", ITEMI_CELL_COUNT, NULL, 0, 0, 0},
        {"AUC", "auc", ITEMI_CELL_FIGURE, NULL, 0, 0, 0},
        BAR("0 to 1, line: guessing", "auc", 0, 1, 0.5),
        {"average precision", "ap", ITEMI_CELL_FIGURE, NULL, 0, 0, 0},
        {"found at 1 %", "tpr1", ITEMI_CELL_SHARE, NULL, 0, 0, 0},
        {"found at 5 %", "tpr5", ITEMI_CELL_SHARE, NULL, 0, 0, 0},
        {"calibration error", "ece", ITEMI_CELL_FIGURE, NULL, 0, 0, 0},
    };
    static const itemi_column verdicts[] = {
        {"source", "source", ITEMI_CELL_NAME, NULL, 0, 0, 0},
        {"photographs called real / unsure / ai", "photographs_called", ITEMI_CELL_CALLED, NULL, 0,
         0, 0},
        {"AI called", "ai_called", ITEMI_CELL_CALLED, NULL, 0, 0, 0},
        {"unsure", "unsure", ITEMI_CELL_SHARE, NULL, 0, 0, 0},
        {"wrong", "wrong", ITEMI_CELL_SHARE, NULL, 0, 0, 0},
        {"right when decided", "right_when_decided", ITEMI_CELL_SHARE, NULL, 0, 0, 0},
    };
    const json_t *rows = json_object_get(root, "sources");
    open_section(buf, "Sources");
    TABLE(buf, "Sources that have both labels", rows, "auc", ranks);
    TABLE(buf, "Verdicts in every source", rows, NULL, verdicts);
    close_section(buf);
}

static void put_false_positives(itemi_buf *buf, const json_t *root)
{
    const double promised = itemi_md_number(json_object_get(root, "verdicts"), "promised");
    const itemi_column columns[] = {
        {"source", "source", ITEMI_CELL_NAME, NULL, 0, 0, 0},
        {"photographs", "real", ITEMI_CELL_COUNT, NULL, 0, 0, 0},
        {"called <code>ai</code>", "called_ai", ITEMI_CELL_COUNT, NULL, 0, 0, 0},
        {"rate", "rate", ITEMI_CELL_SHARE, NULL, 0, 0, 0},
        BAR("line: the promise", "rate", 0, NAN, promised),
        {"", "above_promise", ITEMI_CELL_FLAG, "above the promise", 0, 0, 0},
    };
    open_section(buf, "Photographs called <code>ai</code>");
    itemi_buf_puts(buf, "<p>Promised: ");
    itemi_md_figure(buf, promised, "%");
    itemi_buf_puts(buf,
                   " at most. A source is marked where even the lower end of its exact interval"
                   " lies above that.</p>\n");
    TABLE(buf, "By source, the worst first", json_object_get(root, "false_positives"), NULL,
          columns);
    close_section(buf);
}

static void put_verdicts(itemi_buf *buf, const json_t *root)
{
    static const itemi_column reasons[] = {
        {"reason", "reason", ITEMI_CELL_CODE, NULL, 0, 0, 0},
        {"photographs", "real", ITEMI_CELL_COUNT, NULL, 0, 0, 0},
        {"AI", "ai", ITEMI_CELL_COUNT, NULL, 0, 0, 0},
        {"of all pictures", "share", ITEMI_CELL_SHARE, NULL, 0, 0, 0},
        {"wrong among them", "wrong", ITEMI_CELL_SHARE, NULL, 0, 0, 0},
    };
    const json_t *v = json_object_get(root, "verdicts");
    open_section(buf, "Verdicts and probabilities");
    itemi_buf_puts(buf, "<p>Threshold ");
    itemi_html_name(buf, v, "threshold");
    itemi_buf_puts(buf, ", all pictures of new sources.</p>\n<dl class=\"tiles\">\n");
    put_tile(buf, "photographs called <code>ai</code>", v, "false_positive_rate", "%");
    put_tile(buf, "AI pictures called <code>ai</code>", v, "recall", "%");
    put_tile(buf, "<code>unsure</code>", v, "unsure", "%");
    put_tile(buf, "right when decided", v, "right_when_decided", "%");
    itemi_buf_puts(buf, "</dl>\n<div class=\"plots\">\n");
    itemi_html_scores(buf, root);
    itemi_html_reliability(buf, root);
    itemi_buf_puts(buf, "</div>\n");
    TABLE(buf, "By reason", json_object_get(v, "by_reason"), "share", reasons);
    close_section(buf);
}

static void put_generators(itemi_buf *buf, const json_t *root)
{
    static const itemi_column columns[] = {
        {"generator", "generator", ITEMI_CELL_NAME, NULL, 0, 0, 0},
        {"AI", "ai", ITEMI_CELL_COUNT, NULL, 0, 0, 0},
        {"AUC", "auc", ITEMI_CELL_FIGURE, NULL, 0, 0, 0},
        {"average precision", "ap", ITEMI_CELL_FIGURE, NULL, 0, 0, 0},
        {"found at 1 %", "tpr1", ITEMI_CELL_SHARE, NULL, 0, 0, 0},
        {"found at 5 %", "tpr5", ITEMI_CELL_SHARE, NULL, 0, 0, 0},
        {"called real / unsure / ai", "ai_called", ITEMI_CELL_CALLED, NULL, 0, 0, 0},
        {"called <code>ai</code>", "recall", ITEMI_CELL_SHARE, NULL, 0, 0, 0},
        BAR("0 to 1", "recall", 0, 1, NAN),
    };
    if (json_array_size(json_object_get(root, "generators")) == 0)
        return;
    open_section(buf, "Generators");
    TABLE(buf, "Each against the photographs of its sources", json_object_get(root, "generators"),
          NULL, columns);
    close_section(buf);
}

static void put_mistakes(itemi_buf *buf, const json_t *root)
{
    static const itemi_column columns[] = {
        {"picture", "name", ITEMI_CELL_NAME, NULL, 0, 0, 0},
        {"caption", "caption", ITEMI_CELL_TEXT, NULL, 0, 0, 0},
        {"source", "source", ITEMI_CELL_TEXT, NULL, 0, 0, 0},
        {"generator", "generator", ITEMI_CELL_TEXT, NULL, 0, 0, 0},
        {"score", "score", ITEMI_CELL_FIGURE, NULL, 0, 0, 0},
        {"verdict", "verdict", ITEMI_CELL_CODE, NULL, 0, 0, 0},
        {"reason", "reason", ITEMI_CELL_CODE, NULL, 0, 0, 0},
    };
    const json_t *mistakes = json_object_get(root, "mistakes");
    open_section(buf, "Worst mistakes");
    TABLE(buf, "Photographs that look most generated", json_object_get(mistakes, "photographs"),
          NULL, columns);
    TABLE(buf, "AI pictures that look least generated", json_object_get(mistakes, "ai"), NULL,
          columns);
    close_section(buf);
}

static void put_comparison(itemi_buf *buf, const json_t *c)
{
    static const itemi_column columns[] = {
        {"source", "source", ITEMI_CELL_NAME, NULL, 0, 0, 0},
        {"AUC", "auc", ITEMI_CELL_FIGURE, NULL, 0, 0, 0},
        BAR("line: no difference", "auc", NAN, NAN, NAN),
        {"average precision", "ap", ITEMI_CELL_FIGURE, NULL, 0, 0, 0},
        {"found at 1 %", "tpr1", ITEMI_CELL_SHARE, NULL, 0, 0, 0},
        {"found at 5 %", "tpr5", ITEMI_CELL_SHARE, NULL, 0, 0, 0},
    };
    const json_t *away = json_object_get(c, "difference");
    itemi_buf_puts(buf, "<h3>");
    itemi_html_name(buf, c, "rival");
    itemi_buf_puts(buf, "</h3>\n<dl class=\"tiles\">\n");
    put_tile(buf, "its AUC", json_object_get(c, "rival_figures"), "auc", "");
    put_tile(buf, "difference of AUC", away, "auc", "");
    put_tile(buf, "of average precision", away, "ap", "");
    put_tile(buf, "found at 1 %", away, "tpr1", "%");
    put_tile(buf, "found at 5 %", away, "tpr5", "%");
    itemi_buf_puts(buf, "</dl>\n");
    TABLE(buf, "Differences by source", json_object_get(c, "difference_by_source"), "auc", columns);
}

static void put_comparisons(itemi_buf *buf, const json_t *root)
{
    const json_t *all = json_object_get(root, "comparisons"), *one;
    size_t i;
    if (json_array_size(all) == 0)
        return;
    open_section(buf, "Against other heads");
    itemi_buf_puts(buf, "<p>On the same pictures; above 0 the head is better. Where an interval"
                        " reaches 0, which one is better is not known.</p>\n");
    json_array_foreach(all, i, one)
    {
        put_comparison(buf, one);
    }
    close_section(buf);
}

static void put_controls(itemi_buf *buf, const json_t *root)
{
    static const itemi_column columns[] = {
        {"control", "control", ITEMI_CELL_NAME, NULL, 0, 0, 0},
        {"AUC", "auc", ITEMI_CELL_FIGURE, NULL, 0, 0, 0},
        BAR("0 to 1, line: guessing", "auc", 0, 1, 0.5),
        {"mixed AUC", "mixed_auc", ITEMI_CELL_FIGURE, NULL, 0, 0, 0},
    };
    if (json_array_size(json_object_get(root, "controls")) == 0)
        return;
    open_section(buf, "Controls");
    itemi_buf_puts(buf,
                   "<p>What should not be needed to tell the labels apart. Where one comes near"
                   " the head, the head's figure is a leak.</p>\n");
    TABLE(buf, "Within each source, mean", json_object_get(root, "controls"), NULL, columns);
    close_section(buf);
}

static void put_method(itemi_buf *buf, const json_t *root)
{
    const json_t *head = json_object_get(root, "head");
    open_section(buf, "How to read this");
    itemi_buf_puts(buf, "<p>Layout ");
    itemi_html_name(buf, head, "layout");
    itemi_buf_puts(buf, ", trained on ");
    itemi_html_name(buf, head, "trained_on");
    itemi_buf_printf(buf,
                     ".</p>\n<p>In brackets: intervals of %.0f %%, of %lld draws of scenes within"
                     " source and label; exact (binomial) for photographs called <code>ai</code>,"
                     " and where a share is none or all. Over all pictures together, which also"
                     " rewards knowing the source, the AUC is ",
                     100 * itemi_md_number(root, "level"), itemi_md_whole(root, "draws"));
    itemi_html_figure(buf, json_object_get(root, "mixed"), "auc", "");
    itemi_buf_puts(buf, ".</p>\n");
    close_section(buf);
}

/* ---- the page ---- */

static void put_body(itemi_buf *buf, const json_t *root)
{
    put_counts(buf, root);
    put_warnings(buf, root);
    put_headline(buf, root);
    put_false_positives(buf, root);
    put_sources(buf, root);
    itemi_html_curves(buf, root);
    put_verdicts(buf, root);
    put_generators(buf, root);
    put_mistakes(buf, root);
    put_comparisons(buf, root);
    put_controls(buf, root);
    put_method(buf, root);
}

char *itemi_report_page(const json_t *root, const char *markdown)
{
    itemi_buf buf;
    const char *title =
        json_object_get(root, "network") ? "Training of a head" : "Report of a head";
    itemi_buf_init(&buf, NULL);
    itemi_buf_printf(&buf,
                     "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                     "<meta http-equiv=\"Content-Security-Policy\""
                     " content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
                     "<title>%s</title>\n<style>\n%s</style></head>\n<body><main>\n<h1>%s</h1>\n",
                     title, style, title);
    if (json_object_get(root, "headline")) {
        put_body(&buf, root);
    } else {
        itemi_buf_puts(&buf, "<pre>");
        itemi_html_text(&buf, markdown);
        itemi_buf_puts(&buf, "</pre>\n");
    }
    itemi_buf_puts(&buf, "</main></body></html>\n");
    return itemi_buf_take(&buf);
}
