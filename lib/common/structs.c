/* SPDX-License-Identifier: Apache-2.0 */
/* Public structs of callers that were compiled with an older or a newer header. */
#include "common/common.h"

#include <string.h>

/* A size further beyond ours than this is an uninitialised struct, not one of the future. */
#define MOST_UNKNOWN 4096

static item_status their_size(size_t *out, size_t least, const void *theirs, const char *name,
                              item_error *err)
{
    if (!theirs)
        return itemi_fail(err, ITEM_E_ARGUMENT, "%s is NULL", name);
    uint32_t size; /* every public struct begins with it */
    memcpy(&size, theirs, sizeof size);
    if (size < least)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "%s has struct_size %u, at least %zu is needed: set it by its INIT macro",
                          name, (unsigned)size, least);
    *out = size;
    return ITEM_OK;
}

item_status itemi_struct_in(void *ours, size_t size, size_t least, const void *theirs,
                            const char *name, item_error *err)
{
    size_t given = 0;
    memset(ours, 0, size);
    item_status status = their_size(&given, least, theirs, name, err);
    if (status != ITEM_OK)
        return status;
    if (given > size + MOST_UNKNOWN)
        return itemi_fail(err, ITEM_E_ARGUMENT, "%s has struct_size %zu: set it by its INIT macro",
                          name, given);

    const unsigned char *bytes = theirs;
    for (size_t i = size; i < given; i++) {
        if (bytes[i])
            return itemi_fail(err, ITEM_E_ARGUMENT,
                              "%s sets a member that this version of libitem does not know", name);
    }
    memcpy(ours, theirs, given < size ? given : size);
    uint32_t known = (uint32_t)size;
    memcpy(ours, &known, sizeof known);
    return ITEM_OK;
}

item_status itemi_struct_out(void *theirs, size_t least, const void *ours, size_t size,
                             const char *name, item_error *err)
{
    size_t given = 0;
    item_status status = their_size(&given, least, theirs, name, err);
    if (status != ITEM_OK)
        return status;
    size_t bytes = given < size ? given : size;
    const size_t head = sizeof(uint32_t); /* struct_size stays theirs */
    memcpy((char *)theirs + head, (const char *)ours + head, bytes - head);
    return ITEM_OK;
}
