/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a safetensors file, read as it is and with the right length of the header. */
#include <stdlib.h>

#include "files/files.h"
#include "fuzz.h"

static void check_tensor(const itemi_safetensors *st, const itemi_tensor *tensor,
                         const uint8_t *data, size_t size)
{
    const uint8_t *from = tensor->data;
    EXPECT(tensor->dims <= ITEMI_DIMS_MAX);
    EXPECT(tensor->bytes <= size);
    EXPECT(tensor->bytes == 0 || (from >= data && tensor->bytes <= size - (size_t)(from - data)));
    EXPECT(itemi_safetensors_find(st, tensor->name) == tensor);
    size_t count = tensor->bytes / itemi_dtype_size(tensor->dtype), product = 1;
    for (uint32_t i = 0; i < tensor->dims; i++)
        product *= (size_t)tensor->shape[i];
    EXPECT(count == product && tensor->bytes % itemi_dtype_size(tensor->dtype) == 0);
    float *values = malloc((count + 1) * sizeof *values);
    EXPECT(values != NULL);
    itemi_to_f32(tensor, values);
    fuzz_touch(values, count * sizeof *values);
    free(values);
}

static void parse(const uint8_t *data, size_t size)
{
    item_error err = ITEM_ERROR_INIT;
    itemi_safetensors *st = NULL;
    item_status status = itemi_safetensors_parse(NULL, data, size, "fuzz", &st, &err);
    fuzz_outcome(status, st, &err);
    if (status != ITEM_OK)
        return;
    size_t count = itemi_safetensors_count(st);
    for (size_t i = 0; i < count; i++)
        check_tensor(st, itemi_safetensors_at(st, i), data, size);
    EXPECT(itemi_safetensors_at(st, count) == NULL);
    const char *meta = itemi_safetensors_meta(st, "kind");
    if (meta)
        fuzz_text(meta);
    itemi_safetensors_close(st);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_headers(parse, data, size);
    return 0;
}
