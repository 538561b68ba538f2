/* SPDX-License-Identifier: Apache-2.0 */
/* A pack while it is made: what the files that make it share. */
#ifndef ITEMI_CREATE_H
#define ITEMI_CREATE_H

#include "core/published.h"

typedef struct itemi_making {
    const item_pack_parts *parts;
    char path[PATH_MAX];             /* of the pack, which does not exist yet */
    char folder[PATH_MAX];           /* in which it is made, beside */
    item_pack *source[ITEMI_STAGES]; /* or NULL */
    itemi_head *head;                /* or NULL */
    json_t *placed;                  /* {what is known of bytes: their entry in item.json} */
    json_t *root;                    /* item.json */
} itemi_making;

/* The model card, to be filled in; free with itemi_free(NULL). NULL: no memory. */
char *itemi_making_card(const itemi_making *m);

#endif
