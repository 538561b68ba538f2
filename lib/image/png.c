/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PNG with libpng: any colour type and depth becomes 8 bits of grey, grey with alpha, RGB or
 * RGBA. Of 16 bits the high byte is taken. An animation gives its default picture.
 *
 * libpng leaves a failing call by longjmp; see jpeg.c for how that is kept tidy.
 */
#include <string.h>

#include <png.h>
#include <setjmp.h>

#include "image/decode.h"

/* A cancel is polled before each so many rows. */
#define CANCEL_ROWS 64

/* Most ancillary chunks that libpng keeps. */
#define CHUNKS_MAX 128

/* Bytes of packed data that may stand behind the last row, which libpng unpacks and drops. */
#define BEHIND_ROWS 65536
#define ANY_SIZE    SIZE_MAX

/* Room for rows and zlib's window, beside some rows of 16-bit RGBA. */
#define WORKING_BYTES 200000

typedef struct job {
    png_structp png;
    png_infop info;
    jmp_buf jump;
    itemi_decode *d;
    itemi_raster *raster;
    const uint8_t *bytes;
    size_t left;
    size_t most;    /* bytes that may be read before this is set anew */
    bool ended;     /* the file's bytes are used up */
    bool may_end;   /* from here on that is no error */
    bool no_memory; /* libpng asked in vain; it may have gone on with less */
    item_status status;
} job;

static _Noreturn void leave(job *j, item_status status)
{
    j->status = status;
    longjmp(j->jump, 1);
}

/* ---- what libpng calls ---- */

static void on_error(png_structp png, png_const_charp text)
{
    job *j = png_get_error_ptr(png);
    if (j->no_memory)
        leave(j, itemi_fail_memory(j->d->err, "reading a PNG"));
    const char *what = j->ended ? "truncated PNG" : "broken PNG";
    if (j->ended && j->may_end)
        leave(j, ITEM_OK);
    leave(j, itemi_fail(j->d->err, ITEM_E_FORMAT, "%s: %s", what, text));
}

static void on_warning(png_structp png, png_const_charp text)
{
    job *j = png_get_error_ptr(png);
    bool profile = strncmp(text, "iCCP", 4) == 0;
    itemi_warn(j->d, profile ? "the colour profile is ignored" : "PNG", text);
}

static void on_read(png_structp png, png_bytep to, size_t size)
{
    job *j = png_get_io_ptr(png);
    if (itemi_cancelled(j->d->options.cancel))
        leave(j, itemi_fail_cancelled(j->d->err));
    if (size > j->left) {
        j->ended = true;
        png_error(png, "the file ends early");
    }
    if (size > j->most)
        png_error(png, "data go on behind the last row");
    if (j->most != ANY_SIZE)
        j->most -= size;
    memcpy(to, j->bytes, size);
    j->bytes += size;
    j->left -= size;
}

static png_voidp on_allocate(png_structp png, png_alloc_size_t size)
{
    job *j = png_get_mem_ptr(png);
    void *block = itemi_alloc(&j->d->mem, size);
    j->no_memory |= block == NULL;
    return block;
}

static void on_free(png_structp png, png_voidp block)
{
    job *j = png_get_mem_ptr(png);
    itemi_free(&j->d->mem, block);
}

/* ---- steps, each run by guard() ---- */

/* Chunks that say nothing about the pixels as we read them: only their checksums are looked at. */
static const png_byte skipped[] = "tEXt\0zTXt\0iTXt\0eXIf\0sPLT\0hIST\0pCAL\0sCAL\0tIME\0"
                                  "pHYs\0oFFs\0bKGD\0gAMA\0cHRM\0sRGB\0sBIT";

static void read_header(job *j)
{
    j->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, j, on_error, on_warning, j,
                                      on_allocate, on_free);
    j->info = j->png ? png_create_info_struct(j->png) : NULL;
    if (!j->info)
        leave(j, itemi_fail_memory(j->d->err, "reading a PNG"));
    png_set_read_fn(j->png, j, on_read);
    png_set_crc_action(j->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_user_limits(j->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* ours is on the product */
    png_set_chunk_cache_max(j->png, CHUNKS_MAX);
    png_set_chunk_malloc_max(j->png, ITEMI_ICC_MAX);
    png_set_option(j->png, PNG_SKIP_sRGB_CHECK_PROFILE, PNG_OPTION_ON);
    png_set_keep_unknown_chunks(j->png, PNG_HANDLE_CHUNK_NEVER, skipped, sizeof skipped / 5);
    png_read_info(j->png, j->info);
}

/* What the transformations of start() will give; nothing is allocated for it yet. */
static void choose_output(job *j)
{
    static const itemi_samples by_channels[] = {0, ITEMI_SAMPLES_GREY, ITEMI_SAMPLES_GREY_ALPHA,
                                                ITEMI_SAMPLES_RGB, ITEMI_SAMPLES_RGBA};
    itemi_raster *raster = j->raster;
    png_byte type = png_get_color_type(j->png, j->info);
    bool palette = type == PNG_COLOR_TYPE_PALETTE;
    bool alpha = type & PNG_COLOR_MASK_ALPHA || png_get_valid(j->png, j->info, PNG_INFO_tRNS);
    raster->bits = palette ? 8 : png_get_bit_depth(j->png, j->info);
    raster->channels = (type & PNG_COLOR_MASK_COLOR ? 3u : 1u) + alpha;
    raster->samples = by_channels[raster->channels];
}

/* Called when a row is unpacked: what is read before the next one is asked for lies behind all. */
static void on_row(png_structp png, png_row_infop info, png_bytep row)
{
    job *j = png_get_io_ptr(png);
    (void)info, (void)row;
    j->most = BEHIND_ROWS;
}

static void start(job *j)
{
    png_set_expand(j->png); /* palettes to RGB, few bits to 8, a transparent colour to alpha */
    png_set_strip_16(j->png);
    png_set_interlace_handling(j->png);
    png_set_read_user_transform_fn(j->png, on_row);
    png_read_update_info(j->png, j->info); /* allocates rows */
    if (png_get_rowbytes(j->png, j->info) != (size_t)j->raster->width * j->raster->channels)
        leave(j, itemi_fail(j->d->err, ITEM_E_INTERNAL, "libpng gives rows of another size"));
}

static void read_rows(job *j)
{
    const itemi_raster *raster = j->raster;
    size_t row = (size_t)raster->width * itemi_channels(raster->samples);
    bool interlaced = png_get_interlace_type(j->png, j->info) != PNG_INTERLACE_NONE;
    for (int pass = 0; pass < (interlaced ? PNG_INTERLACE_ADAM7_PASSES : 1); pass++) {
        for (uint32_t y = 0; y < raster->height; y++) {
            if (y % CANCEL_ROWS == 0 && itemi_cancelled(j->d->options.cancel))
                leave(j, itemi_fail_cancelled(j->d->err));
            /* the last pass has odd rows alone; where the file ends with an even one, none comes */
            j->most = pass == PNG_INTERLACE_ADAM7_PASSES - 1 && y % 2 == 0 ? BEHIND_ROWS : ANY_SIZE;
            png_read_row(j->png, raster->data + y * row, NULL);
        }
    }
}

/* Looks at the checksums of what follows the pixels. */
static void read_end(job *j)
{
    j->most = ANY_SIZE;
    png_read_end(j->png, NULL);
}

/* False when the step was left: with a failure in j->status, or at an end that is accepted. */
static bool guard(job *j, void (*step)(job *))
{
    if (setjmp(j->jump))
        return false;
    step(j);
    return true;
}

/* ---- the whole ---- */

static item_status copy_profile(job *j)
{
    png_charp name;
    png_bytep profile;
    png_uint_32 size;
    int compression;
    if (!png_get_iCCP(j->png, j->info, &name, &compression, &profile, &size))
        return ITEM_OK;
    j->raster->icc = itemi_alloc(&j->d->mem, size);
    if (!j->raster->icc)
        return itemi_fail_memory(j->d->err, "reading a colour profile");
    memcpy(j->raster->icc, profile, size);
    j->raster->icc_size = size;
    return ITEM_OK;
}

/* Opaque grey, for the pixels that a truncated file does not give. */
static void fill_grey(itemi_raster *raster)
{
    uint32_t channels = itemi_channels(raster->samples);
    size_t samples = (size_t)raster->width * raster->height * channels;
    memset(raster->data, 128, samples);
    if (channels % 2 == 0) {
        for (size_t i = channels - 1; i < samples; i += channels)
            raster->data[i] = 255;
    }
}

/* Sizes, limits and memory, between the header and the pixels. */
static item_status prepare(job *j, const itemi_metadata *metadata)
{
    itemi_raster *raster = j->raster;
    raster->kind = "png";
    raster->width = png_get_image_width(j->png, j->info);
    raster->height = png_get_image_height(j->png, j->info);
    raster->orientation = itemi_orientation(metadata);
    item_status status = itemi_check_pixels(j->d, raster->width, raster->height);
    if (status == ITEM_OK)
        status = copy_profile(j);
    choose_output(j);
    if (status == ITEM_OK)
        status = itemi_check_memory(j->d, raster, WORKING_BYTES + UINT64_C(24) * raster->width);
    if (status == ITEM_OK)
        status = itemi_raster_alloc(j->d, raster);
    return status;
}

static item_status read_pixels(job *j)
{
    j->may_end = j->d->options.flags & ITEM_IMAGE_ACCEPT_TRUNCATED;
    if (j->may_end)
        fill_grey(j->raster);
    if (guard(j, start) && guard(j, read_rows) && guard(j, read_end))
        return ITEM_OK;
    if (j->status == ITEM_OK) {
        itemi_warn(j->d, "truncated PNG, what is missing is grey", NULL);
        j->raster->truncated = true;
    }
    return j->status;
}

static item_status decode(job *j, const itemi_metadata *metadata)
{
    if (!guard(j, read_header))
        return j->status;
    item_status status = prepare(j, metadata);
    return status == ITEM_OK ? read_pixels(j) : status;
}

item_status itemi_png_decode(itemi_decode *d, const uint8_t *bytes, size_t size,
                             itemi_raster *raster)
{
    itemi_metadata metadata;
    itemi_png_metadata(&metadata, bytes, size);
    job j = {.d = d, .raster = raster, .bytes = bytes, .left = size, .most = ANY_SIZE};
    item_status status = decode(&j, &metadata);
    if (status == ITEM_OK && j.no_memory) /* a profile may be missing, say */
        status = itemi_fail_memory(d->err, "reading a PNG");
    png_destroy_read_struct(&j.png, &j.info, NULL);
    return status;
}
