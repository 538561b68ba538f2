/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Training, calibrating and evaluating heads, on data sets of item/dataset.h.
 *
 * Everything that is learnt, scaling included, is learnt inside of a fold; calibration rests on
 * pictures of sources that were not trained on, wherever the data set has enough sources.
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
#include <item/dataset.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a training or an evaluation found. Immutable. */
typedef struct item_report item_report;

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
