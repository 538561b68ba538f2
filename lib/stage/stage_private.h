/* SPDX-License-Identifier: Apache-2.0 */
/* Shared between the files of stage alone. */
#ifndef ITEMI_STAGE_PRIVATE_H
#define ITEMI_STAGE_PRIVATE_H

#include <stdatomic.h>

#include "stage/stage.h"

struct itemi_stage {
    const itemi_mem *mem;
    atomic_uint refs;
    itemi_stage_kind kind;
    bool serial, raw_boxes;
    pthread_mutex_t lock; /* held around calls of a serial backend */
    char *name, *id;
    void *self;
    void (*close)(void *self);
    void (*after)(void *user);
    void *after_user;
    union {
        item_captioner_ops captioner;
        item_detector_ops detector;
        item_embedder_ops embedder;
    } ops;
};

/*
 * One call of a backend: begin() takes the lock of a serial one and fills `call`; end() gives the
 * lock back and turns what the backend returned into a status and a message that names it.
 */
typedef struct itemi_entry {
    itemi_stage *stage;
    const itemi_call *host;
    item_call call;
    bool long_text; /* ITEM_E_LIMIT is passed on: it is of a text of the caller's */
    item_error err; /* the backend's own */
} itemi_entry;

item_status itemi_entry_begin(itemi_entry *entry, itemi_stage *stage, const itemi_call *host,
                              item_error *err);
item_status itemi_entry_end(itemi_entry *entry, item_status status, item_error *err);

/* By which a mean of log-probabilities may exceed 0. */
#define ITEMI_LOGPROB_ROUNDING 1e-6

/* ITEM_E_BACKEND, with the kind and name of the backend in front. */
item_status itemi_stage_lied(const itemi_stage *stage, item_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
