/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a data set: what its writer and its reader share. */
#ifndef ITEMI_TRAIN_STORE_H
#define ITEMI_TRAIN_STORE_H

#include "files/files.h"
#include "train/data.h"

#define ITEMI_DATASET_META "item_dataset" /* key of the metadata */
/*
 * 1: without picture, caption, caption_prior, named, views and layers; 2: without plain. Both are
 * still read.
 */
#define ITEMI_DATASET_FORMAT 3

/* The records, turned into columns. */
typedef struct itemi_columns {
    size_t count;
    uint8_t *label, *flags, *picture;
    int32_t *objects, *picture_width, *picture_height, *name, *source, *generator, *scene;
    int32_t *caption, *named_count;
    int64_t *file_bytes;
    double *caption_logprob, *caption_prior;
    float *plain;
} itemi_columns;

typedef struct itemi_column {
    const char *name;
    itemi_dtype dtype;
    size_t offset;   /* of the pointer in itemi_columns */
    size_t width;    /* values a row; 0: one, in a tensor of one dimension */
    uint32_t format; /* that brought it */
} itemi_column;

#define ITEMI_COLUMNS 16
extern const itemi_column itemi_column_list[ITEMI_COLUMNS];

/* Where the values of a column are. */
void *itemi_column_data(const itemi_columns *c, size_t i);
/* Memory for every column, all zeros; false: there is none. itemi_columns_free() either way. */
bool itemi_columns_reserve(itemi_columns *c, size_t count);
void itemi_columns_free(itemi_columns *c);

#endif
