/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical composition (NFC) of one cluster of code points after another; shared within text. */
#ifndef ITEMI_TEXT_NFC_H
#define ITEMI_TEXT_NFC_H

#include "common/common.h"

/* A code point that nothing before it can change, and those behind it that may. */
typedef struct itemi_cluster {
    const itemi_mem *mem;
    uint32_t *codes;
    unsigned char *classes; /* combining classes, 0: starts a character */
    size_t count, capacity;
} itemi_cluster;

void itemi_cluster_init(itemi_cluster *cluster, const itemi_mem *mem);
void itemi_cluster_free(itemi_cluster *cluster);
/* Appends a code point, decomposed; false when memory is out. */
bool itemi_cluster_add(itemi_cluster *cluster, uint32_t code);
/* Orders the marks and composes; the cluster is then what NFC gives. False when memory is out. */
bool itemi_cluster_compose(itemi_cluster *cluster);

#endif
