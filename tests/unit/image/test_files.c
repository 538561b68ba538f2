/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures from files: what is no file, what cannot be read, names in messages. */
#include "support.h"

#include <item/provenance.h>

#include <errno.h>

#include "../files/test_dir.h"

static bytes small_jpeg(void)
{
    return read_picture("baseline_420.jpg");
}

static void kind_by_content(void **state)
{
    bytes jpeg = small_jpeg();
    const char *path = test_path(*state, "photo.png");
    test_write(path, jpeg.data, jpeg.size);
    item_image *image = NULL;
    assert_int_equal(item_image_from_file(path, NULL, &image, NULL), ITEM_OK);
    assert_string_equal(info_of(image).kind, "jpeg");
    item_image_unref(image);
    free(jpeg.data);
}

static void what_is_no_file(void **state)
{
    refuse_file(*state, NULL, ITEM_E_IO, "is a folder");
    refuse_file(test_path(*state, "absent.jpg"), NULL, ITEM_E_IO, "No such file");
    refuse_file("/dev/null", NULL, ITEM_E_IO, "is a device");
    refuse_file("", NULL, ITEM_E_IO, "cannot be opened");
    const char *pipe = test_path(*state, "pipe");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    refuse_file(pipe, NULL, ITEM_E_IO, "is a pipe"); /* nobody writes: this must not wait */
}

static void errno_is_kept(void **state)
{
    item_error err = ITEM_ERROR_INIT;
    item_image *image;
    item_image_from_file(test_path(*state, "absent.jpg"), NULL, &image, &err);
    assert_int_equal(err.system, ENOENT);
}

static void unreadable(void **state)
{
    if (geteuid() == 0) {
        print_message("skipped: root reads everything\n");
        skip();
    }
    const char *path = test_path(*state, "locked.jpg");
    test_puts(path, "x");
    assert_int_equal(chmod(path, 0), 0);
    refuse_file(path, NULL, ITEM_E_IO, "Permission denied");
}

static void empty_and_text(void **state)
{
    const char *path = test_path(*state, "empty.jpg");
    test_puts(path, "");
    refuse_file(path, NULL, ITEM_E_FORMAT, "empty.jpg: empty file");
    path = test_path(*state, "text.jpg");
    test_puts(path, "Dear reader,\nthis is no picture.\n");
    refuse_file(path, NULL, ITEM_E_FORMAT, "text.jpg: not a picture: a text");
}

static void a_name_with_a_newline(void **state)
{
    const char *path = test_path(*state, "two\nlines\x01\xff.jpg");
    test_puts(path, "nothing");
    refuse_file(path, NULL, ITEM_E_FORMAT, "two\\nlines\\x01\\xff.jpg: not a picture");
    refuse_file(test_path(*state, "no\nfile"), NULL, ITEM_E_IO, "no\\nfile: cannot be opened");
}

static void a_long_name_leaves_the_reason(void **state)
{
    char path[1200];
    memset(path, 'x', sizeof path);
    for (size_t i = 200; i < sizeof path; i += 200)
        path[i] = '/';
    path[sizeof path - 1] = '\0';
    refuse_file(path, NULL, ITEM_E_IO, "No such file");
    (void)state;
}

static void file_limit(void **state)
{
    bytes jpeg = small_jpeg();
    const char *path = test_path(*state, "large.jpg");
    test_write(path, jpeg.data, jpeg.size);
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    options.max_file_bytes = jpeg.size - 1;
    refuse_file(path, &options, ITEM_E_LIMIT, "large.jpg: a file of");
    refuse(jpeg.data, jpeg.size, &options, ITEM_E_LIMIT, "the limit is");
    options.max_file_bytes = jpeg.size;
    item_image *image = NULL;
    assert_int_equal(item_image_from_file(path, &options, &image, NULL), ITEM_OK);
    item_image_unref(image);
    free(jpeg.data);

    /* a file of 1 TB without content is refused before memory is taken for it */
    path = test_path(*state, "sparse.jpg");
    test_puts(path, "");
    if (truncate(path, (off_t)1 << 40) == 0)
        refuse_file(path, NULL, ITEM_E_LIMIT, "the limit is 268435456");
}

static void cancelled_while_reading(void **state)
{
    bytes jpeg = small_jpeg();
    const char *path = test_path(*state, "cancel.jpg");
    test_write(path, jpeg.data, jpeg.size);
    free(jpeg.data);
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    assert_int_equal(item_cancel_new(&options.cancel, NULL), ITEM_OK);
    item_cancel_set(options.cancel);
    refuse_file(path, &options, ITEM_E_CANCELLED, NULL);
    item_cancel_unref(options.cancel);
}

static void null_arguments(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    item_image *image;
    assert_int_equal(item_image_from_file(NULL, NULL, &image, &err), ITEM_E_ARGUMENT);
    assert_null(image);
    assert_int_equal(item_image_from_file("x", NULL, NULL, NULL), ITEM_E_ARGUMENT);
    assert_int_equal(item_image_from_memory("x", 1, NULL, NULL, NULL), ITEM_E_ARGUMENT);
    assert_int_equal(item_image_from_memory(NULL, 1, NULL, &image, NULL), ITEM_E_ARGUMENT);
    assert_int_equal(item_image_from_memory(NULL, 0, NULL, &image, NULL), ITEM_E_FORMAT);
}

/* The same doors for what a file says of its origin. */
static void provenance_of_what_is_none(void **state)
{
    (void)state;
    item_provenance *list = (item_provenance *)(uintptr_t)1;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(item_provenance_from_memory("GIF89a", 6, NULL, &list, &err),
                     ITEM_E_UNSUPPORTED);
    assert_null(list);
    err = (item_error)ITEM_ERROR_INIT;
    assert_int_equal(item_provenance_from_memory("a text", 6, NULL, &list, &err), ITEM_E_FORMAT);
    err = (item_error)ITEM_ERROR_INIT;
    item_image_options options = ITEM_IMAGE_OPTIONS_INIT;
    options.max_file_bytes = 3;
    assert_int_equal(item_provenance_from_memory("\xff\xd8\xff\xd9", 4, &options, &list, &err),
                     ITEM_E_LIMIT);
    err = (item_error)ITEM_ERROR_INIT;
    assert_int_equal(item_provenance_from_file(GOLDEN "/none.png", NULL, &list, &err), ITEM_E_IO);
    assert_non_null(strstr(err.message, "none.png"));
    err = (item_error)ITEM_ERROR_INIT;
    assert_int_equal(item_provenance_from_file(GOLDEN "/README.md", NULL, &list, &err),
                     ITEM_E_FORMAT);
    assert_non_null(strstr(err.message, "README.md: not a picture"));
    err = (item_error)ITEM_ERROR_INIT;
    item_provenance_entry entry = ITEM_PROVENANCE_ENTRY_INIT;
    assert_int_equal(item_provenance_get(NULL, 0, &entry, &err), ITEM_E_ARGUMENT);
    assert_int_equal(item_provenance_count(NULL), 0);

    err = (item_error)ITEM_ERROR_INIT;
    const char *path = GOLDEN "/pictures/baseline_420.jpg";
    assert_int_equal(item_provenance_from_file(path, NULL, &list, &err), ITEM_OK);
    assert_int_equal(item_provenance_count(list), 0);
    assert_int_equal(item_provenance_get(list, 0, &entry, &err), ITEM_E_ARGUMENT);
    item_provenance_free(list);
    item_provenance_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kind_by_content),
        cmocka_unit_test(what_is_no_file),
        cmocka_unit_test(errno_is_kept),
        cmocka_unit_test(unreadable),
        cmocka_unit_test(empty_and_text),
        cmocka_unit_test(a_name_with_a_newline),
        cmocka_unit_test(a_long_name_leaves_the_reason),
        cmocka_unit_test(file_limit),
        cmocka_unit_test(cancelled_while_reading),
        cmocka_unit_test(null_arguments),
        cmocka_unit_test(provenance_of_what_is_none),
    };
    return cmocka_run_group_tests(tests, test_dir_make, test_dir_remove);
}
