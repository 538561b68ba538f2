/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a picture's file whole: regular files only, never waiting for another process. */
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "common/regular.h"
#include "image/decode.h"

/* Read in pieces, so that a cancel is seen on slow disks. */
#define PIECE ((size_t)4 << 20)

/* Reads up to `room` bytes; a file that has shrunk meanwhile gives fewer. */
static item_status read_all(const itemi_decode *d, int fd, const char *path, uint8_t *data,
                            size_t room, size_t *size)
{
    size_t have = 0;
    while (have < room) {
        if (itemi_cancelled(d->options.cancel))
            return itemi_fail_cancelled(d->err);
        size_t want = room - have < PIECE ? room - have : PIECE;
        ssize_t got = read(fd, data + have, want);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return itemi_fail_errno(d->err, ITEM_E_IO, errno, "%s: cannot be read", path);
        if (got == 0)
            break;
        have += (size_t)got;
    }
    *size = have;
    return ITEM_OK;
}

item_status itemi_read_file(itemi_decode *d, const char *path, uint8_t **out, size_t *size)
{
    int fd = -1;
    struct stat facts;
    item_status status = itemi_open_regular(path, &fd, &facts, d->err);
    if (status != ITEM_OK)
        return status;

    const uint64_t bytes = (uint64_t)facts.st_size;
    uint8_t *data = NULL;
    if (bytes > d->options.max_file_bytes || bytes > SIZE_MAX)
        status = itemi_fail(d->err, ITEM_E_LIMIT,
                            "%s: a file of %" PRIu64 " bytes, the limit is %" PRIu64, path, bytes,
                            d->options.max_file_bytes);
    else if (!(data = itemi_alloc(&d->mem, (size_t)bytes)))
        status = itemi_fail(d->err, ITEM_E_MEMORY, "%s: out of memory for %" PRIu64 " bytes", path,
                            bytes);
    else
        status = read_all(d, fd, path, data, (size_t)bytes, size);
    close(fd);
    if (status != ITEM_OK) {
        itemi_free(&d->mem, data);
        data = NULL;
    }
    *out = data;
    return status;
}
