/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading safetensors: 8 bytes of header length, a JSON header, then the data. Files come from
 * anywhere, so nothing in the header is believed before it is checked against the file.
 */
#include <stdlib.h>

#include "files/files_private.h"

#define LENGTH_BYTES 8
#define MOST_HEADER  (16 << 20) /* 40,000 tensors have 4 MB; JSON takes many times its size */

struct itemi_safetensors {
    const itemi_mem *mem;
    itemi_file file; /* what is read; owned when `owned` */
    bool owned;
    const char *name;      /* for messages, only while reading */
    const uint8_t *buffer; /* the data behind the header */
    size_t buffer_size;
    json_t *header; /* kept: the tensors' names and the metadata are borrowed from it */
    itemi_tensor *tensors;
    const itemi_tensor **sorted; /* by name */
    size_t count;
};

static item_status read_header(itemi_safetensors *st, item_error *err)
{
    const itemi_file *file = &st->file;
    if (file->size < LENGTH_BYTES)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: %zu bytes are too few for safetensors", st->name,
                          file->size);
    uint64_t length;
    memcpy(&length, file->data, sizeof length);
    bool beyond = length > file->size - LENGTH_BYTES;
    if (length > MOST_HEADER && beyond)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: is no safetensors file", st->name);
    if (length > MOST_HEADER)
        return itemi_fail(err, ITEM_E_LIMIT, "%s: header of %llu bytes, at most %d are allowed",
                          st->name, (unsigned long long)length, MOST_HEADER);
    if (beyond)
        return itemi_fail(err, ITEM_E_FORMAT,
                          "%s: header of %llu bytes in a file of %zu: cut short?", st->name,
                          (unsigned long long)length, file->size);

    const char *text = (const char *)file->data + LENGTH_BYTES;
    if (length == 0 || text[0] != '{')
        return itemi_fail(err, ITEM_E_FORMAT, "%s: not safetensors (the header is no JSON object)",
                          st->name);
    st->buffer = file->data + LENGTH_BYTES + length;
    st->buffer_size = file->size - LENGTH_BYTES - (size_t)length;
    return itemi_json_parse(text, (size_t)length, st->name, &st->header, err);
}

static item_status check_metadata(const itemi_safetensors *st, json_t *metadata, item_error *err)
{
    const char *key;
    json_t *value;
    if (!json_is_object(metadata))
        return itemi_fail(err, ITEM_E_FORMAT, "%s: " ITEMI_METADATA " is no object", st->name);
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value))
            return itemi_fail(err, ITEM_E_FORMAT, "%s: metadata \"%s\" is no string", st->name,
                              key);
    }
    return ITEM_OK;
}

static bool read_count(const json_t *value, uint64_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

static item_status read_dtype(const itemi_safetensors *st, const json_t *entry, itemi_tensor *t,
                              item_error *err)
{
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    if (!dtype)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: tensor \"%s\" has no dtype", st->name, t->name);
    t->dtype = itemi_dtype_parse(dtype);
    if (!t->dtype)
        return itemi_fail(err, ITEM_E_UNSUPPORTED, "%s: tensor \"%s\" has dtype \"%s\"", st->name,
                          t->name, dtype);
    return ITEM_OK;
}

static item_status read_shape(const itemi_safetensors *st, const json_t *entry, itemi_tensor *t,
                              item_error *err)
{
    const json_t *shape = json_object_get(entry, "shape");
    if (!json_is_array(shape))
        return itemi_fail(err, ITEM_E_FORMAT, "%s: tensor \"%s\" has no shape", st->name, t->name);
    size_t dims = json_array_size(shape);
    if (dims > ITEMI_DIMS_MAX)
        return itemi_fail(err, ITEM_E_UNSUPPORTED,
                          "%s: tensor \"%s\" has %zu dimensions, at most %d are read", st->name,
                          t->name, dims, ITEMI_DIMS_MAX);
    t->dims = (uint32_t)dims;
    for (size_t i = 0; i < dims; i++) {
        if (!read_count(json_array_get(shape, i), &t->shape[i]))
            return itemi_fail(err, ITEM_E_FORMAT,
                              "%s: tensor \"%s\": its shape holds no counts but something else",
                              st->name, t->name);
    }
    return ITEM_OK;
}

static item_status read_range(const itemi_safetensors *st, const json_t *entry, itemi_tensor *t,
                              item_error *err)
{
    const json_t *range = json_object_get(entry, "data_offsets");
    uint64_t begin, end;
    if (json_array_size(range) != 2 || !read_count(json_array_get(range, 0), &begin) ||
        !read_count(json_array_get(range, 1), &end) || begin > end)
        return itemi_fail(err, ITEM_E_FORMAT, "%s: tensor \"%s\" has no valid data_offsets",
                          st->name, t->name);
    if (end > st->buffer_size)
        return itemi_fail(err, ITEM_E_FORMAT,
                          "%s: tensor \"%s\" ends at byte %llu of %zu: is the file cut short?",
                          st->name, t->name, (unsigned long long)end, st->buffer_size);
    t->data = st->buffer + begin;
    t->bytes = (size_t)(end - begin);

    size_t needed;
    if (!itemi_tensor_bytes(t, &needed))
        return itemi_fail(err, ITEM_E_FORMAT, "%s: tensor \"%s\": the size of its shape overflows",
                          st->name, t->name);
    if (needed != t->bytes)
        return itemi_fail(err, ITEM_E_FORMAT,
                          "%s: tensor \"%s\" has %zu bytes, its shape and dtype make %zu", st->name,
                          t->name, t->bytes, needed);
    return ITEM_OK;
}

static item_status read_tensor(itemi_safetensors *st, const char *name, const json_t *entry,
                               item_error *err)
{
    itemi_tensor *t = &st->tensors[st->count];
    t->name = name;
    if (!json_is_object(entry))
        return itemi_fail(err, ITEM_E_FORMAT, "%s: tensor \"%s\" is no object", st->name, name);
    item_status status = read_dtype(st, entry, t, err);
    if (status == ITEM_OK)
        status = read_shape(st, entry, t, err);
    if (status == ITEM_OK)
        status = read_range(st, entry, t, err);
    if (status == ITEM_OK) {
        st->sorted[st->count] = t;
        st->count++;
    }
    return status;
}

static item_status read_tensors(itemi_safetensors *st, item_error *err)
{
    size_t most = json_object_size(st->header);
    st->tensors = itemi_alloc_zero(st->mem, most, sizeof *st->tensors);
    st->sorted = itemi_alloc_zero(st->mem, most, sizeof *st->sorted);
    if (!st->tensors || !st->sorted)
        return itemi_fail(err, ITEM_E_MEMORY, "%s: out of memory for %zu tensors", st->name, most);

    const char *key;
    json_t *entry;
    json_object_foreach(st->header, key, entry)
    {
        item_status status = strcmp(key, ITEMI_METADATA) == 0 ? check_metadata(st, entry, err)
                                                              : read_tensor(st, key, entry, err);
        if (status != ITEM_OK)
            return status;
    }
    return ITEM_OK;
}

static int by_place(const void *a, const void *b)
{
    const itemi_tensor *x = *(const itemi_tensor *const *)a, *y = *(const itemi_tensor *const *)b;
    if (x->data != y->data)
        return (const uint8_t *)x->data < (const uint8_t *)y->data ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes); /* empty ones first */
}

int itemi_tensor_by_name(const void *a, const void *b)
{
    const itemi_tensor *x = *(const itemi_tensor *const *)a, *y = *(const itemi_tensor *const *)b;
    return strcmp(x->name, y->name);
}

/* Refuses overlaps, then leaves the index in the order of names. */
static item_status check_overlaps(itemi_safetensors *st, item_error *err)
{
    qsort(st->sorted, st->count, sizeof *st->sorted, by_place);
    for (size_t i = 1; i < st->count; i++) {
        const itemi_tensor *before = st->sorted[i - 1], *t = st->sorted[i];
        if ((const uint8_t *)t->data < (const uint8_t *)before->data + before->bytes)
            return itemi_fail(err, ITEM_E_FORMAT, "%s: tensors \"%s\" and \"%s\" overlap", st->name,
                              before->name, t->name);
    }
    qsort(st->sorted, st->count, sizeof *st->sorted, itemi_tensor_by_name);
    return ITEM_OK;
}

/* Takes `file`, also when it fails. */
static item_status parse(itemi_file file, bool owned, const char *name, itemi_safetensors **out,
                         item_error *err)
{
    itemi_safetensors *st = itemi_alloc_zero(file.mem, 1, sizeof *st);
    if (!st) {
        if (owned)
            itemi_file_close(&file);
        return itemi_fail(err, ITEM_E_MEMORY, "%s: out of memory", name);
    }
    *st = (itemi_safetensors){.mem = file.mem, .file = file, .owned = owned, .name = name};
    item_status status = read_header(st, err);
    if (status == ITEM_OK)
        status = read_tensors(st, err);
    if (status == ITEM_OK)
        status = check_overlaps(st, err);
    st->name = NULL;
    if (status == ITEM_OK)
        *out = st;
    else
        itemi_safetensors_close(st);
    return status;
}

item_status itemi_safetensors_open(const itemi_mem *mem, const char *path, bool map,
                                   itemi_safetensors **out, item_error *err)
{
    itemi_file file;
    *out = NULL;
    item_status status = itemi_file_open(mem, path, 0, map, &file, err);
    return status == ITEM_OK ? parse(file, true, path, out, err) : status;
}

item_status itemi_safetensors_parse(const itemi_mem *mem, const void *data, size_t size,
                                    const char *name, itemi_safetensors **out, item_error *err)
{
    *out = NULL;
    return parse((itemi_file){.mem = mem, .data = data, .size = size}, false, name, out, err);
}

void itemi_safetensors_close(itemi_safetensors *st)
{
    if (!st)
        return;
    const itemi_mem *mem = st->mem;
    json_decref(st->header);
    itemi_free(mem, st->tensors);
    itemi_free(mem, st->sorted);
    if (st->owned)
        itemi_file_close(&st->file);
    itemi_free(mem, st);
}

size_t itemi_safetensors_count(const itemi_safetensors *st)
{
    return st->count;
}

const itemi_tensor *itemi_safetensors_at(const itemi_safetensors *st, size_t i)
{
    return i < st->count ? &st->tensors[i] : NULL;
}

const itemi_tensor *itemi_tensor_find(const itemi_tensor *const *sorted, size_t count,
                                      const char *name)
{
    const itemi_tensor wanted = {.name = name}, *key = &wanted;
    const itemi_tensor *const *found =
        bsearch(&key, sorted, count, sizeof *sorted, itemi_tensor_by_name);
    return found ? *found : NULL;
}

const itemi_tensor *itemi_safetensors_find(const itemi_safetensors *st, const char *name)
{
    return itemi_tensor_find(st->sorted, st->count, name);
}

const char *itemi_safetensors_meta(const itemi_safetensors *st, const char *key)
{
    return json_string_value(json_object_get(json_object_get(st->header, ITEMI_METADATA), key));
}

const itemi_file *itemi_safetensors_file(const itemi_safetensors *st)
{
    return &st->file;
}
