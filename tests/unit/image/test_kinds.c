/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebP, HEIC and AVIF, which are read where libwebp and libheif are: facts, colours, limits, damage.
 * WebP's pixels are compared exactly with the other golden ones, in test_pictures.c.
 */
#include "support.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static const item_image_options accept_truncated = {.struct_size = sizeof(item_image_options),
                                                    .flags = ITEM_IMAGE_ACCEPT_TRUNCATED};

static void absent_kinds(void **state)
{
    (void)state;
    if (!WITH_WEBP)
        refuse("RIFF\x10\0\0\0WEBPVP8 ", 16, NULL, ITEM_E_UNSUPPORTED,
               "unsupported: WebP: this libitem was built without libwebp");
    if (!WITH_HEIF) {
        refuse("\0\0\0\x1c"
               "ftypavif\0\0\0\0",
               16, NULL, ITEM_E_UNSUPPORTED,
               "unsupported: AVIF: this libitem was built without libheif");
        refuse("\0\0\0\x18"
               "ftypheic\0\0\0\0",
               16, NULL, ITEM_E_UNSUPPORTED,
               "unsupported: HEIC: this libitem was built without libheif");
    }
}

/* ---- what is read ---- */

static void facts(void **state)
{
    (void)state;
    static const struct {
        const char *name, *kind;
        uint32_t width, height, orientation, channels, bits, has_icc;
    } cases[] = {
        {"lossy.webp", "webp", 33, 21, 1, 3, 8, 0},
        {"lossless_alpha.webp", "webp", 33, 21, 1, 4, 8, 0},
        {"webp_exif_6.webp", "webp", 21, 33, 6, 3, 8, 0},
        {"webp_xmp.webp", "webp", 21, 33, 6, 3, 8, 0},
        {"webp_icc.webp", "webp", 33, 21, 1, 3, 8, 1},
        {"webp_animation.webp", "webp", 33, 21, 1, 4, 8, 0},
        {"quarters.avif", "avif", 64, 48, 1, 3, 8, 0},
        {"quarters_10.avif", "avif", 64, 48, 1, 3, 10, 0},
        {"quarters_alpha.avif", "avif", 64, 48, 1, 4, 8, 0},
        {"quarters_turned.avif", "avif", 48, 64, 1, 3, 8, 0},
        {"quarters_icc.avif", "avif", 64, 48, 1, 3, 8, 1},
        {"quarters.heic", "heic", 64, 48, 1, 3, 8, 0},
        {"quarters_alpha.heic", "heic", 64, 48, 1, 4, 8, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (!(cases[i].kind[0] == 'w' ? WITH_WEBP : WITH_HEIF))
            continue;
        bytes file = read_picture(cases[i].name);
        item_image *image = decode(file, NULL);
        item_image_info info = info_of(image);
        if (strcmp(info.kind, cases[i].kind) != 0 || info.width != cases[i].width ||
            info.height != cases[i].height || info.orientation != cases[i].orientation ||
            info.channels != cases[i].channels || info.bits != cases[i].bits ||
            info.has_icc != cases[i].has_icc || info.truncated || info.warning)
            fail_msg("%s: %s, %u x %u, orientation %u, channels %u, bits %u, profile %u, %s",
                     cases[i].name, info.kind, info.width, info.height, info.orientation,
                     info.channels, info.bits, info.has_icc, info.warning ? info.warning : "");
        item_image_unref(image);
        free(file.data);
    }
}

/* Colours of the four quarters as make_heif.py paints them, "-" for white. */
#define RED                                                                                        \
    {                                                                                              \
        200, 40, 40                                                                                \
    }
#define GREEN                                                                                      \
    {                                                                                              \
        40, 180, 60                                                                                \
    }
#define BLUE                                                                                       \
    {                                                                                              \
        50, 60, 190                                                                                \
    }
#define YELLOW                                                                                     \
    {                                                                                              \
        220, 210, 80                                                                               \
    }
#define WHITE                                                                                      \
    {                                                                                              \
        255, 255, 255                                                                              \
    }

static void colours_of_quarters(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t quarters[4][3]; /* upper left, upper right, lower left, lower right */
    } cases[] = {
        {"quarters.avif", {RED, GREEN, BLUE, YELLOW}},
        {"quarters_10.avif", {RED, GREEN, BLUE, YELLOW}},
        {"quarters_alpha.avif", {RED, GREEN, BLUE, WHITE}},
        {"quarters_premultiplied.avif", {RED, GREEN, BLUE, WHITE}},
        {"quarters_turned.avif", {GREEN, YELLOW, RED, BLUE}},
        {"quarters_mirrored.avif", {GREEN, RED, YELLOW, BLUE}},
        {"quarters_grey.avif", {{88, 88, 88}, {121, 121, 121}, {72, 72, 72}, {198, 198, 198}}},
        {"quarters.heic", {RED, GREEN, BLUE, YELLOW}},
        {"quarters_alpha.heic", {RED, GREEN, BLUE, WHITE}},
    };
    for (size_t i = 0; WITH_HEIF && i < COUNT(cases); i++) {
        bytes file = read_picture(cases[i].name);
        item_image *image = decode(file, NULL);
        item_image_info info = info_of(image);
        for (uint32_t q = 0; q < 4; q++) {
            const uint32_t x = info.width * (1 + q % 2 * 2) / 4,
                           y = info.height * (1 + q / 2 * 2) / 4;
            const uint8_t *rgb = item_image_pixels(image) + 3 * ((size_t)y * info.width + x);
            for (int c = 0; c < 3; c++) {
                if (abs(rgb[c] - cases[i].quarters[q][c]) > 8) /* the codecs lose something */
                    fail_msg("%s: quarter %u is %u %u %u", cases[i].name, q, rgb[0], rgb[1],
                             rgb[2]);
            }
        }
        item_image_unref(image);
        free(file.data);
    }
}

/* ---- limits ---- */

static const char *const samples[] = {
#if WITH_WEBP
    "lossy.webp",
    "lossless.webp",
    "lossy_alpha.webp",
    "lossless_alpha.webp",
    "webp_exif_6.webp",
    "webp_icc_alpha.webp",
    "webp_animation.webp",
    "webp_animation_small.webp",
#endif
#if WITH_HEIF
    "quarters.avif",
    "quarters_alpha.avif",
    "quarters_icc.avif",
    "quarters.heic",
    "quarters_alpha.heic",
#endif
    NULL};

static void limits(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    for (size_t i = 0; samples[i]; i++) {
        bytes file = read_picture(samples[i]);
        item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
        options.max_pixels = 300;
        refuse(file.data, file.size, &options, ITEM_E_LIMIT, "are more than the limit of 300");
        options = (item_image_options)ITEM_IMAGE_OPTIONS_INIT;
        options.max_decode_bytes = 2000;
        refuse(file.data, file.size, &options, ITEM_E_LIMIT, "of memory");
        options = (item_image_options)ITEM_IMAGE_OPTIONS_INIT;
        options.max_file_bytes = file.size - 1;
        refuse(file.data, file.size, &options, ITEM_E_LIMIT, "the limit is");
        options = (item_image_options)ITEM_IMAGE_OPTIONS_INIT;
        assert_int_equal(item_cancel_new(&options.cancel, &err), ITEM_OK);
        item_cancel_set(options.cancel);
        refuse(file.data, file.size, &options, ITEM_E_CANCELLED, NULL);
        item_cancel_unref(options.cancel);
        free(file.data);
    }
}

/* ---- damage ---- */

static item_image *try(bytes file, const item_image_options *options)
{
    item_error err = ITEM_ERROR_INIT;
    item_image *image = NULL;
    item_status status = item_image_from_memory(file.data, file.size, options, &image, &err);
    assert_true((status == ITEM_OK) == (image != NULL));
    assert_int_equal(err.code, status);
    return image;
}

static void cut_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; samples[i]; i++) {
        bytes file = read_picture(samples[i]);
        for (size_t size = 12; size < file.size; size += 7) {
            refuse(file.data, size, NULL, ITEM_E_FORMAT, NULL);
            item_image *image = try((bytes){file.data, size}, &accept_truncated);
            if (!image)
                continue;
            item_image_info info = info_of(image);
            assert_int_equal(info.truncated, 1);
            assert_non_null(strstr(info.warning, "truncated"));
            item_image_unref(image);
        }
        free(file.data);
    }
}

static void flipped_bytes(void **state)
{
    (void)state;
    static const uint8_t changes[] = {0xff, 0x01, 0x80};
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    options.max_pixels = 1 << 16; /* sizes that damage makes large cost time alone */
    for (size_t i = 0; samples[i]; i++) {
        bytes file = read_picture(samples[i]);
        for (size_t n = 0; n < 120; n++) { /* codecs take milliseconds for each */
            const size_t at = n * (file.size - 12) / 120 + 12;
            file.data[at] ^= changes[n % 3];
            item_image_unref(try(file, &options));
            file.data[at] ^= changes[n % 3];
        }
        free(file.data);
    }
}

/* A large picture that is cut: above is the picture, below it is grey. */
static void what_is_missing_is_grey(void **state)
{
    (void)state;
    if (!WITH_WEBP)
        skip();
    bytes file = read_picture("large_lossy.webp");
    item_image *image = decode((bytes){file.data, file.size / 2}, &accept_truncated);
    item_image *whole = decode(file, NULL);
    item_image_info info = info_of(image);
    const uint8_t *rgb = item_image_pixels(image);
    const size_t last = (size_t)3 * ((size_t)info.width * info.height - 1);
    assert_int_equal(rgb[last], 128);
    assert_memory_equal(rgb, item_image_pixels(whole), (size_t)3 * info.width * 50);
    item_image_unref(image);
    item_image_unref(whole);
    free(file.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_kinds),
        cmocka_unit_test(facts),
        cmocka_unit_test(colours_of_quarters),
        cmocka_unit_test(limits),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(flipped_bytes),
        cmocka_unit_test(what_is_missing_is_grey),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
