/* SPDX-License-Identifier: Apache-2.0 */
/* Small JPEGs of pictures, for pages that show many. */
#include <stdio.h> /* jpeglib.h needs FILE */
#include <stdlib.h>

#include <jpeglib.h>
#include <setjmp.h>

#include "image/decode.h"
#include "image/image.h"

#define QUALITY 75

/* libjpeg leaves a failing call by longjmp: what must survive it stands here. */
typedef struct job {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf jump;
    unsigned char *bytes; /* of malloc: libjpeg's */
    unsigned long size;
} job;

static _Noreturn void on_error(j_common_ptr jpeg)
{
    job *j = (job *)jpeg->client_data;
    longjmp(j->jump, 1);
}

static void on_message(j_common_ptr jpeg, int level)
{
    (void)jpeg;
    (void)level;
}

static void write_rows(job *j, const item_image *image)
{
    struct jpeg_compress_struct *jpeg = &j->jpeg;
    jpeg_create_compress(jpeg);
    jpeg_mem_dest(jpeg, &j->bytes, &j->size);
    jpeg->image_width = image->info.width;
    jpeg->image_height = image->info.height;
    jpeg->input_components = 3;
    jpeg->in_color_space = JCS_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, QUALITY, TRUE);
    jpeg->optimize_coding = TRUE;
    jpeg_start_compress(jpeg, TRUE);
    while (jpeg->next_scanline < jpeg->image_height) {
        JSAMPROW row = image->pixels + (size_t)jpeg->next_scanline * jpeg->image_width * 3;
        jpeg_write_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_compress(jpeg);
}

/* Of a picture of at most 65,500 pixels a side, as every thumbnail is. */
static item_status compress(const item_image *image, itemi_buf *out, item_error *err)
{
    job j = {.bytes = NULL};
    j.jpeg.err = jpeg_std_error(&j.errors);
    j.errors.error_exit = on_error;
    j.errors.emit_message = on_message;
    j.jpeg.client_data = &j;
    const bool failed = setjmp(j.jump) != 0;
    if (!failed)
        write_rows(&j, image);
    jpeg_destroy_compress(&j.jpeg);
    if (!failed)
        itemi_buf_add(out, j.bytes, j.size);
    free(j.bytes);
    return failed || out->failed ? itemi_fail_memory(err, "making a thumbnail") : ITEM_OK;
}

item_status itemi_image_thumbnail(const item_image *image, uint32_t edge, itemi_buf *out,
                                  item_error *err)
{
    const uint32_t w = image->info.width, h = image->info.height, longest = w > h ? w : h;
    const double scale = longest > edge ? (double)edge / longest : 1;
    const double width = w * scale + 0.5, height = h * scale + 0.5;
    item_image *small = NULL;
    item_status status =
        itemi_image_resized(&image->mem, image, NULL, width < 1 ? 1 : (uint32_t)width,
                            height < 1 ? 1 : (uint32_t)height, ITEMI_FILTER_BILINEAR, &small, err);
    if (status == ITEM_OK)
        status = compress(small, out, err);
    item_image_unref(small);
    return status;
}
