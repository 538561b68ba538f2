/* SPDX-License-Identifier: Apache-2.0 */
/* Broken, cut and foreign files: each a clear error, none a crash (run under sanitizers too). */
#include "support.h"

/* One of each way through the decoders. */
static const char *const samples[] = {
    "baseline_420.jpg", "progressive_420.jpg", "cmyk_exif_6.jpg",
    "icc_parts.jpg",    "exif_MM_6.jpg",       "baseline_restart.jpg",
    "icc_grey.jpg",     "xmp_element.jpg",     "type2_8.png",
    "type6_16.png",     "palette_4_alpha.png", "type0_1_interlaced.png",
    "icc_rgba.png",     "exif_before.png",     "apng.png",
    "xmp.png",
};
#define SAMPLES (sizeof samples / sizeof samples[0])

static const item_image_options accept_truncated = {.struct_size = sizeof(item_image_options),
                                                    .flags = ITEM_IMAGE_ACCEPT_TRUNCATED};

static void foreign_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t size;
        item_status status;
        const char *text;
    } cases[] = {
        {"RIFF\x10\0\0\0WAVEfmt ", 16, ITEM_E_UNSUPPORTED, "not a picture"},
        {"GIF89a\1\0\1\0", 10, ITEM_E_UNSUPPORTED, "unsupported: GIF"},
        {"GIF87a", 6, ITEM_E_UNSUPPORTED, "unsupported: GIF"},
        {"II*\0\x8\0\0\0", 8, ITEM_E_UNSUPPORTED, "unsupported: TIFF"},
        {"MM\0*\0\0\0\x8", 8, ITEM_E_UNSUPPORTED, "unsupported: TIFF"},
        {"BM\x36\0\0\0\0\0\0\0\x36\0", 12, ITEM_E_UNSUPPORTED, "unsupported: BMP"},
        {"\0\0\0\x18"
         "ftypisom\0\0\0\0",
         16, ITEM_E_UNSUPPORTED, "unsupported: video"},
        {"\xff\x0a\x01\x02", 4, ITEM_E_UNSUPPORTED, "unsupported: JPEG XL"},
        {"\0\0\0\x0cJXL \r\n\x87\n", 12, ITEM_E_UNSUPPORTED, "unsupported: JPEG XL"},
        {"\0\0\0\x0cjP  \r\n\x87\n", 12, ITEM_E_UNSUPPORTED, "unsupported: JPEG 2000"},
        {"\xff\x4f\xff\x51", 4, ITEM_E_UNSUPPORTED, "unsupported: JPEG 2000"},
        {"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", 41, ITEM_E_UNSUPPORTED, "unsupported: SVG"},
        {"<?xml version=\"1.0\"?>\n<svg/>", 28, ITEM_E_UNSUPPORTED, "unsupported: SVG"},
        {"%PDF-1.7\n", 9, ITEM_E_UNSUPPORTED, "unsupported: PDF"},
        {"BMW is a make of cars", 21, ITEM_E_FORMAT, "a text"},
        {"caf\xc3\xa9", 5, ITEM_E_FORMAT, "a text"},
        {"\x01\x02\x03\x04", 4, ITEM_E_FORMAT, "not a picture of any kind"},
        {"\0\0\0\0\0\0\0\0", 8, ITEM_E_FORMAT, "not a picture of any kind"},
        {"\xff\xd8", 2, ITEM_E_FORMAT, "not a picture of any kind"},
        {"\x89PNG\r\n\x1a", 7, ITEM_E_FORMAT, "not a picture of any kind"},
        {"", 0, ITEM_E_FORMAT, "empty file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refuse(cases[i].data, cases[i].size, NULL, cases[i].status, cases[i].text);
}

static void signature_and_nothing_more(void **state)
{
    (void)state;
    refuse("\xff\xd8\xff", 3, NULL, ITEM_E_FORMAT, "truncated JPEG");
    refuse("\x89PNG\r\n\x1a\n", 8, NULL, ITEM_E_FORMAT, "truncated PNG");
    refuse("\xff\xd8\xff\xd9", 4, NULL, ITEM_E_FORMAT, "broken JPEG");
}

static void cut_at_each_tenth(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        bytes file = read_picture(samples[i]);
        for (size_t tenth = 1; tenth < 10; tenth++)
            refuse(file.data, file.size * tenth / 10, NULL, ITEM_E_FORMAT, NULL);
        refuse(file.data, file.size - 1, NULL, ITEM_E_FORMAT, "truncated");
        free(file.data);
    }
}

/* Decodes what may be broken: success with a picture, or a clear error. */
static item_image *try(bytes file, const item_image_options *options)
{
    item_error err = ITEM_ERROR_INIT;
    item_image *image = NULL;
    item_status status = item_image_from_memory(file.data, file.size, options, &image, &err);
    assert_true((status == ITEM_OK) == (image != NULL));
    assert_int_equal(err.code, status);
    assert_true((status == ITEM_OK) == (err.message[0] == '\0'));
    return image;
}

static void cut_and_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        bytes file = read_picture(samples[i]);
        item_image *whole = decode(file, &accept_truncated);
        item_image_info facts = info_of(whole);
        assert_int_equal(facts.truncated, 0);
        for (size_t size = 1; size < file.size; size += 7) {
            item_image *image = try((bytes){file.data, size}, &accept_truncated);
            if (!image)
                continue;
            item_image_info info = info_of(image);
            assert_int_equal(info.truncated, 1);
            assert_non_null(strstr(info.warning, "truncated"));
            item_image_unref(image);
        }
        item_image_unref(whole);
        free(file.data);
    }
}

/* A picture of white cut in the middle: its first rows are white, its last are grey. */
static void what_is_missing_is_grey(void **state)
{
    (void)state;
    static const char *const names[] = {"white.jpg", "white.png"};
    for (size_t i = 0; i < 2; i++) {
        bytes file = read_picture(names[i]);
        item_image *image = decode((bytes){file.data, file.size * 3 / 5}, &accept_truncated);
        item_image_info info = info_of(image);
        const uint8_t *rgb = item_image_pixels(image);
        size_t last = (size_t)3 * ((size_t)info.width * info.height - 1);
        assert_true(rgb[0] >= 250);
        assert_in_range(rgb[last], 127, 129);
        item_image_unref(image);
        free(file.data);
    }
}

/* Changes one byte at a time, at places all over the file. */
static void flip(const char *name, size_t places, uint8_t by)
{
    bytes file = read_picture(name);
    for (size_t n = 0; n < places; n++) {
        size_t at = n * file.size / places;
        file.data[at] ^= by;
        item_image_unref(try(file, NULL));
        item_image_unref(try(file, &accept_truncated));
        file.data[at] ^= by;
    }
    free(file.data);
}

static void flipped_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        flip(samples[i], 100, 0xff);
        flip(samples[i], 100, 0x01);
        flip(samples[i], 100, 0x80);
    }
    flip("icc_cmyk.jpg", 20, 0xff); /* lcms2 takes 0.1 s for each of these */
}

/* A checksum tells of any byte that is changed in a PNG, wherever it stands. */
static void checksums_of_png(void **state)
{
    (void)state;
    bytes file = read_picture("exif_after.png");
    for (size_t at = 8; at < file.size; at++) {
        file.data[at] ^= 0x10;
        item_image *image = try(file, NULL);
        if (image)
            fail_msg("byte %zu was changed and nothing noticed", at);
        file.data[at] ^= 0x10;
    }
    free(file.data);
}

static void bytes_behind_the_end(void **state)
{
    (void)state;
    static const char *const names[] = {"baseline_420.jpg", "type2_8.png"};
    for (size_t i = 0; i < 2; i++) {
        bytes file = read_picture(names[i]);
        bytes longer = {malloc(file.size + 100), file.size + 100};
        memset(longer.data, 0x5a, longer.size);
        memcpy(longer.data, file.data, file.size);
        item_image *image = decode(longer, NULL);
        assert_null(info_of(image).warning);
        item_image_unref(image);
        free(longer.data);
        free(file.data);
    }
}

/* The frame header of a JPEG: at + 4 precision, + 5 height, + 7 width, + 9 components. */
static size_t frame_of(bytes file)
{
    for (size_t at = 2; at + 10 < file.size; at++) {
        if (file.data[at] == 0xff && (file.data[at + 1] == 0xc0 || file.data[at + 1] == 0xc2))
            return at;
    }
    fail_msg("no frame");
    return 0;
}

static void kinds_of_jpeg_that_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint8_t offset, value;
        const char *text;
    } cases[] = {
        {1, 0xc3, "unsupported: lossless JPEG"},
        {1, 0xc5, "unsupported: hierarchical JPEG"},
        {1, 0xc9, "unsupported: arithmetic-coded"},
        {1, 0xca, "unsupported: arithmetic-coded"},
        {1, 0xf7, "unsupported: JPEG-LS"},
        {4, 12, "unsupported: JPEG of more than 8 bits"},
        {9, 2, "unsupported: JPEG of neither 1, 3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bytes file = read_picture("baseline_420.jpg");
        file.data[frame_of(file) + cases[i].offset] = cases[i].value;
        refuse(file.data, file.size, NULL, ITEM_E_UNSUPPORTED, cases[i].text);
        free(file.data);
    }
}

static void damage_is_a_warning(void **state)
{
    (void)state;
    bytes file = read_picture("baseline_restart.jpg");
    /* the end mark put where half of the picture's data stood */
    size_t half = file.size * 4 / 5;
    file.data[half] = 0xff;
    file.data[half + 1] = 0xd9;
    item_image *image = decode(file, NULL);
    assert_non_null(strstr(info_of(image).warning, "the JPEG is damaged"));
    item_image_unref(image);
    free(file.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_kinds),
        cmocka_unit_test(signature_and_nothing_more),
        cmocka_unit_test(cut_at_each_tenth),
        cmocka_unit_test(cut_and_accepted),
        cmocka_unit_test(what_is_missing_is_grey),
        cmocka_unit_test(flipped_bytes),
        cmocka_unit_test(checksums_of_png),
        cmocka_unit_test(bytes_behind_the_end),
        cmocka_unit_test(kinds_of_jpeg_that_are_refused),
        cmocka_unit_test(damage_is_a_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
