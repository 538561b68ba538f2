/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary folders of tests: where TMPDIR says, else in /tmp. */
#ifndef ITEM_TEST_TEMP_H
#define ITEM_TEST_TEMP_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* A new folder "item-NAME-" and six letters; 0 where it cannot be made. */
static inline int temp_make(const char *name, char *out, size_t room)
{
    const char *base = getenv("TMPDIR");
    int length = snprintf(out, room, "%s/item-%s-XXXXXX", base && *base ? base : "/tmp", name);
    return length > 0 && (size_t)length < room && mkdtemp(out);
}

static inline int temp_remove_one(const char *path, const struct stat *facts, int kind,
                                  struct FTW *where)
{
    (void)facts;
    (void)kind;
    (void)where;
    return remove(path);
}

/* With all that is in it; links are removed, not followed. Other than 0 where that fails. */
static inline int temp_remove(const char *folder)
{
    return nftw(folder, temp_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
