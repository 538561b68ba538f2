/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of backends: what is taken in, and who holds it. */
#include <string.h>

#include "math/math.h"
#include "stage/stage_private.h"

#define WIDTH_MAX 8192

/* The members with which all three tables begin. */
typedef struct ops_start {
    uint32_t struct_size, version, capabilities, reserved;
    const char *name, *id;
} ops_start;

_Static_assert(offsetof(ops_start, id) == offsetof(item_captioner_ops, id), "same start");
_Static_assert(offsetof(ops_start, id) == offsetof(item_detector_ops, id), "same start");
_Static_assert(offsetof(ops_start, id) == offsetof(item_embedder_ops, id), "same start");

/* Sizes of the tables: ours, and the required members, which stand before `close`; what they may
   say that they can. */
static const struct {
    const char *word;
    size_t size, least;
    uint32_t capabilities;
} kinds[ITEMI_STAGES] = {
    [ITEMI_CAPTIONER] = {"captioner", sizeof(item_captioner_ops),
                         offsetof(item_captioner_ops, close), ITEM_BACKEND_SERIAL},
    [ITEMI_DETECTOR] = {"detector", sizeof(item_detector_ops), offsetof(item_detector_ops, close),
                        ITEM_BACKEND_SERIAL | ITEM_BACKEND_RAW_BOXES},
    [ITEMI_EMBEDDER] = {"embedder", sizeof(item_embedder_ops), offsetof(item_embedder_ops, close),
                        ITEM_BACKEND_SERIAL},
};

const char *itemi_stage_word(itemi_stage_kind kind)
{
    return kinds[kind].word;
}

static item_status check_start(itemi_stage_kind kind, const ops_start *start, item_error *err)
{
    const char *word = kinds[kind].word;
    if (start->version != ITEM_BACKEND_VERSION)
        return itemi_fail(err, ITEM_E_BACKEND,
                          "the %s's table has version %u, this libitem takes version %u", word,
                          (unsigned)start->version, ITEM_BACKEND_VERSION);
    const uint32_t unknown = start->capabilities & ~kinds[kind].capabilities;
    if (unknown)
        return itemi_fail(err, ITEM_E_BACKEND,
                          "the %s's table sets capabilities 0x%x that this libitem does not know",
                          word, (unsigned)unknown);
    if (start->reserved)
        return itemi_fail(err, ITEM_E_ARGUMENT, "the %s's table: reserved is not 0", word);
    if (!start->name || !start->id)
        return itemi_fail(err, ITEM_E_ARGUMENT, "the %s's table has no name or no id", word);
    return ITEM_OK;
}

/* A function that a table ends within is none. */
static void drop_cut_members(itemi_stage *stage, size_t size)
{
    if (stage->kind == ITEMI_CAPTIONER && size < sizeof stage->ops.captioner)
        stage->ops.captioner.score = NULL;
    if (stage->kind == ITEMI_EMBEDDER && size < sizeof stage->ops.embedder) {
        stage->ops.embedder.layers_width = stage->ops.embedder.reserved3 = 0;
        stage->ops.embedder.embed_layers = NULL;
    }
}

static item_status check_embedder(const item_embedder_ops *ops, item_error *err)
{
    if (ops->reserved2 || ops->reserved3)
        return itemi_fail(err, ITEM_E_ARGUMENT, "the embedder's table: reserved%d is not 0",
                          ops->reserved2 ? 2 : 3);
    if (ops->width < 1 || ops->width > WIDTH_MAX)
        return itemi_fail(err, ITEM_E_BACKEND,
                          "the embedder's table has width %u, allowed is 1 to %d",
                          (unsigned)ops->width, WIDTH_MAX);
    if (ops->layers_width > ITEMI_LAYERS_MAX ||
        (ops->layers_width > 0) != (ops->embed_layers != NULL))
        return itemi_fail(err, ITEM_E_BACKEND,
                          "the embedder's table has layers_width %u %s embed_layers, allowed is 1 "
                          "to %d with it, 0 without",
                          (unsigned)ops->layers_width, ops->embed_layers ? "with" : "without",
                          ITEMI_LAYERS_MAX);
    return ITEM_OK;
}

/* The required functions of a kind, and its own members. */
static item_status check_members(itemi_stage *stage, item_error *err)
{
    const item_embedder_ops *embedder = &stage->ops.embedder;
    item_status status = ITEM_OK;
    bool complete = false;
    switch (stage->kind) {
    case ITEMI_CAPTIONER:
        complete = stage->ops.captioner.caption != NULL;
        stage->close = stage->ops.captioner.close;
        break;
    case ITEMI_DETECTOR:
        complete = stage->ops.detector.detect != NULL;
        stage->close = stage->ops.detector.close;
        break;
    case ITEMI_EMBEDDER:
        complete = embedder->embed_images && embedder->embed_texts;
        stage->close = embedder->close;
        status = check_embedder(embedder, err);
        break;
    }
    if (status != ITEM_OK)
        return status;
    if (!complete)
        return itemi_fail(err, ITEM_E_ARGUMENT, "the %s's table lacks a required function",
                          kinds[stage->kind].word);
    return ITEM_OK;
}

static item_status take_table(itemi_stage *stage, const void *ops, item_error *err)
{
    itemi_stage_kind kind = stage->kind;
    uint32_t size;
    memcpy(&size, ops, sizeof size);
    if (size < kinds[kind].least)
        return itemi_fail(err, ITEM_E_ARGUMENT,
                          "the %s's table has struct_size %u, at least %zu is needed",
                          kinds[kind].word, (unsigned)size, kinds[kind].least);
    memcpy(&stage->ops, ops, size < kinds[kind].size ? size : kinds[kind].size);
    drop_cut_members(stage, size);

    ops_start start;
    memcpy(&start, ops, sizeof start);
    item_status status = check_start(kind, &start, err);
    if (status == ITEM_OK)
        status = check_members(stage, err);
    if (status != ITEM_OK)
        return status;

    stage->serial = (start.capabilities & ITEM_BACKEND_SERIAL) != 0;
    stage->raw_boxes = (start.capabilities & ITEM_BACKEND_RAW_BOXES) != 0;
    stage->name = itemi_strdup(stage->mem, start.name);
    stage->id = itemi_strdup(stage->mem, start.id);
    if (!stage->name || !stage->id)
        return itemi_fail_memory(err, "taking in a backend");
    return ITEM_OK;
}

static void free_stage(itemi_stage *stage)
{
    pthread_mutex_destroy(&stage->lock);
    itemi_free(stage->mem, stage->name);
    itemi_free(stage->mem, stage->id);
    itemi_free(stage->mem, stage);
}

item_status itemi_stage_new(const itemi_mem *mem, itemi_stage_kind kind, const void *ops,
                            void *self, itemi_stage **out, item_error *err)
{
    *out = NULL;
    itemi_stage *stage = itemi_alloc_zero(mem, 1, sizeof *stage);
    if (!stage)
        return itemi_fail_memory(err, "taking in a backend");
    stage->mem = mem;
    stage->kind = kind;
    stage->self = self;
    atomic_init(&stage->refs, 1);
    pthread_mutex_init(&stage->lock, NULL);
    item_status status = take_table(stage, ops, err);
    if (status != ITEM_OK) {
        free_stage(stage);
        return status;
    }
    *out = stage;
    return ITEM_OK;
}

void itemi_stage_set_after(itemi_stage *stage, void (*after)(void *user), void *user)
{
    stage->after = after;
    stage->after_user = user;
}

itemi_stage *itemi_stage_ref(itemi_stage *stage)
{
    if (stage)
        atomic_fetch_add_explicit(&stage->refs, 1, memory_order_relaxed);
    return stage;
}

void itemi_stage_unref(itemi_stage *stage)
{
    if (!stage || atomic_fetch_sub_explicit(&stage->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (stage->close)
        stage->close(stage->self);
    if (stage->after)
        stage->after(stage->after_user);
    free_stage(stage);
}

const char *itemi_stage_name(const itemi_stage *stage)
{
    return stage->name;
}

const char *itemi_stage_id(const itemi_stage *stage)
{
    return stage->id;
}

bool itemi_stage_raw_boxes(const itemi_stage *stage)
{
    return stage->raw_boxes;
}

uint32_t itemi_stage_width(const itemi_stage *stage)
{
    return stage->kind == ITEMI_EMBEDDER ? stage->ops.embedder.width : 0;
}

uint32_t itemi_stage_layers_width(const itemi_stage *stage)
{
    return stage->kind == ITEMI_EMBEDDER ? stage->ops.embedder.layers_width : 0;
}
