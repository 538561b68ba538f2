/* SPDX-License-Identifier: Apache-2.0 */
/* Shared between the files of common alone. */
#ifndef ITEMI_COMMON_PRIVATE_H
#define ITEMI_COMMON_PRIVATE_H

#include <locale.h>
#include <stdarg.h>
#include <stddef.h>

/* The C locale. In glibc and musl a constant: neither allocates nor needs freeing. */
locale_t itemi_c_locale(void);

/* vsnprintf() that writes numbers as the C locale does, whatever the host has set. */
int itemi_vformat(char *out, size_t room, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

#endif
