/* SPDX-License-Identifier: Apache-2.0 */
/* Writing safetensors: tensors and metadata in the order given, so equal input gives equal bytes. */
#include "files/files_private.h"

/* Adds value (taken) under a key that must be new, which is what a name in a file is. */
static item_status add_new(json_t *object, const char *key, json_t *value, const char *path,
                           item_error *err)
{
    const char *wrong = NULL;
    if (!key || itemi_utf8_valid(key, strlen(key)) != strlen(key))
        wrong = "is no UTF-8";
    else if (strcmp(key, ITEMI_METADATA) == 0)
        wrong = "is a name of the format itself";
    else if (json_object_get(object, key))
        wrong = "would be written twice";
    if (wrong) {
        json_decref(value);
        return itemi_fail(err, ITEM_E_ARGUMENT, "%s: \"%s\" %s", path, key ? key : "", wrong);
    }
    if (json_object_set_new(object, key, value) != 0) /* takes NULL for a failure */
        return itemi_fail_memory(err, "writing safetensors");
    return ITEM_OK;
}

static item_status put_metadata(json_t *header, const char *const *meta, size_t pairs,
                                const char *path, item_error *err)
{
    if (pairs == 0)
        return ITEM_OK;
    json_t *metadata = json_object();
    if (!metadata || json_object_set_new(header, ITEMI_METADATA, metadata) != 0)
        return itemi_fail_memory(err, "writing safetensors");
    for (size_t i = 0; i < pairs; i++) {
        const char *key = meta[2 * i], *value = meta[2 * i + 1];
        if (!value || itemi_utf8_valid(value, strlen(value)) != strlen(value))
            return itemi_fail(err, ITEM_E_ARGUMENT, "%s: metadata \"%s\" is no UTF-8", path,
                              key ? key : "");
        item_status status = add_new(metadata, key, json_string(value), path, err);
        if (status != ITEM_OK)
            return status;
    }
    return ITEM_OK;
}

/* True when dtype, shape and bytes agree and JSON holds the shape's numbers. */
static bool consistent(const itemi_tensor *t)
{
    size_t needed;
    if (t->dims > ITEMI_DIMS_MAX || !itemi_dtype_name(t->dtype))
        return false;
    for (uint32_t i = 0; i < t->dims; i++) {
        if (t->shape[i] > INT64_MAX)
            return false;
    }
    return itemi_tensor_bytes(t, &needed) && needed == t->bytes && (t->data || !t->bytes);
}

static item_status put_tensor(json_t *header, const itemi_tensor *t, uint64_t begin,
                              const char *path, item_error *err)
{
    if (!consistent(t))
        return itemi_fail(err, ITEM_E_ARGUMENT, "%s: tensor \"%s\": dtype, shape and bytes differ",
                          path, t->name ? t->name : "");
    json_t *shape = json_array();
    for (uint32_t i = 0; shape && i < t->dims; i++) {
        if (json_array_append_new(shape, json_integer((json_int_t)t->shape[i])) != 0) {
            json_decref(shape);
            shape = NULL;
        }
    }
    json_t *entry =
        json_pack("{s:s, s:o, s:[I, I]}", "dtype", itemi_dtype_name(t->dtype), "shape", shape,
                  "data_offsets", (json_int_t)begin, (json_int_t)(begin + t->bytes));
    return add_new(header, t->name, entry, path, err);
}

static int add_text(const char *text, size_t size, void *user)
{
    itemi_buf *buf = user;
    itemi_buf_add(buf, text, size);
    return buf->failed ? -1 : 0;
}

/* Length and JSON, the latter filled with spaces so that the data begin at a multiple of 8. */
static item_status format_header(const json_t *header, itemi_buf *out, item_error *err)
{
    uint64_t length = 0;
    itemi_buf_add(out, &length, sizeof length);
    if (json_dump_callback(header, add_text, out, JSON_COMPACT) != 0)
        return itemi_fail_memory(err, "writing safetensors");
    while (out->length % 8 && !out->failed)
        itemi_buf_puts(out, " ");
    if (out->failed)
        return itemi_fail_memory(err, "writing safetensors");
    length = out->length - sizeof length;
    memcpy(out->data, &length, sizeof length);
    return ITEM_OK;
}

static item_status write_all(const char *path, const itemi_tensor *tensors, size_t count,
                             const json_t *header, item_error *err)
{
    itemi_buf head;
    itemi_buf_init(&head, NULL);
    item_status status = format_header(header, &head, err);
    itemi_piece *pieces = itemi_alloc_zero(NULL, count + 1, sizeof *pieces);
    if (status == ITEM_OK && !pieces)
        status = itemi_fail_memory(err, "writing safetensors");
    if (status == ITEM_OK) {
        pieces[0] = (itemi_piece){head.data, head.length};
        for (size_t i = 0; i < count; i++)
            pieces[i + 1] = (itemi_piece){tensors[i].data, tensors[i].bytes};
        status = itemi_file_write_pieces(path, pieces, count + 1, err);
    }
    itemi_free(NULL, pieces);
    itemi_buf_free(&head);
    return status;
}

item_status itemi_safetensors_write(const char *path, const itemi_tensor *tensors, size_t count,
                                    const char *const *meta, size_t pairs, item_error *err)
{
    json_t *header = json_object();
    if (!header)
        return itemi_fail_memory(err, "writing safetensors");
    item_status status = put_metadata(header, meta, pairs, path, err);
    uint64_t begin = 0;
    for (size_t i = 0; status == ITEM_OK && i < count; i++) {
        status = put_tensor(header, &tensors[i], begin, path, err);
        begin += tensors[i].bytes;
    }
    if (status == ITEM_OK)
        status = write_all(path, tensors, count, header, err);
    json_decref(header);
    return status;
}
