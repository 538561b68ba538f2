/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Checking pictures, and reading what came of it.
 */
#ifndef ITEM_RESULT_H
#define ITEM_RESULT_H

#include <item/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What is known of one picture, or why nothing is. Immutable, reference counted. */
typedef struct item_result item_result;

#define ITEM_VERDICT_NONE   0 /**< no head, or the picture failed */
#define ITEM_VERDICT_REAL   1 /**< a photograph, within the promised error */
#define ITEM_VERDICT_UNSURE 2 /**< not enough evidence for either */
#define ITEM_VERDICT_AI     3 /**< AI-generated, within the promised error */

#define ITEM_REASON_NONE               0 /**< there is no verdict */
#define ITEM_REASON_ABOVE_THRESHOLD    1 /**< ai: the score is at or above the threshold      */
#define ITEM_REASON_BELOW_THRESHOLD    2 /**< real: the score is below the point for real      */
#define ITEM_REASON_WEAK_EVIDENCE      3 /**< unsure: the score is between                     */
#define ITEM_REASON_NO_OBJECTS         4 /**< unsure: the head needs objects and none was found */
#define ITEM_REASON_CAPTION_UNRELIABLE 5 /**< unsure: caption empty, looping or improbable     */
#define ITEM_REASON_SIZE               6 /**< unsure: outside of the calibrated sizes          */
#define ITEM_REASON_OUT_OF_SCOPE       7 /**< unsure: unlike anything calibrated with          */
#define ITEM_REASON_SETTINGS           8 /**< unsure: other stages or settings than calibrated with */

/**
 * Checks a picture: caption, objects, similarities, verdict. The similarity and the objects are
 * those of the caller's caption where options give one; the verdict rests on the captioner's own,
 * unless the head was calibrated with callers' captions.
 *
 * @param ctx      context
 * @param image    picture
 * @param options  settings of the call; NULL for the defaults
 * @param out      receives the result; release with item_result_unref()
 * @param err      receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_BACKEND, ITEM_E_NO_ENGINE, ITEM_E_PACK,
 *         ITEM_E_UNSUPPORTED (no captioner and no caption, or a family that the engine does
 *         not know), ITEM_E_FORMAT (the caller's caption is no UTF-8), ITEM_E_LIMIT (it is
 *         longer than 64 KiB), ITEM_E_MEMORY, ITEM_E_CANCELLED, ITEM_E_FORKED
 * Owner: caller.  Threads: any number on one context.  Since: 0.1
 */
ITEM_API item_status item_check_image(item_ctx *ctx, item_image *image,
                                      const item_check_options *options, item_result **out,
                                      item_error *err);

/**
 * Reads and checks a picture file.
 *
 * @param ctx      context; its limits hold for reading
 * @param path     file name
 * @param options  settings of the call; NULL for the defaults
 * @param out      receives the result; release with item_result_unref()
 * @param err      receives the reason of a failure, with the file; may be NULL
 * @return as item_image_from_file() and item_check_image()
 * Owner: caller.  Threads: any number on one context.  Since: 0.1
 */
ITEM_API item_status item_check_file(item_ctx *ctx, const char *path,
                                     const item_check_options *options, item_result **out,
                                     item_error *err);

/**
 * Checks pictures together, which is faster than one by one.
 *
 * @param ctx      context
 * @param images   n pictures; a NULL entry becomes a result with an error
 * @param n        how many; 0 is allowed
 * @param options  settings of the call; NULL for the defaults
 * @param out      receives n results, none NULL after ITEM_OK; a picture that failed
 *                 is a result that carries its error
 * @param err      receives the reason of a failure of the whole call; may be NULL
 * @return ITEM_OK even if pictures failed; ITEM_E_ARGUMENT, ITEM_E_MEMORY,
 *         ITEM_E_CANCELLED, ITEM_E_FORKED (out is all NULL then)
 * Owner: caller, each result.  Threads: any number on one context.  Since: 0.1
 */
ITEM_API item_status item_check_images(item_ctx *ctx, item_image *const *images, size_t n,
                                       const item_check_options *options, item_result **out,
                                       item_error *err);

/**
 * Reads and checks picture files together; as item_check_images().
 *
 * @param ctx      context; its limits hold for reading
 * @param paths    n file names
 * @param n        how many; 0 is allowed
 * @param options  settings of the call; NULL for the defaults
 * @param out      receives n results, in the order given
 * @param err      receives the reason of a failure of the whole call; may be NULL
 * @return as item_check_images()
 * Owner: caller, each result.  Threads: any number on one context.  Since: 0.1
 */
ITEM_API item_status item_check_files(item_ctx *ctx, const char *const *paths, size_t n,
                                      const item_check_options *options, item_result **out,
                                      item_error *err);

/**
 * One more reference to a result.
 *
 * @param result  result; NULL is ignored
 * @return the same result
 * Threads: any.  Since: 0.1
 */
ITEM_API item_result *item_result_ref(item_result *result);

/**
 * Releases a reference; the last one frees the result.
 *
 * @param result  result; NULL is ignored
 * Threads: any.  Since: 0.1
 */
ITEM_API void item_result_unref(item_result *result);

/**
 * The status of this picture, and why it failed.
 *
 * @param result  result; NULL gives ITEM_E_ARGUMENT
 * @param err     receives the reason if the picture failed; may be NULL
 * @return ITEM_OK, or the picture's own error
 * Threads: any.  Since: 0.1
 */
ITEM_API item_status item_result_status(const item_result *result, item_error *err);

/**
 * Probability that the picture is AI-generated, calibrated, with the prior of
 * the configuration applied.
 *
 * @param result  result
 * @return 0 to 1; NaN when there is no verdict
 * Threads: any.  Since: 0.1
 */
ITEM_API double item_result_probability(const item_result *result);

/**
 * The verdict.
 *
 * @param result  result
 * @return ITEM_VERDICT_...
 * Threads: any.  Since: 0.1
 */
ITEM_API int32_t item_result_verdict(const item_result *result);

/** The whole answer in numbers; NaN where something does not exist. */
typedef struct item_result_summary {
    uint32_t struct_size;   /**< set by ITEM_RESULT_SUMMARY_INIT */
    int32_t verdict;        /**< ITEM_VERDICT_... */
    int32_t reason;         /**< ITEM_REASON_... */
    uint32_t objects;       /**< number of objects that count */
    double probability;     /**< with the prior */
    double score;           /**< calibrated log-odds, without the prior: what thresholds compare */
    double threshold;       /**< on the score */
    double real_below;      /**< real below this score; -infinity: never */
    double promised_fpr;    /**< of the threshold; NaN for a number of the caller's own */
    double similarity;      /**< cosine of whole picture and caption */
    double contribution;    /**< change of the score when the global part is left out; NaN when the
                               verdict does not rest on the caption shown */
    double caption_logprob; /**< mean log-probability of a word; NaN for a caller's caption */
    double caption_margin;  /**< smallest gap of log-probabilities while decoding */
    uint32_t width;         /**< of the upright picture, pixels */
    uint32_t height;        /**< likewise */
} item_result_summary;

/** Start value of item_result_summary: to be filled by item_result_get_summary(). */
#define ITEM_RESULT_SUMMARY_INIT                                                                   \
    {                                                                                              \
        sizeof(item_result_summary), 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0    \
    }

/**
 * The whole answer in numbers.
 *
 * @param result   result
 * @param summary  ITEM_RESULT_SUMMARY_INIT; receives the numbers
 * @param err      receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT
 * Threads: any.  Since: 0.1
 */
ITEM_API item_status item_result_get_summary(const item_result *result,
                                             item_result_summary *summary, item_error *err);

#define ITEM_TEXT_FILE           1  /**< name of the file, or ""                          */
#define ITEM_TEXT_CAPTION        2  /**< the caption that similarity was computed with    */
#define ITEM_TEXT_CAPTION_SOURCE 3  /**< "model" or "caller"                              */
#define ITEM_TEXT_MODEL_CAPTION  4  /**< the captioner's own; "" where it was not asked   */
#define ITEM_TEXT_VERDICT        5  /**< "real", "unsure", "ai" or "none"                 */
#define ITEM_TEXT_REASON         6  /**< code of the reason, such as "weak_evidence"      */
#define ITEM_TEXT_REASON_LINE    7  /**< one plain sentence; without a head: why no verdict */
#define ITEM_TEXT_THRESHOLD      8  /**< "fpr1", "fpr5" or a number                       */
#define ITEM_TEXT_LAYOUT         9  /**< of the features                                  */
#define ITEM_TEXT_PACK           10 /**< name and version                                */
#define ITEM_TEXT_PRECISION      11 /**< that ran: "fp32" or "bf16"; "" of own backends  */
#define ITEM_TEXT_FINGERPRINT    12 /**< SHA-256, hexadecimal                            */
#define ITEM_TEXT_CAPTIONER      13 /**< identity of the captioner; "" where there is none */
#define ITEM_TEXT_DETECTOR       14 /**< identity of the detector; likewise */
#define ITEM_TEXT_EMBEDDER       15 /**< identity of the embedder; likewise */

/**
 * A text of a result.
 *
 * @param result  result
 * @param which   ITEM_TEXT_...
 * @return the text; "" where there is none or `which` is unknown; never NULL
 * Owner: the result.  Threads: any.  Since: 0.1
 */
ITEM_API const char *item_result_text(const item_result *result, int32_t which);

/** An object that the caption names, found in the picture. */
typedef struct item_object {
    uint32_t struct_size;  /**< set by ITEM_OBJECT_INIT */
    uint32_t phrase_index; /**< of the phrase, in the order of mention */
    const char *phrase;    /**< as the caption has it, normalised */
    double box[4];         /**< x0, y0, x1, y1 in pixels of the upright picture */
    double score;          /**< the detector's, 0 to 1 */
    double similarity;     /**< cosine of crop and phrase */
    double contribution;   /**< change of the score when it is left out; NaN as in the summary */
} item_object;

/** Start value of item_object: to be filled by item_result_get_object(). */
#define ITEM_OBJECT_INIT                                                                           \
    {                                                                                              \
        sizeof(item_object), 0, NULL, {0, 0, 0, 0}, 0.0, 0.0, 0.0                                  \
    }

/**
 * An object of a result.
 *
 * @param result  result
 * @param index   0 to summary.objects - 1
 * @param object  ITEM_OBJECT_INIT; receives the facts
 * @param err     receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT
 * Owner: strings are the result's.  Threads: any.  Since: 0.1
 */
ITEM_API item_status item_result_get_object(const item_result *result, uint32_t index,
                                            item_object *object, item_error *err);

#define ITEM_VALUES_FEATURES      1 /**< what the head reads, in its layout's order     */
#define ITEM_VALUES_IMAGE_VECTOR  2 /**< unit vector of the whole picture               */
#define ITEM_VALUES_TEXT_VECTOR   3 /**< unit vector of the caption                     */
#define ITEM_VALUES_CROP_VECTOR   4 /**< unit vector of object `index`'s crop           */
#define ITEM_VALUES_PHRASE_VECTOR 5 /**< unit vector of object `index`'s phrase         */
#define ITEM_VALUES_PLAIN         6 /**< plain statistics of the pixels (since 0.2)     */

#define ITEM_PLAIN_NUMBERS 7 /**< of ITEM_VALUES_PLAIN, which are there with a working size */

/**
 * Numbers of a result.
 *
 * @param result  result
 * @param which   ITEM_VALUES_...
 * @param index   object, for the vectors of one; otherwise 0
 * @param count   receives how many numbers there are; may be NULL
 * @return the numbers, or NULL where there are none
 * Owner: the result.  Threads: any.  Since: 0.1
 */
ITEM_API const float *item_result_values(const item_result *result, int32_t which, uint32_t index,
                                         size_t *count);

/**
 * Token ids that a captioner wrote for the caption, as its model counts them.
 *
 * @param result  of item_caption_image()
 * @param count   receives how many there are; may be NULL
 * @return the ids, or NULL where there are none: another result, or a captioner that gives none
 * Owner: the result.  Threads: any.  Since: 0.2
 */
ITEM_API const int32_t *item_result_tokens(const item_result *result, size_t *count);

/** Milliseconds of each stage; in a batch, this picture's share. Opening networks is not counted. */
typedef struct item_timings {
    uint32_t struct_size; /**< set by ITEM_TIMINGS_INIT */
    uint32_t reserved;    /**< 0 */
    double decode;        /**< reading and decoding the file; 0 for a picture of the caller's */
    double resize;        /**< to the head's working size */
    double caption;       /**< the captioner; 0 where a stage does not run, here and below */
    double phrases;       /**< from caption to noun phrases */
    double detect;        /**< the detector */
    double embed;         /**< the embedder: whole picture, crops and texts */
    double judge;         /**< features, head, contributions */
    double total;         /**< sum of the above */
} item_timings;

/** Start value of item_timings: to be filled by item_result_get_timings(). */
#define ITEM_TIMINGS_INIT                                                                          \
    {                                                                                              \
        sizeof(item_timings), 0, 0, 0, 0, 0, 0, 0, 0, 0                                            \
    }

/**
 * Time that each stage took.
 *
 * @param result   result
 * @param timings  ITEM_TIMINGS_INIT; receives the times
 * @param err      receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT
 * Threads: any.  Since: 0.1
 */
ITEM_API item_status item_result_get_timings(const item_result *result, item_timings *timings,
                                             item_error *err);

/**
 * A warning of a result.
 *
 * @param result  result
 * @param index   from 0
 * @return one line, or NULL when there are not that many
 * Owner: the result.  Threads: any.  Since: 0.1
 */
ITEM_API const char *item_result_warning(const item_result *result, uint32_t index);

/**
 * The result as one line of JSON (UTF-8, no newline), with the keys that
 * docs/json.md lists. File names that are no UTF-8 have U+FFFD for each bad byte.
 *
 * @param result  result
 * @return the text, or NULL when result is NULL or memory ran out
 * Owner: the result; made at the first call.  Threads: any.  Since: 0.1
 */
ITEM_API const char *item_result_json(const item_result *result);

#ifdef __cplusplus
}
#endif
#endif
