/* SPDX-License-Identifier: Apache-2.0 */
/* Sidecars as files: found, read, and replaced so that none is ever half there. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sidecar.h"

#define MOST_BYTES (64 << 20) /* of a sidecar: those of the largest edits have some */

item_status cli_sidecar_fail(const cli_sidecar *sidecar, item_status code, item_error *err,
                             const char *format, ...)
{
    va_list list;
    int used = snprintf(err->message, sizeof(err->message), "%.260s: ", sidecar->name);
    va_start(list, format);
    vsnprintf(err->message + used, sizeof(err->message) - (size_t)used, format, list);
    va_end(list);
    err->code = code;
    return code;
}

static item_status fail_by_errno(const cli_sidecar *sidecar, const char *what, item_error *err)
{
    int why = errno;
    return cli_sidecar_fail(sidecar, why == ENOMEM ? ITEM_E_MEMORY : ITEM_E_IO, err,
                            "the sidecar cannot be %s: %s", what, strerror(why));
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* PICTURE.xmp, or without the picture's own ending. */
static char *beside(const char *picture, bool with_ending)
{
    const char *name = last_part(picture), *dot = strrchr(name, '.');
    size_t length = strlen(picture);
    if (!with_ending && dot && dot > name)
        length = (size_t)(dot - picture);
    char *path = cli_resize(NULL, length + sizeof ".xmp", 1);
    memcpy(path, picture, length);
    strcpy(path + length, ".xmp");
    return path;
}

/* Darktable's name, unless only the other one is there already. */
static char *choose_path(const char *picture)
{
    struct stat met;
    char *full = beside(picture, true), *other = beside(picture, false);
    bool keep = lstat(full, &met) == 0 || lstat(other, &met) != 0;
    free(keep ? other : full);
    return keep ? full : other;
}

/* What says that it is not to be written to. A rename would ask none of it. */
static item_status check_kind(const cli_sidecar *sidecar, item_error *err)
{
    const struct stat *met = &sidecar->met;
    const char *why = NULL;
    if (S_ISLNK(met->st_mode))
        why = "is a symbolic link, and is left as it is";
    else if (!S_ISREG(met->st_mode))
        why = "is no file, and is left as it is";
    else if ((met->st_mode & 0222) == 0 || faccessat(AT_FDCWD, sidecar->path, W_OK, AT_EACCESS))
        why = "is not to be written to: it is read-only";
    else if (met->st_size > MOST_BYTES)
        why = "has more than 64 MiB, and is left as it is";
    return why ? cli_sidecar_fail(sidecar, ITEM_E_IO, err, "the sidecar %s", why) : ITEM_OK;
}

static item_status read_all(cli_sidecar *sidecar, int fd, item_error *err)
{
    const size_t size = (size_t)sidecar->met.st_size;
    sidecar->text = cli_resize(sidecar->text, size + 1, 1);
    while (sidecar->length < size) {
        ssize_t got = read(fd, sidecar->text + sidecar->length, size - sidecar->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_by_errno(sidecar, "read", err);
        if (got == 0)
            break; /* became shorter: seen before it is replaced */
        sidecar->length += (size_t)got;
    }
    sidecar->text[sidecar->length] = '\0';
    return ITEM_OK;
}

item_status cli_sidecar_read(cli_sidecar *sidecar, const char *picture, item_error *err)
{
    *sidecar = (cli_sidecar){.path = choose_path(picture), .text = cli_copy("")};
    sidecar->name = last_part(sidecar->path);
    if (lstat(sidecar->path, &sidecar->met) != 0)
        return errno == ENOENT ? ITEM_OK : fail_by_errno(sidecar, "read", err);
    sidecar->exists = true;
    item_status status = check_kind(sidecar, err);
    if (status != ITEM_OK)
        return status;
    int fd = open(sidecar->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return fail_by_errno(sidecar, "read", err);
    status = read_all(sidecar, fd, err);
    close(fd);
    return status;
}

void cli_sidecar_free(cli_sidecar *sidecar)
{
    free(sidecar->path);
    free(sidecar->text);
}

static bool write_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t put = write(fd, text, length);
        if (put < 0 && errno != EINTR)
            return false;
        text += put > 0 ? put : 0;
        length -= put > 0 ? (size_t)put : 0;
    }
    return true;
}

/* Owner and group where the system lets us; the mode in any case. */
static bool keep_rights(const cli_sidecar *sidecar, int fd, mode_t mode)
{
    const struct stat *met = &sidecar->met;
    if (!sidecar->exists)
        return fchmod(fd, mode) == 0;
    if (fchown(fd, met->st_uid, met->st_gid) != 0 && fchown(fd, (uid_t)-1, met->st_gid) != 0)
        errno = 0; /* another's file in a folder of ours: it becomes ours */
    return fchmod(fd, met->st_mode & 0777) == 0;
}

/* Another program may have written it since. */
static bool is_as_read(const cli_sidecar *sidecar)
{
    const struct stat *met = &sidecar->met;
    struct stat now;
    if (lstat(sidecar->path, &now) != 0)
        return !sidecar->exists && errno == ENOENT;
    return sidecar->exists && now.st_ino == met->st_ino && now.st_size == met->st_size &&
           now.st_mtim.tv_sec == met->st_mtim.tv_sec && now.st_mtim.tv_nsec == met->st_mtim.tv_nsec;
}

/* The new name is on the disk too; a file system that cannot say so has done what it can. */
static void sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

/* Where there was none, one that another program makes in this moment is not replaced either. */
static bool put_in_place(const cli_sidecar *sidecar, const char *beside_it)
{
    if (!sidecar->exists) {
        if (renameat2(AT_FDCWD, beside_it, AT_FDCWD, sidecar->path, RENAME_NOREPLACE) == 0)
            return true;
        if (errno != EINVAL && errno != ENOSYS) /* a file system that cannot tell */
            return false;
    }
    return rename(beside_it, sidecar->path) == 0;
}

static item_status replace(const cli_sidecar *sidecar, int fd, const char *beside_it,
                           const char *text, size_t length, mode_t mode, item_error *err)
{
    bool good = write_all(fd, text, length) && keep_rights(sidecar, fd, mode) && fsync(fd) == 0;
    int why = errno;
    if (close(fd) != 0 && good) {
        good = false;
        why = errno;
    }
    errno = why;
    if (!good)
        return fail_by_errno(sidecar, "written", err);
    const bool as_read = is_as_read(sidecar);
    if (as_read && put_in_place(sidecar, beside_it))
        return ITEM_OK;
    if (!as_read || errno == EEXIST)
        return cli_sidecar_fail(sidecar, ITEM_E_IO, err,
                                "another program wrote the sidecar meanwhile: tag again");
    return fail_by_errno(sidecar, "written", err);
}

item_status cli_sidecar_write(const cli_sidecar *sidecar, const char *text, size_t length,
                              mode_t mode, item_error *err)
{
    static const char pattern[] =
        ".item-tag-XXXXXX"; /* hidden: no command takes it for a picture */
    const size_t folder = (size_t)(sidecar->name - sidecar->path);
    char *path = cli_resize(NULL, folder + sizeof(pattern), 1);
    memcpy(path, sidecar->path, folder);
    strcpy(path + folder, pattern);
    int fd = mkostemp(path, O_CLOEXEC);
    item_status status = fd < 0 ? fail_by_errno(sidecar, "written", err)
                                : replace(sidecar, fd, path, text, length, mode, err);
    if (fd >= 0 && status != ITEM_OK)
        unlink(path);
    path[folder] = '\0';
    if (status == ITEM_OK)
        sync_folder(folder > 0 ? path : ".");
    free(path);
    return status;
}
