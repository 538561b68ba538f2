/* SPDX-License-Identifier: Apache-2.0 */
/* Packs for the fake engine, written for each test, with one thing wrong where asked. */
#ifndef TEST_API_PACKS_H
#define TEST_API_PACKS_H

#include "support.h"

/* What to change; NULL is the right value. Texts stand for JSON values of item.json. */
typedef struct pack_spec {
    const char *schema, *family, *width, *misbehave;
    const char *head;         /* file name in the pack; NULL: none */
    const char *weights_name; /* file that "weights" names */
    const char *sha256;       /* of the weights, without quotes */
    const char *bytes;        /* of the weights */
    const char *extra;        /* more members of the pack: ", \"key\": 1" */
    const char *stages;       /* all of "stages" */
    int sharded;              /* the weights are named by an index */
} pack_spec;

/* Writes the folder `name` and returns its path; free() it. */
char *write_pack(const char *name, const pack_spec *spec);

#endif
