/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Data sets of pictures for training, calibrating and evaluating heads.
 *
 * A data set holds, for each picture, the unit vectors that misalignment is computed from, so
 * that every layout of features can be tried without running a network again. Name the sources:
 * a head that merely knows sources looks good until it meets a new one.
 *
 *     item_extract_options how = ITEM_EXTRACT_OPTIONS_INIT;
 *     how.split = "train";
 *     if (item_dataset_extract(ctx, "manifest.csv", &how, &data, &err) == ITEM_OK &&
 *         item_dataset_save(data, "train.safetensors", &err) == ITEM_OK)
 *         puts("kept");
 *     item_dataset_free(data);
 */
#ifndef ITEM_DATASET_H
#define ITEM_DATASET_H

#include <item/context.h>
#include <math.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Pictures as unit vectors, with label, source, generator and scene. One thread at a time. */
typedef struct item_dataset item_dataset;

#define ITEM_LABEL_REAL 0u /**< a photograph */
#define ITEM_LABEL_AI   1u /**< AI-generated */

/** Facts of a data set; for item_dataset_new() the counts stay 0. */
typedef struct item_dataset_info {
    uint32_t struct_size;       /**< set by ITEM_DATASET_INFO_INIT */
    uint32_t width;             /**< of the vectors */
    uint32_t working_size;      /**< short side to which pictures were brought, pixels; 0: none */
    uint32_t callers_captions;  /**< 1: text vectors are those of callers' captions */
    const char *embedder;       /**< its identity: a head refuses every other one */
    const char *working_filter; /**< "bilinear", "bicubic" or "lanczos"; NULL: lanczos */
    uint64_t rows;              /**< pictures */
    uint64_t ai;                /**< pictures with the label ai */
    uint64_t real;              /**< pictures with the label real */
    uint64_t sources;           /**< how many different ones */
    uint64_t failed;            /**< pictures that could not be read, and were left out */
    const char *pipeline;       /**< captioner, detector, settings: pictures that are looked at in
                                   another way are `unsure` for the head; NULL: not known */
    /* since 0.2 */
    uint32_t views;  /**< views of each picture, 0 to ITEM_VIEWS_MAX: see item_extract_options */
    uint32_t layers; /**< numbers of the picture encoder's inner layers, 0 to 262,144 */
} item_dataset_info;

#define ITEM_VIEWS_MAX 15 /**< views of a picture at most */

/** Start value of item_dataset_info: nothing known. */
#define ITEM_DATASET_INFO_INIT                                                                     \
    {                                                                                              \
        sizeof(item_dataset_info), 0, 0, 0, NULL, NULL, 0, 0, 0, 0, 0, NULL, 0, 0                  \
    }

#define ITEM_ROW_CAPTION_EMPTY   1u /**< flag: the captioner said nothing */
#define ITEM_ROW_CAPTION_LOOPING 2u /**< flag: the caption repeats itself */

/** One picture of a data set. Texts may be NULL: not known. */
typedef struct item_row {
    uint32_t struct_size;    /**< set by ITEM_ROW_INIT */
    uint32_t label;          /**< ITEM_LABEL_... */
    uint32_t flags;          /**< ITEM_ROW_... */
    uint32_t objects;        /**< number of crops and phrases */
    uint32_t picture_width;  /**< of the upright picture, pixels; 0: not known */
    uint32_t picture_height; /**< likewise */
    uint64_t file_bytes;     /**< size of its file; 0: not known */
    double caption_logprob;  /**< mean log-probability of a token; NaN: not known */
    const float *image;      /**< unit vector of the whole picture [width] */
    const float *text;       /**< unit vector of the caption [width] */
    const float *crops;      /**< unit vectors of the objects' crops [objects x width] */
    const float *phrases;    /**< unit vectors of the objects' phrases [objects x width] */
    const char *name;        /**< of the picture, such as its path */
    const char *source;      /**< where it comes from: a site, a collection */
    const char *generator;   /**< what made it; "unknown" counts as not known */
    const char *scene;       /**< a prompt or a scene that several pictures share */
    /* since 0.2 */
    uint32_t named;         /**< noun phrases of the caption, found in the picture or not */
    uint32_t reserved;      /**< 0 */
    double caption_prior;   /**< as caption_logprob, of the same caption when the captioner sees no
                                picture; 0 or NaN: not known, which is given as NaN */
    const char *caption;    /**< what the captioner said */
    const uint8_t *picture; /**< ITEM_PICTURE_HASH bytes: the first of the SHA-256 of width and
                                height (4 bytes each, the low one first) and the upright pixels (R,
                                G, B, row by row); NULL or zeros: not known */
    const float
        *named_phrases;  /**< unit vectors of these phrases, in their order [named x width] */
    const float *views;  /**< unit vectors of the picture's views [info.views x width] */
    const float *layers; /**< of the picture encoder's inner layers [info.layers] */
    const float *plain;  /**< plain statistics [ITEM_PLAIN_NUMBERS]; NULL or NaN: not known */
} item_row;

#define ITEM_PICTURE_HASH 16 /**< bytes of item_row.picture */

/** Start value of item_row: nothing known. */
#define ITEM_ROW_INIT                                                                              \
    {                                                                                              \
        sizeof(item_row), 0, 0, 0, 0, 0, 0, NAN, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,   \
            0, 0, 0.0, NULL, NULL, NULL, NULL, NULL, NULL                                          \
    }

/**
 * Makes an empty data set.
 *
 * @param info  width, embedder and working size; counts are 0
 * @param out   receives the data set; release with item_dataset_free()
 * @param err   receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_MEMORY
 * Owner: caller; texts are copied.  Threads: any.  Since: 0.1
 */
ITEM_API item_status item_dataset_new(const item_dataset_info *info, item_dataset **out,
                                      item_error *err);

/**
 * Frees a data set.
 *
 * @param data  data set; NULL is ignored
 * Threads: any.  Since: 0.1
 */
ITEM_API void item_dataset_free(item_dataset *data);

/**
 * Adds a picture.
 *
 * @param data  data set
 * @param row   the picture; vectors and texts are copied. It may be a row of this very set
 * @param err   receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT (no label, a vector that is missing or not of unit
 *         length), ITEM_E_MEMORY
 * Owner: the data set keeps copies.  Threads: one at a time.  Since: 0.1
 */
ITEM_API item_status item_dataset_add(item_dataset *data, const item_row *row, item_error *err);

/**
 * A picture of a data set.
 *
 * @param data   data set
 * @param index  0 to info.rows - 1
 * @param row    ITEM_ROW_INIT; receives the picture, texts that are not known as ""
 * @param err    receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT
 * Owner: vectors and texts are the data set's, until it changes.  Threads: any number
 * while nobody changes it.  Since: 0.1
 */
ITEM_API item_status item_dataset_get(const item_dataset *data, uint64_t index, item_row *row,
                                      item_error *err);

/**
 * Facts and counts of a data set.
 *
 * @param data  data set
 * @param info  ITEM_DATASET_INFO_INIT; receives the facts
 * @param err   receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT
 * Owner: texts are the data set's.  Threads: any number while nobody changes it.  Since: 0.1
 */
ITEM_API item_status item_dataset_get_info(const item_dataset *data, item_dataset_info *info,
                                           item_error *err);

/**
 * Takes out every picture with a value in a column, for instance a source that trained the
 * captioner.
 *
 * @param data     data set
 * @param column   "source", "generator", "scene", "name" or "label" ("ai", "real")
 * @param value    text that must be equal
 * @param removed  receives how many pictures went; may be NULL
 * @param err      receives the reason of a failure; may be NULL
 * @return ITEM_OK (even if none went), ITEM_E_ARGUMENT
 * Threads: one at a time.  Since: 0.1
 */
ITEM_API item_status item_dataset_remove(item_dataset *data, const char *column, const char *value,
                                         uint64_t *removed, item_error *err);

/**
 * Reads a data set that item_dataset_save() wrote.
 *
 * @param path  file name
 * @param out   receives the data set; release with item_dataset_free()
 * @param err   receives the reason of a failure, with the file; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_IO, ITEM_E_FORMAT, ITEM_E_LIMIT,
 *         ITEM_E_UNSUPPORTED (a newer format), ITEM_E_MEMORY
 * Owner: caller.  Threads: any.  Since: 0.1
 */
ITEM_API item_status item_dataset_load(const char *path, item_dataset **out, item_error *err);

/**
 * Writes a data set as a safetensors file. Texts stand in the tensor `texts`, each ended by a
 * zero byte; `source`, `generator`, `scene`, `name` and `caption` count them from 0.
 *
 * @param data  data set
 * @param path  file name; the file appears whole or not at all
 * @param err   receives the reason of a failure, with the file; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_IO, ITEM_E_MEMORY
 * Threads: any number while nobody changes it.  Since: 0.1
 */
ITEM_API item_status item_dataset_save(const item_dataset *data, const char *path, item_error *err);

#define ITEM_EXTRACT_NAMED 1u /**< vectors of all phrases of the caption */
#define ITEM_EXTRACT_PRIOR                                                                         \
    2u /**< likelihood of the caption without the picture, if the captioner
                                    can tell it */
#define ITEM_EXTRACT_LAYERS                                                                        \
    4u                      /**< inner layers of the picture encoder, if the embedder gives any */
#define ITEM_EXTRACT_ALL 7u /**< all of these */

/**
 * Settings of item_dataset_extract().
 *
 * Views are the first ones of one list, as parts of the picture's width and height: 1 the whole,
 * mirrored left to right; 2 the middle, 3/4 of each side; 3 to 6 quarters that overlap, 5/8 of each
 * side, at the left and the right above, then below; 7 to 15 the cells of a grid of three by three,
 * row by row from the left above.
 */
typedef struct item_extract_options {
    uint32_t struct_size;      /**< set by ITEM_EXTRACT_OPTIONS_INIT */
    uint32_t max_failures;     /**< pictures that may fail before the call does */
    const char *split;         /**< rows of this split only; NULL: all */
    item_cancel *cancel;       /**< NULL: cannot be cancelled */
    item_progress_fn progress; /**< NULL: none; counts pictures */
    void *progress_user;       /**< first argument of progress */
    /* since 0.2 */
    uint32_t columns; /**< ITEM_EXTRACT_..., joined by |; 0: none of these */
    uint32_t views;   /**< 0 to ITEM_VIEWS_MAX: the first so many of the list above */
} item_extract_options;

/** Start value of item_extract_options: every default. */
#define ITEM_EXTRACT_OPTIONS_INIT                                                                  \
    {                                                                                              \
        sizeof(item_extract_options), 100, NULL, NULL, NULL, NULL, 0, 0                            \
    }

/**
 * Makes a data set of pictures: runs captioner, detector and embedder of a context over them.
 * A picture that fails is left out and named by item_dataset_warning(); want of memory fails the
 * call. Captions are the captioner's: prompts, which only generated pictures have, would give the
 * label away. A picture that is there twice is named by item_dataset_notice(); in two splits of the
 * manifest, or with both labels, it is refused (other splits: by the files' bytes).
 *
 * With the option `cache` of item_config_set() a call that was ended, in any way, goes on where it
 * was, and one that wants more columns computes these alone.
 *
 * @param ctx       context with all three stages; a head is not needed
 * @param manifest  CSV file with columns path, label (ai, real) and, if known, generator,
 *                  source, split, prompt; or a folder with ai/ and real/ in it, whose
 *                  subfolders are sources
 * @param options   settings; NULL for the defaults
 * @param out       receives the data set; release with item_dataset_free()
 * @param err       receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_IO, ITEM_E_FORMAT, ITEM_E_LIMIT (more than
 *         max_failures pictures failed, or a line of more than 1 MiB), ITEM_E_MEMORY,
 *         ITEM_E_CANCELLED, or what the stages return
 * Owner: caller.  Threads: any number on one context.  Since: 0.1
 */
ITEM_API item_status item_dataset_extract(item_ctx *ctx, const char *manifest,
                                          const item_extract_options *options, item_dataset **out,
                                          item_error *err);

/**
 * Makes a data set as item_dataset_extract() does, of files that share a label: photographs for
 * item_calibrate(). The source of each picture is the name of its folder.
 *
 * @param ctx      context with all three stages; with the head that the pictures are for, as it
 *                 says to which size they are brought
 * @param paths    names of picture files
 * @param count    how many, 1 at least
 * @param label    ITEM_LABEL_...
 * @param options  settings; NULL for the defaults
 * @param out      receives the data set; release with item_dataset_free()
 * @param err      receives the reason of a failure; may be NULL
 * @return as item_dataset_extract()
 * Owner: caller; names are copied.  Threads: any number on one context.  Since: 0.2
 */
ITEM_API item_status item_dataset_extract_files(item_ctx *ctx, const char *const *paths,
                                                size_t count, uint32_t label,
                                                const item_extract_options *options,
                                                item_dataset **out, item_error *err);

/**
 * Why a picture was left out by item_dataset_extract() or item_dataset_extract_files().
 *
 * @param data   data set
 * @param index  from 0
 * @return one line with the file, or NULL when there are not that many
 * Owner: the data set.  Threads: any number while nobody changes it.  Since: 0.1
 */
ITEM_API const char *item_dataset_warning(const item_dataset *data, uint32_t index);

/**
 * What else should be known of the pictures of item_dataset_extract(): one that is there twice, a
 * source that is in several splits.
 *
 * @param data   data set
 * @param index  from 0
 * @return one line, or NULL when there are not that many
 * Owner: the data set.  Threads: any number while nobody changes it.  Since: 0.2
 */
ITEM_API const char *item_dataset_notice(const item_dataset *data, uint32_t index);

#ifdef __cplusplus
}
#endif
#endif
