/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of core share: settings, packs, engines, contexts. The topmost layer, which
 * sees all others.
 */
#ifndef ITEMI_CORE_H
#define ITEMI_CORE_H

#include <item/item.h>
#include <item/pack.h>
#include <item/sys/engine.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "common/common.h"
#include "core/head.h"
#include "files/files.h"
#include "image/image.h"
#include "math/math.h"
#include "stage/stage.h"
#include "text/text.h"

/* Bytes of a struct up to the end of a member: sizes of structs as they were in release 0.1. */
#define ITEMI_SIZE_TO(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

#define ITEMI_TEXT_MAX       65536 /* bytes of a caption, a phrase or another text to embed */
#define ITEMI_OBJECTS_MAX    64
#define ITEMI_SAMPLE_MAX     10         /* temperature of a caption */
#define ITEMI_OBJECTS_UNSET  UINT32_MAX /* as setting: 8, or all that a published detector gives */
#define ITEMI_DEFAULT_LAYOUT "difference/both/1"

/* ---- settings of a configuration that a context keeps ---- */

typedef struct itemi_settings {
    char precision[8], device[32], threshold[ITEMI_NAME_MAX];
    double prior;        /* NaN: none */
    uint32_t beams;      /* 0: the pack's */
    uint32_t max_tokens; /* likewise */
    double sample;       /* temperature of captions; 0: nothing is drawn */
    uint64_t sample_seed;
    uint32_t max_objects;  /* 0 to ITEMI_OBJECTS_MAX, or ITEMI_OBJECTS_UNSET */
    uint32_t fast;         /* 0 or 1 */
    double detector_score; /* NaN: the pack's */
    uint32_t batch;
    uint32_t map_files; /* 0 or 1 */
    int32_t verify;     /* as item_pack_open() */
    uint32_t accept_truncated;
    uint64_t max_pixels, max_file_bytes, max_decode_bytes, max_scans; /* 0: the default */
} itemi_settings;

/* Which engine: a table, a path, or neither for the one beside libitem. */
typedef struct itemi_engine_choice {
    const item_engine_ops *ops;
    char *path;
} itemi_engine_choice;

struct item_config {
    itemi_settings settings;
    char *head;   /* NULL: the pack's */
    char *cache;  /* NULL: none */
    char *prompt; /* NULL: none */
    bool no_head;
    itemi_log log;
    itemi_mem mem; /* of the contexts; the configuration itself comes from malloc */
    itemi_engine_choice engine;
    itemi_stage *stage[ITEMI_STAGES]; /* NULL: the pack's */
};

void itemi_settings_init(itemi_settings *settings);

/* ---- where libitem lies ---- */

/*
 * Path of the engine module beside libitem, and of the default pack. In a library that lies in
 * a build folder of meson, and there alone, the environment may name others: *from_environment.
 */
item_status itemi_origin_engine(char *out, size_t room, bool *from_environment, item_error *err);
item_status itemi_origin_pack(char *out, size_t room, item_error *err);

/* ---- engines: loaded once a path and process, never unloaded ---- */

typedef struct itemi_engine {
    const item_engine_ops *ops;
    const char *path; /* of the module, or "linked"; for ever */
} itemi_engine;

item_status itemi_engine_open(const itemi_engine_choice *choice, const itemi_log *log,
                              const item_cancel *cancel, itemi_engine *out, item_error *err);
/* ITEM_E_FORKED when an engine was loaded by the parent of this process. */
item_status itemi_engine_forked(item_error *err);

/* ---- packs ---- */

typedef struct itemi_pack_file {
    const char *role; /* "" for the head */
    const char *name; /* as in item.json */
    char *path;       /* resolved, inside of the pack */
    uint64_t bytes;
    const char *sha256; /* as in item.json; "" in a published folder, where it was not hashed */
    char content[96];   /* what is known of its bytes: the hash, or where they lie if not hashed */
    struct stat facts;  /* when they were looked at */
} itemi_pack_file;

typedef struct itemi_pack_stage {
    const char *family; /* NULL: the pack has no such stage */
    itemi_pack_file *files;
    size_t count;
    const json_t *config;       /* or NULL */
    const char *tokenizer_role; /* NULL: no tokenizer; "tokenizer": as tokens_open() finds it */
    size_t tokenizer_limit;
    double least_similarity; /* of an embedder: of nearly all true captions; NaN: not known */
} itemi_pack_stage;

/* Texts are borrowed from `root`. */
struct item_pack {
    itemi_mem mem;
    json_t *root;
    char *path, *card, *json;
    const char *name, *version, *licence;
    char fingerprint[ITEMI_SHA256_HEX];
    itemi_pack_stage stage[ITEMI_STAGES];
    itemi_pack_file head; /* name NULL: none */
    char label[256];      /* name and version */
    bool published;       /* a model as published: `root` was made here, links may lead out */
};

#define ITEMI_ROLES_MAX  128      /* files of one stage: shards are many */
#define ITEMI_SMALL_FILE 16000000 /* bytes below which "small" hashes */
/* "kind" of a tokenizer whose files are found by their roles, as tokens_open() does. */
#define ITEMI_PUBLISHED_TOKENIZER "published"
/* Added to `verify`: a published folder is hashed whole, so that its identities are exact. */
#define ITEMI_VERIFY_PUBLISHED 4

/*
 * As item_pack_open(), with the memory and the log of a context. A folder without item.json may be
 * a model as published.
 */
item_status itemi_pack_load(const itemi_mem *mem, const itemi_log *log, const char *path,
                            int32_t verify, item_pack **out, item_error *err);
/* Reads the manifest into pack->stage and pack->head; `name` is for messages. */
item_status itemi_pack_parse(item_pack *pack, const itemi_log *log, const char *name,
                             item_error *err);
/* Is what was opened just now still that file? Hashed only where it is another one on the disk. */
item_status itemi_pack_file_same(const itemi_pack_file *entry, const itemi_file *opened,
                                 item_error *err);
const itemi_pack_file *itemi_pack_role(const itemi_pack_stage *stage, const char *role);
/* Makes pack->json. */
item_status itemi_pack_describe(item_pack *pack, const itemi_head *head, item_error *err);

/* ---- JSON of answers (json.c): how numbers and texts are written is decided there ---- */

json_t *itemi_json_text(const char *text); /* U+FFFD for each bad byte; NULL gives "" */
json_t *itemi_json_number(double value);   /* null unless finite */
/* One line, in memory of `mem`; NULL: no memory. Takes the reference to object (may be NULL). */
char *itemi_json_print(const itemi_mem *mem, json_t *object);

/* ---- contexts ---- */

/* A stage of a context, opened at its first use. */
typedef struct itemi_slot {
    pthread_mutex_t lock;
    _Atomic(itemi_stage *) stage;
    bool possible;         /* the pack or the configuration has one */
    bool registered;       /* it is the configuration's */
    char identity[256];    /* changes when its answers change; known before opening */
    char precision[8];     /* that runs; "" where the backend does not say. With `stage`. */
    const char *engine_id; /* "" for a registered backend. With `stage`. */
} itemi_slot;

struct item_ctx {
    itemi_mem mem;
    atomic_uint refs;
    pid_t pid;
    itemi_settings settings;
    char *prompt; /* of captions, or NULL */
    char prompt_hash[ITEMI_SHA256_HEX];
    itemi_log log;
    itemi_engine_choice engine;
    item_pack *pack;     /* or NULL */
    uint32_t pack_width; /* of the pack's embedder; 0: not stated */

    itemi_head *head; /* or NULL */
    char head_hash[ITEMI_SHA256_HEX];
    itemi_threshold threshold;
    char no_verdict[256]; /* "" with a head */
    itemi_layout layout;  /* the head's, or the default */
    char layout_name[ITEMI_LAYOUT_NAME_MAX];
    uint32_t working_size; /* 0: none */
    itemi_filter filter;

    itemi_slot slot[ITEMI_STAGES];
    pthread_mutex_t weights_lock;
    struct item_weights *weights; /* open files, shared by the stages */
    pthread_mutex_t tokens_lock;
    _Atomic(itemi_tokenizer *) tokens;
    pthread_mutex_t cache_lock;
    itemi_cache *cache; /* answers of the stages, or NULL */
};

/* ITEM_E_ARGUMENT for NULL, ITEM_E_FORKED in a child of the process that opened it. */
item_status itemi_ctx_check(const item_ctx *ctx, item_error *err);
/* The stage, opened if need be; ITEM_E_UNSUPPORTED when the context has none. */
item_status itemi_ctx_stage(item_ctx *ctx, itemi_stage_kind kind, const item_cancel *cancel,
                            itemi_stage **out, item_error *err);
/* The engine that computes the stages of the pack, and its precision; "" before the first use. */
void itemi_ctx_engine(const item_ctx *ctx, const char **id, const char **precision);
/* Width of the embedder's vectors as far as it is known without opening it; 0: not. */
uint32_t itemi_ctx_width(const item_ctx *ctx);
/* How a call's captions are asked for. */
itemi_captioning itemi_ctx_captioning(const item_ctx *ctx, const item_check_options *options,
                                      bool tokens);
/* Limits and memory for reading pictures. */
item_image_options itemi_ctx_image_options(const item_ctx *ctx, item_cancel *cancel);

/* Opens a stage of the pack with an engine (services.c). */
item_status itemi_host_open(item_ctx *ctx, itemi_stage_kind kind, const itemi_engine *engine,
                            const item_cancel *cancel, itemi_stage **out, item_error *err);
/*
 * Tokenizer of a stage; `mem` must outlive it. Role "tokenizer": of what lies in a published folder,
 * that is the files of roles tokenizer, else vocab and merges, else vocab, with tokenizer_config,
 * special_tokens_map and added_tokens where they are. Any other role: that file, vocab.txt of BERT.
 */
item_status itemi_tokens_load(const itemi_mem *mem, const itemi_pack_stage *stage, const char *role,
                              itemi_tokenizer **out, item_error *err);

/* ---- identities ---- */

/*
 * What makes the features beside the embedder: captioner, detector and the settings that they are
 * called with. A head keeps it, as its calibration holds for nothing else.
 */
void itemi_pipeline_name(const item_ctx *ctx, const item_check_options *options,
                         char out[ITEMI_PIPELINE_MAX]);

/* Identity of a stage of the pack, and of a registered one (identity.c). */
item_status itemi_identity_pack(const itemi_pack_stage *stage, uint32_t width, char out[256],
                                item_error *err);
item_status itemi_identity_stage(const itemi_stage *stage, char out[256], item_error *err);
/* Fingerprint of the answers of a call, once a picture went through the context's stages. */
item_status itemi_fingerprint(const item_ctx *ctx, const item_check_options *options,
                              char out[ITEMI_SHA256_HEX], item_error *err);
const char *itemi_processor_class(void);

/* ---- small decisions ---- */

#define ITEMI_ASPECT_MAX 8 /* longest side of a working picture, in short sides */

/* Size to which a picture is brought; short_side 0 leaves it as it is. */
void itemi_working_size(uint32_t width, uint32_t height, uint32_t short_side, uint32_t *out_width,
                        uint32_t *out_height);
/* One word over half of six or more, or three words in a row three times. ASCII case is ignored. */
bool itemi_caption_loops(const char *caption);
bool itemi_caption_is_empty(const char *caption); /* nothing but blanks */
/* Objects of a picture at most: a call's, else the context's, else the default. */
uint32_t itemi_objects_asked(const item_ctx *ctx, const item_check_options *options);
/*
 * Objects out of boxes: for each phrase the best box, or the best `counts[phrase]` ones that do
 * not cover each other; at most `most`, best score first, in order of mention where scores are
 * equal. Moves them to the front of boxes, returns how many. counts NULL: every box counts.
 */
size_t itemi_choose_objects(itemi_box *boxes, size_t n, const uint32_t *counts, size_t most);

/* A text of a caller's: ITEM_E_ARGUMENT (NULL), ITEM_E_LIMIT, ITEM_E_FORMAT (no UTF-8). */
item_status itemi_text_check(const char *text, const char *what, item_error *err);

#endif
