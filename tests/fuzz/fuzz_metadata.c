/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input: one byte that chooses the container, then EXIF, XMP or a colour profile, which is put into
 * a small JPEG or PNG. So the fuzzer need not learn checksums, compression and segment lengths.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h> /* wants stdio.h before it */
#include <zlib.h>

#include "fuzz.h"

enum { JPEG_EXIF, JPEG_XMP, JPEG_ICC, PNG_EXIF, PNG_ICC, PNG_XMP, CONTAINERS };

#define WIDTH       4
#define HEIGHT      3
#define PART_MOST   65000u /* bytes of a JPEG segment, with its name */
#define SIZE_MOST   200000u
#define XMP_JPEG    "http://ns.adobe.com/xap/1.0/"
#define XMP_PNG     "XML:com.adobe.xmp\0\0\0\0" /* and the NUL that ends it */
#define PROFILE_PNG "p\0"

typedef struct bytes {
    uint8_t *data;
    size_t size;
} bytes;

static void put(bytes *to, const void *data, size_t size)
{
    to->data = realloc(to->data, to->size + size + 1);
    EXPECT(to->data != NULL);
    if (size > 0)
        memcpy(to->data + to->size, data, size);
    to->size += size;
}

static void put32(bytes *to, uint32_t value)
{
    const uint8_t four[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                            (uint8_t)value};
    put(to, four, 4);
}

/* ---- JPEG ---- */

static void marker(struct jpeg_compress_struct *jpeg, int which, const void *name, size_t length,
                   const uint8_t *data, size_t size)
{
    bytes part = {0};
    put(&part, name, length);
    put(&part, data, size);
    jpeg_write_marker(jpeg, which, part.data, (unsigned)part.size);
    free(part.data);
}

static void write_segments(struct jpeg_compress_struct *jpeg, int container, const uint8_t *data,
                           size_t size)
{
    size_t whole = size < PART_MOST ? size : PART_MOST;
    if (container == JPEG_EXIF)
        marker(jpeg, JPEG_APP0 + 1, "Exif\0", 6, data, whole);
    if (container == JPEG_XMP)
        marker(jpeg, JPEG_APP0 + 1, XMP_JPEG, sizeof XMP_JPEG, data, whole);
    uint8_t name[] = "ICC_PROFILE\0\1\1";
    name[13] = (uint8_t)((size + PART_MOST - 1) / PART_MOST);
    for (size_t at = 0; container == JPEG_ICC && at < size; at += PART_MOST) {
        size_t part = size - at < PART_MOST ? size - at : PART_MOST;
        marker(jpeg, JPEG_APP0 + 2, name, 14, data + at, part);
        name[12]++;
    }
}

/* `channels` is 1, 3 or 4. */
static bytes make_jpeg(int container, int channels, const uint8_t *data, size_t size)
{
    static const J_COLOR_SPACE spaces[] = {0, JCS_GRAYSCALE, 0, JCS_RGB, JCS_CMYK};
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *out = NULL;
    unsigned long length = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &out, &length);
    jpeg.image_width = WIDTH;
    jpeg.image_height = HEIGHT;
    jpeg.input_components = channels;
    jpeg.in_color_space = spaces[channels];
    jpeg_set_defaults(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    write_segments(&jpeg, container, data, size);
    for (unsigned y = 0; y < HEIGHT; y++) {
        JSAMPLE row[WIDTH * 4];
        JSAMPROW rows[] = {row};
        for (unsigned i = 0; i < sizeof row; i++)
            row[i] = (JSAMPLE)(y * 80 + i * 13);
        jpeg_write_scanlines(&jpeg, rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return (bytes){out, length};
}

/* ---- PNG ---- */

static void put_chunk(bytes *png, const char *name, const void *data, size_t size)
{
    put32(png, (uint32_t)size);
    size_t from = png->size;
    put(png, name, 4);
    put(png, data, size);
    put32(png, (uint32_t)crc32(0, png->data + from, (uInt)(png->size - from)));
}

/* Compressed data after a name; `chunk` is "IDAT" or "iCCP". */
static void put_compressed(bytes *png, const char *chunk, const char *name, size_t length,
                           const uint8_t *data, size_t size)
{
    uLongf room = compressBound(size);
    uint8_t *packed = malloc(room);
    EXPECT(packed != NULL && compress2(packed, &room, data, size, 1) == Z_OK);
    bytes content = {0};
    put(&content, name, length);
    put(&content, packed, room);
    put_chunk(png, chunk, content.data, content.size);
    free(content.data);
    free(packed);
}

/* `channels` is 1 or 3. */
static bytes make_png(int container, int channels, const uint8_t *data, size_t size)
{
    bytes png = {0};
    const uint8_t header[] = {0, 0, 0, WIDTH, 0, 0, 0, HEIGHT, 8, channels == 1 ? 0 : 2, 0, 0, 0};
    uint8_t rows[HEIGHT * (1 + WIDTH * 3)] = {0}; /* each begins with filter 0 */
    put(&png, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(&png, "IHDR", header, sizeof header);
    if (container == PNG_EXIF)
        put_chunk(&png, "eXIf", data, size);
    if (container == PNG_ICC)
        put_compressed(&png, "iCCP", PROFILE_PNG, sizeof PROFILE_PNG, data, size);
    if (container == PNG_XMP) {
        bytes text = {0};
        put(&text, XMP_PNG, sizeof XMP_PNG);
        put(&text, data, size);
        put_chunk(&png, "iTXt", text.data, text.size);
        free(text.data);
    }
    put_compressed(&png, "IDAT", "", 0, rows, HEIGHT * (size_t)(1 + WIDTH * channels));
    put_chunk(&png, "IEND", "", 0);
    return png;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > SIZE_MOST)
        return 0;
    static const int channel_counts[] = {3, 1, 4, 3};
    int container = data[0] % 8 % CONTAINERS, channels = channel_counts[data[0] / 64];
    bytes file = container <= JPEG_ICC
                     ? make_jpeg(container, channels, data + 1, size - 1)
                     : make_png(container, channels == 1 ? 1 : 3, data + 1, size - 1);

    item_error err = ITEM_ERROR_INIT;
    item_image *image = NULL;
    item_status status = item_image_from_memory(file.data, file.size, NULL, &image, &err);
    fuzz_outcome(status, image, &err);
    free(file.data);
    /* metadata that is broken never makes a picture unreadable */
    EXPECT(status == ITEM_OK);
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    EXPECT(item_image_get_info(image, &info, &err) == ITEM_OK);
    EXPECT(info.orientation >= 1 && info.orientation <= 8);
    EXPECT(info.width * info.height == WIDTH * HEIGHT);
    EXPECT((info.orientation > 4) == (info.width == HEIGHT));
    if (info.warning)
        fuzz_text(info.warning);
    fuzz_touch(item_image_pixels(image), (size_t)WIDTH * HEIGHT * 3);
    item_image_unref(image);
    return 0;
}
