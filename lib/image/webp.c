/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebP with libwebp: RGB, or RGBA where a picture has alpha. Of an animation the first frame is
 * read, on a transparent canvas. The decoder is fed in pieces, so that a cancel is seen and a file
 * that ends early gives what is there.
 */
#include <string.h>

#include <webp/decode.h>

#include "image/decode.h"

#define PIECE ((size_t)1 << 16)

/* Beside the samples: rows of a lossy picture; all samples of a lossless one; the alpha plane. */
#define WORKING_BYTES    (1u << 20)
#define LOSSY_FORMAT     1
#define LOSSLESS_WORKING 4u
#define ALPHA_WORKING    2u

#define RIFF_HEAD  12
#define FRAME_HEAD 16 /* of an animation's frame: place, size, duration, flags */

#define GREY 0x80 /* what is missing of a picture that ends early */

static item_status fail_by(itemi_decode *d, VP8StatusCode code)
{
    if (code == VP8_STATUS_OUT_OF_MEMORY)
        return itemi_fail_memory(d->err, "reading a WebP");
    if (code == VP8_STATUS_UNSUPPORTED_FEATURE)
        return itemi_fail(d->err, ITEM_E_UNSUPPORTED, "unsupported: a WebP of a newer kind");
    const bool ends = code == VP8_STATUS_SUSPENDED || code == VP8_STATUS_NOT_ENOUGH_DATA;
    return itemi_fail(d->err, ITEM_E_FORMAT,
                      ends ? "truncated WebP: the file ends early"
                           : "broken WebP: its data are damaged");
}

/* ---- before the samples ---- */

/* What libwebp is to decode, and where its samples go. */
typedef struct frame {
    const uint8_t *data; /* the whole file, or the chunks of an animation's first frame */
    size_t size;
    uint32_t x, y, width, height; /* on the canvas; width 0: all of it, whatever size it has */
    uint32_t canvas_width, canvas_height;
    const uint8_t *icc;
    size_t icc_size;
    bool ends_early;
} frame;

static uint32_t number(const uint8_t *at, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = bytes; i > 0; i--)
        value = value << 8 | at[i - 1];
    return value;
}

static void take_chunk(frame *f, const uint8_t *chunk, size_t length)
{
    const uint8_t *data = chunk + 8;
    if (memcmp(chunk, "VP8X", 4) == 0 && length >= 10) {
        f->canvas_width = number(data + 4, 3) + 1;
        f->canvas_height = number(data + 7, 3) + 1;
    } else if (memcmp(chunk, "ICCP", 4) == 0 && !f->icc) {
        f->icc = data;
        f->icc_size = length;
    } else if (memcmp(chunk, "ANMF", 4) == 0 && length >= FRAME_HEAD && f->width == 0) {
        f->x = 2 * number(data, 3);
        f->y = 2 * number(data + 3, 3);
        f->width = number(data + 6, 3) + 1;
        f->height = number(data + 9, 3) + 1;
        f->data = data + FRAME_HEAD;
        f->size = length - FRAME_HEAD;
    }
}

/* Walks the chunks; the last one may not be whole. */
static frame find_frame(const uint8_t *bytes, size_t size)
{
    frame f = {.data = bytes, .size = size};
    f.ends_early = size < RIFF_HEAD || number(bytes + 4, 4) > size - 8;
    for (size_t at = RIFF_HEAD; at <= size && size - at >= 8;) {
        size_t length = number(bytes + at + 4, 4);
        const size_t left = size - at - 8;
        take_chunk(&f, bytes + at, length < left ? length : left);
        if (length >= left)
            break;
        at += 8 + length + length % 2;
    }
    return f;
}

static item_status take_profile(itemi_decode *d, const frame *f, itemi_raster *raster)
{
    if (f->icc_size > ITEMI_ICC_MAX)
        itemi_warn(d, "the colour profile is ignored", "it is too large");
    if (f->icc_size == 0 || f->icc_size > ITEMI_ICC_MAX)
        return ITEM_OK;
    raster->icc = itemi_alloc(&d->mem, f->icc_size);
    if (!raster->icc)
        return itemi_fail_memory(d->err, "reading a colour profile");
    memcpy(raster->icc, f->icc, f->icc_size);
    raster->icc_size = f->icc_size;
    return ITEM_OK;
}

/* Where the frame lies on the canvas; false where it does not. */
static bool place_frame(frame *f, const WebPBitstreamFeatures *features)
{
    const uint32_t width = (uint32_t)features->width, height = (uint32_t)features->height;
    if (f->width == 0) {
        f->width = f->canvas_width = width;
        f->height = f->canvas_height = height;
    }
    return f->width == width && f->height == height && f->x <= f->canvas_width &&
           f->y <= f->canvas_height && width <= f->canvas_width - f->x &&
           height <= f->canvas_height - f->y;
}

/* Size, samples and limits, before anything large is allocated. */
static item_status prepare(itemi_decode *d, frame *f, itemi_raster *raster)
{
    WebPBitstreamFeatures features;
    VP8StatusCode code = WebPGetFeatures(f->data, f->size, &features);
    if (code != VP8_STATUS_OK)
        return fail_by(d, code);
    if (features.has_animation) /* and no frame of it is there */
        return fail_by(d, VP8_STATUS_NOT_ENOUGH_DATA);
    if (!place_frame(f, &features))
        return fail_by(d, VP8_STATUS_BITSTREAM_ERROR);
    raster->width = f->canvas_width;
    raster->height = f->canvas_height;
    const bool whole = f->width == raster->width && f->height == raster->height;
    raster->samples = features.has_alpha || !whole ? ITEMI_SAMPLES_RGBA : ITEMI_SAMPLES_RGB;
    raster->channels = itemi_channels(raster->samples);
    raster->bits = 8;
    item_status status = itemi_check_pixels(d, raster->width, raster->height);
    if (status != ITEM_OK)
        return status;
    uint64_t each = features.format == LOSSY_FORMAT ? 0 : LOSSLESS_WORKING;
    each += features.has_alpha ? ALPHA_WORKING : 0;
    return itemi_check_memory(d, raster, WORKING_BYTES + each * f->width * f->height);
}

/* ---- samples ---- */

/* Grey for what may be missing of a frame; nothing at all around a frame that is smaller. */
static void clear(itemi_raster *raster, const frame *f)
{
    const size_t each = itemi_channels(raster->samples), row = each * raster->width;
    memset(raster->data, 0, row * raster->height);
    for (uint32_t y = 0; y < f->height; y++) {
        uint8_t *at = raster->data + (f->y + y) * row + f->x * each;
        memset(at, GREY, f->width * each);
        for (size_t x = 3; each == 4 && x < f->width * each; x += 4)
            at[x] = 0xff;
    }
}

static item_status feed(itemi_decode *d, WebPIDecoder *decoder, const frame *f,
                        itemi_raster *raster)
{
    VP8StatusCode code = VP8_STATUS_SUSPENDED;
    for (size_t have = 0; code == VP8_STATUS_SUSPENDED && have < f->size;) {
        if (itemi_cancelled(d->options.cancel))
            return itemi_fail_cancelled(d->err);
        have = f->size - have < PIECE ? f->size : have + PIECE;
        code = WebPIUpdate(decoder, f->data, have);
    }
    raster->truncated |= code == VP8_STATUS_SUSPENDED;
    const bool accepted = raster->truncated && d->options.flags & ITEM_IMAGE_ACCEPT_TRUNCATED;
    return code == VP8_STATUS_OK || (code == VP8_STATUS_SUSPENDED && accepted) ? ITEM_OK
                                                                               : fail_by(d, code);
}

static item_status decode_frame(itemi_decode *d, const frame *f, itemi_raster *raster)
{
    const size_t each = itemi_channels(raster->samples), row = each * raster->width;
    const size_t first = f->y * row + f->x * each;
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return itemi_fail(d->err, ITEM_E_INTERNAL, "another libwebp than libitem was built with");
    config.output.colorspace = each == 4 ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = raster->data + first;
    config.output.u.RGBA.stride = (int)row;
    config.output.u.RGBA.size = row * raster->height - first;
    WebPIDecoder *decoder = WebPIDecode(NULL, 0, &config);
    if (!decoder)
        return itemi_fail_memory(d->err, "reading a WebP");
    item_status status = feed(d, decoder, f, raster);
    WebPIDelete(decoder);
    return status;
}

item_status itemi_webp_decode(itemi_decode *d, const uint8_t *bytes, size_t size,
                              itemi_raster *raster)
{
    itemi_metadata metadata;
    itemi_webp_metadata(&metadata, bytes, size);
    raster->kind = "webp";
    raster->orientation = itemi_orientation(&metadata);
    frame f = find_frame(bytes, size);
    raster->truncated = f.ends_early;
    if (f.ends_early && !(d->options.flags & ITEM_IMAGE_ACCEPT_TRUNCATED))
        return fail_by(d, VP8_STATUS_NOT_ENOUGH_DATA);
    item_status status = prepare(d, &f, raster);
    if (status == ITEM_OK)
        status = take_profile(d, &f, raster);
    if (status == ITEM_OK)
        status = itemi_raster_alloc(d, raster);
    if (status != ITEM_OK)
        return status;
    clear(raster, &f);
    status = decode_frame(d, &f, raster);
    if (status == ITEM_OK && raster->truncated)
        itemi_warn(d, "truncated WebP, what is missing is grey", NULL);
    return status;
}
