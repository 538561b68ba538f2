/* SPDX-License-Identifier: Apache-2.0 */
/* Folders with ai/ and real/: order, sources, links in circles. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "files/files.h"
#include "test_dir.h"

/* Builds a tree below the test's folder: "x/" is a folder, "x>y" a link to y, else a file. */
static void build(const char *folder, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char name[256];
        snprintf(name, sizeof name, "%s", names[i]);
        char *link = strchr(name, '>');
        size_t length = strlen(name);
        if (link) {
            *link = '\0';
            assert_int_equal(symlink(link + 1, test_path(folder, name)), 0);
        } else if (name[length - 1] == '/') {
            name[length - 1] = '\0';
            assert_int_equal(mkdir(test_path(folder, name), 0700), 0);
        } else {
            test_puts(test_path(folder, name), "");
        }
    }
}

static void expect_rows(void **state, const itemi_manifest *m, const char *const (*rows)[3],
                        size_t count)
{
    for (size_t i = 0; i < count && i < m->count; i++) {
        assert_string_equal(m->rows[i].path, test_path(*state, rows[i][0]));
        assert_string_equal(m->rows[i].label, rows[i][1]);
        assert_string_equal(m->rows[i].source, rows[i][2]);
        assert_string_equal(m->rows[i].generator, "");
    }
    assert_int_equal(m->count, count);
}

static void sources_and_order(void **state)
{
    static const char *const tree[] = {"set/",
                                       "set/ai/",
                                       "set/real/",
                                       "set/ai/b.jpg",
                                       "set/ai/B.JPG",
                                       "set/ai/web/",
                                       "set/ai/web/x/",
                                       "set/ai/web/x/1.PnG",
                                       "set/ai/a.jpeg",
                                       "set/ai/note.txt",
                                       "set/ai/jpg",
                                       "set/ai/.jpg",
                                       "set/ai/.h.jpg",
                                       "set/ai/web.png",
                                       "set/real/\xc3\xa9.png",
                                       "set/real/z.jpg",
                                       "set/other.jpg",
                                       "set/real/d.jpg/",
                                       "set/real/d.jpg/c.png"};
    static const char *const rows[][3] = {
        {"set/ai/B.JPG", "ai", "set"},       {"set/ai/a.jpeg", "ai", "set"},
        {"set/ai/b.jpg", "ai", "set"},       {"set/ai/web.png", "ai", "set"},
        {"set/ai/web/x/1.PnG", "ai", "web"}, {"set/real/d.jpg/c.png", "real", "d.jpg"},
        {"set/real/z.jpg", "real", "set"},   {"set/real/\xc3\xa9.png", "real", "set"},
    };
    build(*state, tree, ITEMI_COUNT(tree));
    static const char *const ends[] = {"set", "set/", "set//"};
    for (size_t i = 0; i < ITEMI_COUNT(ends); i++) {
        itemi_manifest m;
        item_error err = ITEM_ERROR_INIT;
        assert_int_equal(itemi_manifest_scan(NULL, test_path(*state, ends[i]), &m, &err), ITEM_OK);
        assert_int_equal(m.count, ITEMI_COUNT(rows));
        assert_string_equal(m.rows[0].source, "set");
        if (i == 0)
            expect_rows(state, &m, rows, ITEMI_COUNT(rows));
        itemi_manifest_free(&m);
    }
}

static void dot_means_the_folder_itself(void **state)
{
    static const char *const tree[] = {"dot/", "dot/ai/", "dot/ai/1.png"};
    build(*state, tree, ITEMI_COUNT(tree));
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(test_path(*state, "dot")), 0);
    itemi_manifest m;
    item_status status = itemi_manifest_scan(NULL, ".", &m, NULL);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(status, ITEM_OK);
    assert_int_equal(m.count, 1);
    assert_string_equal(m.rows[0].path, "./ai/1.png");
    assert_string_equal(m.rows[0].source, "dot");
    itemi_manifest_free(&m);
}

static void links_end(void **state)
{
    /* Up, to itself, to nowhere, and two levels that would multiply without an end. */
    static const char *const tree[] = {"loop/",
                                       "loop/ai/",
                                       "loop/ai/up>..",
                                       "loop/ai/self>self",
                                       "loop/ai/lost.jpg>nowhere",
                                       "loop/ai/real.jpg>../../x.jpg",
                                       "x.jpg",
                                       "loop/ai/s/",
                                       "loop/ai/s/again>../s",
                                       "loop/ai/s/1.jpg",
                                       "loop/ai/t>s",
                                       "loop/ai/s/u>.."};
    static const char *const rows[][3] = {
        {"loop/ai/lost.jpg", "ai", "loop"},
        {"loop/ai/real.jpg", "ai", "loop"},
        {"loop/ai/s/1.jpg", "ai", "s"},
    };
    build(*state, tree, ITEMI_COUNT(tree));
    itemi_manifest m;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_manifest_scan(NULL, test_path(*state, "loop"), &m, &err), ITEM_OK);
    expect_rows(state, &m, rows, ITEMI_COUNT(rows));
    itemi_manifest_free(&m);
}

static void refuse(const char *folder, item_status status, const char *part)
{
    itemi_manifest m;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_manifest_scan(NULL, folder, &m, &err), status);
    assert_null(m.rows);
    if (!strstr(err.message, part))
        fail_msg("\"%s\" does not tell \"%s\"", err.message, part);
}

static void what_is_missing_is_told(void **state)
{
    static const char *const tree[] = {"none/", "file/", "file/ai"};
    build(*state, tree, ITEMI_COUNT(tree));
    refuse(test_path(*state, "none"), ITEM_E_IO, "none: holds neither ai/ nor real/");
    refuse(test_path(*state, "absent"), ITEM_E_IO, "absent: holds neither");
    refuse(test_path(*state, "file"), ITEM_E_IO, "file/ai: Not a directory");
    refuse("", ITEM_E_ARGUMENT, "a folder name is empty");
    refuse(NULL, ITEM_E_ARGUMENT, "a folder name is NULL");
}

static void no_memory_leaves_nothing(void **state)
{
    /* several folders in one, which are sorted: one may have found no memory for its name */
    static const char *const tree[] = {"mem/",      "mem/ai/",        "mem/real/",
                                       "mem/ai/s/", "mem/ai/s/1.jpg", "mem/real/2.png",
                                       "mem/ai/t/", "mem/ai/u/"};
    build(*state, tree, ITEMI_COUNT(tree));
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", test_path(*state, "mem"));
    item_status status = ITEM_E_MEMORY;
    for (long n = 0; status != ITEM_OK; n++) {
        test_mem t;
        test_mem_init(&t, n);
        itemi_manifest m;
        item_error err = ITEM_ERROR_INIT;
        status = itemi_manifest_scan(&t.mem, folder, &m, &err);
        if (status == ITEM_OK) {
            assert_int_equal(m.count, 2);
            itemi_manifest_free(&m);
            assert_true(n > 10);
        } else {
            assert_int_equal(status, ITEM_E_MEMORY);
        }
        assert_int_equal(t.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_and_order),
        cmocka_unit_test(dot_means_the_folder_itself),
        cmocka_unit_test(links_end),
        cmocka_unit_test(what_is_missing_is_told),
        cmocka_unit_test(no_memory_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, test_dir_make, test_dir_remove);
}
