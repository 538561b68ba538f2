/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the family "grid-decoder": a line each, split as its training split captions. */
#include "words.h"

#include <string.h>

static size_t split_lines(const char *data, size_t size, itx_words *w)
{
    size_t count = 0;
    for (size_t at = 0; at < size; count++) {
        const char *end = memchr(data + at, '\n', size - at);
        const size_t length = end ? (size_t)(end - (data + at)) : size - at;
        if (count < w->count) {
            w->words[count] = data + at;
            w->lengths[count] = length;
        }
        at += length + 1;
    }
    return count;
}

item_status itx_words_open(itx_words *w, const item_services *s, size_t count, item_error *err)
{
    const char *data;
    size_t size;
    const item_status status = s->file_bytes(s->host, "words", &data, &size, err);
    if (status != ITEM_OK)
        return status;
    w->count = count;
    w->words = itx_host_alloc(s, count * sizeof *w->words);
    w->lengths = itx_host_alloc(s, count * sizeof *w->lengths);
    if (!w->words || !w->lengths)
        return itx_fail_memory(err, "reading the captioner's words");
    const size_t found = split_lines(data, size, w);
    if (found != count)
        return itx_fail(err, ITEM_E_PACK, "file of \"words\": %zu lines, but the network has %zu",
                        found, count);
    return ITEM_OK;
}

void itx_words_close(itx_words *w, const item_services *s)
{
    itx_host_free(s, w->words);
    itx_host_free(s, w->lengths);
}

size_t itx_words_join(const itx_words *w, const int32_t *ids, size_t n, char *out)
{
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t word = (size_t)ids[i];
        if (out && i > 0)
            out[used] = ' ';
        used += i > 0;
        if (out)
            memcpy(out + used, w->words[word], w->lengths[word]);
        used += w->lengths[word];
    }
    if (out)
        out[used] = '\0';
    return used + 1;
}

/* ---- a text in words ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool in_word(char c)
{
    c = lower(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Letters and digits, with single hyphens and apostrophes between them. */
static size_t word_length(const char *at)
{
    size_t length = 0;
    while (in_word(at[length]) ||
           (length > 0 && (at[length] == '-' || at[length] == '\'') && in_word(at[length + 1])))
        length++;
    return length;
}

static bool same(const char *word, const char *at, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (word[i] != lower(at[i]))
            return false;
    }
    return true;
}

static int32_t find(const itx_words *w, const char *at, size_t length)
{
    for (size_t i = ITX_WORD_UNKNOWN + 1; i < w->count; i++) {
        if (w->lengths[i] == length && same(w->words[i], at, length))
            return (int32_t)i;
    }
    return ITX_WORD_UNKNOWN;
}

/* What "a man 's hat" leaves, which training passed over. */
static bool is_rest(const char *at, size_t length)
{
    return length == 1 && (lower(*at) == 's' || lower(*at) == 't');
}

size_t itx_words_split(const itx_words *w, const char *text, int32_t *ids, size_t room)
{
    size_t count = 0;
    for (const char *at = text; *at;) {
        const size_t length = word_length(at);
        if (length > 0 && !is_rest(at, length)) {
            if (count < room)
                ids[count] = find(w, at, length);
            count++;
        }
        at += length > 0 ? length : 1;
    }
    return count;
}
