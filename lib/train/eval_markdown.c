/* SPDX-License-Identifier: Apache-2.0 */
/* A report as Markdown, rendered from its JSON, so that both say the same. */
#include <math.h>
#include <string.h>

#include "train/eval.h"
#include "train/markdown.h"

/* "12 pictures: 5 AI, 7 photographs; 1 left out." */
static void put_counts(itemi_buf *buf, const json_t *data)
{
    itemi_md_count(buf, itemi_md_whole(data, "rows"), "picture");
    itemi_buf_printf(buf, ": %lld AI, ", itemi_md_whole(data, "ai"));
    itemi_md_count(buf, itemi_md_whole(data, "real"), "photograph");
    itemi_buf_printf(buf, "; %lld left out.\n", itemi_md_whole(data, "failed"));
}

/* "| name |", marked where a head was trained on it. */
static void put_row_name(itemi_buf *buf, const json_t *row, const char *key)
{
    itemi_buf_puts(buf, "| ");
    itemi_md_name(buf, row, key);
    itemi_buf_puts(buf, json_is_true(json_object_get(row, "known")) ? " (known) |" : " |");
}

/* What was decided of the sources that the headline is about. */
static void put_decided(itemi_buf *buf, const json_t *head)
{
    if (isnan(itemi_md_number(head, "right_when_decided"))) {
        itemi_buf_puts(buf, "All pictures of these sources are `unsure`.\n\n");
        return;
    }
    itemi_buf_puts(buf, "Of the pictures of these sources ");
    itemi_md_figure(buf, itemi_md_number(head, "unsure"), "%");
    itemi_buf_puts(buf, " are `unsure`. Of the others ");
    itemi_md_figure(buf, itemi_md_number(head, "right_when_decided"), "%");
    itemi_buf_puts(buf, " are right.\n\n");
}

/* The four measures of a row, and its end. */
static void put_measures(itemi_buf *buf, const json_t *row)
{
    itemi_md_cell(buf, row, "auc", "");
    itemi_md_cell(buf, row, "ap", "");
    itemi_md_cell(buf, row, "tpr1", "%");
    itemi_md_cell(buf, row, "tpr5", "%");
    itemi_buf_puts(buf, "\n");
}

static void put_headline(itemi_buf *buf, const json_t *root)
{
    const json_t *head = json_object_get(root, "headline");
    bool training = json_object_get(root, "network") != NULL;
    itemi_buf_printf(buf, "# %s\n\n", training ? "Training" : "Evaluation");
    put_counts(buf, json_object_get(root, "data"));
    itemi_md_warnings(buf, root);
    itemi_buf_puts(buf, "\n");
    if (training)
        itemi_buf_puts(buf, "All figures are of pictures that the scoring network had not"
                            " seen (held-out folds).\n\n");
    if (itemi_md_whole(head, "sources") == 0) {
        itemi_buf_puts(buf, "No source has both labels, so nothing can be said within a"
                            " source.\n\n");
        return;
    }
    if (itemi_md_whole(head, "sources") == 1)
        itemi_buf_puts(buf, "Of the one source that has both labels:\n\n");
    else
        itemi_buf_printf(buf, "Mean over the %lld sources that have both labels:\n\n",
                         itemi_md_whole(head, "sources"));
    itemi_buf_puts(buf, "| AUC | average precision | found at 1 % false positives | at 5 % |\n"
                        "|---|---|---|---|\n|");
    put_measures(buf, head);
    itemi_buf_puts(buf, "\n");
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
        put_row_name(buf, row, "source");
        itemi_buf_printf(buf, " %lld | %lld |", itemi_md_whole(row, "real"),
                         itemi_md_whole(row, "ai"));
        itemi_md_cell(buf, row, "auc", "");
        itemi_md_cell(buf, row, "tpr1", "%");
        itemi_md_cell(buf, row, "tpr5", "%");
        itemi_md_called(buf, row, "photographs_called");
        itemi_md_called(buf, row, "ai_called");
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
                        "| generator | AI | AUC | found at 5 % false positives | called | called"
                        " `ai` |\n|---|---|---|---|---|---|\n");
    json_array_foreach(table, i, row)
    {
        put_row_name(buf, row, "generator");
        itemi_buf_printf(buf, " %lld |", itemi_md_whole(row, "ai"));
        itemi_md_cell(buf, row, "auc", "");
        itemi_md_cell(buf, row, "tpr5", "%");
        itemi_md_called(buf, row, "ai_called");
        itemi_md_cell(buf, row, "recall", "%");
        itemi_buf_puts(buf, "\n");
    }
}

static void put_reasons(itemi_buf *buf, const json_t *verdicts)
{
    size_t i;
    const json_t *row;
    itemi_buf_puts(buf,
                   "\n| reason | photographs | AI | of all | wrong |\n|---|---|---|---|---|\n");
    json_array_foreach(json_object_get(verdicts, "by_reason"), i, row)
    {
        if (itemi_md_whole(row, "real") + itemi_md_whole(row, "ai") == 0)
            continue;
        itemi_buf_printf(buf, "| `%s` | %lld | %lld |",
                         json_string_value(json_object_get(row, "reason")),
                         itemi_md_whole(row, "real"), itemi_md_whole(row, "ai"));
        itemi_md_cell(buf, row, "share", "%");
        itemi_md_cell(buf, row, "wrong", "%");
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
    itemi_md_cell(buf, v, "promised", "%");
    itemi_md_cell(buf, v, "false_positive_rate", "%");
    itemi_md_cell(buf, v, "recall", "%");
    itemi_md_cell(buf, v, "unsure", "%");
    itemi_md_cell(buf, v, "right_when_decided", "%");
    itemi_buf_puts(buf, "\n\nOf probabilities, equal weight by label and source:\n\n"
                        "| calibration error | Brier score |\n|---|---|\n|");
    itemi_md_cell(buf, c, "ece", "");
    itemi_md_cell(buf, c, "brier", "");
    itemi_buf_puts(buf, "\n");
    put_reasons(buf, v);
}

static void put_false_positives(itemi_buf *buf, const json_t *root)
{
    const json_t *table = json_object_get(root, "false_positives"), *row;
    size_t i;
    if (json_array_size(table) == 0)
        return;
    itemi_buf_puts(buf, "\n## Photographs called `ai`, the worst source first\n\n"
                        "| source | photographs | called `ai` | rate | |\n|---|---|---|---|---|\n");
    json_array_foreach(table, i, row)
    {
        put_row_name(buf, row, "source");
        itemi_buf_printf(buf, " %lld | %lld |", itemi_md_whole(row, "real"),
                         itemi_md_whole(row, "called_ai"));
        itemi_md_cell(buf, row, "rate", "%");
        bool above = json_is_true(json_object_get(row, "above_promise"));
        itemi_buf_puts(buf, above ? " above the promise |\n" : " |\n");
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
        itemi_md_name(buf, row, "control");
        itemi_buf_puts(buf, " |");
        itemi_md_cell(buf, row, "auc", "");
        itemi_md_cell(buf, row, "mixed_auc", "");
        itemi_buf_puts(buf, "\n");
    }
}

static void put_comparison(itemi_buf *buf, const json_t *c)
{
    static const char *const keys[] = {"rival_figures", "difference"};
    size_t i;
    const json_t *source;
    itemi_buf_puts(buf, "\n## Against ");
    itemi_md_name(buf, c, "rival");
    itemi_buf_puts(buf, "\n\nDifference on the same pictures; above 0 the head is better.\n\n"
                        "| | AUC | average precision | at 1 % | at 5 % |\n|---|---|---|---|---|\n");
    for (i = 0; i < ITEMI_COUNT(keys); i++) {
        itemi_buf_printf(buf, "| %s |", i ? "mean difference" : "rival, mean");
        put_measures(buf, json_object_get(c, keys[i]));
    }
    json_array_foreach(json_object_get(c, "difference_by_source"), i, source)
    {
        if (isnan(itemi_md_number(source, "auc")))
            continue;
        put_row_name(buf, source, "source");
        put_measures(buf, source);
    }
}

char *itemi_report_render(const json_t *root)
{
    size_t i;
    const json_t *rival;
    itemi_buf buf;
    itemi_buf_init(&buf, NULL);
    put_headline(&buf, root);
    itemi_candidates_render(root, &buf);
    put_sources(&buf, root);
    put_generators(&buf, root);
    put_verdicts(&buf, root);
    put_false_positives(&buf, root);
    put_controls(&buf, root);
    json_array_foreach(json_object_get(root, "comparisons"), i, rival)
    {
        put_comparison(&buf, rival);
    }
    itemi_buf_puts(&buf, "\nOver all pictures together (mixed, so it also rewards knowing the"
                         " source): AUC ");
    itemi_md_figure(&buf, itemi_md_number(json_object_get(root, "mixed"), "auc"), "");
    itemi_buf_puts(&buf, ".\n");
    return itemi_buf_take(&buf);
}
