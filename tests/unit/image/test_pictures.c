/* SPDX-License-Identifier: Apache-2.0 */
/* Decoded pixels against those of the reference pipeline, tests/golden/image/reference.py. */
#include "support.h"

#include <pthread.h>
#include <sys/stat.h>

static void golden_row(char *line, void *user)
{
    int *count = user;
    const char *name = field(&line);
    uint32_t width = (uint32_t)atoi(field(&line)), height = (uint32_t)atoi(field(&line));
    if (!WITH_WEBP && strstr(name, ".webp"))
        return;
    bytes file = read_picture(name);
    item_image *image = decode(file, NULL);
    same_pixels(name, image, width, height, field(&line));
    item_image_unref(image);
    free(file.data);
    (*count)++;
}

static void golden_pictures(void **state)
{
    (void)state;
    int count = 0;
    each_line(GOLDEN "/pictures.tsv", golden_row, &count);
    assert_true(count > 130);
}

static item_image_info info_of_picture(const char *name, char *warning, size_t room)
{
    bytes file = read_picture(name);
    item_image *image = decode(file, NULL);
    item_image_info info = info_of(image);
    snprintf(warning, room, "%s", info.warning ? info.warning : "");
    item_image_unref(image);
    free(file.data);
    return info;
}

static void facts(void **state)
{
    (void)state;
    static const struct {
        const char *name, *kind;
        uint32_t orientation, channels, bits, has_icc;
        const char *warning;
    } cases[] = {
        {"baseline_420.jpg", "jpeg", 1, 3, 8, 0, ""},
        {"grey.jpg", "jpeg", 1, 1, 8, 0, ""},
        {"cmyk.jpg", "jpeg", 1, 4, 8, 0, ""},
        {"exif_II_0.jpg", "jpeg", 1, 3, 8, 0, ""},
        {"exif_MM_7.jpg", "jpeg", 7, 3, 8, 0, ""},
        {"exif_II_9.jpg", "jpeg", 1, 3, 8, 0, ""},
        {"exif_long.jpg", "jpeg", 6, 3, 8, 0, ""},
        {"exif_cut.jpg", "jpeg", 1, 3, 8, 0, ""},
        {"exif_far.jpg", "jpeg", 1, 3, 8, 0, ""},
        {"xmp_attribute.jpg", "jpeg", 8, 3, 8, 0, ""},
        {"xmp_and_exif.jpg", "jpeg", 6, 3, 8, 0, ""},
        {"icc_parts.jpg", "jpeg", 1, 3, 8, 1, ""},
        {"icc_cmyk.jpg", "jpeg", 1, 4, 8, 1, ""},
        {"icc_part_missing.jpg", "jpeg", 1, 3, 8, 0, "parts are missing"},
        {"icc_cut.jpg", "jpeg", 1, 3, 8, 0, "the colour profile is ignored"},
        {"icc_rgb_on_grey.jpg", "jpeg", 1, 1, 8, 0, "of another kind than the picture"},
        {"icc_broken.png", "png", 1, 3, 8, 0, "the colour profile is ignored"},
        {"type0_1.png", "png", 1, 1, 1, 0, ""},
        {"type4_16.png", "png", 1, 2, 16, 0, ""},
        {"type6_8_interlaced.png", "png", 1, 4, 8, 0, ""},
        {"palette_2.png", "png", 1, 3, 8, 0, ""},
        {"palette_2_alpha.png", "png", 1, 4, 8, 0, ""},
        {"key_type2_16.png", "png", 1, 4, 16, 0, ""},
        {"exif_after.png", "png", 3, 3, 8, 0, ""},
        {"apng.png", "png", 1, 3, 8, 0, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char warning[256];
        item_image_info info = info_of_picture(cases[i].name, warning, sizeof warning);
        bool same = info.orientation == cases[i].orientation &&
                    info.channels == cases[i].channels && info.bits == cases[i].bits &&
                    info.has_icc == cases[i].has_icc && info.truncated == 0 &&
                    strcmp(info.kind, cases[i].kind) == 0;
        if (!same)
            fail_msg("%s: orientation %u, channels %u, bits %u, profile %u, kind %s", cases[i].name,
                     info.orientation, info.channels, info.bits, info.has_icc, info.kind);
        if (cases[i].warning[0] ? !strstr(warning, cases[i].warning) : warning[0] != '\0')
            fail_msg("%s: warning \"%s\"", cases[i].name, warning);
    }
}

/* The folder of training data, which need not be there. */
static const char *data_folder(void)
{
    const char *set = getenv("ITEM_TEST_DATA");
    return set ? set : SOURCE "/../shared/data";
}

static void data_row(char *line, void *user)
{
    const char *name = field(&line);
    uint32_t width = (uint32_t)atoi(field(&line)), height = (uint32_t)atoi(field(&line));
    const char *expected = field(&line);
    char path[1024];
    snprintf(path, sizeof path, "%s/raw/%s", data_folder(), name);
    if (!WITH_WEBP && strstr(name, ".webp")) {
        refuse_file(path, NULL, ITEM_E_UNSUPPORTED, "unsupported: WebP");
        return;
    }
    item_error err = ITEM_ERROR_INIT;
    item_image *image = NULL;
    if (item_image_from_file(path, NULL, &image, &err) != ITEM_OK)
        fail_msg("%s", err.message);
    same_pixels(name, image, width, height, expected);
    item_image_unref(image);
    (*(int *)user)++;
}

static void pictures_of_the_data_folder(void **state)
{
    (void)state;
    char path[1024];
    struct stat st;
    snprintf(path, sizeof path, "%s/raw", data_folder());
    if (stat(path, &st) != 0) {
        print_message("skipped: %s is absent (set ITEM_TEST_DATA)\n", path);
        skip();
    }
    int count = 0;
    each_line(GOLDEN "/data_raw.tsv", data_row, &count);
    assert_int_equal(count, 22 + WITH_WEBP);
}

/* One thread's part: the same picture again and again must be the same bytes. */
static void *decode_often(void *user)
{
    bytes *file = user;
    size_t different = 0;
    item_image *first = NULL;
    item_image_from_memory(file->data, file->size, NULL, &first, NULL);
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    if (!first || item_image_get_info(first, &info, NULL) != ITEM_OK)
        return file; /* cmocka's checks are for the main thread */
    for (int i = 0; i < 50; i++) {
        item_image *again = NULL;
        item_image_from_memory(file->data, file->size, NULL, &again, NULL);
        different += !again || memcmp(item_image_pixels(first), item_image_pixels(again),
                                      (size_t)info.width * info.height * 3) != 0;
        item_image_unref(again);
    }
    item_image_unref(first);
    return different ? file : NULL;
}

static void many_threads(void **state)
{
    (void)state;
    static const char *const names[] = {"icc_rgb_table.jpg", "icc_rgba.png", "progressive_420.jpg",
                                        "icc_grey_16.png"};
    bytes file[4];
    pthread_t thread[4];
    for (size_t i = 0; i < 4; i++) {
        file[i] = read_picture(names[i]);
        assert_int_equal(pthread_create(&thread[i], NULL, decode_often, &file[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *failed;
        pthread_join(thread[i], &failed);
        assert_null(failed);
        free(file[i].data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_pictures),
        cmocka_unit_test(facts),
        cmocka_unit_test(many_threads),
        cmocka_unit_test(pictures_of_the_data_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
