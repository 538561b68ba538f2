/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Single stages, for programs that need one of them or bring their own.
 */
#ifndef ITEM_STAGES_H
#define ITEM_STAGES_H

#include <item/context.h>
#include <item/result.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Captions a picture at its own size (not the head's working size).
 *
 * @param ctx      context with a captioner
 * @param image    picture
 * @param options  cancel, sample and sample_seed are used; NULL for the defaults
 * @param out      receives a result with the caption, its margin and times alone
 * @param err      receives the reason of a failure; may be NULL
 * @return as item_check_image()
 * Owner: caller.  Threads: any number on one context.  Since: 0.1
 */
ITEM_API item_status item_caption_image(item_ctx *ctx, item_image *image,
                                        const item_check_options *options, item_result **out,
                                        item_error *err);

/**
 * Captions pictures, as many at a time as the context's `batch`; each gets the caption that it
 * gets alone. One that fails lets all fail: ask for them one by one then.
 *
 * @param ctx      context with a captioner
 * @param images   n pictures
 * @param n        how many
 * @param options  cancel, sample and sample_seed are used; NULL for the defaults
 * @param out      receives n results as item_caption_image() makes them; all NULL on failure
 * @param err      receives the reason of a failure; may be NULL
 * @return as item_caption_image()
 * Owner: caller, each result.  Threads: any number on one context.  Since: 0.2
 */
ITEM_API item_status item_caption_images(item_ctx *ctx, item_image *const *images, size_t n,
                                         const item_check_options *options, item_result **out,
                                         item_error *err);

/**
 * How probable texts are for pictures, by the captioner: the mean natural log-probability of a
 * text's tokens, end included. Of the model's own caption it is the caption_logprob that came with
 * it, if that caption was not cut off by `max_tokens`. The context's `prompt` is not counted where
 * a text begins with it.
 *
 * @param ctx      context with a captioner that has `score`
 * @param images   n pictures, at their own size; NULL entries are an even grey one, by which the
 *                 text is judged without a picture. The same picture several times in a row is
 *                 looked at once.
 * @param texts    n texts, UTF-8: texts[i] for images[i]
 * @param n        how many
 * @param options  cancel is used; NULL for the defaults
 * @param out      receives n numbers, 0 or below
 * @param err      receives the reason of a failure; may be NULL
 * @return as item_caption_image(); ITEM_E_UNSUPPORTED where the captioner cannot; ITEM_E_LIMIT for
 *         a text with more tokens than it takes; ITEM_E_FORMAT for one that is no UTF-8
 * Owner: caller's array.  Threads: any number on one context.  Since: 0.2
 */
ITEM_API item_status item_score_captions(item_ctx *ctx, item_image *const *images,
                                         const char *const *texts, size_t n,
                                         const item_check_options *options, double *out,
                                         item_error *err);

/**
 * Finds the objects that phrases name, in a picture at its own size.
 *
 * @param ctx      context with a detector
 * @param image    picture
 * @param phrases  n texts, UTF-8; one that is empty or blank is ITEM_E_ARGUMENT, but to a published
 *                 detector a text like others
 * @param n        how many, 1 to 1,000, of 256 KiB in all at most
 * @param options  cancel and max_objects are used; NULL for the defaults
 * @param out      receives a result with objects (phrase, box, score) alone, best first. Since 0.2
 *                 a published detector (OWL-ViT, OWLv2) gives, where neither options nor the
 *                 context say how many, all that its own post-processing gives, in that order:
 *                 such boxes may reach beyond the picture.
 * @param err      receives the reason of a failure; may be NULL
 * @return as item_check_image()
 * Owner: caller.  Threads: any number on one context.  Since: 0.1
 */
ITEM_API item_status item_detect_image(item_ctx *ctx, item_image *image, const char *const *phrases,
                                       size_t n, const item_check_options *options,
                                       item_result **out, item_error *err);

/**
 * Finds the objects that phrases name in each of some pictures, as item_caption_images() captions
 * them.
 *
 * @param ctx      context with a detector
 * @param images   pictures
 * @param count    how many
 * @param phrases  n texts, as in item_detect_image()
 * @param n        how many
 * @param options  cancel and max_objects are used; NULL for the defaults
 * @param out      receives `count` results as item_detect_image() makes them; all NULL on failure
 * @param err      receives the reason of a failure; may be NULL
 * @return as item_detect_image()
 * Owner: caller, each result.  Threads: any number on one context.  Since: 0.2
 */
ITEM_API item_status item_detect_images(item_ctx *ctx, item_image *const *images, size_t count,
                                        const char *const *phrases, size_t n,
                                        const item_check_options *options, item_result **out,
                                        item_error *err);

/**
 * Unit vectors of pictures.
 *
 * @param ctx      context with an embedder
 * @param images   n pictures
 * @param n        how many
 * @param options  cancel is used; NULL for the defaults
 * @param out      receives n x width numbers, row after row
 * @param width    numbers a row, equal to item_ctx_info.width; checked
 * @param err      receives the reason of a failure; may be NULL
 * @return as item_check_image(); ITEM_E_MISMATCH when width is another
 * Owner: caller's array.  Threads: any number on one context.  Since: 0.1
 */
ITEM_API item_status item_embed_images(item_ctx *ctx, item_image *const *images, size_t n,
                                       const item_check_options *options, float *out, size_t width,
                                       item_error *err);

/**
 * Unit vectors of pictures and, by the same run of the network, numbers of its inner layers: what
 * they are is written in docs/models.md, by family.
 *
 * @param ctx           context with an embedder that has `embed_layers`
 * @param images        n pictures
 * @param n             how many; 0 opens the embedder, checks no width, and lets item_ctx_info tell
 *                      them
 * @param options       cancel is used; NULL for the defaults
 * @param out           receives n x width numbers, row after row: those of item_embed_images()
 * @param width         numbers a row, equal to item_ctx_info.width; checked
 * @param layers        receives n x layers_width numbers, row after row
 * @param layers_width  numbers a row, equal to item_ctx_info.layers_width; checked
 * @param err           receives the reason of a failure; may be NULL
 * @return as item_embed_images(); ITEM_E_UNSUPPORTED where the embedder cannot
 * Owner: caller's arrays.  Threads: any number on one context.  Since: 0.2
 */
ITEM_API item_status item_embed_layers(item_ctx *ctx, item_image *const *images, size_t n,
                                       const item_check_options *options, float *out, size_t width,
                                       float *layers, size_t layers_width, item_error *err);

/**
 * Unit vectors of texts.
 *
 * @param ctx      context with an embedder
 * @param texts    n texts, UTF-8; an empty text is a text
 * @param n        how many
 * @param options  cancel is used; NULL for the defaults
 * @param out      receives n x width numbers, row after row
 * @param width    numbers a row, equal to item_ctx_info.width; checked
 * @param err      receives the reason of a failure; may be NULL
 * @return as item_embed_images()
 * Owner: caller's array.  Threads: any number on one context.  Since: 0.1
 */
ITEM_API item_status item_embed_texts(item_ctx *ctx, const char *const *texts, size_t n,
                                      const item_check_options *options, float *out, size_t width,
                                      item_error *err);

/**
 * Token ids of a text, as the embedder's text side reads it: special tokens
 * included, truncated at its limit. Of a pack whose embedder has no tokenizer, as the
 * detector or else the captioner reads it. Loads no engine.
 *
 * @param ctx       context whose pack has a tokenizer
 * @param text      UTF-8
 * @param ids       receives up to capacity ids; may be NULL when capacity is 0
 * @param capacity  room in ids
 * @param count     receives how many ids there are, even if more than capacity
 * @param err       receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_FORMAT (no UTF-8, or the pack's vocabulary is
 *         broken), ITEM_E_LIMIT (it is too large), ITEM_E_PACK (it was changed since the pack was
 *         opened), ITEM_E_UNSUPPORTED (no tokenizer), ITEM_E_IO, ITEM_E_MEMORY, ITEM_E_FORKED
 * Owner: caller's array.  Threads: any.  Since: 0.1
 */
ITEM_API item_status item_tokenize(item_ctx *ctx, const char *text, int32_t *ids, size_t capacity,
                                   size_t *count, item_error *err);

/** The noun phrases of a text. Immutable. */
typedef struct item_phrases item_phrases;

/**
 * Finds the visible noun phrases of a text, in order of mention; needs no pack.
 *
 * @param text  UTF-8
 * @param out   receives the phrases; release with item_phrases_free()
 * @param err   receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_FORMAT (no UTF-8), ITEM_E_LIMIT (more than 65,536
 *         bytes), ITEM_E_MEMORY
 * Owner: caller.  Threads: any.  Since: 0.1
 */
ITEM_API item_status item_phrases_find(const char *text, item_phrases **out, item_error *err);

/**
 * A phrase.
 *
 * @param phrases  phrases
 * @param index    from 0
 * @param start    receives the first byte of its first mention; may be NULL
 * @param end      receives the byte after it; may be NULL
 * @return the phrase, normalised; NULL when there are not that many
 * Owner: the phrases.  Threads: any.  Since: 0.1
 */
ITEM_API const char *item_phrases_get(const item_phrases *phrases, uint32_t index, uint32_t *start,
                                      uint32_t *end);

/**
 * Frees phrases.
 *
 * @param phrases  phrases; NULL is ignored
 * Threads: any.  Since: 0.1
 */
ITEM_API void item_phrases_free(item_phrases *phrases);

/**
 * Number of features of a layout.
 *
 * @param layout  name, such as "difference/both/1"
 * @param width   of the vectors
 * @return the number, or 0 for a layout that does not exist, or that reads the embedder's inner
 *         layers, whose number is the embedder's matter
 * Threads: any.  Since: 0.1
 */
ITEM_API size_t item_layout_size(const char *layout, size_t width);

/**
 * Misalignment features of vectors that the caller brings.
 *
 * @param layout   name, such as "difference/both/1": form (difference, product,
 *                 cosine), scope (global, local, both), version; picture/1 and caption/1 since
 *                 0.2, as several terms joined by '+', such as "picture/1+difference/both/1"
 * @param width    of the vectors
 * @param image    unit vector of the whole picture [width]
 * @param text     unit vector of the caption [width]
 * @param n        objects, 0 or more
 * @param crops    unit vectors of the objects' crops [n x width]; NULL when n is 0
 * @param phrases  unit vectors of the objects' phrases [n x width]; NULL when n is 0
 * @param out      receives item_layout_size() features
 * @param size     room in out
 * @param err      receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT (layout unknown, NaN, a vector not of unit length),
 *         ITEM_E_UNSUPPORTED (layout with layers/1)
 * Owner: caller's array.  Threads: any.  Since: 0.1
 * Source: docs/method.md; the pooling is libitem's own construction.
 */
ITEM_API item_status item_misalign(const char *layout, size_t width, const float *image,
                                   const float *text, size_t n, const float *crops,
                                   const float *phrases, float *out, size_t size, item_error *err);

/**
 * Applies the context's head to features.
 *
 * @param ctx       context with a head
 * @param features  in the head's layout
 * @param size      how many; must be the head's
 * @param summary   ITEM_RESULT_SUMMARY_INIT; receives verdict, reason, probability,
 *                  score and thresholds
 * @param err       receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_MISMATCH, ITEM_E_UNSUPPORTED (no head),
 *         ITEM_E_MEMORY, ITEM_E_FORKED
 * Threads: any.  Since: 0.1
 */
ITEM_API item_status item_head_apply(item_ctx *ctx, const float *features, size_t size,
                                     item_result_summary *summary, item_error *err);

#ifdef __cplusplus
}
#endif
#endif
