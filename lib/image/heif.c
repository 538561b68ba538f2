/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HEIC and AVIF with libheif: the primary picture, turned and cut as its own properties say (EXIF's
 * orientation does not count in these files). More than 8 bits become 8. A cancel is seen before
 * and behind the decoding alone, which libheif does in one piece.
 */
#include <string.h>

#include <libheif/heif.h>

#include "image/provenance.h"

/* Bytes a pixel that libheif and its codecs hold beside our samples: planes of 16 bits, RGBA. */
#define WORKING_PIXEL 10u

#define BLOCKS_MAX  16 /* of metadata that are looked at */
#define EXIF_OFFSET 4  /* bytes before EXIF data: where its header begins, which is right behind */

/* What is open while a picture is decoded. */
typedef struct job {
    itemi_decode *d;
    const char *kind; /* for messages */
    struct heif_context *context;
    struct heif_image_handle *handle;
    struct heif_decoding_options *options;
    struct heif_image *image;
} job;

static item_status fail_by(const job *j, struct heif_error why)
{
    item_error *err = j->d->err;
    switch (why.code) {
    case heif_error_Memory_allocation_error:
        return itemi_fail_memory(err, "reading a HEIC or AVIF");
    case heif_error_Unsupported_filetype:
    case heif_error_Unsupported_feature:
    case heif_error_Plugin_loading_error:
        return itemi_fail(err, ITEM_E_UNSUPPORTED, "unsupported: %s: %s", j->kind, why.message);
    default:
        break;
    }
    /* Phones write planes that belong to two pictures; libheif 1.15 refuses such a file. */
    if (strstr(why.message, "Too many auxiliary image references"))
        return itemi_fail(err, ITEM_E_UNSUPPORTED, "unsupported: %s: %s", j->kind, why.message);
    if (why.subcode == heif_suberror_Security_limit_exceeded)
        return itemi_fail(err, ITEM_E_LIMIT, "%s: a limit of libheif: %s", j->kind, why.message);
    return itemi_fail(err, ITEM_E_FORMAT, "%s %s: %s",
                      why.subcode == heif_suberror_End_of_data ? "truncated" : "broken", j->kind,
                      why.message);
}

static item_status open_file(job *j, const uint8_t *bytes, size_t size)
{
    item_status status = itemi_heif_check(j->d, bytes, size);
    if (status != ITEM_OK)
        return status;
    j->context = heif_context_alloc();
    j->options = heif_decoding_options_alloc();
    if (!j->context || !j->options)
        return itemi_fail_memory(j->d->err, "reading a HEIC or AVIF");
    heif_context_set_max_decoding_threads(j->context, 0); /* in the calling thread */
    struct heif_error e = heif_context_read_from_memory_without_copy(j->context, bytes, size, NULL);
    if (e.code == heif_error_Ok)
        e = heif_context_get_primary_image_handle(j->context, &j->handle);
    return e.code == heif_error_Ok ? ITEM_OK : fail_by(j, e);
}

/* Size, samples and limits, before libheif decodes anything. */
static item_status prepare(job *j, itemi_raster *raster)
{
    const int width = heif_image_handle_get_width(j->handle);
    const int height = heif_image_handle_get_height(j->handle);
    const int stored_width = heif_image_handle_get_ispe_width(j->handle);
    const int stored_height = heif_image_handle_get_ispe_height(j->handle);
    if (width < 1 || height < 1 || stored_width < 1 || stored_height < 1)
        return itemi_fail(j->d->err, ITEM_E_FORMAT, "broken %s: it has no size", j->kind);
    raster->width = (uint32_t)width;
    raster->height = (uint32_t)height;
    const bool alpha = heif_image_handle_has_alpha_channel(j->handle);
    raster->samples = alpha ? ITEMI_SAMPLES_RGBA : ITEMI_SAMPLES_RGB;
    raster->channels = itemi_channels(raster->samples);
    const int bits = heif_image_handle_get_luma_bits_per_pixel(j->handle);
    raster->bits = bits > 0 ? (uint32_t)bits : 8;
    item_status status = itemi_check_pixels(j->d, raster->width, raster->height);
    if (status == ITEM_OK)
        status = itemi_check_pixels(j->d, (uint64_t)stored_width, (uint64_t)stored_height);
    const uint64_t stored = (uint64_t)stored_width * (uint64_t)stored_height;
    return status == ITEM_OK ? itemi_check_memory(j->d, raster, WORKING_PIXEL * stored) : status;
}

static item_status take_profile(job *j, itemi_raster *raster)
{
    const size_t size = heif_image_handle_get_raw_color_profile_size(j->handle);
    if (size > ITEMI_ICC_MAX)
        itemi_warn(j->d, "the colour profile is ignored", "it is too large");
    if (size == 0 || size > ITEMI_ICC_MAX)
        return ITEM_OK;
    raster->icc = itemi_alloc(&j->d->mem, size);
    if (!raster->icc)
        return itemi_fail_memory(j->d->err, "reading a colour profile");
    raster->icc_size = size;
    struct heif_error e = heif_image_handle_get_raw_color_profile(j->handle, raster->icc);
    return e.code == heif_error_Ok ? ITEM_OK : fail_by(j, e);
}

/* Without a profile the primaries of the stream hold, which only a profile would let us convert. */
static void warn_primaries(job *j)
{
    struct heif_color_profile_nclx *nclx = NULL;
    struct heif_error e = heif_image_handle_get_nclx_color_profile(j->handle, &nclx);
    if (!nclx)
        return;
    if (e.code == heif_error_Ok && nclx->color_primaries != heif_color_primaries_ITU_R_BT_709_5 &&
        nclx->color_primaries != heif_color_primaries_unspecified)
        itemi_warn(j->d, "other primaries than those of sRGB are taken as sRGB", NULL);
    heif_nclx_color_profile_free(nclx);
}

/* Colours that were multiplied by alpha, as they were before. */
static void divide_by_alpha(uint8_t *row, uint32_t width)
{
    for (uint32_t x = 0; x < width; x++, row += 4) {
        for (int c = 0; c < 3 && row[3]; c++) {
            const unsigned value = (row[c] * 255u + row[3] / 2u) / row[3];
            row[c] = (uint8_t)(value < 255 ? value : 255);
        }
    }
}

/* libheif's picture as rows without gaps. */
static item_status copy_samples(job *j, itemi_raster *raster)
{
    int stride = 0;
    const uint8_t *from =
        heif_image_get_plane_readonly(j->image, heif_channel_interleaved, &stride);
    const size_t row = (size_t)raster->width * itemi_channels(raster->samples);
    if (!from || stride < 0 || (size_t)stride < row ||
        heif_image_get_width(j->image, heif_channel_interleaved) != (int)raster->width ||
        heif_image_get_height(j->image, heif_channel_interleaved) != (int)raster->height)
        return itemi_fail(j->d->err, ITEM_E_FORMAT, "broken %s: of another size than it says",
                          j->kind);
    item_status status = itemi_raster_alloc(j->d, raster);
    const bool divide = raster->samples == ITEMI_SAMPLES_RGBA &&
                        heif_image_handle_is_premultiplied_alpha(j->handle);
    for (uint32_t y = 0; status == ITEM_OK && y < raster->height; y++) {
        memcpy(raster->data + y * row, from + (size_t)y * (size_t)stride, row);
        if (divide)
            divide_by_alpha(raster->data + y * row, raster->width);
    }
    return status;
}

static item_status decode(job *j, itemi_raster *raster)
{
    if (itemi_cancelled(j->d->options.cancel))
        return itemi_fail_cancelled(j->d->err);
    const bool alpha = raster->samples == ITEMI_SAMPLES_RGBA;
    j->options->convert_hdr_to_8bit = 1;
    struct heif_error e = heif_decode_image(
        j->handle, &j->image, heif_colorspace_RGB,
        alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, j->options);
    if (e.code != heif_error_Ok)
        return fail_by(j, e);
    if (itemi_cancelled(j->d->options.cancel))
        return itemi_fail_cancelled(j->d->err);
    return copy_samples(j, raster);
}

/* ---- metadata ---- */

/* The first block of a kind, copied; what libheif cannot read counts as absent. */
static void take_block(const job *j, heif_item_id id, size_t skip, itemi_findings *f,
                       const char *kind, itemi_buf *out)
{
    const size_t size = heif_image_handle_get_metadata_size(j->handle, id);
    if (size > ITEMI_XMP_MAX)
        itemi_findings_unreadable(f, kind, "it is too large");
    if (out->data || size <= skip || size > ITEMI_XMP_MAX)
        return;
    uint8_t *block = itemi_alloc(&j->d->mem, size);
    if (block && heif_image_handle_get_metadata(j->handle, id, block).code == heif_error_Ok)
        itemi_buf_add(out, block + skip, size - skip);
    out->failed |= !block;
    itemi_free(&j->d->mem, block);
}

static void take_blocks(const job *j, itemi_findings *f, itemi_buf *exif, itemi_buf *xmp)
{
    heif_item_id ids[BLOCKS_MAX];
    const int count =
        heif_image_handle_get_list_of_metadata_block_IDs(j->handle, NULL, ids, BLOCKS_MAX);
    for (int i = 0; i < count; i++) {
        const char *type = heif_image_handle_get_metadata_type(j->handle, ids[i]);
        const char *content = heif_image_handle_get_metadata_content_type(j->handle, ids[i]);
        if (type && strcmp(type, "Exif") == 0)
            take_block(j, ids[i], EXIF_OFFSET, f, "EXIF", exif);
        else if (content && strcmp(content, "application/rdf+xml") == 0)
            take_block(j, ids[i], 0, f, "XMP", xmp);
    }
}

static void close_file(job *j)
{
    heif_image_release(j->image);
    heif_image_handle_release(j->handle);
    if (j->options)
        heif_decoding_options_free(j->options);
    if (j->context)
        heif_context_free(j->context);
}

item_status itemi_heif_decode(itemi_decode *d, itemi_kind kind, const uint8_t *bytes, size_t size,
                              itemi_raster *raster)
{
    job j = {.d = d, .kind = itemi_kind_name(kind)};
    raster->kind = kind == ITEMI_KIND_AVIF ? "avif" : "heic";
    item_status status = open_file(&j, bytes, size);
    if (status == ITEM_OK)
        status = prepare(&j, raster);
    if (status == ITEM_OK)
        status = take_profile(&j, raster);
    if (status == ITEM_OK && !raster->icc)
        warn_primaries(&j);
    if (status == ITEM_OK)
        status = decode(&j, raster);
    close_file(&j);
    return status;
}

void itemi_heif_blocks(itemi_decode *d, const uint8_t *bytes, size_t size, itemi_findings *f,
                       itemi_buf *exif, itemi_buf *xmp)
{
    item_error ignored = ITEM_ERROR_INIT;
    itemi_decode quiet = *d;
    quiet.err = &ignored;
    job j = {.d = &quiet, .kind = ""};
    item_status status = open_file(&j, bytes, size);
    if (status == ITEM_OK)
        take_blocks(&j, f, exif, xmp);
    else if (status == ITEM_E_LIMIT)
        itemi_findings_unreadable(f, "EXIF and XMP", ignored.message);
    close_file(&j);
}
