/* SPDX-License-Identifier: Apache-2.0 */
/* Input: tokenizer.json, a NUL, tokenizer_config.json (may be empty), a NUL, a text. */
#include <string.h>

#include "tokens.h"

static item_status make(itemi_tokens *t, const char *tokenizer, const char *config,
                        itemi_tokenizer **out, item_error *err)
{
    t->tokenizer.path = "tokenizer.json";
    item_status status =
        itemi_json_parse(tokenizer, strlen(tokenizer), t->tokenizer.path, &t->tokenizer.root, err);
    if (status == ITEM_OK && *config) {
        t->config.path = "tokenizer_config.json";
        status = itemi_json_parse(config, strlen(config), t->config.path, &t->config.root, err);
    }
    if (status == ITEM_OK)
        status = itemi_tokens_read_json(t, err);
    return status == ITEM_OK ? itemi_tokens_make(t, out, err) : status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_three(data, size, make);
    return 0;
}
