/* SPDX-License-Identifier: Apache-2.0 */
/* item.json of a pack, schema 1: what it must hold, and what it says in public. */
#include <math.h>
#include <string.h>

#include "core/core.h"
#include "core/head_private.h"

#define SCHEMA 1

/* ---- pieces ---- */

/* A text that must be there; `where` names the object that holds it. */
static item_status need_text(const json_t *object, const char *where, const char *key,
                             const char **out, const char *name, item_error *err)
{
    *out = json_string_value(json_object_get(object, key));
    if (*out && **out)
        return ITEM_OK;
    return itemi_fail(err, ITEM_E_PACK, "%s: %s has no text \"%s\"", name, where, key);
}

static const char *text_or_empty(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static bool is_sha256(const char *text)
{
    return strlen(text) == ITEMI_SHA256_HEX - 1 &&
           strspn(text, "0123456789abcdef") == ITEMI_SHA256_HEX - 1;
}

static void log_unknown(const json_t *object, const char *const *known, size_t count,
                        const char *where, const itemi_log *log, const char *name)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        bool found = false;
        for (size_t i = 0; i < count && !found; i++)
            found = strcmp(known[i], key) == 0;
        if (!found)
            itemi_logf(log, ITEM_LOG_WARNING, "%s: %s: the key \"%.64s\" is not known", name, where,
                       key);
    }
}

/* Of a published folder large files may not have been hashed: null. */
static item_status parse_hash(const json_t *object, const char *where, bool published,
                              const char **out, const char *name, item_error *err)
{
    *out = "";
    if (published && json_is_null(json_object_get(object, "sha256")))
        return ITEM_OK;
    item_status status = need_text(object, where, "sha256", out, name, err);
    if (status == ITEM_OK && !is_sha256(*out))
        return itemi_fail(err, ITEM_E_PACK, "%s: %s: sha256 is not 64 hexadecimal digits", name,
                          where);
    return status;
}

static item_status parse_file(const item_pack *pack, const json_t *object, const char *where,
                              const char *role, itemi_pack_file *out, const char *name,
                              item_error *err)
{
    if (!json_is_object(object))
        return itemi_fail(err, ITEM_E_PACK, "%s: %s is not an object", name, where);
    item_status status = need_text(object, where, "file", &out->name, name, err);
    if (status == ITEM_OK)
        status = parse_hash(object, where, pack->published, &out->sha256, name, err);
    if (status != ITEM_OK)
        return status;
    const json_t *bytes = json_object_get(object, "bytes");
    if (!json_is_integer(bytes) || json_integer_value(bytes) < 0)
        return itemi_fail(err, ITEM_E_PACK, "%s: %s has no number \"bytes\"", name, where);
    out->bytes = (uint64_t)json_integer_value(bytes);
    out->role = role;
    return ITEM_OK;
}

/* ---- stages ---- */

static item_status parse_files(item_pack *pack, itemi_pack_stage *stage, const json_t *files,
                               const char *word, const char *name, item_error *err)
{
    size_t count = json_object_size(files);
    if (!json_is_object(files) || count == 0 || count > ITEMI_ROLES_MAX)
        return itemi_fail(err, ITEM_E_PACK, "%s: %s needs 1 to %d \"files\"", name, word,
                          ITEMI_ROLES_MAX);
    stage->files = itemi_alloc_zero(&pack->mem, count, sizeof *stage->files);
    if (!stage->files)
        return itemi_fail_memory(err, "opening a pack");
    const char *role;
    json_t *file;
    json_object_foreach((json_t *)(uintptr_t)files, role, file)
    {
        char where[96];
        itemi_buf text;
        itemi_buf_init(&text, NULL);
        itemi_buf_printf(&text, "%s, file \"%.48s\"", word, role);
        where[itemi_escape(where, sizeof where, text.data ? text.data : word)] = '\0';
        itemi_buf_free(&text);
        item_status status =
            parse_file(pack, file, where, role, &stage->files[stage->count], name, err);
        if (status != ITEM_OK)
            return status;
        stage->count++;
    }
    return ITEM_OK;
}

static item_status parse_tokenizer(itemi_pack_stage *stage, const json_t *object, const char *word,
                                   const char *name, item_error *err)
{
    if (!object)
        return ITEM_OK;
    const char *kind;
    item_status status = need_text(object, "tokenizer", "kind", &kind, name, err);
    bool published = status == ITEM_OK && strcmp(kind, ITEMI_PUBLISHED_TOKENIZER) == 0;
    if (published)
        stage->tokenizer_role = "tokenizer";
    else if (status == ITEM_OK)
        status = need_text(object, "tokenizer", "file", &stage->tokenizer_role, name, err);
    if (status != ITEM_OK)
        return status;
    if (!published && strcmp(kind, "wordpiece") != 0)
        return itemi_fail(err, ITEM_E_PACK, "%s: %s: the tokenizer \"%.32s\" is not known", name,
                          word, kind);
    json_int_t limit = json_integer_value(json_object_get(object, "limit"));
    if (limit < 2 || limit > 1000000)
        return itemi_fail(err, ITEM_E_PACK, "%s: %s: the tokenizer's limit is not 2 or more", name,
                          word);
    if (!published && !itemi_pack_role(stage, stage->tokenizer_role))
        return itemi_fail(err, ITEM_E_PACK, "%s: %s: the tokenizer's file \"%.32s\" is no role",
                          name, word, stage->tokenizer_role);
    stage->tokenizer_limit = (size_t)limit;
    return ITEM_OK;
}

/* The cosine that nearly all true captions have with their pictures. */
static item_status parse_least(itemi_pack_stage *stage, const json_t *value, const char *word,
                               const char *name, item_error *err)
{
    double least = json_number_value(value);
    stage->least_similarity = value ? least : (double)NAN;
    if (value && (!json_is_number(value) || !(least >= -1 && least <= 1)))
        return itemi_fail(err, ITEM_E_PACK,
                          "%s: %s: \"least_similarity\" is no number from -1 to 1", name, word);
    return ITEM_OK;
}

static item_status parse_stage(item_pack *pack, itemi_stage_kind kind, const json_t *object,
                               const itemi_log *log, const char *name, item_error *err)
{
    static const char *const known[] = {"family", "licence",   "source",          "files",
                                        "config", "tokenizer", "least_similarity"};
    itemi_pack_stage *stage = &pack->stage[kind];
    const char *word = itemi_stage_word(kind);
    if (!json_is_object(object))
        return itemi_fail(err, ITEM_E_PACK, "%s: %s is not an object", name, word);
    log_unknown(object, known, ITEMI_COUNT(known), word, log, name);
    item_status status = need_text(object, word, "family", &stage->family, name, err);
    if (status == ITEM_OK)
        status = parse_files(pack, stage, json_object_get(object, "files"), word, name, err);
    if (status == ITEM_OK)
        status = parse_tokenizer(stage, json_object_get(object, "tokenizer"), word, name, err);
    if (status == ITEM_OK)
        status = parse_least(stage, json_object_get(object, "least_similarity"), word, name, err);
    if (status != ITEM_OK)
        return status;
    stage->config = json_object_get(object, "config");
    if (stage->config && !json_is_object(stage->config))
        return itemi_fail(err, ITEM_E_PACK, "%s: %s: \"config\" is not an object", name, word);
    return ITEM_OK;
}

static item_status parse_stages(item_pack *pack, const itemi_log *log, const char *name,
                                item_error *err)
{
    const json_t *stages = json_object_get(pack->root, "stages");
    if (!json_is_object(stages))
        return itemi_fail(err, ITEM_E_PACK, "%s: has no object \"stages\"", name);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)stages, key, value)
    {
        size_t kind = 0;
        while (kind < ITEMI_STAGES && strcmp(itemi_stage_word((itemi_stage_kind)kind), key) != 0)
            kind++;
        if (kind == ITEMI_STAGES)
            return itemi_fail(err, ITEM_E_PACK,
                              "%s: no stage \"%.32s\"; there are captioner, detector, embedder",
                              name, key);
        item_status status = parse_stage(pack, (itemi_stage_kind)kind, value, log, name, err);
        if (status != ITEM_OK)
            return status;
    }
    return ITEM_OK;
}

static item_status check_schema(const json_t *root, const char *name, item_error *err)
{
    const json_t *schema = json_object_get(root, "schema");
    json_int_t number = json_integer_value(schema);
    if (!json_is_object(root) || !json_is_integer(schema) || number < 1)
        return itemi_fail(err, ITEM_E_PACK, "%s: is no item.json: it has no number \"schema\"",
                          name);
    if (number > SCHEMA)
        return itemi_fail(err, ITEM_E_PACK,
                          "%s: has schema %lld, this libitem reads up to %d: it needs a newer one",
                          name, (long long)number, SCHEMA);
    return ITEM_OK;
}

item_status itemi_pack_parse(item_pack *pack, const itemi_log *log, const char *name,
                             item_error *err)
{
    static const char *const known[] = {"schema", "name",   "version", "licence",
                                        "card",   "stages", "head"};
    item_status status = check_schema(pack->root, name, err);
    if (status == ITEM_OK)
        status = need_text(pack->root, "the pack", "name", &pack->name, name, err);
    if (status == ITEM_OK)
        status = need_text(pack->root, "the pack", "version", &pack->version, name, err);
    if (status == ITEM_OK)
        status = parse_stages(pack, log, name, err);
    const json_t *head = json_object_get(pack->root, "head");
    if (status == ITEM_OK && head && !json_is_null(head))
        status = parse_file(pack, head, "head", "", &pack->head, name, err);
    if (status != ITEM_OK)
        return status;

    log_unknown(pack->root, known, ITEMI_COUNT(known), "the pack", log, name);
    pack->licence = text_or_empty(pack->root, "licence");
    char label[192];
    itemi_format(label, sizeof label, "%.120s %.60s", pack->name, pack->version);
    itemi_escape(pack->label, sizeof pack->label, label);
    return ITEM_OK;
}

const itemi_pack_file *itemi_pack_role(const itemi_pack_stage *stage, const char *role)
{
    for (size_t i = 0; i < stage->count; i++) {
        if (strcmp(stage->files[i].role, role) == 0)
            return &stage->files[i];
    }
    return NULL;
}

/* ---- in public ---- */

/* The head's entry with its facts; null without a head. */
static json_t *describe_head(const item_pack *pack, const itemi_head *head)
{
    if (!head)
        return json_null();
    const json_t *entry = json_object_get(pack->root, "head");
    json_t *object = json_deep_copy(entry);
    if (json_object_size(object) != json_object_size(entry)) { /* jansson passes over what failed */
        json_decref(object);
        return NULL;
    }
    json_t *facts = itemi_head_facts_dump(itemi_head_get_facts(head));
    if (json_object_set_new(object, "facts", facts) == 0) /* takes facts, and NULL for both */
        return object;
    json_decref(object);
    return NULL;
}

item_status itemi_pack_describe(item_pack *pack, const itemi_head *head, item_error *err)
{
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:O, s:o}", "name", pack->name, "version",
                  pack->version, "licence", pack->licence, "card", itemi_json_text(pack->card),
                  "path", itemi_json_text(pack->path), "fingerprint", pack->fingerprint, "stages",
                  json_object_get(pack->root, "stages"), "head", describe_head(pack, head));
    pack->json = itemi_json_print(&pack->mem, object);
    return pack->json ? ITEM_OK : itemi_fail_memory(err, "describing a pack");
}
