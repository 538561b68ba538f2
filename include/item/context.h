/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Configurations and contexts: what opens a pack and holds the three stages.
 */
#ifndef ITEM_CONTEXT_H
#define ITEM_CONTEXT_H

#include <item/base.h>
#include <item/picture.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Settings of a context, changed until the context is opened. One thread at a time. */
typedef struct item_config item_config;

/** A pack that is ready to answer. Immutable, shared by any number of threads. */
typedef struct item_ctx item_ctx;

/* Tables that writers of backends fill: <item/sys/backend.h>, <item/sys/engine.h>. */
struct item_captioner_ops;
struct item_detector_ops;
struct item_embedder_ops;
struct item_engine_ops;

/**
 * Makes a configuration with every default.
 *
 * @param out  receives the configuration; release with item_config_unref()
 * @param err  receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_MEMORY
 * Owner: caller.  Threads: any.  Since: 0.1
 */
ITEM_API item_status item_config_new(item_config **out, item_error *err);

/**
 * Releases a configuration. Contexts opened with it keep what they need.
 *
 * @param config  configuration; NULL is ignored
 * Threads: any.  Since: 0.1
 */
ITEM_API void item_config_unref(item_config *config);

/**
 * Sets an option by name. The values are text, as a program would read them.
 *
 * - `precision`: `fp32` (default), `bf16` or `auto`
 * - `device`: `cpu` (default), `cuda` or `cuda:N`
 * - `threshold`: `fpr1` (default), `fpr5`, or a probability between 0 and 1
 * - `prior`: share of AI pictures that is expected, between 0 and 1; default: none
 * - `head`: path of a head file, or `none`; default: the pack's
 * - `cache`: path of a file that keeps the captions, boxes and vectors of pictures that are checked,
 *   so that no later check of them computes these again, or `none` (default). Made if it is not
 *   there. Contexts and processes may share it. It changes no answer: a value counts for the same
 *   pixels, stage, engine, precision, kind of processor and settings alone (since 0.2)
 * - `beams`: 1 to 8; default: the pack's
 * - `max_tokens`: most ids of a caption, 1 to 512, start, prompt and end included; default: the
 *   model's (since 0.2; a captioner may pass over it)
 * - `prompt`: what captions begin with; default: nothing (since 0.2; likewise)
 * - `sample`: temperature at which the words of captions are drawn, 0 to 10; default 0: nothing is
 *   drawn (since 0.2; likewise)
 * - `sample_seed`: of these draws, a whole number, at most 2^53 (since 0.2): the same seed gives the
 *   same captions on the same machine; default 0
 * - `max_objects`: 0 to 64; default 8
 * - `fast`: `1`: do not look for objects where the head judges the whole picture alone, so that its
 *   verdict needs none; `0` (default) (since 0.2)
 * - `detector_score`: least score of a box, 0 to 1; default: the pack's
 * - `batch`: pictures that are computed together, 1 to 64; default 8
 * - `max_pixels`, `max_file_bytes`, `max_decode_bytes`, `max_scans`: whole numbers; see
 *   item_image_options
 * - `accept_truncated`: `0` (default) or `1`
 * - `map_files`: `1` (default): map weights; `0`: copy them, which a file that shrinks cannot harm
 * - `verify`: `small` (default): hash files below 16 MB; `all`; or `none`
 *
 * @param config  configuration
 * @param name    name of the option
 * @param value   its value
 * @param err     receives the reason of a failure, with the values allowed; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_MEMORY
 * Owner: strings are copied.  Threads: one at a time.  Since: 0.1
 */
ITEM_API item_status item_config_set(item_config *config, const char *name, const char *value,
                                     item_error *err);

/**
 * Sets the function that receives log lines; silent without.
 *
 * @param config  configuration
 * @param log     function, or NULL
 * @param user    handed to it
 * @param err     receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT
 * Threads: one at a time; `log` is called on the threads that make calls.  Since: 0.1
 */
ITEM_API item_status item_config_set_log(item_config *config, item_log_fn log, void *user,
                                         item_error *err);

/**
 * Sets the memory functions of contexts opened with this configuration and of
 * their results. Configurations, registered backends and cancel handles come from
 * malloc, and so does what jansson, libcrypto, the codecs and an engine allocate.
 *
 * @param config     configuration
 * @param allocator  functions, copied; NULL is malloc
 * @param err        receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT
 * Threads: one at a time.  Since: 0.1
 */
ITEM_API item_status item_config_set_allocator(item_config *config, const item_allocator *allocator,
                                               item_error *err);

/**
 * Sets the engine that computes networks. Without this call it is found at
 * `<libdir>/item-<abi>/libitem-torch.so` beside the running libitem. (A libitem in its
 * build folder also asks the environment: ITEM_ENGINE_PATH, and ITEM_PACK_PATH for the
 * default pack. An installed one never does.)
 *
 * @param config  configuration
 * @param engine  table, such as item_torch_engine() of <item/torch.h>; or NULL
 * @param path    file of an engine module, copied; or NULL. Not both.
 * @param err     receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_MEMORY
 * Owner: the table must stay valid for ever.  Threads: one at a time.  Since: 0.1
 */
ITEM_API item_status item_config_set_engine(item_config *config,
                                            const struct item_engine_ops *engine, const char *path,
                                            item_error *err);

/**
 * Sets the captioner, instead of the pack's.
 *
 * @param config  configuration
 * @param ops     table, copied up to the size both sides know; NULL takes it back
 * @param self    handed to each function; released by ops->close, once, when the
 *                configuration and every context opened with it are gone. After a
 *                failure it stays the caller's.
 * @param err     receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT (a required member is missing), ITEM_E_BACKEND (a
 *         version, capability or width that is not supported), ITEM_E_MEMORY
 * Threads: one at a time.  Since: 0.1
 */
ITEM_API item_status item_config_set_captioner(item_config *config,
                                               const struct item_captioner_ops *ops, void *self,
                                               item_error *err);

/**
 * Sets the detector; as item_config_set_captioner().
 *
 * @param config  configuration
 * @param ops     table, copied; NULL takes it back
 * @param self    handed to each function
 * @param err     receives the reason of a failure; may be NULL
 * @return as item_config_set_captioner()
 * Threads: one at a time.  Since: 0.1
 */
ITEM_API item_status item_config_set_detector(item_config *config,
                                              const struct item_detector_ops *ops, void *self,
                                              item_error *err);

/**
 * Sets the embedder; as item_config_set_captioner().
 *
 * @param config  configuration
 * @param ops     table, copied; NULL takes it back
 * @param self    handed to each function
 * @param err     receives the reason of a failure; may be NULL
 * @return as item_config_set_captioner()
 * Threads: one at a time.  Since: 0.1
 */
ITEM_API item_status item_config_set_embedder(item_config *config,
                                              const struct item_embedder_ops *ops, void *self,
                                              item_error *err);

/** Engine-wide settings: the only state of the process. 0 means the default. */
typedef struct item_engine_settings {
    uint32_t struct_size; /**< set by ITEM_ENGINE_SETTINGS_INIT */
    uint32_t lanes;       /**< engine threads that compute side by side; default 1 */
    uint32_t threads;     /**< OpenMP threads of each lane; default: physical cores / lanes */
    uint32_t reserved;    /**< 0 */
} item_engine_settings;

/** Start value of item_engine_settings: every default. */
#define ITEM_ENGINE_SETTINGS_INIT                                                                  \
    {                                                                                              \
        sizeof(item_engine_settings), 0, 0, 0                                                      \
    }

/** Facts of an engine, for diagnosis. */
typedef struct item_engine_info {
    uint32_t struct_size;     /**< set by ITEM_ENGINE_INFO_INIT */
    uint32_t lanes;           /**< that run, or would run: see item_engine_settings */
    uint32_t threads;         /**< of each lane */
    uint32_t cpu_bf16;        /**< 1: the processor multiplies bf16 natively */
    const char *name;         /**< "torch" */
    const char *version;      /**< of the compute library, "1.13.1" */
    const char *path;         /**< file of the module, or "linked" */
    const char *blas;         /**< the BLAS that really runs, with its file */
    const char *cpu;          /**< processor's name */
    const char *cpu_features; /**< "avx2 fma avx512f avx512_bf16" */
    double gflops; /**< measured rate of a 512 x 768 x 768 product, fp32; 0 unless measured */
    uint32_t blas_is_slow; /**< 1: the reference BLAS */
    uint32_t reserved;     /**< 0 */
} item_engine_info;

/** Start value of item_engine_info: to be filled by item_engine_get_info(). */
#define ITEM_ENGINE_INFO_INIT                                                                      \
    {                                                                                              \
        sizeof(item_engine_info), 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0.0, 0, 0           \
    }

/**
 * Loads the engine of a configuration now and applies engine-wide settings.
 * Call it before the first network, or not at all.
 *
 * @param config    says which engine; NULL for the default
 * @param settings  lanes and threads; NULL for the defaults
 * @param err       receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT (lanes are running with other settings),
 *         ITEM_E_NO_ENGINE, ITEM_E_BACKEND, ITEM_E_LIMIT (8 engines are loaded, for ever),
 *         ITEM_E_MEMORY, ITEM_E_FORKED
 * Threads: any.  Since: 0.1
 */
ITEM_API item_status item_engine_setup(const item_config *config,
                                       const item_engine_settings *settings, item_error *err);

/**
 * Facts of the engine; loads it if needed.
 *
 * @param config   says which engine; NULL for the default
 * @param measure  1: also measure the rate of a product (half a second)
 * @param info     ITEM_ENGINE_INFO_INIT; receives the facts
 * @param err      receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_NO_ENGINE, ITEM_E_BACKEND, ITEM_E_LIMIT,
 *         ITEM_E_MEMORY, ITEM_E_FORKED
 * Owner: strings are the library's, for ever.  Threads: any.  Since: 0.1
 */
ITEM_API item_status item_engine_get_info(const item_config *config, int32_t measure,
                                          item_engine_info *info, item_error *err);

/**
 * Opens a context.
 *
 * @param pack    folder of a pack, or of a model as published (since 0.2, see
 *                item_pack_open()); NULL is the installed default, or, when the
 *                configuration brings an embedder, no pack at all
 * @param config  settings; NULL for the defaults
 * @param out     receives the context; release with item_ctx_unref()
 * @param err     receives the reason of a failure, with the file; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT, ITEM_E_PACK, ITEM_E_IO, ITEM_E_FORMAT, ITEM_E_LIMIT,
 *         ITEM_E_MISMATCH, ITEM_E_MEMORY, ITEM_E_FORKED. Networks are opened at
 *         first use, so that opening stays quick: their errors come then.
 * Owner: caller.  Threads: any.  Since: 0.1
 */
ITEM_API item_status item_ctx_open(const char *pack, const item_config *config, item_ctx **out,
                                   item_error *err);

/**
 * One more reference to a context.
 *
 * @param ctx  context; NULL is ignored
 * @return the same context
 * Threads: any.  Since: 0.1
 */
ITEM_API item_ctx *item_ctx_ref(item_ctx *ctx);

/**
 * Releases a reference; the last one closes the stages and frees the context.
 * Results stay valid. In a forked child it does nothing: the engine's threads are
 * gone there, and nobody would answer.
 *
 * @param ctx  context; NULL is ignored
 * Threads: any.  Since: 0.1
 */
ITEM_API void item_ctx_unref(item_ctx *ctx);

/** Facts of a context. */
typedef struct item_ctx_info {
    uint32_t struct_size; /**< set by ITEM_CTX_INFO_INIT */
    uint32_t width; /**< of the embedder's vectors; 0 before its first use, unless the pack says */
    uint32_t has_captioner; /**< 1: it has one, of the pack or of the configuration */
    uint32_t has_detector;  /**< likewise */
    uint32_t has_embedder;  /**< likewise */
    uint32_t has_head;      /**< likewise */
    uint32_t working_size;  /**< short side to which pictures are brought, pixels; 0: none */
    uint32_t reserved;      /**< 0 */
    const char *pack;       /**< name and version of the pack, or "" */
    const char *layout;     /**< of the head's features, or "" */
    const char *no_verdict; /**< why there is no verdict, or NULL */
    uint32_t layers_width;  /**< of item_embed_layers(); 0 before the embedder's first use, and
                                 where it has none (since 0.2) */
    uint32_t batch;         /**< pictures that are computed together (since 0.2) */
} item_ctx_info;

/** Start value of item_ctx_info: to be filled by item_ctx_get_info(). */
#define ITEM_CTX_INFO_INIT                                                                         \
    {                                                                                              \
        sizeof(item_ctx_info), 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, 0, 0                         \
    }

/**
 * Facts of a context.
 *
 * @param ctx   context
 * @param info  ITEM_CTX_INFO_INIT; receives the facts
 * @param err   receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT
 * Owner: strings are the context's.  Threads: any.  Since: 0.1
 */
ITEM_API item_status item_ctx_get_info(const item_ctx *ctx, item_ctx_info *info, item_error *err);

/**
 * How a context reads files: its limits, for pictures that the caller reads from memory.
 *
 * @param ctx      context
 * @param options  ITEM_IMAGE_OPTIONS_INIT; receives flags and limits, the default ones too;
 *                 allocator and cancel become NULL
 * @param err      receives the reason of a failure; may be NULL
 * @return ITEM_OK, ITEM_E_ARGUMENT
 * Threads: any.  Since: 0.2
 */
ITEM_API item_status item_ctx_get_image_options(const item_ctx *ctx, item_image_options *options,
                                                item_error *err);

/** Settings of one call; all zero is the default. */
typedef struct item_check_options {
    uint32_t struct_size; /**< set by ITEM_CHECK_OPTIONS_INIT */
    uint32_t max_objects; /**< 0: the context's */
    const char *caption;  /**< the caller's caption for every picture of the call; NULL: none */
    const char *const *captions; /**< one a picture of a batch, entries may be NULL; or NULL */
    item_cancel *cancel;         /**< NULL: cannot be cancelled */
    item_progress_fn progress;   /**< NULL: none */
    void *progress_user;         /**< first argument of progress */
    /* since 0.2 */
    double sample;        /**< temperature of the model's caption, as the option of that name;
                               0: the context's, with its seed */
    uint64_t sample_seed; /**< of its draws, where sample is above 0 */
} item_check_options;

/** Start value of item_check_options: every default. */
#define ITEM_CHECK_OPTIONS_INIT                                                                    \
    {                                                                                              \
        sizeof(item_check_options), 0, NULL, NULL, NULL, NULL, NULL, 0.0, 0                        \
    }

#ifdef __cplusplus
}
#endif
#endif
