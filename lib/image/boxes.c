/* SPDX-License-Identifier: Apache-2.0 */
/* Boxes; see boxes.h. */
#include <string.h>

#include "image/boxes.h"

uint64_t itemi_take(itemi_span *s, unsigned bytes)
{
    uint64_t value = 0;
    if (bytes > s->left) {
        s->left = 0;
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | s->at[i];
    s->at += bytes;
    s->left -= bytes;
    return value;
}

bool itemi_next_box(itemi_span *from, char type[4], itemi_span *content)
{
    if (from->left < 8)
        return false;
    const size_t all = from->left;
    uint64_t length = itemi_take(from, 4);
    memcpy(type, from->at, 4);
    (void)itemi_take(from, 4);
    if (length == 1 && from->left >= 8)
        length = itemi_take(from, 8);
    const size_t head = all - from->left;
    if (length == 0 || length > all)
        length = all; /* up to the end */
    if (length < head)
        return false;
    *content = (itemi_span){from->at, (size_t)length - head};
    from->at += content->left;
    from->left -= content->left;
    return true;
}
