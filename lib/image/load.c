/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures from files, from bytes and from pixels. */
#include <inttypes.h>

#include "image/decode.h"

/* Runs the decoder of the kind that the bytes are of. */
static item_status decode(itemi_decode *d, const uint8_t *bytes, size_t size, item_image **out)
{
    itemi_kind kind;
    item_status status = itemi_kind_of(bytes, size, &kind, d->err);
    if (status != ITEM_OK)
        return status;
    itemi_raster raster = {.orientation = 1};
    status = kind == ITEMI_KIND_PNG ? itemi_png_decode(d, bytes, size, &raster)
                                    : itemi_jpeg_decode(d, bytes, size, &raster);
    if (status != ITEM_OK) {
        itemi_raster_free(d, &raster);
        return status;
    }
    return itemi_finish(d, &raster, out);
}

item_status item_image_from_memory(const void *bytes, size_t size,
                                   const item_image_options *options, item_image **out,
                                   item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!out)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_image_from_memory: out is NULL");
    *out = NULL;
    if (!bytes && size)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_image_from_memory: bytes is NULL");
    itemi_decode d;
    item_status status = itemi_decode_init(&d, options, err);
    if (status != ITEM_OK)
        return status;
    if (size > d.options.max_file_bytes)
        return itemi_fail(err, ITEM_E_LIMIT, "a file of %zu bytes, the limit is %" PRIu64, size,
                          d.options.max_file_bytes);
    return decode(&d, bytes, size, out);
}

/* Decodes with errors that begin with the file's name. */
static item_status decode_named(itemi_decode *d, const char *path, const uint8_t *bytes,
                                size_t size, item_image **out)
{
    item_error *err = d->err, local = ITEM_ERROR_INIT;
    d->err = &local;
    item_status status = decode(d, bytes, size, out);
    d->err = err;
    if (status == ITEM_OK)
        return status;
    itemi_error_prefix(&local, path);
    return itemi_fail(err, status, "%s", local.message);
}

item_status item_image_from_file(const char *path, const item_image_options *options,
                                 item_image **out, item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!out)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_image_from_file: out is NULL");
    *out = NULL;
    if (!path)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_image_from_file: path is NULL");
    itemi_decode d;
    item_status status = itemi_decode_init(&d, options, err);
    if (status != ITEM_OK)
        return status;
    uint8_t *bytes = NULL;
    size_t size = 0;
    status = itemi_read_file(&d, path, &bytes, &size);
    if (status != ITEM_OK)
        return status;
    status = decode_named(&d, path, bytes, size, out);
    itemi_free(&d.mem, bytes);
    return status;
}
