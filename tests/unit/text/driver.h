/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the text driver share. */
#ifndef TEST_TEXT_DRIVER_H
#define TEST_TEXT_DRIVER_H

#include <stddef.h>
#include <stdio.h>

/* Everything that is left of a file, NUL-terminated; NULL when memory is short. */
char *driver_read(FILE *file, size_t *length);
/* Runs a mode of the tagger over standard input; returns the exit status. */
int driver_tagger(const char *mode, const char *model);

#endif
