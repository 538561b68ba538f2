/* SPDX-License-Identifier: Apache-2.0 */
/* Reading *.index.json: which tensor lies in which file, for weights in several files. */
#include <stdlib.h>

#include "files/files_private.h"

/* A shard lies beside its index, so its name leads nowhere else. */
static bool is_base_name(const char *name)
{
    return *name && !strpbrk(name, "/\\") && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The shard of every tensor, in their own order. */
static item_status list_shards(itemi_index *index, const char *name, item_error *err)
{
    size_t tensors = json_object_size(index->map);
    index->shards = itemi_alloc_zero(index->mem, tensors + 1, sizeof *index->shards);
    if (!index->shards)
        return itemi_fail(err, ITEM_E_MEMORY, "%s: out of memory", name);
    const char *tensor;
    json_t *value;
    json_object_foreach(index->map, tensor, value)
    {
        const char *shard = json_string_value(value);
        if (!shard)
            return itemi_fail(err, ITEM_E_FORMAT, "%s: tensor \"%.80s\" has no file", name, tensor);
        if (!is_base_name(shard))
            return itemi_fail(err, ITEM_E_FORMAT,
                              "%s: names the file \"%.80s\", which is not beside it", name, shard);
        index->shards[index->count++] = shard;
    }
    return ITEM_OK;
}

static item_status keep_each_once(itemi_index *index, const char *name, item_error *err)
{
    qsort(index->shards, index->count, sizeof *index->shards, by_text);
    size_t kept = 0;
    for (size_t i = 0; i < index->count; i++) {
        if (kept == 0 || strcmp(index->shards[kept - 1], index->shards[i]) != 0)
            index->shards[kept++] = index->shards[i];
    }
    index->count = kept;
    if (kept > ITEMI_SHARDS_MAX)
        return itemi_fail(err, ITEM_E_LIMIT, "%s: names %zu files, at most %d are read", name, kept,
                          ITEMI_SHARDS_MAX);
    return ITEM_OK;
}

item_status itemi_index_parse(const itemi_mem *mem, const char *text, size_t length,
                              const char *name, itemi_index *out, item_error *err)
{
    json_t *root;
    itemi_index index = {.mem = mem};
    *out = index;
    item_status status = itemi_json_parse(text, length, name, &root, err);
    if (status != ITEM_OK)
        return status;
    index.map = json_incref(json_object_get(root, "weight_map"));
    json_decref(root);
    if (!json_is_object(index.map))
        status = itemi_fail(err, ITEM_E_FORMAT, "%s: has no object \"weight_map\"", name);
    if (status == ITEM_OK)
        status = list_shards(&index, name, err);
    if (status == ITEM_OK)
        status = keep_each_once(&index, name, err);
    if (status == ITEM_OK)
        *out = index;
    else
        itemi_index_free(&index);
    return status;
}

item_status itemi_index_load(const itemi_mem *mem, const char *path, itemi_index *out,
                             item_error *err)
{
    itemi_file file;
    *out = (itemi_index){.mem = mem};
    item_status status = itemi_file_open(mem, path, ITEMI_INDEX_BYTES, false, &file, err);
    if (status == ITEM_OK)
        status = itemi_index_parse(mem, (const char *)file.data, file.size, path, out, err);
    itemi_file_close(&file);
    return status;
}

void itemi_index_free(itemi_index *index)
{
    json_decref(index->map);
    itemi_free(index->mem, index->shards);
    *index = (itemi_index){.mem = index->mem};
}
