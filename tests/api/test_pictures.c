/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures through the shared library: file, memory and pixels give the same bytes. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

static void three_ways_in(void **state)
{
    (void)state;
    char *path = write_picture("ways.png", 5, 37, 23);
    char hex[65];
    uint64_t size;
    sha256_of(path, hex, &size);
    char *bytes = read_text(path);
    item_image *images[3] = {NULL, NULL, make_picture(5, 37, 23)};
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_image_from_file(path, NULL, &images[0], &err), &err);
    assert_ok(item_image_from_memory(bytes, (size_t)size, NULL, &images[1], &err), &err);
    for (size_t i = 0; i < 3; i++) {
        item_image_info info = ITEM_IMAGE_INFO_INIT;
        assert_ok(item_image_get_info(images[i], &info, &err), &err);
        assert_int_equal(info.width, 37);
        assert_int_equal(info.height, 23);
        assert_string_equal(info.kind, i == 2 ? "pixels" : "png");
        assert_memory_equal(item_image_pixels(images[i]), item_image_pixels(images[0]),
                            37 * 23 * 3);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_ptr_equal(item_image_ref(images[i]), images[i]);
        item_image_unref(images[i]);
        item_image_unref(images[i]);
    }
    assert_null(item_image_pixels(NULL));
    free(bytes);
    free(path);
}

static void limits_of_a_context_hold(void **state)
{
    (void)state;
    char *path = write_picture("large.png", 5, 400, 300);
    item_config *config = make_config();
    set_option(config, "max_pixels", "100000");
    item_ctx *ctx = open_ctx(config);
    item_result *result = NULL;
    item_error err = ITEM_ERROR_INIT;
    assert_error(item_check_file(ctx, path, NULL, &result, &err), ITEM_E_LIMIT, &err, "large.png");
    assert_null(result);
    item_ctx_unref(ctx);

    /* cut short: an error, or a warning where that is accepted */
    char hex[65];
    uint64_t size;
    sha256_of(path, hex, &size);
    char *bytes = read_text(path);
    write_file(path, bytes, (size_t)size / 2);
    ctx = make_ctx();
    reset(&err);
    assert_error(item_check_file(ctx, path, NULL, &result, &err), ITEM_E_FORMAT, &err, "large.png");
    item_ctx_unref(ctx);
    config = make_config();
    set_option(config, "accept_truncated", "1");
    ctx = open_ctx(config);
    reset(&err);
    assert_ok(item_check_file(ctx, path, NULL, &result, &err), &err);
    assert_non_null(item_result_warning(result, 0));
    item_result_unref(result);
    item_ctx_unref(ctx);
    free(bytes);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_ways_in),
        cmocka_unit_test(limits_of_a_context_hold),
    };
    return cmocka_run_group_tests_name("api: pictures", tests, NULL, NULL);
}
