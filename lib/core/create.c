/* SPDX-License-Identifier: Apache-2.0 */
/* Makes packs of published models and of stages of other packs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/create.h"
#include "core/json_make.h"

static item_status fail_memory(item_error *err)
{
    return itemi_fail_memory(err, "making a pack");
}

static const char *base_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

/* Licences want that their text goes with the files. */
static const char *const terms[] = {"README.md", "LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE"};

/* ---- the folder: made beside, and renamed when it is whole ---- */

static item_status set_paths(itemi_making *m, const char *path, item_error *err)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    if (length == 0 || length + 16 > sizeof m->path)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_pack_create: a path of %zu bytes", length);
    memcpy(m->path, path, length);
    m->path[length] = '\0';
    struct stat facts;
    if (lstat(m->path, &facts) == 0)
        return itemi_fail(err, ITEM_E_IO, "%s: is there already", m->path);
    return ITEM_OK;
}

static item_status make_folder(itemi_making *m, item_error *err)
{
    for (unsigned i = 0; i < 100; i++) {
        itemi_format(m->folder, sizeof m->folder, "%s.%u.tmp", m->path, i);
        if (mkdir(m->folder, 0777) == 0)
            return ITEM_OK;
        if (errno != EEXIST)
            break;
    }
    item_status status = itemi_fail_errno(err, ITEM_E_IO, errno, "%s: cannot be made", m->folder);
    m->folder[0] = '\0';
    return status;
}

static bool sync_folder(const char *path)
{
    int fd;
    do {
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    } while (fd < 0 && errno == EINTR);
    bool done = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return done;
}

/* Where the file system cannot refuse to replace, an empty folder of that name would be. */
static bool move(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return true;
    return (errno == EINVAL || errno == ENOSYS) && rename(from, to) == 0;
}

static void remove_in(const char *folder, const char *name)
{
    char path[ITEMI_BESIDE_MAX];
    if (itemi_beside(folder, name, path))
        (void)remove(path);
}

/* Takes away what was made so far; needs no memory, for want of which this may be called. */
static void unmake(const itemi_making *m)
{
    const char *content;
    json_t *entry;
    json_object_foreach(m->placed, content, entry)
    {
        remove_in(m->folder, json_string_value(json_object_get(entry, "file")));
    }
    for (size_t i = 0; i < ITEMI_STAGES; i++) {
        char path[ITEMI_BESIDE_MAX];
        const char *word = itemi_stage_word((itemi_stage_kind)i);
        for (size_t j = 0; itemi_beside(m->folder, word, path) && j < ITEMI_COUNT(terms); j++)
            remove_in(path, terms[j]);
        remove_in(m->folder, word);
    }
    static const char *const own[] = {"head.safetensors", "card.md", "item.json"};
    for (size_t i = 0; i < ITEMI_COUNT(own); i++)
        remove_in(m->folder, own[i]);
    (void)remove(m->folder);
}

static item_status publish(itemi_making *m, item_error *err)
{
    bool synced = sync_folder(m->folder);
    for (size_t i = 0; i < ITEMI_STAGES; i++) {
        char path[ITEMI_BESIDE_MAX];
        if (m->source[i] && itemi_beside(m->folder, itemi_stage_word((itemi_stage_kind)i), path))
            synced = sync_folder(path) && synced;
    }
    if (!synced || !move(m->folder, m->path))
        return itemi_fail_errno(err, ITEM_E_IO, errno, "%s: cannot be made", m->path);
    m->folder[0] = '\0'; /* nothing to take away any more */
    return ITEM_OK;
}

/* ---- files ---- */

/* "captioner/model.safetensors", or with the role in front where that name is taken. */
static item_status choose_name(const itemi_making *m, const char *word, const itemi_pack_file *file,
                               char name[512], char path[ITEMI_BESIDE_MAX], item_error *err)
{
    struct stat facts;
    const char *base = base_of(file->name);
    itemi_format(name, 512, "%s/%s", word, base);
    bool fits = itemi_beside(m->folder, name, path);
    if (fits && lstat(path, &facts) == 0) {
        itemi_format(name, 512, "%s/%s-%s", word, file->role, base);
        fits = itemi_beside(m->folder, name, path);
    }
    if (!fits || strlen(name) > 500)
        return itemi_fail(err, ITEM_E_LIMIT, "%s: the names of its files are too long", m->path);
    return ITEM_OK;
}

/* Remembered under `key`, so that the same bytes are placed once, and all is found again. */
static item_status place(const itemi_making *m, const char *key, const itemi_pack_file *file,
                         const char *name, const char *path, json_t **out, item_error *err)
{
    uint64_t bytes = 0;
    char hex[ITEMI_SHA256_HEX];
    item_status status = itemi_file_place(file->path, path, m->parts->flags & ITEM_PACK_COPY,
                                          m->parts->cancel, &bytes, hex, err);
    if (status != ITEM_OK)
        return status;
    bool same = !*file->sha256 || strcmp(file->sha256, hex) == 0;
    *out = same ? json_pack("{s:o, s:I, s:s}", "file", itemi_json_text(name), "bytes",
                            (json_int_t)bytes, "sha256", hex)
                : NULL;
    if (*out && json_object_set(m->placed, key, *out) == 0)
        return ITEM_OK;
    json_decref(*out);
    *out = NULL;
    (void)unlink(path); /* as it is not among the placed */
    if (same)
        return fail_memory(err);
    return itemi_fail(err, ITEM_E_PACK,
                      "%s: has another SHA-256 than its item.json states: the file was changed",
                      file->path);
}

/* A file that several stages have, or the same bytes under two names, is placed once. */
static item_status place_once(itemi_making *m, const char *word, const itemi_pack_file *file,
                              json_t *files, item_error *err)
{
    json_t *entry = json_incref(json_object_get(m->placed, file->content));
    item_status status = ITEM_OK;
    if (!entry) {
        char name[512], path[ITEMI_BESIDE_MAX];
        status = choose_name(m, word, file, name, path, err);
        if (status == ITEM_OK)
            status = place(m, file->content, file, name, path, &entry, err);
    }
    if (status == ITEM_OK && json_object_set(files, file->role, entry) != 0)
        status = fail_memory(err);
    json_decref(entry);
    return status;
}

/* They lie in the folder of a model, and of a pack that was made of models in the stage's own. */
static bool find_terms(const item_pack *source, const char *word, const char *name,
                       char real[PATH_MAX])
{
    char own[64], path[ITEMI_BESIDE_MAX];
    struct stat facts;
    itemi_format(own, sizeof own, "%s/%s", word, name);
    const char *const names[] = {own, name};
    for (size_t i = 0; i < ITEMI_COUNT(names); i++) {
        if (itemi_beside(source->path, names[i], path) && realpath(path, real) &&
            stat(real, &facts) == 0 && S_ISREG(facts.st_mode))
            return true;
    }
    return false;
}

static item_status place_terms(const itemi_making *m, const char *word, const item_pack *source,
                               item_error *err)
{
    item_status status = ITEM_OK;
    for (size_t i = 0; i < ITEMI_COUNT(terms) && status == ITEM_OK; i++) {
        char real[PATH_MAX], name[64], to[ITEMI_BESIDE_MAX], hex[ITEMI_SHA256_HEX];
        uint64_t bytes;
        itemi_format(name, sizeof name, "%s/%s", word, terms[i]);
        if (!itemi_beside(m->folder, name, to) || !find_terms(source, word, terms[i], real))
            continue;
        status = itemi_file_place(real, to, m->parts->flags & ITEM_PACK_COPY, m->parts->cancel,
                                  &bytes, hex, err);
    }
    return status;
}

/* ---- stages ---- */

static item_status open_source(itemi_making *m, itemi_stage_kind kind, const char *path,
                               item_error *err)
{
    if (!path)
        return ITEM_OK;
    item_status status = itemi_pack_load(NULL, NULL, path, 0, &m->source[kind], err);
    if (status == ITEM_OK && !m->source[kind]->stage[kind].family)
        status = itemi_fail(err, ITEM_E_PACK, "%s: has no %s", path, itemi_stage_word(kind));
    return status;
}

static item_status open_sources(itemi_making *m, item_error *err)
{
    const item_pack_parts *parts = m->parts;
    item_status status = open_source(m, ITEMI_CAPTIONER, parts->captioner, err);
    if (status == ITEM_OK)
        status = open_source(m, ITEMI_DETECTOR, parts->detector, err);
    if (status == ITEM_OK)
        status = open_source(m, ITEMI_EMBEDDER, parts->embedder, err);
    if (status == ITEM_OK && parts->head)
        status = itemi_head_open(NULL, parts->head, &m->head, err);
    return status;
}

/* The stage's entry in item.json, with other files. */
static json_t *copy_entry(const item_pack *source, const char *word, json_t *files)
{
    const json_t *entry = json_object_get(json_object_get(source->root, "stages"), word);
    json_t *copy = json_deep_copy(entry);
    const char *from = json_string_value(json_object_get(copy, "source"));
    bool made = copy && json_object_size(copy) == json_object_size(entry) &&
                json_object_set(copy, "files", files) == 0;
    if (made && (!from || !*from))
        made = json_object_set_new(copy, "source", json_string(source->name)) == 0;
    if (made)
        return copy;
    json_decref(copy);
    return NULL;
}

static item_status add_stage(itemi_making *m, itemi_stage_kind kind, json_t *stages,
                             item_error *err)
{
    const item_pack *source = m->source[kind];
    const itemi_pack_stage *stage = &source->stage[kind];
    const char *word = itemi_stage_word(kind);
    char path[ITEMI_BESIDE_MAX];
    if (!itemi_beside(m->folder, word, path) || mkdir(path, 0777) != 0)
        return itemi_fail_errno(err, ITEM_E_IO, errno, "%s: cannot be made", path);
    json_t *files = json_object();
    item_status status = files ? ITEM_OK : fail_memory(err);
    for (size_t i = 0; i < stage->count && status == ITEM_OK; i++)
        status = place_once(m, word, &stage->files[i], files, err);
    if (status == ITEM_OK)
        status = place_terms(m, word, source, err);
    if (status == ITEM_OK &&
        json_object_set_new(stages, word, copy_entry(source, word, files)) != 0)
        status = fail_memory(err);
    json_decref(files);
    return status;
}

static item_status add_stages(itemi_making *m, json_t *stages, item_error *err)
{
    item_status status = ITEM_OK;
    for (size_t i = 0; i < ITEMI_STAGES && status == ITEM_OK; i++) {
        if (m->source[i])
            status = add_stage(m, (itemi_stage_kind)i, stages, err);
    }
    return status;
}

static item_status add_head(itemi_making *m, item_error *err)
{
    const itemi_pack_file file = {.role = "",
                                  .name = "head.safetensors",
                                  .path = (char *)(uintptr_t)m->parts->head,
                                  .sha256 = ""};
    char path[ITEMI_BESIDE_MAX];
    json_t *entry = NULL;
    (void)itemi_beside(m->folder, file.name, path); /* item.json's name is not longer by much */
    item_status status = place(m, "head", &file, file.name, path, &entry, err);
    if (status == ITEM_OK && json_object_set_new(m->root, "head", entry) != 0)
        status = fail_memory(err);
    return status;
}

/* ---- item.json and the card ---- */

/* Licences of the stages, each told once. */
static json_t *join_licences(const itemi_making *m, const json_t *stages)
{
    itemi_buf text;
    itemi_buf_init(&text, NULL);
    itemi_buf_puts(&text, "");
    for (size_t i = 0; i < ITEMI_STAGES; i++) {
        const char *word = itemi_stage_word((itemi_stage_kind)i);
        const char *licence =
            json_string_value(json_object_get(json_object_get(stages, word), "licence"));
        if (!m->source[i])
            continue;
        if (!licence || !*licence)
            licence = "not known";
        if (!text.data || !strstr(text.data, licence))
            itemi_buf_printf(&text, "%s%s", text.length ? "; " : "", licence);
    }
    json_t *joined = text.failed ? NULL : json_stringn(text.data, text.length);
    itemi_buf_free(&text);
    return joined;
}

static item_status describe(itemi_making *m, item_error *err)
{
    json_t *stages = json_object();
    item_status status = stages ? add_stages(m, stages, err) : fail_memory(err);
    const char *name = m->parts->name && *m->parts->name ? m->parts->name : base_of(m->path);
    if (status == ITEM_OK) {
        m->root = json_pack("{s:i, s:o, s:s, s:o, s:s, s:O}", "schema", 1, "name",
                            itemi_json_text(name), "version", "1", "licence",
                            join_licences(m, stages), "card", "card.md", "stages", stages);
        status = m->root ? ITEM_OK : fail_memory(err);
    }
    if (status == ITEM_OK && m->head)
        status = add_head(m, err);
    json_decref(stages);
    return status;
}

/* Takes the text. */
static item_status write_text(const itemi_making *m, const char *name, char *text, item_error *err)
{
    char path[ITEMI_BESIDE_MAX];
    item_status status = ITEM_OK;
    if (!text)
        status = fail_memory(err);
    else if (!itemi_beside(m->folder, name, path))
        status = itemi_fail(err, ITEM_E_LIMIT, "%s: the names of its files are too long", m->path);
    else
        status = itemi_file_write(path, text, strlen(text), err);
    itemi_free(NULL, text);
    return status;
}

/* What was written is opened, and the head must be of this embedder. */
static item_status check(const itemi_making *m, item_error *err)
{
    item_pack *pack = NULL;
    item_status status = itemi_pack_load(NULL, NULL, m->folder, 0, &pack, err);
    if (status == ITEM_OK && m->head && pack->stage[ITEMI_EMBEDDER].family) {
        const itemi_pack_stage *stage = &pack->stage[ITEMI_EMBEDDER];
        json_int_t width = json_integer_value(json_object_get(stage->config, "width"));
        char identity[256];
        status = itemi_identity_pack(stage, (uint32_t)width, identity, err);
        if (status == ITEM_OK)
            status = itemi_head_fits(m->head, (size_t)width, identity, err);
        if (status == ITEM_E_MISMATCH)
            itemi_error_prefix(err, m->parts->head);
    }
    item_pack_free(pack);
    return status;
}

static item_status make(itemi_making *m, item_error *err)
{
    m->placed = json_object();
    item_status status = m->placed ? open_sources(m, err) : fail_memory(err);
    if (status == ITEM_OK)
        status = make_folder(m, err);
    if (status == ITEM_OK)
        status = describe(m, err);
    if (status == ITEM_OK)
        status = write_text(m, "card.md", itemi_making_card(m), err);
    if (status == ITEM_OK)
        status = write_text(m, "item.json", itemi_json_dump_lines(NULL, m->root), err);
    if (status == ITEM_OK)
        status = check(m, err);
    return status == ITEM_OK ? publish(m, err) : status;
}

item_status item_pack_create(const item_pack_parts *parts, const char *path, item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    item_pack_parts ours;
    item_status status = itemi_struct_in(&ours, sizeof ours, ITEMI_SIZE_TO(item_pack_parts, cancel),
                                         parts, "item_pack_parts", err);
    if (status != ITEM_OK)
        return status;
    if (!path || ours.flags & ~ITEM_PACK_COPY)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_pack_create: %s",
                          path ? "an unknown flag is set" : "path is NULL");
    if (!ours.captioner && !ours.detector && !ours.embedder)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_pack_create: a pack has one stage or more");
    itemi_making m = {.parts = &ours};
    itemi_cancel_ref(ours.cancel);
    status = set_paths(&m, path, err);
    if (status == ITEM_OK)
        status = make(&m, err);
    if (m.folder[0])
        unmake(&m);
    for (size_t i = 0; i < ITEMI_STAGES; i++)
        item_pack_free(m.source[i]);
    itemi_head_free(m.head);
    json_decref(m.placed);
    json_decref(m.root);
    item_cancel_unref(ours.cancel);
    return status;
}
