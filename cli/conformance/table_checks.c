/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of an earlier and of a later release, with the backend's own functions, in a context. */
#include <stdio.h>
#include <string.h>

#include "conformance.h"

enum { UNKNOWN = 32 }; /* bytes of members that nobody knows yet */

/* Counts, and closes what no context of a pack owns. */
static atomic_int closed;
static void (*forward)(void *self);

static void count_close(void *self)
{
    atomic_fetch_add(&closed, 1);
    if (forward)
        forward(self);
}

/* The table as a later release, or one before `close` was there, would have filled it. */
static void reshape(const backend *b, bool newer, table *out)
{
    static const size_t sizes[STAGES] = {sizeof(item_captioner_ops), sizeof(item_detector_ops),
                                         sizeof(item_embedder_ops)};
    static const size_t older[STAGES] = {offsetof(item_captioner_ops, close),
                                         offsetof(item_detector_ops, close),
                                         offsetof(item_embedder_ops, close)};
    size_t known = newer ? sizes[b->stage] : older[b->stage];
    memset(out, 0xa5, sizes[b->stage] + UNKNOWN);
    memcpy(out, &b->ops, known);
    out->start.struct_size = (uint32_t)(newer ? known + UNKNOWN : known);
    void (*const count)(void *) = count_close;
    if (newer)
        memcpy((char *)out + older[b->stage], &count, sizeof count);
}

/* Two contexts of one table; NULL in `out` after a failure. The configuration is gone after. */
static bool open_two(const backend *b, const table *ops, item_ctx *out[2])
{
    const void *const dummies[STAGES] = {item_dummy_captioner(), item_dummy_detector(),
                                         item_dummy_embedder()};
    item_error err = ITEM_ERROR_INIT;
    item_config *config = NULL;
    item_status status = item_config_new(&config, &err);
    for (stage_id s = CAPTIONER; s < STAGES && status == ITEM_OK; s++)
        status = config_set(config, s, s == b->stage ? ops : dummies[s],
                            s == b->stage ? b->self : NULL, &err);
    for (size_t i = 0; i < 2 && status == ITEM_OK; i++)
        status = item_ctx_open(NULL, config, &out[i], &err);
    item_config_unref(config);
    if (status != ITEM_OK)
        fail("%s", err.message);
    return status == ITEM_OK;
}

static void compare(const bench *b, item_ctx *ctx)
{
    char why[WHY];
    for (subject s = CAPTIONS; s < SUBJECTS; s++) {
        answer here;
        if (!subject_of(b->it.stage, s))
            continue;
        if (context_ask(ctx, s, 0, &here) && b->known && s != BOXES &&
            !answers_same(s, &b->alone[s][0], &here, why))
            fail("%s", why);
        answers_free(&here, 1);
    }
}

/* `close` is called once, by the last context; never where the table has none. */
static void run(const bench *b, bool newer)
{
    union {
        table known;
        unsigned char all[sizeof(table) + UNKNOWN];
    } ops;
    item_error err = ITEM_ERROR_INIT;
    item_ctx *contexts[2] = {NULL, NULL};
    backend other;
    if (target_open(b->it.stage, target_settings(), &other, &err) != ITEM_OK) {
        fail("opening it again: %s", err.message);
        return;
    }
    atomic_store(&closed, 0);
    forward = other.owner ? NULL : table_close(&other);
    reshape(&other, newer, &ops.known);
    if (open_two(&other, &ops.known, contexts)) {
        compare(b, contexts[0]);
        item_ctx_unref(contexts[0]);
        contexts[0] = NULL;
        compare(b, contexts[1]);
        if (atomic_load(&closed))
            fail("close was called while a context was open");
    }
    item_ctx_unref(contexts[0]);
    item_ctx_unref(contexts[1]);
    if (atomic_load(&closed) != newer)
        fail("close was called %d times", atomic_load(&closed));
    if (!newer || other.owner)
        target_close(&other);
}

void check_other_tables(bench *b)
{
    run(b, false);
    run(b, true);
}

/* Another id is another backend: the fingerprint must tell. */
static const char *fingerprint(item_ctx *ctx, char out[80])
{
    item_error err = ITEM_ERROR_INIT;
    item_result *result = NULL;
    if (item_check_image(ctx, samples[CAPTIONS].items[0].image, NULL, &result, &err) != ITEM_OK)
        fail("%s", err.message);
    snprintf(out, 80, "%s", result ? item_result_text(result, ITEM_TEXT_FINGERPRINT) : "");
    item_result_unref(result);
    return out;
}

void check_fingerprint(bench *b)
{
    char first[80] = "", second[80] = "", renamed[80] = "";
    backend other = b->it;
    other.ops.start.struct_size = b->it.stage == CAPTIONER  ? offsetof(item_captioner_ops, close)
                                  : b->it.stage == DETECTOR ? offsetof(item_detector_ops, close)
                                                            : offsetof(item_embedder_ops, close);
    for (int i = 0; i < 2; i++) {
        item_ctx *contexts[2] = {NULL, NULL};
        if (open_two(&other, &other.ops, contexts)) {
            fingerprint(contexts[0], i ? renamed : first);
            fingerprint(contexts[1], i ? renamed : second);
        }
        item_ctx_unref(contexts[0]);
        item_ctx_unref(contexts[1]);
        other.ops.start.id = "another id";
    }
    if (strcmp(first, second) != 0)
        fail("two contexts of the same backends have other fingerprints");
    if (strcmp(first, renamed) == 0)
        fail("the fingerprint stayed when the id changed");
}
