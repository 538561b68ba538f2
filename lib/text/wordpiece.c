/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WordPiece of BERT: the longest piece of the vocabulary that begins a word,
 * then the longest "##" piece that goes on, and [UNK] for a word that cannot be
 * made of pieces.
 */
#include "text/bert_words.h"
#include "text/tokenizer.h"

static void encode_word(const itemi_tokenizer *t, const itemi_bert_words *word, itemi_sink *out)
{
    int32_t ids[ITEMI_BERT_WORD_CHARS];
    size_t count = 0, at = 0;
    while (!word->too_long && at < word->length) {
        size_t used = 0;
        ids[count] = itemi_pieces_longest(&t->vocabulary, at ? "##" : "", word->text + at,
                                          word->length - at, &used);
        if (ids[count] < 0)
            break;
        count++;
        at += used;
    }
    if (word->too_long || at < word->length) {
        itemi_sink_put(out, t->unknown);
        return;
    }
    for (size_t i = 0; i < count; i++)
        itemi_sink_put(out, ids[i]);
}

void itemi_wordpiece_encode(const itemi_tokenizer *tokenizer, const char *text, size_t length,
                            itemi_sink *out)
{
    itemi_bert_words words;
    itemi_bert_words_start(&words, text, length);
    while (out->count < out->limit && itemi_bert_words_next(&words))
        encode_word(tokenizer, &words, out);
}
