/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the stored cases of tests/golden/text; GOLDEN_TEXT comes from meson. */
#ifndef TEST_TEXT_GOLDEN_H
#define TEST_TEXT_GOLDEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The whole file, NUL-terminated; free() it. */
static inline char *golden_read(const char *name, size_t *length)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", GOLDEN_TEXT, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s", path);
    fseek(file, 0, SEEK_END);
    *length = (size_t)ftell(file);
    rewind(file);
    char *data = malloc(*length + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *length, file), *length);
    data[*length] = '\0';
    fclose(file);
    return data;
}

/* Cuts the next line off *rest and terminates it; NULL at the end. */
static inline char *golden_line(char **rest)
{
    char *line = *rest;
    if (*line == '\0')
        return NULL;
    char *end = strchr(line, '\n');
    *rest = end ? end + 1 : line + strlen(line);
    if (end)
        *end = '\0';
    return line;
}

/* Undoes \xHH in place. */
static inline void golden_unescape(char *text)
{
    char *out = text;
    for (; *text; text++) {
        if (*text == '\\') {
            char digits[3] = {text[2], text[3], '\0'};
            *out++ = (char)strtoul(digits, NULL, 16);
            text += 3;
        } else {
            *out++ = *text;
        }
    }
    *out = '\0';
}

#endif
