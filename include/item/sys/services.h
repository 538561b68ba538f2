/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an engine may ask of its host while it opens models and computes. An engine links nothing
 * of libitem: this table is all it gets. Append-only; the host's struct_size says what it has.
 */
#ifndef ITEM_SYS_SERVICES_H
#define ITEM_SYS_SERVICES_H

#include <item/picture.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ITEM_SERVICES_VERSION 1u

#define ITEM_DTYPE_F64  1
#define ITEM_DTYPE_F32  2
#define ITEM_DTYPE_F16  3
#define ITEM_DTYPE_BF16 4
#define ITEM_DTYPE_I64  5
#define ITEM_DTYPE_I32  6
#define ITEM_DTYPE_I8   7
#define ITEM_DTYPE_U8   8
#define ITEM_DTYPE_BOOL 9

#define ITEM_FILTER_BILINEAR 1
#define ITEM_FILTER_BICUBIC  2
#define ITEM_FILTER_LANCZOS  3

/** A tensor in an open weights file; borrowed until the file is closed. */
typedef struct item_tensor_view {
    uint32_t struct_size;
    int32_t dtype; /* ITEM_DTYPE_... */
    uint32_t dims;
    uint32_t reserved; /* 0 */
    uint64_t shape[8];
    const void *data; /* little-endian, may be unaligned */
    uint64_t bytes;
} item_tensor_view;

typedef struct item_weights item_weights; /* an open weights file */
typedef struct item_tokens item_tokens;   /* an open tokenizer */

typedef struct item_services {
    uint32_t struct_size;
    uint32_t version; /* ITEM_SERVICES_VERSION */
    void *host;       /* first argument of every function; valid until the model is closed */

    /* memory; sizes above 0; any thread */
    void *(*allocate)(void *host, size_t size);
    void (*release)(void *host, void *block);
    void (*log)(void *host, int32_t level, const char *text); /* any thread */

    /* values of this stage in the pack's item.json; NULL / NaN where absent; borrowed */
    const char *(*config_text)(void *host, const char *key);
    double (*config_number)(void *host, const char *key);
    /* settings of the context: "precision", "device" */
    const char *(*setting)(void *host, const char *key);

    /* a weights file that this stage's entry names under "files" by role, such as "weights".
       Opening the same file twice gives the same handle: count your closes. */
    item_status (*weights_open)(void *host, const char *role, item_weights **out, item_error *err);
    /* A key for networks that stages share, the same for the same bytes: the file's SHA-256 if it
       was hashed at opening, else a text of another length that tells where and when it lies */
    const char *(*weights_key)(item_weights *weights);
    item_status (*weights_tensor)(item_weights *weights, const char *name, item_tensor_view *out,
                                  item_error *err);
    const char *(*weights_meta)(item_weights *weights, const char *key); /* or NULL */
    /* any dtype as float32; count must be the number of elements */
    item_status (*weights_f32)(item_weights *weights, const char *name, float *out, size_t count,
                               item_error *err);
    void (*weights_close)(item_weights *weights);

    /* the bytes of a file of this stage, such as a word list; borrowed until the model is closed */
    item_status (*file_bytes)(void *host, const char *role, const char **data, size_t *size,
                              item_error *err);

    /* tokenizer from the stage's file of that role */
    item_status (*tokens_open)(void *host, const char *role, item_tokens **out, item_error *err);
    item_status (*tokens_encode)(item_tokens *tokens, const char *text, size_t limit, int32_t *ids,
                                 size_t capacity, size_t *count, item_error *err);
    void (*tokens_close)(item_tokens *tokens);

    /* exact resize of a box of a picture to 8-bit RGB, width x height x 3 bytes; any thread */
    item_status (*resize)(void *host, const item_image *image, const double box[4], int32_t filter,
                          uint32_t width, uint32_t height, uint8_t *out, item_error *err);
    /* facts of a picture, which is opaque to an engine */
    void (*image_size)(const item_image *image, uint32_t *width, uint32_t *height);
} item_services;

#ifdef __cplusplus
}
#endif
#endif
