/* SPDX-License-Identifier: Apache-2.0 */
/* Opening files: what is no regular file is refused, and never waited for. */
#include "common/regular.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static item_status check(const char *path, const struct stat *facts, item_error *err)
{
    const mode_t mode = facts->st_mode;
    if (S_ISREG(mode))
        return ITEM_OK;
    const char *what = S_ISDIR(mode)    ? "a folder"
                       : S_ISFIFO(mode) ? "a pipe"
                       : S_ISSOCK(mode) ? "a socket"
                                        : "a device";
    return itemi_fail(err, ITEM_E_IO, "%s: is %s, not a file", path, what);
}

item_status itemi_open_regular(const char *path, int *fd, struct stat *facts, item_error *err)
{
    do { /* O_NONBLOCK, so that a FIFO without a writer does not wait */
        *fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    } while (*fd < 0 && errno == EINTR);
    if (*fd < 0)
        return itemi_fail_errno(err, ITEM_E_IO, errno, "%s: cannot be opened", path);
    item_status status = fstat(*fd, facts) == 0
                             ? check(path, facts, err)
                             : itemi_fail_errno(err, ITEM_E_IO, errno, "%s: cannot be read", path);
    if (status != ITEM_OK) {
        close(*fd);
        *fd = -1;
    }
    return status;
}
