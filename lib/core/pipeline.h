/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures on their way through the stages. A batch takes each stage in one call; when that
 * fails, it is repeated picture by picture, so that only the culprit fails.
 */
#ifndef ITEMI_PIPELINE_H
#define ITEMI_PIPELINE_H

#include "core/result.h"

/* One caption of a picture and all that follows from it. */
typedef struct itemi_reading {
    bool used;
    char *caption;
    double logprob, margin; /* NaN for a caller's */
    itemi_phrases phrases;
    itemi_box *objects; /* in pixels of the working picture, best first */
    size_t count;
    float *text;    /* vector of the caption */
    float *crops;   /* [count x width] */
    float *phrased; /* vectors of the objects' phrases, [count x width] */
    float *features;
} itemi_reading;

/* One picture. */
typedef struct itemi_work {
    const char *file;       /* name, or NULL */
    const char *caller;     /* the caller's caption, or NULL */
    item_image *image;      /* at its working size, once it is read */
    uint32_t width, height; /* of the upright picture */
    uint32_t work_width, work_height;
    itemi_reading readings[2];          /* of the model's caption, of the caller's */
    float *vector;                      /* of the whole picture */
    uint8_t pixels[ITEMI_SHA256_BYTES]; /* of `image`, where the context has a cache */
    bool has_plain; /* with a working size alone: without one a picture has any size */
    float plain[ITEM_PLAIN_NUMBERS];
    item_image *mirror; /* of `image`, for a view; or NULL */
    uint8_t mirror_pixels[ITEMI_SHA256_BYTES];
    itemi_extra extra; /* its layers also where a head reads them */
    item_timings times;
    itemi_lines warnings;
    item_provenance *provenance; /* of the file; only passed on, no stage looks at it */
    item_error err;              /* code ITEM_OK as long as nothing failed */
    bool named;                  /* err names the file already */
} itemi_work;

#define ITEMI_MODEL  0
#define ITEMI_CALLER 1

/* What a data set is made of beside answers. */
typedef struct itemi_wanted {
    bool named, prior, layers;
    uint32_t views; /* the first so many of the list in train.h */
} itemi_wanted;

/* The pictures that are worked on together, and what holds for all of them. */
typedef struct itemi_batch {
    item_ctx *ctx;
    itemi_call call;
    item_cancel *cancel;
    const item_check_options *options; /* checked */
    const itemi_wanted *wanted;        /* or NULL */
    uint32_t max_objects;
    char pipeline[ITEMI_PIPELINE_MAX]; /* captioner, detector, settings */
    itemi_work *works;
    size_t n;
    size_t width;      /* of the embedder's vectors; 0 without one */
    size_t layers;     /* numbers of inner layers; 0 where nobody reads them */
    itemi_lines lines; /* warnings of the call that runs now */
    double opening;    /* milliseconds for opening networks, which no picture is charged */
    bool broken;       /* the cache failed: no picture is to blame, and the call ends */
} itemi_batch;

/* Warns where a caller's caption hardly agrees with the picture, by the limit of the pack. */
void itemi_warn_inconsistent(itemi_batch *batch, itemi_work *work, double similarity);

/* The reading that similarity and evidence come from, and the one that the verdict rests on. */
const itemi_reading *itemi_work_shown(const itemi_work *work);
const itemi_reading *itemi_work_judged(const item_ctx *ctx, const itemi_work *work);

/*
 * Steps of a batch: works that have failed are left out, works that fail get their error.
 * Return a failure of the whole call alone: cancelled, or the cache failed.
 */
item_status itemi_batch_read(itemi_batch *batch, item_image *const *images, item_error *err);
item_status itemi_batch_caption(itemi_batch *batch, item_error *err);
item_status itemi_batch_detect(itemi_batch *batch, item_error *err);
item_status itemi_batch_layers(itemi_batch *batch, item_error *err); /* before vectors */
item_status itemi_batch_embed(itemi_batch *batch, item_error *err);
item_status itemi_batch_extras(itemi_batch *batch, item_error *err); /* after vectors */

/* The caller's options, checked; NULL gives the defaults. */
item_status itemi_options_in(const item_check_options *options, item_check_options *out,
                             item_error *err);

/*
 * Runs `step` on all works that have not failed; when it fails, on each of them alone. A step
 * leaves works as they were when it fails.
 */
typedef item_status (*itemi_step)(itemi_batch *batch, itemi_work **works, size_t n,
                                  item_error *err);
item_status itemi_batch_each(itemi_batch *batch, itemi_step step, size_t time_offset,
                             item_error *err);

/* As itemi_ctx_stage(); the time that it takes goes to batch->opening. */
item_status itemi_batch_stage(itemi_batch *batch, itemi_stage_kind kind, itemi_stage **out,
                              item_error *err);

/* item_check_files() with more in each result, for data sets; wanted: NULL for nothing. */
item_status itemi_check_files(item_ctx *ctx, const char *const *paths, size_t n,
                              const item_check_options *options, const itemi_wanted *wanted,
                              item_result **out, item_error *err);

void itemi_work_free(const itemi_mem *mem, itemi_work *work);

/* The finished result of a work, which gives what it holds; never NULL after ITEM_OK. */
item_status itemi_work_finish(itemi_batch *batch, itemi_work *work, item_result **out,
                              item_error *err);

#endif
