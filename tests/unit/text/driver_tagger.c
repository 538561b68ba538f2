/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tagger's modes of the text driver. MODEL is a file of weights, or "-" for
 * the compiled ones.
 *   features  tokens, one a line, a line with \3 after a sentence; 16-bit numbers out.
 *             A token after \1 counts as not seen in training, after \2 as in no lexicon.
 *   tags      the same tokens in, their labels out
 *   tokens    NUL-terminated texts in; "start end" in bytes of each token, an empty
 *             line after each text (MODEL: -)
 *   chunks    NUL-terminated texts in; "start end" in bytes of each base noun phrase,
 *             an empty line after each text
 *   phrases   the same in; text, head, count, start, end of each visible phrase (MODEL: -)
 */
#include "driver.h"

#include <stdlib.h>
#include <string.h>

#include "text/sentence.h"
#include "text/text.h"

static bool open_model(itemi_tagger *tagger, const char *path)
{
    size_t length = 0;
    item_error err = ITEM_ERROR_INIT;
    if (strcmp(path, "-") == 0) {
        itemi_tagger_builtin(tagger);
        return true;
    }
    FILE *file = fopen(path, "rb");
    char *data = file ? driver_read(file, &length) : NULL; /* lives as long as the process */
    if (file)
        fclose(file);
    if (!data) {
        perror(path);
        return false;
    }
    if (itemi_tagger_read(tagger, data, length, &err) != ITEM_OK)
        fprintf(stderr, "%s: %s\n", path, err.message);
    return err.code == ITEM_OK;
}

/* Looks at a token that was cut elsewhere, so its kind is asked of our own tokens. */
static void look(const itemi_tagger *tagger, const char *text, itemi_word *word)
{
    itemi_caption caption;
    itemi_token token = {.kind = ITEMI_TOKEN_PUNCT};
    char hidden = *text == 1 || *text == 2 ? *text++ : 0;
    size_t length = strlen(text);
    itemi_caption_start(&caption, text, length);
    itemi_caption_next(&caption, &token);
    if (*text == '\'' && length > 1) /* "'s" */
        token.kind = ITEMI_TOKEN_WORD;
    itemi_tagger_look(tagger, text, length, (itemi_token_kind)token.kind, word);
    if (hidden)
        word->identity = ITEMI_TAGGER_UNKNOWN(token.kind);
    if (hidden == 2)
        word->kind = 0;
}

static void print_sentence(const itemi_tagger *tagger, const itemi_word *words, size_t n,
                           bool features)
{
    uint8_t labels[ITEMI_TAGGER_WORDS];
    for (size_t i = 0; features && i < n; i++) {
        uint32_t buckets[ITEMI_TAGGER_FEATURES];
        uint16_t small[ITEMI_TAGGER_FEATURES];
        itemi_tagger_features(tagger, words, n, i, buckets);
        for (size_t f = 0; f < ITEMI_TAGGER_FEATURES; f++)
            small[f] = (uint16_t)buckets[f];
        fwrite(small, sizeof small, 1, stdout);
    }
    if (features)
        return;
    itemi_tagger_run(tagger, words, n, labels);
    for (size_t i = 0; i < n; i++)
        puts(tagger->names + 8 * labels[i]);
    putchar('\n');
}

static void run_tokens(const itemi_tagger *tagger, char *text, bool features)
{
    itemi_word words[ITEMI_TAGGER_WORDS];
    size_t n = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        bool end = strcmp(line, "\x03") == 0;
        if (!end)
            look(tagger, line, &words[n++]);
        if (end || n == ITEMI_TAGGER_WORDS) {
            print_sentence(tagger, words, n, features);
            n = 0;
        }
    }
}

static void run_cut(const char *text)
{
    itemi_caption caption;
    itemi_token token;
    itemi_caption_start(&caption, text, strlen(text));
    while (itemi_caption_next(&caption, &token))
        printf("%u %u\n", token.start, token.end);
    putchar('\n');
}

static void run_chunks(const itemi_tagger *tagger, const char *text)
{
    itemi_caption caption;
    itemi_sentence sentence;
    itemi_caption_start(&caption, text, strlen(text));
    while (itemi_sentence_next(tagger, &caption, &sentence)) {
        for (size_t from = 0, to; itemi_sentence_chunk(tagger, &sentence, &from, &to); from = to)
            printf("%u %u\n", sentence.tokens[from].start, sentence.tokens[to - 1].end);
    }
    putchar('\n');
}

static int run_phrases(const char *text)
{
    itemi_phrases phrases;
    item_error err = ITEM_ERROR_INIT;
    if (itemi_phrases_find(NULL, text, &phrases, &err) != ITEM_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (size_t i = 0; i < phrases.count; i++) {
        const itemi_phrase *p = &phrases.items[i];
        printf("%s\t%s\t%u\t%u\t%u\n", p->text, p->head, p->count, p->start, p->end);
    }
    putchar('\n');
    itemi_phrases_free(&phrases);
    return 0;
}

int driver_tagger(const char *mode, const char *model)
{
    itemi_tagger tagger;
    size_t length;
    if (!open_model(&tagger, model))
        return 1;
    char *input = driver_read(stdin, &length);
    if (!input)
        return 1;
    bool chunks = strcmp(mode, "chunks") == 0, phrases = strcmp(mode, "phrases") == 0;
    int failed = 0;
    if (chunks || phrases || strcmp(mode, "tokens") == 0) {
        for (size_t at = 0; !failed && at < length; at += strlen(input + at) + 1) {
            if (chunks)
                run_chunks(&tagger, input + at);
            else if (phrases)
                failed = run_phrases(input + at);
            else
                run_cut(input + at);
        }
    } else {
        run_tokens(&tagger, input, strcmp(mode, "features") == 0);
    }
    free(input);
    return failed;
}
