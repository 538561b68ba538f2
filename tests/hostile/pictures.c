/* SPDX-License-Identifier: Apache-2.0 */
/* Bombs that are pictures: scans, packed bytes, profiles, metadata. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "bombs.h"

#define MB 1000000

/* ---- JPEG ---- */

#define SIDE 9000 /* pixels; 1125 blocks of 8 */

static void put_marker(FILE *file, unsigned marker, const char *data, size_t size)
{
    put16(file, 0xff00 | marker);
    put16(file, (unsigned)size + 2);
    put(file, data, size);
}

/* Up to the first scan: one table of codes, in which bits of 0 mean nothing but zeros. */
static void put_jpeg_start(FILE *file, unsigned frame, unsigned side, unsigned components)
{
    char quant[65], sof[15] = {8}, codes[19] = {0};
    memset(quant, 1, sizeof quant);
    quant[0] = 0;
    put_marker(file, 0xdb, quant, sizeof quant);
    sof[1] = sof[3] = (char)(side >> 8);
    sof[2] = sof[4] = (char)(side & 255);
    sof[5] = (char)components;
    for (unsigned i = 0; i < components; i++)
        memcpy(sof + 6 + 3 * i, (char[]){(char)(i + 1), 0x11, 0}, 3);
    put_marker(file, frame, sof, 6 + 3 * components);
    codes[1] = 1; /* one code of one bit */
    put_marker(file, 0xc4, codes, 18);
    codes[0] = 0x10;
    codes[17] = (char)(frame == 0xc2 ? 0xe0 : 0); /* progressive: 16384 blocks of zeros */
    put_marker(file, 0xc4, codes, 18);
}

static void put_scan(FILE *file, unsigned components, const char spectrum[3], size_t bits)
{
    char sos[10] = {(char)components};
    for (unsigned i = 0; i < components; i++)
        sos[1 + 2 * i] = (char)(i + 1);
    memcpy(sos + 1 + 2 * components, spectrum, 3);
    put_marker(file, 0xda, sos, 4 + 2 * components);
    put_times(file, "", (bits + 7) / 8);
}

/* A scan for the first coefficients, then scans that refine all others. */
static void put_progressive(FILE *file, unsigned components, size_t scans)
{
    size_t blocks = (SIDE / 8) * (SIDE / 8);
    put16(file, 0xffd8);
    put_jpeg_start(file, 0xc2, SIDE, components);
    put_scan(file, components, (char[]){0, 0, 0}, blocks * components);
    for (size_t i = 1; i < scans; i++)
        put_scan(file, 1, (char[]){1, 63, 0x10}, (blocks / 16384 + 1) * 15);
    put16(file, 0xffd9);
}

static void make_scans(FILE *file)
{
    put_progressive(file, 1, 2200);
}

static void make_64_scans(FILE *file)
{
    put_progressive(file, 3, 64);
}

static void make_19_scans(FILE *file)
{
    put_progressive(file, 3, 19);
}

/* Baseline, all of it there. */
static void make_rows(FILE *file)
{
    put16(file, 0xffd8);
    put_jpeg_start(file, 0xc0, SIDE, 3);
    put_scan(file, 3, (char[]){0, 63, 0}, (size_t)(SIDE / 8) * (SIDE / 8) * 6);
    put16(file, 0xffd9);
}

/* Ends with the header of its first scan. */
static void make_cut(FILE *file)
{
    put16(file, 0xffd8);
    put_jpeg_start(file, 0xc2, SIDE, 3);
    put_scan(file, 3, (char[]){0, 0, 0}, 0);
}

/* A picture of 16 x 16 with the given segments in front. */
static void put_small_jpeg(FILE *file, void (*segments)(FILE *file))
{
    put16(file, 0xffd8);
    if (segments)
        segments(file);
    put_jpeg_start(file, 0xc0, 16, 3);
    put_scan(file, 3, (char[]){0, 63, 0}, 4 * 6);
    put16(file, 0xffd9);
}

static void put_comments(FILE *file)
{
    for (size_t i = 0; i < 16 * MB; i++)
        put(file, "\xff\xfe\0\2", 4);
}

static void make_comments(FILE *file)
{
    put_small_jpeg(file, put_comments);
}

static void put_profile_parts(FILE *file)
{
    char *data = need(65533);
    memcpy(data, "ICC_PROFILE", 12);
    for (unsigned i = 0; i < 1600; i++) {
        data[12] = (char)(i % 255 + 1);
        data[13] = (char)255;
        put_marker(file, 0xe2, data, 65533);
    }
    free(data);
}

static void make_jpeg_icc(FILE *file)
{
    put_small_jpeg(file, put_profile_parts);
}

/* EXIF whose first folder holds 65535 entries, each of them a folder that is the first again. */
static void put_exif_loop(FILE *file)
{
    char *data = need(65533);
    memcpy(data, "Exif\0\0MM\0*\0\0\0\x8\xff\xff", 16);
    for (size_t at = 16; at + 12 <= 65533; at += 12)
        memcpy(data + at, "\x87\x69\0\4\0\0\0\1\0\0\0\x8", 12);
    put_marker(file, 0xe1, data, 65533);
    free(data);
}

static void make_exif_loop(FILE *file)
{
    put_small_jpeg(file, put_exif_loop);
}

static void put_xmp(FILE *file)
{
    char *data = need(65533);
    memcpy(data, "http://ns.adobe.com/xap/1.0/", 29);
    for (size_t at = 29; at + 17 <= 65533; at += 17)
        memcpy(data + at, "tiff:Orientation ", 17);
    for (unsigned i = 0; i < 1000; i++)
        put_marker(file, 0xe1, data, 65533);
    free(data);
}

static void make_jpeg_xmp(FILE *file)
{
    put_small_jpeg(file, put_xmp);
}

/* ---- PNG ---- */

static void put_chunk(FILE *file, const char *type, const char *data, size_t size)
{
    uLong crc = crc32(0, (const Bytef *)type, 4);
    put32(file, (uint32_t)size);
    put(file, type, 4);
    put(file, data, size);
    put32(file, (uint32_t)(size ? crc32(crc, (const Bytef *)data, (uInt)size) : crc));
}

static void put_header(FILE *file, uint32_t width, uint32_t height, char bits, char type)
{
    char header[13] = {0};
    for (unsigned i = 0; i < 4; i++) {
        header[i] = (char)(width >> (24 - 8 * i));
        header[4 + i] = (char)(height >> (24 - 8 * i));
    }
    header[8] = bits;
    header[9] = type;
    put(file, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(file, "IHDR", header, sizeof header);
}

#define PIECE (16 * MB)

/* `length` bytes of 0, packed: pieces that end whole are the same again and again. */
static char *pack_zeros(const char *head, size_t head_size, size_t length, size_t *size)
{
    char *zeros = need(PIECE), *piece = need(PIECE / 100), *out;
    z_stream z = {0};
    if (deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    z.next_in = (Bytef *)zeros;
    z.avail_in = PIECE;
    z.next_out = (Bytef *)piece;
    z.avail_out = PIECE / 100;
    if (deflate(&z, Z_FULL_FLUSH) != Z_OK || z.avail_in)
        abort();
    size_t each = PIECE / 100 - z.avail_out, times = length / PIECE + (length % PIECE > 0);
    deflateEnd(&z);
    out = need(head_size + each * times + 8);
    memcpy(out, head, head_size);
    memcpy(out + head_size, "\x78\xda", 2);
    for (size_t i = 0; i < times; i++)
        memcpy(out + head_size + 2 + i * each, piece, each);
    *size = head_size + 2 + times * each + 6;
    uint32_t sum = (uint32_t)(times * PIECE % 65521) << 16 | 1;
    char end[6] = {3, 0, (char)(sum >> 24), (char)(sum >> 16), (char)(sum >> 8), (char)sum};
    memcpy(out + *size - 6, end, 6);
    free(zeros);
    free(piece);
    return out;
}

static void put_packed(FILE *file, const char *type, const char *head, size_t head_size,
                       size_t length)
{
    size_t size;
    char *data = pack_zeros(head, head_size, length, &size);
    put_chunk(file, type, data, size);
    free(data);
}

/* A black pixel, behind one more chunk that unpacks to `length` zeros. */
static void put_small_png(FILE *file, const char *type, const char *head, size_t head_size,
                          size_t length)
{
    put_header(file, 1, 1, 8, 2);
    if (type)
        put_packed(file, type, head, head_size, length);
    put_chunk(file, "IDAT", "\x78\xda\x63\x60\x60\x60\x00\x00\x00\x04\x00\x01", 12);
    put_chunk(file, "IEND", "", 0);
}

static void make_png_text(FILE *file)
{
    put_small_png(file, "zTXt", "text\0", 6, (size_t)1000 * MB);
}

static void make_png_itext(FILE *file)
{
    put_small_png(file, "iTXt", "XML:com.adobe.xmp\0\1\0\0", 22, (size_t)1000 * MB);
}

static void make_png_icc(FILE *file)
{
    put_small_png(file, "iCCP", "profile\0", 9, (size_t)100 * MB);
}

/* One pixel is announced, and a gigabyte comes. */
static void make_png_behind(FILE *file)
{
    put_header(file, 1, 1, 8, 2);
    put_packed(file, "IDAT", "", 0, (size_t)1000 * MB);
    put_chunk(file, "IEND", "", 0);
}

/* The same, interlaced: the last pass has no rows of its own. */
static void make_png_passes(FILE *file)
{
    put(file, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(file, "IHDR", "\0\0\0\1\0\0\0\1\x8\2\0\0\1", 13);
    put_packed(file, "IDAT", "", 0, (size_t)1000 * MB);
    put_chunk(file, "IEND", "", 0);
}

static void make_png_rows(FILE *file)
{
    put_header(file, 9900, 9900, 16, 6);
    put_packed(file, "IDAT", "", 0, (size_t)800 * MB);
    put_chunk(file, "IEND", "", 0);
}

static void make_png_pieces(FILE *file)
{
    put_header(file, 1, 1, 8, 2);
    for (size_t i = 0; i < 2 * MB; i++)
        put_chunk(file, "IDAT", "", 0);
    put_chunk(file, "IDAT", "\x78\xda\x63\x60\x60\x60\x00\x00\x00\x04\x00\x01", 12);
    put_chunk(file, "IEND", "", 0);
}

static void make_png_huge(FILE *file)
{
    put_header(file, 2147483647, 2147483647, 16, 6);
    put_packed(file, "IDAT", "", 0, (size_t)1000 * MB);
    put_chunk(file, "IEND", "", 0);
}

static void make_png_chunks(FILE *file)
{
    put_header(file, 1, 1, 8, 2);
    for (size_t i = 0; i < 2 * MB; i++)
        put_chunk(file, "abCd", "", 0);
    put_chunk(file, "IDAT", "\x78\xda\x63\x60\x60\x60\x00\x00\x00\x04\x00\x01", 12);
    put_chunk(file, "IEND", "", 0);
}

/* ---- profiles ---- */

static void set32(char *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (char)(value >> (24 - 8 * i));
}

/* A profile of a screen with one tag, whose data begin at byte 144. */
static char *profile(const char *tag, size_t size)
{
    char *p = need(size);
    set32(p, (uint32_t)size);
    set32(p + 8, 0x04300000);
    memcpy(p + 12, "mntrRGB XYZ ", 12);
    memcpy(p + 36, "acsp", 4);
    set32(p + 128, 1);
    memcpy(p + 132, tag, 4);
    set32(p + 136, 144);
    set32(p + 140, (uint32_t)size - 144);
    return p;
}

static void put_png_with(FILE *file, char *data, size_t size)
{
    uLongf room = compressBound((uLong)size);
    char *packed = need(room + 9);
    memcpy(packed, "profile\0", 9);
    if (compress2((Bytef *)packed + 9, &room, (const Bytef *)data, (uLong)size, 9) != Z_OK)
        abort();
    put_header(file, 1, 1, 8, 2);
    put_chunk(file, "iCCP", packed, room + 9);
    put_chunk(file, "IDAT", "\x78\xda\x63\x60\x60\x60\x00\x00\x00\x04\x00\x01", 12);
    put_chunk(file, "IEND", "", 0);
    free(packed);
    free(data);
}

/* A table with 255 x 255 x 255 places of 15 numbers is announced. */
static void put_table(FILE *file)
{
    char *p = profile("A2B0", 400), part[14 + 400] = "ICC_PROFILE\0\1\1";
    memcpy(p + 144, "mAB \0\0\0\0\3\17", 10);
    set32(p + 144 + 24, 32); /* where the table is */
    memset(p + 144 + 32, (char)255, 3);
    p[144 + 32 + 16] = 2; /* bytes a number */
    memcpy(part + 14, p, 400);
    put_marker(file, 0xe2, part, sizeof part);
    free(p);
}

static void make_icc_table(FILE *file)
{
    put_small_jpeg(file, put_table);
}

/* A chain of 100,000 curves, all of which are the same bytes: each a power, for each colour. */
static void make_icc_steps(FILE *file)
{
    enum { STEPS = 100000, CURVES = 144 + 16 + 8 * STEPS };
    size_t size = CURVES + 36 + 40;
    char *p = profile("D2B0", size);
    memcpy(p + 144, "mpet\0\0\0\0\0\3\0\3", 12);
    set32(p + 144 + 12, STEPS);
    for (size_t i = 0; i < STEPS; i++) {
        set32(p + 160 + 8 * i, CURVES - 144);
        set32(p + 164 + 8 * i, (uint32_t)(size - CURVES));
    }
    memcpy(p + CURVES, "cvst\0\0\0\0\0\3\0\3", 12);
    for (size_t i = 0; i < 3; i++) {
        set32(p + CURVES + 12 + 8 * i, 36);
        set32(p + CURVES + 16 + 8 * i, 40);
    }
    memcpy(p + CURVES + 36, "curf\0\0\0\0\0\1\0\0parf\0\0\0\0\0\0\0\0", 24);
    put_png_with(file, p, size);
}

/* ---- runs ---- */

/* The picture is what its header said; nothing of the metadata turned it. */
static item_status run_picture(const char *path, item_error *err)
{
    item_image *image;
    measure_start();
    item_status status = item_image_from_file(path, NULL, &image, err);
    measure_stop();
    if (status != ITEM_OK)
        return status;
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    (void)item_image_get_info(image, &info, NULL);
    if (info.orientation != 1 || (info.width != 1 && info.width != 16))
        status = wrong(err, "another size or orientation");
    if (info.has_icc)
        status = wrong(err, "a colour profile was applied");
    item_image_unref(image);
    return status;
}

const bomb picture_bombs[] = {
    {"scans.jpg", "JPEG 9000x9000, 2,200 scans", make_scans, run_picture, ITEM_E_LIMIT,
     "more than 19 scans"},
    {"scans64.jpg", "JPEG 9000x9000, colour, 64 scans", make_64_scans, run_picture, ITEM_E_LIMIT,
     "more than 19 scans"},
    {"scans19.jpg", "JPEG 9000x9000, colour, 19 scans, cancelled", make_19_scans, run_cancelled,
     ITEM_E_CANCELLED, NULL},
    {"rows.jpg", "JPEG 9000x9000, baseline, cancelled", make_rows, run_cancelled, ITEM_E_CANCELLED,
     NULL},
    {"rows.png", "PNG 9900x9900, 16 bits, cancelled", make_png_rows, run_cancelled,
     ITEM_E_CANCELLED, NULL},
    {"cut.jpg", "JPEG 9000x9000 that ends with its header", make_cut, run_picture, ITEM_E_FORMAT,
     "truncated JPEG"},
    {"comments.jpg", "JPEG, 16 million comments", make_comments, run_picture, ITEM_OK, NULL},
    {"icc.jpg", "JPEG, profile of 105 MB in 1,600 parts", make_jpeg_icc, run_picture, ITEM_OK,
     NULL},
    {"exif.jpg", "JPEG, EXIF folders in a loop", make_exif_loop, run_picture, ITEM_OK, NULL},
    {"xmp.jpg", "JPEG, 65 MB of XMP", make_jpeg_xmp, run_picture, ITEM_OK, NULL},
    {"text.png", "PNG, 1 GB of packed text (zTXt)", make_png_text, run_picture, ITEM_OK, NULL},
    {"itext.png", "PNG, 1 GB of packed XMP (iTXt)", make_png_itext, run_picture, ITEM_OK, NULL},
    {"icc.png", "PNG, packed profile of 100 MB", make_png_icc, run_picture, ITEM_OK, NULL},
    {"behind.png", "PNG, 1 GB of pixels for one", make_png_behind, run_picture, ITEM_E_FORMAT,
     "behind the last row"},
    {"passes.png", "PNG, the same interlaced", make_png_passes, run_picture, ITEM_E_FORMAT,
     "behind the last row"},
    {"pieces.png", "PNG, 2 million empty pieces of data", make_png_pieces, run_picture, ITEM_OK,
     NULL},
    {"huge.png", "PNG of 2147483647 x 2147483647", make_png_huge, run_picture, ITEM_E_LIMIT,
     "2147483647 x 2147483647"},
    {"chunks.png", "PNG, 2 million chunks", make_png_chunks, run_picture, ITEM_OK, NULL},
    {"table.jpg", "JPEG, profile announcing a table of 497 MB", make_icc_table, run_picture,
     ITEM_OK, NULL},
    {"steps.png", "PNG, profile of 100,000 steps", make_icc_steps, run_picture, ITEM_OK, NULL},
};
const size_t picture_bombs_count = sizeof picture_bombs / sizeof picture_bombs[0];
