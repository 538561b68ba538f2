/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of a data set, each kept once: sources and scenes repeat from row to row. */
#include <string.h>

#include "train/data.h"

/* FNV-1a */
static size_t hash(const char *text)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001b3u;
    return (size_t)(h ^ (h >> 32));
}

/* Where a text stands in the table, or the free slot where it would. */
static size_t slot_of(const itemi_texts *texts, const char *text)
{
    size_t at = hash(text) & (texts->slots - 1);
    while (texts->table[at] && strcmp(texts->text[texts->table[at] - 1], text) != 0)
        at = (at + 1) & (texts->slots - 1);
    return at;
}

static bool grow(itemi_texts *texts)
{
    size_t slots = texts->slots ? 2 * texts->slots : 64, room = slots / 2;
    char **text = itemi_resize_array(NULL, texts->text, room, sizeof *text);
    if (!text)
        return false;
    texts->text = text;
    texts->room = room;
    uint32_t *table = itemi_alloc_zero(NULL, slots, sizeof *table);
    if (!table)
        return false;
    itemi_free(NULL, texts->table);
    texts->table = table;
    texts->slots = slots;
    for (size_t i = 0; i < texts->count; i++)
        table[slot_of(texts, texts->text[i])] = (uint32_t)i + 1;
    return true;
}

bool itemi_texts_add(itemi_texts *texts, const char *text, uint32_t *id)
{
    if (texts->count >= texts->slots / 2 && (texts->count > UINT32_MAX / 4 || !grow(texts)))
        return false;
    size_t at = slot_of(texts, text);
    if (!texts->table[at]) {
        char *copy = itemi_strdup(NULL, text);
        if (!copy)
            return false;
        texts->text[texts->count++] = copy;
        texts->table[at] = (uint32_t)texts->count;
    }
    *id = texts->table[at] - 1;
    return true;
}

uint32_t itemi_texts_find(const itemi_texts *texts, const char *text)
{
    uint32_t found = texts->slots ? texts->table[slot_of(texts, text)] : 0;
    return found ? found - 1 : UINT32_MAX;
}

void itemi_texts_free(itemi_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        itemi_free(NULL, texts->text[i]);
    itemi_free(NULL, texts->text);
    itemi_free(NULL, texts->table);
    *texts = (itemi_texts){0};
}
