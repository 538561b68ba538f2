/* SPDX-License-Identifier: Apache-2.0 */
/* Ids to text, joined and tidied as the reference does. */
#include <string.h>

#include "text/tokenizer.h"

/* ---- tidying ---- */

typedef struct {
    const char *from, *to;
} exchange;

/* One after another. */
static const exchange exchanges[] = {
    {" .", "."},     {" ?", "?"},   {" !", "!"},   {" ,", ","},     {" ' ", "'"},
    {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
};

/* In what follows `start`; what comes in is never longer than what goes. */
static void replace(itemi_buf *text, size_t start, const exchange *e)
{
    const size_t from = strlen(e->from), to = strlen(e->to);
    size_t kept = start;
    for (size_t at = start; at < text->length;) {
        if (text->length - at >= from && memcmp(text->data + at, e->from, from) == 0) {
            memcpy(text->data + kept, e->to, to);
            kept += to;
            at += from;
        } else {
            text->data[kept++] = text->data[at++];
        }
    }
    text->length = kept;
}

static void tidy(itemi_buf *text, size_t start)
{
    for (size_t i = 0; i < ITEMI_COUNT(exchanges) && text->length > start; i++)
        replace(text, start, &exchanges[i]);
}

/* ---- WordPiece ---- */

/* The text of an id that is to be shown, NULL for others. */
static const itemi_token_text *shown(const itemi_tokenizer *t, int32_t id)
{
    if (id < 0 || (size_t)id >= t->size || t->special[id] || !t->texts[id].bytes)
        return NULL;
    return &t->texts[id];
}

static void join_wordpiece(const itemi_tokenizer *t, const int32_t *ids, size_t n, itemi_buf *out)
{
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        const itemi_token_text *piece = shown(t, ids[i]);
        if (!piece)
            continue;
        const size_t start = out->length;
        const bool goes_on = !first && piece->length >= 2 && memcmp(piece->bytes, "##", 2) == 0;
        if (!first && !goes_on)
            itemi_buf_add(out, " ", 1);
        itemi_buf_add(out, piece->bytes + 2 * goes_on, piece->length - 2 * (size_t)goes_on);
        first = false;
        if (!out->failed)
            tidy(out, start);
    }
    if (t->tidy && !out->failed)
        tidy(out, 0);
}

item_status itemi_tokenizer_decode(const itemi_tokenizer *tokenizer, const int32_t *ids, size_t n,
                                   char *out, size_t capacity, size_t *needed, item_error *err)
{
    *needed = 0;
    if (tokenizer->kind != ITEMI_WORDPIECE)
        return itemi_fail(err, ITEM_E_UNSUPPORTED, "tokenizer: byte pairs are not made into text");
    itemi_buf text;
    itemi_buf_init(&text, tokenizer->mem);
    join_wordpiece(tokenizer, ids, n, &text);
    if (text.failed) {
        itemi_buf_free(&text);
        return itemi_fail_memory(err, "decoding a text");
    }
    *needed = text.length + 1;
    const size_t room = capacity ? capacity - 1 : 0;
    const size_t kept = text.length < room ? text.length : room;
    if (kept)
        memcpy(out, text.data, kept);
    if (capacity)
        out[kept] = '\0';
    itemi_buf_free(&text);
    return ITEM_OK;
}
