/* SPDX-License-Identifier: Apache-2.0 */
/* What the picture tests share: golden files, digests, decoding with an expected outcome. */
#ifndef ITEM_TEST_IMAGE_SUPPORT_H
#define ITEM_TEST_IMAGE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <item/picture.h>

#define SHA256_HEX 65

typedef struct bytes {
    uint8_t *data;
    size_t size;
} bytes;

/* The whole file; fails the test when it cannot be read. */
bytes read_bytes(const char *path);
/* "GOLDEN/pictures/name" */
bytes read_picture(const char *name);

void sha256(const void *data, size_t size, char hex[SHA256_HEX]);

/* Size and digest of the pixels; `name` is for the message. */
void same_pixels(const char *name, const item_image *image, uint32_t width, uint32_t height,
                 const char *expected);

/* Decodes; fails the test with the error's message when that fails. */
item_image *decode(bytes file, const item_image_options *options);
/* Expects a failure with this status and, unless NULL, this text within its message. */
void refuse(const void *data, size_t size, const item_image_options *options, item_status status,
            const char *text);
void refuse_file(const char *path, const item_image_options *options, item_status status,
                 const char *text);

item_image_info info_of(const item_image *image);

/* Pseudo-random bytes, the same as noise() in make_golden.py. */
void noise(uint32_t seed, uint8_t *out, size_t size);

/* Calls `row` for each line of a table that is no comment; it may cut the line into fields. */
void each_line(const char *path, void (*row)(char *line, void *user), void *user);
/* The next field of a line, cut at the tab. */
char *field(char **line);

#endif
