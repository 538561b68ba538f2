/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a torch checkpoint; or, unless it begins as a zip does, the pickle of one. */
#include <stdlib.h>

#include "../unit/files/checkpoint.h"
#include "fuzz.h"

static void check_tensor(const itemi_weights *w, const itemi_tensor *tensor, size_t size)
{
    size_t width = itemi_dtype_size(tensor->dtype), count = tensor->bytes / width;
    EXPECT(tensor->dims <= ITEMI_DIMS_MAX && tensor->data);
    EXPECT(tensor->bytes <= size && tensor->bytes == count * width);
    EXPECT(itemi_weights_find(w, tensor->name) == tensor);
    fuzz_text(tensor->name);
    fuzz_touch(tensor->data, tensor->bytes);
    float *values = malloc((count + 1) * sizeof *values);
    EXPECT(values != NULL);
    itemi_to_f32(tensor, values);
    free(values);
}

static void parse(const uint8_t *data, size_t size)
{
    item_error err = ITEM_ERROR_INIT;
    itemi_weights *w = NULL;
    item_status status = itemi_weights_parse(NULL, data, size, "fuzz.bin", &w, &err);
    fuzz_outcome(status, w, &err);
    if (status != ITEM_OK)
        return;
    size_t count = itemi_weights_count(w);
    for (size_t i = 0; i < count && i < 50; i++)
        check_tensor(w, itemi_weights_at(w, i), size);
    EXPECT(itemi_weights_at(w, count) == NULL);
    itemi_weights_close(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= 2 && memcmp(data, "PK", 2) == 0) {
        parse(data, size);
        return 0;
    }
    itemi_buf zip;
    checkpoint_make(&zip, (const char *)data, size);
    uint8_t *copy = malloc(zip.length); /* of its own size: the sanitizers see its end */
    EXPECT(copy != NULL);
    memcpy(copy, zip.data, zip.length);
    parse(copy, zip.length);
    free(copy);
    itemi_buf_free(&zip);
    return 0;
}
