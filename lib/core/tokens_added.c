/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which tokens are found in a text by their names: those that tokenizer_config.json numbers, or
 * else its elders special_tokens_map.json, added_tokens.json and the list of tokenizer.json; then
 * the special ones, by attribute. An OWL-ViT folder makes "!" one of them, as its padding.
 */
#include <stdlib.h>
#include <string.h>

#include "core/tokens.h"

#define ID_MAX (2 * ITEMI_PIECES_MAX)

enum { BOS, EOS, UNK, SEP, PAD, CLS, MASK, ATTRIBUTES };
static const char *const attributes[ATTRIBUTES] = {
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};
/* What each class takes where no file tells. */
static const char *const defaults[][ATTRIBUTES] = {
    [ITEMI_TOKENS_CLIP] = {[BOS] = "<|startoftext|>",
                           [EOS] = "<|endoftext|>",
                           [UNK] = "<|endoftext|>",
                           [PAD] = "<|endoftext|>"},
    [ITEMI_TOKENS_BERT] =
        {[UNK] = "[UNK]", [SEP] = "[SEP]", [PAD] = "[PAD]", [CLS] = "[CLS]", [MASK] = "[MASK]"},
    [ITEMI_TOKENS_FILE] = {NULL},
};

static const char *where(const itemi_tokens *t)
{
    return t->config.path ? t->config.path : t->parts.vocabulary_name;
}

static item_status fail_setting(const itemi_tokens *t, const char *setting, item_error *err)
{
    return itemi_fail(err, ITEM_E_UNSUPPORTED, "%s: \"%.48s\" has a value that is not known",
                      where(t), setting);
}

/* ---- the class ---- */

static item_status find_class(itemi_tokens *t, item_error *err)
{
    const char *name = json_string_value(json_object_get(t->config.root, "tokenizer_class"));
    const bool bpe = t->parts.kind == ITEMI_BPE;
    t->class = bpe ? ITEMI_TOKENS_CLIP : ITEMI_TOKENS_BERT;
    if (!name)
        return ITEM_OK;
    const char *fast = strstr(name, "Fast");
    const int length = (int)(fast && !fast[4] ? (size_t)(fast - name) : strlen(name));
    static const char *const known[] = {"CLIPTokenizer", "BertTokenizer", "PreTrainedTokenizer",
                                        "TokenizersBackend"};
    size_t i = 0;
    while (i < ITEMI_COUNT(known) &&
           ((int)strlen(known[i]) != length || strncmp(known[i], name, (size_t)length) != 0))
        i++;
    if (i >= 2 && i < ITEMI_COUNT(known) && t->tokenizer.root)
        t->class = ITEMI_TOKENS_FILE;
    else if (i != (bpe ? 0 : 1))
        return itemi_fail(err, ITEM_E_UNSUPPORTED,
                          "%s: the tokenizer_class \"%.48s\" is not known for %s", where(t), name,
                          bpe ? "byte pairs" : "WordPiece");
    return ITEM_OK;
}

/* ---- tokens ---- */

static bool same_text(const itemi_token_text *a, const itemi_token_text *b)
{
    return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

/* `form` tells apart what the reference takes for different tokens of one name. */
static item_status append(itemi_tokens *t, const itemi_added_token *token, unsigned char form,
                          item_error *err)
{
    const size_t count = t->parts.added_count;
    if (count == ITEMI_ADDED_MAX)
        return itemi_fail(err, ITEM_E_LIMIT, "%s: more than %d added tokens", where(t),
                          ITEMI_ADDED_MAX);
    if (!t->added) {
        t->added = itemi_alloc_array(t->mem, ITEMI_ADDED_MAX, sizeof *t->added);
        t->forms = itemi_alloc_zero(t->mem, ITEMI_ADDED_MAX, 1);
        t->parts.added = t->added;
        if (!t->added || !t->forms)
            return itemi_fail_memory(err, "reading a tokenizer");
    }
    t->added[count] = *token;
    t->forms[count] = form;
    t->parts.added_count++;
    return ITEM_OK;
}

/* A name, or an object with "content" and flags; `special` where it does not say. */
static item_status read_token(const itemi_tokens *t, const json_t *value, bool special,
                              itemi_added_token *out, item_error *err)
{
    const json_t *content = json_is_object(value) ? json_object_get(value, "content") : value;
    const json_t *normalised = json_object_get(value, "normalized");
    const char *text = json_string_value(content);
    if (!text || !*text)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: an added token without \"content\"", where(t));
    if (json_is_true(json_object_get(value, "single_word")))
        return itemi_fail(err, ITEM_E_UNSUPPORTED,
                          "%s: the added token \"%.48s\" is a \"single_word\", which is not known",
                          where(t), text);
    *out = (itemi_added_token){{text, strlen(text)}, special, false, -1};
    if (json_is_boolean(json_object_get(value, "special")))
        out->special = special || json_is_true(json_object_get(value, "special"));
    out->normalised = normalised ? json_is_true(normalised) : !out->special;
    return ITEM_OK;
}

/* What the reference compares two tokens of one name by; a bare name is none of these. */
static unsigned char form_of(const json_t *value, bool special)
{
    if (!json_is_object(value))
        return 0;
    const bool flags[] = {true, json_is_true(json_object_get(value, "lstrip")),
                          json_is_true(json_object_get(value, "rstrip")),
                          json_is_true(json_object_get(value, "normalized")),
                          special || json_is_true(json_object_get(value, "special"))};
    unsigned form = 0;
    for (size_t i = 0; i < ITEMI_COUNT(flags); i++)
        form |= (unsigned)flags[i] << i;
    return (unsigned char)form;
}

/* Adds a special token unless one with a number has its name, or the very same one is there. */
static item_status add(itemi_tokens *t, const itemi_added_token *token, unsigned char form,
                       item_error *err)
{
    for (size_t i = 0; i < t->parts.added_count; i++) {
        if (same_text(&t->added[i].text, &token->text) &&
            (t->added[i].id >= 0 || t->forms[i] == form))
            return ITEM_OK;
    }
    return append(t, token, form, err);
}

static item_status add_value(itemi_tokens *t, const json_t *value, bool special, item_error *err)
{
    itemi_added_token token;
    item_status status = read_token(t, value, true, &token, err);
    return status == ITEM_OK ? add(t, &token, form_of(value, special), err) : status;
}

/* ---- numbered tokens ---- */

/* Adds a token; one with the same number gives way. */
static item_status add_numbered(itemi_tokens *t, itemi_added_token *token, json_int_t id,
                                item_error *err)
{
    if (id < 0 || id > ID_MAX)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: the added token \"%.48s\" has no id", where(t),
                          token->text.bytes);
    token->id = (int32_t)id;
    for (size_t i = 0; i < t->parts.added_count; i++) {
        if (t->added[i].id == token->id) {
            t->added[i] = *token;
            return ITEM_OK;
        }
    }
    return append(t, token, 0, err);
}

static item_status add_object(itemi_tokens *t, const json_t *value, json_int_t id, item_error *err)
{
    itemi_added_token token;
    item_status status = read_token(t, value, false, &token, err);
    return status == ITEM_OK ? add_numbered(t, &token, id, err) : status;
}

/* The list of tokenizer.json. */
static item_status add_listed(itemi_tokens *t, item_error *err)
{
    const json_t *list = json_object_get(t->tokenizer.root, "added_tokens");
    item_status status = ITEM_OK;
    for (size_t i = 0; i < json_array_size(list) && status == ITEM_OK; i++) {
        const json_t *token = json_array_get(list, i), *id = json_object_get(token, "id");
        status = add_object(t, token, json_is_integer(id) ? json_integer_value(id) : -1, err);
    }
    return status;
}

/* ---- special tokens by attribute ---- */

/* Does tokenizer_config.json number its tokens? Then its elders are not read. */
static const json_t *numbered(const itemi_tokens *t)
{
    return json_object_get(t->config.root, "added_tokens_decoder");
}

/* What special_tokens_map.json says of an attribute, where that counts. */
static const json_t *elder(const itemi_tokens *t, const char *name)
{
    return numbered(t) ? NULL : json_object_get(t->specials_map.root, name);
}

/* What the files say of an attribute; NULL: nothing. */
static const json_t *value_of(const itemi_tokens *t, const char *name)
{
    const json_t *value = elder(t, name);
    return value ? value : json_object_get(t->config.root, name);
}

/* Name of the token of an attribute; NULL: it has none. */
static const char *name_of(const itemi_tokens *t, int i)
{
    const json_t *value = value_of(t, attributes[i]);
    if (!value)
        return defaults[t->class][i];
    return json_string_value(json_is_object(value) ? json_object_get(value, "content") : value);
}

/*
 * Lists of further special tokens, in the order of the reference. The last one, the older name in
 * the older file, counts where the newer name stands nowhere; added_tokens.json is read before it.
 */
enum { EXTRAS = 3, EARLY_EXTRAS = 2 };

static const json_t *extras(const itemi_tokens *t, int i)
{
    static const char newer[] = "extra_special_tokens", older[] = "additional_special_tokens";
    const json_t *config = json_object_get(t->config.root, newer), *map = elder(t, newer);
    const json_t *first = json_array_size(config) ? config : json_object_get(t->config.root, older);
    if (i == 0)
        return first;
    if (i == 1)
        return map;
    return config || first || map ? NULL : elder(t, older);
}

static bool is_special(const itemi_tokens *t, const char *name)
{
    for (int i = 0; i < ATTRIBUTES; i++) {
        const char *special = name_of(t, i);
        if (special && strcmp(special, name) == 0)
            return true;
    }
    for (int k = 0; k < EARLY_EXTRAS; k++) {
        for (size_t i = 0; i < json_array_size(extras(t, k)); i++) {
            const char *special = json_string_value(json_array_get(extras(t, k), i));
            if (special && strcmp(special, name) == 0)
                return true;
        }
    }
    return false;
}

static item_status add_attributes(itemi_tokens *t, item_error *err)
{
    item_status status = ITEM_OK;
    for (int i = 0; i < ATTRIBUTES && status == ITEM_OK; i++) {
        const json_t *value = value_of(t, attributes[i]);
        const char *name = name_of(t, i);
        if (value && !json_is_null(value)) {
            status = add_value(t, value, value == elder(t, attributes[i]), err);
        } else if (name) {
            const itemi_added_token token = {{name, strlen(name)}, true, false, -1};
            status = add(t, &token, 0, err);
        }
    }
    for (int k = 0; k < EXTRAS; k++) {
        const json_t *list = extras(t, k);
        for (size_t i = 0; i < json_array_size(list) && status == ITEM_OK; i++)
            status = add_value(t, json_array_get(list, i), false, err);
    }
    return status;
}

/* ---- numbered tokens of all files ---- */

static int compare_ids(const void *left, const void *right)
{
    const itemi_added_token *a = left, *b = right;
    return (a->id > b->id) - (a->id < b->id);
}

static item_status add_decoder(itemi_tokens *t, item_error *err)
{
    const char *key;
    json_t *value;
    item_status status = ITEM_OK;
    json_object_foreach((json_t *)(uintptr_t)numbered(t), key, value)
    {
        char *end;
        const long id = strtol(key, &end, 10);
        if (status == ITEM_OK)
            status = add_object(t, value, *end || !*key ? -1 : id, err);
    }
    return status;
}

/* added_tokens.json: names and ids alone. */
static item_status add_numbers(itemi_tokens *t, item_error *err)
{
    const char *key;
    json_t *value;
    item_status status = ITEM_OK;
    json_object_foreach(t->numbers.root, key, value)
    {
        const bool special = is_special(t, key);
        itemi_added_token token = {{key, strlen(key)}, special, !special, -1};
        if (status == ITEM_OK)
            status = add_numbered(t, &token,
                                  json_is_integer(value) ? json_integer_value(value) : -1, err);
    }
    return status;
}

static item_status add_all_numbered(itemi_tokens *t, item_error *err)
{
    item_status status;
    if (numbered(t)) {
        status = add_decoder(t, err);
    } else {
        status = add_numbers(t, err);
        if (status == ITEM_OK)
            status = add_listed(t, err);
    }
    if (status == ITEM_OK && t->parts.added_count)
        qsort(t->added, t->parts.added_count, sizeof *t->added, compare_ids);
    return status;
}

/* ---- settings ---- */

/* Attributes of models that are not known would be found in texts too. */
static item_status check_attributes(const itemi_tokens *t, const json_t *object, item_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        const size_t length = strlen(key), end = strlen("_token");
        bool known = length < end || strcmp(key + length - end, "_token") != 0 ||
                     (!json_is_string(value) && !json_is_object(value));
        for (int i = 0; i < ATTRIBUTES && !known; i++)
            known = strcmp(key, attributes[i]) == 0;
        if (!known || (strcmp(key, "extra_special_tokens") == 0 && json_object_size(value)))
            return fail_setting(t, key, err);
    }
    return ITEM_OK;
}

/* So many that looking for one among all takes no time. */
static item_status check_counts(const itemi_tokens *t, item_error *err)
{
    const size_t counts[] = {json_object_size(numbered(t)),
                             json_object_size(t->numbers.root),
                             json_array_size(json_object_get(t->tokenizer.root, "added_tokens")),
                             json_array_size(extras(t, 0)),
                             json_array_size(extras(t, 1)),
                             json_array_size(extras(t, 2))};
    for (size_t i = 0; i < ITEMI_COUNT(counts); i++) {
        if (counts[i] > ITEMI_ADDED_MAX)
            return itemi_fail(err, ITEM_E_LIMIT, "%s: more than %d added tokens", where(t),
                              ITEMI_ADDED_MAX);
    }
    return ITEM_OK;
}

static item_status check_settings(const itemi_tokens *t, item_error *err)
{
    static const struct {
        const char *key;
        int known;      /* the value that changes nothing, as absent and null do */
        bool bert_only; /* others do not read it */
    } settings[] = {{"do_lower_case", true, true},
                    {"strip_accents", true, true},
                    {"tokenize_chinese_chars", true, true},
                    {"split_special_tokens", false, false}};
    for (size_t i = 0; i < ITEMI_COUNT(settings); i++) {
        const json_t *value = json_object_get(t->config.root, settings[i].key);
        if (json_is_boolean(value) && json_is_true(value) != settings[i].known &&
            (!settings[i].bert_only || t->class == ITEMI_TOKENS_BERT))
            return fail_setting(t, settings[i].key, err);
    }
    const char *side = json_string_value(json_object_get(t->config.root, "truncation_side"));
    if (side && strcmp(side, "right") != 0)
        return fail_setting(t, "truncation_side", err);
    item_status status = check_counts(t, err);
    if (status == ITEM_OK)
        status = check_attributes(t, t->config.root, err);
    return status == ITEM_OK ? check_attributes(t, t->specials_map.root, err) : status;
}

/* Names of the tokens around a text, and of the one for what is none. */
static item_status name_specials(itemi_tokens *t, item_error *err)
{
    if (t->class != ITEMI_TOKENS_FILE) {
        const bool clip = t->class == ITEMI_TOKENS_CLIP;
        t->parts.first = name_of(t, clip ? BOS : CLS);
        t->parts.last = name_of(t, clip ? EOS : SEP);
        t->parts.unknown = name_of(t, UNK);
        t->parts.split_names = clip;
    }
    if (!t->parts.first || !t->parts.last || !t->parts.unknown)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: the first, last or unknown token has no name",
                          where(t));
    return ITEM_OK;
}

item_status itemi_tokens_read_added(itemi_tokens *tokens, item_error *err)
{
    item_status status = find_class(tokens, err);
    if (status == ITEM_OK)
        status = check_settings(tokens, err);
    if (status == ITEM_OK)
        status = name_specials(tokens, err);
    if (status == ITEM_OK && tokens->class == ITEMI_TOKENS_FILE)
        status = add_listed(tokens, err);
    if (status == ITEM_OK)
        status = add_all_numbered(tokens, err);
    if (status == ITEM_OK)
        status = add_attributes(tokens, err);
    tokens->parts.tidy =
        json_is_true(json_object_get(tokens->config.root, "clean_up_tokenization_spaces"));
    return status;
}
