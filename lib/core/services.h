/* SPDX-License-Identifier: Apache-2.0 */
/* The host of an opened stage, and the services that it offers, by subject. */
#ifndef ITEMI_SERVICES_H
#define ITEMI_SERVICES_H

#include "core/core.h"

/* A file whose bytes a stage has asked for; kept until the stage is closed. */
typedef struct itemi_bytes {
    struct itemi_bytes *next;
    const char *role;
    itemi_file file;
} itemi_bytes;

/* A JSON file of the stage; root NULL: the stage has none of that role. */
typedef struct itemi_document {
    const char *role;
    json_t *root;
} itemi_document;

#define ITEMI_DOCUMENTS 3

/* The host of one opened stage. */
typedef struct itemi_host {
    item_ctx *ctx; /* outlives the stage, which it owns */
    itemi_stage_kind kind;
    const itemi_pack_stage *entry;
    pthread_mutex_t lock; /* of `bytes` */
    itemi_bytes *bytes;
    itemi_document documents[ITEMI_DOCUMENTS];
    const item_cancel *cancel; /* of the call that opens the stage */
    item_services services;
} itemi_host;

/* The stage's file of that role, or ITEM_E_PACK. */
item_status itemi_host_role(const itemi_host *h, const char *role, const itemi_pack_file **out,
                            item_error *err);

/* Each fills in the services of its subject. */
void itemi_host_weights(item_services *services);
void itemi_host_files(item_services *services);
void itemi_host_tokens(item_services *services);
void itemi_host_pictures(item_services *services);
/* Reads the stage's JSON files, so that what is wrong with them is told at once. */
item_status itemi_host_read_documents(itemi_host *h, item_error *err);
void itemi_host_free_files(itemi_host *h);

#endif
