/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a tokenizer of its parts. */
#include <string.h>

#include "text/clip_words.h"
#include "text/tokenizer.h"

#define NAME_MAX 256 /* bytes; looking for names takes time for each place of a text */

/* ---- vocabulary ---- */

static item_status check_parts(const itemi_tokenizer_parts *parts, item_error *err)
{
    if (parts->piece_count > ITEMI_PIECES_MAX)
        return itemi_fail(err, ITEM_E_LIMIT, "%s: %zu pieces, the limit is %d",
                          parts->vocabulary_name, parts->piece_count, ITEMI_PIECES_MAX);
    if (parts->added_count > ITEMI_ADDED_MAX)
        return itemi_fail(err, ITEM_E_LIMIT, "%s: %zu added tokens, the limit is %d",
                          parts->vocabulary_name, parts->added_count, ITEMI_ADDED_MAX);
    for (size_t i = 0; i < parts->added_count; i++) {
        const itemi_added_token *token = &parts->added[i];
        if (token->text.length == 0 || token->text.length > NAME_MAX)
            return itemi_fail(err, ITEM_E_LIMIT,
                              "%s: an added token of %zu bytes; 1 to %d are possible",
                              parts->vocabulary_name, token->text.length, NAME_MAX);
        if (token->normalised && parts->kind == ITEMI_WORDPIECE)
            return itemi_fail(err, ITEM_E_UNSUPPORTED,
                              "%s: the added token \"%.*s\" is \"normalized\", which is not "
                              "known for WordPiece",
                              parts->vocabulary_name, (int)token->text.length, token->text.bytes);
    }
    return ITEM_OK;
}

/* Texts of the pieces; of equal ones only the last has its text. */
static void take_texts(itemi_tokenizer *t)
{
    for (size_t i = 0; i < t->vocabulary.count; i++) {
        const itemi_piece_entry *e = &t->vocabulary.entries[i];
        t->texts[e->id] = (itemi_token_text){e->text, e->length};
    }
}

/* The id of an added token: its piece's, or the next one. */
static item_status number_token(itemi_tokenizer *t, const itemi_tokenizer_parts *parts, size_t i,
                                int32_t *ids, item_error *err)
{
    const itemi_added_token *token = &parts->added[i];
    const size_t name = (size_t)itemi_pieces_find(&t->names, token->text.bytes, token->text.length);
    if (ids[name] < 0)
        ids[name] = itemi_pieces_find(&t->vocabulary, token->text.bytes, token->text.length);
    if (ids[name] < 0)
        ids[name] = (int32_t)t->size++;
    if (token->id >= 0 && token->id != ids[name])
        return itemi_fail(err, ITEM_E_FORMAT, "%s: the added token \"%.*s\" is %d, not %d",
                          parts->vocabulary_name, (int)token->text.length, token->text.bytes,
                          (int)ids[name], (int)token->id);
    ids[i] = ids[name];
    t->special[ids[i]] |= token->special;
    return ITEM_OK;
}

static void take_names(itemi_tokenizer *t, const int32_t *ids)
{
    for (size_t i = 0; i < t->names.count; i++) {
        const itemi_piece_entry *e = &t->names.entries[i];
        t->texts[ids[e->id]] = (itemi_token_text){e->text, e->length};
    }
}

static item_status make_vocabulary(itemi_tokenizer *t, const itemi_tokenizer_parts *parts,
                                   item_error *err)
{
    const size_t room = parts->piece_count + parts->added_count + 1;
    t->size = parts->piece_count;
    t->texts = itemi_alloc_zero(t->mem, room, sizeof *t->texts);
    t->special = itemi_alloc_zero(t->mem, room, sizeof *t->special);
    if (!t->texts || !t->special ||
        !itemi_pieces_make(&t->vocabulary, t->mem, parts->pieces, parts->piece_count))
        return itemi_fail_memory(err, "reading a vocabulary");
    take_texts(t);
    return ITEM_OK;
}

/* ---- added tokens ---- */

static item_status make_found(itemi_found *found, const itemi_mem *mem,
                              const itemi_token_text *texts, size_t count, item_error *err)
{
    if (!itemi_pieces_make(&found->names, mem, texts, count))
        return itemi_fail_memory(err, "reading a vocabulary");
    for (size_t i = 0; i < count; i++)
        found->begins[(unsigned char)texts[i].bytes[0]] = texts[i].length > 0;
    return ITEM_OK;
}

/* Those that are looked for in the text as it is, or those in the normalised one. */
static item_status make_half(itemi_tokenizer *t, const itemi_tokenizer_parts *parts,
                             const int32_t *ids, bool normalised, item_error *err)
{
    itemi_found *found = normalised ? &t->normalised : &t->raw;
    itemi_buf text;
    itemi_buf_init(&text, t->mem);
    size_t count = 0, at = 0;
    itemi_token_text *texts = itemi_alloc_array(t->mem, parts->added_count + 1, sizeof *texts);
    found->ids = itemi_alloc_array(t->mem, parts->added_count + 1, sizeof *found->ids);
    for (size_t i = 0; texts && found->ids && i < parts->added_count; i++) {
        const itemi_token_text *name = &parts->added[i].text;
        if (parts->added[i].normalised != normalised ||
            itemi_pieces_find(&t->names, name->bytes, name->length) != (int32_t)i)
            continue; /* of the other half, or a later one counts */
        if (normalised)
            itemi_clip_normalise(name->bytes, name->length, &text);
        else
            itemi_buf_add(&text, name->bytes, name->length);
        found->ids[count] = ids[i];
        texts[count++].length = text.length - at;
        at = text.length;
    }
    item_status status = ITEM_OK;
    if (!texts || !found->ids || text.failed)
        status = itemi_fail_memory(err, "reading a vocabulary");
    at = 0;
    for (size_t i = 0; status == ITEM_OK && i < count; i++) {
        texts[i].bytes = text.data + at;
        at += texts[i].length;
    }
    if (status == ITEM_OK)
        status = make_found(found, t->mem, texts, count, err);
    itemi_free(t->mem, texts);
    itemi_buf_free(&text);
    return status;
}

static item_status find_special(const itemi_tokenizer *t, const char *vocabulary_name,
                                const int32_t *ids, const char *name, int32_t *id, item_error *err)
{
    const int32_t added = itemi_pieces_find(&t->names, name, strlen(name));
    *id = added >= 0 ? ids[added] : itemi_pieces_find(&t->vocabulary, name, strlen(name));
    if (*id < 0)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: the piece %s is missing", vocabulary_name, name);
    return ITEM_OK;
}

static item_status find_specials(itemi_tokenizer *t, const itemi_tokenizer_parts *parts,
                                 const int32_t *ids, item_error *err)
{
    const char *const names[] = {parts->unknown, parts->first, parts->last};
    int32_t *const found[] = {&t->unknown, &t->first, &t->last};
    item_status status = ITEM_OK;
    for (size_t i = 0; status == ITEM_OK && i < ITEMI_COUNT(names); i++)
        status = find_special(t, parts->vocabulary_name, ids, names[i], found[i], err);
    return status;
}

static item_status make_added(itemi_tokenizer *t, const itemi_tokenizer_parts *parts,
                              item_error *err)
{
    itemi_token_text *texts = itemi_alloc_array(t->mem, parts->added_count + 1, sizeof *texts);
    int32_t *ids = itemi_alloc_array(t->mem, parts->added_count + 1, sizeof *ids);
    for (size_t i = 0; texts && i < parts->added_count; i++)
        texts[i] = parts->added[i].text;
    item_status status = ITEM_OK;
    if (!texts || !ids || !itemi_pieces_make(&t->names, t->mem, texts, parts->added_count))
        status = itemi_fail_memory(err, "reading a vocabulary");
    for (size_t i = 0; status == ITEM_OK && i < parts->added_count; i++)
        ids[i] = -1;
    for (size_t i = 0; status == ITEM_OK && i < parts->added_count; i++)
        status = number_token(t, parts, i, ids, err);
    if (status == ITEM_OK) {
        take_names(t, ids);
        status = make_half(t, parts, ids, false, err);
    }
    if (status == ITEM_OK)
        status = make_half(t, parts, ids, true, err);
    if (status == ITEM_OK)
        status = find_specials(t, parts, ids, err);
    itemi_free(t->mem, texts);
    itemi_free(t->mem, ids);
    return status;
}

/* ---- opening ---- */

static item_status make(itemi_tokenizer *t, const itemi_tokenizer_parts *parts, item_error *err)
{
    item_status status = check_parts(parts, err);
    if (status == ITEM_OK)
        status = make_vocabulary(t, parts, err);
    if (status == ITEM_OK)
        status = make_added(t, parts, err);
    if (status == ITEM_OK && t->kind == ITEMI_BPE)
        status = itemi_bpe_open(t->mem, &t->vocabulary, parts, t->unknown, &t->bpe, err);
    return status;
}

item_status itemi_tokenizer_open(const itemi_mem *mem, const itemi_tokenizer_parts *parts,
                                 itemi_tokenizer **out, item_error *err)
{
    *out = NULL;
    itemi_tokenizer *t = itemi_alloc_zero(mem, 1, sizeof *t);
    if (!t)
        return itemi_fail_memory(err, "reading a vocabulary");
    t->mem = t->vocabulary.mem = t->names.mem = t->raw.names.mem = t->normalised.names.mem = mem;
    t->kind = parts->kind;
    t->split_names = parts->split_names;
    t->tidy = parts->tidy;
    item_status status = make(t, parts, err);
    if (status != ITEM_OK)
        itemi_tokenizer_free(t);
    else
        *out = t;
    return status;
}

/* Those of BERT's special pieces that are lines, moved to the front; returns their number. */
static size_t keep_lines(itemi_added_token *specials, size_t count, const itemi_token_text *lines,
                         size_t line_count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const itemi_token_text *text = &specials[i].text;
        size_t line = 0;
        while (line < line_count && (lines[line].length != text->length ||
                                     memcmp(lines[line].bytes, text->bytes, text->length) != 0))
            line++;
        if (line < line_count)
            specials[kept++] = specials[i];
    }
    return kept;
}

item_status itemi_tokenizer_open_bert(const itemi_mem *mem, const char *vocab, size_t length,
                                      itemi_tokenizer **out, item_error *err)
{
    itemi_added_token specials[] = {{{"[UNK]", 5}, true, false, -1},
                                    {{"[SEP]", 5}, true, false, -1},
                                    {{"[PAD]", 5}, true, false, -1},
                                    {{"[CLS]", 5}, true, false, -1},
                                    {{"[MASK]", 6}, true, false, -1}};
    itemi_tokenizer_parts parts = {.kind = ITEMI_WORDPIECE,
                                   .vocabulary_name = "vocabulary",
                                   .first = "[CLS]",
                                   .last = "[SEP]",
                                   .unknown = "[UNK]",
                                   .added = specials};
    itemi_token_text *lines;
    *out = NULL;
    item_status status = itemi_vocabulary_lines(mem, vocab, length, parts.vocabulary_name, &lines,
                                                &parts.piece_count, err);
    if (status != ITEM_OK)
        return status;
    parts.pieces = lines;
    parts.added_count = keep_lines(specials, ITEMI_COUNT(specials), lines, parts.piece_count);
    status = itemi_tokenizer_open(mem, &parts, out, err);
    itemi_free(mem, lines);
    return status;
}

static void free_found(const itemi_mem *mem, itemi_found *found)
{
    itemi_pieces_free(&found->names);
    itemi_free(mem, found->ids);
}

void itemi_tokenizer_free(itemi_tokenizer *tokenizer)
{
    if (!tokenizer)
        return;
    const itemi_mem *mem = tokenizer->mem;
    itemi_bpe_free(tokenizer->bpe);
    free_found(mem, &tokenizer->raw);
    free_found(mem, &tokenizer->normalised);
    itemi_pieces_free(&tokenizer->vocabulary);
    itemi_pieces_free(&tokenizer->names);
    itemi_free(mem, tokenizer->texts);
    itemi_free(mem, tokenizer->special);
    itemi_free(mem, tokenizer);
}

int32_t itemi_tokenizer_size(const itemi_tokenizer *tokenizer)
{
    return (int32_t)tokenizer->size;
}
