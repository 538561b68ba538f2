/* SPDX-License-Identifier: Apache-2.0 */
/* A temporary folder for tests, with files in it, gone at the end. */
#ifndef ITEM_TEST_DIR_H
#define ITEM_TEST_DIR_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../temp.h"
#include "../common/test_mem.h"

/* Borrowed until the fourth call after this one, so that a call may take a few of them. */
static inline const char *test_path(const char *folder, const char *name)
{
    static char path[4][5000];
    static unsigned turn;
    char *p = path[turn++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}

static inline int test_dir_make(void **state)
{
    char *folder = malloc(4096);
    *state = folder;
    return folder && temp_make("test", folder, 4096) ? 0 : -1;
}

static inline int test_dir_remove(void **state)
{
    int failed = temp_remove(*state);
    free(*state);
    return failed;
}

static inline void test_write(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        abort();
}

static inline void test_puts(const char *path, const char *text)
{
    test_write(path, text, strlen(text));
}

#endif
