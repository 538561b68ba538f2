/* SPDX-License-Identifier: Apache-2.0 */
/* A data set on its way from pictures: shared by the files that make it and look for doublets. */
#ifndef ITEMI_TRAIN_EXTRACT_H
#define ITEMI_TRAIN_EXTRACT_H

#include "core/pipeline.h"
#include "train/data.h"

typedef struct itemi_extraction {
    item_ctx *ctx;
    const item_extract_options *options;
    itemi_wanted wanted;
    itemi_manifest manifest;
    size_t rows; /* those of the split; the others stand behind them */
    item_dataset *data;
    const itemi_manifest_row **from; /* [rows]: where each row of the data comes from */
} itemi_extraction;

/*
 * Before networks run: files that are there twice, told by their bytes, and sources in several
 * splits, which is noted. Twice in different splits or with both labels is ITEM_E_FORMAT.
 */
item_status itemi_check_manifest(itemi_extraction *x, const char *manifest, item_error *err);
/* The same of the pictures' pixels, when all are known; those that may be there twice are noted. */
item_status itemi_check_pictures(itemi_extraction *x, const char *manifest, item_error *err);

/* Bytes of a regular file; 0: there is none, or nothing in it. */
uint64_t itemi_file_bytes(const char *path);

#endif
