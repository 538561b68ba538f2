/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing a file to another folder: by a hard link where that can be, else by a copy. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "files/files_private.h"

#define PIECE (1 << 17) /* bytes read at once, between two looks at the cancel handle */

/* Reads `from` to its end: into the hash, and into `to` where it is a file. */
static item_status pour(int from, int to, const char *path, const item_cancel *cancel,
                        itemi_sha256 *sha, void *piece, item_error *err)
{
    for (;;) {
        if (itemi_cancelled(cancel))
            return itemi_fail_cancelled(err);
        ssize_t got = read(from, piece, PIECE);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || (got > 0 && to >= 0 && !itemi_write_all(to, piece, (size_t)got)))
            return itemi_fail_errno(err, ITEM_E_IO, errno, "%s: cannot be copied", path);
        if (got == 0)
            break;
        itemi_sha256_add(sha, piece, (size_t)got);
    }
    if (to >= 0 && fsync(to) != 0)
        return itemi_fail_errno(err, ITEM_E_IO, errno, "%s: cannot be copied", path);
    return ITEM_OK;
}

static item_status hash_or_copy(int from, int to, const char *path, const item_cancel *cancel,
                                char hex[ITEMI_SHA256_HEX], item_error *err)
{
    void *piece = itemi_alloc(NULL, PIECE);
    itemi_sha256 *sha = piece ? itemi_sha256_new() : NULL;
    item_status status = sha ? pour(from, to, path, cancel, sha, piece, err)
                             : itemi_fail_memory(err, "copying a file");
    (void)itemi_sha256_end(sha, hex);
    itemi_free(NULL, piece);
    return status;
}

item_status itemi_file_place(const char *from, const char *to, bool copy, const item_cancel *cancel,
                             uint64_t *bytes, char hex[ITEMI_SHA256_HEX], item_error *err)
{
    int source, target = -1;
    struct stat facts;
    hex[0] = '\0';
    bool linked = !copy && link(from, to) == 0;
    item_status status = itemi_open_regular(linked ? to : from, &source, &facts, err);
    if (status == ITEM_OK && !linked) {
        do {
            target = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        } while (target < 0 && errno == EINTR);
        if (target < 0)
            status = itemi_fail_errno(err, ITEM_E_IO, errno, "%s: cannot be written", to);
    }
    if (status == ITEM_OK)
        status = hash_or_copy(source, target, from, cancel, hex, err);
    if (status == ITEM_OK)
        *bytes = (uint64_t)facts.st_size;
    if (source >= 0)
        close(source);
    if (target >= 0 && close(target) != 0 && status == ITEM_OK)
        status = itemi_fail_errno(err, ITEM_E_IO, errno, "%s: cannot be written", to);
    if (status != ITEM_OK && (linked || target >= 0))
        (void)unlink(to);
    return status;
}
