/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures, heads and files for the tests of the shared library. */
#include "support.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../temp.h"

void assert_error(item_status status, item_status wanted, const item_error *err, const char *part)
{
    if (status != wanted)
        fail_msg("%s instead of %s: %s", item_status_name(status), item_status_name(wanted),
                 err->message);
    assert_int_equal(err->code, wanted);
    assert_true(err->message[0] != '\0');
    assert_null(strchr(err->message, '\n'));
    if (part && !strstr(err->message, part))
        fail_msg("\"%s\" is not in: %s", part, err->message);
}

void reset(item_error *err)
{
    *err = (item_error)ITEM_ERROR_INIT;
}

/* ---- pictures ---- */

static uint8_t *make_pixels(uint32_t seed, uint32_t width, uint32_t height)
{
    size_t bytes = (size_t)width * height * 3;
    uint8_t *pixels = malloc(bytes);
    assert_non_null(pixels);
    uint32_t state = seed * 2654435761u + 12345u;
    for (size_t i = 0; i < bytes; i++) {
        state = state * 1664525u + 1013904223u;
        pixels[i] = (uint8_t)(state >> 24);
    }
    return pixels;
}

static item_image *from_pixels(const uint8_t *pixels, uint32_t width, uint32_t height)
{
    item_error err = ITEM_ERROR_INIT;
    item_image *image = NULL;
    assert_ok(item_image_from_pixels(pixels, ITEM_PIXELS_RGB, width, height, (size_t)width * 3,
                                     NULL, &image, &err),
              &err);
    return image;
}

item_image *make_picture(uint32_t seed, uint32_t width, uint32_t height)
{
    uint8_t *pixels = make_pixels(seed, width, height);
    item_image *image = from_pixels(pixels, width, height);
    free(pixels);
    return image;
}

item_image *make_flat_picture(uint32_t width, uint32_t height)
{
    size_t bytes = (size_t)width * height * 3;
    uint8_t *pixels = malloc(bytes);
    assert_non_null(pixels);
    memset(pixels, 128, bytes);
    item_image *image = from_pixels(pixels, width, height);
    free(pixels);
    return image;
}

/* ---- contexts ---- */

item_config *make_config(void)
{
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    assert_ok(item_config_new(&config, &err), &err);
    assert_ok(item_config_set_captioner(config, item_dummy_captioner(), NULL, &err), &err);
    assert_ok(item_config_set_detector(config, item_dummy_detector(), NULL, &err), &err);
    assert_ok(item_config_set_embedder(config, item_dummy_embedder(), NULL, &err), &err);
    return config;
}

void set_option(item_config *config, const char *name, const char *value)
{
    item_error err = ITEM_ERROR_INIT;
    assert_ok(item_config_set(config, name, value, &err), &err);
}

item_ctx *open_ctx(item_config *config)
{
    item_error err = ITEM_ERROR_INIT;
    item_ctx *ctx = NULL;
    assert_ok(item_ctx_open(NULL, config, &ctx, &err), &err);
    assert_non_null(ctx);
    item_config_unref(config);
    return ctx;
}

item_ctx *make_ctx(void)
{
    return open_ctx(make_config());
}

item_result_summary summary_of(const item_result *result)
{
    item_error err = ITEM_ERROR_INIT;
    item_result_summary summary = ITEM_RESULT_SUMMARY_INIT;
    assert_ok(item_result_get_summary(result, &summary, &err), &err);
    return summary;
}

/* ---- files ---- */

static char folder[256];

static pid_t folder_owner;

static void remove_folder(void)
{
    if (folder_owner == getpid()) /* not in a forked child */
        (void)temp_remove(folder);
}

const char *temp_folder(void)
{
    if (!folder[0]) {
        assert_true(temp_make("test", folder, sizeof folder));
        folder_owner = getpid();
        atexit(remove_folder);
    }
    return folder;
}

char *temp_path(const char *name)
{
    size_t room = strlen(temp_folder()) + strlen(name) + 2;
    char *path = malloc(room);
    assert_non_null(path);
    snprintf(path, room, "%s/%s", folder, name);
    return path;
}

void write_file(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

void write_text(const char *path, const char *text)
{
    write_file(path, text, strlen(text));
}

char *read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = calloc(1, (size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    return text;
}

void sha256_of(const char *path, char hex[65], uint64_t *bytes)
{
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    *bytes = (uint64_t)facts.st_size;
    char *text = read_text(path);
    unsigned char sum[32];
    unsigned int length;
    assert_int_equal(EVP_Digest(text, (size_t)*bytes, sum, &length, EVP_sha256(), NULL), 1);
    free(text);
    for (size_t i = 0; i < sizeof sum; i++)
        snprintf(hex + 2 * i, 3, "%02x", sum[i]);
}

/* ---- PNG, without a library: stored blocks ---- */

typedef struct bytes {
    uint8_t *data;
    size_t size;
} bytes;

static void put(bytes *b, const void *data, size_t size)
{
    b->data = realloc(b->data, b->size + size);
    assert_non_null(b->data);
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

static void put_u32(bytes *b, uint32_t value)
{
    const uint8_t big[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                            (uint8_t)value};
    put(b, big, 4);
}

static uint32_t crc(const uint8_t *data, size_t size)
{
    uint32_t c = 0xffffffffu;
    for (size_t i = 0; i < size; i++) {
        c ^= data[i];
        for (int k = 0; k < 8; k++)
            c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
    }
    return c ^ 0xffffffffu;
}

static void put_chunk(bytes *b, const char *kind, const bytes *content)
{
    put_u32(b, (uint32_t)content->size);
    size_t start = b->size;
    put(b, kind, 4);
    if (content->size)
        put(b, content->data, content->size);
    put_u32(b, crc(b->data + start, b->size - start));
}

static bytes deflate_stored(const uint8_t *data, size_t size)
{
    bytes b = {0};
    put(&b, "\x78\x01", 2);
    uint32_t low = 1, high = 0;
    for (size_t i = 0; i < size; i++) {
        low = (low + data[i]) % 65521;
        high = (high + low) % 65521;
    }
    for (size_t at = 0; at < size;) {
        size_t some = size - at < 65535 ? size - at : 65535;
        const uint8_t start[5] = {at + some == size, (uint8_t)some, (uint8_t)(some >> 8),
                                  (uint8_t)~some, (uint8_t)(~some >> 8)};
        put(&b, start, 5);
        put(&b, data + at, some);
        at += some;
    }
    put_u32(&b, high << 16 | low);
    return b;
}

char *write_picture(const char *name, uint32_t seed, uint32_t width, uint32_t height)
{
    return write_saying_picture(name, seed, width, height, NULL, 0);
}

char *write_saying_picture(const char *name, uint32_t seed, uint32_t width, uint32_t height,
                           const char *text, size_t length)
{
    uint8_t *pixels = make_pixels(seed, width, height);
    bytes rows = {0}, head = {0}, none = {0}, png = {0};
    for (uint32_t y = 0; y < height; y++) {
        put(&rows, "", 1); /* no filter */
        put(&rows, pixels + (size_t)y * width * 3, (size_t)width * 3);
    }
    bytes packed = deflate_stored(rows.data, rows.size);
    put_u32(&head, width);
    put_u32(&head, height);
    put(&head, "\x08\x02\x00\x00\x00", 5);
    put(&png, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(&png, "IHDR", &head);
    bytes said = {0};
    if (text) {
        put(&said, text, length);
        put_chunk(&png, "tEXt", &said);
    }
    put_chunk(&png, "IDAT", &packed);
    put_chunk(&png, "IEND", &none);
    char *path = temp_path(name);
    write_file(path, png.data, png.size);
    free(pixels);
    free(rows.data);
    free(head.data);
    free(packed.data);
    free(said.data);
    free(png.data);
    return path;
}

/* ---- heads ---- */

head_spec default_head(double bias)
{
    return (head_spec){.bias = bias,
                       .fpr1 = 3,
                       .fpr5 = 2,
                       .real_below = -3,
                       .working_size = 224,
                       .size_min = 100,
                       .size_max = 0};
}

/* The facts as one JSON object. */
static void facts_text(const head_spec *s, char *out, size_t room)
{
    snprintf(out, room,
             "{\"format\":1,\"layout\":\"%s\",\"vector_width\":%zu,\"embedder\":\"%s\","
             "\"pipeline\":\"%s\",\"working_size\":%u,\"working_filter\":\"bicubic\",\"size_min\":%"
             "u,\"size_max\":%u,"
             "\"temperature\":1.0,\"bias\":%.17g,\"thresholds\":{"
             "\"fpr1\":{\"score\":%.17g,\"rate\":0.01,\"real\":1000,\"above\":10},"
             "\"fpr5\":{\"score\":%.17g,\"rate\":0.05,\"real\":1000,\"above\":50}},"
             "\"real_below\":%.17g,\"real_share\":0.1,\"ai\":1000,\"scope_limit\":null,"
             "\"scope_quantile\":0.999,\"caption_least\":%s,\"caption_quantile\":0.01,"
             "\"callers_captions\":%s,\"trained_on\":\"nothing\",\"library\":\"0.1.0\"}",
             s->layout ? s->layout : "cosine/both/1", s->width ? s->width : 32,
             s->embedder ? s->embedder : "dummy/32 1", s->pipeline ? s->pipeline : "",
             s->working_size, s->size_min, s->size_max, s->bias, s->fpr1, s->fpr5, s->real_below,
             s->caption_least ? s->caption_least : "null", s->callers_captions ? "true" : "false");
}

static void escape(const char *text, char *out)
{
    for (; *text; text++) {
        if (*text == '"')
            *out++ = '\\';
        *out++ = *text;
    }
    *out = '\0';
}

char *write_head(const char *name, const head_spec *spec)
{
    const char *layout = spec->layout ? spec->layout : "cosine/both/1";
    size_t n = item_layout_size(layout, spec->width ? spec->width : 32);
    size_t row = n * sizeof(float);
    char facts[2048], escaped[4096], header[8192];
    facts_text(spec, facts, sizeof facts);
    escape(facts, escaped);
    snprintf(header, sizeof header,
             "{\"__metadata__\":{\"item_head\":\"%s\"},"
             "\"mean\":{\"dtype\":\"F32\",\"shape\":[%zu],\"data_offsets\":[0,%zu]},"
             "\"scale\":{\"dtype\":\"F32\",\"shape\":[%zu],\"data_offsets\":[%zu,%zu]},"
             "\"layers.0.weight\":{\"dtype\":\"F32\",\"shape\":[1,%zu],\"data_offsets\":[%zu,%zu]},"
             "\"layers.0.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[%zu,%zu]}}",
             escaped, n, row, n, row, 2 * row, n, 2 * row, 3 * row, 3 * row,
             3 * row + sizeof(float));
    float *values = calloc(3 * n + 1, sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < n; i++)
        values[n + i] = 1;
    values[2 * n] = (float)spec->weight; /* the cosine of the whole, in cosine layouts */

    bytes file = {0};
    uint64_t length = strlen(header);
    put(&file, &length, sizeof length);
    put(&file, header, (size_t)length);
    put(&file, values, 3 * row + sizeof(float));
    char *path = temp_path(name);
    write_file(path, file.data, file.size);
    free(values);
    free(file.data);
    return path;
}
