/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzz targets have in common. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/common.h"
#include "fuzz.h"

void fuzz_expect(int holds, const char *condition, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

void fuzz_text(const char *text)
{
    EXPECT(text != NULL);
    size_t length = strlen(text);
    EXPECT(itemi_utf8_valid(text, length) == length);
}

void fuzz_outcome(item_status status, const void *handle, const item_error *err)
{
    EXPECT((status == ITEM_OK) == (handle != NULL));
    EXPECT(err->code == status);
    EXPECT((status == ITEM_OK) == (err->message[0] == '\0'));
    fuzz_text(err->message);
    EXPECT(!strpbrk(err->message, "\r\n"));
}

uint8_t fuzz_touch(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint8_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum ^ bytes[i]);
    return sum;
}

const char *fuzz_file(const void *data, size_t size)
{
    static int fd = -1;
    static char path[64];
    if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        EXPECT(fd >= 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    EXPECT(ftruncate(fd, 0) == 0);
    if (size > 0)
        EXPECT(pwrite(fd, data, size, 0) == (ssize_t)size);
    return path;
}

char *fuzz_string(const void *data, size_t size)
{
    char *text = malloc(size + 1);
    EXPECT(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

void fuzz_headers(void (*parse)(const uint8_t *data, size_t size), const uint8_t *data, size_t size)
{
    parse(data, size);
    if (size < 8)
        return;
    uint8_t *copy = malloc(size); /* of its own size: the sanitizers see its end */
    EXPECT(copy != NULL);
    memcpy(copy, data, size);
    size_t end = size;
    while (end > 8 && copy[end - 1] != '}')
        end--;
    for (size_t i = 0; i < 8; i++)
        copy[i] = (uint8_t)((uint64_t)(end - 8) >> (8 * i));
    parse(copy, size);
    free(copy);
}
