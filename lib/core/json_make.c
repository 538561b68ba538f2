/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of heads, data sets and reports. */
#include "core/json_make.h"

#include <math.h>

json_t *itemi_json_figure(double value)
{
    return itemi_json_number(isfinite(value) ? round(value * 1e6) / 1e6 : value);
}

static void lose(json_t **whole)
{
    json_decref(*whole);
    *whole = NULL;
}

void itemi_json_put(json_t **object, const char *name, json_t *value)
{
    if (json_object_set_new(*object, name, value) != 0) /* refuses NULL for both */
        lose(object);
}

void itemi_json_append(json_t **array, json_t *value)
{
    if (json_array_append_new(*array, value) != 0)
        lose(array);
}

json_t *itemi_json_interval(itemi_interval interval)
{
    return json_pack("[o, o]", itemi_json_figure(interval.low), itemi_json_figure(interval.high));
}

/* jansson (2.14) does not hear that a key could not be put: the buffer remembers. */
static int put(const char *bytes, size_t length, void *user)
{
    itemi_buf *buf = user;
    itemi_buf_add(buf, bytes, length);
    return buf->failed ? -1 : 0;
}

static char *dump(const itemi_mem *mem, const json_t *value, size_t flags)
{
    itemi_buf buf;
    itemi_buf_init(&buf, mem);
    if (!value || json_dump_callback(value, put, &buf, flags))
        buf.failed = true;
    return itemi_buf_take(&buf);
}

char *itemi_json_dump(const itemi_mem *mem, const json_t *value, size_t digits)
{
    return dump(mem, value, JSON_COMPACT | JSON_REAL_PRECISION(digits));
}

char *itemi_json_dump_lines(const itemi_mem *mem, const json_t *value)
{
    return dump(mem, value, JSON_INDENT(2) | JSON_REAL_PRECISION(ITEMI_DIGITS_REPORT));
}
