/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 by libcrypto, which uses the processor's instructions for it. Between a mark and its end
 * libcrypto's errors of this thread are taken back: the queue is the host's, who would read ours.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "files/files_private.h"

#define PIECE 32768 /* bytes read at once */

struct itemi_sha256 {
    EVP_MD_CTX *context; /* NULL after a failure, which itemi_sha256_end() tells */
};

static void give_up(itemi_sha256 *sha)
{
    EVP_MD_CTX_free(sha->context);
    sha->context = NULL;
}

itemi_sha256 *itemi_sha256_new(void)
{
    itemi_sha256 *sha = itemi_alloc(NULL, sizeof *sha);
    if (!sha)
        return NULL;
    ERR_set_mark();
    sha->context = EVP_MD_CTX_new();
    bool begun = sha->context && EVP_DigestInit_ex(sha->context, EVP_sha256(), NULL) == 1;
    ERR_pop_to_mark();
    if (!begun) {
        give_up(sha);
        itemi_free(NULL, sha);
        return NULL;
    }
    return sha;
}

void itemi_sha256_add(itemi_sha256 *sha, const void *data, size_t size)
{
    if (!sha || !sha->context)
        return;
    ERR_set_mark();
    if (EVP_DigestUpdate(sha->context, data, size) != 1)
        give_up(sha);
    ERR_pop_to_mark();
}

void itemi_sha256_text(itemi_sha256 *sha, const char *text)
{
    itemi_sha256_add(sha, text, strlen(text) + 1);
}

bool itemi_sha256_end(itemi_sha256 *sha, char hex[ITEMI_SHA256_HEX])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[32];
    hex[0] = '\0';
    if (!sha)
        return false;
    ERR_set_mark();
    bool done = sha->context && EVP_DigestFinal_ex(sha->context, sum, NULL) == 1;
    ERR_pop_to_mark();
    for (size_t i = 0; done && i < sizeof sum; i++) {
        hex[2 * i] = digits[sum[i] >> 4];
        hex[2 * i + 1] = digits[sum[i] & 15];
        hex[2 * i + 2] = '\0';
    }
    give_up(sha);
    itemi_free(NULL, sha);
    return done;
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
    return status == ITEM_OK && !summed ? itemi_fail_memory(err, "computing a SHA-256") : status;
}
