/* SPDX-License-Identifier: Apache-2.0 */
/* The four calls of backends, with a look at each answer. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance.h"

enum { CAPACITY = 4096, TOKENS = 512, MOST_BOXES = 10000 };
static const unsigned char unwritten = 0xff; /* in no UTF-8 text */
static const double unit_tolerance = 1e-3, pixel_tolerance = 0.01, rounding = 1e-6;

static void *need(void *memory)
{
    if (!memory) {
        fprintf(stderr, "no memory\n");
        abort();
    }
    return memory;
}

static item_image_info info_of(const item_image *image)
{
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    (void)item_image_get_info(image, &info, NULL);
    return info;
}

static const void *lend_images(frame *f, const sample *const *inputs, size_t n)
{
    const item_image **images = need(calloc(n, sizeof(item_image *)));
    for (size_t i = 0; i < n; i++)
        images[i] = inputs[i]->image;
    const void *lent = frame_lend(f, images, n * sizeof(item_image *));
    free(images);
    return lent;
}

/* ---- captions ---- */

static bool is_utf8(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c;) {
        size_t more = *c < 0x80                 ? 0
                      : *c >= 0xc2 && *c < 0xe0 ? 1
                      : *c >= 0xe0 && *c < 0xf0 ? 2
                      : *c >= 0xf0 && *c < 0xf5 ? 3
                                                : 9;
        if (more == 9)
            return false;
        bool wrong = (*c == 0xe0 && c[1] < 0xa0) || (*c == 0xed && c[1] > 0x9f) ||
                     (*c == 0xf0 && c[1] < 0x90) || (*c == 0xf4 && c[1] > 0x8f);
        for (c++; more; more--, c++)
            if (wrong || (*c & 0xc0) != 0x80)
                return false;
    }
    return true;
}

static void take_tokens(const item_caption_out *out, const int32_t *tokens)
{
    if (out->token_count > TOKENS) {
        breach(CAPTIONER, ANSWERS, "token_count is %zu, there is room for %d", out->token_count,
               TOKENS);
        return;
    }
    for (size_t i = 0; i < out->token_count; i++) {
        if (tokens[i] < 0) {
            breach(CAPTIONER, ANSWERS, "token %zu of %zu is %ld: it must be written, 0 or above", i,
                   out->token_count, (long)tokens[i]);
            return;
        }
    }
}

static void take_caption(const item_caption_out *out, const char *text, answer *into)
{
    const char *end = memchr(text, '\0', CAPACITY);
    if ((unsigned char)text[0] == unwritten)
        breach(CAPTIONER, ANSWERS, "no caption was written");
    else if (!end)
        breach(CAPTIONER, ANSWERS, "a caption has no end within its capacity");
    else if (!is_utf8(text))
        breach(CAPTIONER, ANSWERS, "a caption is no UTF-8");
    if (!isfinite(out->logprob) || out->logprob > rounding)
        breach(CAPTIONER, ANSWERS, "logprob is %g: it must be written, finite, 0 or below",
               out->logprob);
    if (!isfinite(out->margin) || out->margin < 0)
        breach(CAPTIONER, ANSWERS, "margin is %g: it must be written, finite, 0 or above",
               out->margin);
    if (!into)
        return;
    into->text = need(calloc(1, CAPACITY + 1));
    memcpy(into->text, text, end ? (size_t)(end - text) : CAPACITY);
    into->count = 2;
    into->numbers = need(calloc(into->count, sizeof *into->numbers));
    into->numbers[0] = out->logprob;
    into->numbers[1] = out->margin;
}

/* What a captioner writes to, between bytes that must stay: an end is easily written one too far. */
typedef struct caption_room {
    char text[CAPACITY], after_text[16];
    int32_t tokens[TOKENS], after_tokens[4];
} caption_room;

static bool stayed(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++)
        if (at[i] != unwritten)
            return false;
    return true;
}

/* Is there nothing but answers where nothing but answers may be? */
static void check_caption_writes(const item_caption_out *out, const caption_room *room)
{
    if (!stayed(room->after_text, sizeof room->after_text))
        breach(CAPTIONER, WRITES, "a caption was written beyond its capacity");
    if (!stayed(room->after_tokens, sizeof room->after_tokens))
        breach(CAPTIONER, WRITES, "tokens were written beyond token_room");
    if (out->text != room->text || out->capacity != CAPACITY || out->reserved ||
        out->tokens != room->tokens || out->token_room != TOKENS)
        breach(CAPTIONER, WRITES,
               "text, tokens, their room or reserved of an item_caption_out changed");
}

static item_status ask_captions(const backend *b, frame *f, const sample *const *inputs, size_t n,
                                answer *out, char *why)
{
    const asking *how = frame_how(f);
    const item_caption_options options = {.struct_size = sizeof options,
                                          .beams = how->beams,
                                          .max_tokens = how->max_tokens,
                                          .prompt = how->prompt,
                                          .temperature = how->temperature,
                                          .seed = how->seed};
    const void *images = lend_images(f, inputs, n);
    const void *lent = frame_lend_struct(f, &options, sizeof options);
    frame_seal(f);
    caption_room *rooms = frame_answers(f, n * sizeof *rooms);
    item_caption_out **outs = need(calloc(n, sizeof(item_caption_out *)));
    memset(rooms, unwritten, n * sizeof *rooms);
    for (size_t i = 0; i < n; i++) {
        const item_caption_out fresh = {.struct_size = sizeof fresh,
                                        .text = rooms[i].text,
                                        .capacity = CAPACITY,
                                        .logprob = NAN,
                                        .margin = NAN,
                                        .tokens = rooms[i].tokens,
                                        .token_room = TOKENS};
        outs[i] = frame_answer_struct(f, &fresh, sizeof fresh);
    }
    void *pointers = frame_lend(f, outs, n * sizeof(item_caption_out *));
    item_status status =
        b->ops.captioner.caption(b->self, frame_call(f), images, n, lent, pointers, frame_err(f));
    if (memcmp(pointers, outs, n * sizeof(item_caption_out *)) != 0)
        breach(CAPTIONER, WRITES, "the pointers to the answers were changed");
    for (size_t i = 0; i < n; i++) {
        check_caption_writes(outs[i], &rooms[i]);
        if (status != ITEM_OK)
            continue;
        take_caption(outs[i], rooms[i].text, out ? &out[i] : NULL);
        take_tokens(outs[i], rooms[i].tokens);
    }
    free(outs);
    return frame_end(f, status, why, WHY);
}

/* ---- boxes ---- */

typedef struct sink {
    frame *frame;
    item_image_info info;
    size_t phrases, given;
    bool refused, raw;
    double (*boxes)[PER_BOX];
} sink;

static bool is_box(const sink *s, const double box[4])
{
    return box[0] < box[2] && box[1] < box[3] && box[0] >= -pixel_tolerance &&
           box[1] >= -pixel_tolerance && box[2] <= s->info.width + pixel_tolerance &&
           box[3] <= s->info.height + pixel_tolerance;
}

/* As ITEM_BACKEND_RAW_BOXES tells. */
static bool is_raw_box(const sink *s, const double box[4])
{
    const double side = s->info.width > s->info.height ? s->info.width : s->info.height;
    return box[0] <= box[2] && box[1] <= box[3] && box[0] >= -side && box[1] >= -side &&
           box[2] <= 2 * side && box[3] <= 2 * side;
}

static void check_box(const sink *s, size_t phrase, const double box[4], double score)
{
    const asking *how = frame_how(s->frame);
    double w = s->info.width, h = s->info.height;
    if (phrase >= s->phrases)
        breach(DETECTOR, ANSWERS, "a box for phrase %zu of %zu", phrase, s->phrases);
    if (!(score >= 0 && score <= 1))
        breach(DETECTOR, ANSWERS, "%g as the score of a box", score);
    if (score < how->least_score)
        breach(DETECTOR, ANSWERS, "a box of score %g, although least_score is %g", score,
               how->least_score);
    if (!(s->raw ? is_raw_box(s, box) : is_box(s, box)))
        breach(DETECTOR, ANSWERS, "%g %g %g %g is no box of a picture of %g x %g", box[0], box[1],
               box[2], box[3], w, h);
    size_t same = 0;
    for (size_t i = 0; i < s->given && i < MOST_BOXES; i++) {
        const double *other = s->boxes[i];
        if (other[0] != (double)phrase)
            continue;
        same++;
        if (other[5] < score && !s->raw)
            breach(DETECTOR, ANSWERS, "a box of score %g after one of %g: the best come first",
                   score, other[5]);
    }
    if (how->max_boxes && same >= how->max_boxes)
        breach(DETECTOR, ANSWERS, "more boxes for a phrase than max_boxes, %u",
               (unsigned)how->max_boxes);
}

static item_status add(void *host, size_t phrase, const double box[4], double score)
{
    sink *s = host;
    const asking *how = frame_how(s->frame);
    if (!frame_may_add(s->frame))
        return ITEM_E_INTERNAL;
    if (s->refused)
        breach(DETECTOR, HOST, "add was called again after it had refused a box");
    check_box(s, phrase, box, score);
    if (s->given < MOST_BOXES) {
        if ((s->given & (s->given - 1)) == 0) /* at 0 and at each power of two */
            s->boxes = need(realloc(s->boxes, (2 * s->given + 1) * sizeof s->boxes[0]));
        double *at = s->boxes[s->given];
        at[0] = (double)phrase;
        memcpy(at + 1, box, 4 * sizeof box[0]);
        at[5] = score;
    } else {
        breach(DETECTOR, ANSWERS, "more than %d boxes for a picture", MOST_BOXES);
    }
    s->given++;
    s->refused = how->refuse_at && s->given >= how->refuse_at;
    return s->refused ? ITEM_E_LIMIT : ITEM_OK;
}

static void take_boxes(const sink *s, answer *into)
{
    size_t n = s->given < MOST_BOXES ? s->given : MOST_BOXES;
    into->count = n * PER_BOX;
    into->numbers = need(calloc(into->count + 1, sizeof *into->numbers));
    if (n)
        memcpy(into->numbers, s->boxes, into->count * sizeof *into->numbers);
}

/* phrases[i], and heads with the last word of each phrase. */
static const void *lend_phrases(frame *f, const sample *input, bool heads)
{
    const char **pointers = need(calloc(input->count + 1, sizeof(char *)));
    for (size_t j = 0; j < input->count; j++) {
        const char *text = input->phrases[j], *blank = strrchr(text, ' ');
        text = heads && blank ? blank + 1 : text;
        bool none = heads && (frame_how(f)->no_heads || j % 3 == 2);
        pointers[j] = none ? NULL : frame_lend(f, text, strlen(text) + 1);
    }
    const void *lent = frame_lend(f, pointers, input->count * sizeof(char *));
    free(pointers);
    return lent;
}

/* What a call of a detector lends. */
typedef struct query {
    const void *images, *phrases, *heads, *counts, *options;
} query;

static query lend_query(frame *f, const sample *const *inputs, size_t n)
{
    const asking *how = frame_how(f);
    const item_detect_options options = {sizeof options, how->max_boxes, how->least_score};
    const void **phrases = need(calloc(n, sizeof(void *)));
    const void **heads = need(calloc(n, sizeof(void *)));
    size_t *counts = need(calloc(n, sizeof *counts));
    for (size_t i = 0; i < n; i++) {
        phrases[i] = lend_phrases(f, inputs[i], false);
        heads[i] = lend_phrases(f, inputs[i], true);
        counts[i] = how->no_phrases ? 0 : inputs[i]->count;
    }
    query q = {.images = lend_images(f, inputs, n),
               .phrases = frame_lend(f, phrases, n * sizeof(void *)),
               .heads = frame_lend(f, heads, n * sizeof(void *)),
               .counts = frame_lend(f, counts, n * sizeof *counts),
               .options = frame_lend_struct(f, &options, sizeof options)};
    free(phrases);
    free(heads);
    free(counts);
    return q;
}

static item_status ask_boxes(const backend *b, frame *f, const sample *const *inputs, size_t n,
                             answer *out, char *why)
{
    const bool raw =
        frame_how(f)->max_boxes == 0 && b->ops.start.capabilities & ITEM_BACKEND_RAW_BOXES;
    query q = lend_query(f, inputs, n);
    sink **sinks = need(calloc(n, sizeof(sink *)));
    const void **faces = need(calloc(n, sizeof(void *)));
    for (size_t i = 0; i < n; i++) {
        sinks[i] = need(calloc(1, sizeof *sinks[i]));
        sinks[i]->frame = f;
        sinks[i]->raw = raw;
        sinks[i]->info = info_of(inputs[i]->image);
        sinks[i]->phrases = frame_how(f)->no_phrases ? 0 : inputs[i]->count;
        const item_box_sink face = {sizeof face, 0, sinks[i], add};
        faces[i] = frame_lend_struct(f, &face, sizeof face);
    }
    const void *lent = frame_lend(f, faces, n * sizeof(void *));
    frame_seal(f);
    item_status status = b->ops.detector.detect(b->self, frame_call(f), q.images, n, q.phrases,
                                                q.heads, q.counts, q.options, lent, frame_err(f));
    for (size_t i = 0; i < n; i++) {
        if (sinks[i]->refused && status != ITEM_E_LIMIT)
            breach(DETECTOR, HOST, "add returned ITEM_E_LIMIT, and detect %s",
                   item_status_name(status));
        if (status == ITEM_OK && out)
            take_boxes(sinks[i], &out[i]);
        free(sinks[i]->boxes);
        free(sinks[i]);
    }
    free(sinks);
    free(faces);
    return frame_end(f, status, why, WHY);
}

/* ---- vectors ---- */

static void take_vector(const backend *b, const float *row, subject s, size_t n, answer *into)
{
    size_t width = b->ops.embedder.width;
    double square = 0;
    for (size_t i = 0; i < width; i++)
        square += (double)row[i] * (double)row[i];
    if (!isfinite(square))
        breach(EMBEDDER, ANSWERS, "numbers of a %s, in a call for %zu, are unwritten or not finite",
               subject_word(s), n);
    else if (fabs(sqrt(square) - 1) > unit_tolerance)
        breach(EMBEDDER, ANSWERS, "the vector of a %s has length %g, not 1", subject_word(s),
               sqrt(square));
    if (!into)
        return;
    into->count = width;
    into->numbers = need(calloc(width, sizeof *into->numbers));
    for (size_t i = 0; i < width; i++)
        into->numbers[i] = (double)row[i];
}

static const void *lend_crops(frame *f, const sample *const *inputs, size_t n)
{
    const void **crops = need(calloc(n, sizeof(void *)));
    for (size_t i = 0; i < n; i++) {
        item_crop crop = {.struct_size = sizeof crop, .image = inputs[i]->image};
        memcpy(crop.box, inputs[i]->box, sizeof crop.box);
        crops[i] = frame_lend_struct(f, &crop, sizeof crop);
    }
    const void *lent = frame_lend(f, crops, n * sizeof(void *));
    free(crops);
    return lent;
}

static const void *lend_texts(frame *f, const sample *const *inputs, size_t n)
{
    const char **texts = need(calloc(n, sizeof(char *)));
    for (size_t i = 0; i < n; i++)
        texts[i] = frame_lend(f, inputs[i]->text, strlen(inputs[i]->text) + 1);
    const void *lent = frame_lend(f, texts, n * sizeof(char *));
    free(texts);
    return lent;
}

static item_status ask_vectors(const backend *b, frame *f, subject s, const sample *const *inputs,
                               size_t n, answer *out, char *why)
{
    const item_embedder_ops *ops = &b->ops.embedder;
    const void *lent = s == CROPS ? lend_crops(f, inputs, n) : lend_texts(f, inputs, n);
    frame_seal(f);
    float *rows = frame_answers(f, n * ops->width * sizeof *rows);
    for (size_t i = 0; i < n * ops->width; i++)
        rows[i] = NAN;
    item_status status =
        s == CROPS ? ops->embed_images(b->self, frame_call(f), lent, n, rows, frame_err(f))
                   : ops->embed_texts(b->self, frame_call(f), lent, n, rows, frame_err(f));
    for (size_t i = 0; i < n && status == ITEM_OK; i++)
        take_vector(b, rows + i * ops->width, s, n, out ? &out[i] : NULL);
    return frame_end(f, status, why, WHY);
}

/* A row of vector and layers for each crop. */
static void take_layers(const backend *b, const float *row, const float *layers, size_t n,
                        answer *into)
{
    const size_t width = b->ops.embedder.width, inner = b->ops.embedder.layers_width;
    take_vector(b, row, LAYERS, n, into);
    for (size_t i = 0; i < inner; i++) {
        if (!isfinite(layers[i])) {
            breach(EMBEDDER, ANSWERS, "layers, in a call for %zu, are unwritten or not finite", n);
            break;
        }
    }
    if (!into)
        return;
    into->count = width + inner;
    into->numbers = need(realloc(into->numbers, into->count * sizeof *into->numbers));
    for (size_t i = 0; i < inner; i++)
        into->numbers[width + i] = (double)layers[i];
}

static item_status ask_layers(const backend *b, frame *f, const sample *const *inputs, size_t n,
                              answer *out, char *why)
{
    const item_embedder_ops *ops = &b->ops.embedder;
    const void *lent = lend_crops(f, inputs, n);
    frame_seal(f);
    float *rows = frame_answers(f, n * ops->width * sizeof *rows);
    float *layers = frame_answers(f, n * ops->layers_width * sizeof *layers);
    for (size_t i = 0; i < n * ops->width; i++)
        rows[i] = NAN;
    for (size_t i = 0; i < n * ops->layers_width; i++)
        layers[i] = NAN;
    item_status status =
        ops->embed_layers(b->self, frame_call(f), lent, n, rows, layers, frame_err(f));
    for (size_t i = 0; i < n && status == ITEM_OK; i++)
        take_layers(b, rows + i * ops->width, layers + i * ops->layers_width, n,
                    out ? &out[i] : NULL);
    return frame_end(f, status, why, WHY);
}

static item_status ask_scores(const backend *b, frame *f, const sample *const *inputs, size_t n,
                              answer *out, char *why)
{
    const item_caption_options options = {.struct_size = sizeof options,
                                          .prompt = frame_how(f)->prompt};
    const void *images = lend_images(f, inputs, n), *texts = lend_texts(f, inputs, n);
    const void *lent = frame_lend_struct(f, &options, sizeof options);
    frame_seal(f);
    double *scores = frame_answers(f, n * sizeof *scores);
    for (size_t i = 0; i < n; i++)
        scores[i] = NAN;
    item_status status = b->ops.captioner.score(b->self, frame_call(f), images, texts, n, lent,
                                                scores, frame_err(f));
    for (size_t i = 0; i < n && status == ITEM_OK; i++) {
        if (!isfinite(scores[i]) || scores[i] > rounding)
            breach(CAPTIONER, ANSWERS, "%g as a score: it must be written, finite, 0 or below",
                   scores[i]);
        if (!out)
            continue;
        out[i].count = 1;
        out[i].numbers = need(calloc(1, sizeof *out[i].numbers));
        out[i].numbers[0] = scores[i];
    }
    return frame_end(f, status, why, WHY);
}

item_status ask(const backend *b, subject s, const sample *const *inputs, size_t n,
                const asking *how, answer *out, char why[WHY])
{
    if (out)
        memset(out, 0, n * sizeof *out);
    frame *f = frame_begin(b, how);
    switch (s) {
    case CAPTIONS:
        return ask_captions(b, f, inputs, n, out, why);
    case BOXES:
        return ask_boxes(b, f, inputs, n, out, why);
    case SCORES:
        return ask_scores(b, f, inputs, n, out, why);
    case LAYERS:
        return ask_layers(b, f, inputs, n, out, why);
    default:
        return ask_vectors(b, f, s, inputs, n, out, why);
    }
}
