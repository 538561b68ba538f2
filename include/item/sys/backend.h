/* SPDX-License-Identifier: Apache-2.0 */
/*
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

#define ITEM_BACKEND_VERSION 1u

#define ITEM_BACKEND_SERIAL 1u /* capability: libitem must not call it from two threads */

/** What a call of a backend may use of its host; borrowed for the call. */
typedef struct item_call {
    uint32_t struct_size;
    uint32_t reserved;                /* 0 */
    void *host;                       /* first argument of the functions below */
    int32_t (*cancelled)(void *host); /* 1: stop now; any thread */
    void (*log)(void *host, int32_t level, const char *text); /* calling thread only */
    void (*warn)(void *host, const char *text); /* ends in the result's warnings; calling thread */
} item_call;

/** Where a captioner puts what it says of one picture. */
typedef struct item_caption_out {
    uint32_t struct_size;
    uint32_t reserved; /* 0 */
    char *text;        /* receives UTF-8, NUL-terminated */
    size_t capacity;   /* bytes of text, with the NUL; 4096 or more */
    double logprob;    /* mean natural log-probability of a token, end token included */
    double margin; /* smallest gap of log-probabilities between what was kept and what was not */
} item_caption_out;

typedef struct item_caption_options {
    uint32_t struct_size;
    uint32_t beams;      /* 1: greedy; 0: the model's default */
    uint32_t max_tokens; /* 0: the model's default */
    uint32_t reserved;   /* 0 */
} item_caption_options;

typedef struct item_captioner_ops {
    uint32_t struct_size;
    uint32_t version;      /* ITEM_BACKEND_VERSION */
    uint32_t capabilities; /* ITEM_BACKEND_... */
    uint32_t reserved;     /* 0 */
    const char *name;      /* "torch" */
    const char *id;        /* changes when answers change: a model's hash, a version; any text */
    /* required: a caption for each of n pictures; out has n pointers */
    item_status (*caption)(void *self, const item_call *call, const item_image *const *images,
                           size_t n, const item_caption_options *options,
                           item_caption_out *const *out, item_error *err);
    /* optional: frees self */
    void (*close)(void *self);
} item_captioner_ops;

/** Where a detector puts what it found in one picture: add() once for each box. */
typedef struct item_box_sink {
    uint32_t struct_size;
    uint32_t reserved; /* 0 */
    void *host;        /* first argument of add */
    /* phrase: index of the phrase; box: x0, y0, x1, y1 in pixels of the picture; score 0 to 1.
       Returns a status: ITEM_OK to go on. */
    item_status (*add)(void *host, size_t phrase, const double box[4], double score);
} item_box_sink;

typedef struct item_detect_options {
    uint32_t struct_size;
    uint32_t max_boxes; /* a phrase, best first; 0: the model's default */
    double least_score; /* NaN: the model's default */
} item_detect_options;

typedef struct item_detector_ops {
    uint32_t struct_size;
    uint32_t version;
    uint32_t capabilities;
    uint32_t reserved; /* 0 */
    const char *name;
    const char *id;
    /* required: picture i is searched for phrases[i][0 .. counts[i]-1]; heads[i][j] is the head
       noun of phrase j where known, else NULL; sinks has n entries. The best boxes come first. */
    item_status (*detect)(void *self, const item_call *call, const item_image *const *images,
                          size_t n, const char *const *const *phrases,
                          const char *const *const *heads, const size_t *counts,
                          const item_detect_options *options, const item_box_sink *const *sinks,
                          item_error *err);
    void (*close)(void *self); /* optional */
} item_detector_ops;

/** A picture, or a part of one, to embed. */
typedef struct item_crop {
    uint32_t struct_size;
    uint32_t reserved; /* 0 */
    const item_image *image;
    double box[4]; /* x0, y0, x1, y1 in pixels of the image; the whole: 0, 0, width, height */
} item_crop;

typedef struct item_embedder_ops {
    uint32_t struct_size;
    uint32_t version;
    uint32_t capabilities;
    uint32_t reserved; /* 0 */
    const char *name;
    const char *id;
    uint32_t width;     /* numbers of a vector, 1 to 8192 */
    uint32_t reserved2; /* 0 */
    /* required: unit vectors [n x width] of n crops, and of n texts */
    item_status (*embed_images)(void *self, const item_call *call, const item_crop *const *crops,
                                size_t n, float *out, item_error *err);
    item_status (*embed_texts)(void *self, const item_call *call, const char *const *texts,
                               size_t n, float *out, item_error *err);
    void (*close)(void *self); /* optional */
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
