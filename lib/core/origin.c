/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where libitem lies, and so where its engine and its default pack are. Installed, nothing but
 * that place counts. The environment is asked only when the library lies in a build folder of
 * meson (it has meson-private/coredata.dat beside its folder), and never by a setuid program:
 * this serves `meson devenv` and the tests.
 */
#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/core.h"

#define MODULE "/libitem-torch.so"

typedef struct origin {
    char folder[PATH_MAX]; /* "" when it cannot be told */
    bool in_program;       /* linked into a program, not a shared library */
    bool in_build;
} origin;

/* "a" "b" "c" joined; ITEM_E_ARGUMENT when it does not fit. */
static item_status join(char *out, size_t room, const char *a, const char *b, const char *c,
                        item_error *err)
{
    size_t la = strlen(a), lb = strlen(b), lc = strlen(c);
    if (la + lb + lc >= room) {
        if (room)
            out[0] = '\0';
        return itemi_fail(err, ITEM_E_ARGUMENT, "a path of %zu bytes does not fit into %zu",
                          la + lb + lc + 1, room);
    }
    memcpy(out, a, la);
    memcpy(out + la, b, lb);
    memcpy(out + la + lb, c, lc + 1);
    return ITEM_OK;
}

static void find(origin *out)
{
    *out = (origin){.in_program = true};
    Dl_info info;
    struct link_map *map = NULL;
    const char *inside = item_version(); /* a constant of this very library */
    if (!dladdr1(inside, &info, (void **)&map, RTLD_DL_LINKMAP) || !map)
        return;
    /* The program's own name is empty here, and argv[0] cannot be relied on. */
    out->in_program = map->l_name[0] == '\0';
    const char *path = out->in_program ? "/proc/self/exe" : map->l_name;
    if (!realpath(path, out->folder)) {
        out->folder[0] = '\0';
        return;
    }
    char *slash = strrchr(out->folder, '/');
    *slash = '\0';

    char mark[PATH_MAX];
    out->in_build = join(mark, sizeof mark, out->folder, "/../meson-private", "/coredata.dat",
                         NULL) == ITEM_OK &&
                    access(mark, F_OK) == 0;
}

/* A variable that counts in a build folder; NULL elsewhere. */
static const char *variable(const origin *o, const char *name)
{
    const char *value = o->in_build ? secure_getenv(name) : NULL;
    return value && *value ? value : NULL;
}

item_status itemi_origin_engine(char *out, size_t room, bool *from_environment, item_error *err)
{
    origin o;
    find(&o);
    const char *given = variable(&o, "ITEM_ENGINE_PATH");
    *from_environment = given != NULL;
    if (given)
        return join(out, room, given, "", "", err);
    if (o.folder[0] && !o.in_program)
        return join(out, room, o.folder, "/item-" ITEMI_ABI, MODULE, err);
    return join(out, room, ITEMI_MODULEDIR, MODULE, "", err);
}

/* Removes "/tail" from the end of folder; false when it does not end so. */
static bool strip(char *folder, const char *tail)
{
    size_t length = strlen(folder), end = strlen(tail);
    if (end == 0 || tail[0] == '/' || length <= end || folder[length - end - 1] != '/' ||
        strcmp(folder + length - end, tail) != 0)
        return false;
    folder[length - end - 1] = '\0';
    return true;
}

item_status itemi_origin_pack(char *out, size_t room, item_error *err)
{
    origin o;
    find(&o);
    const char *given = variable(&o, "ITEM_PACK_PATH");
    if (given)
        return join(out, room, given, "", "", err);
    /* An installed tree may have been moved as a whole. */
    if (!o.in_program && ITEMI_PACKDIR[0] != '/' && strip(o.folder, ITEMI_LIBDIR))
        return join(out, room, o.folder, "/" ITEMI_PACKDIR, "/small", err);
    return join(out, room, ITEMI_PACKDIR_ABSOLUTE, "/small", "", err);
}
