/* SPDX-License-Identifier: Apache-2.0 */
/* Results as they are filled by the pipeline and by single stages; unchanged afterwards. */
#ifndef ITEMI_RESULT_H
#define ITEMI_RESULT_H

#include <item/provenance.h>

#include "core/core.h"

#define ITEMI_TEXTS (ITEM_TEXT_EMBEDDER + 1)

typedef struct itemi_object {
    char *phrase;
    uint32_t phrase_index;
    double box[4]; /* in pixels of the upright picture */
    double score, similarity, contribution;
} itemi_object;

/* Lines that came up on the way. */
typedef struct itemi_lines {
    char **items;
    size_t count;
    bool lost; /* a line found no memory: what they belong to fails */
} itemi_lines;

/* What data sets want of a picture beside its answer (extras.c). */
typedef struct itemi_extra {
    uint8_t picture[ITEMI_SHA256_BYTES]; /* hash of the upright pixels */
    float *layers;                       /* of the picture network, or NULL */
    float *views;                        /* [views x width], or NULL */
    float *named; /* of all phrases of the caption [names x width], or NULL */
    size_t layer_count, names;
    double prior; /* log-probability of the caption without the picture; NaN: not known */
} itemi_extra;

struct item_result {
    itemi_mem mem; /* a copy: results outlive their context */
    atomic_uint refs;
    item_error error; /* code ITEM_OK, or why the picture failed */
    char *text[ITEMI_TEXTS];
    item_result_summary summary;
    itemi_object *objects; /* summary.objects of them */
    size_t width;          /* of the vectors */
    float *features;
    size_t feature_count;
    float *image_vector, *text_vector;    /* [width] or NULL */
    float *crop_vectors, *phrase_vectors; /* [objects x width] or NULL */
    int32_t *tokens;                      /* of the caption, or NULL */
    size_t token_count;
    bool has_plain;
    float plain[ITEM_PLAIN_NUMBERS];
    itemi_extra extra;
    item_timings timings;
    itemi_lines warnings;
    item_provenance *provenance; /* or NULL */
    _Atomic(char *) json;        /* made at the first call */
};

/* With every number NaN, verdict and reason none, and no text. NULL: no memory. */
item_result *itemi_result_new(const itemi_mem *mem);
void itemi_summary_init(item_result_summary *summary);
void itemi_summary_judge(item_result_summary *summary, const itemi_judgement *judgement);
/* Sets a text; false: no memory. */
bool itemi_result_set_text(item_result *result, int32_t which, const char *text);
void itemi_lines_add(const itemi_mem *mem, itemi_lines *lines, const char *text);
void itemi_lines_free(const itemi_mem *mem, itemi_lines *lines);

#endif
