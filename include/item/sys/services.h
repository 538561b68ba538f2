/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What an engine may ask of its host while it opens models and computes. An engine links nothing
 * of libitem: this table is all it gets. Append-only; the host's struct_size says what it has.
 */
#ifndef ITEM_SYS_SERVICES_H
#define ITEM_SYS_SERVICES_H

#include <item/picture.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ITEM_SERVICES_VERSION 1u /**< of the table */

#define ITEM_DTYPE_F64  1 /**< double */
#define ITEM_DTYPE_F32  2 /**< float */
#define ITEM_DTYPE_F16  3 /**< IEEE half */
#define ITEM_DTYPE_BF16 4 /**< bfloat16 */
#define ITEM_DTYPE_I64  5 /**< int64_t */
#define ITEM_DTYPE_I32  6 /**< int32_t */
#define ITEM_DTYPE_I8   7 /**< int8_t */
#define ITEM_DTYPE_U8   8 /**< uint8_t */
#define ITEM_DTYPE_BOOL 9 /**< one byte, 0 or 1 */

#define ITEM_FILTER_BILINEAR 1 /**< triangle, widened when shrinking */
#define ITEM_FILTER_BICUBIC  2 /**< Catmull-Rom-like, a = -0.5, widened likewise */
#define ITEM_FILTER_LANCZOS  3 /**< three lobes, widened likewise */

/** A tensor in an open weights file; borrowed until the file is closed. */
typedef struct item_tensor_view {
    uint32_t struct_size; /**< sizeof(item_tensor_view) */
    int32_t dtype;        /**< ITEM_DTYPE_... */
    uint32_t dims;        /**< numbers of shape that count, 0 to 8 */
    uint32_t reserved;    /**< 0 */
    uint64_t shape[8];    /**< outermost first */
    const void *data;     /**< little-endian, may be unaligned */
    uint64_t bytes;       /**< size of data */
} item_tensor_view;

/** An open weights file. */
typedef struct item_weights item_weights;
/** An open tokenizer. */
typedef struct item_tokens item_tokens;

/** What the host offers to an engine. Functions of a handle take that handle first. */
typedef struct item_services {
    uint32_t struct_size; /**< sizeof(item_services) */
    uint32_t version;     /**< ITEM_SERVICES_VERSION */
    void *host;           /**< first argument of every function; valid until the model is closed */

    /** Memory of the host's allocator; sizes above 0; NULL when there is none; any thread. */
    void *(*allocate)(void *host, size_t size);
    /** Takes memory back; NULL is ignored; any thread. */
    void (*release)(void *host, void *block);
    /** A line for the log, at a level ITEM_LOG_...; any thread. */
    void (*log)(void *host, int32_t level, const char *text);

    /** A text of this stage's entry in item.json; NULL where absent; borrowed. */
    const char *(*config_text)(void *host, const char *key);
    /** A number of this stage's entry in item.json; NaN where absent. */
    double (*config_number)(void *host, const char *key);
    /** A setting of the context: "precision" or "device". */
    const char *(*setting)(void *host, const char *key);

    /** Opens a weights file that this stage's entry names under "files" by role, such as
        "weights": safetensors, a torch checkpoint, or the index of several files (shards), each of
        which has its name as role. Opening the same file twice gives the same handle: count your
        closes. */
    item_status (*weights_open)(void *host, const char *role, item_weights **out, item_error *err);
    /** A key for networks that stages share, the same for the same bytes: the file's SHA-256 if it
       was hashed at opening, else a text of another length: of what its shards have, or where and
       when it lies. */
    const char *(*weights_key)(item_weights *weights);
    /** A tensor by name; `out` is borrowed until the file is closed. */
    item_status (*weights_tensor)(item_weights *weights, const char *name, item_tensor_view *out,
                                  item_error *err);
    /** A text of the file's own metadata, or NULL; borrowed until the file is closed. */
    const char *(*weights_meta)(item_weights *weights, const char *key);
    /** Copies a tensor of any dtype as float32; `count` must be the number of its elements. */
    item_status (*weights_f32)(item_weights *weights, const char *name, float *out, size_t count,
                               item_error *err);
    /** Ends one weights_open(). */
    void (*weights_close)(item_weights *weights);

    /** The bytes of a file of this stage, such as a word list; borrowed until the model closes. */
    item_status (*file_bytes)(void *host, const char *role, const char **data, size_t *size,
                              item_error *err);

    /** Opens the tokenizer that the stage's file of that role holds. Since 0.2: "tokenizer" is
        made of the stage's file of that role, else of "vocab" and "merges", else of "vocab". */
    item_status (*tokens_open)(void *host, const char *role, item_tokens **out, item_error *err);
    /** Token ids of a text, special tokens included, cut at `limit` ids. Up to `capacity` are
        written; `count` receives how many there are. */
    item_status (*tokens_encode)(item_tokens *tokens, const char *text, size_t limit, int32_t *ids,
                                 size_t capacity, size_t *count, item_error *err);
    /** Ends a tokens_open(). */
    void (*tokens_close)(item_tokens *tokens);

    /** Exact resize of a box (x0, y0, x1, y1 in pixels) of a picture, by ITEM_FILTER_..., to
        8-bit RGB: width x height x 3 bytes; any thread. */
    item_status (*resize)(void *host, const item_image *image, const double box[4], int32_t filter,
                          uint32_t width, uint32_t height, uint8_t *out, item_error *err);
    /** Width and height of a picture, pixels: it is opaque to an engine. */
    void (*image_size)(const item_image *image, uint32_t *width, uint32_t *height);

    /** 1: the call that opens this model was cancelled: stop and return ITEM_E_CANCELLED. To be
        asked while the model is opened, on that thread, at least every 200 ms; item_call has one
        for later. */
    int32_t (*cancelled)(void *host);

    /*
     * Since 0.2: there where struct_size reaches them.
     */

    /** A text in a JSON file of this stage; NULL where absent; borrowed until the model closes.
        `path` names members and places of lists: "vision_config.hidden_act", "size.0". */
    const char *(*json_text)(void *host, const char *role, const char *path);
    /** A number likewise, true as 1 and false as 0; NaN where absent. */
    double (*json_number)(void *host, const char *role, const char *path);

    /** Lets the bytes that weights_tensor() gave outlive this context; NULL where there is no
        memory. Any thread. */
    void *(*weights_hold)(item_weights *weights);
    /** Ends one weights_hold(), even after the model was closed; NULL is ignored; any thread. */
    void (*weights_drop)(void *hold);

    /** Ids of a tokenizer are 0 to one below this. */
    int32_t (*tokens_size)(item_tokens *tokens);
    /** Text of ids without special tokens, NUL-terminated, as far as `capacity` bytes go; `needed`
        receives its bytes, the NUL included. */
    item_status (*tokens_decode)(item_tokens *tokens, const int32_t *ids, size_t n, char *out,
                                 size_t capacity, size_t *needed, item_error *err);

    /** A box of whole pixels of a picture, cut out and then resized as resize() does: what lies
        around it does not count. Of the result only the part x0, y0, x1, y1 in pixels is made
        and written; any thread. */
    item_status (*resize_part)(void *host, const item_image *image, const double box[4],
                               int32_t filter, uint32_t width, uint32_t height,
                               const uint32_t part[4], uint8_t *out, item_error *err);
    /** A box (of whole pixels) of a picture as edge x edge pixels of three floats, 0 to 1: made
        square by pixels of value `pad` at the right and below, smoothed, then scaled linearly;
        any thread. */
    item_status (*resize_square)(void *host, const item_image *image, const double box[4],
                                 uint32_t edge, double pad, float *out, item_error *err);

    /** This tensor was converted and will hardly be read again: its mapped pages go back to the
        system, and come again from the file if it is; any thread. */
    void (*weights_done)(item_weights *weights, const char *name);
    /** Name of the i-th tensor, in the order of names; NULL beyond the last; borrowed until the
        file is closed. */
    const char *(*weights_name)(item_weights *weights, size_t i);
} item_services;

#ifdef __cplusplus
}
#endif
#endif
