/* SPDX-License-Identifier: Apache-2.0 */
/* Memory by the host's functions or by malloc; sizes that overflow count as failures. */
#include "common/common.h"

#include <stdlib.h>
#include <string.h>

/* Size of item_allocator in its first version. */
#define LEAST_SIZE (offsetof(item_allocator, user) + sizeof(void *))

static bool hosted(const itemi_mem *mem)
{
    return mem && mem->host.struct_size;
}

item_status itemi_mem_init(itemi_mem *mem, const item_allocator *host, item_error *err)
{
    memset(mem, 0, sizeof *mem);
    if (!host)
        return ITEM_OK;

    item_allocator ours;
    item_status status =
        itemi_struct_in(&ours, sizeof ours, LEAST_SIZE, host, "item_allocator", err);
    if (status != ITEM_OK)
        return status;
    if (ours.reserved)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_allocator: reserved is not 0");

    int set = (ours.allocate != NULL) + (ours.resize != NULL) + (ours.release != NULL);
    if (set == 0)
        return ITEM_OK;
    if (set != 3)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "item_allocator: set allocate, resize and release, or none of them");
    mem->host = ours;
    return ITEM_OK;
}

bool itemi_mul_overflows(size_t a, size_t b, size_t *product)
{
    return __builtin_mul_overflow(a, b, product);
}

void *itemi_alloc(const itemi_mem *mem, size_t size)
{
    if (size == 0)
        size = 1;
    return hosted(mem) ? mem->host.allocate(mem->host.user, size) : malloc(size);
}

void *itemi_alloc_array(const itemi_mem *mem, size_t count, size_t size)
{
    size_t bytes;
    return itemi_mul_overflows(count, size, &bytes) ? NULL : itemi_alloc(mem, bytes);
}

void *itemi_alloc_zero(const itemi_mem *mem, size_t count, size_t size)
{
    size_t bytes;
    if (itemi_mul_overflows(count, size, &bytes))
        return NULL;
    if (!hosted(mem)) /* calloc knows which pages are zero already */
        return calloc(1, bytes ? bytes : 1);

    void *block = itemi_alloc(mem, bytes);
    if (block)
        memset(block, 0, bytes);
    return block;
}

void *itemi_resize_array(const itemi_mem *mem, void *block, size_t count, size_t size)
{
    size_t bytes;
    if (itemi_mul_overflows(count, size, &bytes))
        return NULL;
    if (bytes == 0) /* realloc to nothing may free */
        bytes = 1;
    return hosted(mem) ? mem->host.resize(mem->host.user, block, bytes) : realloc(block, bytes);
}

void itemi_free(const itemi_mem *mem, void *block)
{
    if (!block)
        return;
    if (hosted(mem))
        mem->host.release(mem->host.user, block);
    else
        free(block);
}

char *itemi_strndup(const itemi_mem *mem, const char *text, size_t length)
{
    length = strnlen(text, length);
    char *copy = itemi_alloc(mem, length + 1);
    if (copy) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

char *itemi_strdup(const itemi_mem *mem, const char *text)
{
    return itemi_strndup(mem, text, strlen(text));
}
