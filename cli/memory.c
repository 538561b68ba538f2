/* SPDX-License-Identifier: Apache-2.0 */
/* Memory and lists of texts. A program may give up where a library may not. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

void cli_out_of_memory(void)
{
    fputs("item: out of memory\n", stderr);
    exit(CLI_FAILED);
}

void *cli_resize(void *block, size_t count, size_t size)
{
    void *out = count > SIZE_MAX / size ? NULL : realloc(block, count * size);
    if (!out)
        cli_out_of_memory();
    return out;
}

char *cli_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(cli_resize(NULL, size, 1), text, size);
}

void cli_list_add(cli_list *list, const char *text)
{
    if (list->count == list->room) {
        list->room = list->room ? list->room * 2 : 16;
        list->items = cli_resize(list->items, list->room, sizeof(*list->items));
    }
    list->items[list->count++] = cli_copy(text);
}

void cli_list_clear(cli_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    list->count = 0;
}

void cli_list_free(cli_list *list)
{
    cli_list_clear(list);
    free(list->items);
    *list = (cli_list){NULL, 0, 0};
}
