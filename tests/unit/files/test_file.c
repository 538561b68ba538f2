/* SPDX-License-Identifier: Apache-2.0 */
/* Opening what is a file and what is not; writing all or nothing; joining names. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "files/files.h"
#include "test_dir.h"

static void opens_mapped_and_copied(void **state)
{
    const char *path = test_path(*state, "bytes");
    size_t size = 300001;
    unsigned char *bytes = malloc(size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(i * 7 % 251);
    test_write(path, bytes, size);
    for (int map = 0; map < 2; map++) {
        test_mem t;
        test_mem_init(&t, -1);
        itemi_file file;
        item_error err = ITEM_ERROR_INIT;
        assert_int_equal(itemi_file_open(&t.mem, path, size, map, &file, &err), ITEM_OK);
        assert_int_equal(file.mapped, map);
        assert_int_equal(file.size, size);
        assert_memory_equal(file.data, bytes, size);
        assert_int_equal(t.live, map ? 0 : 1);
        itemi_file_close(&file);
        itemi_file_close(&file); /* closed is empty */
        assert_int_equal(t.live, 0);

        assert_int_equal(itemi_file_open(&t.mem, path, size - 1, map, &file, &err), ITEM_E_LIMIT);
        assert_non_null(strstr(err.message, "bytes: has 300001 bytes, the limit is 300000"));
        assert_null(file.data);
    }
    free(bytes);
}

static void empty_file_has_data(void **state)
{
    const char *path = test_path(*state, "empty");
    test_puts(path, "");
    for (int map = 0; map < 2; map++) {
        itemi_file file;
        assert_int_equal(itemi_file_open(NULL, path, 0, map, &file, NULL), ITEM_OK);
        assert_non_null(file.data);
        assert_int_equal(file.size, 0);
        itemi_file_close(&file);
    }
}

static void refuse(const char *path, item_status status, int system, const char *part)
{
    itemi_file file;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_file_open(NULL, path, 0, true, &file, &err), status);
    assert_int_equal(err.system, system);
    if (!strstr(err.message, part))
        fail_msg("\"%s\" does not tell \"%s\"", err.message, part);
    assert_null(file.data);
    itemi_file_close(&file);
}

static void others_are_refused_without_waiting(void **state)
{
    const char *fifo = test_path(*state, "fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    refuse(fifo, ITEM_E_IO, 0, "fifo: is a pipe, not a file");
    refuse("/dev/zero", ITEM_E_IO, 0, "/dev/zero: is a device, not a file");
    refuse(*state, ITEM_E_IO, 0, ": is a folder");
    refuse(test_path(*state, "absent"), ITEM_E_IO, ENOENT,
           "absent: cannot be opened: No such file or directory");
    refuse(test_path(*state, "new\nline"), ITEM_E_IO, ENOENT,
           "new\\nline: cannot be opened: No such file");
    refuse("", ITEM_E_ARGUMENT, 0, "a file name is empty");
    refuse(NULL, ITEM_E_ARGUMENT, 0, "a file name is NULL");

    const char *link = test_path(*state, "loop");
    assert_int_equal(symlink("loop", link), 0);
    refuse(link, ITEM_E_IO, ELOOP, "loop: cannot be opened: Too many levels of symbolic links");

    const char *secret = test_path(*state, "secret");
    test_puts(secret, "x");
    assert_int_equal(chmod(secret, 0), 0);
    if (geteuid() != 0) /* root may read everything */
        refuse(secret, ITEM_E_IO, EACCES, "secret: cannot be opened: Permission denied");
}

static void no_memory_is_told(void **state)
{
    const char *path = test_path(*state, "text");
    test_puts(path, "text");
    test_mem t;
    test_mem_init(&t, 0);
    itemi_file file;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_file_open(&t.mem, path, 0, false, &file, &err), ITEM_E_MEMORY);
    assert_non_null(strstr(err.message, "text: out of memory for 4 bytes"));
}

static int entries(const char *folder)
{
    int count = 0;
    DIR *dir = opendir(folder);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

static void expect_content(const char *path, const char *text)
{
    itemi_file file;
    assert_int_equal(itemi_file_open(NULL, path, 0, false, &file, NULL), ITEM_OK);
    assert_int_equal(file.size, strlen(text));
    assert_memory_equal(file.data, text, file.size);
    itemi_file_close(&file);
}

static void writes_and_replaces(void **state)
{
    char folder[4096];
    snprintf(folder, sizeof folder, "%s/w", (char *)*state);
    assert_int_equal(mkdir(folder, 0700), 0);
    const char *path = test_path(folder, "head");
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_file_write(path, "one", 3, &err), ITEM_OK);
    expect_content(path, "one");
    assert_int_equal(itemi_file_write(path, "second", 6, &err), ITEM_OK);
    expect_content(path, "second");
    assert_int_equal(itemi_file_write(path, NULL, 0, &err), ITEM_OK);
    expect_content(path, "");
    assert_int_equal(entries(folder), 1); /* nothing is left beside */

    mode_t mask = umask(0);
    umask(mask);
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0666 & ~mask);
}

static void failed_write_leaves_the_old_file(void **state)
{
    char folder[4096];
    snprintf(folder, sizeof folder, "%s/f", (char *)*state);
    assert_int_equal(mkdir(folder, 0700), 0);
    const char *path = test_path(folder, "head");
    test_puts(path, "old");

    /* A disk that is full after 1,000 bytes. */
    struct rlimit before, limit;
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = 1000;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    char *large = calloc(1, 5000);
    item_error err = ITEM_ERROR_INIT;
    item_status status = itemi_file_write(path, large, 5000, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    free(large);

    assert_int_equal(status, ITEM_E_IO);
    assert_int_equal(err.system, EFBIG);
    assert_non_null(strstr(err.message, "head: cannot be written: File too large"));
    expect_content(path, "old");
    assert_int_equal(entries(folder), 1);
}

static void refuse_write(const char *path, item_status status, const char *part)
{
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(itemi_file_write(path, "x", 1, &err), status);
    if (!strstr(err.message, part))
        fail_msg("\"%s\" does not tell \"%s\"", err.message, part);
}

static void writes_over_files_only(void **state)
{
    refuse_write(*state, ITEM_E_IO, ": is a folder");
    refuse_write("/dev/null", ITEM_E_IO, "/dev/null: is a pipe or device");
    static const char *const pictures[] = {"\xff\xd8\xff\xe0 and eight more",
                                           "\x89PNG\r\n\x1a\n and more", "RIFF....WEBPVP8 ",
                                           "....ftypheic"};
    for (size_t i = 0; i < ITEMI_COUNT(pictures); i++) {
        const char *path = test_path(*state, "photo");
        test_puts(path, pictures[i]);
        refuse_write(path, ITEM_E_IO, "photo: is a picture: name another file");
        expect_content(path, pictures[i]);
    }
    test_puts(test_path(*state, "photo"), "RIFF....WAVE");
    assert_int_equal(itemi_file_write(test_path(*state, "photo"), "x", 1, NULL), ITEM_OK);
    refuse_write(test_path(*state, "no/such"), ITEM_E_IO,
                 "no/such: cannot be written: No such file or directory");
    refuse_write("", ITEM_E_ARGUMENT, "a file name is empty");
    refuse_write(NULL, ITEM_E_ARGUMENT, "a file name is NULL");
    struct stat facts;
    assert_int_equal(stat("/dev/null", &facts), 0);
    assert_true(S_ISCHR(facts.st_mode));
}

static void names_join(void **state)
{
    (void)state;
    static const char *const good[][3] = {
        {"pack", "a.bin", "pack/a.bin"},
        {"pack/", "a/b.bin", "pack/a/b.bin"},
        {"", "a", "a"},
        {"/", "a", "/a"},
        {"p", "..a/b..", "p/..a/b.."},
        {"p", "...", "p/..."},
        {NULL, "a", "a"},
    };
    for (size_t i = 0; i < ITEMI_COUNT(good); i++) {
        char *path = itemi_path_join(NULL, good[i][0], good[i][1], NULL);
        assert_string_equal(path, good[i][2]);
        itemi_free(NULL, path);
    }
    static const char *const bad[][2] = {
        {"", "it is empty"},           {"/etc/passwd", "must be relative"},
        {"..", "leaves its folder"},   {"a/../b", "leaves its"},
        {"../b", "leaves its folder"}, {"a/..", "leaves its folder"},
        {"a\\b", "holds a backslash"}, {NULL, "it is empty"},
    };
    for (size_t i = 0; i < ITEMI_COUNT(bad); i++) {
        item_error err = ITEM_ERROR_INIT;
        assert_null(itemi_path_join(NULL, "pack", bad[i][0], &err));
        assert_int_equal(err.code, ITEM_E_FORMAT);
        assert_non_null(strstr(err.message, bad[i][1]));
    }
    test_mem t;
    test_mem_init(&t, 0);
    item_error err = ITEM_ERROR_INIT;
    assert_null(itemi_path_join(&t.mem, "p", "a", &err));
    assert_int_equal(err.code, ITEM_E_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_mapped_and_copied),
        cmocka_unit_test(empty_file_has_data),
        cmocka_unit_test(others_are_refused_without_waiting),
        cmocka_unit_test(no_memory_is_told),
        cmocka_unit_test(writes_and_replaces),
        cmocka_unit_test(failed_write_leaves_the_old_file),
        cmocka_unit_test(writes_over_files_only),
        cmocka_unit_test(names_join),
    };
    return cmocka_run_group_tests(tests, test_dir_make, test_dir_remove);
}
