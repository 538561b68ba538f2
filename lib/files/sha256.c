/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 by libcrypto, which uses the processor's instructions for it. Its plain functions, though
 * OpenSSL 3 would have EVP in their place: these allocate nothing and need no preparation, where
 * EVP prepares the whole library at its first call, and crashes or fails for ever if memory ends
 * then (seen with 3.0).
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <errno.h>
#include <openssl/sha.h>
#include <unistd.h>

#include "files/files_private.h"

#define PIECE 32768 /* bytes read at once */

struct itemi_sha256 {
    SHA256_CTX context;
};

itemi_sha256 *itemi_sha256_new(void)
{
    itemi_sha256 *sha = itemi_alloc(NULL, sizeof *sha);
    if (sha)
        SHA256_Init(&sha->context);
    return sha;
}

void itemi_sha256_add(itemi_sha256 *sha, const void *data, size_t size)
{
    if (sha)
        SHA256_Update(&sha->context, data, size);
}

void itemi_sha256_text(itemi_sha256 *sha, const char *text)
{
    itemi_sha256_add(sha, text, strlen(text) + 1);
}

bool itemi_sha256_bytes(itemi_sha256 *sha, uint8_t out[ITEMI_SHA256_BYTES])
{
    if (!sha)
        return false;
    SHA256_Final(out, &sha->context);
    itemi_free(NULL, sha);
    return true;
}

bool itemi_sha256_end(itemi_sha256 *sha, char hex[ITEMI_SHA256_HEX])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t sum[ITEMI_SHA256_BYTES];
    hex[0] = '\0';
    if (!itemi_sha256_bytes(sha, sum))
        return false;
    for (size_t i = 0; i < sizeof sum; i++) {
        hex[2 * i] = digits[sum[i] >> 4];
        hex[2 * i + 1] = digits[sum[i] & 15];
        hex[2 * i + 2] = '\0';
    }
    return true;
}

item_status itemi_sha256_file(const itemi_file *file, char hex[ITEMI_SHA256_HEX], item_error *err)
{
    itemi_sha256 *sha = itemi_sha256_new();
    itemi_sha256_add(sha, file->data, file->size);
    if (!itemi_sha256_end(sha, hex))
        return itemi_fail_memory(err, "computing a SHA-256");
    return ITEM_OK;
}

static item_status add_all(itemi_sha256 *sha, int fd, const char *path, item_error *err)
{
    unsigned char piece[PIECE];
    while (true) {
        ssize_t got = read(fd, piece, sizeof piece);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return itemi_fail_errno(err, ITEM_E_IO, errno, "%s", path);
        if (got == 0)
            return ITEM_OK;
        itemi_sha256_add(sha, piece, (size_t)got);
    }
}

item_status itemi_sha256_path(const char *path, char hex[ITEMI_SHA256_HEX], item_error *err)
{
    int fd;
    struct stat facts;
    hex[0] = '\0';
    item_status status = itemi_open_regular(path, &fd, &facts, err);
    itemi_sha256 *sha = status == ITEM_OK ? itemi_sha256_new() : NULL;
    if (status == ITEM_OK)
        status = add_all(sha, fd, path, err);
    bool summed = itemi_sha256_end(sha, hex);
    if (fd >= 0)
        close(fd);
    if (status != ITEM_OK)
        hex[0] = '\0'; /* of a part of the file it would say what is not so */
    return status == ITEM_OK && !summed ? itemi_fail_memory(err, "computing a SHA-256") : status;
}
