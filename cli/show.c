/* SPDX-License-Identifier: Apache-2.0 */
/* Answers for people: a short block a picture, coloured on a terminal. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

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

static void show_caption(const item_result *result)
{
    const char *caption = item_result_text(result, ITEM_TEXT_CAPTION);
    const char *source = item_result_text(result, ITEM_TEXT_CAPTION_SOURCE);
    bool own = strcmp(source, "caller") == 0;
    size_t size = strlen(caption) + 32;
    char *line = cli_resize(NULL, size, 1);
    snprintf(line, size, "\"%s\"%s", caption, own ? " (your caption)" : "");
    print_indented(line);
    free(line);
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

void cli_show_result(const item_result *result, const char *file)
{
    item_result_summary summary = ITEM_RESULT_SUMMARY_INIT;
    if (item_result_get_summary(result, &summary, NULL) != ITEM_OK)
        return;
    char *name = cli_escaped(file);
    cli_print_coloured(verdict_colour(summary.verdict), "%-7s",
                       item_result_text(result, ITEM_TEXT_VERDICT));
    if (isnan(summary.probability))
        printf(" %5s  ", "-");
    else
        printf(" %3.0f %%  ", summary.probability * 100);
    cli_print_coloured(CLI_BOLD, "%s", name);
    putchar('\n');
    free(name);
    show_caption(result);
    show_objects(result, summary.objects);
    print_indented(item_result_text(result, ITEM_TEXT_REASON_LINE));
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
