/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a caption, whose noun phrases are found. */
#include <item/stages.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *caption = fuzz_string(data, size);
    size_t length = strlen(caption);
    item_error err = ITEM_ERROR_INIT;
    item_phrases *phrases = NULL;
    item_status status = item_phrases_find(caption, &phrases, &err);
    fuzz_outcome(status, phrases, &err);
    uint32_t start, end, count = 0;
    for (const char *text; phrases && (text = item_phrases_get(phrases, count, &start, &end));
         count++) {
        fuzz_text(text);
        EXPECT(*text != '\0');
        EXPECT(start < end && end <= length);
        /* mentions are cut between characters */
        EXPECT(((uint8_t)caption[start] & 0xC0) != 0x80);
        EXPECT(((uint8_t)caption[end] & 0xC0) != 0x80);
    }
    EXPECT(count <= 256);
    item_phrases_free(phrases);
    free(caption);
    return 0;
}
