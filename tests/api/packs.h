/* SPDX-License-Identifier: Apache-2.0 */
/* Packs for the fake engine, written for each test, with one thing wrong where asked. */
#ifndef TEST_API_PACKS_H
#define TEST_API_PACKS_H

#include "support.h"

/* What to change; NULL is the right value. Texts stand for JSON values of item.json. */
typedef struct pack_spec {
    const char *schema, *family, *width, *misbehave;
    const char *head;             /* file name in the pack; NULL: none */
    const char *weights_name;     /* file that "weights" names */
    const char *sha256;           /* of the weights, without quotes */
    const char *bytes;            /* of the weights */
    const char *extra;            /* more members of the pack: ", \"key\": 1" */
    const char *stages;           /* all of "stages" */
    const char *least_similarity; /* of the embedder; NULL: not there */
    int sharded;                  /* the weights are named by an index */
} pack_spec;

/* Writes the folder `name` and returns its path; free() it. */
char *write_pack(const char *name, const pack_spec *spec);

/* A file of a folder, with its text. */
typedef struct piece {
    const char *name, *text;
} piece;

/* What a published CLIP has, as far as can be told without opening it. */
#define CLIP_CONFIG                                                                                \
    {                                                                                              \
        "config.json", "{\"model_type\": \"clip\", \"projection_dim\": 24}"                        \
    }
#define BYTE_PAIRS                                                                                 \
    {"vocab.json", "{}"},                                                                          \
    {                                                                                              \
        "merges.txt", "#version: 0.2\n"                                                            \
    }
#define WEIGHTS                                                                                    \
    {                                                                                              \
        "model.safetensors", "weights"                                                             \
    }

/* A new folder of that name, behind a number, with the files in it. The last piece has no name. */
char *write_folder(const char *name, const piece *pieces);
/* A file of so many bytes that holds one tensor of zeros, over what is there. */
void write_one_tensor(const char *path, size_t size);
char *path_in(const char *folder, const char *name);

#endif
