/* SPDX-License-Identifier: Apache-2.0 */
/* Weights as they are published, behind one handle: a file of either kind, or several by index. */
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "files/torchfile.h"

/* A file of weights; the index itself is one without tensors. */
typedef struct part {
    itemi_file file;
    bool owned;
    const char *shard; /* its name in the index; NULL: the file that was asked for */
    itemi_safetensors *safetensors;
    itemi_torchfile *torch;
} part;

struct itemi_weights {
    const itemi_mem *mem;
    atomic_uint owners;
    itemi_index index;
    part *parts;
    size_t part_count;
    const itemi_tensor **tensors; /* in the order of names */
    size_t count;
};

static item_status fail_memory(const char *name, item_error *err)
{
    return itemi_fail(err, ITEM_E_MEMORY, "%s: out of memory", name);
}

/* ---- one file ---- */

/* The first bytes of torch.save() before 1.6: a pickle of a number that stands for its format. */
static const uint8_t old_torch[] = {0x80, 2,    0x8a, 10,   0x6c, 0xfc, 0x9c, 0x46,
                                    0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};

static bool begins(const itemi_file *file, const void *bytes, size_t count)
{
    return file->size >= count && memcmp(file->data, bytes, count) == 0;
}

static bool ends(const char *name, const char *suffix)
{
    size_t length = strlen(name), least = strlen(suffix);
    return length >= least && strcmp(name + length - least, suffix) == 0;
}

static item_status parse_part(const itemi_mem *mem, part *p, const char *name, item_error *err)
{
    static const char lfs[] = "version https://git-lfs";
    const itemi_file *file = &p->file;
    if (begins(file, lfs, sizeof lfs - 1))
        return itemi_fail(err, ITEM_E_FORMAT,
                          "%s: is a pointer of Git LFS, not the weights: fetch the file itself",
                          name);
    if (begins(file, "PK", 2))
        return itemi_torchfile_parse(mem, file->data, file->size, name, &p->torch, err);
    if (begins(file, old_torch, sizeof old_torch))
        return itemi_fail(err, ITEM_E_UNSUPPORTED,
                          "%s: was written before torch 1.6. To convert it: python3 -c 'import "
                          "torch; torch.save(torch.load(\"OLD\", weights_only=True), \"NEW\")'",
                          name);
    if (!ends(name, ".safetensors") && (file->size < 9 || file->data[8] != '{'))
        return itemi_fail(err, ITEM_E_FORMAT, "%s: is neither safetensors nor a torch checkpoint",
                          name);
    return itemi_safetensors_parse(mem, file->data, file->size, name, &p->safetensors, err);
}

static size_t count_part(const part *p)
{
    return p->torch         ? itemi_torchfile_count(p->torch)
           : p->safetensors ? itemi_safetensors_count(p->safetensors)
                            : 0;
}

static const itemi_tensor *tensor_of_part(const part *p, size_t i)
{
    return p->torch ? itemi_torchfile_at(p->torch, i) : itemi_safetensors_at(p->safetensors, i);
}

static item_status open_part(itemi_weights *w, const char *path, const char *shard, bool map,
                             item_error *err)
{
    part *p = &w->parts[w->part_count];
    item_status status = itemi_file_open(w->mem, path, 0, map, &p->file, err);
    if (status != ITEM_OK)
        return status;
    p->owned = true;
    p->shard = shard;
    w->part_count++;
    return parse_part(w->mem, p, path, err);
}

static void close_part(part *p)
{
    itemi_torchfile_close(p->torch);
    itemi_safetensors_close(p->safetensors);
    if (p->owned)
        itemi_file_close(&p->file);
}

/* ---- tensors by name ---- */

static item_status sort_tensors(itemi_weights *w, const char *name, item_error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < w->part_count; i++)
        count += count_part(&w->parts[i]);
    w->tensors = itemi_alloc_zero(w->mem, count + 1, sizeof *w->tensors);
    if (!w->tensors)
        return fail_memory(name, err);
    for (size_t i = 0; i < w->part_count; i++) {
        for (size_t n = 0; n < count_part(&w->parts[i]); n++)
            w->tensors[w->count++] = tensor_of_part(&w->parts[i], n);
    }
    qsort(w->tensors, w->count, sizeof *w->tensors, itemi_tensor_by_name);
    for (size_t i = 1; i < w->count; i++) {
        if (strcmp(w->tensors[i - 1]->name, w->tensors[i]->name) == 0)
            return itemi_fail(err, ITEM_E_FORMAT, "%s: tensor \"%.80s\" is there twice", name,
                              w->tensors[i]->name);
    }
    return ITEM_OK;
}

/* ---- several files ---- */

static item_status open_shard(itemi_weights *w, const char *path, const char *shard, bool map,
                              const itemi_shards *shards, item_error *err)
{
    char *joined = NULL;
    const char *place = shards ? shards->path(shards->user, shard) : NULL;
    if (!place && !shards) {
        const char *slash = strrchr(path, '/');
        char *folder = itemi_strndup(w->mem, path, slash ? (size_t)(slash - path) + 1 : 0);
        place = joined = folder ? itemi_path_put(w->mem, folder, shard) : NULL;
        itemi_free(w->mem, folder);
        if (!joined)
            return fail_memory(path, err);
    }
    if (!place)
        return itemi_fail(err, ITEM_E_IO, "%s: names \"%.80s\", which is not there", path, shard);
    item_status status = open_part(w, place, shard, map, err);
    itemi_free(w->mem, joined);
    return status;
}

/* The index may know less than its files have, not more. */
static item_status check_map(const itemi_weights *w, const char *path, item_error *err)
{
    const char *name;
    json_t *shard;
    json_object_foreach(w->index.map, name, shard)
    {
        if (!itemi_weights_find(w, name))
            return itemi_fail(err, ITEM_E_FORMAT, "%s: tensor \"%.80s\" is in none of its files",
                              path, name);
    }
    return ITEM_OK;
}

static item_status open_index(itemi_weights *w, const char *path, bool map,
                              const itemi_shards *shards, item_error *err)
{
    part *first = &w->parts[0];
    item_status status = itemi_index_parse(w->mem, (const char *)first->file.data, first->file.size,
                                           path, &w->index, err);
    if (status != ITEM_OK)
        return status;
    part *parts = itemi_resize_array(w->mem, w->parts, w->index.count + 1, sizeof *parts);
    if (!parts)
        return fail_memory(path, err);
    memset(parts + 1, 0, w->index.count * sizeof *parts);
    w->parts = parts;
    for (size_t i = 0; status == ITEM_OK && i < w->index.count; i++)
        status = open_shard(w, path, w->index.shards[i], map, shards, err);
    if (status == ITEM_OK)
        status = sort_tensors(w, path, err);
    return status == ITEM_OK ? check_map(w, path, err) : status;
}

/* ---- the handle ---- */

static item_status start(const itemi_mem *mem, const char *name, itemi_weights **out,
                         item_error *err)
{
    itemi_weights *w = itemi_alloc_zero(mem, 1, sizeof *w);
    part *parts = itemi_alloc_zero(mem, 1, sizeof *parts);
    *out = w;
    if (!w || !parts) {
        itemi_free(mem, w);
        itemi_free(mem, parts);
        return fail_memory(name, err);
    }
    *w = (itemi_weights){.mem = mem, .index = {.mem = mem}, .parts = parts};
    atomic_init(&w->owners, 1);
    return ITEM_OK;
}

static item_status end(itemi_weights *w, item_status status, itemi_weights **out)
{
    if (status == ITEM_OK)
        *out = w;
    else
        itemi_weights_close(w);
    return status;
}

/*
 * By its text, as caches of downloads have names of their own: safetensors begins with a length of
 * at most 16 MB in 8 bytes, which has zeros that no JSON has.
 */
static bool is_index(const char *path, const itemi_file *file)
{
    size_t head = file->size < 8 ? file->size : 8;
    return ends(path, ".json") || (begins(file, "{", 1) && !memchr(file->data, 0, head));
}

/* Opens the file again, as JSON is read from a copy that cannot shrink. */
static item_status open_as_index(itemi_weights *w, const char *path, item_error *err)
{
    itemi_file_close(&w->parts[0].file);
    w->parts[0].owned = false;
    item_status status =
        itemi_file_open(w->mem, path, ITEMI_INDEX_BYTES, false, &w->parts[0].file, err);
    w->parts[0].owned = status == ITEM_OK;
    return status;
}

static item_status open_files(itemi_weights *w, const char *path, bool map,
                              const itemi_shards *shards, item_error *err)
{
    part *first = &w->parts[0];
    item_status status = itemi_file_open(w->mem, path, 0, map, &first->file, err);
    if (status != ITEM_OK)
        return status;
    first->owned = true;
    w->part_count = 1;
    if (is_index(path, &first->file)) {
        status = open_as_index(w, path, err);
        return status == ITEM_OK ? open_index(w, path, map, shards, err) : status;
    }
    status = parse_part(w->mem, first, path, err);
    return status == ITEM_OK ? sort_tensors(w, path, err) : status;
}

item_status itemi_weights_open(const itemi_mem *mem, const char *path, bool map,
                               const itemi_shards *shards, itemi_weights **out, item_error *err)
{
    itemi_weights *w;
    *out = NULL;
    item_status status = start(mem, path, &w, err);
    return status == ITEM_OK ? end(w, open_files(w, path, map, shards, err), out) : status;
}

item_status itemi_weights_parse(const itemi_mem *mem, const void *data, size_t size,
                                const char *name, itemi_weights **out, item_error *err)
{
    itemi_weights *w;
    *out = NULL;
    item_status status = start(mem, name, &w, err);
    if (status != ITEM_OK)
        return status;
    w->parts[0].file = (itemi_file){.mem = mem, .data = data, .size = size};
    w->part_count = 1;
    status = parse_part(mem, &w->parts[0], name, err);
    if (status == ITEM_OK)
        status = sort_tensors(w, name, err);
    return end(w, status, out);
}

itemi_weights *itemi_weights_ref(itemi_weights *weights)
{
    atomic_fetch_add_explicit(&weights->owners, 1, memory_order_relaxed);
    return weights;
}

void itemi_weights_close(itemi_weights *weights)
{
    if (!weights || atomic_fetch_sub_explicit(&weights->owners, 1, memory_order_acq_rel) > 1)
        return;
    const itemi_mem *mem = weights->mem;
    for (size_t i = 0; i < weights->part_count; i++)
        close_part(&weights->parts[i]);
    itemi_index_free(&weights->index);
    itemi_free(mem, weights->parts);
    itemi_free(mem, weights->tensors);
    itemi_free(mem, weights);
}

size_t itemi_weights_count(const itemi_weights *weights)
{
    return weights->count;
}

const itemi_tensor *itemi_weights_at(const itemi_weights *weights, size_t i)
{
    return i < weights->count ? weights->tensors[i] : NULL;
}

const itemi_tensor *itemi_weights_find(const itemi_weights *weights, const char *name)
{
    return itemi_tensor_find(weights->tensors, weights->count, name);
}

const char *itemi_weights_meta(const itemi_weights *weights, const char *key)
{
    const char *text = NULL;
    for (size_t i = 0; i < weights->part_count && !text; i++) {
        if (weights->parts[i].safetensors)
            text = itemi_safetensors_meta(weights->parts[i].safetensors, key);
    }
    return text;
}

const itemi_file *itemi_weights_file(const itemi_weights *weights, size_t i, const char **shard)
{
    if (i >= weights->part_count)
        return NULL;
    *shard = weights->parts[i].shard;
    return &weights->parts[i].file;
}

void itemi_weights_done(const itemi_weights *weights, const itemi_tensor *tensor)
{
    const uint8_t *data = tensor->data;
    for (size_t i = 0; i < weights->part_count; i++) {
        const itemi_file *file = &weights->parts[i].file;
        if (!file->mapped || data < file->data || data >= file->data + file->size)
            continue;
        size_t page = (size_t)sysconf(_SC_PAGESIZE), at = (size_t)(data - file->data);
        size_t first = at / page * page;
        (void)madvise((void *)(file->data + first), at - first + tensor->bytes, MADV_DONTNEED);
    }
}
