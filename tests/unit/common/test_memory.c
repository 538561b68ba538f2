/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of the host or of malloc, with sizes that overflow and allocations that fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test_mem.h"

static void overflow_is_a_failure(void **state)
{
    (void)state;
    size_t product;
    assert_true(itemi_mul_overflows(SIZE_MAX / 2, 3, &product));
    assert_false(itemi_mul_overflows(1000, 1000, &product));
    assert_int_equal(product, 1000000);
    assert_null(itemi_alloc_array(NULL, SIZE_MAX / 2, 3));
    assert_null(itemi_alloc_zero(NULL, SIZE_MAX / 2, 3));

    char *block = itemi_alloc(NULL, 8);
    assert_null(itemi_resize_array(NULL, block, SIZE_MAX, 2)); /* block stays valid */
    block[7] = 1;
    itemi_free(NULL, block);
}

static void size_zero_gives_a_block(void **state)
{
    (void)state;
    test_mem t;
    test_mem_init(&t, -1);
    const itemi_mem *both[] = {NULL, &t.mem};
    for (size_t i = 0; i < ITEMI_COUNT(both); i++) {
        void *a = itemi_alloc(both[i], 0), *b = itemi_alloc_zero(both[i], 0, 4);
        assert_non_null(a);
        assert_non_null(b);
        a = itemi_resize_array(both[i], a, 0, 4);
        assert_non_null(a);
        itemi_free(both[i], a);
        itemi_free(both[i], b);
        itemi_free(both[i], NULL);
    }
    assert_int_equal(t.live, 0);
}

static void host_functions_are_used(void **state)
{
    (void)state;
    test_mem t;
    test_mem_init(&t, -1);
    unsigned char *zero = itemi_alloc_zero(&t.mem, 100, 3);
    for (int i = 0; i < 300; i++)
        assert_int_equal(zero[i], 0);
    char *text = itemi_strdup(&t.mem, "caption"), *cut = itemi_strndup(&t.mem, "caption", 3);
    char *whole = itemi_strndup(&t.mem, "cap", 300); /* shorter than it may be */
    assert_int_equal(t.live, 4);
    assert_string_equal(text, "caption");
    assert_string_equal(cut, "cap");
    assert_string_equal(whole, "cap");
    zero = itemi_resize_array(&t.mem, zero, 1000, 4);
    assert_non_null(zero);
    itemi_free(&t.mem, zero);
    itemi_free(&t.mem, text);
    itemi_free(&t.mem, cut);
    itemi_free(&t.mem, whole);
    assert_int_equal(t.live, 0);

    test_mem_init(&t, 0);
    assert_null(itemi_alloc(&t.mem, 1));
    assert_null(itemi_alloc_zero(&t.mem, 1, 1));
    assert_null(itemi_strdup(&t.mem, "x"));
}

static void half_an_allocator_is_refused(void **state)
{
    (void)state;
    itemi_mem mem;
    test_mem t;
    test_mem_init(&t, -1);
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_mem_init(&mem, NULL, &err), ITEM_OK);
    assert_int_equal(mem.host.struct_size, 0);
    assert_int_equal(itemi_mem_init(&mem, &t.mem.host, &err), ITEM_OK);
    assert_ptr_equal(mem.host.user, &t);

    item_allocator empty = ITEM_ALLOCATOR_INIT; /* none is set: malloc */
    assert_int_equal(itemi_mem_init(&mem, &empty, &err), ITEM_OK);
    assert_int_equal(mem.host.struct_size, 0);

    item_allocator half = t.mem.host;
    half.resize = NULL;
    assert_int_equal(itemi_mem_init(&mem, &half, &err), ITEM_E_ARGUMENT);
    assert_non_null(strstr(err.message, "allocate, resize and release"));
    assert_int_equal(mem.host.struct_size, 0);

    item_allocator marked = t.mem.host;
    marked.reserved = 1;
    itemi_error_reset(&err);
    assert_int_equal(itemi_mem_init(&mem, &marked, &err), ITEM_E_ARGUMENT);
    assert_non_null(strstr(err.message, "reserved"));
    assert_int_equal(mem.host.struct_size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overflow_is_a_failure),
        cmocka_unit_test(size_zero_gives_a_block),
        cmocka_unit_test(host_functions_are_used),
        cmocka_unit_test(half_an_allocator_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
