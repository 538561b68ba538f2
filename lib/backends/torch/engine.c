/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the engine: what the host calls. */
#include "stages.h"

#include <item/torch.h>
#include <pthread.h>
#include <string.h>

const item_engine_ops *item_engine_entry(void);

/* ---- process-wide ---- */

static item_status refuse_forked(item_error *err)
{
    return itx_forked() ? itx_load(err) : ITEM_OK;
}

static item_status setup(const item_engine_settings *settings, item_error *err)
{
    if (!settings || settings->struct_size < sizeof *settings || settings->reserved != 0)
        return itx_fail(err, ITEM_E_ARGUMENT, "item_engine_settings is NULL or not initialised");
    const item_status status = refuse_forked(err);
    return status == ITEM_OK ? itx_lanes_setup(settings->lanes, settings->threads, err) : status;
}

static item_status info(int32_t measure, item_engine_info *out, item_error *err)
{
    if (!out || out->struct_size < sizeof out->struct_size)
        return itx_fail(err, ITEM_E_ARGUMENT, "item_engine_info is NULL or not initialised");
    int before; /* a thread that is ended would take locks with it */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    const item_status status = itx_info(measure, out, err);
    (void)pthread_setcancelstate(before, &before);
    return status;
}

/* ---- stages ---- */

/* Newer services only have more members. */
static item_status check_open(const item_services *services, const void *ops, void **self,
                              item_error *err)
{
    if (self)
        *self = NULL;
    if (!services || !ops || !self)
        return itx_fail(err, ITEM_E_ARGUMENT, "services, table or self is NULL");
    if (services->struct_size < sizeof *services || services->version < ITEM_SERVICES_VERSION)
        return itx_fail(err, ITEM_E_ARGUMENT, "services of version %u with %u bytes are too old",
                        services->version, services->struct_size);
    return refuse_forked(err);
}

/* Copies a table to the host; one that says its size gets no more than that. */
static void hand_out(void *theirs, const void *ours, uint32_t size)
{
    uint32_t room;
    memcpy(&room, theirs, sizeof room);
    if (room > 0 && room < size)
        size = room;
    memcpy(theirs, ours, size);
    memcpy(theirs, &size, sizeof size);
}

#define OPEN(stage)                                                                                \
    static item_status open_##stage(const item_services *services, const char *family,             \
                                    item_##stage##_ops *ops, void **self, item_error *err)         \
    {                                                                                              \
        item_##stage##_ops ours;                                                                   \
        int before;                                                                                \
        (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);                             \
        item_status status = check_open(services, ops, self, err);                                 \
        if (status == ITEM_OK)                                                                     \
            status = itx_open_##stage(services, family, &ours, self, err);                         \
        (void)pthread_setcancelstate(before, &before);                                             \
        if (status == ITEM_OK)                                                                     \
            hand_out(ops, &ours, sizeof ours);                                                     \
        return status;                                                                             \
    }

OPEN(captioner)
OPEN(detector)
OPEN(embedder)

#ifdef ITX_ONEDNN
#define PRODUCTS " oneDNN"
#else
#define PRODUCTS ""
#endif

static const item_engine_ops engine = {.struct_size = sizeof engine,
                                       .version = ITEM_ENGINE_VERSION,
                                       .name = "torch",
                                       .id = "torch " ITX_VERSION
                                             " libtorch " ITX_TORCH_RELEASE PRODUCTS,
                                       .setup = setup,
                                       .info = info,
                                       .open_captioner = open_captioner,
                                       .open_detector = open_detector,
                                       .open_embedder = open_embedder,
                                       .precision = itx_precision};

ITEM_API const item_engine_ops *item_engine_entry(void)
{
    return &engine;
}

ITEM_API const struct item_engine_ops *item_torch_engine(void)
{
    return &engine;
}
