/* SPDX-License-Identifier: Apache-2.0 */
/* Services for tokenizers. */
#include "core/services.h"

struct item_tokens {
    const itemi_mem *mem;
    itemi_wordpiece *wordpiece;
};

item_status itemi_tokens_load(const itemi_mem *mem, const itemi_pack_stage *stage, const char *role,
                              itemi_wordpiece **out, item_error *err)
{
    *out = NULL;
    const itemi_pack_file *entry = itemi_pack_role(stage, role);
    if (!entry)
        return itemi_fail(err, ITEM_E_PACK, "the pack has no tokenizer file \"%.48s\"", role);
    itemi_file file;
    item_status status =
        itemi_file_open(mem, entry->path, ITEMI_VOCABULARY_BYTES, false, &file, err);
    if (status != ITEM_OK)
        return status;
    status = itemi_pack_file_same(entry, &file, err);
    if (status == ITEM_OK) {
        status = itemi_wordpiece_open(mem, (const char *)file.data, file.size, out, err);
        if (status != ITEM_OK)
            itemi_error_prefix(err, entry->path);
    }
    itemi_file_close(&file);
    return status;
}

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
        itemi_tokens_load(tokens->mem, h->entry, role ? role : "", &tokens->wordpiece, err);
    if (status != ITEM_OK)
        itemi_free(tokens->mem, tokens);
    else
        *out = tokens;
    return status;
}

static item_status tokens_encode(item_tokens *tokens, const char *text, size_t limit, int32_t *ids,
                                 size_t capacity, size_t *count, item_error *err)
{
    return itemi_wordpiece_encode(tokens->wordpiece, text, limit, ids, capacity, count, err);
}

static void tokens_close(item_tokens *tokens)
{
    if (!tokens)
        return;
    itemi_wordpiece_free(tokens->wordpiece);
    itemi_free(tokens->mem, tokens);
}

void itemi_host_tokens(item_services *services)
{
    services->tokens_open = host_tokens_open;
    services->tokens_encode = tokens_encode;
    services->tokens_close = tokens_close;
}
