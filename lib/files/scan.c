/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of pictures with labels, from a folder that holds ai/ and real/. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "files/files_private.h"

/* A folder to look into. Each is entered once, so loops of symbolic links end. */
typedef struct place {
    char *path;
    char *source; /* first folder below ai/ or real/; NULL in these themselves */
    dev_t device;
    ino_t inode;
    bool seen;
} place;

typedef struct scanner {
    const itemi_mem *mem;
    itemi_manifest *manifest;
    size_t rows_capacity;
    const char *label;
    char *own; /* name of the scanned folder: the source of pictures directly in ai/ or real/ */
    place *places;
    size_t count, capacity;
} scanner;

static item_status add_place(scanner *s, const char *path, const char *source, item_error *err)
{
    if (s->count == s->capacity) {
        size_t more = s->capacity ? 2 * s->capacity : 16;
        place *places = itemi_resize_array(s->mem, s->places, more, sizeof *places);
        if (!places)
            return itemi_fail_memory(err, "listing folders");
        s->places = places;
        s->capacity = more;
    }
    place p = {.path = itemi_strdup(s->mem, path)};
    p.source = source ? itemi_strdup(s->mem, source) : NULL;
    s->places[s->count++] = p;
    if (!p.path || (source && !p.source))
        return itemi_fail_memory(err, "listing folders");
    return ITEM_OK;
}

static void forget_places(scanner *s)
{
    for (size_t i = 0; i < s->count; i++) {
        itemi_free(s->mem, s->places[i].path);
        itemi_free(s->mem, s->places[i].source);
    }
    s->count = 0;
}

/* strcasecmp() would ask the host's locale. */
static bool same_letters(const char *text, const char *lower)
{
    for (; *lower; text++, lower++) {
        char c = *text >= 'A' && *text <= 'Z' ? (char)(*text + 'a' - 'A') : *text;
        if (c != *lower)
            return false;
    }
    return *text == '\0';
}

static bool is_picture(const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < ITEMI_COUNT(endings); i++) {
        if (same_letters(dot, endings[i]))
            return true;
    }
    return false;
}

static bool is_folder(const struct dirent *entry, const char *path)
{
    struct stat facts;
    if (entry->d_type == DT_REG)
        return false;
    return entry->d_type == DT_DIR || (stat(path, &facts) == 0 && S_ISDIR(facts.st_mode));
}

/* A link without a target counts as a picture by its name: opening it will tell what is wrong. */
static item_status take_entry(scanner *s, size_t from, const struct dirent *entry, item_error *err)
{
    if (entry->d_name[0] == '.') /* ".", "..", and what programs hide beside pictures */
        return ITEM_OK;
    char *path = itemi_path_put(s->mem, s->places[from].path, entry->d_name);
    if (!path)
        return itemi_fail_memory(err, "listing folders");
    const char *source = s->places[from].source;
    item_status status = ITEM_OK;
    if (is_folder(entry, path)) {
        status = add_place(s, path, source ? source : entry->d_name, err);
    } else if (is_picture(entry->d_name)) {
        itemi_row_text row = {.path = path, .label = s->label, .source = source ? source : s->own};
        status = itemi_manifest_add(s->manifest, &s->rows_capacity, &row, err);
    }
    itemi_free(s->mem, path);
    return status;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const place *)a)->path, ((const place *)b)->path);
}

static item_status read_place(scanner *s, size_t at, item_error *err)
{
    size_t before = s->count;
    DIR *dir = opendir(s->places[at].path);
    if (!dir)
        return itemi_fail_errno(err, ITEM_E_IO, errno, "%s", s->places[at].path);
    item_status status = ITEM_OK;
    while (status == ITEM_OK) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry)
            break;
        status = take_entry(s, at, entry, err);
    }
    if (status == ITEM_OK && errno)
        status = itemi_fail_errno(err, ITEM_E_IO, errno, "%s", s->places[at].path);
    closedir(dir);
    /* Of two ways to one folder the first is taken, so their order may not be the system's. */
    if (status == ITEM_OK && s->count > before)
        qsort(s->places + before, s->count - before, sizeof *s->places, by_path);
    return status;
}

/* Notes the folder's identity; true when it was entered before under another name. */
static bool seen_before(scanner *s, size_t at)
{
    place *p = &s->places[at];
    struct stat facts;
    if (stat(p->path, &facts) != 0)
        return false; /* opening it tells why */
    for (size_t i = 0; i < at; i++) {
        const place *q = &s->places[i];
        if (q->seen && q->device == facts.st_dev && q->inode == facts.st_ino)
            return true;
    }
    p->device = facts.st_dev;
    p->inode = facts.st_ino;
    p->seen = true;
    return false;
}

/* Everything below folder/label; *found tells whether that folder is there. */
static item_status scan_label(scanner *s, const char *folder, const char *label, bool *found,
                              item_error *err)
{
    struct stat facts;
    char *path = itemi_path_put(s->mem, folder, label);
    if (!path)
        return itemi_fail_memory(err, "listing folders");
    item_status status = ITEM_OK;
    *found = stat(path, &facts) == 0 || errno != ENOENT;
    s->label = label;
    if (*found)
        status = add_place(s, path, NULL, err);
    itemi_free(s->mem, path);
    for (size_t i = 0; status == ITEM_OK && i < s->count; i++) {
        if (!seen_before(s, i))
            status = read_place(s, i, err);
    }
    forget_places(s);
    return status;
}

/* Last part of the folder's name; of "." and the like the one that they stand for. */
static char *own_name(const itemi_mem *mem, const char *folder)
{
    size_t end = strlen(folder);
    while (end && folder[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin && folder[begin - 1] != '/')
        begin--;
    const char *name = folder + begin;
    size_t length = end - begin;
    bool stands_for =
        length == 0 || (name[0] == '.' && (length == 1 || strncmp(name, "..", length) == 0));
    if (!stands_for)
        return itemi_strndup(mem, name, length);

    char *real = realpath(folder, NULL);
    const char *slash = real ? strrchr(real, '/') : NULL;
    char *own = itemi_strdup(mem, slash ? slash + 1 : "");
    free(real);
    return own;
}

static int by_row_path(const void *a, const void *b)
{
    return strcmp(((const itemi_manifest_row *)a)->path, ((const itemi_manifest_row *)b)->path);
}

static item_status scan_both(scanner *s, const char *folder, item_error *err)
{
    bool ai = false, real = false;
    s->own = own_name(s->mem, folder);
    if (!s->own)
        return itemi_fail_memory(err, "listing folders");
    item_status status = scan_label(s, folder, "ai", &ai, err);
    if (status == ITEM_OK)
        status = scan_label(s, folder, "real", &real, err);
    if (status == ITEM_OK && !ai && !real)
        status = itemi_fail(err, ITEM_E_IO, "%s: holds neither ai/ nor real/", folder);
    return status;
}

item_status itemi_manifest_scan(const itemi_mem *mem, const char *folder, itemi_manifest *out,
                                item_error *err)
{
    *out = (itemi_manifest){.mem = mem};
    if (!folder || !*folder)
        return itemi_fail(err, ITEM_E_ARGUMENT, "a folder name is %s", folder ? "empty" : "NULL");
    scanner s = {.mem = mem, .manifest = out};
    item_status status = scan_both(&s, folder, err);
    itemi_free(mem, s.places);
    itemi_free(mem, s.own);
    if (status != ITEM_OK)
        itemi_manifest_free(out);
    else if (out->count)
        qsort(out->rows, out->count, sizeof *out->rows, by_row_path);
    return status;
}

/* The source of a file is the name of its folder. */
static item_status add_file(itemi_manifest *manifest, size_t *capacity, const char *path,
                            const char *label, item_error *err)
{
    const char *slash = strrchr(path, '/');
    char *folder = itemi_strndup(manifest->mem, path, slash ? (size_t)(slash - path) + 1 : 0);
    char *source = folder ? own_name(manifest->mem, *folder ? folder : ".") : NULL;
    const itemi_row_text row = {.path = path, .label = label, .source = source};
    item_status status = source ? itemi_manifest_add(manifest, capacity, &row, err)
                                : itemi_fail_memory(err, "listing pictures");
    itemi_free(manifest->mem, folder);
    itemi_free(manifest->mem, source);
    return status;
}

item_status itemi_manifest_list(const itemi_mem *mem, const char *const *paths, size_t count,
                                const char *label, itemi_manifest *out, item_error *err)
{
    size_t capacity = 0;
    item_status status = ITEM_OK;
    *out = (itemi_manifest){.mem = mem};
    for (size_t i = 0; status == ITEM_OK && i < count; i++)
        status = paths[i] && *paths[i]
                     ? add_file(out, &capacity, paths[i], label, err)
                     : itemi_fail(err, ITEM_E_ARGUMENT, "file name %zu is empty", i);
    if (status != ITEM_OK)
        itemi_manifest_free(out);
    return status;
}
