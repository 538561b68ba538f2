/* SPDX-License-Identifier: Apache-2.0 */
/* From phrases to the detector's classes. */
#ifndef ITX_CLASSES_H
#define ITX_CLASSES_H

#include "nets.h"

typedef struct itx_classes {
    const item_services *s;
    itx_net *detector, *text;
    item_tokens *tokens;
} itx_classes;

typedef struct itx_match {
    float cosine;
    int32_t class;
} itx_match;

/* The class of each phrase, -1 for what the detector does not know. */
item_status itx_classes_find(const itx_classes *c, const item_call *call,
                             const char *const *phrases, size_t n, int32_t *classes,
                             item_error *err);

#endif
