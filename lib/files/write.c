/* SPDX-License-Identifier: Apache-2.0 */
/* Writing files so that a reader, or a crash, sees the old or the new one; and joining names. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/files_private.h"

/* Whether a file begins as pictures do. */
static bool is_picture(const char *path)
{
    static const char *const begins[] = {"\xff\xd8\xff", "\x89PNG", "GIF8", "8BPS"};
    char head[12] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool found = fd >= 0 && read(fd, head, sizeof head) == (ssize_t)sizeof head;
    if (fd >= 0)
        (void)close(fd);
    if (!found)
        return false;
    for (size_t i = 0; i < ITEMI_COUNT(begins); i++) {
        if (strncmp(head, begins[i], strlen(begins[i])) == 0)
            return true;
    }
    return memcmp(head, "II*\0", 4) == 0 || memcmp(head, "MM\0*", 4) == 0 ||
           memcmp(head + 4, "ftyp", 4) == 0 ||
           (memcmp(head, "RIFF", 4) == 0 && memcmp(head + 8, "WEBP", 4) == 0);
}

/*
 * Renaming over /dev/null as root would replace it, so only files are ever replaced; and no pictures:
 * libitem writes none, and a slip of the hand must not cost a photograph.
 */
static item_status replaceable(const char *path, item_error *err)
{
    struct stat facts;
    if (stat(path, &facts) != 0)
        return ITEM_OK;
    if (S_ISREG(facts.st_mode) && is_picture(path))
        return itemi_fail(err, ITEM_E_IO, "%s: is a picture: name another file", path);
    if (S_ISREG(facts.st_mode))
        return ITEM_OK;
    return itemi_fail(err, ITEM_E_IO, "%s: is a %s", path,
                      S_ISDIR(facts.st_mode) ? "folder" : "pipe or device");
}

/* Opens a new file beside path, under a name that nobody has; -1 and errno. */
static int open_beside(const char *path, char **beside)
{
    for (int tries = 0; tries < 100; tries++) {
        uint64_t chance;
        itemi_buf name;
        if (getentropy(&chance, sizeof chance) != 0)
            return -1;
        itemi_buf_init(&name, NULL);
        itemi_buf_printf(&name, "%s.%016llx.tmp", path, (unsigned long long)chance);
        *beside = itemi_buf_take(&name);
        if (!*beside) {
            errno = ENOMEM;
            return -1;
        }
        int fd = open(*beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0)
            return fd;
        itemi_free(NULL, *beside);
        *beside = NULL;
        if (errno != EEXIST && errno != EINTR)
            return -1;
    }
    return -1;
}

bool itemi_write_all(int fd, const uint8_t *data, size_t size)
{
    while (size) {
        ssize_t put = write(fd, data, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        data += put;
        size -= (size_t)put;
    }
    return true;
}

static bool fill(int fd, const itemi_piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!itemi_write_all(fd, pieces[i].data, pieces[i].size))
            return false;
    }
    return fsync(fd) == 0;
}

item_status itemi_file_write_pieces(const char *path, const itemi_piece *pieces, size_t count,
                                    item_error *err)
{
    if (!path || !*path)
        return itemi_fail(err, ITEM_E_ARGUMENT, "a file name is %s", path ? "empty" : "NULL");
    item_status status = replaceable(path, err);
    if (status != ITEM_OK)
        return status;

    char *beside = NULL;
    int fd = open_beside(path, &beside);
    if (fd < 0)
        return itemi_fail_errno(err, ITEM_E_IO, errno, "%s: cannot be written", path);
    bool done = fill(fd, pieces, count);
    int why = errno;
    if (close(fd) != 0 && done) {
        done = false;
        why = errno;
    }
    if (done && rename(beside, path) != 0) {
        done = false;
        why = errno;
    }
    if (!done) {
        status = itemi_fail_errno(err, ITEM_E_IO, why, "%s: cannot be written", path);
        unlink(beside);
    }
    itemi_free(NULL, beside);
    return status;
}

item_status itemi_file_write(const char *path, const void *data, size_t size, item_error *err)
{
    return itemi_file_write_pieces(path, &(itemi_piece){data, size}, 1, err);
}

/* True when a part of the name between slashes is "..". */
static bool climbs(const char *name)
{
    while (name) {
        if (strncmp(name, "..", 2) == 0 && (name[2] == '/' || name[2] == '\0'))
            return true;
        name = strchr(name, '/');
        name = name ? name + 1 : NULL;
    }
    return false;
}

char *itemi_path_put(const itemi_mem *mem, const char *folder, const char *name)
{
    itemi_buf path;
    itemi_buf_init(&path, mem);
    itemi_buf_puts(&path, folder);
    if (path.length && path.data[path.length - 1] != '/')
        itemi_buf_puts(&path, "/");
    itemi_buf_puts(&path, name);
    return itemi_buf_take(&path);
}

char *itemi_path_join(const itemi_mem *mem, const char *folder, const char *name, item_error *err)
{
    const char *wrong = NULL;
    if (!name || !*name)
        wrong = "it is empty";
    else if (name[0] == '/')
        wrong = "it must be relative";
    else if (strchr(name, '\\'))
        wrong = "it holds a backslash";
    else if (climbs(name))
        wrong = "it leaves its folder by \"..\"";
    if (wrong) {
        itemi_fail(err, ITEM_E_FORMAT, "file name \"%s\" is refused: %s", name ? name : "", wrong);
        return NULL;
    }
    char *path = itemi_path_put(mem, folder ? folder : "", name);
    if (!path)
        itemi_fail_memory(err, "joining file names");
    return path;
}
