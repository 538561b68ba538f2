/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files on disk: mapped or copied, safetensors, JSON, SHA-256, CSV manifests, caches. Sees common
 * alone.
 */
#ifndef ITEMI_FILES_H
#define ITEMI_FILES_H

#include <jansson.h>
#include <sys/stat.h>

#include "common/common.h"

/* ---- bytes of a file ---- */

typedef struct itemi_file {
    const itemi_mem *mem;
    const uint8_t *data; /* never NULL after success, even when size is 0 */
    size_t size;
    bool mapped;       /* false: a copy */
    struct stat facts; /* when it was opened */
} itemi_file;

/*
 * Regular files only (a folder or FIFO is refused without waiting). max_bytes 0: no limit. Where
 * the file system cannot map, a copy is made. After a failure `out` is empty and may be closed.
 */
item_status itemi_file_open(const itemi_mem *mem, const char *path, uint64_t max_bytes, bool map,
                            itemi_file *out, item_error *err);
void itemi_file_close(itemi_file *file);
/*
 * Writes beside, syncs and renames, so that a reader sees the old or the new file. A symbolic
 * link is replaced, not followed; what is no regular file is never replaced.
 */
item_status itemi_file_write(const char *path, const void *data, size_t size, item_error *err);
/*
 * "folder/name" (an empty folder: the name), checked: the name has no "..", no leading "/", no
 * "\\", is not empty. NULL after a failure (ITEM_E_FORMAT, ITEM_E_MEMORY, told by err).
 */
char *itemi_path_join(const itemi_mem *mem, const char *folder, const char *name, item_error *err);

/* ---- SHA-256 (libcrypto) ---- */

#define ITEMI_SHA256_HEX   65
#define ITEMI_SHA256_BYTES 32
typedef struct itemi_sha256 itemi_sha256;
itemi_sha256 *itemi_sha256_new(void);
void itemi_sha256_add(itemi_sha256 *sha, const void *data, size_t size);
void itemi_sha256_text(itemi_sha256 *sha, const char *text); /* with its NUL, as separator */
bool itemi_sha256_end(itemi_sha256 *sha, char hex[ITEMI_SHA256_HEX]);        /* frees sha */
bool itemi_sha256_bytes(itemi_sha256 *sha, uint8_t out[ITEMI_SHA256_BYTES]); /* frees sha too */
item_status itemi_sha256_file(const itemi_file *file, char hex[ITEMI_SHA256_HEX], item_error *err);
/* Of a regular file, read piece by piece: never mapped, so that it may shrink meanwhile. */
item_status itemi_sha256_path(const char *path, char hex[ITEMI_SHA256_HEX], item_error *err);

/*
 * Puts a file into another folder under a name that is not there yet, by a hard link where the
 * system makes one and `copy` is not set, else by a copy. Tells size and hash of what lies there.
 */
item_status itemi_file_place(const char *from, const char *to, bool copy, const item_cancel *cancel,
                             uint64_t *bytes, char hex[ITEMI_SHA256_HEX], item_error *err);

/* ---- JSON (jansson) with the file and line in every error ---- */

/*
 * Strict JSON with an object or array at the top; duplicate keys and NUL are refused. `name` is
 * for messages. json_decref() the result. Memory of JSON comes from jansson's own allocator.
 */
item_status itemi_json_parse(const char *text, size_t length, const char *name, json_t **out,
                             item_error *err);
item_status itemi_json_load(const itemi_mem *mem, const char *path, json_t **out, item_error *err);

/* ---- safetensors ---- */

typedef enum itemi_dtype {
    ITEMI_F64 = 1,
    ITEMI_F32,
    ITEMI_F16,
    ITEMI_BF16,
    ITEMI_I64,
    ITEMI_I32,
    ITEMI_I8,
    ITEMI_U8,
    ITEMI_BOOL
} itemi_dtype;
size_t itemi_dtype_size(itemi_dtype dtype);

#define ITEMI_DIMS_MAX 8
typedef struct itemi_tensor {
    const char *name;
    itemi_dtype dtype;
    uint32_t dims;
    uint64_t shape[ITEMI_DIMS_MAX];
    const void *data; /* in the file; may be unaligned */
    size_t bytes;
} itemi_tensor;

typedef struct itemi_safetensors itemi_safetensors;
item_status itemi_safetensors_open(const itemi_mem *mem, const char *path, bool map,
                                   itemi_safetensors **out, item_error *err);
/* `data` is borrowed and must outlive the result. */
item_status itemi_safetensors_parse(const itemi_mem *mem, const void *data, size_t size,
                                    const char *name, itemi_safetensors **out, item_error *err);
void itemi_safetensors_close(itemi_safetensors *st);
size_t itemi_safetensors_count(const itemi_safetensors *st);
/* In the header's order; NULL beyond the last. */
const itemi_tensor *itemi_safetensors_at(const itemi_safetensors *st, size_t i);
const itemi_tensor *itemi_safetensors_find(const itemi_safetensors *st, const char *name);
const char *itemi_safetensors_meta(const itemi_safetensors *st, const char *key); /* or NULL */
const itemi_file *itemi_safetensors_file(const itemi_safetensors *st);
/* Any dtype to float32, bytes / itemi_dtype_size() elements; rounded to nearest. */
void itemi_to_f32(const itemi_tensor *tensor, float *out);

/* ---- weights in any published form: safetensors, torch checkpoint, an index of several ---- */

/*
 * {"weight_map": {tensor: name of a file, ...}}: *.index.json, for weights in several files
 * (shards), which lie beside it. Texts are borrowed from `map`.
 */
#define ITEMI_SHARDS_MAX 128
typedef struct itemi_index {
    const itemi_mem *mem;
    json_t *map;         /* tensor to shard */
    const char **shards; /* each once, in the order of their names */
    size_t count;
} itemi_index;
/* `name` is for messages. After a failure `out` is empty and may be freed. */
item_status itemi_index_parse(const itemi_mem *mem, const char *text, size_t length,
                              const char *name, itemi_index *out, item_error *err);
item_status itemi_index_load(const itemi_mem *mem, const char *path, itemi_index *out,
                             item_error *err);
void itemi_index_free(itemi_index *index);

/* Where a shard of an index lies; NULL: nowhere. Borrowed until the weights are open. */
typedef struct itemi_shards {
    const char *(*path)(void *user, const char *shard);
    void *user;
} itemi_shards;

/* Does not change once it is open; may be used by several threads at once. */
typedef struct itemi_weights itemi_weights;
/*
 * A file's kind is told by its first bytes, whatever its name. `shards` NULL: they lie beside the
 * index.
 */
item_status itemi_weights_open(const itemi_mem *mem, const char *path, bool map,
                               const itemi_shards *shards, itemi_weights **out, item_error *err);
/* One file in memory; `data` is borrowed and must outlive the result. */
item_status itemi_weights_parse(const itemi_mem *mem, const void *data, size_t size,
                                const char *name, itemi_weights **out, item_error *err);
/* Another owner, each of whom closes; any thread. */
itemi_weights *itemi_weights_ref(itemi_weights *weights);
void itemi_weights_close(itemi_weights *weights);
size_t itemi_weights_count(const itemi_weights *weights);
/* In the order of names; NULL beyond the last. */
const itemi_tensor *itemi_weights_at(const itemi_weights *weights, size_t i);
const itemi_tensor *itemi_weights_find(const itemi_weights *weights, const char *name);
const char *itemi_weights_meta(const itemi_weights *weights, const char *key); /* or NULL */
/* The files that were opened, the one that open() names first; NULL beyond the last. */
const itemi_file *itemi_weights_file(const itemi_weights *weights, size_t i, const char **shard);
/*
 * The tensor was converted and will hardly be read again: lets go of its mapped pages, which come
 * back from the file when they are.
 */
void itemi_weights_done(const itemi_weights *weights, const itemi_tensor *tensor);

/*
 * Writes as itemi_file_write() does: tensors in the order given, `pairs` of metadata as key,
 * value, key, value; the same input gives the same bytes.
 */
item_status itemi_safetensors_write(const char *path, const itemi_tensor *tensors, size_t count,
                                    const char *const *meta, size_t pairs, item_error *err);

/* ---- keys and values in an SQLite file ---- */

#define ITEMI_CACHE_KEY ITEMI_SHA256_BYTES
typedef struct itemi_cache itemi_cache;
typedef struct itemi_cache_entry {
    uint8_t key[ITEMI_CACHE_KEY];
    const void *value;
    size_t size;
} itemi_cache_entry;

/*
 * Opens or makes the file. One that another program made, or a libitem with another format, is
 * refused and not touched. Several processes and contexts may share a file; a handle serves one
 * thread at a time. Waits for others, 10 s at most.
 */
item_status itemi_cache_open(const itemi_mem *mem, const char *path, itemi_cache **out,
                             item_error *err);
void itemi_cache_close(itemi_cache *cache);
const char *itemi_cache_file(const itemi_cache *cache); /* its absolute name */
/* *value: NULL when it is not there or was damaged; else itemi_free() it, with the cache's memory. */
item_status itemi_cache_get(itemi_cache *cache, const uint8_t *key, const item_cancel *cancel,
                            void **value, size_t *size, item_error *err);
/* All of them or, after a failure, none. A value that is there already is replaced. */
item_status itemi_cache_put(itemi_cache *cache, const itemi_cache_entry *entries, size_t n,
                            const item_cancel *cancel, item_error *err);

/* ---- CSV manifest: path,label[,generator,source,split,prompt] (RFC 4180) ---- */

typedef struct itemi_manifest_row {
    char *path; /* a relative one is joined with the manifest's folder, ".." allowed */
    char *label, *generator, *source, *split, *prompt; /* "" where absent */
} itemi_manifest_row;
typedef struct itemi_manifest {
    const itemi_mem *mem;
    itemi_manifest_row *rows;
    size_t count;
} itemi_manifest;
item_status itemi_manifest_load(const itemi_mem *mem, const char *path, itemi_manifest *out,
                                item_error *err);
/*
 * From a folder with ai/ and real/ (or one of them) below it, in the order of the paths' bytes:
 * *.jpg, *.jpeg, *.png in any case, however deep. The first folder below ai/ or real/ is the
 * source; pictures outside of one have the scanned folder's own name as source. Names that begin
 * with a dot are left out; links are followed, each folder once.
 */
item_status itemi_manifest_scan(const itemi_mem *mem, const char *folder, itemi_manifest *out,
                                item_error *err);
/* Of files that share a label, in their order; the source of each is the name of its folder. */
item_status itemi_manifest_list(const itemi_mem *mem, const char *const *paths, size_t count,
                                const char *label, itemi_manifest *out, item_error *err);
void itemi_manifest_free(itemi_manifest *manifest);

#endif
