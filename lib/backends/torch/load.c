/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads libtorch, late and carefully: two builds of it in one process end the process while the
 * second one is being loaded. So this module is not linked with it; the operations stand in a
 * second file that is, and that file is opened only after a look at what is mapped.
 */
#include "engine.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define OPS_FILE "libitem-torch-ops.so"

const itx_ops *itx;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char module_path[4096], torch_version[32];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static volatile bool forked;
static bool watching; /* for forks */

/* While another thread loads, the lock is held, and here for ever. */
static void after_fork_in_child(void)
{
    if (itx || pthread_mutex_trylock(&lock) != 0)
        forked = true;
    else
        (void)pthread_mutex_unlock(&lock);
}

static void watch(void)
{
    watching = pthread_atfork(NULL, NULL, after_fork_in_child) == 0;
}

bool itx_forked(void)
{
    return forked;
}

const char *itx_torch_version(void)
{
    return torch_version;
}

const char *itx_module_path(void)
{
    return module_path;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Ends at the first mapped libtorch of another name than the one that we were built with. */
static int look(struct dl_phdr_info *object, size_t size, void *found)
{
    const char *name = base_name(object->dlpi_name ? object->dlpi_name : "");
    (void)size;
    if (strncmp(name, "libtorch_cpu", strlen("libtorch_cpu")) != 0 ||
        strcmp(name, ITX_TORCH_SONAME) == 0)
        return 0;
    (void)snprintf(found, sizeof module_path, "%s", object->dlpi_name);
    return 1;
}

static item_status find_module(item_error *err)
{
    Dl_info where;
    if (dladdr(&itx, &where) == 0 || !where.dli_fname)
        return itx_fail(err, ITEM_E_NO_ENGINE,
                        "cannot tell where the torch engine was loaded from");
    (void)snprintf(module_path, sizeof module_path, "%s", where.dli_fname);
    return ITEM_OK;
}

static const itx_ops *open_ops(item_error *err)
{
    char path[sizeof module_path + sizeof OPS_FILE];
    const size_t folder = (size_t)(base_name(module_path) - module_path);
    (void)snprintf(path, sizeof path, "%.*s%s", (int)folder, module_path, OPS_FILE);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle) {
        const char *why = dlerror();
        (void)itx_fail(err, ITEM_E_NO_ENGINE, "cannot load %s: %s", path, why ? why : "no reason");
        return NULL;
    }
    itx_ops_entry_fn entry;
    void *symbol = dlsym(handle, ITX_OPS_ENTRY);
    memcpy(&entry, &symbol, sizeof entry); /* ISO C has no cast between the two */
    const itx_ops *ops = symbol ? entry() : NULL;
    if (!ops || ops->version != ITX_OPS_VERSION) {
        (void)itx_fail(err, ITEM_E_NO_ENGINE, "%s belongs to another release of libitem", path);
        return NULL;
    }
    return ops;
}

/* "TORCH_VERSION=1.13.0, " in libtorch's own description. */
static void read_version(const char *text)
{
    static const char key[] = "TORCH_VERSION=";
    const char *at = strstr(text, key);
    at = at ? at + strlen(key) : "";
    (void)snprintf(torch_version, sizeof torch_version, "%.*s", (int)strcspn(at, ", \n"), at);
}

static item_status load(item_error *err)
{
    char other[sizeof module_path];
    item_status status = find_module(err);
    if (status != ITEM_OK)
        return status;
    if (dl_iterate_phdr(look, other) != 0)
        return itx_fail(err, ITEM_E_NO_ENGINE,
                        "another libtorch is in this process (%s), and two cannot be: the engine "
                        "was built for %s",
                        other, ITX_TORCH_SONAME);
    const itx_ops *ops = open_ops(err);
    if (!ops)
        return ITEM_E_NO_ENGINE;
    read_version(ops->describe());
    if (strcmp(torch_version, ops->built) != 0)
        return itx_fail(err, ITEM_E_NO_ENGINE, "libtorch %s runs, but the engine was built with %s",
                        torch_version, ops->built);
    itx = ops;
    return ITEM_OK;
}

item_status itx_load(item_error *err)
{
    if (forked)
        return itx_fail(err, ITEM_E_FORKED,
                        "this process was forked after the torch engine had started");
    (void)pthread_once(&once, watch);
    if (!watching)
        return itx_fail_memory(err, "preparing for fork");
    int before;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    (void)pthread_mutex_lock(&lock);
    const item_status status = itx ? ITEM_OK : load(err);
    (void)pthread_mutex_unlock(&lock);
    (void)pthread_setcancelstate(before, &before);
    return status;
}
