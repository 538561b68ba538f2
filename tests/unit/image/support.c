/* SPDX-License-Identifier: Apache-2.0 */
/* Golden files by name, digests, and decoding with an expected outcome. */
#include "support.h"

#include <openssl/evp.h>

bytes read_bytes(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s cannot be opened", path);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    bytes b = {malloc((size_t)size + 1), (size_t)size};
    if (fread(b.data, 1, b.size, file) != b.size)
        fail_msg("%s cannot be read", path);
    fclose(file);
    return b;
}

bytes read_picture(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/pictures/%s", GOLDEN, name);
    return read_bytes(path);
}

void sha256(const void *data, size_t size, char hex[SHA256_HEX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    assert_int_equal(EVP_Digest(data, size, digest, &length, EVP_sha256(), NULL), 1);
    for (unsigned i = 0; i < length; i++)
        snprintf(hex + (size_t)2 * i, 3, "%02x", digest[i]);
}

void same_pixels(const char *name, const item_image *image, uint32_t width, uint32_t height,
                 const char *expected)
{
    item_image_info info = info_of(image);
    if (info.width != width || info.height != height)
        fail_msg("%s: %u x %u pixels, not %u x %u", name, info.width, info.height, width, height);
    char hex[SHA256_HEX];
    sha256(item_image_pixels(image), (size_t)width * height * 3, hex);
    if (strcmp(hex, expected) != 0)
        fail_msg("%s: other pixels", name);
}

item_image *decode(bytes file, const item_image_options *options)
{
    item_error err = ITEM_ERROR_INIT;
    item_image *image = NULL;
    item_status status = item_image_from_memory(file.data, file.size, options, &image, &err);
    if (status != ITEM_OK)
        fail_msg("%s", err.message);
    assert_int_equal(err.code, ITEM_OK);
    assert_non_null(image);
    return image;
}

static void check_refusal(const item_image *image, const item_error *err, item_status got,
                          item_status status, const char *text)
{
    assert_null(image);
    if (got != status)
        fail_msg("status %s, not %s: %s", item_status_name(got), item_status_name(status),
                 err->message);
    assert_int_equal(err->code, got);
    assert_true(err->message[0] != '\0');
    assert_null(strchr(err->message, '\n'));
    if (text && !strstr(err->message, text))
        fail_msg("\"%s\" does not hold \"%s\"", err->message, text);
}

void refuse(const void *data, size_t size, const item_image_options *options, item_status status,
            const char *text)
{
    item_error err = ITEM_ERROR_INIT;
    item_image *image = (item_image *)&err; /* must become NULL */
    item_status got = item_image_from_memory(data, size, options, &image, &err);
    check_refusal(image, &err, got, status, text);
}

void refuse_file(const char *path, const item_image_options *options, item_status status,
                 const char *text)
{
    item_error err = ITEM_ERROR_INIT;
    item_image *image = (item_image *)&err;
    item_status got = item_image_from_file(path, options, &image, &err);
    check_refusal(image, &err, got, status, text);
}

item_image_info info_of(const item_image *image)
{
    item_image_info info = ITEM_IMAGE_INFO_INIT;
    assert_int_equal(item_image_get_info(image, &info, NULL), ITEM_OK);
    return info;
}

void noise(uint32_t seed, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint32_t v = ((uint32_t)i + seed * 7919u) * 2654435761u;
        v ^= v >> 15;
        v *= 2246822519u;
        v ^= v >> 13;
        out[i] = (uint8_t)(v >> 24);
    }
}

void each_line(const char *path, void (*row)(char *line, void *user), void *user)
{
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("%s cannot be opened", path);
    char line[1024];
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '#' && line[0])
            row(line, user);
    }
    fclose(file);
}

char *field(char **line)
{
    char *start = *line, *tab = strchr(start, '\t');
    *line = tab ? tab + 1 : start + strlen(start);
    if (tab)
        *tab = '\0';
    return start;
}
