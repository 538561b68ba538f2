/* SPDX-License-Identifier: Apache-2.0 */
/* Limits, options, cancelling, and memory that runs out. */
#include "support.h"

#include "../common/test_mem.h"

static const char *const samples[] = {"baseline_420.jpg", "progressive_444.jpg", "cmyk_exif_6.jpg",
                                      "icc_rgb.jpg",      "type6_16.png",        "icc_rgba.png",
                                      "palette_8.png",    "exif_interlaced.png"};
#define SAMPLES (sizeof samples / sizeof samples[0])

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* Most memory that this process ever held, in bytes. (getrusage() counts its parent's too.) */
static uint64_t peak(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    assert_non_null(file);
    char line[256];
    unsigned long kilobytes = 0;
    while (fgets(line, sizeof line, file) && sscanf(line, "VmHWM: %lu", &kilobytes) != 1)
        continue;
    fclose(file);
    assert_true(kilobytes > 0);
    return (uint64_t)kilobytes << 10;
}

static void a_huge_header_is_refused_at_once(void **state)
{
    (void)state;
    uint64_t before = peak();
    bytes jpeg = read_picture("baseline_420.jpg");
    uint8_t *frame = jpeg.data;
    while (frame[0] != 0xff || frame[1] != 0xc0)
        frame++;
    put16(frame + 5, 60000);
    put16(frame + 7, 60000);
    refuse(jpeg.data, jpeg.size, NULL, ITEM_E_LIMIT,
           "60000 x 60000 pixels are more than the limit of 100000000");
    put16(frame + 5, 65535);
    refuse(jpeg.data, jpeg.size, NULL, ITEM_E_LIMIT, NULL);
    put16(frame + 5, 0);
    refuse(jpeg.data, jpeg.size, NULL, ITEM_E_FORMAT, NULL);
    free(jpeg.data);

    bytes png = read_picture("huge_60000x60000.png");
    refuse(png.data, png.size, NULL, ITEM_E_LIMIT, "60000 x 60000 pixels are more than the limit");
    free(png.data);
    png = read_picture("huge_2147483647x2147483647.png");
    refuse(png.data, png.size, NULL, ITEM_E_LIMIT, "2147483647 x 2147483647");
    item_image_options all = ITEM_IMAGE_OPTIONS_INIT;
    all.max_pixels = UINT64_MAX;
    refuse(png.data, png.size, &all, ITEM_E_LIMIT, "MB of memory");
    free(png.data);
    assert_true(peak() - before < 32u << 20);
}

static void thin_pictures(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t width, height;
    } cases[] = {{"thin_1x20000.jpg", 1, 20000},
                 {"thin_20000x1.png", 20000, 1},
                 {"size_1x1.jpg", 1, 1},
                 {"size_1x1.png", 1, 1}};
    for (size_t i = 0; i < 4; i++) {
        bytes file = read_picture(cases[i].name);
        item_image *image = decode(file, NULL);
        assert_int_equal(info_of(image).width, cases[i].width);
        assert_int_equal(info_of(image).height, cases[i].height);
        item_image_unref(image);
        free(file.data);
    }
}

static void limits_are_exact(void **state)
{
    (void)state;
    bytes file = read_picture("baseline_420.jpg"); /* 37 x 29 */
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    options.max_pixels = 37 * 29 - 1;
    refuse(file.data, file.size, &options, ITEM_E_LIMIT, "37 x 29 pixels");
    options.max_pixels = 37 * 29;
    item_image_unref(decode(file, &options));
    free(file.data);
}

/* A progressive file keeps all its coefficients: more memory than the same file in one scan. */
static void coefficients_count(void **state)
{
    (void)state;
    bytes baseline = read_picture("white.jpg"), progressive = read_picture("white_progressive.jpg");
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    options.max_decode_bytes = 120000;
    item_image_unref(decode(baseline, &options));
    refuse(progressive.data, progressive.size, &options, ITEM_E_LIMIT, "MB of memory");
    free(baseline.data);
    free(progressive.data);
}

static void scans(void **state)
{
    (void)state;
    bytes file = read_picture("progressive_444.jpg");
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    options.max_scans = 3;
    refuse(file.data, file.size, &options, ITEM_E_LIMIT, "more than 3 scans");
    options.max_scans = 10;
    item_image_unref(decode(file, &options));
    free(file.data);
}

static size_t marker_at(const bytes *file, uint8_t marker, bool last)
{
    size_t at = 0;
    for (size_t i = 0; i + 1 < file->size && (at == 0 || last); i++)
        if (file->data[i] == 0xff && file->data[i + 1] == marker)
            at = i;
    return at;
}

/* A comment that has no length ends the counting, and libjpeg goes on behind it. */
static void scans_behind_a_broken_segment(void **state)
{
    (void)state;
    enum { MORE = 20 };
    static const uint8_t comment[] = {0xff, 0xfe, 0, 0};
    bytes file = read_picture("progressive_444.jpg");
    const size_t first = marker_at(&file, 0xda, false), scan = marker_at(&file, 0xda, true),
                 end = marker_at(&file, 0xd9, true);
    uint8_t *more = malloc(file.size + sizeof comment + MORE * (end - scan)), *to = more;
    assert_non_null(more);
    memcpy(to, file.data, first), to += first;
    memcpy(to, comment, sizeof comment), to += sizeof comment;
    memcpy(to, file.data + first, end - first), to += end - first;
    for (size_t i = 0; i < MORE; i++, to += end - scan)
        memcpy(to, file.data + scan, end - scan);
    memcpy(to, file.data + end, 2), to += 2;

    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    item_image *image = decode(file, &options);
    const item_image_info info = info_of(image);
    options.max_pixels = (uint64_t)info.width * info.height;
    refuse(more, (size_t)(to - more), &options, ITEM_E_LIMIT, "more than 16 scans");
    item_image_unref(image);
    free(more);
    free(file.data);
}

static void a_text_chunk_that_unpacks_to_much(void **state)
{
    (void)state;
    uint64_t before = peak();
    bytes file = read_picture("bombs.png"); /* a text and a profile of 64 MB of zeros, packed */
    item_image *image = decode(file, NULL);
    assert_non_null(strstr(info_of(image).warning, "the colour profile is ignored"));
    item_image_unref(image);
    free(file.data);
    assert_true(peak() - before < 40u << 20);
}

static void cancelled(void **state)
{
    (void)state;
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    assert_int_equal(item_cancel_new(&options.cancel, NULL), ITEM_OK);
    for (size_t i = 0; i < SAMPLES; i++) {
        bytes file = read_picture(samples[i]);
        item_image_unref(decode(file, &options));
        free(file.data);
    }
    item_cancel_set(options.cancel);
    for (size_t i = 0; i < SAMPLES; i++) {
        bytes file = read_picture(samples[i]);
        refuse(file.data, file.size, &options, ITEM_E_CANCELLED, NULL);
        free(file.data);
    }
    uint8_t pixel[3] = {0};
    item_image *image;
    assert_int_equal(
        item_image_from_pixels(pixel, ITEM_PIXELS_RGB, 1, 1, 3, &options, &image, NULL),
        ITEM_E_CANCELLED);
    item_cancel_unref(options.cancel);
}

static void bad_options(void **state)
{
    (void)state;
    bytes file = read_picture("size_1x1.jpg");
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    options.flags = 2;
    refuse(file.data, file.size, &options, ITEM_E_ARGUMENT, "unknown flags 0x2");
    options = (item_image_options)ITEM_IMAGE_OPTIONS_INIT;
    options.reserved = 1;
    refuse(file.data, file.size, &options, ITEM_E_ARGUMENT, "reserved");
    options = (item_image_options)ITEM_IMAGE_OPTIONS_INIT;
    options.struct_size = 8;
    refuse(file.data, file.size, &options, ITEM_E_ARGUMENT, "struct_size");
    item_allocator half = ITEM_ALLOCATOR_INIT;
    half.allocate = test_mem_allocate;
    options = (item_image_options)ITEM_IMAGE_OPTIONS_INIT;
    options.allocator = &half;
    refuse(file.data, file.size, &options, ITEM_E_ARGUMENT, "item_allocator");
    free(file.data);
}

/* Each allocation fails once: an error, nothing leaked; and the picture is the host's memory. */
static void memory_runs_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        bytes file = read_picture(samples[i]);
        item_status status = ITEM_E_MEMORY;
        for (long n = 0; status != ITEM_OK; n++) {
            test_mem t;
            test_mem_init(&t, n);
            item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
            options.allocator = &t.mem.host;
            item_error err = ITEM_ERROR_INIT;
            item_image *image;
            status = item_image_from_memory(file.data, file.size, &options, &image, &err);
            assert_true((status == ITEM_OK) == (image != NULL));
            assert_true(status == ITEM_OK || status == ITEM_E_MEMORY);
            assert_int_equal(status, err.code);
            assert_int_equal(t.live > 0, status == ITEM_OK);
            item_image_unref(image);
            assert_int_equal(t.live, 0);
        }
        free(file.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_huge_header_is_refused_at_once),
        cmocka_unit_test(thin_pictures),
        cmocka_unit_test(limits_are_exact),
        cmocka_unit_test(coefficients_count),
        cmocka_unit_test(scans),
        cmocka_unit_test(scans_behind_a_broken_segment),
        cmocka_unit_test(a_text_chunk_that_unpacks_to_much),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(bad_options),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
