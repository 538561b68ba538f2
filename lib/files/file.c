/* SPDX-License-Identifier: Apache-2.0 */
/* Reading files whole: mapped or copied, regular files only, and never waiting for one. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "files/files_private.h"

static const uint8_t nothing[1]; /* data of an empty file */

/* Fills `data` from the file; fewer bytes than at the opening are an error. */
static item_status read_all(int fd, const char *path, uint8_t *data, size_t size, item_error *err)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(fd, data + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return itemi_fail_errno(err, ITEM_E_IO, errno, "%s", path);
        if (got == 0)
            return itemi_fail(err, ITEM_E_IO, "%s: became shorter while it was read", path);
        done += (size_t)got;
    }
    return ITEM_OK;
}

/* False where the file system cannot map; the caller copies then. */
static bool map_all(int fd, itemi_file *file)
{
    void *data = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return false;
    file->data = data;
    file->mapped = true;
    return true;
}

static item_status copy_all(int fd, const char *path, itemi_file *file, item_error *err)
{
    uint8_t *data = itemi_alloc(file->mem, file->size);
    if (!data)
        return itemi_fail(err, ITEM_E_MEMORY, "%s: out of memory for %zu bytes", path, file->size);
    item_status status = read_all(fd, path, data, file->size, err);
    if (status == ITEM_OK)
        file->data = data;
    else
        itemi_free(file->mem, data);
    return status;
}

static item_status load(int fd, const struct stat *facts, const char *path, uint64_t max_bytes,
                        bool map, itemi_file *file, item_error *err)
{
    uint64_t size = facts->st_size < 0 ? 0 : (uint64_t)facts->st_size;
    if (max_bytes && size > max_bytes)
        return itemi_fail(err, ITEM_E_LIMIT, "%s: has %llu bytes, the limit is %llu", path,
                          (unsigned long long)size, (unsigned long long)max_bytes);
    if (size > PTRDIFF_MAX)
        return itemi_fail(err, ITEM_E_LIMIT, "%s: is larger than the address space", path);
    file->size = (size_t)size;
    file->facts = *facts;
    if (size == 0) {
        file->data = nothing;
        return ITEM_OK;
    }
    if (map && map_all(fd, file))
        return ITEM_OK;
    return copy_all(fd, path, file, err);
}

item_status itemi_file_open(const itemi_mem *mem, const char *path, uint64_t max_bytes, bool map,
                            itemi_file *out, item_error *err)
{
    memset(out, 0, sizeof *out);
    if (!path || !*path)
        return itemi_fail(err, ITEM_E_ARGUMENT, "a file name is %s", path ? "empty" : "NULL");

    int fd;
    struct stat facts;
    itemi_file file = {.mem = mem};
    item_status status = itemi_open_regular(path, &fd, &facts, err);
    if (status == ITEM_OK)
        status = load(fd, &facts, path, max_bytes, map, &file, err);
    if (fd >= 0)
        close(fd);
    if (status == ITEM_OK)
        *out = file;
    return status;
}

void itemi_file_close(itemi_file *file)
{
    if (file->mapped)
        munmap((void *)file->data, file->size);
    else if (file->data != nothing)
        itemi_free(file->mem, (void *)file->data);
    memset(file, 0, sizeof *file);
}
