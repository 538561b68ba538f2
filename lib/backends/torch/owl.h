/* SPDX-License-Identifier: Apache-2.0 */
/* The detectors "owlvit" and "owlv2": network, phrases, boxes. */
#ifndef ITX_OWL_H
#define ITX_OWL_H

#include "stages.h"

/* ---- the network (owl.c) ---- */

typedef struct itx_owl_facts {
    itx_vit_facts vision;
    itx_clip_text_facts text;
    int64_t second; /* 1: OWLv2 */
} itx_owl_facts;

typedef struct itx_owl {
    itx_owl_facts facts;
    itx_vit vision;
    itx_clip_text text;
    itx_affine projection; /* of texts */
    itx_affine norm, vector, shift_scale, box[3];
    float *bias; /* of boxes: four numbers a place, by where it lies */
} itx_owl;

extern const itx_kind itx_owl_kind;

item_status itx_owl_read(itx_owl_facts *facts, const item_services *s, bool second,
                         item_error *err);
/* -> [texts, width], of length 1 */
itx_tensor *itx_owl_texts(itx_run *run, const itx_owl *o, const itx_tokens_row *row);

/* What is seen in n pictures, at each place. */
typedef struct itx_owl_seen {
    itx_tensor *vectors;     /* [n, places, width], of length 1 */
    itx_tensor *shift_scale; /* [n, places, 2] */
    itx_tensor *boxes;       /* [n, places, 4] */
} itx_owl_seen;

itx_owl_seen itx_owl_look(itx_run *run, const itx_owl *o, const float *pixels, size_t n);

/* ---- phrases (owltexts.c) ---- */

#define ITX_OWL_PHRASES 512 /* that are remembered between calls */

typedef struct itx_owl_memory itx_owl_memory;

itx_owl_memory *itx_owl_memory_new(const item_services *s); /* NULL when memory ends */
void itx_owl_memory_free(itx_owl_memory *m);

/* What is asked of the text side. */
typedef struct itx_owl_reader {
    const item_services *s;
    const itx_net *net;
    item_tokens *tokens;
    itx_owl_memory *memory;
} itx_owl_reader;

/* Vectors of n phrases, each computed once; out: n rows. */
item_status itx_owl_phrases(const itx_owl_reader *r, const item_call *call,
                            const char *const *phrases, size_t n, float *out, item_error *err);

/* ---- boxes (owlboxes.c) ---- */

/* The raw numbers of one picture. */
typedef struct itx_owl_raw {
    size_t places, queries;
    const float *cosines;     /* [places x queries] */
    const float *shift_scale; /* [places x 2] */
    const float *boxes;       /* [places x 4] */
    const float *bias;        /* [places x 4] */
    float scale[2];           /* pixels of the whole width and height that the network saw */
} itx_owl_raw;

typedef struct itx_owl_box {
    size_t query;
    double corners[4];
    float score;
} itx_owl_box;

void itx_owl_bias(float *out, int64_t side);
/* The best query of each place, where its score is above `least`, place after place; out has room
   for every place. Sets *finite to false where a number is none. */
size_t itx_owl_boxes(const itx_owl_raw *raw, double least, itx_owl_box *out, bool *finite);
/* Of these the best `most` of each query, best first, cut to the picture; returns how many. */
size_t itx_owl_best(itx_owl_box *boxes, size_t n, size_t most, const double size[2]);

/* ---- the stage (owldetect.c) ---- */

item_status itx_open_owl(const item_services *s, bool second, item_detector_ops *ops, void **self,
                         item_error *err);

#endif
