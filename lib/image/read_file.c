/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a picture's file whole: regular files only, never waiting for another process. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/decode.h"

/* Read in pieces, so that a cancel is seen on slow disks. */
#define PIECE ((size_t)4 << 20)

static item_status refuse(const char *path, mode_t mode, item_error *err)
{
    const char *what = S_ISDIR(mode)    ? "a folder"
                       : S_ISFIFO(mode) ? "a pipe"
                       : S_ISSOCK(mode) ? "a socket"
                                        : "a device";
    return itemi_fail(err, ITEM_E_IO, "%s: is %s, not a file", path, what);
}

/* Opens a regular file; O_NONBLOCK keeps a FIFO without a writer from holding us. */
static item_status open_regular(const char *path, int *out, uint64_t *size, item_error *err)
{
    int fd;
    do {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return itemi_fail_errno(err, ITEM_E_IO, errno, "%s: cannot be opened", path);

    struct stat st;
    item_status status = ITEM_OK;
    if (fstat(fd, &st) != 0)
        status = itemi_fail_errno(err, ITEM_E_IO, errno, "%s: cannot be read", path);
    else if (!S_ISREG(st.st_mode))
        status = refuse(path, st.st_mode, err);
    if (status != ITEM_OK) {
        close(fd);
        return status;
    }
    *out = fd;
    *size = (uint64_t)st.st_size;
    return ITEM_OK;
}

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
    uint64_t bytes = 0;
    item_status status = open_regular(path, &fd, &bytes, d->err);
    if (status != ITEM_OK)
        return status;

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
