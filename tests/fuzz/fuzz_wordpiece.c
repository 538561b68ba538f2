/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a vocabulary, a NUL, a text. */
#include <stdlib.h>
#include <string.h>

#include "tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *both = fuzz_string(data, size);
    size_t at = 0;
    const char *text = fuzz_next(both, size, &at);
    item_error err = ITEM_ERROR_INIT;
    itemi_tokenizer *wp = NULL;
    item_status status = itemi_tokenizer_open_bert(NULL, both, strlen(both), &wp, &err);
    fuzz_outcome(status, wp, &err);
    if (status == ITEM_OK)
        fuzz_tokens(wp, text);
    itemi_tokenizer_free(wp);
    free(both);
    return 0;
}
