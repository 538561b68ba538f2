/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Training, calibrating and evaluating heads.
 *
 * A data set holds, for each picture, the unit vectors that misalignment is computed from, so
 * that every layout of features can be tried without running a network again. Name the sources:
 * a head that merely knows sources looks good until it meets a new one. Everything that is
 * learnt, scaling included, is learnt inside of a fold; calibration rests on pictures of sources
 * that were not trained on, wherever the data set has enough sources.
 *
 *     item_extract_options how = ITEM_EXTRACT_OPTIONS_INIT;
 *     how.split = "train";
 *     if (item_dataset_extract(ctx, "manifest.csv", &how, &data, &err) == ITEM_OK &&
 *         item_train(data, NULL, &report, &err) == ITEM_OK &&
 *         item_report_write_head(report, "head.safetensors", &err) == ITEM_OK)
 *         fputs(item_report_markdown(report), stdout);
 *     item_report_free(report);
 *     item_dataset_free(data);
 */
#ifndef ITEM_TRAIN_H
#define ITEM_TRAIN_H

#include <item/context.h>
#include <math.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Pictures as unit vectors, with label, source, generator and scene. One thread at a time. */
typedef struct item_dataset item_dataset;

/** What a training or an evaluation found. Immutable. */
typedef struct item_report item_report;

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
 * @param row   the picture; vectors and texts are copied
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

/** Settings of training. Choose them by folds of the training set alone. */
typedef struct item_train_options {
    uint32_t struct_size; /**< set by ITEM_TRAIN_OPTIONS_INIT */
    uint32_t hidden[3];   /**< units of hidden layers, at most 4,096, ended by a 0; none is logistic
                             regression. A head's file has 64 MiB at most */
    uint32_t epochs;      /**< at most */
    uint32_t batch;       /**< pictures of a step */
    uint32_t patience;    /**< epochs without a better validation loss before the end; 0: no end */
    uint32_t folds;       /**< at most; fewer when there are fewer sources */
    uint32_t size_min; /**< least short side that the head answers for; 0: the least in the data */
    uint32_t size_max; /**< largest; 0: no end, as pictures are brought to the working size */
    double learning_rate;  /**< of the first step; falls to 0 as a half cosine */
    double weight_decay;   /**< decoupled from the loss */
    double dropout;        /**< share of hidden units */
    double validation;     /**< share of scenes kept for early stopping; 0: none */
    double real_share;     /**< at most this share of AI pictures lies below the point for `real` */
    double scope_quantile; /**< share of calibration pictures that are in scope; 0: no rule */
    double caption_quantile; /**< share of captions too improbable to rely on; 0: no rule */
    uint64_t seed;           /**< of every draw: folds, first weights, dropout, bootstrap */
    uint32_t draws;          /**< of the bootstrap */
    uint32_t controls;       /**< 1: also train on what should tell nothing */
    const char *layout;      /**< of the features; NULL: difference/both/1 */
    const char *trained_on;  /**< a text for the head: what data, which licence; NULL: sources */
    item_cancel *cancel;     /**< NULL: cannot be cancelled */
    item_progress_fn
        progress;        /**< NULL: none; counts epochs, and jumps where training stops early */
    void *progress_user; /**< first argument of progress */
    /* since 0.2 */
    const char *const *candidates; /**< heads to choose from, 64 at most, each a layout or, behind a
                                      space, also its units, such as "difference/both/1 64,16", and
                                      behind 0 units the penalty, such as "picture/1 0 3"; NULL:
                                      only what layout, hidden and penalty say */
    uint32_t candidate_count;      /**< texts in candidates */
    uint32_t reserved;             /**< 0 */
    const char *threshold_rule;    /**< "pooled": promises hold over all held-out photographs;
                                      "worst-source": also within each source that has 100 of them;
                                      NULL: pooled */
    double penalty; /**< without hidden layers: half of it times the squares of the weights (of
                       normalised features) is added to the mean loss. The answer is exact: epochs,
                       batch, patience, rate, decay, dropout and validation count for nothing */
} item_train_options;

/** Start value of item_train_options: every default. */
#define ITEM_TRAIN_OPTIONS_INIT                                                                    \
    {                                                                                              \
        sizeof(item_train_options), {32, 0, 0}, 60, 64, 10, 10, 0, 0, 1e-3, 0.1, 0.3, 0.15, 0.10,  \
            0.999, 0.01, 1, 1000, 1, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, NULL, 1.0           \
    }

/**
 * Trains and calibrates a head. Each fold is scored by a network that saw nothing of its sources,
 * generators and scenes; calibration, thresholds and the report rest on these scores. The network
 * of the head is then trained on everything. The same data, settings and processor type give the
 * same bytes.
 *
 * Several candidates are measured in the same folds, on these pictures alone. The head is the one
 * with the fewest parameters among those whose difference to the best, of mean AUC within sources,
 * has an interval that reaches 0; the report has a table of all.
 *
 * With too few sources the folds are made of generators or scenes instead, and the report warns:
 * its figures say nothing of new sources then.
 *
 * @param data     data set with both labels
 * @param options  settings; NULL for the defaults
 * @param out      receives the report, which holds the head; release with item_report_free()
 * @param err      receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_CANCELLED, ITEM_E_MEMORY
 * Owner: caller.  Threads: any number while nobody changes the data set.  Since: 0.1
 */
ITEM_API item_status item_train(const item_dataset *data, const item_train_options *options,
                                item_report **out, item_error *err);

/** Settings of an evaluation. */
typedef struct item_eval_options {
    uint32_t struct_size;  /**< set by ITEM_EVAL_OPTIONS_INIT */
    uint32_t draws;        /**< of the bootstrap */
    uint32_t bins;         /**< of the calibration error */
    uint32_t reserved;     /**< 0 */
    double level;          /**< of the intervals */
    uint64_t seed;         /**< of the bootstrap and the shuffling of captions */
    const char *threshold; /**< "fpr1", "fpr5" or a number; NULL: fpr1 */
    const char *rival;     /**< file of another head, to compare on the same pictures; or NULL */
    const item_dataset *controls; /**< train controls on this set, such as the head's; or NULL */
    item_cancel *cancel;          /**< NULL: cannot be cancelled */
    /* since 0.2 */
    const char *const *rivals; /**< files of more heads to compare, each with the head */
    uint32_t rival_count;      /**< how many, 0 to 64 */
    uint32_t known_sources;    /**< ITEM_KNOWN_...: what is done with pictures of sources that a
                                  head was trained on */
} item_eval_options;

#define ITEM_KNOWN_REFUSE 0u /**< the call fails, and names them */
#define ITEM_KNOWN_KEEP   1u /**< shown apart in each table, and counted in no sum or mean */
#define ITEM_KNOWN_DROP   2u /**< left out */

/** Start value of item_eval_options: every default. */
#define ITEM_EVAL_OPTIONS_INIT                                                                     \
    {                                                                                              \
        sizeof(item_eval_options), 1000, 10, 0, 0.95, 1, NULL, NULL, NULL, NULL, NULL, 0, 0        \
    }

/**
 * Evaluates a head on pictures that it was not trained on: within each source, then the mean;
 * each generator; verdicts and false positives against the promise; calibration error; controls.
 *
 * @param data     data set
 * @param head     file of a head; NULL: the head of ctx
 * @param ctx      context; may be NULL when head is given
 * @param options  settings; NULL for the defaults
 * @param out      receives the report; release with item_report_free()
 * @param err      receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_MISMATCH (the head was made for another embedder
 *         or width), ITEM_E_UNSUPPORTED (ctx has no head), ITEM_E_IO, ITEM_E_FORMAT,
 *         ITEM_E_LIMIT, ITEM_E_CANCELLED, ITEM_E_MEMORY
 * Owner: caller.  Threads: any number while nobody changes the data set.  Since: 0.1
 */
ITEM_API item_status item_evaluate(const item_dataset *data, const char *head, const item_ctx *ctx,
                                   const item_eval_options *options, item_report **out,
                                   item_error *err);

/** Settings of item_calibrate(). */
typedef struct item_calibrate_options {
    uint32_t struct_size; /**< set by ITEM_CALIBRATE_OPTIONS_INIT */
    uint32_t reserved;    /**< 0 */
    double confidence;    /**< with which each promise holds: from 0.5 to below 1 */
    const char *pictures; /**< a text for the head: what photographs, 255 bytes at most; NULL: "own
                               photographs" */
} item_calibrate_options;

/** Start value of item_calibrate_options: every default. */
#define ITEM_CALIBRATE_OPTIONS_INIT                                                                \
    {                                                                                              \
        sizeof(item_calibrate_options), 0, 0.95, NULL                                              \
    }

/**
 * Sets the thresholds of a head by photographs of your own, with a promise that holds for finite
 * numbers (split conformal): of n photographs at most k may reach a threshold, the largest k whose
 * exact binomial upper limit (Clopper-Pearson, one-sided) is at most the promised rate. Of all
 * photographs of the same kind the new `fpr1` and `fpr5` then call at most 1 % and 5 % `ai`, except
 * in 1 - confidence of all such calibrations. With 95 % that needs 59 photographs for 5 %, and 299
 * for 1 %; where the first can be promised and the second cannot, `fpr1` never calls a picture
 * `ai`.
 *
 * Copies of a picture count once; pictures that the head was trained on are refused. Probabilities,
 * the point for `real` and the rules for `unsure` stay. The report tells false positives and
 * `unsure` before and after, and holds the new head for item_report_write_head().
 *
 * @param data     data set of photographs alone
 * @param head     file of a head; NULL: the head of ctx
 * @param ctx      context; may be NULL when head is given
 * @param options  settings; NULL for the defaults
 * @param out      receives the report; release with item_report_free()
 * @param err      receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT (too few photographs, AI pictures among them, pictures of the
 *         training), ITEM_E_MISMATCH (made with another embedder or other settings than the
 *         head), ITEM_E_UNSUPPORTED (ctx has no head), ITEM_E_IO, ITEM_E_FORMAT, ITEM_E_LIMIT,
 *         ITEM_E_MEMORY
 * Owner: caller.  Threads: any number while nobody changes the data set.  Since: 0.2
 */
ITEM_API item_status item_calibrate(const item_dataset *data, const char *head, const item_ctx *ctx,
                                    const item_calibrate_options *options, item_report **out,
                                    item_error *err);

/**
 * Frees a report.
 *
 * @param report  report; NULL is ignored
 * Threads: any.  Since: 0.1
 */
ITEM_API void item_report_free(item_report *report);

/**
 * The report as one line of JSON (UTF-8); docs/evaluation.md lists the keys.
 *
 * @param report  report
 * @return the text, or NULL when report is NULL
 * Owner: the report.  Threads: any.  Since: 0.1
 */
ITEM_API const char *item_report_json(const item_report *report);

/**
 * The report as short Markdown: headline, tables, warnings.
 *
 * @param report  report
 * @return the text, or NULL when report is NULL
 * Owner: the report.  Threads: any.  Since: 0.1
 */
ITEM_API const char *item_report_markdown(const item_report *report);

/**
 * The report as one web page (HTML, UTF-8): warnings, tables, plots, the worst mistakes by name and
 * caption. It loads nothing, runs no script and shows no picture of the data set; names and captions
 * are escaped. The report of a calibration has its Markdown in it.
 *
 * @param report  report
 * @return the text, or NULL when report is NULL
 * Owner: the report.  Threads: any.  Since: 0.2
 */
ITEM_API const char *item_report_html(const item_report *report);

/**
 * One number of a report.
 *
 * @param report  report
 * @param path    keys of the JSON joined by dots, such as "headline.auc"
 * @return the number (true is 1); NaN where there is none
 * Threads: any.  Since: 0.1
 */
ITEM_API double item_report_number(const item_report *report, const char *path);

/**
 * Writes the head that item_train() or item_calibrate() made.
 *
 * @param report  report of a training
 * @param path    file name; the file appears whole or not at all
 * @param err     receives the reason of a failure, with the file; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT (report of an evaluation), ITEM_E_IO, ITEM_E_MEMORY
 * Threads: any.  Since: 0.1
 */
ITEM_API item_status item_report_write_head(const item_report *report, const char *path,
                                            item_error *err);

#ifdef __cplusplus
}
#endif
#endif
