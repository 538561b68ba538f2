/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small host for tests of the engine: services over the files of a pack's folder, with faults
 * on request. It has libitem's file, picture and text layers, and nothing of its core.
 */
#ifndef TEST_HOST_H
#define TEST_HOST_H

#include <item/sys/engine.h>
#include <stdatomic.h>

#include "files/files.h"
#include "image/image.h"
#include "text/text.h"

#define HOST_FILES 16

typedef struct host_file {
    char role[16], name[64];
    itemi_weights *open;
    unsigned users;
} host_file;

typedef struct host {
    item_services services;
    char folder[512];
    host_file files[HOST_FILES];
    size_t count;
    const char *precision;   /* "fp32" */
    const char *missing;     /* this tensor is not there */
    const char *reshaped;    /* this one has a row too many */
    const char *spoiled;     /* the first number of this one is none */
    const char *const *meta; /* keys and values that stand in place of the files', then NULL */
    const char *hash;        /* put before each file's hash, so that networks are not shared */
    itemi_file words;
    atomic_size_t blocks; /* of memory, still allocated */
    atomic_int memory;    /* so many blocks are given, then one is refused; below 0: all are */
} host;

/* Folder of the pack: ITEM_TEST_PACK, or packs/small; NULL where there is none. */
const char *host_pack(void);
/* Ends a test that needs what is not there. */
#define SKIP_UNLESS(there)                                                                         \
    do {                                                                                           \
        if (!(there)) {                                                                            \
            print_message("no weights in packs/small: skipped\n");                                 \
            skip();                                                                                \
        }                                                                                          \
    } while (0)

/* The roles of all three stages, as in the small pack. */
void host_init(host *h, const char *folder);
/* The file of a role. */
void host_set(host *h, const char *role, const char *name);
void host_end(host *h); /* fails the test if something was left open or allocated */

/* A call whose cancel flag and log are seen by the test. */
typedef struct call_state {
    item_call call;
    atomic_int cancel;
    atomic_int asked; /* how often cancelled() was called */
    int patience;     /* so often it says no, then yes; 0: as cancel says */
    int logged;
} call_state;
void call_init(call_state *c);

/* The engine, from the module that was built (environment ITEM_TEST_ENGINE). */
const item_engine_ops *host_engine(void);

typedef struct stages {
    host h;
    item_captioner_ops captioner;
    item_detector_ops detector;
    item_embedder_ops embedder;
    void *captioner_self, *detector_self, *embedder_self;
} stages;
/* Opens those that are asked for: "c", "d", "e", or more of them. */
item_status stages_open(stages *s, const char *folder, const char *which, item_error *err);
void stages_close(stages *s);

/* n pictures of a golden file's "pixels" tensor. */
size_t host_pictures(const char *golden, item_image **out, size_t room);
const char *host_golden(const char *name); /* path, static memory */

double now_ms(void);

#endif
