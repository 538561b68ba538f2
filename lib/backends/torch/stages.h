/* SPDX-License-Identifier: Apache-2.0 */
/* The three stages of the engine, and what they share. */
#ifndef ITX_STAGES_H
#define ITX_STAGES_H

#include "nets.h"

/* As in item_engine_ops; ops have the size of this engine's headers. */
item_status itx_open_captioner(const item_services *s, const char *family, item_captioner_ops *ops,
                               void **self, item_error *err);
item_status itx_open_detector(const item_services *s, const char *family, item_detector_ops *ops,
                              void **self, item_error *err);
item_status itx_open_embedder(const item_services *s, const char *family, item_embedder_ops *ops,
                              void **self, item_error *err);

/* ---- helpers (stages.c) ---- */

/* ITEM_E_UNSUPPORTED unless the family is the one that is known. */
item_status itx_family(const char *family, const char *known, item_error *err);
/* "family torch-1.13.0 fp32 hash hash hash": what answers depend on; the last may be NULL */
void itx_identify(char *out, size_t room, const char *family, const itx_net *a, const itx_net *b,
                  const itx_net *c);
/* A whole number of the configuration, 1 to limit. */
size_t itx_config_count(const item_services *s, const char *key, double fallback, size_t limit);
/* The whole picture for a network; asks for a cancel first. */
item_status itx_read_whole(const itx_pixels *p, const item_services *s, const item_call *call,
                           const item_image *image, float *out, item_error *err);

#endif
