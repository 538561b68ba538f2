/* SPDX-License-Identifier: Apache-2.0 */
/* Bombs that are files of a pack, data sets and manifests. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <item/pack.h>
#include <item/sys/backend.h>
#include <item/train.h>

#include "bombs.h"

#define MB 1000000

/* ---- JSON ---- */

static const char pack_start[] = "{\"schema\": 1, \"name\": \"bomb\", \"version\": \"1\", ";

static void make_pack_deep(FILE *file)
{
    put_text(file, pack_start);
    put_text(file, "\"more\": ");
    put_times(file, "[", MB);
}

static void make_pack_wide(FILE *file)
{
    put_text(file, pack_start);
    put_text(file, "\"stages\": {}, \"more\": [{}");
    put_times(file, ",{}", MB / 3);
    put_text(file, "]}");
}

static void make_pack_large(FILE *file)
{
    put_times(file, " ", 100 * (size_t)MB);
}

/* The pack's folder is made around the file. */
static item_status run_pack(const char *path, item_error *err)
{
    char folder[512], inside[600];
    item_pack *pack;
    snprintf(folder, sizeof folder, "%s.pack", path);
    snprintf(inside, sizeof inside, "%s/item.json", folder);
    if (mkdir(folder, 0700) != 0 || rename(path, inside) != 0)
        abort();
    measure_start();
    item_status status = item_pack_open(folder, 1, &pack, err);
    measure_stop();
    if (status == ITEM_OK)
        item_pack_free(pack);
    unlink(inside);
    rmdir(folder);
    return status;
}

/* ---- safetensors: heads and data sets ---- */

static void put_length(FILE *file, uint64_t length)
{
    put(file, &length, sizeof length); /* little endian, as the machines are that libitem runs on */
}

static void put_header_of(FILE *file, const char *start, const char *text, size_t times,
                          const char *end)
{
    put_length(file, strlen(start) + strlen(text) * times + strlen(end));
    put_text(file, start);
    put_times(file, text, times);
    put_text(file, end);
}

static void make_header_deep(FILE *file)
{
    put_header_of(file, "{\"__metadata__\":", "[", 10 * (size_t)MB, "");
}

static void make_header_wide(FILE *file)
{
    put_header_of(file, "{\"a\":[{}", ",{}", 30 * (size_t)MB, "]}");
}

static void make_header_text(FILE *file)
{
    put_header_of(file, "{\"__metadata__\":{\"item_head\":\"", "a", 15 * (size_t)MB, "\"}}");
}

/* Tensors of no bytes. */
static void make_header_tensors(FILE *file)
{
    uint64_t length = 2;
    put_length(file, 0);
    put_text(file, "{");
    for (unsigned i = 0; i < MB / 10; i++) {
        char one[96];
        length += (uint64_t)snprintf(one, sizeof one,
                                     "%s\"%u\":{\"dtype\":\"U8\",\"shape\":[0],"
                                     "\"data_offsets\":[0,0]}",
                                     i ? "," : "", i);
        put_text(file, one);
    }
    put_text(file, "}");
    rewind(file);
    put_length(file, length);
}

static void make_meta_deep(FILE *file)
{
    put_header_of(file, "{\"__metadata__\":{\"item_head\":\"", "[", 10 * (size_t)MB, "\"}}");
}

static void make_meta_wide(FILE *file)
{
    put_header_of(file, "{\"__metadata__\":{\"item_head\":\"[{}", ",{}", 3 * (size_t)MB, "]\"}}");
}

/* Takes no room on the disk. */
static void make_sparse(FILE *file)
{
    put_header_of(file, "{", "", 0, "}");
    fflush(file);
    if (ftruncate(fileno(file), (off_t)4 << 30) != 0)
        abort();
}

static item_config *dummies(void)
{
    item_config *config;
    item_error err = ITEM_ERROR_INIT;
    if (item_config_new(&config, &err) != ITEM_OK ||
        item_config_set_captioner(config, item_dummy_captioner(), NULL, &err) != ITEM_OK ||
        item_config_set_detector(config, item_dummy_detector(), NULL, &err) != ITEM_OK ||
        item_config_set_embedder(config, item_dummy_embedder(), NULL, &err) != ITEM_OK)
        abort();
    return config;
}

static item_status run_head(const char *path, item_error *err)
{
    item_ctx *ctx = NULL;
    item_config *config = dummies();
    measure_start();
    item_status status = item_config_set(config, "head", path, err);
    if (status == ITEM_OK)
        status = item_ctx_open(NULL, config, &ctx, err);
    measure_stop();
    item_ctx_unref(ctx);
    item_config_unref(config);
    return status;
}

static item_status run_dataset(const char *path, item_error *err)
{
    item_dataset *data;
    measure_start();
    item_status status = item_dataset_load(path, &data, err);
    measure_stop();
    if (status == ITEM_OK)
        item_dataset_free(data);
    return status;
}

/* ---- manifests ---- */

static void make_rows(FILE *file)
{
    put_text(file, "path,label\n");
    put_times(file, "a.png,ai\n", MB);
}

static void make_field(FILE *file)
{
    put_text(file, "path,label,prompt\na.png,ai,\"");
    put_times(file, "a picture ", 10 * (size_t)MB);
    put_text(file, "\"\n");
}

static void make_fields(FILE *file)
{
    put_text(file, "path,label");
    put_times(file, ",more", 10 * (size_t)MB);
}

static void make_open_quote(FILE *file)
{
    put_text(file, "path,label\n\"");
    put_times(file, "\"\"\n", 30 * (size_t)MB);
}

static item_status run_manifest(const char *path, item_error *err)
{
    item_dataset *data;
    item_ctx *ctx;
    item_config *config = dummies();
    if (item_ctx_open(NULL, config, &ctx, err) != ITEM_OK)
        abort();
    measure_start();
    item_status status = item_dataset_extract(ctx, path, NULL, &data, err);
    measure_stop();
    if (status == ITEM_OK)
        item_dataset_free(data);
    item_ctx_unref(ctx);
    item_config_unref(config);
    return status;
}

/* ---- vocabularies ---- */

static void make_vocabulary(FILE *file)
{
    put_text(file, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n");
    put_times(file, "\n", 50 * (size_t)MB);
}

static void make_pieces(FILE *file)
{
    put_text(file, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n");
    put_times(file, "\n", 15 * (size_t)MB);
}

/* Of a pack with an embedder, whose vocabulary is the file. */
static void write_manifest(const char *path, const char *vocabulary)
{
    struct stat facts;
    FILE *file = fopen(path, "w");
    if (!file || stat(vocabulary, &facts) != 0)
        abort();
    put_text(file, pack_start);
    fprintf(file,
            "\"stages\": {\"embedder\": {\"family\": \"none\", \"files\": {\"vocab\": {\"file\": "
            "\"vocab.txt\", \"bytes\": %lld, \"sha256\": \"%064d\"}}, \"tokenizer\": "
            "{\"kind\": \"wordpiece\", \"file\": \"vocab\", \"limit\": 64}}}}",
            (long long)facts.st_size, 0);
    if (fclose(file) != 0)
        abort();
}

static item_status tokenize(const char *folder, item_error *err)
{
    item_ctx *ctx = NULL;
    item_config *config;
    size_t count;
    if (item_config_new(&config, err) != ITEM_OK ||
        item_config_set(config, "verify", "none", err) != ITEM_OK)
        abort();
    item_status status = item_ctx_open(folder, config, &ctx, err);
    if (status == ITEM_OK)
        status = item_tokenize(ctx, "a dog", NULL, 0, &count, err);
    item_ctx_unref(ctx);
    item_config_unref(config);
    return status;
}

static item_status run_vocabulary(const char *path, item_error *err)
{
    char folder[512], inside[600], manifest[600];
    snprintf(folder, sizeof folder, "%s.pack", path);
    snprintf(inside, sizeof inside, "%s/vocab.txt", folder);
    snprintf(manifest, sizeof manifest, "%s/item.json", folder);
    if (mkdir(folder, 0700) != 0 || rename(path, inside) != 0)
        abort();
    write_manifest(manifest, inside);
    measure_start();
    item_status status = tokenize(folder, err);
    measure_stop();
    unlink(inside);
    unlink(manifest);
    rmdir(folder);
    return status;
}

const bomb file_bombs[] = {
    {"deep.json", "item.json, 1 million levels deep", make_pack_deep, run_pack, ITEM_E_FORMAT,
     "maximum parsing depth"},
    {"wide.json", "item.json, 333,333 objects", make_pack_wide, run_pack, ITEM_OK, NULL},
    {"large.json", "item.json of 100 MB", make_pack_large, run_pack, ITEM_E_LIMIT, "limit"},
    {"deep.head", "head, header 10 million levels deep", make_header_deep, run_head, ITEM_E_FORMAT,
     "maximum parsing depth"},
    {"wide.head", "head, header of 30 million objects", make_header_wide, run_head, ITEM_E_LIMIT,
     "limit"},
    {"text.head", "head, metadata of 15 MB", make_header_text, run_head, ITEM_E_FORMAT, NULL},
    {"tensors.head", "head of 100,000 tensors", make_header_tensors, run_head, ITEM_E_LIMIT,
     "values"},
    {"facts.head", "head, facts 10 million levels deep", make_meta_deep, run_head, ITEM_E_FORMAT,
     "maximum parsing depth"},
    {"many.head", "head, facts of 3 million objects", make_meta_wide, run_head, ITEM_E_LIMIT,
     "values"},
    {"sparse.head", "head of 4 GB, all of it holes", make_sparse, run_head, ITEM_E_LIMIT, "limit"},
    {"wide.data", "data set, header of 30 million objects", make_header_wide, run_dataset,
     ITEM_E_LIMIT, "header"},
    {"rows.csv", "manifest, 1 million rows without pictures", make_rows, run_manifest, ITEM_E_LIMIT,
     NULL},
    {"field.csv", "manifest, a field of 100 MB", make_field, run_manifest, ITEM_E_LIMIT, "line 2"},
    {"fields.csv", "manifest, 10 million columns", make_fields, run_manifest, ITEM_E_FORMAT,
     "too many fields"},
    {"quote.csv", "manifest, a quote that never ends", make_open_quote, run_manifest, ITEM_E_LIMIT,
     "line 2"},
    {"vocab.txt", "vocabulary, 50 million lines", make_vocabulary, run_vocabulary, ITEM_E_LIMIT,
     "limit"},
    {"pieces.txt", "vocabulary, 15 million lines", make_pieces, run_vocabulary, ITEM_E_LIMIT,
     "limit"},
};
const size_t file_bombs_count = sizeof file_bombs / sizeof file_bombs[0];
