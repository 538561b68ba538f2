/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: finished text, handed to the host's function, silent without one. */
#include "common/common.h"

#include "common/common_private.h"

void itemi_logf(const itemi_log *log, int32_t level, const char *format, ...)
{
    if (!log || !log->fn)
        return;
    char raw[1024], line[1024];
    va_list args;
    va_start(args, format);
    int length = itemi_vformat(raw, sizeof raw, format, args);
    va_end(args);
    if (length < 0)
        return;
    itemi_escape(line, sizeof line, raw);
    log->fn(log->user, level, line);
}
