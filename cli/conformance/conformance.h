/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of `item-conformance` share. It uses the public headers and dlopen() alone, so
 * that a backend is asked what any host may ask of it.
 */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include <item/item.h>
#include <item/sys/module.h>
#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>

typedef enum stage_id { CAPTIONER = 0, DETECTOR, EMBEDDER, STAGES } stage_id;
/*
 * What is asked: a captioner and a detector have one kind of call, an embedder two, and every check
 * of a stage asks for them. Then come calls that not all have, with checks of their own.
 */
typedef enum subject {
    CAPTIONS = 0,
    BOXES,
    CROPS,
    TEXTS,
    SUBJECTS,
    SCORES = SUBJECTS, /* of texts for pictures */
    LAYERS,            /* with the vectors of parts of pictures */
    ALL_SUBJECTS
} subject;

const char *stage_word(stage_id s);
const char *subject_word(subject s); /* of one input: "picture", "text" */
bool subject_of(stage_id stage, subject s);

/* ---- report.c: what came out ---- */

/* Fails the check that runs; its first reason is kept. Any thread. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void skip(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool has_failed(void);

/*
 * Rules that hold in every call. A breach is kept, and told by the check of that rule, which runs
 * after the others of its stage: so one fault fails one check.
 */
typedef enum rule_id { ANSWERS = 0, WRITES, HOST, ERRORS, THREAD, RULES } rule_id;
void breach(stage_id stage, rule_id rule, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
const char *first_breach(stage_id stage, rule_id rule); /* NULL: none */

/* Begins a check and ends it with its TAP line on `fd`. Returns false when it failed. */
void begin_check(void);
bool end_check(int fd, size_t number, const char *name);

/* ---- target.c: the backends to be tested ---- */

typedef union table {
    struct { /* the members with which all three begin */
        uint32_t struct_size, version, capabilities, reserved;
        const char *name, *id;
    } start;
    item_captioner_ops captioner;
    item_detector_ops detector;
    item_embedder_ops embedder;
} table;

/* One opened backend. */
typedef struct backend {
    stage_id stage;
    table ops; /* as much of it as this program knows */
    void *self;
    item_ctx *owner; /* of a pack's stage: the context that opened it */
} backend;

/* name: "dummy", "pack" or the file of a module. 77: there is no pack or no engine. */
int target_set(const char *name, const char *settings);
bool target_has(stage_id stage);
bool target_is_module(void);
item_status target_open(stage_id stage, const char *settings, backend *out, item_error *err);
const char *target_settings(void);
void target_close(backend *b);
/* Three tables for a configuration of ours; a stage that is not there is a dummy's. */
item_status config_set(item_config *config, stage_id stage, const void *ops, void *self,
                       item_error *err);
/* A context of the target's own stages. */
item_status target_context(item_ctx **out, item_error *err);
void (*table_close(const backend *b))(void *self);

/* ---- samples.c: what backends are asked about ---- */

enum { MOST_SAMPLES = 24, MOST_GIVEN = 8, MOST_TEXT = 65536 };

typedef struct sample {
    item_image *image;
    double box[4];              /* CROPS */
    const char *const *phrases; /* BOXES */
    size_t count;
    const char *text; /* TEXTS, SCORES */
} sample;

typedef struct sample_list {
    sample items[MOST_SAMPLES];
    size_t count;
} sample_list;

extern sample_list samples[ALL_SUBJECTS];
bool samples_make(const char *const *pictures, size_t n, const char *const *phrases, size_t count);
void samples_free(void);
uint64_t samples_sum(void); /* of all pixels: tells whether somebody changed one */
/* A picture of coloured shapes, in memory of `allocator`. */
item_image *make_picture(uint32_t seed, uint32_t width, uint32_t height,
                         const item_allocator *allocator);

/* ---- host.c: what is lent to a backend for a call ---- */

typedef struct arena {
    struct arena *next;
    unsigned char *base;
    size_t used;
} arena;

arena *arena_new(void); /* never at an address that was used before */
/* Takes every arena made until now away: who kept a pointer into one ends there. */
void arenas_hide(void);
void *arena_take(arena *a, size_t size); /* zeroed */

/* How a call is made. */
typedef struct asking {
    bool newer;         /* hands out structs of a later release */
    arena *memory;      /* of what is lent; NULL: fresh memory */
    atomic_int *cancel; /* not 0: cancelled; may be NULL */
    atomic_uint *polls; /* counts how often that was asked; may be NULL */
    uint32_t beams, max_tokens;
    const char *prompt;
    double temperature;
    uint64_t seed;
    uint32_t max_boxes;
    double least_score;
    bool no_heads, no_phrases;
    size_t refuse_at; /* the box that add() refuses, from 1 on; 0: none */
} asking;
#define PLAIN                                                                                      \
    {                                                                                              \
        .least_score = NAN                                                                         \
    }

typedef struct frame frame; /* one call */
frame *frame_begin(const backend *b, const asking *how);
/* Copies what is only to be read; a struct begins with its size. */
void *frame_lend(frame *f, const void *bytes, size_t size);
void *frame_lend_struct(frame *f, const void *known, size_t size);
void frame_seal(frame *f); /* what was lent must not change from here on */
/* Memory for answers, between bytes that must stay as they are. */
void *frame_answers(frame *f, size_t size);
void *frame_answer_struct(frame *f, const void *known, size_t size);
const item_call *frame_call(frame *f);
item_error *frame_err(frame *f);
bool frame_may_add(frame *f); /* add() is called by who may, when he may */
const asking *frame_how(const frame *f);
/* After the backend's return: looks at all that must hold, and frees the frame. */
item_status frame_end(frame *f, item_status status, char *why, size_t room);
void host_free(void);

/* ---- ask.c, answers.c ---- */

typedef struct answer {
    char *text;      /* of a caption */
    double *numbers; /* logprob, margin; or 6 a box; or a vector, and its layers; or a score */
    size_t count;
} answer;

enum { PER_BOX = 6 }; /* phrase, x0, y0, x1, y1, score */

/* Asks about n inputs. `why` receives the reason of a failure. */
enum { WHY = 600 };
item_status ask(const backend *b, subject s, const sample *const *inputs, size_t n,
                const asking *how, answer *out, char why[WHY]);
void answers_free(answer *answers, size_t n);
bool answers_same(subject s, const answer *a, const answer *b, char why[WHY]);
double vectors_differ(const double *a, const double *b, size_t n); /* largest difference */

/* ---- the checks ---- */

/* The backend of a stage, and what it said of each sample alone. */
typedef struct bench {
    backend it;
    bool open;
    answer alone[ALL_SUBJECTS][MOST_SAMPLES];
    bool known;      /* `alone` holds answers to all */
    uint64_t pixels; /* samples_sum() before the first call */
} bench;

typedef struct check {
    const char *name, *what;
    void (*run)(bench *b);
    uint32_t stages; /* bits: which it is for */
} check;

#define FOR(stage) (1u << (stage))
#define FOR_ALL    (FOR(CAPTIONER) | FOR(DETECTOR) | FOR(EMBEDDER))

/* Asks about the samples `first`, `first` + 1 ... (n of them, from the start again after the last)
   and compares with what was said alone; fails the check. */
bool compare_with_alone(const bench *b, const backend *it, subject s, size_t first, size_t n,
                        const asking *how);

extern const check stage_checks[];
extern const size_t stage_check_count;
extern const check context_checks[];
extern const size_t context_check_count;

void check_table(bench *b);
void check_refused_settings(bench *b);
void check_other_tables(bench *b);
void check_fingerprint(bench *b);
/* What a context answers to one sample; fails the check. */
bool context_ask(item_ctx *ctx, subject s, size_t which, answer *out);
void check_threads(bench *b);
void check_two(bench *b);
void check_cancel_at_once(bench *b);
void check_cancel_later(bench *b);
void check_beams(bench *b);
void check_prompt(bench *b);
void check_scores(bench *b);
void check_draws(bench *b);
void check_layers(bench *b);
void check_limits(bench *b);
void check_no_phrases(bench *b);
void check_refusing_host(bench *b);
void check_differ(bench *b);

#endif
