/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a caption sentence by sentence, so that its length costs time only, never memory. */
#include "text/sentence.h"

bool itemi_sentence_next(const itemi_tagger *tagger, itemi_caption *caption,
                         itemi_sentence *sentence)
{
    itemi_word words[ITEMI_TAGGER_WORDS];
    size_t n = 0;
    while (n < ITEMI_TAGGER_WORDS && itemi_caption_next(caption, &sentence->tokens[n])) {
        const itemi_token *token = &sentence->tokens[n];
        itemi_tagger_look(tagger, caption->text + token->start, token->end - token->start,
                          (itemi_token_kind)token->kind, &words[n]);
        n++;
        if (token->kind == ITEMI_TOKEN_STOP)
            break;
    }
    itemi_tagger_run(tagger, words, n, sentence->labels);
    sentence->count = n;
    return n > 0;
}

/* 'B', 'I' or 'O' */
static char place(const itemi_tagger *tagger, const itemi_sentence *sentence, size_t token)
{
    return tagger->names[8 * sentence->labels[token]];
}

bool itemi_sentence_chunk(const itemi_tagger *tagger, const itemi_sentence *sentence, size_t *from,
                          size_t *to)
{
    size_t at = *from;
    while (at < sentence->count && place(tagger, sentence, at) == 'O')
        at++;
    if (at == sentence->count)
        return false;
    *from = at++;
    while (at < sentence->count && place(tagger, sentence, at) == 'I')
        at++;
    *to = at;
    return true;
}

const char *itemi_sentence_tag(const itemi_tagger *tagger, const itemi_sentence *sentence,
                               size_t token)
{
    return tagger->names + 8 * sentence->labels[token] + 2;
}
