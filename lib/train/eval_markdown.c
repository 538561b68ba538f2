/* SPDX-License-Identifier: Apache-2.0 */
/* A report as Markdown, rendered from its JSON, so that both say the same. */
#include <math.h>
#include <string.h>

#include "train/eval.h"

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static long long whole(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

/* A name in a table: what would end the cell or the line is replaced. */
static void put_name(itemi_buf *buf, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text || !*text)
        text = "(not named)";
    for (; *text; text++) {
        bool breaks = *text == '|' || (unsigned char)*text < 0x20;
        itemi_buf_add(buf, breaks ? " " : text, 1);
    }
}

static void put_figure(itemi_buf *buf, double value, const char *format)
{
    if (isnan(value))
        itemi_buf_puts(buf, "-");
    else if (strcmp(format, "%") == 0)
        itemi_buf_printf(buf, "%.1f %%", 100 * value);
    else
        itemi_buf_printf(buf, "%.3f", value);
}

/* " value (low to high) |" */
static void put_cell(itemi_buf *buf, const json_t *object, const char *key, const char *format)
{
    char name[64];
    const json_t *interval;
    size_t length = strlen(key);
    memcpy(name, key, length);
    memcpy(name + length, "_interval", sizeof "_interval");
    interval = json_object_get(object, name);
    itemi_buf_puts(buf, " ");
    put_figure(buf, number(object, key), format);
    if (json_array_size(interval) == 2) {
        itemi_buf_puts(buf, " (");
        put_figure(buf, json_number_value(json_array_get(interval, 0)), format);
        itemi_buf_puts(buf, " to ");
        put_figure(buf, json_number_value(json_array_get(interval, 1)), format);
        itemi_buf_puts(buf, ")");
    }
    itemi_buf_puts(buf, " |");
}

/* "real/unsure/ai" */
static void put_called(itemi_buf *buf, const json_t *object, const char *key)
{
    const json_t *called = json_object_get(object, key);
    itemi_buf_printf(buf, " %lld/%lld/%lld |", whole(called, "real"), whole(called, "unsure"),
                     whole(called, "ai"));
}

static void put_count(itemi_buf *buf, long long count, const char *noun)
{
    itemi_buf_printf(buf, "%lld %s%s", count, noun, count == 1 ? "" : "s");
}

/* "12 pictures: 5 AI, 7 photographs; 1 left out." */
static void put_counts(itemi_buf *buf, const json_t *data)
{
    put_count(buf, whole(data, "rows"), "picture");
    itemi_buf_printf(buf, ": %lld AI, ", whole(data, "ai"));
    put_count(buf, whole(data, "real"), "photograph");
    itemi_buf_printf(buf, "; %lld left out.\n\n", whole(data, "failed"));
}

/* What was decided of the sources that the headline is about. */
static void put_decided(itemi_buf *buf, const json_t *head)
{
    if (isnan(number(head, "right_when_decided"))) {
        itemi_buf_puts(buf, "All pictures of these sources are `unsure`.\n\n");
        return;
    }
    itemi_buf_puts(buf, "Of the pictures of these sources ");
    put_figure(buf, number(head, "unsure"), "%");
    itemi_buf_puts(buf, " are `unsure`. Of the others ");
    put_figure(buf, number(head, "right_when_decided"), "%");
    itemi_buf_puts(buf, " are right.\n\n");
}

static void put_headline(itemi_buf *buf, const json_t *root)
{
    const json_t *head = json_object_get(root, "headline");
    bool training = json_object_get(root, "network") != NULL;
    itemi_buf_printf(buf, "# %s\n\n", training ? "Training" : "Evaluation");
    put_counts(buf, json_object_get(root, "data"));
    if (training)
        itemi_buf_puts(buf, "All figures are of pictures that the scoring network had not"
                            " seen (held-out folds).\n\n");
    if (whole(head, "sources") == 0) {
        itemi_buf_puts(buf, "No source has both labels, so nothing can be said within a"
                            " source.\n\n");
        return;
    }
    if (whole(head, "sources") == 1)
        itemi_buf_puts(buf, "Of the one source that has both labels:\n\n");
    else
        itemi_buf_printf(buf, "Mean over the %lld sources that have both labels:\n\n",
                         whole(head, "sources"));
    itemi_buf_puts(buf, "| AUC | average precision | found at 1 % false positives | at 5 % |\n"
                        "|---|---|---|---|\n|");
    put_cell(buf, head, "auc", "");
    put_cell(buf, head, "ap", "");
    put_cell(buf, head, "tpr1", "%");
    put_cell(buf, head, "tpr5", "%");
    itemi_buf_puts(buf, "\n\n");
    put_decided(buf, head);
}

static void put_sources(itemi_buf *buf, const json_t *root)
{
    size_t i;
    const json_t *row;
    itemi_buf_puts(buf,
                   "## Sources\n\nCalled: real/unsure/ai.\n\n"
                   "| source | photographs | AI | AUC | found at 1 % false positives | at 5 % |"
                   " photographs called | AI called |\n"
                   "|---|---|---|---|---|---|---|---|\n");
    json_array_foreach(json_object_get(root, "sources"), i, row)
    {
        itemi_buf_puts(buf, "| ");
        put_name(buf, row, "source");
        itemi_buf_printf(buf, " | %lld | %lld |", whole(row, "real"), whole(row, "ai"));
        put_cell(buf, row, "auc", "");
        put_cell(buf, row, "tpr1", "%");
        put_cell(buf, row, "tpr5", "%");
        put_called(buf, row, "photographs_called");
        put_called(buf, row, "ai_called");
        itemi_buf_puts(buf, "\n");
    }
}

static void put_generators(itemi_buf *buf, const json_t *root)
{
    const json_t *table = json_object_get(root, "generators"), *row;
    size_t i;
    if (json_array_size(table) == 0)
        return;
    itemi_buf_puts(buf, "\n## Generators\n\nAUC: against the photographs of the same sources.\n\n"
                        "| generator | AI | AUC | called | called `ai` |\n|---|---|---|---|---|\n");
    json_array_foreach(table, i, row)
    {
        itemi_buf_puts(buf, "| ");
        put_name(buf, row, "generator");
        itemi_buf_printf(buf, " | %lld |", whole(row, "ai"));
        put_cell(buf, row, "auc", "");
        put_called(buf, row, "ai_called");
        put_cell(buf, row, "recall", "%");
        itemi_buf_puts(buf, "\n");
    }
}

static void put_verdicts(itemi_buf *buf, const json_t *root)
{
    const json_t *v = json_object_get(root, "verdicts"), *c = json_object_get(root, "calibration");
    const char *threshold = json_string_value(json_object_get(v, "threshold"));
    itemi_buf_printf(buf,
                     "\n## Verdicts at %s, all pictures\n\n"
                     "| | promised false positives | false positives | AI found | unsure | right"
                     " when decided |\n|---|---|---|---|---|---|\n| all |",
                     threshold ? threshold : "?");
    put_cell(buf, v, "promised", "%");
    put_cell(buf, v, "false_positive_rate", "%");
    put_cell(buf, v, "recall", "%");
    put_cell(buf, v, "unsure", "%");
    put_cell(buf, v, "right_when_decided", "%");
    itemi_buf_puts(buf, "\n\nCalibration error ");
    put_figure(buf, number(c, "ece"), "");
    itemi_buf_puts(buf, ", Brier score ");
    put_figure(buf, number(c, "brier"), "");
    itemi_buf_puts(buf, " (equal weight by label and source).\n");
}

static void put_false_positives(itemi_buf *buf, const json_t *root)
{
    const json_t *table = json_object_get(root, "false_positives"), *row;
    size_t i;
    if (json_array_size(table) == 0)
        return;
    itemi_buf_puts(buf, "\n## Photographs called `ai`, the worst source first\n\n"
                        "| source | photographs | called `ai` | rate |\n|---|---|---|---|\n");
    json_array_foreach(table, i, row)
    {
        itemi_buf_puts(buf, "| ");
        put_name(buf, row, "source");
        itemi_buf_printf(buf, " | %lld | %lld |", whole(row, "real"), whole(row, "called_ai"));
        put_cell(buf, row, "rate", "%");
        itemi_buf_puts(buf, "\n");
    }
}

static void put_controls(itemi_buf *buf, const json_t *root)
{
    const json_t *table = json_object_get(root, "controls"), *row;
    size_t i;
    if (json_array_size(table) == 0)
        return;
    itemi_buf_puts(buf, "\n## Controls\n\nWhat should not be needed to tell the labels apart."
                        " Within each source, mean.\n\n| control | AUC | mixed AUC |\n"
                        "|---|---|---|\n");
    json_array_foreach(table, i, row)
    {
        itemi_buf_puts(buf, "| ");
        put_name(buf, row, "control");
        itemi_buf_puts(buf, " |");
        put_cell(buf, row, "auc", "");
        put_cell(buf, row, "mixed_auc", "");
        itemi_buf_puts(buf, "\n");
    }
}

static void put_comparison(itemi_buf *buf, const json_t *root)
{
    const json_t *c = json_object_get(root, "comparison");
    if (!c)
        return;
    itemi_buf_puts(buf, "\n## Against ");
    put_name(buf, c, "rival");
    itemi_buf_puts(buf, "\n\nDifference on the same pictures, mean over the sources; above 0 the"
                        " head is better.\n\n| | AUC | average precision | at 1 % | at 5 % |\n"
                        "|---|---|---|---|---|\n");
    const char *const keys[] = {"rival_figures", "difference"};
    for (size_t i = 0; i < ITEMI_COUNT(keys); i++) {
        const json_t *row = json_object_get(c, keys[i]);
        itemi_buf_printf(buf, "| %s |", i ? "difference" : "rival");
        put_cell(buf, row, "auc", "");
        put_cell(buf, row, "ap", "");
        put_cell(buf, row, "tpr1", "%");
        put_cell(buf, row, "tpr5", "%");
        itemi_buf_puts(buf, "\n");
    }
}

static void put_warnings(itemi_buf *buf, const json_t *root)
{
    size_t i;
    const json_t *line;
    json_array_foreach(json_object_get(root, "warnings"), i, line)
    {
        itemi_buf_printf(buf, "%s- Warning: %s\n", i ? "" : "\n", json_string_value(line));
    }
}

char *itemi_report_render(const json_t *root)
{
    itemi_buf buf;
    itemi_buf_init(&buf, NULL);
    put_headline(&buf, root);
    put_sources(&buf, root);
    put_generators(&buf, root);
    put_verdicts(&buf, root);
    put_false_positives(&buf, root);
    put_controls(&buf, root);
    put_comparison(&buf, root);
    itemi_buf_puts(&buf, "\nOver all pictures together (mixed, so it also rewards knowing the"
                         " source): AUC ");
    put_figure(&buf, number(json_object_get(root, "mixed"), "auc"), "");
    itemi_buf_puts(&buf, ".\n");
    put_warnings(&buf, root);
    return itemi_buf_take(&buf);
}
