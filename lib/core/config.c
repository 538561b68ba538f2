/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations: options by name, and what the host brings along. */
#include <math.h>
#include <string.h>

#include "core/core.h"

#define INTEGER_MAX 9007199254740992.0 /* 2^53: exact as a double */

void itemi_settings_init(itemi_settings *settings)
{
    *settings = (itemi_settings){
        .precision = "fp32",
        .device = "cpu",
        .threshold = "fpr1",
        .prior = NAN,
        .max_objects = ITEMI_OBJECTS_UNSET,
        .detector_score = NAN,
        .batch = 8,
        .map_files = 1,
        .verify = 1,
    };
}

item_status item_config_new(item_config **out, item_error *err)
{
    if (!out)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_config_new: out is NULL");
    *out = itemi_alloc_zero(NULL, 1, sizeof **out);
    if (!*out)
        return itemi_fail_memory(err, "making a configuration");
    itemi_settings_init(&(*out)->settings);
    return ITEM_OK;
}

void item_config_unref(item_config *config)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!config)
        return;
    for (size_t i = 0; i < ITEMI_STAGES; i++)
        itemi_stage_unref(config->stage[i]);
    itemi_free(NULL, config->engine.path);
    itemi_free(NULL, config->head);
    itemi_free(NULL, config->cache);
    itemi_free(NULL, config->prompt);
    itemi_free(NULL, config);
}

/* ---- options by name ---- */

typedef enum option_kind {
    KIND_U32, /* integer within low..high */
    KIND_U64,
    KIND_REAL,  /* within low..high */
    KIND_INNER, /* strictly between low and high */
    KIND_PRECISION,
    KIND_DEVICE,
    KIND_THRESHOLD,
    KIND_VERIFY,
    KIND_HEAD, /* from here on no member of the settings */
    KIND_CACHE,
    KIND_PROMPT
} option_kind;

typedef struct option {
    const char *name, *allowed;
    option_kind kind;
    size_t offset; /* in itemi_settings */
    double low, high;
} option;

#define AT(member) offsetof(itemi_settings, member)

static const option options[] = {
    {"precision", "fp32, bf16 or auto", KIND_PRECISION, 0, 0, 0},
    {"device", "cpu, cuda or cuda:N, such as cuda:0", KIND_DEVICE, 0, 0, 0},
    {"threshold", "fpr1, fpr5 or a number between 0 and 1", KIND_THRESHOLD, 0, 0, 0},
    {"prior", "a number between 0 and 1", KIND_INNER, AT(prior), 0, 1},
    {"head", "a path, or none", KIND_HEAD, 0, 0, 0},
    {"cache", "a path, or none", KIND_CACHE, 0, 0, 0},
    {"beams", "1 to 8", KIND_U32, AT(beams), 1, 8},
    {"max_tokens", "1 to 512", KIND_U32, AT(max_tokens), 1, 512},
    {"prompt", "a text in UTF-8 of at most 64 KiB", KIND_PROMPT, 0, 0, 0},
    {"sample", "0 to 10", KIND_REAL, AT(sample), 0, ITEMI_SAMPLE_MAX},
    {"sample_seed", "a whole number from 0 to 9007199254740992", KIND_U64, AT(sample_seed), 0,
     INTEGER_MAX},
    {"max_objects", "0 to 64", KIND_U32, AT(max_objects), 0, ITEMI_OBJECTS_MAX},
    {"fast", "0 or 1", KIND_U32, AT(fast), 0, 1},
    {"detector_score", "0 to 1", KIND_REAL, AT(detector_score), 0, 1},
    {"batch", "1 to 64", KIND_U32, AT(batch), 1, 64},
    {"max_pixels", "a whole number, 0 for the default", KIND_U64, AT(max_pixels), 0, INTEGER_MAX},
    {"max_file_bytes", "a whole number, 0 for the default", KIND_U64, AT(max_file_bytes), 0,
     INTEGER_MAX},
    {"max_decode_bytes", "a whole number, 0 for the default", KIND_U64, AT(max_decode_bytes), 0,
     INTEGER_MAX},
    {"max_scans", "0 (the default) to 1000000", KIND_U64, AT(max_scans), 0, 1e6},
    {"accept_truncated", "0 or 1", KIND_U32, AT(accept_truncated), 0, 1},
    {"map_files", "0 or 1", KIND_U32, AT(map_files), 0, 1},
    {"verify", "small, all or none", KIND_VERIFY, 0, 0, 0},
};

static bool set_number(itemi_settings *settings, const option *o, const char *value)
{
    double number;
    if (!itemi_parse_double(value, &number))
        return false;
    bool inside = o->kind == KIND_INNER ? number > o->low && number < o->high
                                        : number >= o->low && number <= o->high;
    bool whole = o->kind == KIND_U32 || o->kind == KIND_U64;
    if (!inside || (whole && number != floor(number)))
        return false;

    char *member = (char *)settings + o->offset;
    uint32_t u32 = whole && o->kind == KIND_U32 ? (uint32_t)number : 0;
    uint64_t u64 = whole ? (uint64_t)number : 0;
    if (o->kind == KIND_U32)
        memcpy(member, &u32, sizeof u32);
    else if (o->kind == KIND_U64)
        memcpy(member, &u64, sizeof u64);
    else
        memcpy(member, &number, sizeof number);
    return true;
}

static bool set_precision(itemi_settings *settings, const char *value)
{
    static const char *const known[] = {"fp32", "bf16", "auto"};
    for (size_t i = 0; i < ITEMI_COUNT(known); i++) {
        if (strcmp(value, known[i]) == 0) {
            memcpy(settings->precision, value, strlen(value) + 1);
            return true;
        }
    }
    return false;
}

/* The form alone: what exists is the engine's to say. */
static bool set_device(itemi_settings *settings, const char *value)
{
    static const char numbered[] = "cuda:";
    const char *number = value + sizeof numbered - 1;
    bool known = strcmp(value, "cpu") == 0 || strcmp(value, "cuda") == 0;
    if (!known && strncmp(value, numbered, sizeof numbered - 1) == 0) {
        size_t digits = strspn(number, "0123456789");
        known = digits >= 1 && digits <= 3 && !number[digits] && (*number != '0' || digits == 1);
    }
    if (known)
        memcpy(settings->device, value, strlen(value) + 1);
    return known;
}

static bool set_verify(itemi_settings *settings, const char *value)
{
    static const char *const known[] = {"none", "small", "all"};
    for (size_t i = 0; i < ITEMI_COUNT(known); i++) {
        if (strcmp(value, known[i]) == 0) {
            settings->verify = (int32_t)i;
            return true;
        }
    }
    return false;
}

static bool set_threshold(itemi_settings *settings, const char *value)
{
    size_t length = strlen(value);
    if (length >= sizeof settings->threshold || itemi_threshold_check(value, NULL) != ITEM_OK)
        return false;
    memcpy(settings->threshold, value, length + 1);
    return true;
}

/* Keeps a copy of a value; NULL takes back what was set. */
static item_status set_text(char **member, const char *value, item_error *err)
{
    char *copy = value ? itemi_strdup(NULL, value) : NULL;
    if (value && !copy)
        return itemi_fail_memory(err, "setting an option");
    itemi_free(NULL, *member);
    *member = copy;
    return ITEM_OK;
}

static item_status set_path(char **member, const char *value, item_error *err)
{
    return set_text(member, strcmp(value, "none") == 0 ? NULL : value, err);
}

static item_status set_head(item_config *config, const char *value, item_error *err)
{
    item_status status = set_path(&config->head, value, err);
    if (status == ITEM_OK)
        config->no_head = !config->head;
    return status;
}

static bool set_value(itemi_settings *settings, const option *o, const char *value)
{
    switch (o->kind) {
    case KIND_PRECISION:
        return set_precision(settings, value);
    case KIND_DEVICE:
        return set_device(settings, value);
    case KIND_VERIFY:
        return set_verify(settings, value);
    case KIND_THRESHOLD:
        return set_threshold(settings, value);
    default:
        return set_number(settings, o, value);
    }
}

static item_status fail_unknown(const char *name, item_error *err)
{
    itemi_buf names;
    itemi_buf_init(&names, NULL);
    for (size_t i = 0; i < ITEMI_COUNT(options); i++)
        itemi_buf_printf(&names, "%s%s", i ? ", " : "", options[i].name);
    item_status status = itemi_fail(err, ITEM_E_ARGUMENT, "no option \"%.64s\"; there are: %s",
                                    name, names.data ? names.data : "");
    itemi_buf_free(&names);
    return status;
}

item_status item_config_set(item_config *config, const char *name, const char *value,
                            item_error *err)
{
    if (!config || !name || !value)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_config_set: %s is NULL",
                          !config ? "config"
                          : !name ? "name"
                                  : "value");
    for (size_t i = 0; i < ITEMI_COUNT(options); i++) {
        if (strcmp(options[i].name, name) != 0)
            continue;
        if (options[i].kind == KIND_HEAD && *value)
            return set_head(config, value, err);
        if (options[i].kind == KIND_PROMPT && itemi_text_check(value, "", NULL) == ITEM_OK)
            return set_text(&config->prompt, *value ? value : NULL, err);
        if (options[i].kind == KIND_CACHE && *value)
            return set_path(&config->cache, value, err);
        if (options[i].kind < KIND_HEAD && set_value(&config->settings, &options[i], value))
            return ITEM_OK;
        return itemi_fail(err, ITEM_E_ARGUMENT, "option %s: \"%.64s\" is not %s", name, value,
                          options[i].allowed);
    }
    return fail_unknown(name, err);
}

/* ---- what the host brings along ---- */

item_status item_config_set_log(item_config *config, item_log_fn log, void *user, item_error *err)
{
    if (!config)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_config_set_log: config is NULL");
    config->log = (itemi_log){log, user};
    return ITEM_OK;
}

item_status item_config_set_allocator(item_config *config, const item_allocator *allocator,
                                      item_error *err)
{
    if (!config)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_config_set_allocator: config is NULL");
    itemi_mem mem;
    item_status status = itemi_mem_init(&mem, allocator, err);
    if (status == ITEM_OK)
        config->mem = mem;
    return status;
}

item_status item_config_set_engine(item_config *config, const item_engine_ops *engine,
                                   const char *path, item_error *err)
{
    if (!config)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_config_set_engine: config is NULL");
    if (engine && path)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "item_config_set_engine: give a table or a path, not both");
    if (path && !*path)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_config_set_engine: path is empty");
    char *copy = path ? itemi_strdup(NULL, path) : NULL;
    if (path && !copy)
        return itemi_fail_memory(err, "setting an engine");
    itemi_free(NULL, config->engine.path);
    config->engine = (itemi_engine_choice){engine, copy};
    return ITEM_OK;
}

/* A registered backend comes from malloc: it may outlive the configuration and every context. */
static item_status set_stage(item_config *config, itemi_stage_kind kind, const void *ops,
                             void *self, item_error *err)
{
    if (!config)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_config_set_%s: config is NULL",
                          itemi_stage_word(kind));
    itemi_stage *stage = NULL;
    item_status status = ops ? itemi_stage_new(NULL, kind, ops, self, &stage, err) : ITEM_OK;
    if (status != ITEM_OK)
        return status;
    itemi_stage_unref(config->stage[kind]);
    config->stage[kind] = stage;
    return ITEM_OK;
}

item_status item_config_set_captioner(item_config *config, const item_captioner_ops *ops,
                                      void *self, item_error *err)
{
    return set_stage(config, ITEMI_CAPTIONER, ops, self, err);
}

item_status item_config_set_detector(item_config *config, const item_detector_ops *ops, void *self,
                                     item_error *err)
{
    return set_stage(config, ITEMI_DETECTOR, ops, self, err);
}

item_status item_config_set_embedder(item_config *config, const item_embedder_ops *ops, void *self,
                                     item_error *err)
{
    return set_stage(config, ITEMI_EMBEDDER, ops, self, err);
}
