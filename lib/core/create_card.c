/* SPDX-License-Identifier: Apache-2.0 */
/* The model card of a pack that was made: what is known of it, and what people must say. */
#include <string.h>

#include "core/create.h"

/* One line of Markdown, whatever others wrote into it. */
static void add_line(itemi_buf *text, const char *key, const char *value)
{
    char line[256];
    itemi_escape(line, sizeof line, value && *value ? value : "not known");
    itemi_buf_printf(text, "  - %s: %s\n", key, line);
}

static double bytes_of(const json_t *stage)
{
    double bytes = 0;
    const char *role;
    json_t *file;
    json_object_foreach(json_object_get(stage, "files"), role, file)
    {
        bytes += (double)json_integer_value(json_object_get(file, "bytes"));
    }
    return bytes;
}

static void add_stages(itemi_buf *text, const json_t *stages)
{
    const char *word;
    json_t *stage;
    json_object_foreach((json_t *)(uintptr_t)stages, word, stage)
    {
        itemi_buf_printf(text, "- **%s**\n", word);
        add_line(text, "family", json_string_value(json_object_get(stage, "family")));
        add_line(text, "source", json_string_value(json_object_get(stage, "source")));
        add_line(text, "licence", json_string_value(json_object_get(stage, "licence")));
        itemi_buf_printf(text, "  - size: %.1f MB\n", bytes_of(stage) / 1e6);
    }
}

static void add_head(itemi_buf *text, const itemi_head *head)
{
    if (!head) {
        itemi_buf_puts(text,
                       "None: this pack gives no verdict. `item train --pack FOLDER --out head"
                       ".safetensors PICTURES` makes\none of labelled pictures; `--head` of `item "
                       "pack create` puts it in.\n");
        return;
    }
    const itemi_head_facts *facts = itemi_head_get_facts(head);
    add_line(text, "features", facts->layout_name);
    add_line(text, "trained on", facts->trained_on);
    add_line(text, "made by libitem", facts->library);
}

char *itemi_making_card(const itemi_making *m)
{
    char name[256];
    itemi_buf text;
    itemi_buf_init(&text, NULL);
    itemi_escape(name, sizeof name, json_string_value(json_object_get(m->root, "name")));
    itemi_buf_printf(&text, "# %s: model card\n\n", name);
    itemi_buf_printf(&text,
                     "Made by libitem %s. What stands in angle brackets is to be filled in.\n\n"
                     "## Stages\n\n",
                     item_version());
    add_stages(&text, json_object_get(m->root, "stages"));
    itemi_buf_puts(&text, "\nThe terms that came with a stage lie in its folder.\n\n## Head\n\n");
    add_head(&text, m->head);
    itemi_buf_puts(&text,
                   "\n## Use\n\n<what this pack is meant for, and what not>\n\n"
                   "## How good it is\n\n<the report of `item eval` on pictures that the head was "
                   "not trained on>\n\n"
                   "## Limits\n\n<which pictures it gets wrong>\n");
    return itemi_buf_take(&text);
}
