/* SPDX-License-Identifier: Apache-2.0 */
/* Shared between head_*.c alone. */
#ifndef ITEMI_HEAD_PRIVATE_H
#define ITEMI_HEAD_PRIVATE_H

#include <jansson.h>

#include "core/head.h"
#include "files/files.h"

struct itemi_head {
    const itemi_mem *mem;
    itemi_head_facts facts;
    char *trained_on;  /* facts.trained_on points here */
    uint8_t *pictures; /* and facts.trained_pictures here, sorted, each once */
    itemi_mlp mlp;
};

/* Facts as a new JSON object; NULL: no memory. */
json_t *itemi_head_facts_dump(const itemi_head_facts *facts);
/*
 * Facts from the text of the metadata, checked one by one; `name` is for messages. trained_on is
 * a copy that belongs to the caller (*trained_on, itemi_free()), and so do the sources, also after
 * a failure (json_decref()).
 */
item_status itemi_head_facts_read(const itemi_mem *mem, const char *text, const char *name,
                                  itemi_head_facts *facts, char **trained_on, item_error *err);
/* Ranges and relations of facts; `name` is for messages. */
item_status itemi_head_facts_check(const itemi_head_facts *facts, const char *name,
                                   item_error *err);

/* ---- what a head was trained on (head_trained.c) ---- */

#define ITEMI_TRAINED_TENSOR "trained_pictures"

/* Takes pictures over, in any order and more than once each; false: no memory. */
bool itemi_head_remember(itemi_head *head, const uint8_t *pictures, size_t count);
/* From the file's tensor, where it has one; `name` is for messages. */
item_status itemi_head_read_trained(itemi_head *head, const itemi_safetensors *st, const char *name,
                                    item_error *err);

/* A tensor of float32 of the shape given (rows 0: a vector), finite; ITEM_E_FORMAT names it. */
item_status itemi_head_tensor(const itemi_safetensors *st, const char *file, const char *name,
                              uint64_t rows, uint64_t columns, float *out, item_error *err);

#define ITEMI_PLAIN_TENSORS 3
/* The rule on plain statistics: from the file, into the list of tensors (how many), and asked. */
item_status itemi_head_read_plain(itemi_head *head, const itemi_safetensors *st, const char *name,
                                  item_error *err);
size_t itemi_head_list_plain(const itemi_head *head, itemi_tensor *tensors);
bool itemi_head_finds_strange(const itemi_head *head, const float *plain);

/*
 * Verdict and reason of a judgement whose score and thresholds are set; distance: of the
 * normalised features. Training judges held-out scores by it.
 */
void itemi_head_decide(const itemi_head *head, const itemi_evidence *evidence, double distance,
                       itemi_judgement *judgement);

#endif
