/* SPDX-License-Identifier: Apache-2.0 */
/* From files and from bytes: pictures, and what their files say of their origin. */
#include <inttypes.h>

#include "image/provenance.h"

/* What is made of a file's bytes; `out` is a public function's. */
typedef item_status (*maker)(itemi_decode *d, const uint8_t *bytes, size_t size, void *out);

#if !defined ITEMI_WITH_WEBP || !defined ITEMI_WITH_HEIF
static item_status without(const itemi_decode *d, itemi_kind kind, const char *library)
{
    return itemi_fail(d->err, ITEM_E_UNSUPPORTED,
                      "unsupported: %s: this libitem was built without %s", itemi_kind_name(kind),
                      library);
}
#endif

static item_status decode(itemi_decode *d, itemi_kind kind, const uint8_t *bytes, size_t size,
                          itemi_raster *raster)
{
    switch (kind) {
    case ITEMI_KIND_JPEG:
        return itemi_jpeg_decode(d, bytes, size, raster);
    case ITEMI_KIND_PNG:
        return itemi_png_decode(d, bytes, size, raster);
    case ITEMI_KIND_WEBP:
#ifdef ITEMI_WITH_WEBP
        return itemi_webp_decode(d, bytes, size, raster);
#else
        return without(d, kind, "libwebp");
#endif
    case ITEMI_KIND_HEIC:
    case ITEMI_KIND_AVIF:
        break;
    }
#ifdef ITEMI_WITH_HEIF
    return itemi_heif_decode(d, kind, bytes, size, raster);
#else
    return without(d, kind, "libheif");
#endif
}

static item_status make_image(itemi_decode *d, const uint8_t *bytes, size_t size, void *out)
{
    itemi_kind kind;
    item_status status = itemi_kind_of(bytes, size, &kind, d->err);
    if (status != ITEM_OK)
        return status;
    itemi_raster raster = {.orientation = 1};
    item_provenance *provenance = NULL;
    item_image *image = NULL;
    status = decode(d, kind, bytes, size, &raster);
    if (status == ITEM_OK)
        status = itemi_provenance_read(d, kind, bytes, size, &provenance);
    if (status != ITEM_OK) {
        itemi_raster_free(d, &raster);
        return status;
    }
    status = itemi_finish(d, &raster, &image);
    if (image)
        image->provenance = provenance;
    else
        item_provenance_free(provenance);
    *(item_image **)out = image;
    return status;
}

static item_status make_provenance(itemi_decode *d, const uint8_t *bytes, size_t size, void *out)
{
    itemi_kind kind;
    item_status status = itemi_kind_of(bytes, size, &kind, d->err);
    if (status != ITEM_OK)
        return status;
    return itemi_provenance_list(d, kind, bytes, size, out);
}

static item_status from_memory(const char *function, const void *bytes, size_t size,
                               const item_image_options *options, maker make, void *out,
                               item_error *err)
{
    if (!bytes && size)
        return itemi_fail(err, ITEM_E_ARGUMENT, "%s: bytes is NULL", function);
    itemi_decode d;
    item_status status = itemi_decode_init(&d, options, err);
    if (status != ITEM_OK)
        return status;
    if (size > d.options.max_file_bytes)
        return itemi_fail(err, ITEM_E_LIMIT, "a file of %zu bytes, the limit is %" PRIu64, size,
                          d.options.max_file_bytes);
    return make(&d, bytes, size, out);
}

/* With errors that begin with the file's name. */
static item_status make_named(itemi_decode *d, const char *path, const uint8_t *bytes, size_t size,
                              maker make, void *out)
{
    item_error *err = d->err, local = ITEM_ERROR_INIT;
    d->err = &local;
    item_status status = make(d, bytes, size, out);
    d->err = err;
    if (status == ITEM_OK)
        return status;
    itemi_error_prefix(&local, path);
    return itemi_fail(err, status, "%s", local.message);
}

static item_status from_file(const char *function, const char *path,
                             const item_image_options *options, maker make, void *out,
                             item_error *err)
{
    if (!path)
        return itemi_fail(err, ITEM_E_ARGUMENT, "%s: path is NULL", function);
    itemi_decode d;
    item_status status = itemi_decode_init(&d, options, err);
    if (status != ITEM_OK)
        return status;
    uint8_t *bytes = NULL;
    size_t size = 0;
    status = itemi_read_file(&d, path, &bytes, &size);
    if (status != ITEM_OK)
        return status;
    status = make_named(&d, path, bytes, size, make, out);
    itemi_free(&d.mem, bytes);
    return status;
}

item_status item_image_from_memory(const void *bytes, size_t size,
                                   const item_image_options *options, item_image **out,
                                   item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!out)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_image_from_memory: out is NULL");
    *out = NULL;
    return from_memory("item_image_from_memory", bytes, size, options, make_image, out, err);
}

item_status item_image_from_file(const char *path, const item_image_options *options,
                                 item_image **out, item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!out)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_image_from_file: out is NULL");
    *out = NULL;
    return from_file("item_image_from_file", path, options, make_image, out, err);
}

item_status item_provenance_from_memory(const void *bytes, size_t size,
                                        const item_image_options *options, item_provenance **out,
                                        item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!out)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_provenance_from_memory: out is NULL");
    *out = NULL;
    return from_memory("item_provenance_from_memory", bytes, size, options, make_provenance, out,
                       err);
}

item_status item_provenance_from_file(const char *path, const item_image_options *options,
                                      item_provenance **out, item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!out)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_provenance_from_file: out is NULL");
    *out = NULL;
    return from_file("item_provenance_from_file", path, options, make_provenance, out, err);
}
