/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of other machines, a JSON object a line, brought into an index. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "index.h"

#define AT_ONCE 1000 /* lines that are kept or refused together */

/* Takes the lines that were gathered; `before`: how many stood before them. */
static bool import_some(const cli_args *args, const char *name, item_index *index, cli_list *lines,
                        size_t before)
{
    item_error err = ITEM_ERROR_INIT;
    item_status status =
        item_index_import(index, (const char *const *)lines->items, lines->count, &err);
    cli_list_clear(lines);
    if (status != ITEM_OK)
        cli_complain(args, "%s, after line %zu: %s", name, before, err.message);
    return status == ITEM_OK;
}

static bool import_lines(const cli_args *args, const char *name, FILE *in, item_index *index)
{
    cli_list lines = {NULL, 0, 0};
    char *line = NULL;
    size_t room = 0, before = 0;
    bool good = true;
    for (ssize_t n; good && (n = getline(&line, &room, in)) >= 0;) {
        if (strlen(line) != (size_t)n) /* a NUL ends the text, not the line */
            line[0] = '\0';
        cli_list_add(&lines, line);
        if (lines.count == AT_ONCE) {
            good = import_some(args, name, index, &lines, before);
            before += AT_ONCE;
        }
    }
    if (good && ferror(in)) {
        cli_complain(args, "%s: cannot be read: %s", name, strerror(errno));
        good = false;
    }
    good = good && import_some(args, name, index, &lines, before);
    cli_list_free(&lines);
    free(line);
    return good;
}

bool cli_import(const cli_args *args, const char *name, item_index *index)
{
    if (strcmp(name, "-") == 0)
        return import_lines(args, "standard input", stdin, index);
    FILE *in = fopen(name, "r");
    if (!in) {
        cli_complain(args, "%s: cannot be opened: %s", name, strerror(errno));
        return false;
    }
    bool good = import_lines(args, name, in, index);
    fclose(in);
    return good;
}
