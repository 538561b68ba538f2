/* SPDX-License-Identifier: Apache-2.0 */
/* A file of a scan: is it a picture, are its bytes known, and if not, its pixels. */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "common/regular.h"
#include "index/index.h"

#define HEAD  4096 /* bytes that tell a kind */
#define TRIES 3    /* of a file that changes while it is read */

/* What people call pictures. *ends: the name has an ending at all. */
static bool has_picture_name(const char *path, bool *ends)
{
    static const char *const names[] = {"jpg",  "jpeg", "jpe",  "jfif", "png", "apng", "webp",
                                        "heic", "heif", "avif", "gif",  "tif", "tiff", "bmp",
                                        "jxl",  "jp2",  "dng",  "cr2",  "cr3", "nef",  "arw"};
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    *ends = dot != NULL;
    if (!dot)
        return false;
    for (size_t i = 0; i < ITEMI_COUNT(names); i++) {
        if (strcasecmp(dot + 1, names[i]) == 0)
            return true;
    }
    return false;
}

/* Whether its first bytes are those of a picture; a file that cannot be read is none. */
static bool has_picture_bytes(const char *path)
{
    int fd;
    struct stat facts;
    uint8_t head[HEAD];
    if (itemi_open_regular(path, &fd, &facts, NULL) != ITEM_OK)
        return false;
    ssize_t got = read(fd, head, sizeof head);
    close(fd);
    return got > 0 && itemi_is_picture(head, (size_t)got);
}

int64_t itemi_nanoseconds(struct timespec t)
{
    const int64_t second = 1000000000, most = INT64_MAX / second - 1;
    const int64_t whole = t.tv_sec > most ? most : t.tv_sec < -most ? -most : (int64_t)t.tv_sec;
    return whole * second + t.tv_nsec;
}

int64_t itemi_index_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return itemi_nanoseconds(t);
}

static void set_facts(itemi_scanned *file, const struct stat *facts)
{
    file->bytes = facts->st_size;
    file->mtime = itemi_nanoseconds(facts->st_mtim);
}

static bool same_facts(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The whole file as it was at one moment; fails when it changes again and again. */
static item_status read_bytes(const itemi_scan *scan, itemi_scanned *file, itemi_file *bytes,
                              item_error *err)
{
    item_image_options limits = itemi_ctx_image_options(scan->ctx, NULL);
    itemi_image_defaults(&limits);
    for (int i = 0; i < TRIES; i++) {
        struct stat after;
        file->read = itemi_index_now();
        item_status status =
            itemi_file_open(NULL, file->path, limits.max_file_bytes, false, bytes, err);
        if (status != ITEM_OK)
            return status;
        if (stat(file->path, &after) == 0 && same_facts(&bytes->facts, &after))
            return ITEM_OK;
        itemi_file_close(bytes);
    }
    return itemi_fail(err, ITEM_E_IO, "%s: changes while it is read", file->path);
}

/* Another file of the batch with the same bytes; ITEMI_SCAN_NONE: there is none. */
static size_t find_original(const itemi_scan *scan, const itemi_scanned *file)
{
    for (size_t i = 0; i < scan->count; i++) {
        const itemi_scanned *other = &scan->files[i];
        if (other->hashed && memcmp(other->hash, file->hash, sizeof file->hash) == 0)
            return i;
    }
    return ITEMI_SCAN_NONE;
}

static item_status decode(itemi_scan *scan, itemi_scanned *file, const itemi_file *bytes,
                          item_error *err)
{
    const item_image_options options = itemi_ctx_image_options(scan->ctx, scan->options.cancel);
    item_status status = item_image_from_memory(bytes->data, bytes->size, &options,
                                                &scan->images[scan->image_count], &file->error);
    if (status == ITEM_E_CANCELLED || status == ITEM_E_MEMORY)
        return itemi_fail_as(err, &file->error);
    file->taken = itemi_taken(bytes->data, bytes->size);
    if (status == ITEM_OK)
        file->image = scan->image_count++;
    return ITEM_OK;
}

/* Hashes the bytes and decodes them, unless the index or the batch has what comes of them. */
static item_status take_bytes(itemi_scan *scan, itemi_scanned *file, const itemi_file *bytes,
                              item_error *err)
{
    itemi_sha256 *sha = itemi_sha256_new();
    itemi_sha256_add(sha, bytes->data, bytes->size);
    if (!itemi_sha256_bytes(sha, file->hash))
        return itemi_fail_memory(err, "hashing a file");
    file->hashed = true;
    set_facts(file, &bytes->facts);
    item_status status = itemi_scan_answer(scan, file, err);
    if (status != ITEM_OK || file->content)
        return status;
    file->original = find_original(scan, file);
    return file->original == ITEMI_SCAN_NONE ? decode(scan, file, bytes, err) : ITEM_OK;
}

/* What is no picture: its size and time are kept, so that it is not looked at again. */
static item_status take_other(itemi_scanned *file, bool *gone)
{
    struct stat facts;
    file->other = true;
    file->read = itemi_index_now();
    *gone = stat(file->path, &facts) != 0;
    if (!*gone)
        set_facts(file, &facts);
    return ITEM_OK;
}

item_status itemi_scan_read(itemi_scan *scan, itemi_scanned *file, bool *gone, item_error *err)
{
    itemi_file bytes = {0};
    struct stat facts;
    *gone = false;
    bool ends;
    /* A name without an ending says nothing; one with another ending, such as a database that some
       part of this process has open, is not touched (own.c says why). */
    if (!has_picture_name(file->path, &ends) && (ends || !has_picture_bytes(file->path)))
        return take_other(file, gone);
    item_status status = read_bytes(scan, file, &bytes, &file->error);
    if (status == ITEM_E_MEMORY)
        return itemi_fail_as(err, &file->error);
    if (status != ITEM_OK) {
        *gone = stat(file->path, &facts) != 0 && (errno == ENOENT || errno == ENOTDIR);
        return ITEM_OK;
    }
    status = take_bytes(scan, file, &bytes, err);
    itemi_file_close(&bytes);
    return status;
}
