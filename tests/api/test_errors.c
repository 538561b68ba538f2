/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The error struct of an older, a newer or no header, through every public function that takes
 * one. tools/check_symbols.py sees to it that no function is forgotten here.
 */
#include "support.h"

#include <item/index.h>
#include <item/provenance.h>
#include <item/sys/engine.h>
#include <item/train.h>
#include <stdlib.h>
#include <string.h>

#define MOST   64
#define BEYOND 16
#define FILLED 0xaa
#define FIRST  (offsetof(item_error, message) + ITEM_ERROR_MESSAGE_SIZE) /* size in release 0.1 */

typedef struct slot {
    item_error err;
    unsigned char beyond[BEYOND]; /* of a newer header */
} slot;

static slot slots[MOST];
static size_t used;

/* The next error struct; all bytes but struct_size and code are known rubbish. */
static item_error *next(uint32_t struct_size)
{
    assert_true(used < MOST);
    slot *s = &slots[used++];
    if (struct_size == 0)
        return NULL;
    memset(s, FILLED, sizeof *s);
    s->err.struct_size = struct_size;
    s->err.code = ITEM_OK;
    return &s->err;
}

/* One list of calls: long, and nothing in it but the calls. Each lacks what it needs. */
static void refuse_all(uint32_t size, item_status status[MOST])
{
    const item_engine_settings none = {0};
    const item_status refused[] = {
        item_cancel_new(NULL, next(size)),
        item_config_new(NULL, next(size)),
        item_config_set(NULL, NULL, NULL, next(size)),
        item_config_set_log(NULL, NULL, NULL, next(size)),
        item_config_set_allocator(NULL, NULL, next(size)),
        item_config_set_engine(NULL, NULL, NULL, next(size)),
        item_config_set_captioner(NULL, NULL, NULL, next(size)),
        item_config_set_detector(NULL, NULL, NULL, next(size)),
        item_config_set_embedder(NULL, NULL, NULL, next(size)),
        item_engine_setup(NULL, &none, next(size)),
        item_engine_get_info(NULL, 0, NULL, next(size)),
        item_engine_find(NULL, NULL, next(size)),
        item_ctx_open(NULL, NULL, NULL, next(size)),
        item_ctx_get_info(NULL, NULL, next(size)),
        item_ctx_get_image_options(NULL, NULL, next(size)),
        item_image_from_file(NULL, NULL, NULL, next(size)),
        item_image_from_memory(NULL, 0, NULL, NULL, next(size)),
        item_image_from_pixels(NULL, 0, 0, 0, 0, NULL, NULL, next(size)),
        item_image_get_info(NULL, NULL, next(size)),
        item_provenance_from_file(NULL, NULL, NULL, next(size)),
        item_provenance_from_memory(NULL, 0, NULL, NULL, next(size)),
        item_provenance_get(NULL, 0, NULL, next(size)),
        item_check_image(NULL, NULL, NULL, NULL, next(size)),
        item_check_file(NULL, NULL, NULL, NULL, next(size)),
        item_check_images(NULL, NULL, 1, NULL, NULL, next(size)),
        item_check_files(NULL, NULL, 1, NULL, NULL, next(size)),
        item_result_status(NULL, next(size)),
        item_result_get_summary(NULL, NULL, next(size)),
        item_result_get_object(NULL, 0, NULL, next(size)),
        item_result_get_timings(NULL, NULL, next(size)),
        item_caption_image(NULL, NULL, NULL, NULL, next(size)),
        item_detect_image(NULL, NULL, NULL, 1, NULL, NULL, next(size)),
        item_caption_images(NULL, NULL, 1, NULL, NULL, next(size)),
        item_detect_images(NULL, NULL, 1, NULL, 1, NULL, NULL, next(size)),
        item_embed_images(NULL, NULL, 1, NULL, NULL, 0, next(size)),
        item_embed_texts(NULL, NULL, 1, NULL, NULL, 0, next(size)),
        item_score_captions(NULL, NULL, NULL, 1, NULL, NULL, next(size)),
        item_embed_layers(NULL, NULL, 1, NULL, NULL, 0, NULL, 0, next(size)),
        item_tokenize(NULL, NULL, NULL, 0, NULL, next(size)),
        item_phrases_find(NULL, NULL, next(size)),
        item_misalign(NULL, 0, NULL, NULL, 0, NULL, NULL, NULL, 0, next(size)),
        item_head_apply(NULL, NULL, 0, NULL, next(size)),
        item_pack_open(NULL, 0, NULL, next(size)),
        item_pack_default_path(NULL, 0, next(size)),
        item_pack_create(NULL, NULL, next(size)),
        item_dataset_new(NULL, NULL, next(size)),
        item_dataset_add(NULL, NULL, next(size)),
        item_dataset_get(NULL, 0, NULL, next(size)),
        item_dataset_get_info(NULL, NULL, next(size)),
        item_dataset_remove(NULL, NULL, NULL, NULL, next(size)),
        item_dataset_load(NULL, NULL, next(size)),
        item_dataset_save(NULL, NULL, next(size)),
        item_dataset_extract(NULL, NULL, NULL, NULL, next(size)),
        item_dataset_extract_files(NULL, NULL, 0, 0, NULL, NULL, next(size)),
        item_train(NULL, NULL, NULL, next(size)),
        item_calibrate(NULL, NULL, NULL, NULL, NULL, next(size)),
        item_evaluate(NULL, NULL, NULL, NULL, NULL, next(size)),
        item_report_write_head(NULL, NULL, next(size)),
        item_index_open(NULL, 0, NULL, next(size)),
        item_index_scan(NULL, NULL, NULL, 0, NULL, NULL, next(size)),
        item_index_import(NULL, NULL, 0, next(size)),
        item_index_find(NULL, NULL, NULL, next(size)),
        item_index_next(NULL, NULL, next(size)),
        item_index_write_html(NULL, NULL, NULL, NULL, next(size)),
    };
    memcpy(status, refused, sizeof refused);
}

/* Calls everything with error structs that say they have `size` bytes; 0: without any. */
static void refuse(uint32_t size)
{
    item_status status[MOST];
    used = 0;
    refuse_all(size, status);
    for (size_t i = 0; i < used; i++)
        if (status[i] != ITEM_E_ARGUMENT)
            fail_msg("call %zu gives %s", i, item_status_name(status[i]));
}

static void without_an_error_struct(void **state)
{
    (void)state;
    refuse(0);
}

/* What is smaller than the first version stays untouched. */
static void smaller_ones_stay_untouched(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {FIRST - 1, 16, 4, 1};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        refuse(sizes[i]);
        for (size_t j = 0; j < used; j++) {
            slot same;
            memset(&same, FILLED, sizeof same);
            same.err.struct_size = sizes[i];
            same.err.code = ITEM_OK;
            assert_memory_equal(&slots[j], &same, sizeof same);
        }
    }
}

static void newer_ones_are_filled_as_far_as_known(void **state)
{
    (void)state;
    unsigned char rubbish[BEYOND];
    memset(rubbish, FILLED, sizeof rubbish);
    refuse(sizeof(slot));
    for (size_t i = 0; i < used; i++) {
        const item_error *err = &slots[i].err;
        if (err->struct_size != sizeof(slot) || err->code != ITEM_E_ARGUMENT ||
            !memchr(err->message, 0, sizeof err->message) || strlen(err->message) < 5)
            fail_msg("call %zu leaves size %u, code %d", i, (unsigned)err->struct_size, err->code);
        assert_memory_equal(slots[i].beyond, rubbish, sizeof rubbish);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_an_error_struct),
        cmocka_unit_test(smaller_ones_stay_untouched),
        cmocka_unit_test(newer_ones_are_filled_as_far_as_known),
    };
    return cmocka_run_group_tests_name("api: errors", tests, NULL, NULL);
}
