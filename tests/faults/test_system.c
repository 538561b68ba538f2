/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system refuses, at every place: files that cannot be opened, read, measured or mapped, disks
 * that are full. Each call fails with ITEM_E_IO or ITEM_E_PACK and a line, or answers as ever; a
 * file that was to be written is the old one, whole.
 */
#include "calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALL(list) list, sizeof list / sizeof *list

/* ---- reading ---- */

static void make_ctx_that_copies(void)
{
    item_error err = ITEM_ERROR_INIT;
    make_config_of_pack();
    set_option(out.config, "map_files", "0");
    assert_ok(item_ctx_open(w.pack, out.config, &out.ctx, &err), &err);
}

static const phase readers[] = {
    {"picture", NULL, call_image_file, 0, NULL},
    {"check a file", NULL, call_check_file, 0, NULL},
    {"check three files", NULL, call_check_files, 0, NULL},
    {"pack open, all verified", NULL, call_pack_open, 0, NULL},
    {"published model open", NULL, call_published_open, 0, NULL},
    {"context of dummies", make_config_of_dummies, call_ctx_dummies, 0, NULL},
    {"context of a pack", make_config_of_pack, call_ctx_pack, 0, NULL},
    {"first check, mapped", make_ctx_of_pack, call_first_check, 0, NULL},
    {"first check, copied", make_ctx_that_copies, call_first_check, 0, NULL},
    {"first tokens", make_ctx_of_pack, call_first_tokens, 0, NULL},
    {"data set load", NULL, call_data_load, 0, NULL},
    {"extract a list", NULL, call_extract_list, 0, NULL},
    {"extract a folder", NULL, call_extract_folder, 0, NULL},
    {"calibrate", make_photographs, call_calibrate, 0, NULL},
    {"evaluate", NULL, call_evaluate, 0, NULL},
};

static const phase index_of_a_scan = {"index of a scan", make_index, call_index_scan, 0, NULL};

static const trouble reading[] = {
    {.name = "open: too many files", .kind = FAULT_OPEN, .error = EMFILE},
    {.name = "open: not allowed", .kind = FAULT_OPEN, .error = EACCES},
    {.name = "open: broken disk", .kind = FAULT_OPEN, .error = EIO},
    {.name = "open: a signal", .kind = FAULT_OPEN, .error = EINTR, .harmless = true, .once = true},
    {.name = "read: broken disk", .kind = FAULT_READ, .error = EIO},
    {.name = "read: broken disk, later", .kind = FAULT_READ_LATE, .error = EIO},
    {.name = "read: a signal", .kind = FAULT_READ, .error = EINTR, .harmless = true, .once = true},
    {.name = "read: a byte at a time", .kind = FAULT_READ_SHORT, .harmless = true, .always = true},
    {.name = "fstat: broken disk", .kind = FAULT_FSTAT, .error = EIO},
    {.name = "stat: broken disk", .kind = FAULT_STAT, .error = EIO},
    {.name = "realpath: not allowed", .kind = FAULT_REALPATH, .error = EACCES},
    {.name = "opendir: too many files", .kind = FAULT_OPENDIR, .error = EMFILE},
    {.name = "readdir: broken disk", .kind = FAULT_READDIR, .error = EIO},
    {.name = "mmap: no room", .kind = FAULT_MMAP, .error = ENOMEM, .harmless = true},
    {.name = "mmap: not there", .kind = FAULT_MMAP, .error = ENODEV, .harmless = true},
    {.name = "close: broken disk", .kind = FAULT_CLOSE, .error = EIO, .harmless = true},
};

/* SQLite maps what processes share, and cannot copy; fts_read() opens folders inside of libc. */
static bool is_met_by_scans(fault_kind kind)
{
    return kind != FAULT_MMAP && kind != FAULT_OPENDIR && kind != FAULT_READDIR;
}

static void files_cannot_be_read(void **state)
{
    (void)state;
    const unsigned before = complaints;
    for (size_t i = 0; i < sizeof reading / sizeof *reading; i++)
        try_system(ALL(readers), &reading[i]);
    for (size_t i = 0; i < sizeof reading / sizeof *reading; i++)
        if (is_met_by_scans(reading[i].kind))
            try_system(&index_of_a_scan, 1, &reading[i]);
    assert_int_equal(complaints, before);
}

/* ---- writing ---- */

static void make_old_file(void)
{
    write_text(w.saved, "the old file");
}

/* Files whose names begin as that of the saved one. */
static unsigned files_beside(void)
{
    unsigned count = 0;
    DIR *folder = opendir(temp_folder());
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += strncmp(entry->d_name, "saved.", 6) == 0;
    closedir(folder);
    return count;
}

static void look_at_old_file(item_status status)
{
    char *text = read_text(w.saved);
    const bool old = strcmp(text, "the old file") == 0;
    free(text);
    if (old == (status == ITEM_OK) || files_beside() != 1)
        fail_msg("the file is %s, and there are %u beside it", old ? "old" : "new",
                 files_beside() - 1);
}

/* The pack is there and whole, or nothing is. */
static void look_at_made(item_status status)
{
    DIR *folder = opendir(temp_folder());
    assert_non_null(folder);
    unsigned found = 0;
    for (const struct dirent *entry; (entry = readdir(folder));)
        found += strncmp(entry->d_name, "made", 4) == 0;
    closedir(folder);
    item_pack *pack = NULL;
    const bool whole = item_pack_open(w.made, 2, &pack, NULL) == ITEM_OK;
    item_pack_free(pack);
    if (whole != (status == ITEM_OK) || found != (whole ? 1 : 0))
        fail_msg("the pack is %s, and of it are %u there", whole ? "whole" : "missing", found);
}

static const phase writers[] = {
    {"data set save", make_old_file, call_data_save, 0, look_at_old_file},
    {"head write", make_old_file, call_head_write, 0, look_at_old_file},
    {"pack made", remove_made, call_pack_create, 0, look_at_made},
};

static const trouble writing[] = {
    {.name = "create: not allowed", .kind = FAULT_OPEN, .error = EACCES},
    {.name = "create: too many files", .kind = FAULT_OPEN, .error = EMFILE},
    {.name = "create: a signal",
     .kind = FAULT_OPEN,
     .error = EINTR,
     .harmless = true,
     .once = true},
    {.name = "write: full disk", .kind = FAULT_WRITE, .error = ENOSPC},
    {.name = "write: full disk, later", .kind = FAULT_WRITE_LATE, .error = ENOSPC},
    {.name = "write: broken disk", .kind = FAULT_WRITE, .error = EIO},
    {.name = "write: closed pipe", .kind = FAULT_WRITE, .error = EPIPE},
    {.name = "write: a signal",
     .kind = FAULT_WRITE,
     .error = EINTR,
     .harmless = true,
     .once = true},
    {.name = "write: a byte at a time",
     .kind = FAULT_WRITE_SHORT,
     .harmless = true,
     .always = true},
    {.name = "fsync: broken disk", .kind = FAULT_FSYNC, .error = EIO},
    {.name = "close: full disk", .kind = FAULT_CLOSE, .error = EDQUOT},
    {.name = "rename: not allowed", .kind = FAULT_RENAME, .error = EACCES},
    {.name = "getentropy: not there", .kind = FAULT_ENTROPY, .error = ENOSYS},
};

static void files_cannot_be_written(void **state)
{
    (void)state;
    const unsigned before = complaints;
    for (size_t i = 0; i < sizeof writing / sizeof *writing; i++)
        try_system(ALL(writers), &writing[i]);
    assert_int_equal(complaints, before);
}

/* ---- real limits ---- */

static void assert_old_file(item_status (*call)(item_error *), const char *reason)
{
    item_error err = ITEM_ERROR_INIT;
    make_old_file();
    assert_error(call(&err), ITEM_E_IO, &err, reason);
    look_at_old_file(ITEM_E_IO);
}

static void a_real_disk_is_full(void **state)
{
    (void)state;
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", temp_folder(), "tmpfs", 0, "size=4k,mode=700") != 0) {
        print_message("no small disk can be mounted: skipped\n");
        skip();
    }
    assert_old_file(call_data_save, "No space left on device");
    assert_old_file(call_head_write, "No space left on device");
    assert_int_equal(umount(temp_folder()), 0);
}

static void a_real_file_grows_too_large(void **state)
{
    (void)state;
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 1000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_old_file(call_data_save, "File too large");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
}

static void no_real_file_can_be_opened(void **state)
{
    (void)state;
    struct rlimit before, none;
    item_error err = ITEM_ERROR_INIT;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const item_status status = call_image_file(&err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_error(status, ITEM_E_IO, &err, "Too many open files");
    assert_null(out.image);
}

/* What is no regular file is never written to: a pipe without a reader would wait or kill. */
static void a_pipe_is_refused(void **state)
{
    (void)state;
    item_error err = ITEM_ERROR_INIT;
    char *pipe = temp_path("pipe");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_error(item_dataset_save(w.train, pipe, &err), ITEM_E_IO, &err, "pipe or device");
    reset(&err);
    assert_error(item_report_write_head(w.report, "/dev/full", &err), ITEM_E_IO, &err, "device");
    free(pipe);
}

static int setup(void **state)
{
    (void)state;
    world_make();
    world_open();
    call_picture = w.pictures[0];
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_close();
    world_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_cannot_be_read),       cmocka_unit_test(files_cannot_be_written),
        cmocka_unit_test(a_real_disk_is_full),        cmocka_unit_test(a_real_file_grows_too_large),
        cmocka_unit_test(no_real_file_can_be_opened), cmocka_unit_test(a_pipe_is_refused),
    };
    const int failed = cmocka_run_group_tests(tests, setup, teardown);
    printf("%lu calls of the system failed, %lu of them without harm\n", faults_failed,
           faults_absorbed);
    return failed;
}
