/* SPDX-License-Identifier: Apache-2.0 */
/* The backends to be tested: the dummies, the stages of the default pack, or those of a module. */
#include <dlfcn.h>
#include <item/sys/engine.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance.h"

enum { SKIPPED = 77 };

static const char *const words[STAGES] = {"captioner", "detector", "embedder"};
static const char *const entries[STAGES] = {ITEM_MODULE_CAPTIONER, ITEM_MODULE_DETECTOR,
                                            ITEM_MODULE_EMBEDDER};

static enum { DUMMY, PACK, MODULE } kind;
static const char *settings_given;
static union entry { /* of the module */
    void *symbol;
    item_module_captioner_fn *captioner;
    item_module_detector_fn *detector;
    item_module_embedder_fn *embedder;
} module[STAGES];
static bool in_pack[STAGES];

const char *stage_word(stage_id s)
{
    return words[s];
}

bool target_is_module(void)
{
    return kind == MODULE;
}

const char *target_settings(void)
{
    return settings_given;
}

bool target_has(stage_id stage)
{
    return kind == DUMMY || (kind == PACK ? in_pack[stage] : module[stage].symbol != NULL);
}

item_status config_set(item_config *config, stage_id stage, const void *ops, void *self,
                       item_error *err)
{
    switch (stage) {
    case CAPTIONER:
        return item_config_set_captioner(config, ops, self, err);
    case DETECTOR:
        return item_config_set_detector(config, ops, self, err);
    default:
        return item_config_set_embedder(config, ops, self, err);
    }
}

void (*table_close(const backend *b))(void *self)
{
    const void *end = b->stage == CAPTIONER  ? (const void *)(&b->ops.captioner.close + 1)
                      : b->stage == DETECTOR ? (const void *)(&b->ops.detector.close + 1)
                                             : (const void *)(&b->ops.embedder.close + 1);
    if (b->ops.start.struct_size < (size_t)((const char *)end - (const char *)&b->ops))
        return NULL;
    return b->stage == CAPTIONER  ? b->ops.captioner.close
           : b->stage == DETECTOR ? b->ops.detector.close
                                  : b->ops.embedder.close;
}

/* ---- the engine of a pack, with its tables caught on their way into libitem ---- */

static const item_engine_ops *engine;
static backend *catching;

static item_status caught(stage_id stage, item_status status, const void *ops, size_t size,
                          void *self)
{
    if (status == ITEM_OK && catching && catching->stage == stage) {
        memcpy(&catching->ops, ops, size);
        catching->self = self;
    }
    return status;
}

static item_status open_captioner(const item_services *services, const char *family,
                                  item_captioner_ops *ops, void **self, item_error *err)
{
    item_status status = engine->open_captioner(services, family, ops, self, err);
    return caught(CAPTIONER, status, ops, sizeof *ops, *self);
}

static item_status open_detector(const item_services *services, const char *family,
                                 item_detector_ops *ops, void **self, item_error *err)
{
    item_status status = engine->open_detector(services, family, ops, self, err);
    return caught(DETECTOR, status, ops, sizeof *ops, *self);
}

static item_status open_embedder(const item_services *services, const char *family,
                                 item_embedder_ops *ops, void **self, item_error *err)
{
    item_status status = engine->open_embedder(services, family, ops, self, err);
    return caught(EMBEDDER, status, ops, sizeof *ops, *self);
}

static item_engine_ops catcher;

/* One call, so that a context opens a stage of its pack. */
static item_status wake(item_ctx *ctx, stage_id stage, item_error *err)
{
    item_image *image = make_picture(0, 32, 32, NULL);
    const char *word = "dog";
    item_result *result = NULL;
    item_ctx_info info = ITEM_CTX_INFO_INIT;
    item_status status = item_ctx_get_info(ctx, &info, err);
    float *vector = calloc(info.width ? info.width : 1, sizeof *vector);
    if (!image || !vector)
        status = ITEM_E_MEMORY;
    if (status == ITEM_OK)
        status = stage == CAPTIONER ? item_caption_image(ctx, image, NULL, &result, err)
                 : stage == DETECTOR
                     ? item_detect_image(ctx, image, &word, 1, NULL, &result, err)
                     : item_embed_texts(ctx, &word, 1, NULL, vector, info.width, err);
    item_result_unref(result);
    item_image_unref(image);
    free(vector);
    return status;
}

static item_status open_from_pack(backend *out, item_error *err)
{
    item_config *config = NULL;
    item_status status = item_config_new(&config, err);
    if (status == ITEM_OK)
        status = item_config_set_engine(config, &catcher, NULL, err);
    if (status == ITEM_OK)
        status = item_ctx_open(NULL, config, &out->owner, err);
    catching = out;
    if (status == ITEM_OK)
        status = wake(out->owner, out->stage, err);
    catching = NULL;
    item_config_unref(config);
    if (status != ITEM_OK)
        item_ctx_unref(out->owner);
    return status;
}

static int set_pack(void)
{
    item_error err = ITEM_ERROR_INIT;
    item_engine_info info = ITEM_ENGINE_INFO_INIT;
    item_ctx *ctx = NULL;
    item_ctx_info facts = ITEM_CTX_INFO_INIT;
    if (item_engine_get_info(NULL, 0, &info, &err) != ITEM_OK ||
        item_ctx_open(NULL, NULL, &ctx, &err) != ITEM_OK ||
        item_ctx_get_info(ctx, &facts, &err) != ITEM_OK) {
        printf("1..0 # SKIP %s\n", err.message);
        return SKIPPED;
    }
    item_ctx_unref(ctx);
    in_pack[CAPTIONER] = facts.has_captioner;
    in_pack[DETECTOR] = facts.has_detector;
    in_pack[EMBEDDER] = facts.has_embedder;
    void *handle = dlopen(info.path, RTLD_NOW | RTLD_LOCAL), *symbol = NULL;
    item_engine_entry_fn entry;
    if (handle)
        symbol = dlsym(handle, ITEM_ENGINE_ENTRY);
    if (!symbol) {
        fprintf(stderr, "%s: no engine to look at\n", info.path);
        return 2;
    }
    memcpy(&entry, &symbol, sizeof entry);
    engine = entry();
    catcher = *engine;
    catcher.struct_size = sizeof catcher;
    catcher.open_captioner = open_captioner;
    catcher.open_detector = open_detector;
    catcher.open_embedder = open_embedder;
    return 0;
}

/* ---- a module ---- */

static int set_module(const char *path)
{
    char here[4096];
    snprintf(here, sizeof here, "%s%s", strchr(path, '/') ? "" : "./", path);
    void *handle = dlopen(here, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        fprintf(stderr, "%s\n", dlerror());
        return 2;
    }
    bool any = false;
    for (stage_id s = CAPTIONER; s < STAGES; s++) {
        module[s].symbol = dlsym(handle, entries[s]);
        any |= module[s].symbol != NULL;
    }
    if (!any)
        fprintf(stderr, "%s defines none of %s, %s, %s (see <item/sys/module.h>)\n", path,
                entries[CAPTIONER], entries[DETECTOR], entries[EMBEDDER]);
    return any ? 0 : 2;
}

int target_set(const char *name, const char *settings)
{
    settings_given = settings;
    kind = strcmp(name, "dummy") == 0 ? DUMMY : strcmp(name, "pack") == 0 ? PACK : MODULE;
    return kind == DUMMY ? 0 : kind == PACK ? set_pack() : set_module(name);
}

/* ---- opening ---- */

static const void *own_table(stage_id stage, const char *settings, void **self, item_error *err)
{
    switch (stage) {
    case CAPTIONER:
        return kind == DUMMY ? item_dummy_captioner()
                             : module[stage].captioner(settings, self, err);
    case DETECTOR:
        return kind == DUMMY ? item_dummy_detector() : module[stage].detector(settings, self, err);
    default:
        return kind == DUMMY ? item_dummy_embedder() : module[stage].embedder(settings, self, err);
    }
}

item_status target_open(stage_id stage, const char *settings, backend *out, item_error *err)
{
    *out = (backend){.stage = stage};
    if (kind == PACK)
        return open_from_pack(out, err);
    const void *ops = own_table(stage, settings, &out->self, err);
    if (!ops)
        return err->code != ITEM_OK ? err->code : ITEM_E_BACKEND;
    /* What a newer table has behind is not ours to hand on. */
    static const size_t known[STAGES] = {sizeof(item_captioner_ops), sizeof(item_detector_ops),
                                         sizeof(item_embedder_ops)};
    uint32_t size;
    memcpy(&size, ops, sizeof size);
    size = size < known[stage] ? size : (uint32_t)known[stage];
    memcpy(&out->ops, ops, size);
    out->ops.start.struct_size = size;
    return ITEM_OK;
}

void target_close(backend *b)
{
    void (*close)(void *self) = table_close(b);
    if (b->owner)
        item_ctx_unref(b->owner);
    else if (close)
        close(b->self);
}

static item_status set_opened(item_config *config, stage_id stage, item_error *err)
{
    backend b;
    item_status status = target_open(stage, settings_given, &b, err);
    if (status != ITEM_OK)
        return status;
    status = config_set(config, stage, &b.ops, b.self, err);
    if (status != ITEM_OK)
        target_close(&b);
    return status;
}

item_status target_context(item_ctx **out, item_error *err)
{
    *out = NULL;
    if (kind == PACK)
        return item_ctx_open(NULL, NULL, out, err);
    const void *const dummies[STAGES] = {item_dummy_captioner(), item_dummy_detector(),
                                         item_dummy_embedder()};
    item_config *config = NULL;
    item_status status = item_config_new(&config, err);
    for (stage_id s = CAPTIONER; s < STAGES && status == ITEM_OK; s++)
        status = target_has(s) ? set_opened(config, s, err)
                               : config_set(config, s, dummies[s], NULL, err);
    if (status == ITEM_OK)
        status = item_ctx_open(NULL, config, out, err);
    item_config_unref(config);
    return status;
}
