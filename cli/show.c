/* SPDX-License-Identifier: Apache-2.0 */
/* Answers for people: a short block a picture, coloured on a terminal. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "index.h"

#define INDENT 15 /* columns before the text: "unsure   43 %  " */

void cli_show_check_header(void)
{
    cli_print_coloured(CLI_DIM, "%-7s %5s  %s", "VERDICT", "P(AI)", "PICTURE");
    putchar('\n');
}

static const char *verdict_colour(int32_t verdict)
{
    switch (verdict) {
    case ITEM_VERDICT_AI:
        return CLI_RED;
    case ITEM_VERDICT_REAL:
        return CLI_GREEN;
    case ITEM_VERDICT_UNSURE:
        return CLI_YELLOW;
    default:
        return CLI_DIM;
    }
}

static void print_indented(const char *text)
{
    char *clean = cli_escaped(text);
    printf("%*s", INDENT, "");
    cli_print_wrapped(stdout, clean, INDENT, cli_width());
    free(clean);
}

static void show_quoted(const char *text, const char *rest)
{
    size_t size = strlen(text) + strlen(rest) + sizeof "\"\"";
    char *line = cli_resize(NULL, size, 1);
    snprintf(line, size, "\"%s\"%s", text, rest);
    print_indented(line);
    free(line);
}

static void show_caption(const item_result *result)
{
    const char *source = item_result_text(result, ITEM_TEXT_CAPTION_SOURCE);
    show_quoted(item_result_text(result, ITEM_TEXT_CAPTION),
                strcmp(source, "caller") == 0 ? " (your caption)" : "");
}

static void show_objects(const item_result *result, uint32_t count)
{
    char *line = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&line, &size);
    if (!out)
        cli_out_of_memory();
    fprintf(out, count == 0 ? "no objects" : "%u object%s:", count, count == 1 ? "" : "s");
    for (uint32_t i = 0; i < count; i++) {
        item_object object = ITEM_OBJECT_INIT;
        if (item_result_get_object(result, i, &object, NULL) == ITEM_OK)
            fprintf(out, "%s %s (%.0f %%)", i > 0 ? "," : "", object.phrase, object.score * 100);
    }
    fclose(out);
    print_indented(line);
    free(line);
}

static void show_first_line(int32_t verdict, const char *verdict_name, double probability,
                            const char *file)
{
    char *name = cli_escaped(file);
    cli_print_coloured(verdict_colour(verdict), "%-7s", verdict_name);
    if (isnan(probability))
        printf(" %5s  ", "-");
    else
        printf(" %3.0f %%  ", probability * 100);
    cli_print_coloured(CLI_BOLD, "%s", name);
    putchar('\n');
    free(name);
}

void cli_show_row(const char *verdict, const item_index_row *row)
{
    show_first_line(row->verdict, verdict, row->probability, row->path);
    show_quoted(row->caption, "");
}

/* What the file says of itself, on one line that says what it is worth. */
static void show_provenance(const item_result *result)
{
    const item_provenance *provenance = item_result_provenance(result);
    const uint32_t count = item_provenance_count(provenance);
    if (count == 0)
        return;
    char *line = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&line, &size);
    if (!out)
        cli_out_of_memory();
    fputs("The file says, unverified and apart from the score: ", out);
    const char *last = "";
    for (uint32_t i = 0; i < count; i++) {
        item_provenance_entry entry = ITEM_PROVENANCE_ENTRY_INIT;
        if (item_provenance_get(provenance, i, &entry, NULL) != ITEM_OK ||
            strcmp(entry.text, last) == 0) /* a generator that writes two texts is named once */
            continue;
        fprintf(out, "%s%s", i > 0 ? "; " : "", entry.text);
        last = entry.text;
    }
    fclose(out);
    print_indented(line);
    free(line);
}

void cli_show_result(const item_result *result, const char *file)
{
    item_result_summary summary = ITEM_RESULT_SUMMARY_INIT;
    if (item_result_get_summary(result, &summary, NULL) != ITEM_OK)
        return;
    show_first_line(summary.verdict, item_result_text(result, ITEM_TEXT_VERDICT),
                    summary.probability, file);
    show_caption(result);
    show_objects(result, summary.objects);
    print_indented(item_result_text(result, ITEM_TEXT_REASON_LINE));
    show_provenance(result);
    for (uint32_t i = 0; item_result_warning(result, i); i++)
        print_indented(item_result_warning(result, i));
}

/* What follows "FILE: ", or NULL. The library escapes bytes, where cli_escaped() knows more. */
static const char *after_name(const char *message, const char *file)
{
    char escaped[8];
    for (; *file; file++) {
        const char *known = strchr("\nn\rr\tt", *file);
        if (*message == *file) {
            message++;
            continue;
        }
        if (known && (unsigned char)*file < ' ')
            snprintf(escaped, sizeof(escaped), "\\%c", known[1]);
        else
            snprintf(escaped, sizeof(escaped), "\\x%02x", (unsigned char)*file);
        if (strncmp(message, escaped, strlen(escaped)) != 0)
            return NULL;
        message += strlen(escaped);
    }
    return strncmp(message, ": ", 2) == 0 ? message + 2 : NULL;
}

void cli_show_failure(const char *file, const char *message)
{
    char *name = cli_escaped(file);
    cli_print_coloured(CLI_RED, "%-*s", INDENT, "failed");
    cli_print_coloured(CLI_BOLD, "%s", name);
    putchar('\n');
    /* most messages begin with the file's name: once is enough */
    const char *reason = after_name(message, file);
    print_indented(reason ? reason : message);
    free(name);
}
