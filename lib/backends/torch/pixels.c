/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures as networks want them: resized by the host, normalised here. */
#include "engine.h"

void itx_pixels_init(itx_pixels *p, uint32_t edge, int32_t filter, const double mean[3],
                     const double deviation[3])
{
    p->edge = edge;
    p->filter = filter;
    for (int c = 0; c < 3; c++) {
        p->source[c] = c;
        for (int v = 0; v < 256; v++)
            p->value[c][v] = (float)((v / 255.0 - mean[c]) / deviation[c]);
    }
}

size_t itx_pixels_count(const itx_pixels *p)
{
    return (size_t)p->edge * p->edge * 3;
}

item_status itx_pixels_read(const itx_pixels *p, const item_services *s, const item_image *image,
                            const double box[4], float *out, item_error *err)
{
    const size_t count = itx_pixels_count(p);
    uint8_t *bytes = s->allocate(s->host, count);
    if (!bytes)
        return itx_fail_memory(err, "resizing a picture");
    const item_status status =
        s->resize(s->host, image, box, p->filter, p->edge, p->edge, bytes, err);
    for (size_t i = 0; status == ITEM_OK && i < count; i += 3)
        for (size_t c = 0; c < 3; c++)
            out[i + c] = p->value[c][bytes[i + (size_t)p->source[c]]];
    s->release(s->host, bytes);
    return status;
}
