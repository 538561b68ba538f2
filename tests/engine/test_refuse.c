/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine says of a process that it does not fit in: another libtorch in it, or a slow
 * BLAS. The other ones are small libraries that the tests build; one of them is loaded first.
 */
#include "host.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

static void another_libtorch_is_refused(void **state)
{
    item_error err = ITEM_ERROR_INIT;
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    const char *other = getenv("ITEM_TEST_OTHER_TORCH");
    (void)state;
    assert_non_null(other);
    assert_non_null(dlopen(other, RTLD_NOW | RTLD_LOCAL));
    assert_int_equal(host_engine()->info(0, &info, &err), ITEM_E_NO_ENGINE);
    if (!strstr(err.message, "another libtorch") || !strstr(err.message, other))
        fail_msg("%s", err.message);
    host h;
    item_captioner_ops ops = {.struct_size = sizeof ops};
    void *self;
    host_init(&h, "/nowhere");
    assert_int_equal(host_engine()->open_captioner(&h.services, "grid-decoder", &ops, &self, NULL),
                     ITEM_E_NO_ENGINE);
    host_end(&h);
}

/* Its lanes would go on in code that is no longer there. */
static void the_module_stays(void **state)
{
    const char *path = getenv("ITEM_TEST_ENGINE");
    (void)state;
    assert_non_null(path);
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(module);
    assert_int_equal(dlclose(module), 0);
    assert_non_null(dlopen(path, RTLD_NOW | RTLD_NOLOAD));
}

/* The program was started with a BLAS before libtorch's own that has nothing of a fast one. */
static void a_slow_blas_is_named(void **state)
{
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    (void)state;
    assert_int_equal(host_engine()->info(0, &info, NULL), ITEM_OK);
    assert_int_equal(info.blas_is_slow, 1);
    assert_non_null(strstr(info.blas, "slow_blas"));
}

/* Nobody can cancel the measurement: it ends soon by itself. */
static void a_slow_blas_is_not_measured_for_long(void **state)
{
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    const double start = now_ms();
    (void)state;
    assert_int_equal(host_engine()->info(1, &info, NULL), ITEM_OK);
    assert_true(info.gflops > 0.0);
    assert_true(now_ms() - start < 20000.0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest torch[] = {cmocka_unit_test(the_module_stays),
                                       cmocka_unit_test(another_libtorch_is_refused)};
    const struct CMUnitTest blas[] = {cmocka_unit_test(a_slow_blas_is_named),
                                      cmocka_unit_test(a_slow_blas_is_not_measured_for_long)};
    if (argc == 2 && strcmp(argv[1], "torch") == 0)
        return cmocka_run_group_tests(torch, NULL, NULL);
    if (argc == 2 && strcmp(argv[1], "blas") == 0)
        return cmocka_run_group_tests(blas, NULL, NULL);
    return 99;
}
