/* SPDX-License-Identifier: Apache-2.0 */
/* Shared between the files of image alone: one decode on its way from bytes to a picture. */
#ifndef ITEMI_IMAGE_DECODE_H
#define ITEMI_IMAGE_DECODE_H

#include <stdatomic.h>

#include <item/picture.h>
#include <item/provenance.h>

#include "common/common.h"

#define ITEMI_WARNING_SIZE 200

/* The largest colour profile that is read, in JPEG and in PNG. */
#define ITEMI_ICC_MAX (16u << 20)

struct item_image {
    atomic_uint refs;
    itemi_mem mem;
    item_image_info info; /* its warning points to the text below, or is NULL */
    uint8_t *pixels;
    item_provenance *provenance; /* of its file; NULL where there was none, or nothing in it */
    char warning[ITEMI_WARNING_SIZE];
};

typedef enum itemi_kind {
    ITEMI_KIND_JPEG = 1,
    ITEMI_KIND_PNG,
    ITEMI_KIND_WEBP,
    ITEMI_KIND_HEIC, /* and other pictures of the HEIF family, but for: */
    ITEMI_KIND_AVIF
} itemi_kind;
/* Kind of a file by its first bytes; an error that names the kind where nothing reads it. */
item_status itemi_kind_of(const uint8_t *bytes, size_t size, itemi_kind *out, item_error *err);
/* Such as "WebP". */
const char *itemi_kind_name(itemi_kind kind);

/* What a row of decoded samples holds, 8 bits each. In CMYK 255 is full ink. */
typedef enum itemi_samples {
    ITEMI_SAMPLES_GREY = 1,
    ITEMI_SAMPLES_GREY_ALPHA,
    ITEMI_SAMPLES_RGB,
    ITEMI_SAMPLES_RGBA,
    ITEMI_SAMPLES_BGRA,
    ITEMI_SAMPLES_CMYK
} itemi_samples;

/* Habits, memory and messages of one decode. */
typedef struct itemi_decode {
    itemi_mem mem;
    item_image_options options; /* the limits with their defaults filled in */
    item_error *err;
    char warning[ITEMI_WARNING_SIZE]; /* the first one, or "" */
} itemi_decode;

/* What a decoder hands over: the samples as stored, and what is still to be done to them. */
typedef struct itemi_raster {
    uint8_t *data; /* rows without gaps; freed or taken over by itemi_finish() */
    uint32_t width, height;
    itemi_samples samples;
    uint8_t *icc; /* colour profile or NULL; freed by itemi_finish() */
    size_t icc_size;
    uint32_t orientation; /* EXIF, 1 to 8 */
    uint32_t channels, bits;
    bool truncated;
    const char *kind;
} itemi_raster;

/* Checks the caller's options and fills in the defaults. */
item_status itemi_decode_init(itemi_decode *d, const item_image_options *options, item_error *err);
/* Keeps the first warning of a decode, as one line: "what: detail". detail may be NULL. */
void itemi_warn(itemi_decode *d, const char *what, const char *detail);
/* ITEM_E_LIMIT when width x height is more than the options allow. */
item_status itemi_check_pixels(itemi_decode *d, uint64_t width, uint64_t height);
/*
 * ITEM_E_LIMIT when a decode would need more memory than allowed: the raster, and beside it the
 * larger of what the decoder needs (`working` bytes) and what itemi_finish() needs afterwards.
 */
item_status itemi_check_memory(itemi_decode *d, const itemi_raster *raster, uint64_t working);
/* Whether the decoded samples need no second buffer: RGB, upright. */
bool itemi_finished_in_place(const itemi_raster *raster);
item_status itemi_raster_alloc(itemi_decode *d, itemi_raster *raster);
void itemi_raster_free(itemi_decode *d, itemi_raster *raster);

uint32_t itemi_channels(itemi_samples samples);

/* Each fills *raster; what it allocated is the caller's to free, also after a failure. */
item_status itemi_jpeg_decode(itemi_decode *d, const uint8_t *bytes, size_t size,
                              itemi_raster *raster);
item_status itemi_png_decode(itemi_decode *d, const uint8_t *bytes, size_t size,
                             itemi_raster *raster);

/* In builds with libwebp and with libheif. */
item_status itemi_webp_decode(itemi_decode *d, const uint8_t *bytes, size_t size,
                              itemi_raster *raster);
item_status itemi_heif_decode(itemi_decode *d, itemi_kind kind, const uint8_t *bytes, size_t size,
                              itemi_raster *raster);
/* Refuses a HEIC or AVIF that would take libheif more time, memory or stack than it should. */
item_status itemi_heif_check(itemi_decode *d, const uint8_t *bytes, size_t size);

/* Colour profile, transparency and orientation; frees or takes over what the raster holds. */
item_status itemi_finish(itemi_decode *d, itemi_raster *raster, item_image **out);

/* A picture that takes over `pixels` (from mem). NULL when memory is short: pixels stay. */
item_image *itemi_image_new(const itemi_mem *mem, const item_image_info *info, uint8_t *pixels,
                            const char *warning);

/*
 * A regular file's bytes, to be freed with itemi_free(). Folders, FIFOs and devices are refused
 * without waiting for them. Messages name the file.
 */
item_status itemi_read_file(itemi_decode *d, const char *path, uint8_t **out, size_t *size);

/* ---- metadata ---- */

#define ITEMI_PNG_TEXTS 16 /* more are not looked at */

/* A text chunk of a PNG. */
typedef struct itemi_png_text {
    const uint8_t *data; /* from the keyword on, which ends with a NUL within the chunk */
    size_t size;
    uint8_t type; /* first letter of the chunk's name */
} itemi_png_text;

/* Where a file holds its metadata: pointers into the file, or NULL. */
typedef struct itemi_metadata {
    const uint8_t *exif; /* from the TIFF header on */
    size_t exif_size;
    const uint8_t *xmp;
    size_t xmp_size;
    const char *c2pa;        /* where a C2PA manifest begins, such as "PNG caBX" */
    const uint8_t *manifest; /* the store; of a JPEG its first piece */
    size_t manifest_size;
    uint32_t texts;
    itemi_png_text text[ITEMI_PNG_TEXTS];
} itemi_metadata;

/* All of a file, of any kind; nothing is allocated, and what is broken is left out. */
void itemi_metadata_of(itemi_kind kind, const uint8_t *bytes, size_t size, itemi_metadata *out);
void itemi_webp_metadata(itemi_metadata *metadata, const uint8_t *bytes, size_t size);
void itemi_heif_metadata(itemi_metadata *metadata, const uint8_t *bytes, size_t size);
/* Notes a C2PA manifest store where `data` begins with the JUMBF box of one. */
void itemi_metadata_c2pa(itemi_metadata *metadata, const char *where, const uint8_t *data,
                         size_t size);

/* Orientation, 1 to 8: that of EXIF, else that of XMP, else 1. */
uint32_t itemi_orientation(const itemi_metadata *metadata);

/* ---- colour ---- */

typedef struct itemi_profile itemi_profile; /* the raster's, applied by lcms2 */
/*
 * The raster's profile, which outlives it. One that is broken or does not fit becomes a warning
 * and NULL. Fails where memory is out.
 */
item_status itemi_profile_open(itemi_decode *d, const itemi_raster *raster, itemi_profile **out);
void itemi_profile_row(const itemi_profile *p, const uint8_t *row, uint8_t *rgb, uint32_t width);
void itemi_profile_close(itemi_profile *p); /* takes NULL */

/* From stored samples to sRGB: with a profile or without. */
typedef struct itemi_colour {
    itemi_profile *profile; /* NULL: none is applied */
    itemi_samples samples;
} itemi_colour;

item_status itemi_colour_open(itemi_colour *colour, itemi_decode *d, const itemi_raster *raster);
void itemi_colour_close(itemi_colour *colour);
/* One row to RGB on white; rgb may be the same as row when the samples are RGB. */
void itemi_colour_row(const itemi_colour *colour, const uint8_t *row, uint8_t *rgb, uint32_t width);

/* ---- what a JPEG says before its first scan ---- */

#define ITEMI_ICC_PARTS 256

typedef struct itemi_jpeg_header {
    uint8_t sof, precision, components; /* of the frame; sof is 0 when there is none */
    itemi_metadata metadata;
    const uint8_t *part[ITEMI_ICC_PARTS]; /* of the colour profile, by number */
    uint16_t part_size[ITEMI_ICC_PARTS];
    uint32_t parts; /* as announced; 0 when there is no profile */
    bool parts_broken;
} itemi_jpeg_header;

void itemi_jpeg_header_read(itemi_jpeg_header *header, const uint8_t *bytes, size_t size);
/* How long the manifest store of a JPEG is, of which `metadata` has the first piece. */
size_t itemi_jpeg_manifest_size(const itemi_metadata *metadata);
/* Joins its pieces, up to the first that is missing or to `end`, that of the file. `room` is more than
   the first piece has; how many bytes of it were filled. */
size_t itemi_jpeg_manifest(const itemi_metadata *metadata, const uint8_t *end, uint8_t *out,
                           size_t room);
/* How many bytes there are up to the end mark, or up to the first segment that is not whole. */
size_t itemi_jpeg_whole_segments(const uint8_t *bytes, size_t size);
/* How many scans begin before the end mark. */
uint64_t itemi_jpeg_scans(const uint8_t *bytes, size_t size);
/* Joins the parts of the profile into raster->icc; a broken set is a warning. */
item_status itemi_jpeg_header_icc(const itemi_jpeg_header *header, itemi_decode *d,
                                  itemi_raster *raster);

/* ---- what a PNG says beside its pixels ---- */

/* Walks the chunks; the checksums are left to libpng. Of texts those that may tell an origin. */
void itemi_png_metadata(itemi_metadata *metadata, const uint8_t *bytes, size_t size);

#endif
