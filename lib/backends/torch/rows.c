/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts as one row of tokens with a mask between them, so that short ones cost no padding and each
 * gets the numbers that it gets alone.
 */
#include <math.h>
#include <string.h>

#include "nets.h"

void itx_row_free(itx_tokens_row *row, const item_services *s)
{
    itx_host_free(s, row->ids);
    itx_host_free(s, row->positions);
    itx_host_free(s, row->mask);
    itx_host_free(s, row->shares);
    itx_host_free(s, row->ends);
    memset(row, 0, sizeof *row);
}

/* Ids of texts one after another; lengths[i] of text i. Ends before one that does not fit. */
static item_status add_texts(itx_tokens_row *row, const itx_row_kind *kind, const item_services *s,
                             item_tokens *tokens, const char *const *texts, size_t n,
                             size_t *lengths, item_error *err)
{
    int32_t ids[ITX_TEXT_LIMIT];
    for (size_t i = 0; i < n; i++) {
        size_t count = 0;
        const item_status status =
            s->tokens_encode(tokens, texts[i], kind->limit, ids, ITX_COUNT(ids), &count, err);
        if (status != ITEM_OK)
            return status;
        if (count == 0 || count > kind->limit)
            return itx_fail(err, ITEM_E_BACKEND, "the tokenizer gave %zu tokens, not 1 to %d",
                            count, (int)kind->limit);
        if (i > 0 && row->total + count > ITX_ROW_TOKENS)
            break;
        for (size_t k = 0; k < count; k++) {
            row->ids[row->total + k] = ids[k];
            row->positions[row->total + k] = (int64_t)k;
        }
        lengths[row->texts++] = count;
        row->total += count;
    }
    return ITEM_OK;
}

/* The first end token of a text, as the reference finds it; its first token if there is none. */
static size_t find_end(const int64_t *ids, size_t length, int64_t eos)
{
    size_t end = 0;
    for (size_t i = 0; i < length; i++) {
        if (eos != ITX_LARGEST_ID && ids[i] == eos)
            return i;
        if (eos == ITX_LARGEST_ID && ids[i] > ids[end])
            end = i;
    }
    return end;
}

static void fill_ends(itx_tokens_row *row, const size_t *lengths, int64_t eos)
{
    for (size_t i = 0, start = 0; i < row->texts; start += lengths[i], i++)
        row->ends[i] = (int64_t)(start + find_end(row->ids + start, lengths[i], eos));
}

static void fill_masks(itx_tokens_row *row, const size_t *lengths, bool causal)
{
    for (size_t i = 0; i < row->total * row->total; i++)
        row->mask[i] = -INFINITY;
    for (size_t i = 0, start = 0; i < row->texts; start += lengths[i], i++)
        for (size_t a = start; a < start + lengths[i]; a++) {
            row->shares[i * row->total + a] = 1.0f / (float)lengths[i];
            for (size_t b = start; b < (causal ? a + 1 : start + lengths[i]); b++)
                row->mask[a * row->total + b] = 0.0f;
        }
}

item_status itx_row_make(itx_tokens_row *row, const itx_row_kind *kind, const item_services *s,
                         item_tokens *tokens, const char *const *texts, size_t n, item_error *err)
{
    size_t lengths[ITX_TEXT_LIMIT];
    memset(row, 0, sizeof *row);
    row->ids = itx_host_alloc(s, ITX_TEXT_LIMIT * sizeof *row->ids);
    row->positions = itx_host_alloc(s, ITX_TEXT_LIMIT * sizeof *row->positions);
    if (!row->ids || !row->positions)
        return itx_fail_memory(err, "reading texts");
    const item_status status = add_texts(row, kind, s, tokens, texts, n, lengths, err);
    if (status != ITEM_OK)
        return status;
    row->mask = itx_host_alloc(s, row->total * row->total * sizeof *row->mask);
    row->shares = itx_host_alloc(s, row->texts * row->total * sizeof *row->shares);
    row->ends = itx_host_alloc(s, row->texts * sizeof *row->ends);
    if (!row->mask || !row->shares || !row->ends)
        return itx_fail_memory(err, "reading texts");
    fill_masks(row, lengths, kind->causal);
    fill_ends(row, lengths, kind->eos);
    return ITEM_OK;
}
