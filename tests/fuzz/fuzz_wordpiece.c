/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a vocabulary, a NUL, a text. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "text/text.h"

#define ROOM 64

static void encode(const itemi_tokenizer *wp, const char *text, size_t limit)
{
    item_error err = ITEM_ERROR_INIT;
    int32_t ids[ROOM];
    size_t whole = 0, part = 0;
    item_status status = itemi_tokenizer_encode(wp, text, limit, ids, ROOM, &whole, &err);
    EXPECT(err.code == status);
    if (status != ITEM_OK)
        return;
    EXPECT(whole >= 2 && whole <= limit);
    for (size_t i = 0; i < whole && i < ROOM; i++)
        EXPECT(ids[i] >= 0);
    /* the number does not depend on the room */
    EXPECT(itemi_tokenizer_encode(wp, text, limit, NULL, 0, &part, &err) == ITEM_OK);
    EXPECT(part == whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *both = fuzz_string(data, size);
    size_t length = strlen(both);
    const char *text = length < size ? both + length + 1 : "";
    item_error err = ITEM_ERROR_INIT;
    itemi_tokenizer *wp = NULL;
    item_status status = itemi_tokenizer_open_bert(NULL, both, length, &wp, &err);
    fuzz_outcome(status, wp, &err);
    if (status == ITEM_OK) {
        encode(wp, text, 2);
        encode(wp, text, 512);
        encode(wp, text, SIZE_MAX);
    }
    itemi_tokenizer_free(wp);
    free(both);
    return 0;
}
