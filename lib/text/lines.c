/* SPDX-License-Identifier: Apache-2.0 */
/* Vocabularies and merges that come as lines of text. */
#include <string.h>

#include "text/clip_tables.h"
#include "text/text.h"
#include "text/unicode.h"

static item_status check_bytes(const char *text, size_t length, const char *name, item_error *err)
{
    size_t valid = itemi_utf8_valid(text, length);
    if (valid != length)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: byte %zu is not UTF-8", name, valid);
    if (length == 0)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: empty", name);
    const char *nul = memchr(text, '\0', length);
    if (nul)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: byte %zu is NUL", name, (size_t)(nul - text));
    return ITEM_OK;
}

static size_t count_lines(const char *text, size_t length)
{
    size_t lines = 0;
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    return lines + (length > 0 && text[length - 1] != '\n');
}

/* Bytes and lines checked, room for `each` texts a line. */
static item_status start(const itemi_mem *mem, const char *text, size_t length, const char *name,
                         size_t each, itemi_token_text **lines, item_error *err)
{
    *lines = NULL;
    item_status status = check_bytes(text, length, name, err);
    if (status != ITEM_OK)
        return status;
    size_t count = count_lines(text, length);
    if (count > ITEMI_PIECES_MAX)
        return itemi_fail(err, ITEM_E_LIMIT, "%s: %zu lines, the limit is %d", name, count,
                          ITEMI_PIECES_MAX);
    *lines = itemi_alloc_array(mem, count * each, sizeof **lines);
    return *lines ? ITEM_OK : itemi_fail_memory(err, "reading a vocabulary");
}

static itemi_token_text next_line(const char **at, const char *end)
{
    const char *line = *at, *stop = memchr(line, '\n', (size_t)(end - line));
    *at = stop ? stop + 1 : end;
    return (itemi_token_text){line, (size_t)((stop ? stop : end) - line)};
}

/* Where the last character of a text begins. */
static size_t last_character(const itemi_token_text *text)
{
    size_t at = text->length - 1;
    while (at > 0 && ((unsigned char)text->bytes[at] & 0xc0) == 0x80)
        at--;
    return at;
}

static void trim(itemi_token_text *line)
{
    while (line->length > 0) {
        size_t at = last_character(line);
        uint32_t code;
        (void)itemi_utf8_next(line->bytes + at, &code);
        unsigned facts = itemi_unicode_nibble(itemi_clip_index, itemi_clip_blocks, code);
        if ((facts & ITEMI_CLIP_KIND) != ITEMI_CLIP_SPACE)
            return;
        line->length = at;
    }
}

item_status itemi_vocabulary_lines(const itemi_mem *mem, const char *text, size_t length,
                                   const char *name, itemi_token_text **lines, size_t *count,
                                   item_error *err)
{
    *count = 0;
    item_status status = start(mem, text, length, name, 1, lines, err);
    if (status != ITEM_OK)
        return status;
    for (const char *at = text; at < text + length;) {
        itemi_token_text line = next_line(&at, text + length);
        trim(&line);
        (*lines)[(*count)++] = line;
    }
    return ITEM_OK;
}

/* The two words of a line; false unless exactly one blank stands in it, within. */
static bool split(const itemi_token_text *line, itemi_token_text two[2])
{
    const char *blank = memchr(line->bytes, ' ', line->length);
    if (!blank)
        return false;
    const size_t left = (size_t)(blank - line->bytes), right = line->length - left - 1;
    two[0] = (itemi_token_text){line->bytes, left};
    two[1] = (itemi_token_text){blank + 1, right};
    return left && right && !memchr(blank + 1, ' ', right);
}

item_status itemi_merge_lines(const itemi_mem *mem, const char *text, size_t length,
                              const char *name, itemi_token_text **lines, size_t *count,
                              item_error *err)
{
    static const char version[] = "#version";
    *count = 0;
    item_status status = start(mem, text, length, name, 2, lines, err);
    size_t number = 0;
    for (const char *at = text; status == ITEM_OK && at < text + length;) {
        itemi_token_text line = next_line(&at, text + length);
        number++;
        if (line.length && line.bytes[line.length - 1] == '\r')
            line.length--;
        if (line.length >= sizeof version - 1 &&
            memcmp(line.bytes, version, sizeof version - 1) == 0)
            continue;
        if (split(&line, *lines + 2 * *count))
            ++*count;
        else
            status = itemi_fail(err, ITEM_E_FORMAT, "%s: line %zu is not two words", name, number);
    }
    if (status == ITEM_OK)
        return ITEM_OK;
    itemi_free(mem, *lines);
    *lines = NULL;
    return status;
}
