/* SPDX-License-Identifier: Apache-2.0 */
/* Opening files: regular ones alone, for pictures and for all else that is read. */
#ifndef ITEMI_REGULAR_H
#define ITEMI_REGULAR_H

#include <sys/stat.h>

#include "common/common.h"

/*
 * Opens a regular file for reading, without waiting for another process; *facts receives its size.
 * After a failure *fd is -1.
 */
item_status itemi_open_regular(const char *path, int *fd, struct stat *facts, item_error *err);

#endif
