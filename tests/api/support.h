/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the shared library have in common. Public headers alone. */
#ifndef TEST_API_SUPPORT_H
#define TEST_API_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <item/item.h>
#include <item/pack.h>
#include <item/sys/backend.h>

/* Fails with the message of `err`. */
#define assert_ok(call, err)                                                                       \
    do {                                                                                           \
        item_status status_ = (call);                                                              \
        if (status_ != ITEM_OK)                                                                    \
            fail_msg("%s: %s: %s", #call, item_status_name(status_), (err)->message);              \
    } while (0)

/* The status is `wanted`, and the message is there and holds `part` (NULL: any). */
void assert_error(item_status status, item_status wanted, const item_error *err, const char *part);
void reset(item_error *err);

/* A picture of coloured noise; flat: of one colour. */
item_image *make_picture(uint32_t seed, uint32_t width, uint32_t height);
item_image *make_flat_picture(uint32_t width, uint32_t height);

/* A configuration with the three dummies. */
item_config *make_config(void);
void set_option(item_config *config, const char *name, const char *value);
/* Opens a context without a pack and releases the configuration. */
item_ctx *open_ctx(item_config *config);
item_ctx *make_ctx(void); /* of the dummies, without a head */

item_result_summary summary_of(const item_result *result);

/* A folder of its own for each program, removed at exit. */
const char *temp_folder(void);
char *temp_path(const char *name); /* free() it */
void write_file(const char *path, const void *data, size_t size);
void write_text(const char *path, const char *text);
char *read_text(const char *path); /* free() it */
void sha256_of(const char *path, char hex[65], uint64_t *bytes);
/* A picture file (PNG, stored without compression) of the same pixels as make_picture(). */
char *write_picture(const char *name, uint32_t seed, uint32_t width, uint32_t height);
/* The same with a chunk tEXt: keyword, NUL and text. */
char *write_saying_picture(const char *name, uint32_t seed, uint32_t width, uint32_t height,
                           const char *text, size_t length);

/* A head of layout cosine/both/1 that answers score = bias + weight x cosine of the whole. */
typedef struct head_spec {
    const char *embedder; /* NULL: the dummy's */
    const char *layout;   /* NULL: cosine/both/1 */
    size_t width;         /* 0: 32 */
    double weight, bias;
    double fpr1, fpr5, real_below;
    unsigned working_size, size_min, size_max;
    const char *caption_least; /* a number, or NULL */
    const char *pipeline;      /* NULL: not known */
    int callers_captions;
} head_spec;
head_spec default_head(double bias);
char *write_head(const char *name, const head_spec *spec);

#endif
