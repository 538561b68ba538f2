/* SPDX-License-Identifier: Apache-2.0 */
/* What `memory` consists of: the kernel's account of a process, a model in use, a model made. */
#ifndef ITEM_TEST_MEMORY_H
#define ITEM_TEST_MEMORY_H

#include <item/item.h>

/* Memory of this process by the kernel's own account, in MB of a million bytes. */
typedef struct account {
    double resident;  /* all that lies in memory */
    double anonymous; /* of it what is no page of a file */
    double weights;   /* of it what are pages of files of weights */
    double share;     /* these, with pages that others have as well divided among all */
} account;

/* Ends with 77 where this system does not tell. */
account account_read(void);
/* From now on account_peak() is the most that was resident since. */
void account_reset_peak(void);
double account_peak(void);

/* A published model with its networks loaded. Both end the program with the reason where they fail. */
item_ctx *model_open(const char *folder, const char *precision);
/* One call of each stage that the model has, so that all its weights are read. */
void model_use(item_ctx *ctx);

/* MB of *.safetensors and *.bin in a folder. */
double model_weights(const char *folder);

/*
 * Writes a CLIP of 12 layers, 72 million random weights and the vocabulary of the tiny model
 * `tokens` to a new folder below `place`, and gives its name: twice at most. `half`: weights in
 * fp16. The folders are removed when the process exits, unless it is a child that disowned them.
 */
const char *model_make(const char *place, const char *tokens, int half);
void model_disown(void);

#endif
