/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models as their authors publish them: a folder with config.json, weights and a tokenizer is
 * described in the form of item.json, as a pack of one stage, and opened as such.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/published.h"

#define HUGGING_FACE "config.json"
#define OPEN_CLIP    "open_clip_config.json"

/* What is known of a family before any engine is. Paths lead to members of its configuration. */
typedef struct family {
    const char *name; /* as in model_type */
    itemi_stage_kind kind;
    bool word_pieces;     /* its vocabulary without tokenizer.json: vocab.txt, not byte pairs */
    const char *config;   /* name of the file */
    const char *limit[3]; /* path of the longest text in tokens */
    json_int_t most;      /* the same where the file does not say; the reference's default */
    const char *width[2]; /* path of the vectors' width; NULL: no embedder */
    json_int_t wide;      /* likewise; 0: must be said */
    const char *weights[5];
} family;

/* The files and names of Hugging Face. */
#define AS_PUBLISHED                                                                               \
    .config = HUGGING_FACE, .limit = {"text_config", "max_position_embeddings"},                   \
    .weights = {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",          \
                "pytorch_model.bin.index.json"}
#define PROJECTION .width = {"projection_dim"}, .wide = 512

static const family families[] = {
    {"blip", ITEMI_CAPTIONER, .word_pieces = true, .most = 512, AS_PUBLISHED},
    {"chinese_clip", ITEMI_EMBEDDER, .word_pieces = true, .most = 512, PROJECTION, AS_PUBLISHED},
    {"clip", ITEMI_EMBEDDER, .most = 77, PROJECTION, AS_PUBLISHED},
    {"owlv2", ITEMI_DETECTOR, .most = 16, AS_PUBLISHED},
    {"owlvit", ITEMI_DETECTOR, .most = 16, AS_PUBLISHED},
};
static const family open_clip = {
    "open_clip",
    ITEMI_EMBEDDER,
    .config = OPEN_CLIP,
    .limit = {"model_cfg", "text_cfg", "context_length"},
    .most = 77,
    .width = {"model_cfg", "embed_dim"},
    .weights = {"open_clip_model.safetensors", "open_clip_pytorch_model.bin"}};

/* A folder while it is looked at. */
typedef struct folder {
    const itemi_mem *mem;
    const char *path;
    int32_t verify; /* 2: hash large files too; small ones are always known by their hash */
    const family *family;
    json_t *config;
    json_t *files; /* as "files" of a stage in item.json, but for hashes that are not known */
} folder;

/* ---- files ---- */

static item_status fail_memory(item_error *err)
{
    return itemi_fail_memory(err, "opening a published model");
}

/* A link that leads nowhere is there: what is wrong with it is told when it is opened. */
static bool is_there(const folder *f, const char *name)
{
    struct stat facts;
    char path[ITEMI_BESIDE_MAX];
    return itemi_beside(f->path, name, path) && lstat(path, &facts) == 0;
}

static const char *first_there(const folder *f, const char *const *names)
{
    while (*names && !is_there(f, *names))
        names++;
    return *names;
}

static item_status look_at(const folder *f, const char *name, json_t **out, item_error *err)
{
    char path[ITEMI_BESIDE_MAX], real[PATH_MAX], hex[ITEMI_SHA256_HEX];
    struct stat facts;
    if (!itemi_beside(f->path, name, path))
        return itemi_fail(err, ITEM_E_PACK, "%s: holds a file of too long a name", f->path);
    if (!realpath(path, real) || stat(real, &facts) != 0)
        return itemi_fail_errno(err, ITEM_E_PACK, errno, "%s: cannot be read", path);
    if (!S_ISREG(facts.st_mode))
        return itemi_fail(err, ITEM_E_PACK, "%s: is not a regular file", path);
    bool hash = f->verify == 2 || facts.st_size < ITEMI_SMALL_FILE;
    item_status status = hash ? itemi_sha256_path(real, hex, err) : ITEM_OK;
    if (status != ITEM_OK)
        return status;
    *out = json_pack("{s:s, s:I, s:s?}", "file", name, "bytes", (json_int_t)facts.st_size, "sha256",
                     hash ? hex : NULL);
    return *out ? ITEM_OK : fail_memory(err);
}

/* An entry of "files"; links may lead anywhere, as the caches of downloads are made of them. */
static item_status add_file(folder *f, const char *role, const char *name, item_error *err)
{
    json_t *entry = NULL;
    item_status status = look_at(f, name, &entry, err);
    if (status == ITEM_OK && json_object_set_new(f->files, role, entry) != 0)
        status = fail_memory(err);
    return status;
}

static item_status add_where_there(folder *f, const char *role, const char *name, item_error *err)
{
    return is_there(f, name) ? add_file(f, role, name, err) : ITEM_OK;
}

static item_status load_json(const folder *f, const char *name, json_t **out, item_error *err)
{
    char path[ITEMI_BESIDE_MAX];
    (void)itemi_beside(f->path, name, path); /* it is there, so its name is short enough */
    return itemi_json_load(f->mem, path, out, err);
}

/* ---- values of the configuration ---- */

static const json_t *find_value(const folder *f, const char *const *path, size_t depth)
{
    const json_t *value = f->config;
    for (size_t i = 0; i < depth && path[i]; i++)
        value = json_object_get(value, path[i]);
    return value;
}

static item_status read_size(const folder *f, const char *const *path, size_t depth,
                             json_int_t otherwise, json_int_t most, json_int_t *out,
                             item_error *err)
{
    const json_t *value = find_value(f, path, depth);
    *out = value ? json_integer_value(value) : otherwise;
    if (*out >= 1 && *out <= most)
        return ITEM_OK;
    size_t last = 0;
    while (last + 1 < depth && path[last + 1])
        last++;
    return itemi_fail(err, ITEM_E_PACK, "%s/%s: %s is not a number from 1 to %lld", f->path,
                      f->family->config, path[last], (long long)most);
}

/* ---- the family ---- */

static item_status fail_unknown(const folder *f, const char *type, item_error *err)
{
    itemi_buf names;
    itemi_buf_init(&names, NULL);
    for (size_t i = 0; i < ITEMI_COUNT(families); i++)
        itemi_buf_printf(&names, "%s, ", families[i].name);
    item_status status =
        itemi_fail(err, ITEM_E_UNSUPPORTED,
                   "%s/%s: the model_type \"%.48s\" is not known; there are %sand open_clip with "
                   "its %s",
                   f->path, HUGGING_FACE, type, names.data ? names.data : "", OPEN_CLIP);
    itemi_buf_free(&names);
    return status;
}

static const family *find_family(const char *type)
{
    for (size_t i = 0; type && i < ITEMI_COUNT(families); i++) {
        if (strcmp(families[i].name, type) == 0)
            return &families[i];
    }
    return NULL;
}

/*
 * Folders of open_clip may have a config.json as well, of another program or, with weights of its
 * own, for the Hugging Face names. What can be opened is taken.
 */
static item_status choose_family(folder *f, item_error *err)
{
    bool second = is_there(f, OPEN_CLIP);
    item_status status = ITEM_OK;
    if (is_there(f, HUGGING_FACE))
        status = load_json(f, HUGGING_FACE, &f->config, err);
    if (status != ITEM_OK)
        return status;
    const char *type = json_string_value(json_object_get(f->config, "model_type"));
    f->family = find_family(type);
    bool whole = f->family && first_there(f, f->family->weights);
    if (whole || (f->family && !(second && first_there(f, open_clip.weights))))
        return ITEM_OK;
    if (second) {
        f->family = &open_clip;
        json_decref(f->config);
        f->config = NULL;
        return load_json(f, OPEN_CLIP, &f->config, err);
    }
    if (type)
        return fail_unknown(f, type, err);
    if (f->config)
        return itemi_fail(err, ITEM_E_PACK, "%s/%s: has no text \"model_type\"", f->path,
                          HUGGING_FACE);
    return itemi_fail(err, ITEM_E_PACK,
                      "%s: is no pack: it has no item.json, nor is it a model as published: it "
                      "has no %s",
                      f->path, HUGGING_FACE);
}

/* Early files of CLIPs have "text_config_dict" too, which stands for all of "text_config". */
static item_status prefer_dict(const folder *f, item_error *err)
{
    json_t *dict = json_object_get(f->config, "text_config_dict");
    if (f->family->kind != ITEMI_EMBEDDER || !json_is_object(dict) ||
        json_object_set(f->config, "text_config", dict) == 0)
        return ITEM_OK;
    return fail_memory(err);
}

/* ---- weights and tokenizer ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

/* Shards lie beside their index; what is called otherwise is no shard of it. */
static item_status add_shard(folder *f, const char *index, const char *name, item_error *err)
{
    const char *end = strstr(index, ".safetensors") ? ".safetensors" : ".bin";
    if (!name || strchr(name, '/') || strchr(name, '\\') || !ends_with(name, end))
        return itemi_fail(err, ITEM_E_PACK,
                          "%s/%s: names \"%.80s\", which is no %s file of this folder", f->path,
                          index, name ? name : "", end);
    if (json_object_get(f->files, name))
        return ITEM_OK;
    if (json_object_size(f->files) == ITEMI_ROLES_MAX)
        return itemi_fail(err, ITEM_E_LIMIT, "%s/%s: names more than %d files", f->path, index,
                          ITEMI_ROLES_MAX);
    if (!is_there(f, name))
        return itemi_fail(err, ITEM_E_PACK, "%s/%s: is named by %s and is not there", f->path, name,
                          index);
    return add_file(f, name, name, err);
}

static item_status add_shards(folder *f, const char *index, item_error *err)
{
    json_t *root = NULL;
    item_status status = load_json(f, index, &root, err);
    const json_t *map = json_object_get(root, "weight_map");
    if (status == ITEM_OK && json_object_size(map) == 0)
        status = itemi_fail(err, ITEM_E_PACK, "%s/%s: has no \"weight_map\"", f->path, index);
    const char *tensor;
    json_t *name;
    json_object_foreach((json_t *)(uintptr_t)map, tensor, name)
    {
        if (status == ITEM_OK)
            status = add_shard(f, index, json_string_value(name), err);
    }
    json_decref(root);
    return status;
}

static item_status add_weights(folder *f, item_error *err)
{
    const char *name = first_there(f, f->family->weights);
    if (name) {
        item_status status = add_file(f, "weights", name, err);
        return status == ITEM_OK && ends_with(name, ".index.json") ? add_shards(f, name, err)
                                                                   : status;
    }
    itemi_buf names;
    itemi_buf_init(&names, NULL);
    for (const char *const *at = f->family->weights; *at; at++)
        itemi_buf_printf(&names, "%s%s", at == f->family->weights ? "" : ", ", *at);
    item_status status = itemi_fail(err, ITEM_E_PACK, "%s: has no weights: none of %s", f->path,
                                    names.data ? names.data : "its files");
    itemi_buf_free(&names);
    return status;
}

static item_status add_tokenizer(folder *f, item_error *err)
{
    if (is_there(f, "tokenizer.json"))
        return add_file(f, "tokenizer", "tokenizer.json", err);
    if (f->family->word_pieces) {
        if (is_there(f, "vocab.txt"))
            return add_file(f, "vocab", "vocab.txt", err);
        return itemi_fail(err, ITEM_E_PACK,
                          "%s: has no tokenizer: neither tokenizer.json nor vocab.txt", f->path);
    }
    if (!is_there(f, "vocab.json") || !is_there(f, "merges.txt"))
        return itemi_fail(err, ITEM_E_PACK,
                          "%s: has no tokenizer: neither tokenizer.json nor vocab.json with "
                          "merges.txt",
                          f->path);
    item_status status = add_file(f, "vocab", "vocab.json", err);
    return status == ITEM_OK ? add_file(f, "merges", "merges.txt", err) : status;
}

/* A processor as transformers 5 saves it has all in one file; where that says nothing of pictures,
   the older file does. */
static item_status add_preprocessor(folder *f, item_error *err)
{
    static const char whole[] = "processor_config.json";
    json_t *root = NULL;
    item_status status = is_there(f, whole) ? load_json(f, whole, &root, err) : ITEM_OK;
    const bool nested = json_is_object(json_object_get(root, ITEMI_IMAGE_PROCESSOR));
    json_decref(root);
    if (status != ITEM_OK)
        return status;
    return nested ? add_file(f, "preprocessor", whole, err)
                  : add_where_there(f, "preprocessor", "preprocessor_config.json", err);
}

static item_status add_files(folder *f, item_error *err)
{
    item_status status = add_file(f, "config", f->family->config, err);
    if (status == ITEM_OK)
        status = add_tokenizer(f, err);
    if (status == ITEM_OK)
        status = add_preprocessor(f, err);
    if (status == ITEM_OK)
        status = add_where_there(f, "tokenizer_config", "tokenizer_config.json", err);
    if (status == ITEM_OK)
        status = add_where_there(f, "special_tokens_map", "special_tokens_map.json", err);
    if (status == ITEM_OK)
        status = add_where_there(f, "added_tokens", "added_tokens.json", err);
    return status == ITEM_OK ? add_weights(f, err) : status;
}

/* ---- all of it as item.json ---- */

static json_t *describe_stage(const folder *f, json_int_t limit, json_int_t width,
                              const char *licence)
{
    const char *source = json_string_value(json_object_get(f->config, "_name_or_path"));
    json_t *stage = json_pack("{s:s, s:s, s:s, s:O, s:{s:s, s:I}}", "family", f->family->name,
                              "licence", licence, "source", source ? source : "", "files", f->files,
                              "tokenizer", "kind", ITEMI_PUBLISHED_TOKENIZER, "limit", limit);
    if (!f->family->width[0])
        return stage;
    json_t *config = json_pack("{s:I}", "width", width);
    if (stage && config && json_object_set_new(stage, "config", config) == 0)
        return stage;
    if (!stage)
        json_decref(config);
    json_decref(stage);
    return NULL;
}

/* A folder in a cache of downloads is named by a hash; its model's name stands two levels up. */
static json_t *describe_name(const char *path)
{
    char copy[PATH_MAX];
    itemi_format(copy, sizeof copy, "%s", path);
    char *last = strrchr(copy, '/');
    char *above = last > copy ? memrchr(copy, '/', (size_t)(last - copy)) : NULL;
    if (above && strncmp(above, "/snapshots/", 11) == 0) {
        *above = '\0';
        last = strrchr(copy, '/');
    }
    return itemi_json_text(last && last[1] ? last + 1 : "model");
}

static json_t *describe(const folder *f, json_int_t limit, json_int_t width, const char *licence)
{
    return json_pack("{s:i, s:o, s:s, s:s, s:s, s:{s:o}}", "schema", 1, "name",
                     describe_name(f->path), "version", "as published", "licence", licence, "card",
                     is_there(f, "README.md") ? "README.md" : "", "stages",
                     itemi_stage_word(f->family->kind), describe_stage(f, limit, width, licence));
}

static item_status look_into(folder *f, json_t **out, item_error *err)
{
    json_int_t limit = 0, width = 0;
    f->files = json_object();
    item_status status = f->files ? choose_family(f, err) : fail_memory(err);
    if (status == ITEM_OK)
        status = prefer_dict(f, err);
    if (status == ITEM_OK)
        status = read_size(f, f->family->limit, ITEMI_COUNT(f->family->limit), f->family->most,
                           1000000, &limit, err);
    if (status == ITEM_OK && f->family->width[0])
        status = read_size(f, f->family->width, ITEMI_COUNT(f->family->width), f->family->wide,
                           8192, &width, err);
    if (status == ITEM_OK)
        status = add_files(f, err);
    char licence[ITEMI_LICENCE_MAX];
    if (status == ITEM_OK)
        status = itemi_licence_find(f->mem, f->path, licence, err);
    if (status != ITEM_OK)
        return status;
    *out = describe(f, limit, width, licence);
    return *out ? ITEM_OK : fail_memory(err);
}

item_status itemi_published_read(const itemi_mem *mem, const char *path, int32_t verify,
                                 json_t **out, item_error *err)
{
    folder f = {.mem = mem, .path = path, .verify = verify};
    *out = NULL;
    item_status status = look_into(&f, out, err);
    json_decref(f.config);
    json_decref(f.files);
    return status;
}
