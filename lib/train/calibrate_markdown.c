/* SPDX-License-Identifier: Apache-2.0 */
/* The report of a calibration as Markdown. */
#include <math.h>

#include "train/eval.h"
#include "train/markdown.h"

static void put_counts(itemi_buf *buf, const json_t *root)
{
    const json_t *data = json_object_get(root, "data");
    itemi_buf_puts(buf, "# Calibration\n\n");
    itemi_md_count(buf, itemi_md_whole(data, "photographs"), "different photograph");
    itemi_buf_printf(buf, "; %lld more are copies of these, %lld left out.\n\n",
                     itemi_md_whole(data, "copies"), itemi_md_whole(data, "failed"));
}

static void put_thresholds(itemi_buf *buf, const json_t *root)
{
    size_t i;
    const json_t *row;
    itemi_buf_printf(buf,
                     "Of all photographs of the same kind, at most the promised share is called"
                     " `ai`, with confidence %.4g %%:\n\n"
                     "| threshold | promised | photographs needed | may reach it | reach it | score"
                     " before | score |\n|---|---|---|---|---|---|---|\n",
                     100 * itemi_md_number(root, "confidence"));
    json_array_foreach(json_object_get(root, "thresholds"), i, row)
    {
        const char *const scores[] = {"score_before", "score"};
        itemi_buf_puts(buf, "| ");
        itemi_md_name(buf, row, "threshold");
        itemi_buf_puts(buf, " |");
        itemi_md_cell(buf, row, "promised", "%");
        itemi_buf_printf(buf, " %lld |", itemi_md_whole(row, "needed"));
        if (isnan(itemi_md_number(row, "allowed")))
            itemi_buf_puts(buf, " - | - |");
        else
            itemi_buf_printf(buf, " %lld | %lld |", itemi_md_whole(row, "allowed"),
                             itemi_md_whole(row, "above"));
        for (size_t k = 0; k < ITEMI_COUNT(scores); k++) {
            if (isnan(itemi_md_number(row, scores[k])))
                itemi_buf_puts(buf, " never |");
            else
                itemi_md_cell(buf, row, scores[k], "");
        }
        itemi_buf_puts(buf, "\n");
    }
}

static void put_called(itemi_buf *buf, const json_t *root)
{
    size_t i;
    const json_t *row;
    itemi_buf_puts(buf, "\n## These photographs before and after\n\nCalled: real/unsure/ai. What"
                        " is said after is of the photographs that set the thresholds: the promise"
                        " is for others.\n\n"
                        "| threshold | called before | false positives before | called | false"
                        " positives |\n|---|---|---|---|---|\n");
    json_array_foreach(json_object_get(root, "thresholds"), i, row)
    {
        itemi_buf_puts(buf, "| ");
        itemi_md_name(buf, row, "threshold");
        itemi_buf_puts(buf, " |");
        itemi_md_called(buf, row, "called_before");
        itemi_md_cell(buf, row, "false_positive_rate_before", "%");
        itemi_md_called(buf, row, "called");
        itemi_md_cell(buf, row, "false_positive_rate", "%");
        itemi_buf_puts(buf, "\n");
    }
}

char *itemi_calibration_render(const json_t *root)
{
    itemi_buf buf;
    itemi_buf_init(&buf, NULL);
    put_counts(&buf, root);
    put_thresholds(&buf, root);
    put_called(&buf, root);
    itemi_md_warnings(&buf, root);
    return itemi_buf_take(&buf);
}
