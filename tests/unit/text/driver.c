/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs parts of the text layer for the scripts that compare them with a
 * reference. Reads NUL-terminated texts from standard input:
 *   text-driver words             normalised words of BERT, one text a line
 *   text-driver ids VOCAB LIMIT   ids of WordPiece, one text a line
 *   text-driver features|tags|tokens|chunks|phrases MODEL   see driver_tagger.c
 */
#include "driver.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/bert_words.h"
#include "text/text.h"

char *driver_read(FILE *file, size_t *length)
{
    size_t capacity = 1 << 20;
    char *data = malloc(capacity + 1);
    *length = 0;
    while (data) {
        *length += fread(data + *length, 1, capacity - *length, file);
        if (*length < capacity)
            break;
        capacity *= 2;
        char *more = realloc(data, capacity + 1);
        if (!more)
            free(data);
        data = more;
    }
    if (data)
        data[*length] = '\0';
    return data;
}

static int print_words(const char *text)
{
    itemi_bert_words words;
    itemi_bert_words_start(&words, text, strlen(text));
    for (const char *gap = ""; itemi_bert_words_next(&words); gap = " ")
        printf("%s%.*s%s", gap, (int)words.length, words.text, words.too_long ? "..." : "");
    putchar('\n');
    return 0;
}

static int print_ids(const itemi_tokenizer *wp, const char *text, size_t limit)
{
    static int32_t ids[1 << 16];
    size_t count;
    item_error err = ITEM_ERROR_INIT;
    if (itemi_tokenizer_encode(wp, text, limit, ids, ITEMI_COUNT(ids), &count, &err) != ITEM_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (size_t i = 0; i < count && i < ITEMI_COUNT(ids); i++)
        printf("%s%" PRId32, i ? " " : "", ids[i]);
    putchar('\n');
    return 0;
}

static itemi_tokenizer *open_vocabulary(const char *path)
{
    itemi_tokenizer *wp = NULL;
    item_error err = ITEM_ERROR_INIT;
    size_t length = 0;
    FILE *file = fopen(path, "rb");
    char *vocab = file ? driver_read(file, &length) : NULL;
    if (!vocab)
        perror(path);
    else if (itemi_tokenizer_open_bert(NULL, vocab, length, &wp, &err) != ITEM_OK)
        fprintf(stderr, "%s: %s\n", path, err.message);
    free(vocab);
    if (file)
        fclose(file);
    return wp;
}

int main(int argc, char **argv)
{
    itemi_tokenizer *wp = NULL;
    bool ids = argc == 4 && strcmp(argv[1], "ids") == 0;
    if (argc == 3)
        return driver_tagger(argv[1], argv[2]);
    if (!ids && !(argc == 2 && strcmp(argv[1], "words") == 0)) {
        fprintf(stderr, "usage: text-driver words | ids VOCAB LIMIT | "
                        "features|tags|tokens|chunks|phrases MODEL\n");
        return 2;
    }
    if (ids && !(wp = open_vocabulary(argv[2])))
        return 1;

    size_t length;
    char *texts = driver_read(stdin, &length);
    int failed = texts == NULL;
    for (size_t at = 0; !failed && at < length; at += strlen(texts + at) + 1)
        failed = ids ? print_ids(wp, texts + at, (size_t)strtoul(argv[3], NULL, 10))
                     : print_words(texts + at);
    free(texts);
    itemi_tokenizer_free(wp);
    return failed;
}
