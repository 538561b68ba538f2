/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for a BLAS that is not known to be fast, and that takes its time for nothing. */
#include <unistd.h>

void sgemm_(void);

__attribute__((visibility("default"))) void sgemm_(void)
{
    usleep(300000);
}
