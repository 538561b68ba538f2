/* SPDX-License-Identifier: Apache-2.0 */
/* What captioner, detector and embedder share. */
#include "stages.h"

#include <stdio.h>
#include <string.h>

item_status itx_fail_family(item_error *err, const char *family, const char *known)
{
    return itx_fail(err, ITEM_E_UNSUPPORTED,
                    "the torch engine knows no family \"%.48s\" here, but %s", family ? family : "",
                    known);
}

void itx_identify(char *out, size_t room, const char *family, const itx_net *a, const itx_net *b,
                  const itx_net *c)
{
    (void)snprintf(out, room, "%s torch-%s %s %.64s %.64s %.64s", family, itx_torch_version(),
                   itx_net_precision(a), itx_net_hash(a), b ? itx_net_hash(b) : "",
                   c ? itx_net_hash(c) : "");
}

size_t itx_config_count(const item_services *s, const char *key, double fallback, size_t limit)
{
    const double value = itx_config(s, key, fallback);
    if (!(value >= 1.0))
        return 1;
    return value < (double)limit ? (size_t)value : limit;
}

item_status itx_open_tokenizer(const item_services *s, int64_t words, item_tokens **out,
                               item_error *err)
{
    item_status status = s->tokens_open(s->host, "tokenizer", out, err);
    if (status != ITEM_OK)
        return status;
    const int32_t ids = s->tokens_size(*out);
    if (ids > words)
        return itx_fail(err, ITEM_E_PACK, "the tokenizer has %d ids, the network %d words",
                        (int)ids, (int)words);
    return ITEM_OK;
}

item_status itx_read_whole(const itx_pixels *p, const item_services *s, const item_call *call,
                           const item_image *image, float *out, item_error *err)
{
    uint32_t width = 0, height = 0;
    if (itx_cancelled(call))
        return itx_fail(err, ITEM_E_CANCELLED, "cancelled");
    s->image_size(image, &width, &height);
    const double box[4] = {0.0, 0.0, (double)width, (double)height};
    return itx_pixels_read(p, s, image, box, out, err);
}
