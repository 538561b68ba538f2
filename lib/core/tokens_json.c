/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokenizer.json, of which two kinds are known: byte pairs as CLIP has them, and WordPiece of BERT
 * in lower case. Every member that changes ids is looked at, and what is not known is refused.
 */
#include <string.h>

#include "core/tokens.h"

/* As they stand in published files. */
#define CLIP_NORMALIZERS                                                                           \
    "[{\"type\":\"NFC\"},{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"\\\\s+\"},"                \
    "\"content\":\" \"},{\"type\":\"Lowercase\"}]"
#define BERT_NORMALIZERS                                                                           \
    "[{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,"             \
    "\"strip_accents\":null,\"lowercase\":true}]"
#define BERT_STRIPPED                                                                              \
    "[{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,"             \
    "\"strip_accents\":true,\"lowercase\":true}]"
#define CLIP_WORDS "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"
#define CLIP_NAMES "<\\|startoftext\\|>|<\\|endoftext\\|>|"

static const char *type_of(const json_t *object)
{
    const char *type = json_string_value(json_object_get(object, "type"));
    return type ? type : "";
}

static item_status fail_unknown(const itemi_tokens *t, const char *what, const char *name,
                                item_error *err)
{
    return itemi_fail(err, ITEM_E_UNSUPPORTED, "%s: the %s \"%.80s\" is not known",
                      t->tokenizer.path, what, name);
}

/* ---- lists of normalizers and pre-tokenizers ---- */

/* Item i of what is one object or a Sequence of several; NULL beyond. */
static const json_t *step(const json_t *object, const char *members, size_t i)
{
    if (strcmp(type_of(object), "Sequence") == 0)
        return json_array_get(json_object_get(object, members), i);
    return i == 0 && json_is_object(object) ? object : NULL;
}

static item_status check_normalizer(const itemi_tokens *t, const json_t *object, item_error *err)
{
    const json_t *strip = json_object_get(step(object, "normalizers", 0), "strip_accents");
    const char *known = t->parts.kind == ITEMI_BPE ? CLIP_NORMALIZERS
                        : json_is_true(strip)      ? BERT_STRIPPED /* so does lower case alone */
                                                   : BERT_NORMALIZERS;
    json_t *list;
    item_status status = itemi_json_parse(known, strlen(known), t->tokenizer.path, &list, err);
    if (status != ITEM_OK)
        return status;
    const size_t count = json_array_size(list);
    for (size_t i = 0; i <= count && status == ITEM_OK; i++) {
        const json_t *there = step(object, "normalizers", i), *wanted = json_array_get(list, i);
        if (there && !json_equal(there, wanted))
            status = fail_unknown(t, "normalizer", type_of(there), err);
        else if (!there && wanted)
            status = itemi_fail(err, ITEM_E_UNSUPPORTED, "%s: the normalizer \"%s\" is missing",
                                t->tokenizer.path, type_of(wanted));
    }
    json_decref(list);
    return status;
}

static bool is_split(const json_t *object, bool *names)
{
    const char *pattern =
        json_string_value(json_object_get(json_object_get(object, "pattern"), "Regex"));
    const char *behaviour = json_string_value(json_object_get(object, "behavior"));
    if (strcmp(type_of(object), "Split") != 0 || !pattern || !behaviour ||
        strcmp(behaviour, "Removed") != 0 || !json_is_true(json_object_get(object, "invert")))
        return false;
    *names = strcmp(pattern, CLIP_NAMES CLIP_WORDS) == 0;
    return *names || strcmp(pattern, CLIP_WORDS) == 0;
}

static bool is_byte_level(const json_t *object)
{
    const json_t *regex = json_object_get(object, "use_regex");
    return strcmp(type_of(object), "ByteLevel") == 0 &&
           json_is_false(json_object_get(object, "add_prefix_space")) &&
           (!regex || json_is_true(regex));
}

static item_status check_pre_tokenizer(itemi_tokens *t, const json_t *object, item_error *err)
{
    const bool bpe = t->parts.kind == ITEMI_BPE;
    const size_t count = bpe ? 2 : 1;
    for (size_t i = 0; i <= count; i++) {
        const json_t *there = step(object, "pretokenizers", i);
        const bool known = i == count ? !there
                           : !bpe     ? strcmp(type_of(there), "BertPreTokenizer") == 0
                           : i == 0   ? is_split(there, &t->parts.split_names)
                                      : is_byte_level(there);
        if (!known)
            return fail_unknown(t, "pre_tokenizer", type_of(there ? there : object), err);
    }
    return ITEM_OK;
}

/* ---- what goes around a text ---- */

/* Name in {"cls": [name, id]}. */
static const char *around(const json_t *object, const char *member)
{
    return json_string_value(json_array_get(json_object_get(object, member), 0));
}

/* Name of the special token at a place of a template. */
static const char *templated(const json_t *object, size_t i)
{
    const json_t *place = json_array_get(json_object_get(object, "single"), i);
    return json_string_value(json_object_get(json_object_get(place, "SpecialToken"), "id"));
}

static item_status read_post_processor(itemi_tokens *t, const json_t *object, item_error *err)
{
    const char *type = type_of(object), *first = NULL, *last = NULL;
    if (strcmp(type, "RobertaProcessing") == 0 || strcmp(type, "BertProcessing") == 0) {
        first = around(object, "cls");
        last = around(object, "sep");
    } else if (strcmp(type, "TemplateProcessing") == 0 &&
               json_array_size(json_object_get(object, "single")) == 3) {
        first = templated(object, 0);
        last = templated(object, 2);
    }
    if (!first || !last)
        return fail_unknown(t, "post_processor", type, err);
    t->parts.first = first;
    t->parts.last = last;
    return ITEM_OK;
}

/* Only WordPiece is made into text again. */
static item_status check_decoder(const itemi_tokens *t, const json_t *object, item_error *err)
{
    const char *prefix = json_string_value(json_object_get(object, "prefix"));
    const bool known = strcmp(type_of(object), "WordPiece") == 0 && prefix &&
                       strcmp(prefix, "##") == 0 &&
                       json_is_true(json_object_get(object, "cleanup"));
    if (t->parts.kind == ITEMI_BPE || !json_is_object(object) || known)
        return ITEM_OK;
    return fail_unknown(t, "decoder", type_of(object), err);
}

/* Padding counts for no single text; truncation is the caller's, but for its side. */
static item_status check_truncation(const itemi_tokens *t, const json_t *object, item_error *err)
{
    const char *side = json_string_value(json_object_get(object, "direction"));
    return !side || strcmp(side, "Right") == 0 ? ITEM_OK : fail_unknown(t, "truncation", side, err);
}

/* ---- the model ---- */

item_status itemi_tokens_take_vocabulary(itemi_tokens *tokens, const json_t *vocabulary,
                                         item_error *err)
{
    const char *path = tokens->parts.vocabulary_name, *text;
    const size_t count = json_object_size(vocabulary);
    if (!json_is_object(vocabulary) || count == 0)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: the vocabulary is no object of ids", path);
    tokens->pieces = itemi_alloc_zero(tokens->mem, count, sizeof *tokens->pieces);
    if (!tokens->pieces)
        return itemi_fail_memory(err, "reading a vocabulary");
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)vocabulary, text, value)
    {
        const json_int_t id = json_is_integer(value) ? json_integer_value(value) : -1;
        if (id < 0 || (uint64_t)id >= count)
            return itemi_fail(err, ITEM_E_FORMAT,
                              "%s: %zu pieces need the ids 0 to %zu, \"%.48s\" has another", path,
                              count, count - 1, text);
        if (tokens->pieces[id].bytes)
            return itemi_fail(err, ITEM_E_FORMAT, "%s: \"%.48s\" and \"%.48s\" have one id", path,
                              tokens->pieces[id].bytes, text);
        tokens->pieces[id] = (itemi_token_text){text, strlen(text)};
    }
    tokens->parts.pieces = tokens->pieces;
    tokens->parts.piece_count = count;
    return ITEM_OK;
}

/* A merge as ["a", "b"] or as "a b". */
static bool read_merge(const json_t *value, itemi_token_text two[2])
{
    const char *text = json_string_value(value);
    const char *left = json_string_value(json_array_get(value, 0));
    const char *right = json_string_value(json_array_get(value, 1));
    if (text) {
        const char *blank = strchr(text, ' ');
        if (!blank || strchr(blank + 1, ' '))
            return false;
        two[0] = (itemi_token_text){text, (size_t)(blank - text)};
        two[1] = (itemi_token_text){blank + 1, strlen(blank + 1)};
        return true;
    }
    if (!left || !right || json_array_size(value) != 2)
        return false;
    two[0] = (itemi_token_text){left, strlen(left)};
    two[1] = (itemi_token_text){right, strlen(right)};
    return true;
}

static item_status take_merges(itemi_tokens *t, const json_t *merges, item_error *err)
{
    const size_t count = json_array_size(merges);
    if (!json_is_array(merges))
        return itemi_fail(err, ITEM_E_FORMAT, "%s: the merges are no list", t->tokenizer.path);
    t->merges = itemi_alloc_array(t->mem, count * 2 + 1, sizeof *t->merges);
    if (!t->merges)
        return itemi_fail_memory(err, "reading merges");
    for (size_t i = 0; i < count; i++) {
        if (!read_merge(json_array_get(merges, i), t->merges + 2 * i))
            return itemi_fail(err, ITEM_E_FORMAT, "%s: merge %zu is not two words",
                              t->tokenizer.path, i + 1);
    }
    t->parts.merges = t->merges;
    t->parts.merge_count = count;
    return ITEM_OK;
}

/* Is a member absent, null, or what is known? */
static bool has(const json_t *model, const char *member, const json_t *known)
{
    const json_t *value = json_object_get(model, member);
    return !value || json_is_null(value) || json_equal(value, known);
}

static item_status check_model(const itemi_tokens *t, const json_t *model, item_error *err)
{
    static const char bpe[] = "{\"dropout\":null,\"continuing_subword_prefix\":\"\","
                              "\"end_of_word_suffix\":\"</w>\",\"fuse_unk\":false,"
                              "\"byte_fallback\":false,\"ignore_merges\":false}";
    static const char wordpiece[] =
        "{\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100}";
    const char *text = t->parts.kind == ITEMI_BPE ? bpe : wordpiece, *member;
    json_t *known, *value;
    item_status status = itemi_json_parse(text, strlen(text), t->tokenizer.path, &known, err);
    if (status != ITEM_OK)
        return status;
    json_object_foreach(known, member, value)
    {
        if (status == ITEM_OK && !has(model, member, value))
            status = fail_unknown(t, "model's", member, err);
    }
    json_decref(known);
    const char *suffix = json_string_value(json_object_get(model, "end_of_word_suffix"));
    if (status == ITEM_OK && t->parts.kind == ITEMI_BPE && !suffix)
        status = fail_unknown(t, "model's", "end_of_word_suffix", err);
    return status;
}

/* Old files name no type. */
static const char *model_type(const json_t *model)
{
    const char *type = type_of(model);
    if (*type)
        return type;
    return json_object_get(model, "merges")                     ? "BPE"
           : json_object_get(model, "max_input_chars_per_word") ? "WordPiece"
                                                                : "";
}

static item_status read_model(itemi_tokens *t, const json_t *model, item_error *err)
{
    const char *type = model_type(model);
    if (strcmp(type, "BPE") != 0 && strcmp(type, "WordPiece") != 0)
        return fail_unknown(t, "model type", type, err);
    t->parts.kind = strcmp(type, "BPE") == 0 ? ITEMI_BPE : ITEMI_WORDPIECE;
    t->parts.vocabulary_name = t->parts.merges_name = t->tokenizer.path;
    t->parts.unknown = json_string_value(json_object_get(model, "unk_token"));
    item_status status = check_model(t, model, err);
    if (status == ITEM_OK)
        status = itemi_tokens_take_vocabulary(t, json_object_get(model, "vocab"), err);
    if (status == ITEM_OK && t->parts.kind == ITEMI_BPE)
        status = take_merges(t, json_object_get(model, "merges"), err);
    return status;
}

item_status itemi_tokens_read_json(itemi_tokens *tokens, item_error *err)
{
    const json_t *root = tokens->tokenizer.root;
    item_status status = read_model(tokens, json_object_get(root, "model"), err);
    if (status == ITEM_OK)
        status = check_normalizer(tokens, json_object_get(root, "normalizer"), err);
    if (status == ITEM_OK)
        status = check_pre_tokenizer(tokens, json_object_get(root, "pre_tokenizer"), err);
    if (status == ITEM_OK)
        status = read_post_processor(tokens, json_object_get(root, "post_processor"), err);
    if (status == ITEM_OK)
        status = check_decoder(tokens, json_object_get(root, "decoder"), err);
    if (status == ITEM_OK)
        status = check_truncation(tokens, json_object_get(root, "truncation"), err);
    return status;
}
