/* SPDX-License-Identifier: Apache-2.0 */
/* Files, contexts and data sets that the tries share, and the calls that several programs try. */
#ifndef TEST_FAULTS_WORLD_H
#define TEST_FAULTS_WORLD_H

#include "trials.h"

typedef struct world {
    char *pictures[2];   /* PNG files */
    char *broken;        /* a picture file that is none */
    char *head;          /* of the dummies' embedder */
    char *pack;          /* for the fake engine, with a head */
    char *model, *made;  /* a published model; where the tries make packs */
    char *set, *list;    /* folder of pictures by label and source; CSV file of the same */
    char *data, *saved;  /* a data set that was saved; where the tries save theirs */
    char *written;       /* where the tries write heads */
    char *cache, *index; /* where they keep answers */
    item_image *image;
    item_ctx *ctx;       /* of dummies, with a head, used before */
    item_ctx *pack_ctx;  /* of the pack, used before */
    item_dataset *train; /* six sources' worth of vectors */
    item_report *report; /* of a training */
} world;

extern world w;

/* Without a context when that is not asked for. */
void world_make(void);
/* Contexts of the allocator that is set now. */
void world_open(void);
void world_close(void);
void world_free(void);

/* A configuration of the dummies, with the head and the allocator that is set. */
item_config *world_config(bool dummies);

#endif
