/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for a BLAS that is not known to be fast; never called. */
void sgemm_(void);

__attribute__((visibility("default"))) void sgemm_(void)
{
}
