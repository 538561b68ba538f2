/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Pictures: decoded, upright, 8-bit sRGB.
 */
#ifndef ITEM_PICTURE_H
#define ITEM_PICTURE_H

#include <item/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A picture in memory: RGB, 8 bits, upright, opaque. Immutable, reference counted. */
typedef struct item_image item_image;

#define ITEM_PIXELS_RGB  1 /**< 3 bytes a pixel                                */
#define ITEM_PIXELS_RGBA 2 /**< 4 bytes, alpha not premultiplied, put on white */
#define ITEM_PIXELS_BGRA 3 /**< 4 bytes, as above                              */
#define ITEM_PIXELS_GREY 4 /**< 1 byte                                         */

/** Accept a file that ends before its end mark: what is missing is grey, and a warning tells. */
#define ITEM_IMAGE_ACCEPT_TRUNCATED 1u

/**
 * Limits and habits of decoding; 0 in a limit means its default. Limits are checked before what
 * they limit is allocated. Pixels and file come from `allocator`; what libjpeg, lcms2,
 * Expat and zlib need while they work comes from malloc, and the first is counted in
 * max_decode_bytes.
 */
typedef struct item_image_options {
    uint32_t struct_size;            /**< set by ITEM_IMAGE_OPTIONS_INIT */
    uint32_t flags;                  /**< ITEM_IMAGE_... */
    uint64_t max_pixels;             /**< width x height; default 100 million */
    uint64_t max_file_bytes;         /**< default 256 MiB */
    uint64_t max_decode_bytes;       /**< memory of one decode beside the file; default 1 GiB */
    uint32_t max_scans;              /**< scans of a JPEG; default 64. Fewer are allowed to large
                                        ones: scans x pixels is at most 16 x max_pixels */
    uint32_t reserved;               /**< 0 */
    const item_allocator *allocator; /**< NULL: malloc; must outlive the image */
    item_cancel *cancel;             /**< NULL: cannot be cancelled */
} item_image_options;

/** Start value of item_image_options: every default. */
#define ITEM_IMAGE_OPTIONS_INIT                                                                    \
    {                                                                                              \
        sizeof(item_image_options), 0, 0, 0, 0, 0, 0, NULL, NULL                                   \
    }

/** Facts of a decoded picture. */
typedef struct item_image_info {
    uint32_t struct_size; /**< set by ITEM_IMAGE_INFO_INIT */
    uint32_t width;       /**< of the upright picture, pixels */
    uint32_t height;      /**< likewise */
    uint32_t orientation; /**< of EXIF, else of XMP, that was applied, 1 to 8; 1 if none */
    uint32_t channels;    /**< of the source: 1, 2, 3 or 4; a palette counts as its colours */
    uint32_t bits;        /**< of the source, per channel */
    uint32_t has_icc;     /**< 1 if a colour profile was applied */
    uint32_t truncated;   /**< 1 if the file ended early and that was accepted */
    const char *kind;     /**< "jpeg", "png", "pixels"; since 0.2 "webp", "heic", "avif" */
    const char *warning;  /**< one line, or NULL */
} item_image_info;

/** Start value of item_image_info: to be filled by item_image_get_info(). */
#define ITEM_IMAGE_INFO_INIT                                                                       \
    {                                                                                              \
        sizeof(item_image_info), 0, 0, 0, 0, 0, 0, 0, NULL, NULL                                   \
    }

/**
 * Reads a JPEG, PNG, WebP, HEIC or AVIF file; the last three since 0.2, and ITEM_E_UNSUPPORTED
 * names the library where a build lacks it. The kind is told by content, never by name. The picture
 * is turned upright (HEIC and AVIF by their own properties, not by EXIF), its colour profile is
 * applied (perceptual, to sRGB; one that is broken or does not fit is left out with a warning), of 16
 * bits the high byte is taken, and transparency goes on white. Of an animated PNG the default picture
 * is read, of an animated WebP the first one, of several in HEIC and AVIF the primary one. HEIC and
 * AVIF that end early are never accepted. A folder, pipe or device is ITEM_E_IO.
 *
 * @param path     file name as the system gives it
 * @param options  limits; NULL for the defaults
 * @param out      receives the picture; release with item_image_unref()
 * @param err      receives the reason of a failure, with the file; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_IO, ITEM_E_FORMAT,
 *         ITEM_E_UNSUPPORTED, ITEM_E_LIMIT, ITEM_E_MEMORY, ITEM_E_CANCELLED
 * Owner: caller.  Threads: any.  Since: 0.1
 */
ITEM_API item_status item_image_from_file(const char *path, const item_image_options *options,
                                          item_image **out, item_error *err);

/**
 * Reads a picture file from bytes in memory.
 *
 * @param bytes    the file's content; not kept
 * @param size     number of bytes
 * @param options  limits; NULL for the defaults
 * @param out      receives the picture; release with item_image_unref()
 * @param err      receives the reason of a failure; may be NULL
 * @return as item_image_from_file(), without ITEM_E_IO
 * Owner: caller.  Threads: any.  Since: 0.1
 */
ITEM_API item_status item_image_from_memory(const void *bytes, size_t size,
                                            const item_image_options *options, item_image **out,
                                            item_error *err);

/**
 * Makes a picture of pixels that the caller has decoded. They are copied.
 *
 * @param pixels   first row's first pixel, sRGB, upright
 * @param format   ITEM_PIXELS_...
 * @param width    pixels in a row, 1 or more
 * @param height   rows, 1 or more
 * @param stride   bytes from a row to the next, at least width x bytes a pixel
 * @param options  limits; NULL for the defaults
 * @param out      receives the picture; release with item_image_unref()
 * @param err      receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_LIMIT, ITEM_E_MEMORY, ITEM_E_CANCELLED
 * Owner: caller.  Threads: any.  Since: 0.1
 */
ITEM_API item_status item_image_from_pixels(const void *pixels, int32_t format, uint32_t width,
                                            uint32_t height, size_t stride,
                                            const item_image_options *options, item_image **out,
                                            item_error *err);

/**
 * One more reference to a picture.
 *
 * @param image  picture; NULL is ignored
 * @return the same picture
 * Threads: any.  Since: 0.1
 */
ITEM_API item_image *item_image_ref(item_image *image);

/**
 * Releases a reference; the last one frees the picture.
 *
 * @param image  picture; NULL is ignored
 * Threads: any.  Since: 0.1
 */
ITEM_API void item_image_unref(item_image *image);

/**
 * Facts of a picture.
 *
 * @param image  picture
 * @param info   ITEM_IMAGE_INFO_INIT; receives the facts
 * @param err    receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT
 * Owner: strings are the picture's.  Threads: any.  Since: 0.1
 */
ITEM_API item_status item_image_get_info(const item_image *image, item_image_info *info,
                                         item_error *err);

/**
 * The pixels: rows from top to bottom, 3 bytes a pixel (R, G, B), row i at
 * byte i x width x 3.
 *
 * @param image  picture
 * @return width x height x 3 bytes, or NULL when image is NULL
 * Owner: the picture.  Threads: any.  Since: 0.1
 */
ITEM_API const uint8_t *item_image_pixels(const item_image *image);

#ifdef __cplusplus
}
#endif
#endif
