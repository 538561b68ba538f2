/* SPDX-License-Identifier: Apache-2.0 */
/* Input: vocab.json, a NUL, merges.txt, a NUL, a text. */
#include <string.h>

#include "tokens.h"

static item_status make(itemi_tokens *t, const char *vocabulary, const char *merges,
                        itemi_tokenizer **out, item_error *err)
{
    t->parts.kind = ITEMI_BPE;
    t->parts.vocabulary_name = "vocab.json";
    t->parts.merges_name = "merges.txt";
    item_status status =
        itemi_json_parse(vocabulary, strlen(vocabulary), "vocab.json", &t->vocabulary.root, err);
    if (status == ITEM_OK)
        status = itemi_tokens_take_vocabulary(t, t->vocabulary.root, err);
    if (status == ITEM_OK)
        status = itemi_merge_lines(NULL, merges, strlen(merges), "merges.txt", &t->merges,
                                   &t->parts.merge_count, err);
    t->parts.merges = t->merges;
    return status == ITEM_OK ? itemi_tokens_make(t, out, err) : status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_three(data, size, make);
    return 0;
}
