/* SPDX-License-Identifier: Apache-2.0 */
/* Text that grows; a failed allocation is remembered, so that callers check once, at the end. */
#include "common/common.h"

#include <string.h>

#include "common/common_private.h"

void itemi_buf_init(itemi_buf *buf, const itemi_mem *mem)
{
    *buf = (itemi_buf){.mem = mem};
}

/* Makes room for `more` bytes and the NUL; false when there is none. */
static bool reserve(itemi_buf *buf, size_t more)
{
    if (buf->failed)
        return false;
    size_t needed;
    if (__builtin_add_overflow(buf->length, more, &needed) || needed > SIZE_MAX / 2) {
        buf->failed = true;
        return false;
    }
    needed++;
    if (needed <= buf->capacity)
        return true;

    size_t capacity = buf->capacity ? buf->capacity * 2 : 64;
    capacity = capacity < needed ? needed : capacity;
    char *data = itemi_resize_array(buf->mem, buf->data, capacity, 1);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

void itemi_buf_add(itemi_buf *buf, const void *bytes, size_t length)
{
    if (!reserve(buf, length))
        return;
    if (length)
        memcpy(buf->data + buf->length, bytes, length);
    buf->length += length;
    buf->data[buf->length] = '\0';
}

void itemi_buf_puts(itemi_buf *buf, const char *text)
{
    itemi_buf_add(buf, text, strlen(text));
}

void itemi_buf_printf(itemi_buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    char small[128];
    int length = itemi_vformat(small, sizeof small, format, args);
    if (length < 0) {
        buf->failed = true;
    } else if ((size_t)length < sizeof small) {
        itemi_buf_add(buf, small, (size_t)length);
    } else if (reserve(buf, (size_t)length)) {
        itemi_vformat(buf->data + buf->length, (size_t)length + 1, format, again);
        buf->length += (size_t)length;
    }
    va_end(again);
    va_end(args);
}

char *itemi_buf_take(itemi_buf *buf)
{
    itemi_buf_add(buf, "", 0); /* an empty text is a text */
    char *text = buf->failed ? NULL : buf->data;
    if (buf->failed)
        itemi_free(buf->mem, buf->data);
    itemi_buf_init(buf, buf->mem);
    return text;
}

void itemi_buf_free(itemi_buf *buf)
{
    itemi_free(buf->mem, buf->data);
    itemi_buf_init(buf, buf->mem);
}
