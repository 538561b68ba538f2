/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the tokenizer of a folder for the scripts that compare it with the reference:
 *   token-driver encode FOLDER LIMIT   ids of the NUL-terminated texts of standard input, one text
 *                                      a line
 *   token-driver decode FOLDER         text of the ids in each line of standard input, with its
 *                                      bytes in hexadecimal
 *   token-driver size FOLDER           how many ids there are
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "token_folder.h"

#define IDS (1 << 20)

static int32_t ids[IDS];
static char text[8 * IDS];

static int encode(const itemi_tokenizer *tokenizer, const char *input, size_t limit)
{
    size_t count;
    item_error err = ITEM_ERROR_INIT;
    if (itemi_tokenizer_encode(tokenizer, input, limit, ids, IDS, &count, &err) != ITEM_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (size_t i = 0; i < count && i < IDS; i++)
        printf("%s%" PRId32, i ? " " : "", ids[i]);
    putchar('\n');
    return 0;
}

static int encode_all(const itemi_tokenizer *tokenizer, size_t limit)
{
    char *input = NULL;
    size_t room = 0;
    int failed = 0;
    while (!failed && getdelim(&input, &room, '\0', stdin) >= 0)
        failed = encode(tokenizer, input, limit);
    free(input);
    return failed;
}

static int decode_all(const itemi_tokenizer *tokenizer)
{
    char *line = NULL;
    size_t room = 0, needed = 0;
    int failed = 0;
    while (!failed && getline(&line, &room, stdin) >= 0) {
        size_t count = 0;
        item_error err = ITEM_ERROR_INIT;
        for (char *at = strtok(line, " \n"); at && count < IDS; at = strtok(NULL, " \n"))
            ids[count++] = (int32_t)strtol(at, NULL, 10);
        failed = itemi_tokenizer_decode(tokenizer, ids, count, text, sizeof text, &needed, &err) !=
                 ITEM_OK;
        for (size_t i = 0; !failed && i + 1 < needed; i++)
            printf("%02x", (unsigned char)text[i]);
        puts(failed ? err.message : "");
    }
    free(line);
    return failed;
}

int main(int argc, char **argv)
{
    const bool encodes = argc == 4 && strcmp(argv[1], "encode") == 0;
    const bool decodes = argc == 3 && strcmp(argv[1], "decode") == 0;
    if (!encodes && !decodes && !(argc == 3 && strcmp(argv[1], "size") == 0)) {
        fprintf(stderr, "usage: token-driver encode FOLDER LIMIT | decode FOLDER | size FOLDER\n");
        return 2;
    }
    token_folder folder;
    itemi_tokenizer *tokenizer = NULL;
    item_error err = ITEM_ERROR_INIT;
    token_folder_open(&folder, argv[2]);
    int failed = itemi_tokens_load(NULL, &folder.stage, "tokenizer", &tokenizer, &err) != ITEM_OK;
    if (failed)
        fprintf(stderr, "%s\n", err.message);
    else if (encodes)
        failed = encode_all(tokenizer, (size_t)strtoul(argv[3], NULL, 10));
    else if (decodes)
        failed = decode_all(tokenizer);
    else
        printf("%" PRId32 "\n", itemi_tokenizer_size(tokenizer));
    itemi_tokenizer_free(tokenizer);
    token_folder_close(&folder);
    return failed;
}
