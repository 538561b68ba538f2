/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded by test_tag.py: the program is killed where it would put the new file in place. */
#include <signal.h>
#include <stdio.h>

__attribute__((visibility("default"))) int rename(const char *from, const char *to)
{
    (void)from;
    (void)to;
    return raise(SIGKILL);
}
