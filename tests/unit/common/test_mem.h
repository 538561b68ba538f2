/* SPDX-License-Identifier: Apache-2.0 */
/* A host allocator for tests: counts live blocks and fails from the n-th call on. */
#ifndef ITEM_TEST_MEM_H
#define ITEM_TEST_MEM_H

#include <stdlib.h>

#include "common/common.h"

typedef struct test_mem {
    itemi_mem mem;
    long live;      /* blocks not released */
    long calls;     /* allocate and resize */
    long fail_from; /* calls from this number on fail; -1: none does */
} test_mem;

static inline void *test_mem_resize(void *user, void *block, size_t size)
{
    test_mem *t = user;
    if (t->fail_from >= 0 && t->calls++ >= t->fail_from)
        return NULL;
    t->live += block ? 0 : 1;
    return realloc(block, size);
}

static inline void *test_mem_allocate(void *user, size_t size)
{
    return test_mem_resize(user, NULL, size);
}

static inline void test_mem_release(void *user, void *block)
{
    test_mem *t = user;
    t->live--;
    free(block);
}

static inline void test_mem_init(test_mem *t, long fail_from)
{
    *t = (test_mem){.fail_from = fail_from};
    t->mem.host = (item_allocator)ITEM_ALLOCATOR_INIT;
    t->mem.host.allocate = test_mem_allocate;
    t->mem.host.resize = test_mem_resize;
    t->mem.host.release = test_mem_release;
    t->mem.host.user = t;
}

#endif
