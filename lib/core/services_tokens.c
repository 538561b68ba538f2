/* SPDX-License-Identifier: Apache-2.0 */
/* Services for tokenizers. */
#include "core/services.h"

struct item_tokens {
    const itemi_mem *mem;
    itemi_tokenizer *tokenizer;
};

static item_status host_tokens_open(void *user, const char *role, item_tokens **out,
                                    item_error *err)
{
    const itemi_host *h = user;
    *out = NULL;
    item_tokens *tokens = itemi_alloc_zero(&h->ctx->mem, 1, sizeof *tokens);
    if (!tokens)
        return itemi_fail_memory(err, "opening a tokenizer");
    tokens->mem = &h->ctx->mem;
    item_status status =
        itemi_tokens_load(tokens->mem, h->entry, role ? role : "", &tokens->tokenizer, err);
    if (status != ITEM_OK)
        itemi_free(tokens->mem, tokens);
    else
        *out = tokens;
    return status;
}

static item_status tokens_encode(item_tokens *tokens, const char *text, size_t limit, int32_t *ids,
                                 size_t capacity, size_t *count, item_error *err)
{
    return itemi_tokenizer_encode(tokens->tokenizer, text, limit, ids, capacity, count, err);
}

static int32_t tokens_size(item_tokens *tokens)
{
    return itemi_tokenizer_size(tokens->tokenizer);
}

static item_status tokens_decode(item_tokens *tokens, const int32_t *ids, size_t n, char *out,
                                 size_t capacity, size_t *needed, item_error *err)
{
    return itemi_tokenizer_decode(tokens->tokenizer, ids, n, out, capacity, needed, err);
}

static void tokens_close(item_tokens *tokens)
{
    if (!tokens)
        return;
    itemi_tokenizer_free(tokens->tokenizer);
    itemi_free(tokens->mem, tokens);
}

void itemi_host_tokens(item_services *services)
{
    services->tokens_open = host_tokens_open;
    services->tokens_encode = tokens_encode;
    services->tokens_close = tokens_close;
    services->tokens_size = tokens_size;
    services->tokens_decode = tokens_decode;
}
