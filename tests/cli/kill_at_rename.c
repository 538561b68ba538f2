/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded by test_tag.py. Where the program would put a file in another's place it is killed; where
 * there is none, another program is quicker and puts one there.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((visibility("default"))) int rename(const char *from, const char *to)
{
    (void)from;
    (void)to;
    return raise(SIGKILL);
}

__attribute__((visibility("default"))) int renameat2(int from_in, const char *from, int to_in,
                                                     const char *to, unsigned flags)
{
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (fd < 0 || write(fd, "theirs", 6) != 6 || close(fd) != 0)
        return -1;
    return (int)syscall(SYS_renameat2, from_in, from, to_in, to, flags);
}
