/* SPDX-License-Identifier: Apache-2.0 */
/* What the reader of torch checkpoints is made of: a zip of stored entries, and a pickle. */
#ifndef ITEMI_TORCHFILE_H
#define ITEMI_TORCHFILE_H

#include "files/files_private.h"

/* Little-endian number of 1 to 8 bytes. */
static inline uint64_t itemi_le(const uint8_t *bytes, unsigned count)
{
    uint64_t number = 0;
    memcpy(&number, bytes, count); /* dtype.c asserts the machine's order */
    return number;
}

/* ---- zip ---- */

typedef struct itemi_zip_entry {
    const char *name; /* in the file, without a NUL */
    size_t length;    /* of the name */
    size_t at;        /* of its own header */
    const uint8_t *data;
    size_t size;
} itemi_zip_entry;

typedef struct itemi_zip {
    const itemi_mem *mem;
    itemi_zip_entry *entries; /* in the order of their names */
    size_t count;
} itemi_zip;

/* `data` is borrowed, `name` is for messages. After a failure `out` is empty. */
item_status itemi_zip_open(const itemi_mem *mem, const uint8_t *data, size_t size, const char *name,
                           itemi_zip *out, item_error *err);
/* Entry "folder/name" (the parts need no NUL), or NULL. */
const itemi_zip_entry *itemi_zip_find(const itemi_zip *zip, const char *folder,
                                      size_t folder_length, const char *name, size_t length);
void itemi_zip_close(itemi_zip *zip);

/* ---- pickle ---- */

typedef enum itemi_pickle_kind {
    ITEMI_PICKLE_OTHER, /* what no tensor needs: lists, numbers with a point, truth values */
    ITEMI_PICKLE_NONE,
    ITEMI_PICKLE_INT,
    ITEMI_PICKLE_TEXT,
    ITEMI_PICKLE_TUPLE,
    ITEMI_PICKLE_LIST,
    ITEMI_PICKLE_DICT,
    ITEMI_PICKLE_GLOBAL,
    ITEMI_PICKLE_STORAGE, /* its items: "storage", global, key, device, count of elements */
    ITEMI_PICKLE_TENSOR   /* its items: storage, offset, shape, strides, ... */
} itemi_pickle_kind;

typedef struct itemi_pickled {
    uint32_t kind;
    uint32_t length; /* of a text in bytes; of a tuple, storage or tensor in items */
    union {
        int64_t number;   /* of an int; which dict, which global */
        const char *text; /* in the pickle, without a NUL */
        size_t first;     /* item of a tuple, storage or tensor */
    };
} itemi_pickled;

typedef struct itemi_pickle_pair {
    size_t dict;
    itemi_pickled key, value;
} itemi_pickle_pair;

typedef struct itemi_pickled_list {
    itemi_pickled *at;
    size_t count, capacity;
} itemi_pickled_list;

/* What a pickle made. Texts are borrowed from its bytes. */
typedef struct itemi_pickle {
    const itemi_mem *mem;
    itemi_pickled result;
    itemi_pickled_list items;
    itemi_pickle_pair *pairs; /* of all dicts, in the order in which they were put there */
    size_t pair_count, pair_capacity;
    size_t dicts;
} itemi_pickle;

/*
 * Runs a pickle: the operations that torch.save() writes and the names that tensors need, nothing
 * else. No code is called. After a failure `out` is empty.
 */
item_status itemi_pickle_load(const itemi_mem *mem, const uint8_t *data, size_t size,
                              const char *name, itemi_pickle *out, item_error *err);
void itemi_pickle_free(itemi_pickle *pickle);
bool itemi_pickle_is(const itemi_pickled *value, const char *text);
itemi_dtype itemi_pickle_dtype(const itemi_pickled *global); /* of a storage's class; or 0 */

/* ---- checkpoint ---- */

typedef struct itemi_torchfile itemi_torchfile;
/* `data` is borrowed and must outlive the result. */
item_status itemi_torchfile_parse(const itemi_mem *mem, const uint8_t *data, size_t size,
                                  const char *name, itemi_torchfile **out, item_error *err);
void itemi_torchfile_close(itemi_torchfile *file);
/* In the order of the state dict; NULL beyond the last. */
const itemi_tensor *itemi_torchfile_at(const itemi_torchfile *file, size_t i);
size_t itemi_torchfile_count(const itemi_torchfile *file);

#endif
