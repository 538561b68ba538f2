/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engines: which module is taken, loading it once, and the engine-wide settings. The list of
 * loaded modules is the only state of the process that libitem itself keeps.
 */
#include <dlfcn.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "core/core.h"

/* In static memory: a libitem that is unloaded leaves none of it behind. */
typedef struct module {
    char path[PATH_MAX];
    const item_engine_ops *ops;
} module;

enum { MODULES_MOST = 8 };

static pthread_mutex_t modules_lock = PTHREAD_MUTEX_INITIALIZER;
static module modules[MODULES_MOST];
static size_t module_count;
/* The process that first asked for an engine; set before the lock is taken. 0: none has. */
static _Atomic(pid_t) owner;

item_status itemi_engine_forked(item_error *err)
{
    pid_t first = atomic_load(&owner);
    if (first == 0 || first == getpid())
        return ITEM_OK;
    return itemi_fail(err, ITEM_E_FORKED,
                      "this is a forked child of a process that used an engine: compute in the "
                      "parent, or start a new program");
}

static item_status claim(item_error *err)
{
    pid_t none = 0;
    atomic_compare_exchange_strong(&owner, &none, getpid());
    return itemi_engine_forked(err);
}

static item_status check_table(const item_engine_ops *ops, const char *path, item_error *err)
{
    if (!ops)
        return itemi_fail(err, ITEM_E_BACKEND, "%s: the engine refused to start", path);
    if (ops->struct_size < ITEMI_SIZE_TO(item_engine_ops, precision))
        return itemi_fail(err, ITEM_E_BACKEND, "%s: the engine's table is too small", path);
    if (ops->version != ITEM_ENGINE_VERSION)
        return itemi_fail(err, ITEM_E_BACKEND,
                          "%s: the engine has version %u, this libitem takes version %u", path,
                          (unsigned)ops->version, ITEM_ENGINE_VERSION);
    if (!ops->name || !ops->id || !ops->setup || !ops->info || !ops->open_captioner ||
        !ops->open_detector || !ops->open_embedder || !ops->precision)
        return itemi_fail(err, ITEM_E_BACKEND, "%s: the engine's table is incomplete", path);
    return ITEM_OK;
}

static item_status fail_missing(const char *path, const char *why, item_error *err)
{
    return itemi_fail(err, ITEM_E_NO_ENGINE,
                      "no engine for networks: %s. Install libitem's engine module libitem-torch "
                      "with libtorch (Debian: libtorch1.13 and libopenblas0-openmp), name its "
                      "file by item_config_set_engine(), or bring own backends",
                      why ? why : path);
}

/* Loads for ever: its threads and libtorch's cannot be unloaded. */
static item_status load(const char *path, const item_engine_ops **out, item_error *err)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle)
        return fail_missing(path, dlerror(), err);
    item_engine_entry_fn entry;
    void *symbol = dlsym(handle, ITEM_ENGINE_ENTRY);
    if (!symbol)
        return itemi_fail(err, ITEM_E_BACKEND, "%s: is no engine: it has no %s", path,
                          ITEM_ENGINE_ENTRY);
    memcpy(&entry, &symbol, sizeof entry);
    *out = entry();
    return check_table(*out, path, err);
}

static const module *find_module(const char *path)
{
    for (size_t i = 0; i < module_count; i++) {
        if (strcmp(modules[i].path, path) == 0)
            return &modules[i];
    }
    return NULL;
}

/* With the lock held. */
static item_status load_once(const char *path, const module **out, item_error *err)
{
    *out = find_module(path);
    if (*out)
        return ITEM_OK;
    if (module_count == MODULES_MOST)
        return itemi_fail(err, ITEM_E_LIMIT, "%s: a process has at most %d engines", path,
                          MODULES_MOST);
    module *m = &modules[module_count];
    item_status status = load(path, &m->ops, err);
    if (status != ITEM_OK)
        return status;
    memcpy(m->path, path, strlen(path) + 1); /* which() made it fit */
    module_count++;
    *out = m;
    return ITEM_OK;
}

/* Path of the module to load, and in words why it was taken. */
static item_status which(const itemi_engine_choice *choice, char *path, size_t room,
                         const char **why, item_error *err)
{
    *why = "named by the configuration";
    if (!choice->path) {
        bool from_environment = false;
        item_status status = itemi_origin_engine(path, room, &from_environment, err);
        *why = from_environment ? "named by ITEM_ENGINE_PATH" : "beside libitem";
        return status;
    }
    /* A bare name would be searched for in the system's folders. */
    const char *here = strchr(choice->path, '/') ? "" : "./";
    size_t length = strlen(here) + strlen(choice->path);
    if (length >= room)
        return itemi_fail(err, ITEM_E_ARGUMENT, "the engine's path has %zu bytes", length);
    memcpy(path, here, strlen(here));
    memcpy(path + strlen(here), choice->path, strlen(choice->path) + 1);
    return ITEM_OK;
}

static item_status open_module(const itemi_engine_choice *choice, const itemi_log *log,
                               const item_cancel *cancel, itemi_engine *out, item_error *err)
{
    char path[PATH_MAX];
    const char *why;
    item_status status = which(choice, path, sizeof path, &why, err);
    if (status == ITEM_OK)
        status = itemi_lock(&modules_lock, cancel, err);
    if (status != ITEM_OK)
        return status;
    double start = itemi_now_ms();
    const module *known = find_module(path), *m = NULL;
    status = load_once(path, &m, err);
    pthread_mutex_unlock(&modules_lock);
    if (status != ITEM_OK)
        return status;
    *out = (itemi_engine){m->ops, m->path};
    if (!known)
        itemi_logf(log, ITEM_LOG_INFO, "engine %s: %s, %s, loaded in %.0f ms", m->ops->name,
                   m->path, why, itemi_now_ms() - start);
    return ITEM_OK;
}

item_status itemi_engine_open(const itemi_engine_choice *choice, const itemi_log *log,
                              const item_cancel *cancel, itemi_engine *out, item_error *err)
{
    *out = (itemi_engine){0};
    item_status status = claim(err);
    if (status != ITEM_OK)
        return status;
    if (!choice->ops)
        return open_module(choice, log, cancel, out, err);
    status = check_table(choice->ops, "the engine of the configuration", err);
    if (status == ITEM_OK)
        *out = (itemi_engine){choice->ops, "linked"};
    return status;
}

static item_status open_of(const item_config *config, itemi_engine *out, item_error *err)
{
    const itemi_engine_choice none = {0};
    return itemi_engine_open(config ? &config->engine : &none, config ? &config->log : NULL, NULL,
                             out, err);
}

item_status item_engine_find(const item_config *config, const item_engine_ops **out,
                             item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!out)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_engine_find: out is NULL");
    itemi_engine engine;
    item_status status = open_of(config, &engine, err);
    *out = engine.ops; /* NULL after a failure */
    return status;
}

item_status item_engine_setup(const item_config *config, const item_engine_settings *settings,
                              item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    const item_engine_settings defaults = ITEM_ENGINE_SETTINGS_INIT;
    item_engine_settings ours;
    item_status status =
        itemi_struct_in(&ours, sizeof ours, ITEMI_SIZE_TO(item_engine_settings, reserved),
                        settings ? settings : &defaults, "item_engine_settings", err);
    if (status != ITEM_OK)
        return status;
    if (ours.reserved)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_engine_settings: reserved is not 0");
    itemi_engine engine;
    status = open_of(config, &engine, err);
    return status == ITEM_OK ? engine.ops->setup(&ours, err) : status;
}

item_status item_engine_get_info(const item_config *config, int32_t measure, item_engine_info *info,
                                 item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!info)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_engine_get_info: info is NULL");
    itemi_engine engine;
    item_status status = open_of(config, &engine, err);
    if (status != ITEM_OK)
        return status;
    item_engine_info ours = ITEM_ENGINE_INFO_INIT;
    status = engine.ops->info(measure != 0, &ours, err);
    if (status != ITEM_OK)
        return status;
    if (!ours.name)
        ours.name = engine.ops->name;
    if (!ours.path)
        ours.path = engine.path;
    return itemi_struct_out(info, ITEMI_SIZE_TO(item_engine_info, reserved), &ours, sizeof ours,
                            "item_engine_info", err);
}
