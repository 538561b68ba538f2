/* SPDX-License-Identifier: Apache-2.0 */
/* Packs: a folder is opened, its files are found, measured and hashed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/published.h"

#define MANIFEST     "item.json"
#define MANIFEST_MAX (1u << 20)

/* ---- one file ---- */

/* "folder/name" of a name that stays inside. */
static item_status join(const item_pack *pack, const char *name, char **out, item_error *err)
{
    item_error why = ITEM_ERROR_INIT;
    *out = itemi_path_join(&pack->mem, pack->path, name, &why);
    if (*out)
        return ITEM_OK;
    return itemi_fail(err, why.code == ITEM_E_MEMORY ? ITEM_E_MEMORY : ITEM_E_PACK, "%s/%s: %s",
                      pack->path, MANIFEST, why.message);
}

/* The path with every link resolved, which must still lie in the folder. */
static item_status resolve(item_pack *pack, const char *name, char **out, item_error *err)
{
    char *joined;
    item_status status = join(pack, name, &joined, err);
    if (status != ITEM_OK)
        return status;
    char real[PATH_MAX];
    bool there = realpath(joined, real) != NULL;
    if (!there && errno == ENOENT)
        status =
            itemi_fail(err, ITEM_E_PACK, "%s: is named by %s and is not there", joined, MANIFEST);
    else if (!there)
        status = itemi_fail_errno(err, ITEM_E_PACK, errno, "%s: cannot be read", joined);
    itemi_free(&pack->mem, joined);
    size_t folder = strlen(pack->path);
    bool inside = there && strncmp(real, pack->path, folder) == 0 && real[folder] == '/';
    if (there && !inside && !pack->published)
        status = itemi_fail(err, ITEM_E_PACK, "%s/%s: leads out of the pack", pack->path, name);
    if (status == ITEM_OK) {
        *out = itemi_strdup(&pack->mem, real);
        status = *out ? ITEM_OK : itemi_fail_memory(err, "opening a pack");
    }
    return status;
}

static item_status check_hash(const itemi_pack_file *file, item_error *err)
{
    char hex[ITEMI_SHA256_HEX];
    item_status status = itemi_sha256_path(file->path, hex, err);
    if (status == ITEM_OK && strcmp(hex, file->sha256) != 0)
        return itemi_fail(err, ITEM_E_PACK,
                          "%s: its SHA-256 is %.16s..., %s states %.16s...: the file was changed",
                          file->path, hex, MANIFEST, file->sha256);
    return status;
}

/* Engines share what they made of equal bytes: a hash that nobody looked at is no proof of them. */
static void name_content(itemi_pack_file *file, const struct stat *facts, bool hashed)
{
    if (hashed)
        itemi_format(file->content, sizeof file->content, "%s", file->sha256);
    else
        itemi_format(file->content, sizeof file->content, "unhashed:%llx:%llx:%llx:%llx.%lx",
                     (unsigned long long)facts->st_dev, (unsigned long long)facts->st_ino,
                     (unsigned long long)facts->st_size, (unsigned long long)facts->st_mtim.tv_sec,
                     (unsigned long)facts->st_mtim.tv_nsec);
}

static item_status check_file(item_pack *pack, itemi_pack_file *file, int32_t verify,
                              item_error *err)
{
    item_status status = resolve(pack, file->name, &file->path, err);
    if (status != ITEM_OK)
        return status;
    struct stat facts;
    if (stat(file->path, &facts) != 0)
        return itemi_fail_errno(err, ITEM_E_PACK, errno, "%s: cannot be read", file->path);
    if (!S_ISREG(facts.st_mode))
        return itemi_fail(err, ITEM_E_PACK, "%s: is not a regular file", file->path);
    if ((uint64_t)facts.st_size != file->bytes)
        return itemi_fail(err, ITEM_E_PACK, "%s: has %llu bytes, %s states %llu", file->path,
                          (unsigned long long)facts.st_size, MANIFEST,
                          (unsigned long long)file->bytes);
    file->facts = facts;
    bool hash = verify == 2 || (verify == 1 && file->bytes < ITEMI_SMALL_FILE);
    name_content(file, &facts, pack->published ? *file->sha256 : hash);
    return hash && !pack->published ? check_hash(file, err) : ITEM_OK;
}

item_status itemi_pack_file_same(const itemi_pack_file *entry, const itemi_file *opened,
                                 item_error *err)
{
    const struct stat *a = &entry->facts, *b = &opened->facts;
    if (a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
        a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec)
        return ITEM_OK;
    char hex[ITEMI_SHA256_HEX] = "";
    item_status status = *entry->sha256 ? itemi_sha256_file(opened, hex, err) : ITEM_OK;
    if (status == ITEM_OK && (!*hex || strcmp(hex, entry->sha256) != 0))
        return itemi_fail(err, ITEM_E_PACK,
                          "%s: was changed since the pack was opened: open it again", entry->path);
    return status;
}

/* The same file of an earlier stage, which has been checked; both must state the same of it. */
static const itemi_pack_file *find_checked(const item_pack *pack, const itemi_pack_file *file)
{
    for (size_t s = 0; s < ITEMI_STAGES; s++) {
        for (size_t i = 0; i < pack->stage[s].count; i++) {
            const itemi_pack_file *other = &pack->stage[s].files[i];
            if (other->path && strcmp(other->name, file->name) == 0 &&
                strcmp(other->sha256, file->sha256) == 0 && other->bytes == file->bytes)
                return other;
        }
    }
    return NULL;
}

static item_status check_once(item_pack *pack, itemi_pack_file *file, int32_t verify,
                              item_error *err)
{
    const itemi_pack_file *known = find_checked(pack, file);
    if (!known)
        return check_file(pack, file, verify, err);
    memcpy(file->content, known->content, sizeof file->content);
    file->facts = known->facts;
    file->path = itemi_strdup(&pack->mem, known->path);
    return file->path ? ITEM_OK : itemi_fail_memory(err, "opening a pack");
}

static item_status check_files(item_pack *pack, int32_t verify, item_error *err)
{
    item_status status = ITEM_OK;
    for (size_t s = 0; s < ITEMI_STAGES && status == ITEM_OK; s++) {
        for (size_t i = 0; i < pack->stage[s].count && status == ITEM_OK; i++)
            status = check_once(pack, &pack->stage[s].files[i], verify, err);
    }
    if (status == ITEM_OK && pack->head.name)
        status = check_file(pack, &pack->head, verify, err);
    return status;
}

/* ---- the manifest ---- */

static item_status read_manifest(item_pack *pack, const char *path, const itemi_log *log,
                                 item_error *err)
{
    itemi_file file;
    item_status status = itemi_file_open(&pack->mem, path, MANIFEST_MAX, false, &file, err);
    if (status == ITEM_OK) {
        status = itemi_sha256_file(&file, pack->fingerprint, err);
        if (status == ITEM_OK)
            status = itemi_json_parse((const char *)file.data, file.size, path, &pack->root, err);
        itemi_file_close(&file);
    }
    return status == ITEM_OK ? itemi_pack_parse(pack, log, path, err) : status;
}

static item_status read_published(item_pack *pack, int32_t verify, const itemi_log *log,
                                  item_error *err)
{
    pack->published = true;
    item_status status = itemi_published_read(&pack->mem, pack->path, verify, &pack->root, err);
    return status == ITEM_OK ? itemi_pack_parse(pack, log, pack->path, err) : status;
}

/* Nobody wrote a manifest of these files that could be hashed: they are named one by one. */
static item_status name_published(item_pack *pack, item_error *err)
{
    itemi_sha256 *sha = itemi_sha256_new();
    for (size_t s = 0; s < ITEMI_STAGES; s++) {
        itemi_sha256_text(sha, pack->stage[s].family ? pack->stage[s].family : "");
        for (size_t i = 0; i < pack->stage[s].count; i++) {
            itemi_sha256_text(sha, pack->stage[s].files[i].role);
            itemi_sha256_text(sha, pack->stage[s].files[i].content);
        }
    }
    return itemi_sha256_end(sha, pack->fingerprint) ? ITEM_OK
                                                    : itemi_fail_memory(err, "opening a pack");
}

static item_status read_description(item_pack *pack, int32_t verify, const itemi_log *log,
                                    item_error *err)
{
    char *path;
    struct stat facts;
    item_status status = join(pack, MANIFEST, &path, err);
    if (status != ITEM_OK)
        return status;
    bool published = stat(path, &facts) != 0 && errno == ENOENT;
    if (published && verify & ITEMI_VERIFY_PUBLISHED)
        verify = 2;
    status =
        published ? read_published(pack, verify, log, err) : read_manifest(pack, path, log, err);
    itemi_free(&pack->mem, path);
    return status;
}

static item_status set_path(item_pack *pack, const char *path, item_error *err)
{
    char fallback[PATH_MAX];
    if (!path) {
        item_status status = itemi_origin_pack(fallback, sizeof fallback, err);
        if (status != ITEM_OK)
            return status;
        path = fallback;
    }
    char real[PATH_MAX];
    struct stat facts;
    if (!realpath(path, real) || stat(real, &facts) != 0) {
        if (errno == ENOENT)
            return itemi_fail(err, ITEM_E_PACK, "%s: no such pack", path);
        return itemi_fail_errno(err, ITEM_E_PACK, errno, "%s: the pack cannot be opened", path);
    }
    if (!S_ISDIR(facts.st_mode))
        return itemi_fail(err, ITEM_E_PACK, "%s: is not a folder; a pack is one, with %s in it",
                          path, MANIFEST);
    pack->path = itemi_strdup(&pack->mem, real);
    return pack->path ? ITEM_OK : itemi_fail_memory(err, "opening a pack");
}

/* No hash is stated of these files; what can be known is whether the weights can be read. */
static item_status read_weights(const item_pack *pack, item_error *err)
{
    item_status status = ITEM_OK;
    for (size_t s = 0; s < ITEMI_STAGES && status == ITEM_OK; s++) {
        for (size_t i = 0; i < pack->stage[s].count && status == ITEM_OK; i++) {
            const itemi_pack_file *file = &pack->stage[s].files[i];
            itemi_weights *weights = NULL;
            if (strcmp(file->role, "weights") == 0)
                status = itemi_weights_open(&pack->mem, file->path, true, NULL, &weights, err);
            itemi_weights_close(weights);
        }
    }
    return status;
}

/* The card is text for people: it is named, never read. */
static item_status set_card(item_pack *pack, item_error *err)
{
    const char *card = json_string_value(json_object_get(pack->root, "card"));
    if (!card || !*card)
        return ITEM_OK;
    return join(pack, card, &pack->card, err);
}

item_status itemi_pack_load(const itemi_mem *mem, const itemi_log *log, const char *path,
                            int32_t verify, item_pack **out, item_error *err)
{
    *out = NULL;
    item_pack *pack = itemi_alloc_zero(mem, 1, sizeof *pack);
    if (!pack)
        return itemi_fail_memory(err, "opening a pack");
    if (mem)
        pack->mem = *mem;
    item_status status = set_path(pack, path, err);
    if (status == ITEM_OK)
        status = read_description(pack, verify, log, err);
    if (status == ITEM_OK)
        status = set_card(pack, err);
    if (status == ITEM_OK)
        status = check_files(pack, verify & ~ITEMI_VERIFY_PUBLISHED, err);
    if (status == ITEM_OK && pack->published)
        status = name_published(pack, err);
    if (status == ITEM_OK && pack->published && verify == 2)
        status = read_weights(pack, err);
    if (status != ITEM_OK) {
        item_pack_free(pack);
        return status;
    }
    *out = pack;
    return ITEM_OK;
}

void item_pack_free(item_pack *pack)
{
    if (!pack)
        return;
    itemi_mem mem = pack->mem;
    for (size_t s = 0; s < ITEMI_STAGES; s++) {
        for (size_t i = 0; i < pack->stage[s].count; i++)
            itemi_free(&mem, pack->stage[s].files[i].path);
        itemi_free(&mem, pack->stage[s].files);
    }
    itemi_free(&mem, pack->head.path);
    itemi_free(&mem, pack->path);
    itemi_free(&mem, pack->card);
    itemi_free(&mem, pack->json);
    json_decref(pack->root);
    itemi_free(&mem, pack);
}

item_status item_pack_open(const char *path, int32_t verify, item_pack **out, item_error *err)
{
    ITEMI_HOLD_PTHREAD_CANCEL;
    if (!out)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_pack_open: out is NULL");
    *out = NULL;
    if (verify < 0 || verify > 2)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_pack_open: verify is %d, not 0, 1 or 2",
                          (int)verify);
    item_pack *pack;
    item_status status = itemi_pack_load(NULL, NULL, path, verify, &pack, err);
    if (status != ITEM_OK)
        return status;
    itemi_head *head = NULL;
    if (pack->head.path)
        status = itemi_head_open(NULL, pack->head.path, &head, err);
    if (status == ITEM_OK)
        status = itemi_pack_describe(pack, head, err);
    itemi_head_free(head);
    if (status != ITEM_OK) {
        item_pack_free(pack);
        return status;
    }
    *out = pack;
    return ITEM_OK;
}

const char *item_pack_text(const item_pack *pack, const char *key)
{
    if (!pack || !key)
        return "";
    const struct {
        const char *key, *text;
    } texts[] = {{"path", pack->path},       {"name", pack->name},
                 {"version", pack->version}, {"licence", pack->licence},
                 {"card", pack->card},       {"fingerprint", pack->fingerprint}};
    for (size_t i = 0; i < ITEMI_COUNT(texts); i++) {
        if (strcmp(texts[i].key, key) == 0 && texts[i].text)
            return texts[i].text;
    }
    return "";
}

const char *item_pack_json(const item_pack *pack)
{
    return pack ? pack->json : NULL;
}

item_status item_pack_default_path(char *buffer, size_t capacity, item_error *err)
{
    if (!buffer || capacity == 0)
        return itemi_fail(err, ITEM_E_ARGUMENT, "item_pack_default_path: no room for the path");
    return itemi_origin_pack(buffer, capacity, err);
}
