/* SPDX-License-Identifier: Apache-2.0 */
/* Text to ids: first the tokens that stand in it by name, then the words between them. */
#include <string.h>

#include "text/clip_words.h"
#include "text/tokenizer.h"

void itemi_sink_put(itemi_sink *out, int32_t id)
{
    if (out->count < out->limit) {
        if (out->count < out->capacity)
            out->ids[out->count] = id;
        out->count++;
    }
}

typedef struct {
    const itemi_tokenizer *tokenizer;
    itemi_sink sink;
    itemi_bpe_scratch scratch;
    bool failed; /* memory is out */
} encoder;

static bool done(const encoder *e)
{
    return e->failed || e->sink.count >= e->sink.limit;
}

/*
 * Hands the text between named tokens to `plain`, and puts their ids: the leftmost one first, of
 * several at one place the longest. Whether blanks around a name belong to it ("lstrip", "rstrip")
 * makes no difference: no id comes from them.
 */
static void encode_around(encoder *e, const itemi_found *found, const char *text, size_t length,
                          void (*plain)(encoder *e, const char *text, size_t length))
{
    size_t start = 0;
    for (size_t at = 0; at < length && found->names.count && !done(e);) {
        size_t used = 0;
        int32_t name = -1;
        if (found->begins[(unsigned char)text[at]])
            name = itemi_pieces_longest(&found->names, "", text + at, length - at, &used);
        if (name < 0) {
            at++;
            continue;
        }
        plain(e, text + start, at - start);
        itemi_sink_put(&e->sink, found->ids[name]);
        start = at += used;
    }
    if (!done(e))
        plain(e, text + start, length - start);
}

/* ---- byte-pair encoding ---- */

static void put_id(void *user, int32_t id)
{
    encoder *e = user;
    itemi_sink_put(&e->sink, id);
}

static void encode_words(encoder *e, const char *text, size_t length)
{
    itemi_clip_words words;
    itemi_clip_words_start(&words, text, length, e->tokenizer->split_names);
    while (!done(e) && itemi_clip_words_next(&words)) {
        if (!itemi_bpe_word(e->tokenizer->bpe, words.text, words.length, &e->scratch, put_id, e))
            e->failed = true;
    }
}

static void encode_bpe(encoder *e, const char *text, size_t length)
{
    itemi_buf normal;
    itemi_buf_init(&normal, e->tokenizer->mem);
    itemi_clip_normalise(text, length, &normal);
    e->failed |= normal.failed;
    if (!e->failed && normal.length)
        encode_around(e, &e->tokenizer->normalised, normal.data, normal.length, encode_words);
    itemi_buf_free(&normal);
}

/* ---- WordPiece ---- */

static void encode_wordpiece(encoder *e, const char *text, size_t length)
{
    itemi_wordpiece_encode(e->tokenizer, text, length, &e->sink);
}

item_status itemi_tokenizer_encode(const itemi_tokenizer *tokenizer, const char *text, size_t limit,
                                   int32_t *ids, size_t capacity, size_t *count, item_error *err)
{
    *count = 0;
    if (limit < 2)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "a limit of %zu ids leaves no room for the first and the last", limit);
    size_t length = strlen(text), valid = itemi_utf8_valid(text, length);
    if (valid != length)
        return itemi_fail(err, ITEM_E_FORMAT, "text: byte %zu is not UTF-8", valid);

    encoder e = {.tokenizer = tokenizer,
                 .sink = {.ids = ids, .capacity = capacity, .limit = limit - 1},
                 .scratch = {.mem = tokenizer->mem}};
    itemi_sink_put(&e.sink, tokenizer->first);
    encode_around(&e, &tokenizer->raw, text, length,
                  tokenizer->kind == ITEMI_BPE ? encode_bpe : encode_wordpiece);
    itemi_bpe_scratch_free(&e.scratch);
    if (e.failed)
        return itemi_fail_memory(err, "encoding a text");
    e.sink.limit = limit;
    itemi_sink_put(&e.sink, tokenizer->last);
    *count = e.sink.count;
    return ITEM_OK;
}
