/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Normalises and splits text as the tokenizer of CLIP does: NFC, runs of white space as one blank,
 * lower case; then English contractions, runs of letters, single digits, and runs of the rest.
 */
#include "text/clip_words.h"

#include <string.h>

#include "text/clip_tables.h"
#include "text/nfc.h"
#include "text/unicode.h"

static unsigned facts_of(uint32_t code)
{
    return itemi_unicode_nibble(itemi_clip_index, itemi_clip_blocks, code);
}

/* ---- normalised text ---- */

static void put_code(itemi_buf *out, uint32_t code)
{
    char bytes[4];
    itemi_buf_add(out, bytes, itemi_utf8_put(bytes, code));
}

static void put_lower(itemi_buf *out, uint32_t code)
{
    const itemi_unicode_mapping lower = {itemi_lower_keys, itemi_lower_starts, itemi_lower_pool,
                                         itemi_lower_count};
    const uint32_t *codes;
    unsigned count = itemi_unicode_find(&lower, code, &codes);
    for (unsigned i = 0; i < count; i++)
        put_code(out, codes[i]);
}

/* *blank: the text ends with white space. */
static void put_cluster(itemi_buf *out, itemi_cluster *cluster, bool *blank)
{
    if (!itemi_cluster_compose(cluster))
        out->failed = true;
    for (size_t i = 0; i < cluster->count; i++) {
        const uint32_t code = cluster->codes[i];
        const unsigned facts = facts_of(code);
        const bool space = (facts & ITEMI_CLIP_KIND) == ITEMI_CLIP_SPACE;
        if (space && !*blank)
            put_code(out, ' ');
        else if (facts & ITEMI_CLIP_LOWER)
            put_lower(out, code);
        else if (!space)
            put_code(out, code);
        *blank = space;
    }
    cluster->count = 0;
}

void itemi_clip_normalise(const char *text, size_t length, itemi_buf *out)
{
    itemi_cluster cluster;
    itemi_cluster_init(&cluster, out->mem);
    bool blank = false;
    for (size_t at = 0; at < length && !out->failed;) {
        uint32_t code;
        at += itemi_utf8_next(text + at, &code);
        /* nothing composes with what came before */
        if (!(facts_of(code) & ITEMI_CLIP_NORMAL))
            put_cluster(out, &cluster, &blank);
        if (!itemi_cluster_add(&cluster, code))
            out->failed = true;
    }
    put_cluster(out, &cluster, &blank);
    itemi_cluster_free(&cluster);
}

/* ---- words ---- */

void itemi_clip_words_start(itemi_clip_words *words, const char *text, size_t length, bool fences)
{
    *words = (itemi_clip_words){
        .at = text, .end = text + length, .fence = text + length, .fences = fences};
}

/* Length of the first of some names with which the text begins, 0 if none. */
static size_t begins(const char *text, size_t length, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(names[i]);
        if (size <= length && memcmp(text, names[i], size) == 0)
            return size;
    }
    return 0;
}

static size_t contraction(const char *text, size_t length)
{
    static const char *const endings[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
    return *text == '\'' ? begins(text, length, endings, ITEMI_COUNT(endings)) : 0;
}

static size_t special_name(const char *text, size_t length)
{
    static const char *const names[] = {"<|startoftext|>", "<|endoftext|>"};
    return *text == '<' ? begins(text, length, names, ITEMI_COUNT(names)) : 0;
}

/* Length of the run of one kind with which the text begins. */
static size_t run(const char *text, size_t length, unsigned kind)
{
    size_t at = 0;
    while (at < length) {
        uint32_t code;
        size_t size = itemi_utf8_next(text + at, &code);
        if ((facts_of(code) & ITEMI_CLIP_KIND) != kind)
            break;
        at += size;
        if (kind == ITEMI_CLIP_NUMBER)
            break;
    }
    return at;
}

bool itemi_clip_words_next(itemi_clip_words *words)
{
    while (words->at < words->end) {
        uint32_t code;
        (void)itemi_utf8_next(words->at, &code);
        const unsigned kind = facts_of(code) & ITEMI_CLIP_KIND;
        if (words->at == words->fence)
            words->fence = words->end;
        if (words->fences && words->fence == words->end) {
            size_t name = special_name(words->at, (size_t)(words->end - words->at));
            if (name)
                words->fence = words->at + name;
        }
        const size_t left = (size_t)(words->fence - words->at);
        const size_t ending = contraction(words->at, left);
        words->text = words->at;
        words->length = ending ? ending : run(words->at, left, kind);
        words->at += words->length;
        if (kind != ITEMI_CLIP_SPACE)
            return true;
    }
    return false;
}
