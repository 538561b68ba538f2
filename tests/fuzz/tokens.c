/* SPDX-License-Identifier: Apache-2.0 */
/* The promises of every tokenizer. */
#include "tokens.h"

#include <stdlib.h>
#include <string.h>

#define ROOM 64

const char *fuzz_next(const char *bytes, size_t size, size_t *at)
{
    *at += strlen(bytes + *at);
    if (*at < size)
        ++*at;
    return bytes + *at;
}

static void decode(const itemi_tokenizer *tokenizer, const int32_t *ids, size_t count)
{
    item_error err = ITEM_ERROR_INIT;
    char text[4096];
    size_t needed = 0, again = 0;
    item_status status =
        itemi_tokenizer_decode(tokenizer, ids, count, text, sizeof text, &needed, &err);
    EXPECT(err.code == status);
    if (status != ITEM_OK)
        return;
    EXPECT(needed >= 1);
    EXPECT(strlen(text) == (needed < sizeof text ? needed : sizeof text) - 1);
    if (needed <= sizeof text)
        fuzz_text(text);
    EXPECT(itemi_tokenizer_decode(tokenizer, ids, count, NULL, 0, &again, &err) == ITEM_OK);
    EXPECT(again == needed);
}

static void encode(const itemi_tokenizer *tokenizer, const char *text, size_t limit)
{
    item_error err = ITEM_ERROR_INIT;
    int32_t ids[ROOM];
    size_t whole = 0, part = 0;
    item_status status = itemi_tokenizer_encode(tokenizer, text, limit, ids, ROOM, &whole, &err);
    EXPECT(err.code == status);
    if (status != ITEM_OK)
        return;
    EXPECT(whole >= 2 && whole <= limit);
    for (size_t i = 0; i < whole && i < ROOM; i++)
        EXPECT(ids[i] >= 0 && ids[i] < itemi_tokenizer_size(tokenizer));
    /* the number does not depend on the room */
    EXPECT(itemi_tokenizer_encode(tokenizer, text, limit, NULL, 0, &part, &err) == ITEM_OK);
    EXPECT(part == whole);
    decode(tokenizer, ids, whole < ROOM ? whole : ROOM);
}

void fuzz_tokens(const itemi_tokenizer *tokenizer, const char *text)
{
    encode(tokenizer, text, 2);
    encode(tokenizer, text, 77);
    encode(tokenizer, text, SIZE_MAX);
}

void fuzz_three(const uint8_t *data, size_t size,
                item_status (*make)(itemi_tokens *tokens, const char *first, const char *second,
                                    itemi_tokenizer **out, item_error *err))
{
    char *all = fuzz_string(data, size);
    size_t at = 0;
    const char *second = fuzz_next(all, size, &at), *text = fuzz_next(all, size, &at);
    item_error err = ITEM_ERROR_INIT;
    itemi_tokenizer *tokenizer = NULL;
    itemi_tokens tokens = {.mem = NULL};
    item_status status = make(&tokens, all, second, &tokenizer, &err);
    fuzz_outcome(status, tokenizer, &err);
    itemi_tokens_free(&tokens);
    if (status == ITEM_OK)
        fuzz_tokens(tokenizer, text);
    itemi_tokenizer_free(tokenizer);
    free(all);
}
