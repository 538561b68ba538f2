/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls that are tried: call_...() leaves what it makes in `out`; make_...() makes there what a
 * call needs.
 */
#ifndef TEST_FAULTS_CALLS_H
#define TEST_FAULTS_CALLS_H

#include "world.h"

/* ---- configurations ---- */
item_status call_config_new(item_error *err);
void make_config_of_dummies(void);
item_status call_config_set(item_error *err);
item_status call_config_engine(item_error *err);
item_status call_config_captioner(item_error *err);
item_status call_config_detector(item_error *err);
item_status call_config_embedder(item_error *err);
item_status call_cancel_new(item_error *err);

/* ---- pictures ---- */
extern const char *call_picture; /* file that call_image_file() reads */
item_status call_image_file(item_error *err);
item_status call_image_pixels(item_error *err);

/* ---- packs and contexts ---- */
item_status call_pack_open(item_error *err);
item_status call_published_open(item_error *err);
void remove_made(void);
item_status call_pack_create(item_error *err);
void make_config_of_pack(void);
item_status call_ctx_dummies(item_error *err);
item_status call_ctx_pack(item_error *err);
void make_ctx_of_pack(void);
item_status call_first_check(item_error *err);
item_status call_first_tokens(item_error *err);

/* ---- answers ---- */
item_status call_check_image(item_error *err);
item_status call_check_pack(item_error *err);
item_status call_check_caption(item_error *err);
item_status call_check_file(item_error *err);
item_status call_check_files(item_error *err);
void make_other_settings(void);
void make_config_of_cache(void); /* the cache is not there yet */
item_status call_ctx_cache(item_error *err);
void make_ctx_of_empty_cache(void);
void make_ctx_of_full_cache(void); /* it has what the call asks for */
item_status call_check_recalled(item_error *err);
item_status call_check_warned(item_error *err);
item_status call_caption(item_error *err);
item_status call_caption_drawn(item_error *err);
item_status call_score(item_error *err);
item_status call_detect(item_error *err);
item_status call_embed_images(item_error *err);
item_status call_embed_layers(item_error *err);
item_status call_embed_texts(item_error *err);
item_status call_tokens(item_error *err);
item_status call_apply(item_error *err);
item_status call_phrases(item_error *err);
item_status call_misalign(item_error *err);
void make_result(void);
void make_failed_result(void);
item_status call_result_json(item_error *err);

/* ---- indexes ---- */
void remove_index(void);
item_status call_index_open(item_error *err);
void make_index(void); /* empty */
item_status call_index_scan(item_error *err);
item_status call_index_import(item_error *err);
void make_full_index(void);
item_status call_index_find(item_error *err);

/* ---- data sets, training, evaluation ---- */
item_status call_extract_folder(item_error *err);
item_status call_extract_list(item_error *err);
item_status call_data_load(item_error *err);
item_status call_data_save(item_error *err);
item_status call_data_new(item_error *err);
void make_data(void);
item_status call_data_add(item_error *err);
item_status call_data_remove(item_error *err);
item_status call_train(item_error *err);
item_status call_train_some(item_error *err);
void make_photographs(void);
item_status call_calibrate(item_error *err);
item_status call_evaluate(item_error *err);
item_status call_evaluate_controls(item_error *err);
item_status call_head_write(item_error *err);

#endif
