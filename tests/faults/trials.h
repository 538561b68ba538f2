/* SPDX-License-Identifier: Apache-2.0 */
/* Trying a call again and again, each time with another fault; and what must hold each time. */
#ifndef TEST_FAULTS_TRIALS_H
#define TEST_FAULTS_TRIALS_H

#include "../api/packs.h"
#include "faults.h"

#include <item/index.h>
#include <item/train.h>

#define RESULTS 3

/* What calls make. A failed one leaves the handles as they were. */
typedef struct outputs {
    item_config *config;
    item_ctx *ctx;
    item_cancel *cancel;
    item_image *image;
    item_result *result[RESULTS];
    item_dataset *data;
    item_report *report;
    item_pack *pack;
    item_index *index;
    item_phrases *phrases;
    const char *text; /* borrowed from one of the above */
    /* not handles */
    const char *file; /* name of a file that was written */
    float values[4096];
    size_t count; /* of values */
} outputs;

extern outputs out;

/* Of results caption, verdict and number of objects count: on libtorch the last digits hang on how
   a batch was taken apart, because there was no memory for all of it, and on the threads that a
   busy machine gave to a network that was opened anew. */
extern bool outputs_rounded;

/* A call that is tried. */
typedef struct phase {
    const char *name;
    void (*before)(void); /* makes what the call needs, without faults; or NULL */
    item_status (*call)(item_error *err);
    unsigned stride; /* by default each so many-th place alone is tried; 0: each */
    void (*after)(item_status status); /* looks at what was left behind; or NULL */
} phase;

/* A way in which the system refuses. */
typedef struct trouble {
    const char *name;
    fault_kind kind;
    int error;
    bool harmless; /* the answer must be the same nevertheless */
    bool once;     /* never twice: a caller would try for ever */
    bool always;   /* from the first call on, and no other way */
} trouble;

/* The ways in which memory ends. */
typedef enum memory_kind { MEMORY_HOST, MEMORY_MALLOC, MEMORY_WATCHED } memory_kind;

/* Set while phases run: their configurations and pictures take this allocator, or NULL. */
extern const item_allocator *the_allocator;

/*
 * Fails every allocation of the call, one after another, and all from each on. Complains of what
 * is wrong on stderr, and goes on.
 */
void try_memory(const phase *phases, size_t count, memory_kind kind);

/* Fails every call of the kind likewise; where no phase makes such a call, the test fails. */
void try_system(const phase *phases, size_t count, const trouble *t);

/* Totals for the last line. */
extern unsigned long faults_failed, faults_absorbed;
extern unsigned complaints;

/* ITEM_TEST_FAULTS=all: no stride. */
bool faults_all(void);

#endif
