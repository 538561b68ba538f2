/* SPDX-License-Identifier: Apache-2.0 */
/* Input: an index of weights in several files. */
#include <string.h>

#include "files/files.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    item_error err = ITEM_ERROR_INIT;
    itemi_index index;
    item_status status = itemi_index_parse(NULL, (const char *)data, size, "fuzz", &index, &err);
    fuzz_outcome(status, index.map, &err);
    EXPECT(index.count <= ITEMI_SHARDS_MAX);
    for (size_t i = 0; i < index.count; i++) {
        fuzz_text(index.shards[i]);
        EXPECT(index.shards[i][0] != '\0' && !strpbrk(index.shards[i], "/\\"));
        EXPECT(strcmp(index.shards[i], "..") != 0);
        EXPECT(i == 0 || strcmp(index.shards[i - 1], index.shards[i]) < 0);
    }
    itemi_index_free(&index);
    return 0;
}
