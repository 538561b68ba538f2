/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JPEG with libjpeg-turbo: exact settings (slow integer DCT, smooth upsampling), so that the
 * pixels are those of any other reader with the same settings.
 *
 * libjpeg leaves a failing call by longjmp. Everything that must survive it stands in `job`; the
 * jump goes to guard() alone, and the functions below it hold nothing to be freed.
 */
#include <inttypes.h>
#include <stdio.h> /* jpeglib.h needs FILE */
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>
#include <setjmp.h>

#include "image/decode.h"

#define SCANS_OF_LARGEST 16 /* of a picture with max_pixels; encoders make some ten */

typedef struct job {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    itemi_decode *d;
    itemi_raster *raster;
    const uint8_t *bytes;
    size_t size;
    uint64_t most_scans;
    bool ended; /* the file's bytes are used up, and an end mark was made up */
    item_status status;
} job;

static _Noreturn void leave(job *j, item_status status)
{
    j->status = status;
    longjmp(j->jump, 1);
}

/* ---- messages ---- */

static item_status status_of(int code)
{
    switch (code) {
    case JERR_OUT_OF_MEMORY:
        return ITEM_E_MEMORY;
    case JERR_IMAGE_TOO_BIG:
    case JERR_WIDTH_OVERFLOW:
    case JERR_NO_BACKING_STORE:
        return ITEM_E_LIMIT;
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_ARITH_NOTIMPL:
    case JERR_COMPONENT_COUNT:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
        return ITEM_E_UNSUPPORTED;
    default:
        return ITEM_E_FORMAT;
    }
}

static void on_error(j_common_ptr jpeg)
{
    job *j = jpeg->client_data;
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    item_status status = status_of(jpeg->err->msg_code);
    const char *what = status != ITEM_E_FORMAT ? "JPEG cannot be read"
                       : j->ended              ? "truncated JPEG"
                                               : "broken JPEG";
    itemi_fail(j->d->err, status, "%s: %s", what, text);
    leave(j, status);
}

/* Level -1 is a warning: the data are damaged, libjpeg goes on. Others trace its work. */
static void on_message(j_common_ptr jpeg, int level)
{
    job *j = jpeg->client_data;
    if (level >= 0)
        return;
    jpeg->err->num_warnings++;
    if (j->ended)
        return; /* report_truncated() tells more */
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    itemi_warn(j->d, "the JPEG is damaged", text);
}

static void on_output(j_common_ptr jpeg)
{
    (void)jpeg; /* libjpeg would print here */
}

/* ---- source ---- */

static void on_source_start(j_decompress_ptr jpeg)
{
    (void)jpeg;
}

static item_status fail_truncated(itemi_decode *d)
{
    return itemi_fail(d->err, ITEM_E_FORMAT, "truncated JPEG: the file ends early");
}

/* Past the end: an end mark, after which libjpeg fills up with grey. */
static boolean on_source_empty(j_decompress_ptr jpeg)
{
    static const JOCTET end_mark[2] = {0xff, JPEG_EOI};
    job *j = jpeg->client_data;
    j->ended = true;
    if (!(j->d->options.flags & ITEM_IMAGE_ACCEPT_TRUNCATED)) /* so the rest need not be made up */
        leave(j, fail_truncated(j->d));
    jpeg->src->next_input_byte = end_mark;
    jpeg->src->bytes_in_buffer = sizeof end_mark;
    return TRUE;
}

static void on_source_skip(j_decompress_ptr jpeg, long count)
{
    struct jpeg_source_mgr *source = jpeg->src;
    if (count <= 0)
        return;
    if ((unsigned long)count > source->bytes_in_buffer) {
        on_source_empty(jpeg);
        return;
    }
    source->next_input_byte += count;
    source->bytes_in_buffer -= (size_t)count;
}

static item_status fail_scans(const job *j)
{
    return itemi_fail(j->d->err, ITEM_E_LIMIT, "a JPEG of more than %" PRIu64 " scans at %u x %u",
                      j->most_scans, j->jpeg.image_width, j->jpeg.image_height);
}

/* ---- progress: called for each row of blocks in each scan, and for each row of pixels ---- */

static void on_progress(j_common_ptr jpeg)
{
    job *j = jpeg->client_data;
    if (itemi_cancelled(j->d->options.cancel)) {
        itemi_fail_cancelled(j->d->err);
        leave(j, ITEM_E_CANCELLED);
    }
    /* libjpeg goes on behind some broken segments, so that it may meet more than were counted */
    if (j->jpeg.input_scan_number > 0 && (uint64_t)j->jpeg.input_scan_number > j->most_scans)
        leave(j, fail_scans(j));
}

/* ---- steps, each run by guard() ---- */

static void read_header(job *j)
{
    struct jpeg_decompress_struct *jpeg = &j->jpeg;
    jpeg_create_decompress(jpeg); /* keeps err and client_data */
    /* libjpeg takes its default from the environment; ours stands in the options. */
    jpeg->mem->max_memory_to_use = 0;
    j->progress.progress_monitor = on_progress;
    jpeg->progress = &j->progress;
    j->source = (struct jpeg_source_mgr){.next_input_byte = j->bytes,
                                         .bytes_in_buffer = j->size,
                                         .init_source = on_source_start,
                                         .fill_input_buffer = on_source_empty,
                                         .skip_input_data = on_source_skip,
                                         .resync_to_restart = jpeg_resync_to_restart,
                                         .term_source = on_source_start};
    jpeg->src = &j->source;
    jpeg_read_header(jpeg, TRUE);
}

static itemi_samples choose_output(struct jpeg_decompress_struct *jpeg)
{
    jpeg->dct_method = JDCT_ISLOW;
    jpeg->do_fancy_upsampling = TRUE;
    switch (jpeg->num_components) {
    case 1:
        jpeg->out_color_space = JCS_GRAYSCALE;
        return ITEMI_SAMPLES_GREY;
    case 3:
        jpeg->out_color_space = JCS_RGB;
        return ITEMI_SAMPLES_RGB;
    default:
        jpeg->out_color_space = JCS_CMYK;
        return ITEMI_SAMPLES_CMYK;
    }
}

static uint64_t round_up(uint64_t value, uint64_t step)
{
    return (value + step - 1) / step * step;
}

/* What libjpeg will allocate: rows, and all coefficients where a file has several scans. */
static uint64_t working_memory(struct jpeg_decompress_struct *jpeg)
{
    uint64_t blocks = 0, row = 0;
    for (int i = 0; i < jpeg->num_components; i++) {
        const jpeg_component_info *c = &jpeg->comp_info[i];
        uint64_t wide = round_up(c->width_in_blocks, (uint64_t)c->h_samp_factor);
        uint64_t high = round_up(c->height_in_blocks, (uint64_t)c->v_samp_factor);
        blocks += wide * high;
        row += wide * DCTSIZE * (uint64_t)c->v_samp_factor;
    }
    uint64_t full = round_up(jpeg->image_width, (uint64_t)jpeg->max_h_samp_factor * DCTSIZE) *
                    (uint64_t)jpeg->num_components * (uint64_t)jpeg->max_v_samp_factor;
    /* five groups of rows of a component for the context of upsampling, one of the whole width */
    uint64_t rows = 5 * DCTSIZE * row + 2 * full;
    return rows + (jpeg_has_multiple_scans(jpeg) ? blocks * sizeof(JBLOCK) : 0);
}

static void start(job *j)
{
    if (!jpeg_start_decompress(&j->jpeg)) /* reads all scans of a progressive file */
        leave(j, itemi_fail(j->d->err, ITEM_E_INTERNAL, "libjpeg waits for data"));
}

static void read_rows(job *j)
{
    size_t row = (size_t)j->raster->width * itemi_channels(j->raster->samples);
    while (j->jpeg.output_scanline < j->jpeg.output_height) {
        JSAMPROW to = j->raster->data + j->jpeg.output_scanline * row;
        jpeg_read_scanlines(&j->jpeg, &to, 1);
    }
    jpeg_finish_decompress(&j->jpeg); /* looks for the end mark */
}

static bool guard(job *j, void (*step)(job *))
{
    if (setjmp(j->jump))
        return false;
    step(j);
    return true;
}

/* ---- the whole ---- */

/* Kinds of coding that are refused by name before libjpeg sees them. */
static item_status check_coding(itemi_decode *d, const itemi_jpeg_header *header)
{
    const char *what = NULL;
    if (header->sof == 0)
        return ITEM_OK; /* libjpeg tells what is missing */
    if (header->sof == 0xf7)
        what = "JPEG-LS";
    else if (header->sof > 0xc8)
        what = "arithmetic-coded JPEG";
    else if (header->sof == 0xc3)
        what = "lossless JPEG";
    else if (header->sof > 0xc3)
        what = "hierarchical JPEG";
    else if (header->precision != 8)
        what = "JPEG of more than 8 bits";
    else if (header->components != 1 && header->components != 3 && header->components != 4)
        what = "JPEG of neither 1, 3 nor 4 components";
    return what ? itemi_fail(d->err, ITEM_E_UNSUPPORTED, "unsupported: %s", what) : ITEM_OK;
}

/* Files hold CMYK as Adobe writes it, 255 for no ink: here 255 is full ink. */
static void turn_ink(itemi_raster *raster)
{
    size_t samples = (size_t)raster->width * raster->height * 4;
    for (size_t i = 0; i < samples; i++)
        raster->data[i] = (uint8_t)(255 - raster->data[i]);
}

static void report_truncated(job *j)
{
    if (!j->ended)
        return;
    itemi_warn(j->d, "truncated JPEG, what is missing is grey", NULL);
    j->raster->truncated = true;
}

/*
 * Each scan goes through the whole picture, however few bytes it has. So the scans are counted
 * before any is read, and fewer are allowed to a picture that is near the limit of pixels.
 */
static item_status check_scans(job *j)
{
    const item_image_options *o = &j->d->options;
    uint64_t pixels = (uint64_t)j->jpeg.image_width * j->jpeg.image_height, work;
    j->most_scans = o->max_scans;
    if (!__builtin_mul_overflow(o->max_pixels, SCANS_OF_LARGEST, &work) &&
        work / pixels < j->most_scans)
        j->most_scans = work / pixels;
    return itemi_jpeg_scans(j->bytes, j->size) > j->most_scans ? fail_scans(j) : ITEM_OK;
}

/* Sizes, limits and memory, between the header and the pixels. */
static item_status prepare(job *j, const itemi_jpeg_header *header)
{
    itemi_raster *raster = j->raster;
    item_status status = itemi_check_pixels(j->d, j->jpeg.image_width, j->jpeg.image_height);
    if (status == ITEM_OK)
        status = check_scans(j);
    if (status != ITEM_OK)
        return status;
    raster->kind = "jpeg";
    raster->width = j->jpeg.image_width;
    raster->height = j->jpeg.image_height;
    raster->samples = choose_output(&j->jpeg);
    raster->channels = (uint32_t)j->jpeg.num_components;
    raster->bits = (uint32_t)j->jpeg.data_precision;
    raster->orientation = itemi_orientation(&header->metadata);
    status = itemi_check_memory(j->d, raster, working_memory(&j->jpeg));
    if (status == ITEM_OK)
        status = itemi_jpeg_header_icc(header, j->d, raster);
    if (status == ITEM_OK)
        status = itemi_raster_alloc(j->d, raster);
    return status;
}

static item_status decode(job *j, const itemi_jpeg_header *header)
{
    if (!guard(j, read_header))
        return j->status;
    item_status status = prepare(j, header);
    if (status != ITEM_OK)
        return status;
    if (!guard(j, start) || !guard(j, read_rows))
        return j->status;
    if (j->raster->samples == ITEMI_SAMPLES_CMYK)
        turn_ink(j->raster);
    report_truncated(j);
    return ITEM_OK;
}

item_status itemi_jpeg_decode(itemi_decode *d, const uint8_t *bytes, size_t size,
                              itemi_raster *raster)
{
    itemi_jpeg_header header;
    itemi_jpeg_header_read(&header, bytes, size);
    item_status status = check_coding(d, &header);
    if (status != ITEM_OK)
        return status;

    /* cut at a segment's begin, a truncated file is one with fewer scans */
    if (d->options.flags & ITEM_IMAGE_ACCEPT_TRUNCATED)
        size = itemi_jpeg_whole_segments(bytes, size);
    job j = {.d = d, .raster = raster, .bytes = bytes, .size = size};
    j.jpeg.err = jpeg_std_error(&j.errors);
    j.errors.error_exit = on_error;
    j.errors.emit_message = on_message;
    j.errors.output_message = on_output;
    j.jpeg.client_data = &j;
    status = decode(&j, &header);
    jpeg_destroy_decompress(&j.jpeg);
    return status;
}
