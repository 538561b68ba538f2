/* SPDX-License-Identifier: Apache-2.0 */
/* The licence of a published model: the line of its README.md, or the title of its LICENSE. */
#include <string.h>

#include "core/published.h"

#define BYTES_MAX (1u << 20)

/* A line of a text that need not be ended; moves behind it. False at the end. */
static bool next_line(const char **at, const char *end, const char **line, size_t *length)
{
    if (*at >= end)
        return false;
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    *line = *at;
    *length = (size_t)((stop ? stop : end) - *at);
    *at = stop ? stop + 1 : end;
    return true;
}

static void keep(const char *text, size_t length, char out[ITEMI_LICENCE_MAX])
{
    static const char around[] = " \t\r\"'";
    char plain[ITEMI_LICENCE_MAX];
    while (length && strchr(around, *text)) {
        text++;
        length--;
    }
    while (length && strchr(around, text[length - 1]))
        length--;
    itemi_format(plain, sizeof plain, "%.*s", (int)(length < 96 ? length : 96), text);
    itemi_escape(out, ITEMI_LICENCE_MAX, plain);
}

/* "license: mit" between the two lines "---" that a model card begins with. */
static void read_card(const char *at, const char *end, char out[ITEMI_LICENCE_MAX])
{
    static const char key[] = "license:";
    const char *line;
    size_t length;
    if (!next_line(&at, end, &line, &length) || length < 3 || memcmp(line, "---", 3) != 0)
        return;
    while (!*out && next_line(&at, end, &line, &length)) {
        if (length >= 3 && memcmp(line, "---", 3) == 0)
            return;
        if (length > sizeof key - 1 && memcmp(line, key, sizeof key - 1) == 0)
            keep(line + sizeof key - 1, length - (sizeof key - 1), out);
    }
}

static void read_title(const char *at, const char *end, char out[ITEMI_LICENCE_MAX])
{
    const char *line;
    size_t length;
    while (!*out && next_line(&at, end, &line, &length))
        keep(line, length, out);
}

item_status itemi_licence_find(const itemi_mem *mem, const char *path, char out[ITEMI_LICENCE_MAX],
                               item_error *err)
{
    static const struct {
        const char *name;
        void (*read)(const char *at, const char *end, char out[ITEMI_LICENCE_MAX]);
    } files[] = {{"README.md", read_card},
                 {"LICENSE", read_title},
                 {"LICENSE.txt", read_title},
                 {"LICENSE.md", read_title}};
    *out = '\0';
    for (size_t i = 0; i < ITEMI_COUNT(files) && !*out; i++) {
        itemi_file file = {0};
        char name[ITEMI_BESIDE_MAX];
        item_error why = ITEM_ERROR_INIT;
        if (!itemi_beside(path, files[i].name, name))
            continue;
        item_status status = itemi_file_open(mem, name, BYTES_MAX, false, &file, &why);
        if (status == ITEM_E_MEMORY)
            return itemi_fail_as(err, &why);
        if (status != ITEM_OK)
            continue; /* not there, or no text */
        const char *text = (const char *)file.data;
        files[i].read(text, text + file.size, out);
        itemi_file_close(&file);
    }
    return ITEM_OK;
}
