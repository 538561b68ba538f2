/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * For writers of backends: the tables of a captioner, a detector and an embedder.
 *
 * The contract, the same for all three
 *   - Set struct_size to sizeof(the table) and version to ITEM_BACKEND_VERSION. Members are only
 *     ever appended; libitem reads what both sides know.
 *   - The call functions may be called from several threads at once on the same `self`, unless
 *     ITEM_BACKEND_SERIAL is set: then libitem holds a lock of this backend around each call.
 *   - Texts and pixels are borrowed for the call. Answers go into arrays or sinks of the host;
 *     no memory changes hands.
 *   - A failure returns a status that is not ITEM_OK and writes a line into err. A function that
 *     takes long polls call->cancelled at least every 200 ms and returns ITEM_E_CANCELLED.
 *   - Output arrays are filled with NaN before each call. What is left unwritten, not finite or
 *     out of range makes an error of the backend, never a verdict.
 */
#ifndef ITEM_SYS_BACKEND_H
#define ITEM_SYS_BACKEND_H

#include <item/picture.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ITEM_BACKEND_VERSION 1u /**< of the three tables; raised when a meaning changes */

#define ITEM_BACKEND_SERIAL 1u /**< capability: libitem must not call it from two threads */
/** Capability of a detector, since 0.2: where max_boxes is 0, it gives what its model's published
    post-processing gives, box after box in that order. These boxes may reach beyond the picture,
    by its longer side at most, and may be empty: x0 <= x1, y0 <= y1. */
#define ITEM_BACKEND_RAW_BOXES 2u

/** What a call of a backend may use of its host; borrowed for the call. */
typedef struct item_call {
    uint32_t struct_size;             /**< sizeof(item_call) */
    uint32_t reserved;                /**< 0 */
    void *host;                       /**< first argument of the functions below */
    int32_t (*cancelled)(void *host); /**< 1: stop now; any thread */
    void (*log)(void *host, int32_t level, const char *text); /**< calling thread only */
    void (*warn)(void *host,
                 const char *text); /**< ends in the result's warnings; calling thread */
} item_call;

/** Where a captioner puts what it says of one picture. */
typedef struct item_caption_out {
    uint32_t struct_size; /**< sizeof(item_caption_out) */
    uint32_t reserved;    /**< 0 */
    char *text;           /**< receives UTF-8, NUL-terminated */
    size_t capacity;      /**< bytes of text, with the NUL; 4096 or more */
    double logprob;       /**< mean natural log-probability of a token, end token included */
    double margin; /**< smallest gap of log-probabilities between what was kept and what was not */
    /* since 0.2 */
    int32_t *tokens;    /**< receives the ids that were generated after the prompt, the end token
                             included; NULL: not asked for */
    size_t token_room;  /**< numbers of tokens; 512 or more unless tokens is NULL */
    size_t token_count; /**< how many ids there are; 0 where the model has none */
} item_caption_out;

/** What the host asks of a captioner. */
typedef struct item_caption_options {
    uint32_t struct_size; /**< sizeof(item_caption_options) */
    uint32_t beams;       /**< 1: greedy; 0: the model's default */
    uint32_t max_tokens;  /**< 0: the model's default */
    uint32_t reserved;    /**< 0 */
    /* since 0.2 */
    const char *prompt; /**< what the caption begins with, UTF-8; NULL: nothing */
    double temperature; /**< above 0: each token is drawn from softmax(logits / temperature), and
                             beams count for nothing; 0: nothing is drawn */
    uint64_t seed; /**< of the draws, which depend on it, on the picture and on a token's place in
                        the caption, never on the picture's place in the call; logprob stays what
                        it is without temperature */
} item_caption_options;

/** A captioner: says in a sentence what a picture shows. */
typedef struct item_captioner_ops {
    uint32_t struct_size;  /**< sizeof(item_captioner_ops) */
    uint32_t version;      /**< ITEM_BACKEND_VERSION */
    uint32_t capabilities; /**< ITEM_BACKEND_SERIAL or 0 */
    uint32_t reserved;     /**< 0 */
    const char *name;      /**< of the implementation, such as "torch" */
    const char *id;        /**< changes when answers change: a model's hash, a version; any text */
    /**
     * Required: a caption for each of n pictures.
     *
     * @param self     as given with the table
     * @param call     what may be used of the host
     * @param images   n pictures; item_image_pixels() gives their bytes
     * @param n        1 or more
     * @param options  beams and tokens
     * @param out      n captions to fill in
     * @param err      receives the reason of a failure; never NULL
     * @return ITEM_OK, or a status that is passed on to the caller
     */
    item_status (*caption)(void *self, const item_call *call, const item_image *const *images,
                           size_t n, const item_caption_options *options,
                           item_caption_out *const *out, item_error *err);
    /** Optional: frees self; called once, on any thread. */
    void (*close)(void *self);
    /* since 0.2 */
    /**
     * Optional: how probable texts are for pictures: the mean natural log-probability of a text's
     * tokens, each given the picture and the tokens before it; end token included, prompt not. So
     * a caption that came to its end by itself scores what caption() said as its logprob.
     *
     * @param self     as given with the table
     * @param call     what may be used of the host
     * @param images   n pictures; one that has several texts stands there as often, in a row. An
     *                 even grey one is how the host asks what a text is worth by itself.
     * @param texts    n texts, UTF-8, texts[i] for images[i], as captions are written: with their
     *                 prompt. Words that the tokenizer does not know count as it reads them; a text
     *                 that is too long is ITEM_E_LIMIT, with the limit in err, and never cut.
     * @param n        1 or more
     * @param options  prompt: its tokens are not counted where a text begins with them; the other
     *                 members count for nothing
     * @param out      receives n numbers, 0 or below
     * @param err      receives the reason of a failure; never NULL
     * @return ITEM_OK, or a status that is passed on to the caller
     */
    item_status (*score)(void *self, const item_call *call, const item_image *const *images,
                         const char *const *texts, size_t n, const item_caption_options *options,
                         double *out, item_error *err);
} item_captioner_ops;

/** Where a detector puts what it found in one picture: add() once for each box. */
typedef struct item_box_sink {
    uint32_t struct_size; /**< sizeof(item_box_sink) */
    uint32_t reserved;    /**< 0 */
    void *host;           /**< first argument of add */
    /**
     * Takes one box.
     *
     * @param host    of this struct
     * @param phrase  index of the phrase, from 0
     * @param box     x0, y0, x1, y1 in pixels of the picture
     * @param score   0 to 1
     * @return ITEM_OK to go on; another status ends the call, pass it on
     */
    item_status (*add)(void *host, size_t phrase, const double box[4], double score);
} item_box_sink;

/** What the host asks of a detector. */
typedef struct item_detect_options {
    uint32_t struct_size; /**< sizeof(item_detect_options) */
    uint32_t max_boxes;   /**< a phrase, best first; 0: as many as the model gives by itself */
    double least_score;   /**< NaN: the model's default */
} item_detect_options;

/** A detector: finds what phrases name. */
typedef struct item_detector_ops {
    uint32_t struct_size;  /**< sizeof(item_detector_ops) */
    uint32_t version;      /**< ITEM_BACKEND_VERSION */
    uint32_t capabilities; /**< ITEM_BACKEND_SERIAL, ITEM_BACKEND_RAW_BOXES, both or 0 */
    uint32_t reserved;     /**< 0 */
    const char *name;      /**< of the implementation, such as "torch" */
    const char *id;        /**< as in item_captioner_ops */
    /**
     * Required: searches n pictures, each for phrases of its own; the best boxes come first
     * (ITEM_BACKEND_RAW_BOXES tells the exception).
     *
     * @param self     as given with the table
     * @param call     what may be used of the host
     * @param images   n pictures
     * @param n        1 or more
     * @param phrases  of picture i: phrases[i][0] to phrases[i][counts[i] - 1], UTF-8
     * @param heads    likewise the head noun of each phrase where it is known, else NULL
     * @param counts   phrases of each of n pictures; 0 is allowed
     * @param options  limits
     * @param sinks    n sinks, one for each picture's boxes
     * @param err      receives the reason of a failure; never NULL
     * @return ITEM_OK, or a status that is passed on to the caller
     */
    item_status (*detect)(void *self, const item_call *call, const item_image *const *images,
                          size_t n, const char *const *const *phrases,
                          const char *const *const *heads, const size_t *counts,
                          const item_detect_options *options, const item_box_sink *const *sinks,
                          item_error *err);
    void (*close)(void *self); /**< optional: frees self */
} item_detector_ops;

/** A picture, or a part of one, to embed. */
typedef struct item_crop {
    uint32_t struct_size;    /**< sizeof(item_crop) */
    uint32_t reserved;       /**< 0 */
    const item_image *image; /**< the picture that it is cut of */
    double box[4]; /**< x0, y0, x1, y1 in pixels of the image; the whole: 0, 0, width, height */
} item_crop;

/** An embedder: pictures and texts as unit vectors of one space, as a CLIP model gives them. */
typedef struct item_embedder_ops {
    uint32_t struct_size;  /**< sizeof(item_embedder_ops) */
    uint32_t version;      /**< ITEM_BACKEND_VERSION */
    uint32_t capabilities; /**< ITEM_BACKEND_SERIAL or 0 */
    uint32_t reserved;     /**< 0 */
    const char *name;      /**< of the implementation, such as "torch" */
    const char *id;        /**< as in item_captioner_ops */
    uint32_t width;        /**< numbers of a vector, 1 to 8192 */
    uint32_t reserved2;    /**< 0 */
    /**
     * Required: unit vectors of n crops.
     *
     * @param self   as given with the table
     * @param call   what may be used of the host
     * @param crops  n pictures or parts of pictures
     * @param n      1 or more
     * @param out    receives n x width numbers, row after row
     * @param err    receives the reason of a failure; never NULL
     * @return ITEM_OK, or a status that is passed on to the caller
     */
    item_status (*embed_images)(void *self, const item_call *call, const item_crop *const *crops,
                                size_t n, float *out, item_error *err);
    /** Required: unit vectors of n texts, UTF-8; otherwise as embed_images. */
    item_status (*embed_texts)(void *self, const item_call *call, const char *const *texts,
                               size_t n, float *out, item_error *err);
    void (*close)(void *self); /**< optional: frees self */
    /* since 0.2 */
    uint32_t layers_width; /**< numbers of a row of embed_layers, at most 262,144; 0: it has none */
    uint32_t reserved3;    /**< 0 */
    /**
     * Optional, with layers_width: unit vectors of n crops, and for each a row of numbers from
     * inner layers of the picture's network, by the same run of it. What they are is the
     * embedder's own matter, and belongs to its id.
     *
     * @param self    as given with the table
     * @param call    what may be used of the host
     * @param crops   n pictures or parts of pictures
     * @param n       1 or more
     * @param out     receives n x width numbers: what embed_images gives
     * @param layers  receives n x layers_width numbers, row after row, finite
     * @param err     receives the reason of a failure; never NULL
     * @return ITEM_OK, or a status that is passed on to the caller
     */
    item_status (*embed_layers)(void *self, const item_call *call, const item_crop *const *crops,
                                size_t n, float *out, float *layers, item_error *err);
} item_embedder_ops;

/*
 * Stand-ins that need no model: the same pixels and words give the same answers. For tests of
 * applications, and as the reference of the conformance test. `self` is NULL.
 */

/**
 * A captioner without a model: a sentence chosen by the pixels.
 *
 * @return the table
 * Owner: the library, for ever.  Threads: any.  Since: 0.1
 */
ITEM_API const item_captioner_ops *item_dummy_captioner(void);

/**
 * A detector without a model: up to two boxes a phrase, placed by its letters and the pixels.
 *
 * @return the table
 * Owner: the library, for ever.  Threads: any.  Since: 0.1
 */
ITEM_API const item_detector_ops *item_dummy_detector(void);

/**
 * An embedder without a model: vectors of 32 numbers made of colours and pixels, or of words.
 *
 * @return the table
 * Owner: the library, for ever.  Threads: any.  Since: 0.1
 */
ITEM_API const item_embedder_ops *item_dummy_embedder(void);

#ifdef __cplusplus
}
#endif
#endif
