/* SPDX-License-Identifier: Apache-2.0 */
/* Files made of metadata, and parts with metadata to put into files. */
#ifndef TEST_CONTAINERS_H
#define TEST_CONTAINERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

enum { IN_JPEG, IN_PNG, IN_WEBP, IN_HEIF };

typedef struct container {
    int kind;
    uint8_t *data;
    size_t size;
} container;

static inline void container_add(container *c, const void *data, size_t size)
{
    c->data = realloc(c->data, c->size + size + 1);
    if (!c->data)
        abort();
    if (size > 0)
        memcpy(c->data + c->size, data, size);
    c->size += size;
}

/* `width` bytes of a number, the highest one first unless `little`. */
static inline void container_number(container *c, size_t number, unsigned width, bool little)
{
    uint8_t out[8] = {0};
    for (unsigned i = 0; i < width; i++)
        out[i] = (uint8_t)(number >> 8 * (little ? i : width - 1 - i));
    container_add(c, out, width);
}

static inline container container_begin(int kind)
{
    static const struct {
        const char *bytes;
        size_t size;
    } heads[] = {{"\xff\xd8", 2},
                 {"\x89PNG\r\n\x1a\n", 8},
                 {"RIFF\0\0\0\0WEBP", 12},
                 {"\0\0\0\x14"
                  "ftypavif\0\0\0\0mif1",
                  20}};
    container c = {.kind = kind};
    container_add(&c, heads[kind].bytes, heads[kind].size);
    return c;
}

/* A segment (of which `name` is the marker's second byte), a chunk or a box. */
static inline void container_part(container *c, const char *name, const void *data, size_t size)
{
    switch (c->kind) {
    case IN_JPEG:
        container_add(c, "\xff", 1);
        container_add(c, name, 1);
        container_number(c, size + 2, 2, false);
        container_add(c, data, size);
        break;
    case IN_PNG:
        container_number(c, size, 4, false);
        container_add(c, name, 4);
        container_add(c, data, size);
        container_number(c, crc32(0, c->data + c->size - size - 4, (uInt)size + 4), 4, false);
        break;
    case IN_WEBP:
        container_add(c, name, 4);
        container_number(c, size, 4, true);
        container_add(c, data, size);
        container_add(c, "", size % 2);
        break;
    default:
        container_number(c, size + 8, 4, false);
        container_add(c, name, 4);
        container_add(c, data, size);
        break;
    }
}

#endif
