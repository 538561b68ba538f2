/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A head: the file that turns features into a score and a verdict. Everything that must hold
 * for verdicts (normalisation, MLP, calibration, thresholds, rules for "unsure") is in it and
 * in head_judge.c, nowhere else. A head does not change once it is open; threads may share it.
 */
#ifndef ITEMI_HEAD_H
#define ITEMI_HEAD_H

#include <item/dataset.h>
#include <item/result.h>

#include "common/common.h"
#include "math/math.h"

/* Version of the file's metadata. Newer ones are refused. */
#define ITEMI_HEAD_FORMAT 1

#define ITEMI_NAME_MAX     48  /* bytes of short names, with the NUL */
#define ITEMI_PIPELINE_MAX 704 /* of two identities and three settings */

/*
 * A threshold that is named by its share of real photographs called "ai" at calibration. Without a
 * confidence the rate is that of a new photograph, in the mean over calibrations; with one it is
 * not exceeded, of all photographs of the same kind, by more than one calibration in so many.
 */
typedef struct itemi_promise {
    double score; /* calibrated log-odds; +infinity: too few photographs to promise anything */
    double rate;  /* promised share, 0.01 or 0.05 */
    uint64_t real, above; /* real photographs at calibration, and those at or above the score */
    double confidence;    /* of the promise, such as 0.95; 0: none */
    uint64_t allowed;     /* how many photographs the confidence lets reach the score */
} itemi_promise;

#define ITEMI_RULE_POOLED      "pooled"       /* thresholds hold over all held-out photographs */
#define ITEMI_RULE_WORST       "worst-source" /* and within each source that has enough of them */
#define ITEMI_RULE_CALIBRATED  "calibrated"   /* on photographs that item_calibrate() was given */
#define ITEMI_ENOUGH_OF_SOURCE 100            /* photographs by which a source is judged alone */

/* What a head says of itself: all of its metadata. NaN: the rule does not exist. */
typedef struct itemi_head_facts {
    itemi_layout layout;
    char layout_name[ITEMI_LAYOUT_NAME_MAX];
    size_t vector_width; /* of the embedder */
    size_t layers_width; /* of its inner layers, where the layout reads them; else 0 */
    size_t features;     /* itemi_layout_size() of these */
    char embedder[256];  /* identity of the embedder: the text that ITEM_TEXT_EMBEDDER gives */
    char pipeline[ITEMI_PIPELINE_MAX]; /* as itemi_pipeline_name(); "": not known */

    uint32_t working_size;               /* short side to which pictures are brought; 0: none */
    char working_filter[ITEMI_NAME_MAX]; /* "bilinear", "bicubic" or "lanczos" */
    uint32_t size_min, size_max;         /* short sides calibrated; size_max 0: no upper end */

    double temperature, bias; /* score = (logit + bias) / temperature */
    itemi_promise fpr1, fpr5;
    char threshold_rule[ITEMI_NAME_MAX]; /* an ITEMI_RULE_..., or one of a later libitem */
    char calibrated_on[256];             /* text: what photographs; "" */
    double real_below;                   /* real below this score; -infinity: never */
    double real_share;                   /* at most this share of AI pictures lies below it, 0.10 */
    uint64_t ai;                         /* AI pictures at calibration */

    double scope_limit;           /* largest root mean square of the normalised features */
    double scope_quantile;        /* share of calibration pictures within it, 0.999 */
    itemi_plain plain;            /* what photographs look like by their plain statistics */
    double plain_limit;           /* largest distance from it; NaN: no such rule */
    double plain_quantile;        /* share of photographs of sources left out within it, 0.99 */
    double caption_least;         /* least mean log-probability of a caption that is relied on */
    double caption_quantile;      /* share of calibration pictures below it, 0.01 */
    bool callers_captions;        /* trained and calibrated with callers' captions */
    const char *trained_on;       /* text; "" */
    char library[ITEMI_NAME_MAX]; /* version of libitem that wrote it */

    /* What it was trained on, so that a test on the same can be refused. */
    struct json_t *trained_sources;  /* array of texts; NULL: not known */
    const uint8_t *trained_pictures; /* [trained_count x ITEM_PICTURE_HASH]; none: not known */
    size_t trained_count;
} itemi_head_facts;

typedef struct itemi_head itemi_head;

#define ITEMI_HEAD_BYTES (UINT64_C(64) << 20) /* of a head's file, which is read into memory */

/*
 * Opens a head file. Refuses NaN and infinite weights, missing or misshapen tensors, a newer
 * format. `mem` must outlive the head. *out is NULL on failure.
 */
item_status itemi_head_open(const itemi_mem *mem, const char *path, itemi_head **out,
                            item_error *err);
/* Of a file's bytes in memory; `name` is for messages. */
item_status itemi_head_parse(const itemi_mem *mem, const void *bytes, size_t size, const char *name,
                             itemi_head **out, item_error *err);
/* Copies facts and network, and what the facts point to; pictures need not be sorted. */
item_status itemi_head_make(const itemi_mem *mem, const itemi_head_facts *facts,
                            const itemi_mlp *mlp, itemi_head **out, item_error *err);
/* The same head gives the same bytes. */
item_status itemi_head_write(const itemi_head *head, const char *path, item_error *err);
void itemi_head_free(itemi_head *head);

static inline itemi_widths itemi_head_widths(const itemi_head_facts *facts)
{
    return (itemi_widths){facts->vector_width, facts->layers_width};
}

const itemi_head_facts *itemi_head_get_facts(const itemi_head *head);
/* The facts as a JSON object (compact), for item_pack_json() and reports; itemi_free() it. */
char *itemi_head_facts_json(const itemi_head *head);

/*
 * Was the head trained on this source (a JSON text), on this picture [ITEM_PICTURE_HASH]? Not
 * known is no.
 */
bool itemi_head_knows_source(const itemi_head *head, const struct json_t *source);
bool itemi_head_knows_picture(const itemi_head *head, const uint8_t *picture);

/*
 * ITEM_E_MISMATCH, naming both sides, when the head was not made for this embedder. width 0 or
 * embedder NULL: not known yet, not compared.
 */
item_status itemi_head_fits(const itemi_head *head, size_t width, const char *embedder,
                            item_error *err);

/* A threshold by name or number. Number: a probability 0..1, compared without any prior. */
typedef struct itemi_threshold {
    char name[ITEMI_NAME_MAX]; /* "fpr1", "fpr5", or the number as it was given */
    double score;              /* on the score; may be infinite */
    double promised;           /* NaN for a number */
} itemi_threshold;

/* Text: "fpr1", "fpr5" or a number; NULL: fpr1. ITEM_E_ARGUMENT says what is allowed. */
item_status itemi_head_threshold(const itemi_head *head, const char *text, itemi_threshold *out,
                                 item_error *err);
/* The same check without a head, for configurations. */
item_status itemi_threshold_check(const char *text, item_error *err);

/* What a verdict rests on. Fill with itemi_evidence_init(), then set what is known. */
typedef struct itemi_evidence {
    const float *features; /* in the head's layout */
    size_t count;
    uint32_t short_side;    /* of the upright picture before the working size; 0: not known */
    double caption_logprob; /* mean log-probability of a token; NaN: not known */
    bool caption_empty, caption_looping;
    bool callers_caption; /* the features come of a caption of the caller's */
    const float *plain;   /* plain statistics of the picture; NULL: not known */
    const char *pipeline; /* what made the features; "": not known */
    double prior;         /* share of AI pictures to show the probability for; NaN: none */
} itemi_evidence;

void itemi_evidence_init(itemi_evidence *evidence, const float *features, size_t count);

typedef struct itemi_judgement {
    double score;       /* calibrated log-odds, without the prior: what thresholds compare */
    double probability; /* to show: with the prior */
    int32_t verdict;    /* ITEM_VERDICT_... */
    int32_t reason;     /* ITEM_REASON_... */
    double threshold;   /* on the score */
    double real_below;  /* on the score; -infinity: never */
    double promised;    /* of the threshold; NaN for a number */
} itemi_judgement;

/*
 * The only place where verdicts are made. Rules in this order: settings, size,
 * out_of_scope, caption_unreliable and no_objects (where nothing else is read; told by the presence
 * flag, the sixth number from the end) give `unsure`; then ai at or above the threshold, real below
 * the real point when that lies below the threshold, else weak_evidence.
 * ITEM_E_MISMATCH: wrong number of features, or a caller's caption for a head that was not
 * calibrated with such; ITEM_E_ARGUMENT: features or prior that are no numbers.
 */
item_status itemi_head_judge(const itemi_head *head, const itemi_evidence *evidence,
                             const itemi_threshold *threshold, itemi_judgement *out,
                             item_error *err);

/* Score of features alone; ITEM_E_MISMATCH, ITEM_E_ARGUMENT as above. */
item_status itemi_head_score(const itemi_head *head, const float *features, size_t count,
                             double *score, item_error *err);

/*
 * Contributions: how the score changes when a part is left out (score with it minus score
 * without). whole: the global part (replaced by the training mean); each[i]: object i (pooled
 * again without it). NaN for parts that the layout does not have. whole, each may be NULL.
 */
item_status itemi_head_contributions(const itemi_head *head, const itemi_vectors *vectors,
                                     double *whole, double *each, item_error *err);

#define ITEMI_REASON_LAST ITEM_REASON_SETTINGS

/* Code ("weak_evidence") and one plain sentence of an ITEM_REASON_...; static, never NULL. */
const char *itemi_reason_code(int32_t reason);
const char *itemi_reason_line(int32_t reason);
/* "real", "unsure", "ai" or "none". */
const char *itemi_verdict_name(int32_t verdict);

/* ---- names of pipelines (pipeline_name.c) ---- */

/*
 * Whether a head's pipeline and this one are the same, and a line that names what differs (NULL: no
 * memory). How objects are found counts where the head reads objects.
 */
bool itemi_pipeline_same(const char *head, const char *here, bool objects);
char *itemi_pipeline_difference(const itemi_mem *mem, const char *head, const char *here,
                                bool objects);

#endif
