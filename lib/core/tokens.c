/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the tokenizer of a stage from the files that it has. */
#include "core/tokens.h"

#include <string.h>

static item_status fail_missing(const char *role, item_error *err)
{
    return itemi_fail(err, ITEM_E_PACK, "the pack has no tokenizer file \"%.48s\"", role);
}

static item_status open_file(const itemi_mem *mem, const itemi_pack_file *entry, itemi_file *out,
                             item_error *err)
{
    item_status status = itemi_file_open(mem, entry->path, ITEMI_VOCABULARY_BYTES, false, out, err);
    return status == ITEM_OK ? itemi_pack_file_same(entry, out, err) : status;
}

/* Where the stage has a file of that role. */
static item_status load_json(const itemi_mem *mem, const itemi_pack_stage *stage, const char *role,
                             itemi_tokens_json *out, item_error *err)
{
    const itemi_pack_file *entry = itemi_pack_role(stage, role);
    if (!entry)
        return ITEM_OK;
    itemi_file file;
    out->path = entry->path;
    item_status status = open_file(mem, entry, &file, err);
    if (status == ITEM_OK)
        status = itemi_json_parse((const char *)file.data, file.size, entry->path, &out->root, err);
    itemi_file_close(&file);
    return status;
}

static item_status load_object(const itemi_mem *mem, const itemi_pack_stage *stage,
                               const char *role, itemi_tokens_json *out, item_error *err)
{
    item_status status = load_json(mem, stage, role, out, err);
    if (status == ITEM_OK && out->root && !json_is_object(out->root))
        return itemi_fail(err, ITEM_E_FORMAT, "%s: is no object", out->path);
    return status;
}

static item_status load_settings(itemi_tokens *t, const itemi_pack_stage *stage, item_error *err)
{
    item_status status = load_object(t->mem, stage, "tokenizer_config", &t->config, err);
    if (status == ITEM_OK)
        status = load_object(t->mem, stage, "special_tokens_map", &t->specials_map, err);
    if (status == ITEM_OK)
        status = load_object(t->mem, stage, "added_tokens", &t->numbers, err);
    return status;
}

/* ---- vocabularies ---- */

static item_status load_lines(itemi_tokens *t, const itemi_pack_file *vocabulary, item_error *err)
{
    item_status status = open_file(t->mem, vocabulary, &t->lines[0], err);
    if (status != ITEM_OK)
        return status;
    t->parts.kind = ITEMI_WORDPIECE;
    t->parts.vocabulary_name = vocabulary->path;
    status = itemi_vocabulary_lines(t->mem, (const char *)t->lines[0].data, t->lines[0].size,
                                    vocabulary->path, &t->pieces, &t->parts.piece_count, err);
    t->parts.pieces = t->pieces;
    return status;
}

static item_status load_pairs(itemi_tokens *t, const itemi_pack_stage *stage,
                              const itemi_pack_file *merges, item_error *err)
{
    item_status status = load_json(t->mem, stage, "vocab", &t->vocabulary, err);
    if (status != ITEM_OK)
        return status;
    t->parts.kind = ITEMI_BPE;
    t->parts.vocabulary_name = t->vocabulary.path;
    t->parts.merges_name = merges->path;
    status = itemi_tokens_take_vocabulary(t, t->vocabulary.root, err);
    if (status == ITEM_OK)
        status = open_file(t->mem, merges, &t->lines[1], err);
    if (status == ITEM_OK)
        status = itemi_merge_lines(t->mem, (const char *)t->lines[1].data, t->lines[1].size,
                                   merges->path, &t->merges, &t->parts.merge_count, err);
    t->parts.merges = t->merges;
    return status;
}

/* tokenizer.json, else vocab.json and merges.txt, else vocab.txt. */
static item_status load_parts(itemi_tokens *t, const itemi_pack_stage *stage, item_error *err)
{
    const itemi_pack_file *vocabulary = itemi_pack_role(stage, "vocab");
    const itemi_pack_file *merges = itemi_pack_role(stage, "merges");
    item_status status = load_json(t->mem, stage, "tokenizer", &t->tokenizer, err);
    if (status != ITEM_OK)
        return status;
    if (t->tokenizer.root)
        return itemi_tokens_read_json(t, err);
    if (!vocabulary)
        return fail_missing("tokenizer", err);
    return merges ? load_pairs(t, stage, merges, err) : load_lines(t, vocabulary, err);
}

/* ---- opening ---- */

item_status itemi_tokens_make(itemi_tokens *tokens, itemi_tokenizer **out, item_error *err)
{
    item_status status = itemi_tokens_read_added(tokens, err);
    return status == ITEM_OK ? itemi_tokenizer_open(tokens->mem, &tokens->parts, out, err) : status;
}

void itemi_tokens_free(itemi_tokens *tokens)
{
    json_decref(tokens->tokenizer.root);
    json_decref(tokens->vocabulary.root);
    json_decref(tokens->config.root);
    json_decref(tokens->specials_map.root);
    json_decref(tokens->numbers.root);
    itemi_file_close(&tokens->lines[0]);
    itemi_file_close(&tokens->lines[1]);
    itemi_free(tokens->mem, tokens->pieces);
    itemi_free(tokens->mem, tokens->merges);
    itemi_free(tokens->mem, tokens->added);
    itemi_free(tokens->mem, tokens->forms);
}

/* All that lies in a published folder. */
static item_status load_folder(const itemi_mem *mem, const itemi_pack_stage *stage,
                               itemi_tokenizer **out, item_error *err)
{
    itemi_tokens tokens = {.mem = mem};
    item_status status = load_settings(&tokens, stage, err);
    if (status == ITEM_OK)
        status = load_parts(&tokens, stage, err);
    if (status == ITEM_OK)
        status = itemi_tokens_make(&tokens, out, err);
    itemi_tokens_free(&tokens);
    return status;
}

/* One file, vocab.txt of BERT by whatever role. */
static item_status load_file(const itemi_mem *mem, const itemi_pack_file *entry,
                             itemi_tokenizer **out, item_error *err)
{
    itemi_file file;
    item_status status = open_file(mem, entry, &file, err);
    if (status == ITEM_OK) {
        status = itemi_tokenizer_open_bert(mem, (const char *)file.data, file.size, out, err);
        if (status != ITEM_OK)
            itemi_error_prefix(err, entry->path);
    }
    itemi_file_close(&file);
    return status;
}

item_status itemi_tokens_load(const itemi_mem *mem, const itemi_pack_stage *stage, const char *role,
                              itemi_tokenizer **out, item_error *err)
{
    *out = NULL;
    if (strcmp(role, "tokenizer") == 0)
        return load_folder(mem, stage, out, err);
    const itemi_pack_file *entry = itemi_pack_role(stage, role);
    if (!entry)
        return fail_missing(role, err);
    return load_file(mem, entry, out, err);
}
