/* SPDX-License-Identifier: Apache-2.0 */
/* Input: the CSV manifest of a data set. */
#include <string.h>

#include "files/files.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    item_error err = ITEM_ERROR_INIT;
    itemi_manifest manifest;
    item_status status = itemi_manifest_load(NULL, fuzz_file(data, size), &manifest, &err);
    fuzz_outcome(status, status == ITEM_OK ? &manifest : NULL, &err);
    EXPECT(status == ITEM_OK || (manifest.rows == NULL && manifest.count == 0));
    for (size_t i = 0; i < manifest.count; i++) {
        const itemi_manifest_row *row = &manifest.rows[i];
        EXPECT(row->path[0] != '\0');
        EXPECT(strcmp(row->label, "ai") == 0 || strcmp(row->label, "real") == 0);
        const char *const texts[] = {row->generator, row->source, row->split, row->prompt};
        for (size_t t = 0; t < ITEMI_COUNT(texts); t++)
            EXPECT(strlen(texts[t]) <= size);
    }
    itemi_manifest_free(&manifest);
    return 0;
}
